/*
 * HandleNotification (SGP.32 §5.14.7; §3.7) with a notification of the eUICC, from an IPA that cannot reach the SM-DP+
 * itself. Of this house it is handed over at once, to the same procedure as an LPA's. For another SM-DP+ it is kept and
 * forwarded when an eUICC that is managed here has signed it: nobody's relay to anywhere. Always 204, but for trouble.
 */
#include "base/text.h"
#include "crypto/digest.h"
#include "eim/forward.h"
#include "eim/functions.h"
#include "eim/verify.h"
#include "peer/local.h"
#include "stats/stats.h"

/* clang-format off */
#define STEPS(S) \
	S(read_notification) /* which one, and for whom                        */ \
	S(check_given)       /* … of this house: taken, or to come again       */ \
	S(check_known)       /* other: is its eUICC managed here               */ \
	S(keep)              /* … until its SM-DP+ has it                      */ \
	S(answer)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure eim_handle_notification = { "HandleNotification", THEN(read_notification),
	NULL, steps, EIM_DEADLINE_MS, EIM_ARENA, sizeof(struct eim_handle_notification) };

enum { NO_CONTENT = 204, NOTIFICATION_MAX = 16384 };

static const struct step *
ignore(struct task *t, enum stats_name counter, const char *why)
{
	struct eim_handle_notification *c = t->state;

	stats_add(counter);
	c->call.note = why;
	c->call.ignored = true;
	GO(answer);
}

static const struct step *
read_notification(struct task *t)
{
	struct eim_handle_notification *c = t->state;
	struct slice octets = c->in.pending_notification;
	const char *why;

	c->call.world = eim_world_hold(c->call.eim, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	if (octets.n > NOTIFICATION_MAX)
		return ignore(t, STATS_eim_result_undecodable, "too-long");
	if (!codec_pending_notification_read(t->mem, octets, &c->notification, &why))
		return ignore(t, STATS_eim_result_undecodable, why);
	eim_leniencies_count(c->notification.leniencies);
	if (eim_address_ours(c->call.world, c->notification.address)) {
		c->call.note = "handed over";
		return peer_local_call(t, c->call.eim->peer, "/gsma/rsp2/asn1",
			"application/x-gsma-rsp-asn1", eim_es9_notification_write(t->mem, octets),
			&c->given, THEN(check_given));
	}
	/* Whose result of an installation it is, only its own session would know. */
	why = eim_notification_verify(&c->call, &c->notification, NULL, SLICE_NONE, &c->euicc);
	if (why)
		return ignore(t, STATS_eim_notification_unproven, why);
	eim_eid_set(t, slice_text(c->euicc.eid));
	return store_euicc_find(
		t, c->call.eim->store, c->call.eid, STORE_NULL, &c->known, THEN(check_known));
}

static const struct step *
check_given(struct task *t)
{
	struct eim_handle_notification *c = t->state;

	if (c->given.status != NO_CONTENT)
		return task_trouble(t, T_BUSY);
	stats_add(STATS_eim_notifications_forwarded);
	GO(answer);
}

static const struct step *
check_known(struct task *t)
{
	if (t->got == R_NONE)
		return ignore(t, STATS_eim_notification_unproven, "of-no-euicc-of-ours");
	GO(keep);
}

static const struct step *
keep(struct task *t)
{
	struct eim_handle_notification *c = t->state;

	crypto_sha256(&c->notification.signed_part, 1, c->sha256);
	c->sum = SLICE_ARRAY(c->sha256);
	c->address = text_is_printable(c->notification.address) ? c->notification.address
								: SLICE_LIT("");
	return store_eim_notifications_keep(t, c->call.eim->store, c->call.eid, &c->sum,
		&c->address, &c->in.pending_notification, 1, &c->kept, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	(void)t;
	FINISH;
}
