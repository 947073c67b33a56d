/*
 * HandleNotification (SGP.22 §5.6.4; §3.1.3.3 steps 7 to 10, §3.5): what the eUICC reports, signed by it.
 * Verified, committed, acknowledged; what is not accepted is counted, logged and acknowledged all the
 * same, for an LPA deletes what was acknowledged and repeats the rest for ever (RULES 3). Only what cannot
 * be judged yet, for want of a cluster key or the database, is 503.
 */
#include "base/clock.h"
#include "base/text.h"
#include "dp/functions.h"
#include "profile/life.h"
#include "stats/stats.h"
#include "store/notification.h"

/* clang-format off */
#define STEPS(S) \
	S(read_members)   /* a result of an installation, or another notification */ \
	S(find_session)   /* result: the session that it ends                     */ \
	S(verify_result)  /* … signed by that session's eUICC                     */ \
	S(record_result)  /* … Installed, Released or Error: once                 */ \
	S(check_recorded) /* … it was, or must be looked at again                 */ \
	S(verify_chain)   /* other: the certificates it brings, its signature     */ \
	S(record)         /* … kept, whatever its order of arrival                */ \
	S(apply)          /* what was kept, by sequence number                    */ \
	S(answer)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_handle_notification = { "HandleNotification", THEN(read_members), NULL,
	steps, DP_DEADLINE_MS, DP_ARENA, sizeof(struct dp_handle_notification) };

static const char *const operations[] = {
	[CODEC_INSTALL] = "install",
	[CODEC_ENABLE] = "enable",
	[CODEC_DISABLE] = "disable",
	[CODEC_DELETE] = "delete",
};

/* Octets of a notification that is worth keeping; two certificates and little more are in it. */
enum { EVIDENCE_MAX = 8192 };

/* SGP.22 §2.5.6, ErrorReason. */
enum error_reason {
	INVALID_SIGNATURE = 2,
	INVALID_TRANSACTION_ID = 3,
	ICCID_ALREADY_EXISTS = 9,
	INSUFFICIENT_MEMORY = 10,
	INTERRUPTION = 11,
	UNKNOWN_ERROR = 127,
};

static const struct step *
ignore(struct task *t, enum stats_name counter, const char *why)
{
	struct dp_handle_notification *c = t->state;

	stats_add(counter);
	c->call.note = why;
	c->call.ignored = true;
	GO(answer);
}

/*
 * Perhaps begun under a former cluster key, which was taken out too early or is lost: who cannot judge
 * the result must not acknowledge it (RULES 3). The LPA keeps it until the key is back.
 */
static const struct step *
wait_for_key(struct task *t)
{
	struct dp_handle_notification *c = t->state;

	stats_add(STATS_notification_key_unknown);
	c->call.note = "cluster-key-unknown";
	return task_trouble(t, T_BUSY);
}

static const struct step *
read_members(struct task *t)
{
	struct dp_handle_notification *c = t->state;
	struct crypto_token_facts facts;
	const char *why;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	if (!codec_pending_notification_read(
		    t->mem, c->in.pending_notification, &c->notification, &why))
		return ignore(t, STATS_notification_undecodable, why);
	dp_leniencies_count(c->notification.leniencies);
	if (text_bcd_to_iccid(c->notification.iccid, c->iccid))
		c->call.iccid = slice_text(c->iccid);
	if (c->notification.kind == CODEC_OTHER_NOTIFICATION) {
		if (c->in.pending_notification.n > EVIDENCE_MAX)
			return ignore(t, STATS_notification_undecodable, "too-long");
		GO(verify_chain);
	}
	c->call.transaction_id = c->notification.transaction_id;
	/* No age: a result may come weeks after the download. */
	switch (crypto_token_check(c->call.world->ring, c->call.transaction_id, 0, &facts)) {
	case TOKEN_OK:
		GO(find_session);
	case TOKEN_KEY_UNKNOWN:
		return wait_for_key(t);
	default:
		return ignore(t, STATS_notification_unknown, "unknown-transaction");
	}
}

static const struct step *
find_session(struct task *t)
{
	struct dp_handle_notification *c = t->state;

	return store_session_find(
		t, c->call.dp->store, c->call.transaction_id, &c->session, THEN(verify_result));
}

