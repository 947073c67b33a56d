/* Delivery of events: the wrappers of sql/query/outbox.sql. */
#include "store/outbox.h"
#include "store/query.h"
#include "store/view.h"

static const struct column leased_columns[] = { COL_INT8(struct store_leased, leased) };

const struct step *
store_outbox_lease(struct task *t, struct store *s, struct slice owner, int64_t lease_ms,
	int64_t renew_ms, int32_t most, struct store_leased *out, const struct step *then)
{
	const struct param params[] = { P_UUID(owner), P_INT8(lease_ms), P_INT4(most),
		P_INT8(renew_ms) };

	return query_send(t, s, Q_OUTBOX_LEASE, params, ONE_ROW(leased_columns, out), then);
}

static const struct column due_columns[] = {
	COL_INT8(struct store_due, subscriber_id),
	COL_INT8(struct store_due, payer),
	COL_TEXT(struct store_due, kind),
	COL_TEXT(struct store_due, name),
	COL_TEXT(struct store_due, address),
	COL_BYTES(struct store_due, roots),
	COL_TEXT(struct store_due, client),
	COL_INT8(struct store_due, token),
	COL_TEXT(struct store_due, order_key),
	COL_INT8(struct store_due, outbox_id),
	COL_UUID(struct store_due, event_id),
	COL_INT8(struct store_due, seq),
	COL_TEXT(struct store_due, type),
	COL_JSON(struct store_due, data),
	COL_TIME(struct store_due, at),
	COL_INT4(struct store_due, attempts),
	COL_INT8(struct store_due, gap_seq),
	COL_BOOL(struct store_due, needless),
};

const struct step *
store_outbox_due(struct task *t, struct store *s, struct slice owner, int64_t margin_ms,
	const struct slice *busy, size_t busy_n, int32_t most, int32_t most_in_all,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_UUID(owner), P_INT8(margin_ms),
		P_TEXT_ARRAY(busy, busy_n), P_INT4(most), P_INT4(most_in_all) };

	return query_send(t, s, Q_OUTBOX_DUE, params,
		MANY_ROWS(struct store_due, due_columns, STORE_DUE_MOST, out), then);
}

static const struct column settled_columns[] = { COL_INT4(struct store_settled, pending) };

const struct step *
store_outbox_settle(struct task *t, struct store *s, const struct store_attempt *in,
	struct store_settled *out, const struct step *then)
{
	const struct param params[] = {
		P_INT8(in->subscriber_id),
		P_TEXT(in->order_key),
		P_INT8(in->outbox_id),
		P_INT8(in->token),
		P_TEXT(in->state),
		in->status ? P_INT4(in->status) : P_NULL(INT4),
		P_TEXT(in->error),
		P_INT8(in->wait_ms),
	};

	return query_send(t, s, Q_OUTBOX_SETTLE, params, ONE_ROW(settled_columns, out), then);
}

static const struct column released_columns[] = { COL_INT8(struct store_released, released) };

const struct step *
store_outbox_release(struct task *t, struct store *s, struct slice owner,
	struct store_released *out, const struct step *then)
{
	const struct param params[] = { P_UUID(owner) };

	return query_send(t, s, Q_OUTBOX_RELEASE, params, ONE_ROW(released_columns, out), then);
}

static const struct column lag_columns[] = {
	COL_INT8(struct store_lag, subscriber_id),
	COL_TEXT(struct store_lag, kind),
	COL_TEXT(struct store_lag, name),
	COL_BOOL(struct store_lag, paused),
	COL_INT8(struct store_lag, waiting),
	COL_INT8(struct store_lag, dead),
	COL_TIME(struct store_lag, oldest),
};

const struct step *
store_outbox_lag(struct task *t, struct store *s, struct rows *out, const struct step *then)
{
	return query_send(t, s, Q_OUTBOX_LAG, NO_PARAMS,
		MANY_ROWS(struct store_lag, lag_columns, STORE_LAG_MOST, out), then);
}

static const struct column swept_columns[] = { COL_INT8(struct store_owed_swept, swept) };

const struct step *
store_outbox_sweep(struct task *t, struct store *s, int32_t most, struct store_owed_swept *out,
	const struct step *then)
{
	const struct param params[] = { P_INT4(most) };

	return query_send(t, s, Q_OUTBOX_SWEEP, params, ONE_ROW(swept_columns, out), then);
}

const struct step *
store_outbox_forget(struct task *t, struct store *s, int64_t keep_s, int32_t most,
	struct store_owed_swept *out, const struct step *then)
{
	const struct param params[] = { P_INT8(keep_s), P_INT4(most) };

	return query_send(t, s, Q_OUTBOX_FORGET, params, ONE_ROW(swept_columns, out), then);
}

static const struct column view_columns[] = { COL_JSON(struct store_view, view) };

#define VIEWS(out) MANY_ROWS(struct store_view, view_columns, STORE_VIEW_MOST, out)

const struct step *
store_subscriber_callback(struct task *t, struct store *s, const struct store_callback *in,
	struct rows *out, const struct step *then)
{
	const struct param params[] = {
		P_TEXT(in->operator_name),
		P_TEXT(in->address),
		P_BYTES(in->roots),
		P_TEXT(in->client),
		in->card_events_given ? P_BOOL(in->card_events) : P_NULL(BOOL),
		P_TEXT(in->actor),
		P_TEXT(in->why),
	};

	return query_send(t, s, Q_SUBSCRIBER_CALLBACK, params, VIEWS(out), then);
}

const struct step *
store_subscriber_pause(struct task *t, struct store *s, struct slice name, bool paused,
	struct slice actor, struct slice why, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(name), P_BOOL(paused), P_TEXT(actor), P_TEXT(why) };

	return query_send(t, s, Q_SUBSCRIBER_PAUSE, params, VIEWS(out), then);
}

const struct step *
store_subscriber_remove(struct task *t, struct store *s, struct slice name, struct slice actor,
	struct slice why, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(name), P_TEXT(actor), P_TEXT(why) };

	return query_send(t, s, Q_SUBSCRIBER_REMOVE, params, VIEWS(out), then);
}

const struct step *
store_outbox_replay(struct task *t, struct store *s, const struct store_replay *in,
	struct rows *out, const struct step *then)
{
	const struct param params[] = {
		P_TEXT(in->name),
		P_TEXT(in->iccid),
		P_TIME_OR_NULL(in->since),
		P_TIME_OR_NULL(in->until),
		P_INT4(in->most),
		P_TEXT(in->actor),
		P_TEXT(in->why),
	};

	return query_send(t, s, Q_OUTBOX_REPLAY, params, VIEWS(out), then);
}

const struct step *
store_view_subscribers(struct task *t, struct store *s, struct slice name, struct rows *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(name) };

	return query_send(t, s, Q_VIEW_SUBSCRIBERS, params, VIEWS(out), then);
}

const struct step *
store_view_deliveries(struct task *t, struct store *s, struct slice name, struct slice state,
	struct slice iccid, int32_t most, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(name), P_TEXT(state), P_TEXT(iccid), P_INT4(most) };

	return query_send(t, s, Q_VIEW_DELIVERIES, params, VIEWS(out), then);
}
