/* Procedures that begin anew every so often. */
#include <stdlib.h>
#include "dp/periodic.h"
#include "loop/loop.h"

struct dp_periodic {
	struct dp *dp;
	const struct procedure *procedure;
	struct loop_timer *timer;
	struct dp_periodic_run *running;
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
	struct dp_periodic *p = ((struct dp_periodic_run *)arg)->periodic;

	if (!p)
		return;
	p->running = NULL;
	if (p->again)
		on_timer(p);
}

static void
on_timer(void *arg)
{
	struct dp_periodic *p = arg;
	struct task *t = p->running ? NULL : task_new(p->dp->loop, p->procedure, NULL, end);

	if (!t)
		return;
	p->again = false;
	p->running = t->state;
	*p->running = (struct dp_periodic_run){ p->dp, p };
	arena_defer(t->mem, on_gone, p->running);
	task_start(t, p->procedure->first);
}

struct dp_periodic *
dp_periodic_start(struct dp *dp, const struct procedure *procedure, uint32_t ms)
{
	struct dp_periodic *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->dp = dp;
	p->procedure = procedure;
	p->timer = loop_timer_new(dp->loop, ms, on_timer, p);
	return p;
}

void
dp_periodic_hurry(struct dp_periodic *p)
{
	if (!p)
		return;
	p->again = p->running != NULL;
	on_timer(p);
}

void
dp_periodic_stop(struct dp_periodic *p)
{
	if (!p)
		return;
	if (p->running)
		p->running->periodic = NULL;
	loop_timer_free(p->timer);
	free(p);
}
