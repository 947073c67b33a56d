/* What administrators look at: the wrappers of sql/query/view.sql. */
#include "store/query.h"
#include "store/view.h"

static const struct column view_columns[] = { COL_JSON(struct store_view, view) };

#define VIEWS(out) MANY_ROWS(struct store_view, view_columns, STORE_VIEW_MOST, out)

const struct step *
store_view_profiles(struct task *t, struct store *s, struct slice type_name, struct slice state,
	struct slice after, struct slice operator_name, int32_t most, struct rows *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(type_name), P_TEXT(state), P_TEXT(after),
		P_INT4(most), P_TEXT(operator_name) };

	return query_send(t, s, Q_VIEW_PROFILES, params, VIEWS(out), then);
}

const struct step *
store_view_profile(struct task *t, struct store *s, struct slice iccid, struct rows *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(iccid) };

	return query_send(t, s, Q_VIEW_PROFILE, params, VIEWS(out), then);
}

const struct step *
store_view_type(struct task *t, struct store *s, struct slice name, struct slice operator_name,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(name), P_TEXT(operator_name) };

	return query_send(t, s, Q_VIEW_TYPE, params, VIEWS(out), then);
}

const struct step *
store_view_keys(struct task *t, struct store *s, struct rows *out, const struct step *then)
{
	return query_send(t, s, Q_VIEW_KEYS, NO_PARAMS, VIEWS(out), then);
}

const struct step *
store_view_types(struct task *t, struct store *s, struct slice operator_name, struct rows *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(operator_name) };

	return query_send(t, s, Q_VIEW_TYPES, params, VIEWS(out), then);
}

const struct step *
store_view_orders(struct task *t, struct store *s, const struct store_order_filter *filter,
	int32_t most, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(filter->state), P_TEXT(filter->type_name),
		P_TEXT(filter->eid), P_INT8_OR_NULL(filter->before), P_INT4(most),
		P_TEXT(filter->operator_name), P_TIME_OR_NULL(filter->since),
		P_TIME_OR_NULL(filter->until), P_TEXT(filter->error) };

	return query_send(t, s, Q_VIEW_ORDERS, params, VIEWS(out), then);
}

static const struct column code_row_columns[] = {
	COL_INT8(struct store_code_row, order_id),
	COL_TEXT(struct store_code_row, iccid),
	COL_TEXT(struct store_code_row, type_name),
	COL_TEXT(struct store_code_row, state),
	COL_TEXT(struct store_code_row, eid),
	COL_TEXT(struct store_code_row, matching_id),
	COL_BOOL(struct store_code_row, code_required),
	COL_BOOL(struct store_code_row, reusable),
};

const struct step *
store_view_codes(struct task *t, struct store *s, const struct store_order_filter *filter,
	int32_t most, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(filter->type_name), P_TEXT(filter->state),
		P_TEXT(filter->operator_name), P_TEXT_ARRAY(filter->iccids, filter->iccid_count),
		P_INT8_OR_NULL(filter->before), P_INT4(most) };

	return query_send(t, s, Q_VIEW_CODES, params,
		MANY_ROWS(struct store_code_row, code_row_columns, STORE_VIEW_MOST, out), then);
}

const struct step *
store_view_history(struct task *t, struct store *s, struct slice iccid, int32_t most,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(iccid), P_INT4(most) };

	return query_send(t, s, Q_VIEW_HISTORY, params, VIEWS(out), then);
}

const struct step *
store_view_order(struct task *t, struct store *s, struct slice iccid, int64_t order_id,
	int32_t download_attempts, int32_t code_attempts, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(iccid), P_INT8_OR_NULL(order_id),
		P_INT4(download_attempts), P_INT4(code_attempts) };

	return query_send(t, s, Q_VIEW_ORDER, params, VIEWS(out), then);
}

const struct step *
store_view_sessions(struct task *t, struct store *s, struct slice eid, struct slice iccid,
	struct slice operator_name, int32_t most, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_TEXT(iccid), P_INT4(most),
		P_TEXT(operator_name) };

	return query_send(t, s, Q_VIEW_SESSIONS, params, VIEWS(out), then);
}

const struct step *
store_view_events(struct task *t, struct store *s, struct slice iccid, struct slice eid,
	struct slice operator_name, int32_t most, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(iccid), P_TEXT(eid), P_INT4(most),
		P_TEXT(operator_name) };

	return query_send(t, s, Q_VIEW_EVENTS, params, VIEWS(out), then);
}

const struct step *
store_view_audit(struct task *t, struct store *s, struct slice iccid, struct slice eid,
	int64_t before, int32_t most, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(iccid), P_TEXT(eid), P_INT8_OR_NULL(before),
		P_INT4(most) };

	return query_send(t, s, Q_VIEW_AUDIT, params, VIEWS(out), then);
}

const struct step *
store_view_operators(struct task *t, struct store *s, struct slice operator_name, struct rows *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(operator_name) };

	return query_send(t, s, Q_VIEW_OPERATORS, params, VIEWS(out), then);
}

const struct step *
store_view_operator_clients(struct task *t, struct store *s, struct slice operator_name,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(operator_name) };

	return query_send(t, s, Q_VIEW_OPERATOR_CLIENTS, params, VIEWS(out), then);
}

static const struct column code_columns[] = {
	COL_TEXT(struct store_code, state),
	COL_TEXT(struct store_code, matching_id),
	COL_BOOL(struct store_code, code_required),
	COL_BOOL(struct store_code, pending),
	COL_INT8(struct store_code, order_id),
	COL_TEXT(struct store_code, eid),
	COL_BOOL(struct store_code, reusable),
};

const struct step *
store_view_code(struct task *t, struct store *s, struct slice iccid, struct store_code *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(iccid) };

	return query_send(t, s, Q_VIEW_CODE, params, ONE_ROW(code_columns, out), then);
}
