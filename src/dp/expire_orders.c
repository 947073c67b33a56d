/*
 * The lifetime of orders: a timer makes a task that ends what is over, some at a time; orders that are
 * Downloaded never end so, and one whose session runs may still be finished. The next tick goes on where
 * this one stopped, and so does every other instance on the same database.
 */
#include <stdlib.h>
#include "dp/functions.h"
#include "dp/orders.h"
#include "loop/loop.h"

enum {
	PERIOD_MS = 10000,
	AT_A_TIME = 500,
	SESSION_SECONDS = 900, /* as long as a transaction lives */
};

/* clang-format off */
#define STEPS(S) \
	S(expire) /* one batch */ \
	S(tell) \
	S(refuse)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct expiry_run {
	struct dp *dp;
	struct dp_expiry *expiry; /* to be told of the end; NULL: it was stopped */
	struct store_expired expired;
};

static const struct procedure procedure = { "expire_orders", THEN(expire), THEN(refuse), steps,
	60000, 16 * 1024, sizeof(struct expiry_run) };

struct dp_expiry {
	struct dp *dp;
	struct loop_timer *timer;
	struct task *running; /* at most one at a time */
};

static const struct step *
expire(struct task *t)
{
	struct expiry_run *c = t->state;

	return store_order_expire(
		t, c->dp->store, AT_A_TIME, SESSION_SECONDS, &c->expired, THEN(tell));
}

static const struct step *
tell(struct task *t)
{
	struct expiry_run *c = t->state;

	if (c->expired.expired)
		LOG(dp, NOTICE, "did=expire_orders orders=%lld", (long long)c->expired.expired);
	FINISH;
}

static const struct step *
refuse(struct task *t)
{
	LOG(dp, INFO, "did=expire_orders trouble=%s", trouble_name(t->bad));
	FINISH;
}

static void
end(struct task *t)
{
	struct expiry_run *c = t->state;

	if (c->expiry)
		c->expiry->running = NULL;
	c->expiry = NULL;
}

static void
on_timer(void *arg)
{
	struct dp_expiry *e = arg;
	struct expiry_run *c;

	if (e->running)
		return;
	e->running = task_new(e->dp->loop, &procedure, NULL, end);
	if (!e->running)
		return;
	c = e->running->state;
	*c = (struct expiry_run){ .dp = e->dp, .expiry = e };
	task_start(e->running, procedure.first);
}

struct dp_expiry *
dp_expiry_start(struct dp *dp)
{
	struct dp_expiry *e = calloc(1, sizeof *e);

	if (!e)
		abort();
	e->dp = dp;
	e->timer = loop_timer_new(dp->loop, PERIOD_MS, on_timer, e);
	return e;
}

void
dp_expiry_stop(struct dp_expiry *e)
{
	if (!e)
		return;
	if (e->running)
		((struct expiry_run *)e->running->state)->expiry = NULL;
	loop_timer_free(e->timer);
	free(e);
}
