/* RSP sessions: the wrappers of sql/query/session.sql. */
#include "base/rand.h"
#include "store/query.h"
#include "store/session.h"

static const struct column admission_columns[] = {
	COL_BOOL(struct store_admission, seen),
	COL_BYTES(struct store_admission, seen_sha256),
	COL_TEXT(struct store_admission, seen_refusal),
	COL_BYTES(struct store_admission, seen_metadata),
	COL_BOOL(struct store_admission, seen_code_required),
	COL_BYTES(struct store_admission, seen_otpk),
	COL_BYTES(struct store_admission, seen_signature2),
	COL_INT8(struct store_admission, order_id),
	COL_TEXT(struct store_admission, iccid),
	COL_TEXT(struct store_admission, order_eid),
	COL_TEXT(struct store_admission, state),
	COL_BOOL(struct store_admission, code_required),
	COL_INT4(struct store_admission, download_attempts),
	COL_BOOL(struct store_admission, expired),
	COL_BOOL(struct store_admission, frozen),
	COL_TEXT(struct store_admission, error),
	COL_INT4(struct store_admission, saip_version),
	COL_INT8(struct store_admission, services),
	COL_INT4(struct store_admission, upp_octets),
	COL_BYTES(struct store_admission, metadata),
	COL_BYTES(struct store_admission, otpk),
	COL_INT8(struct store_admission, template_id),
	COL_BOOL(struct store_admission, test_ci),
	COL_BOOL(struct store_admission, reusable),
};

const struct step *
store_session_admit(struct task *t, struct store *s, struct slice transaction_id,
	struct slice matching_id, struct slice eid, uint8_t credential_set,
	const struct store_abilities *can, struct store_admission *out, const struct step *then)
{
	const struct param params[] = { P_BYTES(transaction_id), P_TEXT(matching_id), P_TEXT(eid),
		P_INT2(credential_set), P_INT4(can->saip_version), P_INT8(can->services) };

	return query_send(t, s, Q_SESSION_ADMIT, params, ONE_ROW(admission_columns, out), then);
}

struct recorded {
	int64_t order_id;
};
static const struct column recorded_columns[] = { COL_INT8(struct recorded, order_id) };

const struct step *
store_session_record(struct task *t, struct store *s, const struct store_new_session *in,
	const struct step *then)
{
	struct recorded *out = ARENA_NEW(t->mem, struct recorded);
	const struct param params[] = {
		P_BYTES(in->transaction_id),
		P_INT2(in->credential_set),
		P_TEXT(in->eid),
		P_INT2(in->euicc_key->curve),
		P_BYTES(SLICE_ARRAY(in->euicc_key->point)),
		P_TEXT(in->smdp_oid),
		P_BYTES(in->request_sha256),
		P_INT8_OR_NULL(in->order_id),
		P_INT4(in->download_attempts),
		P_TEXT(in->state),
		P_TEXT(in->refusal),
		P_TEXT(in->event),
		P_BYTES(in->metadata),
		P_BOOL(in->code_required),
		P_BYTES(in->otpk),
		P_BYTES(in->smdp_signature2),
		P_TEXT(in->tac),
		P_TEXT(in->imei),
		P_TEXT(in->peer),
		P_TEXT(in->why),
		P_INT8_OR_NULL(in->template_id),
		P_TEXT(in->subject),
		P_TEXT(in->reason),
	};

	return query_send(t, s, Q_SESSION_RECORD, params, ONE_ROW(recorded_columns, out), then);
}

static const struct column session_columns[] = {
	COL_TEXT(struct store_session, state),
	COL_TEXT(struct store_session, refusal),
	COL_TEXT(struct store_session, eid),
	COL_ENUM(struct store_session, euicc_curve),
	COL_BYTES(struct store_session, euicc_point),
	COL_INT2(struct store_session, credential_set),
	COL_TEXT(struct store_session, smdp_oid),
	COL_INT8(struct store_session, order_id),
	COL_TEXT(struct store_session, iccid),
	COL_BOOL(struct store_session, packed),
	COL_TEXT(struct store_session, result),
	COL_INT4(struct store_session, download_attempts),
	COL_BOOL(struct store_session, waiting),
};

const struct step *
store_session_find(struct task *t, struct store *s, struct slice transaction_id,
	struct store_session *out, const struct step *then)
{
	const struct param params[] = { P_BYTES(transaction_id) };

	return query_send(t, s, Q_SESSION_FIND, params, ONE_ROW(session_columns, out), then);
}

static const struct column code_check_columns[] = { COL_TEXT(struct store_code_check, outcome) };

const struct step *
store_session_check_code(struct task *t, struct store *s, struct slice transaction_id,
	struct slice hash_cc, int forgiven, struct slice request_sha256,
	struct store_code_check *out, const struct step *then)
{
	uint8_t nonce[16];
	const struct param params[] = { P_BYTES(transaction_id), P_BYTES(hash_cc),
		P_BYTES(SLICE_ARRAY(nonce)), P_INT4(forgiven), P_BYTES(request_sha256) };

	rand_bytes(nonce, sizeof nonce);
	return query_send(
		t, s, Q_SESSION_CHECK_CODE, params, ONE_ROW(code_check_columns, out), then);
}

static const struct column cancellation_columns[] = { COL_BOOL(struct store_cancellation, moved) };

const struct step *
store_session_cancel(struct task *t, struct store *s, struct slice transaction_id,
	struct slice event, struct slice error, struct slice why, const struct store_codes *codes,
	struct store_cancellation *out, const struct step *then)
{
	const struct param params[] = { P_BYTES(transaction_id), P_TEXT(event), P_TEXT(error),
		P_TEXT(why), P_TEXT(codes->subject), P_TEXT(codes->reason) };

	return query_send(t, s, Q_SESSION_CANCEL, params, ONE_ROW(cancellation_columns, out), then);
}

static const struct column sweep_columns[] = { COL_INT8(struct store_sweep, swept) };

const struct step *
store_session_sweep(
	struct task *t, struct store *s, int most, struct store_sweep *out, const struct step *then)
{
	const struct param params[] = { P_INT4(most) };

	return query_send(t, s, Q_SESSION_SWEEP, params, ONE_ROW(sweep_columns, out), then);
}
