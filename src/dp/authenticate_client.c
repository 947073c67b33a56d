/*
 * AuthenticateClient (SGP.22 §5.6.3; §3.1.2 step 16, §3.1.3 steps 2 to 6): the eUICC proves itself, its
 * order is found and judged, the metadata is announced. No statement is sent before the signature, the
 * transaction and the challenge hold (RULES 1.3). The first call of a transaction wins (RULES 1.4).
 */
#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "codec/metadata.h"
#include "codec/server.h"
#include "dp/denied.h"
#include "dp/eligibility.h"
#include "dp/functions.h"
#include "dp/matching_id.h"
#include "dp/personalise.h"
#include "keys/keys.h"
#include "profile/fit.h"
#include "profile/life.h"
#include "stats/stats.h"

/* clang-format off */
#define STEPS(S) \
	S(verify_transaction) /* ours, and not too old                            */ \
	S(verify_chain)       /* CI, EUM, eUICC                                   */ \
	S(verify_euicc)       /* signature, transaction and challenge             */ \
	S(check_denied)       /* may it be served at all                          */ \
	S(find_order)         /* was it answered before; which order is it about  */ \
	S(judge_order)        /* §5.6.3: EID, state, lifetime, attempts, Annex F  */ \
	S(sign)               /* smdpSigned2                                      */ \
	S(record)             /* the session, the attempt, perhaps a move: once   */ \
	S(answer)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_authenticate_client = { "AuthenticateClient", THEN(verify_transaction),
	NULL, steps, DP_DEADLINE_MS, DP_ARENA, sizeof(struct dp_authenticate_client) };

static int64_t
now_seconds(void)
{
	return clock_wall_us() / 1000000;
}

static const struct step *
verify_transaction(struct task *t)
{
	struct dp_authenticate_client *c = t->state;
	struct crypto_token_facts facts;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world || !c->call.dp->denied)
		return task_trouble(t, T_BUSY);
	if (crypto_token_check(
		    c->call.world->ring, c->call.transaction_id, now_seconds(), &facts) != TOKEN_OK)
		return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
	c->set = dp_set_find(c->call.world, facts.set);
	if (!c->set)
		return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
	if (!codec_authenticate_response_read(
		    t->mem, c->in.authenticate_server_response, &c->response, &c->call.note))
		return task_refuse(t, REFUSE(MEMBER_INVALID));
	dp_leniencies_count(c->response.leniencies);
	if (!c->response.ok) {
		c->call.note = arena_printf(t->mem, "authenticateErrorCode %d", c->response.error);
		return task_refuse(t, REFUSE(EUICC_REPORTS_ERROR));
	}
	crypto_sha256(&c->in.authenticate_server_response, 1, c->request_sha256);
	GO(verify_chain);
}

static const struct step *
verify_chain(struct task *t)
{
	static const struct dp_refusal *const refusals[] = {
		[CHAIN_CI_UNKNOWN] = &DP_CI_UNKNOWN,
		[CHAIN_EUM_INVALID] = &DP_EUM_INVALID,
		[CHAIN_EUM_EXPIRED] = &DP_EUM_EXPIRED,
		[CHAIN_EUICC_INVALID] = &DP_EUICC_INVALID,
		[CHAIN_EUICC_EXPIRED] = &DP_EUICC_EXPIRED,
	};
	struct dp_authenticate_client *c = t->state;
	enum crypto_chain found = crypto_chain_euicc_verify(c->call.world->trust, now_seconds(),
		c->response.eum_certificate, c->response.euicc_certificate,
		SLICE_ARRAY(c->set->ci_id), &c->euicc, &c->call.note);

	if (found != CHAIN_OK)
		return task_refuse(t, &refusals[found]->base);
	c->call.note = NULL;
	dp_eid_set(t, slice_text(c->euicc.eid));
	GO(verify_euicc);
}

static struct slice
hex_or_absent(struct task *t, struct slice octets)
{
	return octets.p ? text_hex(t->mem, octets) : SLICE_NONE;
}

static const struct step *
verify_euicc(struct task *t)
{
	struct dp_authenticate_client *c = t->state;
	uint8_t challenge[CRYPTO_CHALLENGE_SIZE];

	if (!crypto_verify(&c->euicc.key, &c->response.signed1, 1, c->response.signature))
		return task_refuse(t, REFUSE(EUICC_SIGNATURE));
	if (!slice_eq(c->response.transaction_id, c->call.transaction_id))
		return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
	/* The challenge covers the SVN and the address of InitiateAuthentication: a change shows here. */
	if (!crypto_token_challenge(c->call.world->ring, c->call.transaction_id,
		    c->response.info2.svn, c->response.server_address, challenge) ||
		!secret_eq(SLICE_ARRAY(challenge), c->response.server_challenge))
		return task_refuse(t, REFUSE(EUICC_SIGNATURE));
	if (c->response.matching_id.p &&
		slice_trim(c->response.matching_id).n != c->response.matching_id.n)
		stats_add(STATS_lenient_matching_id);
	c->call.proved = true;
	c->call.tac = hex_or_absent(t, c->response.device.tac);
	c->call.imei = hex_or_absent(t, c->response.device.imei);
	GO(check_denied);
}

