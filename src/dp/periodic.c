/* Procedures that begin anew every so often. */
#include <stdlib.h>
#include "dp/periodic.h"
#include "loop/loop.h"

struct dp_periodic {
	struct dp *dp;
	const struct procedure *procedure;
	struct loop_timer *timer;
	struct dp_periodic_run *running;
};

static void
end(struct task *t)
{
	struct dp_periodic_run *run = t->state;

	if (run->periodic)
		run->periodic->running = NULL;
	run->periodic = NULL;
}

static void
on_timer(void *arg)
{
	struct dp_periodic *p = arg;
	struct task *t = p->running ? NULL : task_new(p->dp->loop, p->procedure, NULL, end);

	if (!t)
		return;
	p->running = t->state;
	*p->running = (struct dp_periodic_run){ p->dp, p };
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
dp_periodic_stop(struct dp_periodic *p)
{
	if (!p)
		return;
	if (p->running)
		p->running->periodic = NULL;
	loop_timer_free(p->timer);
	free(p);
}
