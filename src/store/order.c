/* Download orders and their moves: the wrappers of sql/query/order.sql. */
#include "store/order.h"
#include "store/query.h"

#define P_EVENT(event) P_TEXT(slice_text(profile_event_name(event)))

#define P_ID(id) P_INT8_OR_NULL((id) ? (id) : STORE_NULL)
/* Three parameters, and the fourth of those that are for one operator. */
#define P_CALL(call) P_ID((call)->client_id), P_BYTES((call)->key), P_INT8((call)->seconds)
#define P_OPERATOR(call) P_ID((call)->operator_id)
#define P_MARK(call) P_BYTES((call)->mark)

static const struct column prepared_columns[] = {
	COL_INT8(struct store_prepared, order_id),
	COL_INT8(struct store_prepared, operator_id),
	COL_INT8(struct store_prepared, type_id),
	COL_BOOL(struct store_prepared, type_foreign),
	COL_INT8(struct store_prepared, iccid_type_id),
	COL_INT8(struct store_prepared, iccid_operator_id),
	COL_BOOL(struct store_prepared, iccid_test),
	COL_BOOL(struct store_prepared, type_operational),
};

const struct step *
store_order_prepare(struct task *t, struct store *s, struct slice iccid, struct slice type_name,
	int64_t operator_id, struct slice operator_name, bool reusable, struct store_prepared *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(iccid), P_TEXT(type_name), P_ID(operator_id),
		P_TEXT(operator_name), P_BOOL(reusable) };

	return query_send(t, s, Q_ORDER_PREPARE, params, ONE_ROW(prepared_columns, out), then);
}

static const struct column created_columns[] = {
	COL_INT8(struct store_moved, order_id),
	COL_TEXT(struct store_moved, iccid),
	COL_TEXT(struct store_moved, state),
};

const struct step *
store_order_create(struct task *t, struct store *s, const struct store_order *in,
	struct store_moved *out, const struct step *then)
{
	enum profile_event event = in->eid.p ? EVENT_download_order_eid : EVENT_download_order;
	const struct param params[] = { P_INT8(in->order_id), P_TEXT(in->iccid),
		P_INT8_OR_NULL(in->type_id), P_EVENT(event), P_TEXT(in->eid),
		P_INT8_OR_NULL(in->lifetime), P_TEXT(in->actor), P_TEXT(in->why), P_CALL(&in->call),
		P_BOOL(in->reusable), P_MARK(&in->call) };

	return query_send(t, s, Q_ORDER_CREATE, params, ONE_ROW(created_columns, out), then);
}

static const struct column confirmed_columns[] = {
	COL_INT8(struct store_moved, order_id),
	COL_TEXT(struct store_moved, iccid),
	COL_TEXT(struct store_moved, eid),
	COL_TEXT(struct store_moved, matching_id),
	COL_TEXT(struct store_moved, state),
};

const struct step *
store_order_confirm(struct task *t, struct store *s, const struct store_confirmation *in,
	struct store_moved *out, const struct step *then)
{
	enum profile_event event = in->release ? EVENT_confirm_order_release : EVENT_confirm_order;
	const struct param params[] = { P_TEXT(in->iccid), P_EVENT(event), P_TEXT(in->eid),
		P_TEXT(in->matching_id), P_BOOL(in->chosen), P_BYTES(in->cc_sha256),
		P_TEXT(in->actor), P_TEXT(in->why), P_CALL(&in->call), P_OPERATOR(&in->call),
		P_TEXT(in->smds), P_MARK(&in->call) };

	return query_send(t, s, Q_ORDER_CONFIRM, params, ONE_ROW(confirmed_columns, out), then);
}

static const struct column released_columns[] = {
	COL_INT8(struct store_moved, order_id),
	COL_TEXT(struct store_moved, iccid),
	COL_TEXT(struct store_moved, eid),
	COL_TEXT(struct store_moved, state),
};

const struct step *
store_order_release(struct task *t, struct store *s, struct slice iccid, struct slice actor,
	struct slice why, const struct store_call *call, struct store_moved *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(iccid), P_TEXT(actor), P_TEXT(why), P_CALL(call),
		P_OPERATOR(call), P_MARK(call) };

	return query_send(t, s, Q_ORDER_RELEASE, params, ONE_ROW(released_columns, out), then);
}

