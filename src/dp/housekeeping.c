/*
 * Housekeeping: sessions that never had an order are swept after a day, bindings when their order is over;
 * what is left of bulk loads that were cut off goes; notifications that came at the very moment of their
 * installation are applied; calls of ES2+ and refused calls are forgotten when their time is over; the audit
 * trail gets its next partitions. Everything here may be cut off and done again.
 */
#include "dp/periodic.h"
#include "store/audit.h"
#include "store/load.h"
#include "store/notification.h"
#include "store/order.h"
#include "store/package.h"
#include "store/refused.h"
#include "store/session.h"

enum { SWEEP = 10000, SWEEPS = 20, DEADLINE_MS = 30 * 1000, ARENA = 256 * 1024 };

struct keeping {
	struct dp_periodic_run run;
	struct store_prepared_audit prepared;
	struct store_sweep sweep;
	unsigned sweeps;
	struct store_bindings_swept bindings;
	struct store_load_swept loads;
	struct store_calls_swept calls;
	struct store_refused_swept refused;
	struct rows stragglers;
	size_t next;
	struct store_applied applied;
};

/* clang-format off */
#define STEPS(S) \
	S(prepare_audit) \
	S(sweep_sessions) \
	S(sweep_bindings) \
	S(sweep_loads) \
	S(sweep_calls) \
	S(sweep_refused) \
	S(find_stragglers) \
	S(apply_one)       /* again for each: a row a wait, bounded by the finder */ \
	S(give_up)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_housekeep = { "Housekeep", THEN(prepare_audit), THEN(give_up), steps,
	DEADLINE_MS, ARENA, sizeof(struct keeping) };

static const struct step *
prepare_audit(struct task *t)
{
	struct keeping *c = t->state;

	return store_audit_prepare(t, c->run.dp->store, &c->prepared, THEN(sweep_sessions));
}

static const struct step *
sweep_sessions(struct task *t)
{
	struct keeping *c = t->state;

	return store_session_sweep(t, c->run.dp->store, SWEEP, &c->sweep, THEN(sweep_bindings));
}

static const struct step *
sweep_bindings(struct task *t)
{
	struct keeping *c = t->state;

	/* Backwards, while there is more: a flood must not grow faster than it is swept. */
	if (c->sweep.swept == SWEEP && ++c->sweeps < SWEEPS)
		GO(sweep_sessions);
	c->sweeps = 0;
	return store_binding_sweep(t, c->run.dp->store, SWEEP, &c->bindings, THEN(sweep_loads));
}

static const struct step *
sweep_loads(struct task *t)
{
	struct keeping *c = t->state;

	return store_load_sweep(t, c->run.dp->store, &c->loads, THEN(sweep_calls));
}

static const struct step *
sweep_calls(struct task *t)
{
	struct keeping *c = t->state;

	/* Backwards, while there is more, as with sessions. */
	if (c->sweeps && (c->calls.swept < SWEEP || c->sweeps == SWEEPS))
		GO(sweep_refused);
	c->sweeps++;
	return store_order_call_sweep(t, c->run.dp->store, SWEEP, &c->calls, THEN(sweep_calls));
}

static const struct step *
sweep_refused(struct task *t)
{
	struct keeping *c = t->state;

	return store_refused_sweep(t, c->run.dp->store, SWEEP, &c->refused, THEN(find_stragglers));
}

static const struct step *
find_stragglers(struct task *t)
{
	struct keeping *c = t->state;

	return store_notification_stragglers(t, c->run.dp->store, &c->stragglers, THEN(apply_one));
}

static const struct step *
apply_one(struct task *t)
{
	struct keeping *c = t->state;
	const struct store_straggler *row = c->stragglers.first;

	if (c->next == c->stragglers.n)
		FINISH;
	row += c->next++;
	/* Backwards, once for each of the few that were found. */
	return store_notification_apply(
		t, c->run.dp->store, row->eid, row->iccid, &c->applied, THEN(apply_one));
}

static const struct step *
give_up(struct task *t)
{
	LOG(dp, WARNING, "task=Housekeep result=%s note=\"tried again in a minute\"",
		trouble_name(t->bad));
	FINISH;
}
