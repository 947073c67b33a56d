/* Procedures that begin anew every so often. */
#include "loop/periodic.h"
#include <stdlib.h>
#include "loop/loop.h"

/* In the memory of the task that runs. */
struct run {
	struct loop_periodic *periodic; /* NULL: stopped meanwhile */
};

struct loop_periodic {
	struct loop *loop;
	const struct procedure *procedure;
	void (*fill)(void *state, void *arg);
	void *arg;
	struct loop_timer *timer;
	struct run *running;
	bool again;
};

/* Nobody waits for an answer; and after a late one the task still runs. */
static void
end(struct task *t)
{
	(void)t;
}

static void on_timer(void *arg);

/* With the task's memory: now the next may begin. */
static void
on_gone(void *arg)
{
	struct loop_periodic *p = ((struct run *)arg)->periodic;

	if (!p)
		return;
	p->running = NULL;
	if (p->again)
		on_timer(p);
}

static void
on_timer(void *arg)
{
	struct loop_periodic *p = arg;
	struct task *t = p->running ? NULL : task_new(p->loop, p->procedure, NULL, end);

	if (!t)
		return;
	p->again = false;
	p->running = ARENA_NEW(t->mem, struct run);
	p->running->periodic = p;
	arena_defer(t->mem, on_gone, p->running);
	p->fill(t->state, p->arg);
	task_start(t, p->procedure->first);
}

struct loop_periodic *
loop_periodic_start(struct loop *l, const struct procedure *procedure, uint32_t ms,
	void (*fill)(void *state, void *arg), void *arg)
{
	struct loop_periodic *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->loop = l;
	p->procedure = procedure;
	p->fill = fill;
	p->arg = arg;
	p->timer = loop_timer_new(l, ms, on_timer, p);
	return p;
}

void
loop_periodic_hurry(struct loop_periodic *p)
{
	if (!p)
		return;
	p->again = p->running != NULL;
	on_timer(p);
}

void
loop_periodic_stop(struct loop_periodic *p)
{
	if (!p)
		return;
	if (p->running)
		p->running->periodic = NULL;
	loop_timer_free(p->timer);
	free(p);
}
