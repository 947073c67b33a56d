/*
 * The runner: takes ready tasks step by step, measures each step, ends tasks at their deadline or when
 * their arena is full, and gives the loop back after a few milliseconds.
 */
#include <assert.h>
#include <stdlib.h>
#include "base/clock.h"
#include "loop/int.h"

enum {
	TURN_US = 4000,      /* then sockets get their turn */
	RESERVE = 16 * 1024, /* octets on which a task out of memory makes its refusal */
	ROOM = 3 * 1024,     /* octets that are there from the beginning */
};

/* Returned by task_wait; never run. */
static const struct step waiting_step = { "(waiting)", NULL, NULL };

static struct running *
running_of(struct task *t)
{
	return (struct running *)t;
}

const char *
trouble_name(enum trouble bad)
{
	static const char *const names[] = { "none", "busy", "unsure", "broken", "nomem", "late" };

	return names[bad];
}

static void
make_ready(struct running *r)
{
	struct loop *l = r->loop;

	if (r->ready)
		return;
	r->ready = true;
	r->ready_next = NULL;
	if (l->ready_last)
		l->ready_last->ready_next = r;
	else
		l->ready_first = r;
	l->ready_last = r;
	event_active(l->turn, EV_TIMEOUT, 0);
}

/* The arena is full: back to the runner, which makes the refusal on the reserve. */
static void
arena_full(void *arg)
{
	struct running *r = arg;

	if (!r->catching)
		abort(); /* no memory before the first step, or between two: nobody could refuse */
	longjmp(r->nomem, 1);
}

static void
stop_waiting(struct running *r)
{
	if (r->abandon)
		r->abandon(r->abandon_arg);
	r->abandon = NULL;
	r->waiting = false;
}

static void
divert(struct running *r, enum trouble bad)
{
	stop_waiting(r);
	r->task.bad = bad;
	r->at = r->task.procedure->refuse;
	make_ready(r);
}

static void
end_now(struct running *r)
{
	if (r->ended)
		return;
	if (setjmp(r->nomem)) {
		/* The reserve itself is spent: the plainest of ends, with what the state holds. */
		assert(!r->on_reserve);
		r->on_reserve = true;
		r->arena.cap += RESERVE;
		r->task.bad = T_NOMEM;
	}
	r->catching = true;
	if (!r->ended && r->end)
		r->end(&r->task);
	r->catching = false;
	r->ended = true;
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct running *r = arg;

	(void)fd;
	(void)what;
	if (r->ended)
		return;
	if (r->task.writing) {
		/* What was sent will be written; only the answer is given up. */
		enum trouble bad = r->task.bad;

		r->task.bad = T_LATE;
		end_now(r);
		r->task.bad = bad;
		r->task.request = NULL;
		return;
	}
	divert(r, T_LATE);
}

static void
remember_procedure(struct loop *l, const struct procedure *p)
{
	for (int i = 0; i < PROCEDURES; i++) {
		if (l->procedures[i] == p)
			return;
		if (!l->procedures[i]) {
			l->procedures[i] = p;
			return;
		}
	}
}

struct task *
task_new(struct loop *l, const struct procedure *p, struct request *request, task_end *end)
{
	struct timeval deadline = { p->deadline_ms / 1000, p->deadline_ms % 1000 * 1000 };
	struct running *r;

	if (l->tasks >= l->limits.tasks)
		return NULL;
	r = calloc(1, sizeof *r + p->state_size);
	if (!r)
		return NULL;
	r->deadline = evtimer_new(l->base, on_deadline, r);
	if (!r->deadline ||
		evtimer_add(r->deadline, event_base_init_common_timeout(l->base, &deadline)) < 0) {
		if (r->deadline)
			event_free(r->deadline);
		free(r);
		return NULL;
	}
	/* What was asked is bounded already: the cap is for what comes of it. */
	arena_init(&r->arena, SIZE_MAX, arena_full, r);
	if (!arena_reserve(&r->arena, ROOM)) {
		event_free(r->deadline);
		free(r);
		return NULL;
	}
	r->loop = l;
	r->end = end;
	r->task.mem = &r->arena;
	r->task.request = request;
	r->task.procedure = p;
	r->task.began_us = clock_mono_us();
	r->task.state = r->state;
	r->prev = l->newest;
	if (l->newest)
		l->newest->next = r;
	else
		l->oldest = r;
	l->newest = r;
	if (++l->tasks > l->peak)
		l->peak = l->tasks;
	remember_procedure(l, p);
	return &r->task;
}

