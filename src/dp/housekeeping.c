/*
 * Housekeeping: sessions that never had an order are swept after a day, notifications that came at the
 * very moment of their installation are applied. Everything here may be cut off and done again.
 */
#include <stdlib.h>
#include "dp/dp.h"
#include "dp/housekeeping.h"
#include "loop/loop.h"
#include "store/notification.h"
#include "store/session.h"

enum { EVERY_MS = 60 * 1000, SWEEP = 10000, DEADLINE_MS = 30 * 1000, ARENA = 256 * 1024 };

struct dp_housekeeping {
	struct dp *dp;
	struct loop_timer *timer;
};

struct keeping {
	struct dp *dp;
	struct store_sweep sweep;
	struct rows stragglers;
	size_t next;
	struct store_applied applied;
};

/* clang-format off */
#define STEPS(S) \
	S(sweep_sessions) \
	S(find_stragglers) \
	S(apply_one)       /* again for each: a row a wait, bounded by the finder */ \
	S(give_up)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

static const struct step *
sweep_sessions(struct task *t)
{
	struct keeping *c = t->state;

	return store_session_sweep(t, c->dp->store, SWEEP, &c->sweep, THEN(find_stragglers));
}

static const struct step *
find_stragglers(struct task *t)
{
	struct keeping *c = t->state;

	return store_notification_stragglers(t, c->dp->store, &c->stragglers, THEN(apply_one));
}

static const struct step *
apply_one(struct task *t)
{
	struct keeping *c = t->state;
	const struct store_straggler *row = c->stragglers.first;

	if (c->next == c->stragglers.n)
		FINISH;
	row += c->next++;
	return store_notification_apply(
		t, c->dp->store, row->eid, row->iccid, &c->applied, THEN(apply_one));
}

static const struct step *
give_up(struct task *t)
{
	LOG(dp, WARNING, "task=housekeeping result=%s note=\"tried again in a minute\"",
		trouble_name(t->bad));
	FINISH;
}

static const struct procedure housekeeping = { "Housekeeping", THEN(sweep_sessions), THEN(give_up),
	steps, DEADLINE_MS, ARENA, sizeof(struct keeping) };

static void
on_end(struct task *t)
{
	(void)t;
}

static void
on_timer(void *arg)
{
	struct dp_housekeeping *h = arg;
	struct task *t = task_new(h->dp->loop, &housekeeping, NULL, on_end);

	if (!t)
		return;
	((struct keeping *)t->state)->dp = h->dp;
	task_start(t, housekeeping.first);
}

struct dp_housekeeping *
dp_housekeeping_start(struct dp *dp)
{
	struct dp_housekeeping *h = calloc(1, sizeof *h);

	if (!h)
		abort();
	h->dp = dp;
	h->timer = loop_timer_new(dp->loop, EVERY_MS, on_timer, h);
	return h;
}

void
dp_housekeeping_stop(struct dp_housekeeping *h)
{
	if (!h)
		return;
	loop_timer_free(h->timer);
	free(h);
}
