/*
 * DownloadOrder (SGP.22 §5.3.1): a profile in stock is reserved, by its ICCID or as any of its type, for
 * an eUICC or for whoever brings the MatchingID. It is the first call of an order; ConfirmOrder follows.
 */
#include "dp/functions.h"
#include "dp/orders.h"

/* clang-format off */
#define STEPS(S) \
	S(find_stock) /* what was named, and a number for the order */ \
	S(check)      /* are both known, do they fit                */ \
	S(reserve)    /* the profile moves, the order is placed     */ \
	S(answer)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_download_order = { "DownloadOrder", THEN(find_stock), NULL, steps,
	DP_DEADLINE_MS, DP_ARENA, sizeof(struct dp_download_order) };

static const struct step *
find_stock(struct task *t)
{
	struct dp_download_order *c = t->state;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	if (!c->call.iccid.p && !c->in.type_name.p)
		return task_refuse(t, REFUSE(ORDER_MEMBER_MISSING));
	return store_order_prepare(t, c->call.dp->store, c->call.iccid, c->in.type_name,
		c->in.actor.call.operator_id, c->in.operator_name, c->in.reusable, &c->prepared,
		THEN(check));
}

static const struct step *
check(struct task *t)
{
	struct dp_download_order *c = t->state;
	const struct store_prepared *found = &c->prepared;

	if (c->call.iccid.p && found->iccid_type_id == STORE_NULL)
		return task_refuse(t, REFUSE(ICCID_UNKNOWN));
	if (c->call.iccid.p && !dp_actor_owns(&c->in.actor, found->iccid_operator_id))
		return task_refuse(t, REFUSE(ICCID_FOREIGN));
	if (c->in.type_name.p && found->operator_id == STORE_NULL)
		return task_refuse(t, REFUSE(OPERATOR_UNKNOWN));
	if (c->in.type_name.p && found->type_id == STORE_NULL)
		return task_refuse(t,
			found->type_foreign && c->in.actor.call.operator_id ? REFUSE(TYPE_FOREIGN)
									    : REFUSE(TYPE_UNKNOWN));
	if (c->call.iccid.p && c->in.type_name.p && found->type_id != found->iccid_type_id)
		return task_refuse(t, REFUSE(TYPE_DIFFERS));
	if (c->in.reusable && !c->call.world->settings.reusable_orders)
		return task_refuse(t, REFUSE(REUSABLE_OFF));
	if (c->in.reusable && c->call.iccid.p && !found->iccid_test)
		return task_refuse(t, REFUSE(REUSABLE_OPERATIONAL));
	GO(reserve);
}

static int64_t
lifetime_of(const struct dp_download_order *c)
{
	int64_t configured = c->in.reusable ? 0 : c->call.world->settings.order_lifetime;

	if (c->in.lifetime)
		return c->in.lifetime;
	return configured ? configured : STORE_NULL;
}

static const struct step *
reserve(struct task *t)
{
	struct dp_download_order *c = t->state;
	struct store_order order = { .order_id = c->prepared.order_id,
		.iccid = c->call.iccid,
		.type_id = c->prepared.type_id,
		.eid = c->call.eid,
		.reusable = c->in.reusable,
		.lifetime = lifetime_of(c),
		.actor = c->in.actor.name,
		.why = c->in.actor.why,
		.call = c->in.actor.call };

	return store_order_create(t, c->call.dp->store, &order, &c->out, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	struct dp_download_order *c = t->state;

	if (t->got == R_CONFLICT) {
		/* Backward, once: the same call may just have been done beside us; now it shows. */
		if (c->tries++ == 0)
			GO(reserve);
		if (c->call.iccid.p)
			return task_refuse(t, REFUSE(ICCID_NOT_AVAILABLE));
		return task_refuse(t,
			c->prepared.type_operational ? REFUSE(REUSABLE_OPERATIONAL)
						     : REFUSE(TYPE_EXHAUSTED));
	}
	c->call.iccid = c->out.iccid;
	c->call.order_id = c->out.order_id;
	FINISH;
}