static void
release(struct running *r)
{
	struct loop *l = r->loop;

	if (r->prev)
		r->prev->next = r->next;
	else
		l->oldest = r->next;
	if (r->next)
		r->next->prev = r->prev;
	else
		l->newest = r->prev;
	l->tasks--;
	event_free(r->deadline);
	arena_fini(&r->arena);
	explicit_bzero(r->state, r->task.procedure->state_size);
	free(r);
}

void
task_start(struct task *t, const struct step *first)
{
	struct running *r = running_of(t);

	r->arena.cap =
		t->procedure->arena_cap > r->arena.used ? t->procedure->arena_cap : r->arena.used;
	r->at = first;
	make_ready(r);
}

const struct step *
task_refuse(struct task *t, const struct refusal *no)
{
	t->no = no;
	return t->procedure->refuse;
}

const struct step *
task_trouble(struct task *t, enum trouble bad)
{
	t->bad = bad;
	return t->procedure->refuse;
}

const struct step *
task_judge(struct task *t, struct verdict v, const struct step *then)
{
	if (v.no)
		return task_refuse(t, v.no);
	if (v.bad)
		return task_trouble(t, v.bad);
	return then;
}

const struct step *
task_wait(struct task *t, const struct step *then, void (*abandon)(void *arg), void *arg)
{
	struct running *r = running_of(t);

	assert(!r->waiting);
	t->waits++;
	r->waiting = true;
	r->at = then;
	r->abandon = abandon;
	r->abandon_arg = arg;
	return &waiting_step;
}

void
task_wake(struct task *t, enum got got, enum trouble bad)
{
	struct running *r = running_of(t);

	assert(r->waiting);
	r->waiting = false;
	r->abandon = NULL;
	t->got = got;
	if (bad) {
		t->bad = bad;
		r->at = t->procedure->refuse;
	}
	make_ready(r);
}

void
task_stop(struct task *t, enum trouble bad)
{
	struct running *r = running_of(t);

	if (r->waiting)
		divert(r, bad);
}

/* One step, timed. Returns what it returned. */
static const struct step *
run_step(struct running *r, const struct step *step)
{
	int64_t began = clock_mono_us();
	const struct step *next = step->run(&r->task);
	int64_t us = clock_mono_us() - began;

	if (step->stats) {
		step->stats->runs++;
		step->stats->us += (uint64_t)us;
	}
	if (r->task.traced || log_wanted(LOG_loop, LOG_DEBUG))
		log_line(LOG_loop, r->task.traced ? LOG_NOTICE : LOG_DEBUG,
			"procedure=%s step=%s us=%lld next=%s", r->task.procedure->name, step->name,
			(long long)us, next ? next->name : "(end)");
	return next;
}

static void
run(struct running *r)
{
	const struct step *volatile step = r->at;

	if (setjmp(r->nomem)) {
		assert(!r->on_reserve); /* the refusal must fit into the reserve */
		r->on_reserve = true;
		r->arena.cap += RESERVE;
		r->task.bad = T_NOMEM;
		step = r->task.procedure->refuse;
	}
	r->catching = true;
	while (step && step != &waiting_step) {
		r->at = step;
		step = run_step(r, step);
	}
	r->catching = false;
	if (step == &waiting_step)
		return;
	end_now(r);
	release(r);
}

void
task_turn(struct loop *l)
{
	int64_t until = clock_mono_us() + TURN_US;

	while (l->ready_first) {
		struct running *r = l->ready_first;

		l->ready_first = r->ready_next;
		if (!l->ready_first)
			l->ready_last = NULL;
		r->ready = false;
		if (!r->waiting)
			run(r);
		if (l->ready_first && clock_mono_us() >= until) {
			event_active(l->turn, EV_TIMEOUT, 0);
			return;
		}
	}
}

void
task_each(struct loop *l, bool (*visit)(void *arg, const struct task_view *v), void *arg)
{
	int64_t now = clock_mono_us();

	for (struct running *r = l->oldest; r; r = r->next) {
		struct task_view v = { .procedure = r->task.procedure->name,
			.step = r->at ? r->at->name : "",
			.age_us = now - r->task.began_us,
			.waiting = r->waiting };

		if (!visit(arg, &v))
			return;
	}
}

void
procedure_each(struct loop *l, void (*visit)(void *arg, const struct procedure *p), void *arg)
{
	for (int i = 0; i < PROCEDURES && l->procedures[i]; i++)
		visit(arg, l->procedures[i]);
}
