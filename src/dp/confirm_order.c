/*
 * ConfirmOrder (SGP.22 §5.3.2): the order gets its MatchingID, perhaps a Confirmation Code and an EID,
 * and may be released in the same breath. With an SM-DS its event is registered there first (§5.9.1), under a
 * MatchingID that is reserved meanwhile. The statement decides; when it will not, the order is looked
 * at to say why (codes: ES2+ ConfirmOrder, table of §5.3.2).
 */
#include "base/rand.h"
#include "crypto/digest.h"
#include "dp/functions.h"
#include "dp/matching_id.h"
#include "dp/orders.h"

/* clang-format off */
#define STEPS(S) \
	S(check)          /* is the MatchingID usable; make one if none was given  */ \
	S(reserve)        /* with an SM-DS: the MatchingID is fixed, nothing moves */ \
	S(register_event) /* ES12                                                  */ \
	S(judge_event)                                                                \
	S(confirm)        /* the profile moves, the order is settled               */ \
	S(answer)         /* or find out why not                                   */ \
	S(explain)                                                                    \
	S(take_back)      /* the reservation and the event, when there is any      */ \
	S(refuse)
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
	if (c->in.smds_address.p) {
		c->smds = peer_es12_known(t, c->call.dp->peer, c->in.smds_address);
		if (!c->smds.p)
			return task_refuse(t, REFUSE(SMDS_UNREACHABLE));
	}
	if (c->in.smds_address.p && given.p && !given.n)
		return task_refuse(t, REFUSE(MATCHING_ID_INVALID));
	c->confirmation = (struct store_confirmation){ .iccid = c->call.iccid,
		.eid = c->call.eid,
		.matching_id = given.p ? given : dp_matching_id_new(t->mem),
		.chosen = given.p != NULL,
		.cc_sha256 = c->in.confirmation_code.n ? hash_code(t, c->in.confirmation_code)
						       : SLICE_NONE,
		.release = c->in.release,
		.smds = c->smds,
		.actor = c->in.actor.name,
		.why = c->in.actor.why,
		.call = c->in.actor.call };
	if (!dp_activation_code_write(t->mem, c->call.world->settings.address,
		    c->confirmation.matching_id, SLICE_NONE, true, &code))
		return task_refuse(t, REFUSE(MATCHING_ID_INVALID));
	if (c->in.smds_address.p)
		GO(reserve);
	GO(confirm);
}

static const struct step *
reserve(struct task *t)
{
	struct dp_confirm_order *c = t->state;

	return store_order_reserve(t, c->call.dp->store,
		&(struct store_reservation){ .iccid = c->call.iccid,
			.eid = c->call.eid,
			.matching_id = c->confirmation.matching_id,
			.chosen = c->confirmation.chosen,
			.smds = c->smds,
			.call = c->in.actor.call },
		&c->reserved, THEN(register_event));
}

/*
 * After a conflict nothing is registered, so nothing may be confirmed that was not before. Nor is anything
 * for a call that is remembered: its order may be over, and the profile in another one.
 */
static const struct step *
register_event(struct task *t)
{
	struct dp_confirm_order *c = t->state;

	if (t->got == R_CONFLICT)
		return store_order_standing_find(t, c->call.dp->store, c->call.iccid,
			c->confirmation.matching_id, &c->standing, THEN(explain));
	if (c->reserved.at == STORE_NULL)
		GO(confirm);
	c->registering = true;
	c->confirmation.matching_id = c->reserved.matching_id;
	rand_bytes(c->call_id, sizeof c->call_id);
	return peer_es12_register(t, c->call.dp->peer,
		&(struct peer_es12_event){ .smds = c->smds,
			.eid = c->reserved.eid,
			.event_id = c->reserved.matching_id,
			.call_id = SLICE_ARRAY(c->call_id) },
		&c->reply, THEN(judge_event));
}

/* §5.3.2: 8.9/4.2 when the SM-DS refuses, 8.9/5.1 when it cannot be reached or is none. */
static const struct step *
judge_event(struct task *t)
{
	struct dp_confirm_order *c = t->state;
	const char *wrong = NULL;
	enum peer_es12_outcome outcome = peer_es12_register_judge(t, &c->reply, &wrong);

	if (outcome == PEER_ES12_DONE)
		GO(confirm);
	c->call.note = wrong;
	c->no = outcome == PEER_ES12_REFUSED ? REFUSE(SMDS_REFUSES) : REFUSE(SMDS_UNREACHABLE);
	GO(take_back);
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

static bool
is_confirmable(const struct store_standing *s)
{
	enum profile_state state, to;

	return s->pending && profile_state_find(s->state, &state) &&
		profile_move_find(state, EVENT_confirm_order, &to);
}

/* NULL: nothing speaks against it, or not any more. */
static const struct refusal *
find_reason(const struct dp_confirm_order *c)
{
	const struct store_standing *s = &c->standing;

	if (!dp_actor_owns(&c->in.actor, s->operator_id))
		return REFUSE(ICCID_FOREIGN);
	if (!is_confirmable(s))
		return REFUSE(ORDER_NOT_CONFIRMABLE);
	if (s->eid.p && c->call.eid.p && !slice_eq(s->eid, c->call.eid))
		return REFUSE(ORDER_EID_DIFFERS);
	if ((!c->confirmation.matching_id.n || c->smds.p) && !s->eid.p && !c->call.eid.p)
		return REFUSE(ORDER_EID_MISSING);
	return s->taken ? REFUSE(MATCHING_ID_TAKEN) : NULL;
}

static const struct step *
explain(struct task *t)
{
	struct dp_confirm_order *c = t->state;

	c->no = t->got == R_NONE ? REFUSE(ICCID_UNKNOWN) : find_reason(c);
	/* Backward, once: the same call may just have been done beside us; now it shows. */
	if (c->no == REFUSE(ORDER_NOT_CONFIRMABLE) && c->tries++ == 0)
		GO(confirm);
	GO(take_back);
}

/* An event without an order would stay at the SM-DS for good. */
static const struct step *
take_back(struct task *t)
{
	struct dp_confirm_order *c = t->state;

	if (!c->registering)
		GO(refuse);
	return store_order_unreserve(
		t, c->call.dp->store, &c->reserved, c->smds, &c->unreserved, THEN(refuse));
}

static const struct step *
refuse(struct task *t)
{
	const struct dp_confirm_order *c = t->state;

	return c->no ? task_refuse(t, c->no) : task_trouble(t, T_BUSY);
}
