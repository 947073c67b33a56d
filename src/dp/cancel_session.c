/*
 * CancelSession (SGP.22 §5.6.5; §3.1.3.1): the user or the LPA gives up. Postponed and timeout leave the
 * order downloadable, every other reason ends it. What comes from an older session, from another EID,
 * or after the installation succeeds and moves nothing (RULES 2).
 */
#include "dp/functions.h"
#include "profile/life.h"

/* clang-format off */
#define STEPS(S) \
	S(verify_transaction) /* ours                                   */ \
	S(find_session) \
	S(verify_euicc)       /* signature and smdpOid                  */ \
	S(record)             /* the session ends, the profile may move */ \
	S(answer)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_cancel_session = { "CancelSession", THEN(verify_transaction), NULL, steps,
	DP_DEADLINE_MS, DP_ARENA, sizeof(struct dp_cancel_session) };

/* CancelSessionReason of SGP.22 v2, and what cancelSessionResponseError says of the transaction. */
enum { REASON_POSTPONED = 1, REASON_TIMEOUT = 2, ERROR_INVALID_TRANSACTION = 5 };

static const struct step *
verify_transaction(struct task *t)
{
	struct dp_cancel_session *c = t->state;
	struct crypto_token_facts facts;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	if (crypto_token_check(c->call.world->ring, c->call.transaction_id, 0, &facts) != TOKEN_OK)
		return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
	if (!codec_cancel_response_read(
		    t->mem, c->in.cancel_session_response, &c->response, &c->call.note))
		return task_refuse(t, REFUSE(MEMBER_INVALID));
	dp_leniencies_count(c->response.leniencies);
	if (c->response.ok && !slice_eq(c->response.transaction_id, c->call.transaction_id))
		return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
	GO(find_session);
}

static const struct step *
find_session(struct task *t)
{
	struct dp_cancel_session *c = t->state;

	return store_session_find(
		t, c->call.dp->store, c->call.transaction_id, &c->session, THEN(verify_euicc));
}

static const struct step *
verify_euicc(struct task *t)
{
	struct dp_cancel_session *c = t->state;
	struct crypto_public key;

	if (t->got == R_NONE)
		return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
	dp_eid_set(t, c->session.eid);
	c->call.iccid = c->session.iccid;
	c->call.order_id = c->session.order_id == STORE_NULL ? 0 : c->session.order_id;
	if (!c->response.ok) {
		c->call.note =
			arena_printf(t->mem, "cancelSessionResponseError %d", c->response.error);
		return task_refuse(t,
			c->response.error == ERROR_INVALID_TRANSACTION
				? REFUSE(TRANSACTION_UNKNOWN)
				: REFUSE(EUICC_REPORTS_ERROR));
	}
	if (!crypto_public_init(&key, c->session.euicc_curve, c->session.euicc_point) ||
		!crypto_verify(&key, &c->response.signed_part, 1, c->response.signature))
		return task_refuse(t, REFUSE(EUICC_SIGNATURE));
	c->call.proved = true;
	if (!slice_eq(c->response.smdp_oid_text, c->session.smdp_oid))
		return task_refuse(t, REFUSE(OID_MISMATCH));
	GO(record);
}

/* What ES2+ calls a reason (§5.3.5, codes of §5.2.6); what is not known is undefinedReason. */
static struct store_codes
codes_of(int reason)
{
	static const struct {
		int reason;
		const char *subject, *code;
	} known[] = { { 0, "8.8.5", "3.8" }, { 3, "8.2.8", "1.2" }, { 4, "8.2.9", "3.11" },
		{ 5, "8.2.10", "4.2" } };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].reason == reason)
			return (struct store_codes){ slice_text(known[i].subject),
				slice_text(known[i].code) };
	return (struct store_codes){ SLICE_LIT("8"), SLICE_LIT("4.2") };
}

static const struct step *
record(struct task *t)
{
	struct dp_cancel_session *c = t->state;
	bool later = c->response.reason == REASON_POSTPONED || c->response.reason == REASON_TIMEOUT;
	const char *why = arena_printf(t->mem, "cancelSessionReason %d", c->response.reason);
	struct store_codes codes = codes_of(c->response.reason);

	c->call.note = why;
	return store_session_cancel(t, c->call.dp->store, c->call.transaction_id,
		slice_text(profile_event_name(later ? EVENT_postpone : EVENT_reject)),
		SLICE_LIT("SESSION_CANCELLED"), slice_text(why), &codes, &c->cancellation,
		THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	(void)t;
	FINISH;
}