/*
 * Absent, empty and blank mean "by EID". What no order can have (§4.1: octets that are no text, `$`)
 * becomes a MatchingID that none has, for the database takes text only.
 */
static struct slice
matching_id(const struct dp_authenticate_client *c)
{
	struct slice given = slice_trim(c->response.matching_id);

	return dp_matching_id_usable(given) ? given : SLICE_LIT("$");
}

/*
 * The deny-lists (docs/lists.md), in memory. Only who has proved itself learns that it is denied: others
 * could ask for any eUICC.
 */
static const struct step *
check_denied(struct task *t)
{
	struct dp_authenticate_client *c = t->state;
	const struct dp_refusal *no;
	int64_t entry;

	no = dp_denied_peer(c->call.dp->denied, c->response.eum_certificate,
		c->response.euicc_certificate, c->response.info2.firmware, &entry);
	if (!no)
		GO(find_order);
	c->call.note = arena_printf(t->mem, "entry %lld of the deny-lists", (long long)entry);
	c->call.matching_id = matching_id(c).n ? matching_id(c) : SLICE_LIT("");
	return task_refuse(t, &no->base);
}

/* What decides between the variants of a profile type. */
static struct store_abilities
abilities(const struct codec_euicc_info2 *euicc)
{
	const struct profile_need all = { 0, UINT32_MAX };
	const uint8_t *v = euicc->profile_version;
	struct store_abilities can = { v[0] * 256 + v[1],
		(int64_t)~profile_services_missing(&all, euicc) };

	for (size_t i = 0; i < euicc->more_profile_version_count; i++) {
		v = euicc->more_profile_versions[i];
		if (v[0] * 256 + v[1] > can.saip_version)
			can.saip_version = v[0] * 256 + v[1];
	}
	return can;
}

static const struct step *
find_order(struct task *t)
{
	struct dp_authenticate_client *c = t->state;

	struct store_abilities can = abilities(&c->response.info2);

	return store_session_admit(t, c->call.dp->store, c->call.transaction_id, matching_id(c),
		c->call.eid, c->set->number, &can, &c->admission, THEN(judge_order));
}

/* RULES 1.4: the same call again gets the same answer; another one is none of this transaction. */
static const struct step *
answer_again(struct task *t)
{
	struct dp_authenticate_client *c = t->state;
	const struct store_admission *a = &c->admission;

	if (!slice_eq(a->seen_sha256, SLICE_ARRAY(c->request_sha256)))
		return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
	c->call.note = "repeated";
	/* A refusal of a later call does not change what this one was answered. */
	if (a->seen_refusal.p && !a->seen_signature2.p) {
		c->refused = dp_refusal_find(a->seen_refusal);
		return task_refuse(t, c->refused ? &c->refused->base : REFUSE(TRANSACTION_UNKNOWN));
	}
	c->session.metadata = a->seen_metadata;
	c->session.otpk = a->seen_otpk;
	c->session.code_required = a->seen_code_required;
	c->signature = a->seen_signature2;
	GO(answer);
}

/* §5.6.3: which order, for whom, in which state. NULL: it may be downloaded. */
static const struct dp_refusal *
order_refusal(const struct dp_authenticate_client *c)
{
	const struct store_admission *a = &c->admission;
	const struct dp_refusal *ended = dp_refusal_find(a->error);
	bool named = matching_id(c).n > 0;
	enum profile_state state;

	if (a->order_id == STORE_NULL)
		return named ? &DP_MATCHING_ID_REFUSED : &DP_EID_REFUSED;
	/* Anybody can make an eUICC of a test CI, with any EID: its call moves nothing. */
	if (dp_ci_is_test(c->call.world, SLICE_ARRAY(c->euicc.ci_id)) && !a->test_ci)
		return &DP_CI_TEST;
	if (a->order_eid.p && !slice_eq(a->order_eid, c->call.eid))
		return &DP_EID_REFUSED;
	if (!profile_state_find(a->state, &state))
		return &DP_PROFILE_NOT_RELEASED;
	if (state == STATE_error && (ended == &DP_ORDER_EXPIRED || ended == &DP_ATTEMPTS_EXCEEDED))
		return ended;
	if ((state != STATE_released && state != STATE_downloaded) || a->frozen ||
		(a->reusable && !c->call.world->settings.reusable_orders))
		return &DP_PROFILE_NOT_RELEASED;
	/* Downloaded never expires: the package may be on the card already. */
	if (a->expired && state == STATE_released)
		return &DP_ORDER_EXPIRED;
	return NULL;
}

