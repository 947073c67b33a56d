/*
 * The engine's heart: it looks for what is due once a second, and sooner when something was recorded here
 * (the store tells), or elsewhere (NOTIFY). News come in crowds, so looking waits for 10 ms for more of them.
 */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/rand.h"
#include "outbox/int.h"
#include "stats/stats.h"

enum { LAGS_MOST = 1024 * 1024 };
enum { PULSE_MS = 1000, SOON_MS = 10, MEASURE_MS = 5000, SWEEP_MS = 60000 };

static const char channel[] = "rspd_outbox";

static void
on_soon(void *arg)
{
	struct outbox *o = arg;

	loop_timer_free(o->soon);
	o->soon = NULL;
	outbox_find(o);
}

void
outbox_wake(struct outbox *o)
{
	if (!o->soon && !o->stopping)
		o->soon = loop_timer_new(o->loop, SOON_MS, on_soon, o);
}

static void
on_pulse(void *arg)
{
	outbox_find(arg);
}

static void
on_measure(void *arg)
{
	outbox_measure(arg);
}

static void
on_sweep(void *arg)
{
	outbox_sweep(arg);
}

/*
 * Without the lock another instance may take our buckets at once, so that no call of ours must go on: SM-DSs
 * do what they are told whenever it comes. What is being recorded bears a token.
 */
static void
on_held(void *arg, bool is_held)
{
	struct outbox *o = arg;
	const struct flight *f;

	o->held = is_held;
	if (is_held)
		outbox_wake(o);
	else
		LIST_FOREACH(f, &o->flights, place)
	if (f->calling)
		task_stop(f->task, T_BROKEN);
}

/* A statement of ours may have written events. Without subscribers nobody waits for them. */
static void
on_told(void *arg)
{
	struct outbox *o = arg;

	if (!o->lag_n)
		return;
	outbox_wake(o);
	store_notify(o->store, channel);
}

static void
on_heard(void *arg)
{
	outbox_wake(arg);
}

struct outbox *
outbox_start(
	struct loop *l, struct store *s, struct peer *p, const struct outbox_settings *settings)
{
	struct outbox *o = calloc(1, sizeof *o);

	if (!o)
		abort();
	*o = (struct outbox){ .loop = l, .store = s, .peer = p, .settings = *settings };
	LIST_INIT(&o->flights);
	arena_init(&o->lags_mem, LAGS_MOST, NULL, NULL);
	rand_bytes(o->owner, sizeof o->owner);
	o->pulse = loop_timer_new(l, PULSE_MS, on_pulse, o);
	o->measure = loop_timer_new(l, MEASURE_MS, on_measure, o);
	o->sweep = loop_timer_new(l, SWEEP_MS, on_sweep, o);
	store_hold(s, SLICE_ARRAY(o->owner), on_held, o);
	store_listen(s, channel, on_heard, o);
	store_told_set(s, on_told, o);
	outbox_measure(o);
	outbox_sweep(o);
	return o;
}

static void
on_work_gone(void *busy)
{
	*(bool *)busy = false;
}

struct task *
outbox_work_new(struct outbox *o, const struct procedure *p, bool *busy)
{
	struct task *t = *busy ? NULL : task_new(o->loop, p, NULL, NULL);

	if (!t)
		return NULL;
	*busy = true;
	((struct work *)t->state)->outbox = o;
	arena_defer(t->mem, on_work_gone, busy);
	return t;
}

void
outbox_settings_set(struct outbox *o, const struct outbox_settings *settings)
{
	o->settings = *settings;
}

/* ---- the end ---------------------------------------------------------------------------------------- */

struct releasing {
	struct work work;
	struct store_released released;
};

#define STEPS(S) S(release) S(done)
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };
static const struct procedure release_leases = { "ReleaseLeases", THEN(release), THEN(done), steps,
	5000, 64 * 1024, sizeof(struct releasing) };

static const struct step *
release(struct task *t)
{
	struct releasing *c = t->state;
	struct outbox *o = c->work.outbox;

	return store_outbox_release(t, o->store, SLICE_ARRAY(o->owner), &c->released, THEN(done));
}

/* Whatever came of it: what is not given back expires. */
static const struct step *
done(struct task *t)
{
	(void)t;
	FINISH;
}

static void
give_back(struct outbox *o)
{
	struct task *t;

	if (!o->stopping || o->flying || o->looking || o->released)
		return;
	o->released = true;
	t = task_new(o->loop, &release_leases, NULL, NULL);
	if (!t)
		return;
	((struct releasing *)t->state)->work.outbox = o;
	task_start(t, release_leases.first);
}

void
outbox_stop(struct outbox *o)
{
	if (!o)
		return;
	o->stopping = true;
	store_told_set(o->store, NULL, NULL);
	loop_timer_free(o->pulse);
	loop_timer_free(o->soon);
	loop_timer_free(o->measure);
	loop_timer_free(o->sweep);
	o->pulse = o->soon = o->measure = o->sweep = NULL;
	give_back(o);
}

void
outbox_free(struct outbox *o)
{
	if (!o)
		return;
	outbox_measure_fini(o);
	free(o);
}

void
outbox_land(struct flight *f, bool more)
{
	struct outbox *o = f->outbox;

	LIST_REMOVE(f, place);
	f->outbox = NULL;
	o->flying--;
	stats_set(STATS_outbox_in_flight, o->flying);
	if (more)
		outbox_wake(o);
	give_back(o);
}

void
outbox_each(
	const struct outbox *o, void (*visit)(void *arg, const struct outbox_view *v), void *arg)
{
	for (size_t i = 0; i < o->lag_n; i++) {
		const struct store_lag *lag = &o->lags[i];
		struct outbox_view v = { .kind = lag->kind,
			.name = lag->name,
			.paused = lag->paused,
			.waiting = lag->waiting,
			.dead = lag->dead,
			.lag_us = lag->oldest == STORE_NULL ? 0 : o->measured_us - lag->oldest };

		visit(arg, &v);
	}
}
