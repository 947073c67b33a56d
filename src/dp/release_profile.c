/*
 * ReleaseProfile (SGP.22 §5.3.4): the operator's network is ready, the profile may be downloaded. Done
 * again it is answered as the first time.
 */
#include "dp/functions.h"
#include "dp/orders.h"

/* clang-format off */
#define STEPS(S) \
	S(release) /* Confirmed becomes Released */ \
	S(answer)  /* or find out why not        */ \
	S(explain)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_release_profile = { "ReleaseProfile", THEN(release), NULL, steps,
	DP_DEADLINE_MS, DP_ARENA, sizeof(struct dp_release_profile) };

static const struct step *
release(struct task *t)
{
	struct dp_release_profile *c = t->state;

	return store_order_release(t, c->call.dp->store, c->call.iccid, c->in.actor.name,
		c->in.actor.why, &c->in.actor.call, &c->out, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	struct dp_release_profile *c = t->state;

	if (t->got == R_CONFLICT)
		return store_order_standing_find(t, c->call.dp->store, c->call.iccid, SLICE_NONE,
			&c->standing, THEN(explain));
	c->call.order_id = c->out.order_id;
	FINISH;
}

static const struct step *
explain(struct task *t)
{
	struct dp_release_profile *c = t->state;
	const struct store_standing *s = &c->standing;
	enum profile_state state, to;
	bool known, movable;

	if (t->got == R_NONE)
		return task_refuse(t, REFUSE(ICCID_UNKNOWN));
	if (!dp_actor_owns(&c->in.actor, s->operator_id))
		return task_refuse(t, REFUSE(ICCID_FOREIGN));
	known = profile_state_find(s->state, &state);
	movable = known && s->pending && profile_move_find(state, EVENT_release_profile, &to);
	/* Backward, once: it was confirmed while we asked, or released beside us; now it shows. */
	if ((movable || (known && state == STATE_released)) && c->tries++ == 0)
		GO(release);
	if (movable)
		return task_trouble(t, T_BUSY); /* it changed again meanwhile */
	c->call.note = arena_string(t->mem, s->state);
	return task_refuse(t, REFUSE(ORDER_NOT_RELEASABLE));
}
