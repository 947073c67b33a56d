/*
 * ConfirmOrder (SGP.22 §5.3.2): the order gets its MatchingID, perhaps a Confirmation Code and an EID,
 * and may be released in the same breath. The statement decides; when it will not, the order is looked
 * at to say why (codes: ES2+ ConfirmOrder, table of §5.3.2).
 */
#include "crypto/digest.h"
#include "dp/functions.h"
#include "dp/matching_id.h"
#include "dp/orders.h"

/* clang-format off */
#define STEPS(S) \
	S(check)   /* is the MatchingID usable; make one if none was given */ \
	S(confirm) /* the profile moves, the order is settled              */ \
	S(answer)  /* or find out why not                                  */ \
	S(explain)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_confirm_order = { "ConfirmOrder", THEN(check), NULL, steps,
	DP_DEADLINE_MS, DP_ARENA, sizeof(struct dp_confirm_order) };

/* Only the code's hash is kept, §3.1.3.2. */
static struct slice
hash_code(struct task *t, struct slice code)
{
	uint8_t *hash = arena_alloc(t->mem, CRYPTO_SHA256_SIZE);

	crypto_sha256(&code, 1, hash);
	return slice_of(hash, CRYPTO_SHA256_SIZE);
}

static const struct step *
check(struct task *t)
{
	struct dp_confirm_order *c = t->state;
	struct slice given = c->in.matching_id, code;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	c->smdp_address = c->call.world->settings.address;
	if (!dp_matching_id_usable(given))
		return task_refuse(t, REFUSE(MATCHING_ID_INVALID));
	if (c->in.smds_address.p)
		return task_refuse(t, REFUSE(SMDS_UNREACHABLE));
	c->confirmation = (struct store_confirmation){ .iccid = c->call.iccid,
		.eid = c->call.eid,
		.matching_id = given.p ? given : dp_matching_id_new(t->mem),
		.chosen = given.p != NULL,
		.cc_sha256 = c->in.confirmation_code.n ? hash_code(t, c->in.confirmation_code)
						       : SLICE_NONE,
		.release = c->in.release,
		.actor = c->in.actor.name,
		.why = c->in.actor.why,
		.call = c->in.actor.call };
	if (!dp_activation_code_write(t->mem, c->call.world->settings.address,
		    c->confirmation.matching_id, SLICE_NONE, true, &code))
		return task_refuse(t, REFUSE(MATCHING_ID_INVALID));
	GO(confirm);
}

static const struct step *
confirm(struct task *t)
{
	struct dp_confirm_order *c = t->state;

	return store_order_confirm(t, c->call.dp->store, &c->confirmation, &c->out, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	struct dp_confirm_order *c = t->state;

	if (t->got == R_CONFLICT)
		return store_order_standing_find(t, c->call.dp->store, c->call.iccid,
			c->confirmation.matching_id, &c->standing, THEN(explain));
	c->call.order_id = c->out.order_id;
	FINISH;
}

static const struct step *
explain(struct task *t)
{
	struct dp_confirm_order *c = t->state;
	const struct store_standing *s = &c->standing;
	enum profile_state state, to;

	if (t->got == R_NONE)
		return task_refuse(t, REFUSE(ICCID_UNKNOWN));
	if (!dp_actor_owns(&c->in.actor, s->operator_id))
		return task_refuse(t, REFUSE(ICCID_FOREIGN));
	if (!s->pending || !profile_state_find(s->state, &state) ||
		!profile_move_find(state, EVENT_confirm_order, &to)) {
		/* Backward, once: the same call may just have been done beside us; now it shows. */
		if (c->tries++ == 0)
			GO(confirm);
		return task_refuse(t, REFUSE(ORDER_NOT_CONFIRMABLE));
	}
	if (s->eid.p && c->call.eid.p && !slice_eq(s->eid, c->call.eid))
		return task_refuse(t, REFUSE(ORDER_EID_DIFFERS));
	if (!c->confirmation.matching_id.n && !s->eid.p && !c->call.eid.p)
		return task_refuse(t, REFUSE(ORDER_EID_MISSING));
	if (s->taken)
		return task_refuse(t, REFUSE(MATCHING_ID_TAKEN));
	return task_trouble(t, T_BUSY); /* it changed again meanwhile */
}