/* §3.1.3 step 4: attempts and eligibility; these end the order, `event` moves its profile. */
static const struct dp_refusal *
download_refusal(struct task *t, const char **event, const char **why)
{
	struct dp_authenticate_client *c = t->state;
	const struct store_admission *a = &c->admission;
	struct codec_metadata metadata;
	struct dp_profile_needs needs = { a->saip_version, a->services, a->upp_octets, 0 };

	if (a->download_attempts >= c->call.world->settings.download_attempts) {
		*event = profile_event_name(EVENT_exceed_attempts);
		*why = "too many download attempts";
		return &DP_ATTEMPTS_EXCEEDED;
	}
	if (codec_store_metadata_read(t->mem, a->metadata, &metadata, why))
		needs.rules = metadata.rules;
	*event = profile_event_name(EVENT_fail_eligibility);
	return dp_eligible(t->mem, &needs, &c->response.info2, why);
}

static const struct step *
judge_order(struct task *t)
{
	struct dp_authenticate_client *c = t->state;
	const struct store_admission *a = &c->admission;
	const char *event = NULL, *why = NULL;

	if (a->seen)
		return answer_again(t);
	c->session = (struct store_new_session){
		.transaction_id = c->call.transaction_id,
		.eid = c->call.eid,
		.smdp_oid = slice_text(c->set->credential->facts.oid_text),
		.request_sha256 = SLICE_ARRAY(c->request_sha256),
		.credential_set = c->set->number,
		.euicc_key = &c->euicc.key,
		.order_id = STORE_NULL,
		.template_id = a->template_id,
		.tac = c->call.tac,
		.imei = c->call.imei,
		.peer = c->in.peer,
	};
	if (a->order_id != STORE_NULL) {
		c->call.order_id = a->order_id;
		c->call.iccid = a->iccid;
	}
	c->refused = order_refusal(c);
	if (!c->refused) {
		c->session.order_id = a->order_id;
		c->session.state = a->state;
		c->session.download_attempts = a->download_attempts;
		c->refused = download_refusal(t, &event, &why);
	}
	if (c->refused) {
		c->call.note = why;
		c->session.refusal = slice_text(c->refused->base.name);
		c->session.event = slice_text(c->session.order_id == STORE_NULL ? NULL : event);
		c->session.why = slice_text(why);
		c->session.subject = slice_text(c->refused->subject);
		c->session.reason = slice_text(c->refused->reason);
		GO(record);
	}
	c->session.metadata = a->metadata;
	if (a->template_id != STORE_NULL)
		c->session.metadata = dp_metadata_of(t->mem, a->metadata, a->iccid);
	c->session.code_required = a->code_required;
	c->session.otpk = a->otpk;
	GO(sign);
}

static struct slice
signed2_write(struct task *t)
{
	struct dp_authenticate_client *c = t->state;

	return codec_smdp_signed2_write(t->mem,
		&(struct codec_smdp_signed2){ .transaction_id = c->call.transaction_id,
			.cc_required = c->session.code_required,
			.euicc_otpk = c->session.otpk });
}

static const struct step *
sign(struct task *t)
{
	struct dp_authenticate_client *c = t->state;
	struct slice parts[] = { signed2_write(t), c->response.signature_tlv };

	return keys_sign(t, c->set->credential->pb_key, KEYS_VERIFIED, parts, 2, &c->signature,
		THEN(record));
}

static const struct step *
record(struct task *t)
{
	struct dp_authenticate_client *c = t->state;

	c->session.smdp_signature2 = c->signature;
	return store_session_record(t, c->call.dp->store, &c->session, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	struct dp_authenticate_client *c = t->state;

	/* Backwards: the order moved, or this very call was recorded by another connection. */
	if (t->got == R_CONFLICT) {
		t->got = R_OK;
		return ++c->tries < DP_TRIES ? THEN(find_order) : task_trouble(t, T_BUSY);
	}
	/* The session of an order tells of its own end. */
	c->call.recorded = c->session.order_id != STORE_NULL;
	if (c->refused)
		return task_refuse(t, &c->refused->base);
	c->out.profile_metadata = c->session.metadata;
	c->out.smdp_signed2 = signed2_write(t);
	c->out.smdp_signature2 = codec_signature_write(t->mem, c->signature);
	c->out.smdp_certificate = c->set->credential->pb;
	FINISH;
}