static const struct step *
verify_result(struct task *t)
{
	struct dp_handle_notification *c = t->state;
	const struct codec_notification *n = &c->notification;
	struct crypto_public key;

	if (t->got == R_NONE || c->session.order_id == STORE_NULL)
		return ignore(t, STATS_notification_unknown, "unknown-transaction");
	dp_eid_set(t, c->session.eid);
	c->call.iccid = c->session.iccid;
	c->call.order_id = c->session.order_id;
	if (!crypto_public_init(&key, c->session.euicc_curve, c->session.euicc_point) ||
		!crypto_verify(&key, &n->signed_part, 1, n->signature))
		return ignore(t, STATS_notification_unproven, "wrong-signature");
	if (!slice_eq(n->smdp_oid_text, c->session.smdp_oid))
		return ignore(t, STATS_notification_unproven, "wrong-smdp-oid");
	/* §5.3: nobody installs what was never handed out. */
	if (!c->session.packed)
		return ignore(t, STATS_notification_unknown, "no-package");
	/* A success wins over the failure that its own session reported first. */
	if (slice_eq(c->session.result, SLICE_LIT("installed")) ||
		(c->session.result.p && !n->installed))
		return ignore(t, STATS_notification_repeated, "repeated");
	GO(record_result);
}

/* The database takes text; what is none stands in the evidence. */
static struct slice
address_of(const struct codec_notification *n)
{
	return text_is_printable(n->address) ? n->address : SLICE_LIT("");
}

/* RULES 2: reasons that may pass leave the order downloadable while its retry budget lasts. */
static enum profile_event
failure_event(const struct dp_handle_notification *c)
{
	switch (c->notification.reason) {
	case INVALID_SIGNATURE:
	case INVALID_TRANSACTION_ID:
	case INSUFFICIENT_MEMORY:
	case INTERRUPTION:
	case UNKNOWN_ERROR:
		return c->session.download_attempts < c->call.world->settings.download_attempts
			? EVENT_fail_install_retry
			: EVENT_fail_install;
	default:
		return EVENT_fail_install;
	}
}

static const struct step *
record_result(struct task *t)
{
	struct dp_handle_notification *c = t->state;
	const struct codec_notification *n = &c->notification;
	struct store_result result = { .transaction_id = c->call.transaction_id,
		.installed = n->installed,
		.disproved = !n->installed && n->reason != ICCID_ALREADY_EXISTS,
		.event = slice_text(
			profile_event_name(n->installed ? EVENT_install : failure_event(c))),
		.error = SLICE_LIT("INSTALLATION_FAILED"),
		.why = slice_text(n->installed
				? ""
				: arena_printf(t->mem, "bppCommandId %d errorReason %d", n->command,
					  n->reason)),
		.sequence = n->sequence,
		.address = address_of(n),
		.evidence = c->in.pending_notification };

	if (n->sima_response.p)
		result.result_data = text_base64(t->mem, n->sima_response);
	c->call.note = n->installed ? "installed" : (const char *)result.why.p;
	return store_notification_record_result(
		t, c->call.dp->store, &result, THEN(check_recorded));
}

static const struct step *
check_recorded(struct task *t)
{
	struct dp_handle_notification *c = t->state;

	/* Backwards: it was heard beside us, or the profile was ordered again at this moment. */
	if (t->got == R_CONFLICT)
		return ++c->tries < DP_TRIES ? THEN(find_session) : task_trouble(t, T_BUSY);
	if (c->notification.installed && c->session.waiting)
		GO(apply);
	GO(answer);
}

static const struct step *
verify_chain(struct task *t)
{
	struct dp_handle_notification *c = t->state;
	const struct codec_notification *n = &c->notification;
	const char *why;

	if (crypto_chain_euicc_verify(c->call.world->trust, clock_wall_us() / 1000000,
		    n->eum_certificate, n->euicc_certificate, SLICE_NONE, &c->euicc,
		    &why) != CHAIN_OK)
		return ignore(t, STATS_notification_unproven, why);
	dp_eid_set(t, slice_text(c->euicc.eid));
	if (!crypto_verify(&c->euicc.key, &n->signed_part, 1, n->signature))
		return ignore(t, STATS_notification_unproven, "wrong-signature");
	GO(record);
}

static const struct step *
record(struct task *t)
{
	struct dp_handle_notification *c = t->state;
	const struct codec_notification *n = &c->notification;
	struct store_notification kept = { .eid = c->call.eid,
		.operation = slice_text(operations[n->operation]),
		.iccid = c->call.iccid.p ? c->call.iccid : SLICE_LIT(""),
		.address = address_of(n),
		.evidence = c->in.pending_notification,
		.sequence = n->sequence,
		.test_ci = dp_ci_is_test(c->call.world, SLICE_ARRAY(c->euicc.ci_id)) };

	c->call.note = operations[n->operation];
	return store_notification_record(t, c->call.dp->store, &kept, THEN(apply));
}

static const struct step *
apply(struct task *t)
{
	struct dp_handle_notification *c = t->state;
	struct store_applied *applied = ARENA_NEW(t->mem, struct store_applied);

	if (!c->call.iccid.p)
		GO(answer);
	/* A repeat is applied too: the first may have been cut off between the two statements. */
	return store_notification_apply(
		t, c->call.dp->store, c->call.eid, c->call.iccid, applied, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	(void)t;
	FINISH;
}
