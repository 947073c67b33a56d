/*
 * The administrator's reset: an order in Error, or one whose package went out and never came to an end,
 * is Released again with all counters at zero, for the same eUICC. Never one that is installed.
 */
#include "dp/functions.h"
#include "dp/orders.h"

/* clang-format off */
#define STEPS(S) \
	S(reset)   /* Error or Downloaded become Released */ \
	S(answer)  /* or find out why not                 */ \
	S(explain)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_reset_order = { "ResetOrder", THEN(reset), NULL, steps, DP_DEADLINE_MS,
	DP_ARENA, sizeof(struct dp_reset_order) };

static const struct step *
reset(struct task *t)
{
	struct dp_reset_order *c = t->state;
	int64_t lifetime;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	lifetime = c->call.world->settings.order_lifetime;
	return store_order_reset(t, c->call.dp->store, c->call.iccid,
		lifetime ? lifetime : STORE_NULL, c->in.actor.name, c->in.actor.why, &c->out,
		THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	struct dp_reset_order *c = t->state;

	if (t->got == R_CONFLICT)
		return store_order_standing_find(t, c->call.dp->store, c->call.iccid, SLICE_NONE,
			&c->standing, THEN(explain));
	c->call.order_id = c->out.order_id;
	FINISH;
}

static const struct step *
explain(struct task *t)
{
	struct dp_reset_order *c = t->state;
	const struct store_standing *s = &c->standing;
	enum profile_state state, to;
	bool known, movable;

	if (t->got == R_NONE)
		return task_refuse(t, REFUSE(ICCID_UNKNOWN));
	known = profile_state_find(s->state, &state);
	movable = known && s->pending && s->matching_id.p &&
		profile_move_find(state, EVENT_reset, &to);
	/* Backward, once: it failed while we asked, or was reset beside us; now it shows. */
	if ((movable || (known && state == STATE_released)) && c->tries++ == 0)
		GO(reset);
	if (movable)
		return task_trouble(t, T_BUSY); /* it changed again meanwhile */
	c->call.note = arena_string(t->mem, s->state);
	return task_refuse(t, REFUSE(ORDER_NOT_RESETTABLE));
}
