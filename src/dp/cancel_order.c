/*
 * CancelOrder (SGP.22 §5.3.3): a pending order ends, the profile goes back into stock or becomes
 * Unavailable. After a package has left it may be on a card, so the profile never goes back into stock
 * then; one that is Downloaded is taken away by an administrator's force alone.
 */
#include "dp/functions.h"
#include "dp/orders.h"

/* clang-format off */
#define STEPS(S) \
	S(cancel)  /* the profile moves, order and binding end */ \
	S(answer)  /* or find out why not                      */ \
	S(explain)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_cancel_order = { "CancelOrder", THEN(cancel), NULL, steps, DP_DEADLINE_MS,
	DP_ARENA, sizeof(struct dp_cancel_order) };

static const struct step *
cancel(struct task *t)
{
	struct dp_cancel_order *c = t->state;

	c->end = (struct store_order_end){ .iccid = c->call.iccid,
		.event = c->in.available ? EVENT_cancel_order_available
					 : EVENT_cancel_order_unavailable,
		.force = c->in.administrator && c->in.force && !c->in.available,
		.eid = c->call.eid,
		.matching_id = c->in.matching_id,
		.trusted = c->in.administrator,
		.actor = c->in.actor.name,
		.why = c->in.actor.why,
		.call = c->in.actor.call };
	return store_order_cancel(t, c->call.dp->store, &c->end, &c->out, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	struct dp_cancel_order *c = t->state;

	if (t->got == R_CONFLICT)
		return store_order_standing_find(t, c->call.dp->store, c->call.iccid, SLICE_NONE,
			&c->standing, THEN(explain));
	c->call.order_id = c->out.order_id;
	FINISH;
}

/*
 * The order of checks is the one of the table of §5.3.3; EID and MatchingID are due also when the order is
 * cancelled already. NULL: nothing speaks against it.
 */
static const struct refusal *
find_reason(const struct dp_cancel_order *c)
{
	const struct store_standing *s = &c->standing;
	enum profile_state state, to;
	bool known = profile_state_find(s->state, &state), over;

	if (!dp_actor_owns(&c->in.actor, s->operator_id))
		return REFUSE(ICCID_FOREIGN);
	if (!known || state == STATE_downloaded || state == STATE_installed)
		return REFUSE(ORDER_DOWNLOADED);
	over = !s->pending || !profile_move_find(state, c->end.event, &to);
	if (over && !s->cancelled)
		return REFUSE(ORDER_NOT_CANCELLABLE);
	if (s->eid.p && !c->call.eid.p && !c->in.administrator)
		return REFUSE(ORDER_EID_MISSING);
	if (c->call.eid.p && !slice_eq(s->eid, c->call.eid))
		return REFUSE(ORDER_EID_DIFFERS);
	if (s->matching_id.n && !c->in.matching_id.p && !c->in.administrator)
		return REFUSE(MATCHING_ID_MISSING);
	if (c->in.matching_id.p && !slice_eq(s->matching_id, c->in.matching_id))
		return REFUSE(MATCHING_ID_DIFFERS);
	if (over)
		return REFUSE(ORDER_NOT_CANCELLABLE);
	return c->in.available && s->package_out ? REFUSE(ORDER_PACKAGE_OUT) : NULL;
}

static const struct step *
explain(struct task *t)
{
	struct dp_cancel_order *c = t->state;
	const struct refusal *no = t->got == R_NONE ? REFUSE(ICCID_UNKNOWN) : find_reason(c);

	/* Backward, once: the order changed while we asked. */
	if (c->tries++ == 0 && (!no || no == REFUSE(ORDER_NOT_CANCELLABLE)))
		GO(cancel);
	return no ? task_refuse(t, no) : task_trouble(t, T_BUSY);
}