const struct step *
store_order_cancel(struct task *t, struct store *s, const struct store_order_end *in,
	struct store_moved *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(in->iccid), P_EVENT(in->event), P_BOOL(in->force),
		P_TEXT(in->eid), P_TEXT(in->matching_id), P_BOOL(in->trusted), P_TEXT(in->actor),
		P_TEXT(in->why), P_CALL(&in->call), P_OPERATOR(&in->call), P_MARK(&in->call) };

	return query_send(t, s, Q_ORDER_CANCEL, params, ONE_ROW(created_columns, out), then);
}

const struct step *
store_order_reset(struct task *t, struct store *s, struct slice iccid, int64_t lifetime,
	struct slice actor, struct slice why, struct store_moved *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(iccid), P_INT8_OR_NULL(lifetime), P_TEXT(actor),
		P_TEXT(why) };

	return query_send(t, s, Q_ORDER_RESET, params, ONE_ROW(released_columns, out), then);
}

static const struct column expired_columns[] = { COL_INT8(struct store_expired, expired) };

const struct step *
store_order_expire(struct task *t, struct store *s, int32_t most, int64_t session_seconds,
	struct store_expired *out, const struct step *then)
{
	const struct param params[] = { P_INT4(most), P_INT8(session_seconds) };

	return query_send(t, s, Q_ORDER_EXPIRE, params, ONE_ROW(expired_columns, out), then);
}

static const struct column standing_columns[] = {
	COL_TEXT(struct store_standing, state),
	COL_INT8(struct store_standing, operator_id),
	COL_INT8(struct store_standing, order_id),
	COL_BOOL(struct store_standing, pending),
	COL_BOOL(struct store_standing, cancelled),
	COL_TEXT(struct store_standing, eid),
	COL_TEXT(struct store_standing, matching_id),
	COL_BOOL(struct store_standing, code_required),
	COL_BOOL(struct store_standing, package_out),
	COL_BOOL(struct store_standing, taken),
};

const struct step *
store_order_standing_find(struct task *t, struct store *s, struct slice iccid,
	struct slice matching_id, struct store_standing *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(iccid), P_TEXT(matching_id) };

	return query_send(t, s, Q_ORDER_STANDING, params, ONE_ROW(standing_columns, out), then);
}

static const struct column calls_columns[] = { COL_INT8(struct store_calls_swept, swept) };

const struct step *
store_order_call_sweep(struct task *t, struct store *s, int32_t most, struct store_calls_swept *out,
	const struct step *then)
{
	const struct param params[] = { P_INT4(most) };

	return query_send(t, s, Q_ORDER_CALL_SWEEP, params, ONE_ROW(calls_columns, out), then);
}

static const struct column reserved_columns[] = {
	COL_INT8(struct store_reserved, order_id),
	COL_TEXT(struct store_reserved, eid),
	COL_TEXT(struct store_reserved, matching_id),
	COL_TIME(struct store_reserved, at),
};

const struct step *
store_order_reserve(struct task *t, struct store *s, const struct store_reservation *in,
	struct store_reserved *out, const struct step *then)
{
	const struct param params[] = {
		P_TEXT(in->iccid),
		P_TEXT(in->eid),
		P_TEXT(in->matching_id),
		P_BOOL(in->chosen),
		P_TEXT(in->smds),
		P_OPERATOR(&in->call),
		P_ID(in->call.client_id),
		P_BYTES(in->call.key),
	};

	return query_send(t, s, Q_ORDER_RESERVE, params, ONE_ROW(reserved_columns, out), then);
}

static const struct column unreserved_columns[] = { COL_INT8(struct store_unreserved, freed) };

const struct step *
store_order_unreserve(struct task *t, struct store *s, const struct store_reserved *in,
	struct slice smds, struct store_unreserved *out, const struct step *then)
{
	const struct param params[] = { P_INT8(in->order_id), P_TIME(in->at), P_TEXT(smds),
		P_TEXT(in->eid), P_TEXT(in->matching_id) };

	return query_send(t, s, Q_ORDER_UNRESERVE, params, ONE_ROW(unreserved_columns, out), then);
}

const struct step *
store_order_unreserve_left(struct task *t, struct store *s, int32_t most,
	struct store_unreserved *out, const struct step *then)
{
	const struct param params[] = { P_INT4(most) };

	return query_send(
		t, s, Q_ORDER_UNRESERVE_LEFT, params, ONE_ROW(unreserved_columns, out), then);
}
