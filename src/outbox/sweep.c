/*
 * At the start and once a minute: keys of which nothing is owed, leases of long ago, and what was told longer ago
 * than it is kept. Events stay; of what is swept only a replay makes a delivery again.
 */
#include "outbox/int.h"

/* A round is a statement of some 100 ms on the background lane; what is left then waits for the next minute. */
enum { DEADLINE_MS = 60000, ARENA = 64 * 1024, MOST = 10000, ROUNDS = 100 };

struct sweeping {
	struct work work;
	struct store_owed_swept swept;
	unsigned rounds;
};

/* clang-format off */
#define STEPS(S) \
	S(sweep)   /* keys and leases                 */ \
	S(forget)  /* what was told, some of it …     */ \
	S(go_on)   /* … and again while there is more */ \
	S(give_up)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };
static const struct procedure sweep_deliveries = { "SweepDeliveries", THEN(sweep), THEN(give_up),
	steps, DEADLINE_MS, ARENA, sizeof(struct sweeping) };

static const struct step *
sweep(struct task *t)
{
	struct sweeping *c = t->state;

	return store_outbox_sweep(t, c->work.outbox->store, MOST, &c->swept, THEN(forget));
}

static const struct step *
forget(struct task *t)
{
	struct sweeping *c = t->state;
	struct outbox *o = c->work.outbox;

	if (!o->settings.keep_s)
		FINISH;
	return store_outbox_forget(t, o->store, o->settings.keep_s, MOST, &c->swept, THEN(go_on));
}

static const struct step *
go_on(struct task *t)
{
	struct sweeping *c = t->state;

	/* Backward: there is more. */
	if (c->swept.swept == MOST && ++c->rounds < ROUNDS && !c->work.outbox->stopping)
		GO(forget);
	FINISH;
}

static const struct step *
give_up(struct task *t)
{
	LOG(outbox, WARNING, "task=SweepDeliveries result=%s note=\"tried again in a minute\"",
		trouble_name(t->bad));
	FINISH;
}

void
outbox_sweep(struct outbox *o)
{
	struct task *t = outbox_work_new(o, &sweep_deliveries, &o->sweeping);

	if (t)
		task_start(t, sweep_deliveries.first);
}
