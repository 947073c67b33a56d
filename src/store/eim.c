/* The eIM's queue: the wrappers of sql/query/eim.sql. */
#include "store/eim.h"
#include "store/query.h"

/* ---- what administrators and other parts of the house ask ------------------------------------------- */

static const struct column queued_columns[] = { COL_INT8(struct store_queued, package_id),
	COL_BOOL(struct store_queued, closed) };

const struct step *
store_eim_queue(struct task *t, struct store *s, const struct store_wanted *in,
	struct store_queued *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(in->eid), P_TEXT(in->kind), P_TEXT(in->what),
		P_BYTES(in->body), P_INT2(in->priority), P_TIME_OR_NULL(in->deadline),
		P_BOOL(in->barrier), P_BOOL(in->farewell), P_TEXT(in->actor), P_TEXT(in->why),
		P_INT8_OR_NULL(in->operator_id), P_BYTES(in->nonce) };

	return query_send(t, s, Q_EIM_QUEUE, params, ONE_ROW(queued_columns, out), then);
}

static const struct column state_columns[] = { COL_TEXT(struct store_package_state, state) };

const struct step *
store_eim_cancel(struct task *t, struct store *s, int64_t package_id, int64_t operator_id,
	struct slice actor, struct slice why, struct store_package_state *out,
	const struct step *then)
{
	const struct param params[] = { P_INT8(package_id), P_TEXT(actor), P_TEXT(why),
		P_INT8_OR_NULL(operator_id) };

	return query_send(t, s, Q_EIM_CANCEL, params, ONE_ROW(state_columns, out), then);
}

const struct step *
store_eim_close(struct task *t, struct store *s, int64_t package_id, int64_t operator_id,
	struct slice actor, struct slice why, struct store_package_state *out,
	const struct step *then)
{
	const struct param params[] = { P_INT8(package_id), P_TEXT(actor), P_TEXT(why),
		P_INT8_OR_NULL(operator_id) };

	return query_send(t, s, Q_EIM_CLOSE, params, ONE_ROW(state_columns, out), then);
}

static const struct column package_columns[] = {
	COL_INT8(struct store_eim_package, package_id),
	COL_TEXT(struct store_eim_package, eid),
	COL_TEXT(struct store_eim_package, kind),
	COL_TEXT(struct store_eim_package, what),
	COL_TEXT(struct store_eim_package, state),
	COL_INT2(struct store_eim_package, priority),
	COL_TIME(struct store_eim_package, state_since),
	COL_TEXT(struct store_eim_package, asked_by),
	COL_TIME(struct store_eim_package, asked_at),
	COL_TEXT(struct store_eim_package, why),
	COL_TIME(struct store_eim_package, deadline),
	COL_INT8(struct store_eim_package, counter),
	COL_BYTES(struct store_eim_package, eim_transaction_id),
	COL_TIME(struct store_eim_package, out_at),
	COL_INT4(struct store_eim_package, times_out),
	COL_INT4(struct store_eim_package, intervals),
	COL_INT8(struct store_eim_package, sequence),
	COL_JSON(struct store_eim_package, meaning),
	COL_BOOL(struct store_eim_package, rolled_back),
	COL_INT8(struct store_eim_package, retried_by),
};

const struct step *
store_eim_package_find(struct task *t, struct store *s, int64_t package_id, int64_t operator_id,
	struct store_eim_package *out, const struct step *then)
{
	const struct param params[] = { P_INT8(package_id), P_INT8_OR_NULL(operator_id) };

	return query_send(t, s, Q_EIM_PACKAGE_FIND, params, ONE_ROW(package_columns, out), then);
}

const struct step *
store_eim_packages(struct task *t, struct store *s, struct slice eid, int64_t before,
	int64_t operator_id, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_INT8_OR_NULL(before), P_INT4(STORE_EIM_PAGE),
		P_INT8_OR_NULL(operator_id) };

	return query_send(t, s, Q_EIM_PACKAGES, params,
		MANY_ROWS(struct store_eim_package, package_columns, STORE_EIM_PAGE, out), then);
}

/* ---- polls and what is handed out ------------------------------------------------------------------- */

static const struct column poll_columns[] = { COL_TEXT(struct store_poll, eid),
	COL_BOOL(struct store_poll, waiting), COL_BOOL(struct store_poll, stale) };

const struct step *
store_eim_poll(struct task *t, struct store *s, const struct slice *eids, size_t n,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT_ARRAY(eids, n) };

	return query_send(t, s, Q_EIM_POLL, params,
		MANY_ROWS(struct store_poll, poll_columns, STORE_POLL_MAX, out), then);
}

static const struct column seen_columns[] = { COL_INT8(struct store_seen, seen) };

const struct step *
store_eim_seen(struct task *t, struct store *s, const struct slice *eids, size_t n,
	struct store_seen *out, const struct step *then)
{
	const struct param params[] = { P_TEXT_ARRAY(eids, n) };

	return query_send(t, s, Q_EIM_SEEN, params, ONE_ROW(seen_columns, out), then);
}

static const struct column head_columns[] = {
	COL_INT8(struct store_eim_head, counter),
	COL_INT8(struct store_eim_head, token),
	COL_INT8(struct store_eim_head, candidate),
	COL_TEXT(struct store_eim_head, candidate_state),
	COL_BOOL(struct store_eim_head, learnt),
	COL_BOOL(struct store_eim_head, proven),
	COL_INT4(struct store_eim_head, iot_version),
	COL_INT8(struct store_eim_head, package_id),
	COL_TEXT(struct store_eim_head, kind),
	COL_TEXT(struct store_eim_head, what),
	COL_TEXT(struct store_eim_head, state),
	COL_BYTES(struct store_eim_head, body),
	COL_BYTES(struct store_eim_head, octets),
	COL_INT4(struct store_eim_head, times_out),
	COL_INT4(struct store_eim_head, intervals),
	COL_BOOL(struct store_eim_head, due),
	COL_BOOL(struct store_eim_head, own),
};

const struct step *
store_eim_head(struct task *t, struct store *s, struct slice eid, int interval_seconds,
	struct store_eim_head *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_INT4(interval_seconds) };

	return query_send(t, s, Q_EIM_HEAD, params, ONE_ROW(head_columns, out), then);
}

static const struct column id_columns[] = { COL_INT8(struct store_package_id, package_id) };

const struct step *
store_eim_want(struct task *t, struct store *s, const struct store_wanted *in,
	struct store_package_id *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(in->eid), P_TEXT(in->kind), P_TEXT(in->what),
		P_BYTES(in->body), P_INT2(in->priority), P_TEXT(in->why) };

	return query_send(t, s, Q_EIM_WANT, params, ONE_ROW(id_columns, out), then);
}

const struct step *
store_eim_hand_out(struct task *t, struct store *s, const struct store_handed_out *in,
	struct store_package_id *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(in->eid), P_INT8(in->package_id),
		P_INT8_OR_NULL(in->counter), P_INT8_OR_NULL(in->token), P_BOOL(in->tried),
		P_BYTES(in->eim_transaction_id), P_BYTES(in->octets) };

	return query_send(t, s, Q_EIM_HAND_OUT, params, ONE_ROW(id_columns, out), then);
}

static const struct column octets_columns[] = { COL_BYTES(struct store_octets, octets) };

const struct step *
store_eim_hand_out_again(struct task *t, struct store *s, int64_t package_id, int interval_seconds,
	struct store_octets *out, const struct step *then)
{
	const struct param params[] = { P_INT8(package_id), P_INT4(interval_seconds) };

	return query_send(t, s, Q_EIM_HAND_OUT_AGAIN, params, ONE_ROW(octets_columns, out), then);
}

const struct step *
store_eim_step_aside(struct task *t, struct store *s, struct slice eid, int64_t package_id,
	struct slice results, struct store_package_state *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_INT8(package_id), P_BYTES(results) };

	return query_send(t, s, Q_EIM_STEP_ASIDE, params, ONE_ROW(state_columns, out), then);
}

static const struct column activation_columns[] = { COL_TEXT(struct store_activation, state) };

const struct step *
store_eim_bind_code(struct task *t, struct store *s, struct slice matching_id, struct slice eid,
	struct store_activation *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(matching_id), P_TEXT(eid) };

	return query_send(t, s, Q_EIM_BIND_CODE, params, ONE_ROW(activation_columns, out), then);
}

/* ---- what comes back -------------------------------------------------------------------------------- */

static const struct column wanted_columns[] = { COL_BOOL(struct store_changed, wanted) };

const struct step *
store_eim_state_changed(struct task *t, struct store *s, struct slice eid, int cause,
	struct slice profiles, struct slice notifications, struct store_changed *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_INT2(cause), P_BYTES(profiles),
		P_BYTES(notifications) };

	return query_send(t, s, Q_EIM_STATE_CHANGED, params, ONE_ROW(wanted_columns, out), then);
}

static const struct column found_columns[] = {
	COL_TEXT(struct store_eim_found, eid),
	COL_INT4(struct store_eim_found, iot_version),
	COL_INT2(struct store_eim_found, curve),
	COL_BYTES(struct store_eim_found, point),
	COL_INT8(struct store_eim_found, token),
	COL_TEXT(struct store_eim_found, token_standing),
	COL_INT8(struct store_eim_found, candidate),
	COL_TEXT(struct store_eim_found, candidate_state),
	COL_TEXT(struct store_eim_found, signature_form),
	COL_INT8(struct store_eim_found, package_id),
	COL_TEXT(struct store_eim_found, kind),
	COL_TEXT(struct store_eim_found, what),
	COL_TEXT(struct store_eim_found, state),
	COL_BYTES(struct store_eim_found, body),
	COL_BYTES(struct store_eim_found, octets),
	COL_INT8(struct store_eim_found, package_counter),
	COL_INT8(struct store_eim_found, package_token),
	COL_INT4(struct store_eim_found, times_out),
	COL_BOOL(struct store_eim_found, farewell),
	COL_INT8(struct store_eim_found, sequence),
	COL_BOOL(struct store_eim_found, rolled_back),
};

const struct step *
store_eim_result_find(struct task *t, struct store *s, struct slice eid,
	struct slice eim_transaction_id, int64_t counter, struct store_eim_found *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_BYTES(eim_transaction_id),
		P_INT8_OR_NULL(counter) };

	return query_send(t, s, Q_EIM_RESULT_FIND, params, ONE_ROW(found_columns, out), then);
}

static const struct column recorded_columns[] = { COL_INT8(struct store_eim_recorded, package_id),
	COL_TEXT(struct store_eim_recorded, state) };

const struct step *
store_eim_result_record(struct task *t, struct store *s, const struct store_eim_result *in,
	struct store_eim_recorded *out, const struct step *then)
{
	const struct param params[] = {
		P_TEXT(in->eid),
		P_INT8(in->package_id),
		P_TEXT(in->outcome),
		P_BYTES(in->result),
		P_JSON(in->meaning),
		P_INT8_OR_NULL(in->sequence),
		P_TEXT(in->form),
		P_INT8_OR_NULL(in->token),
		P_JSON(in->profiles),
		P_BOOL(in->complete),
		P_BOOL(in->unset_fallback),
		P_JSON(in->eims),
		P_BOOL(in->rollback),
		P_BOOL(in->farewell),
		in->again_seconds < 0 ? P_NULL(INT4) : P_INT4(in->again_seconds),
		P_INT4(in->fence),
		P_BYTES(in->want_profiles),
		P_BYTES(in->want_results),
		P_TEXT(in->evidence),
	};

	return query_send(t, s, Q_EIM_RESULT_RECORD, params, ONE_ROW(recorded_columns, out), then);
}

static const struct column unsigned_columns[] = { COL_BOOL(struct store_unsigned_error, fresh) };

const struct step *
store_eim_unsigned_error(struct task *t, struct store *s, struct slice eid, int64_t package_id,
	bool has_token, int64_t token, struct slice results, struct slice profiles,
	struct store_unsigned_error *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_INT8(package_id), P_INT8(token),
		P_BOOL(has_token), P_BYTES(results), P_BYTES(profiles) };

	return query_send(t, s, Q_EIM_UNSIGNED_ERROR, params, ONE_ROW(unsigned_columns, out), then);
}

struct raw {
	int64_t id;
};
static const struct column raw_columns[] = { COL_INT8(struct raw, id) };

const struct step *
store_eim_raw_keep(struct task *t, struct store *s, struct slice eid, struct slice why,
	struct slice octets, struct slice sha256, const struct step *then)
{
	struct raw *out = ARENA_NEW(t->mem, struct raw);
	const struct param params[] = { P_TEXT(eid), P_TEXT(why), P_BYTES(octets),
		P_BYTES(sha256) };

	return query_send(t, s, Q_EIM_RAW_KEEP, params, ONE_ROW(raw_columns, out), then);
}

/* ---- notifications on their way --------------------------------------------------------------------- */

static const struct column kept_columns[] = { COL_INT8(struct store_kept, kept) };

const struct step *
store_eim_notifications_keep(struct task *t, struct store *s, struct slice eid,
	const struct slice *sha256s, const struct slice *addresses, const struct slice *octets,
	size_t n, struct store_kept *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_BYTES_ARRAY(sha256s, n),
		P_TEXT_ARRAY(addresses, n), P_BYTES_ARRAY(octets, n) };

	return query_send(t, s, Q_EIM_NOTIFICATIONS_KEEP, params, ONE_ROW(kept_columns, out), then);
}

static const struct column forward_columns[] = {
	COL_INT8(struct store_forward, id),
	COL_TEXT(struct store_forward, eid),
	COL_TEXT(struct store_forward, address),
	COL_BYTES(struct store_forward, octets),
	COL_INT4(struct store_forward, attempts),
};

const struct step *
store_eim_notifications_take(struct task *t, struct store *s, const struct slice *names, size_t n,
	bool all, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_INT4(STORE_FORWARD_MAX), P_TEXT_ARRAY(names, n),
		P_BOOL(all) };

	return query_send(t, s, Q_EIM_NOTIFICATIONS_TAKE, params,
		MANY_ROWS(struct store_forward, forward_columns, STORE_FORWARD_MAX, out), then);
}

const struct step *
store_eim_notification_done(struct task *t, struct store *s, int64_t id, struct slice state,
	struct slice error, int wait_seconds, const struct step *then)
{
	struct raw *out = ARENA_NEW(t->mem, struct raw);
	const struct param params[] = { P_INT8(id), P_TEXT(state), P_TEXT(error),
		P_INT4(wait_seconds) };

	return query_send(t, s, Q_EIM_NOTIFICATION_DONE, params, ONE_ROW(raw_columns, out), then);
}

/* ---- by the clock ----------------------------------------------------------------------------------- */

static const struct column expired_columns[] = { COL_INT8(struct store_eim_expired, expired) };

const struct step *
store_eim_expire(struct task *t, struct store *s, int most, struct store_eim_expired *out,
	const struct step *then)
{
	const struct param params[] = { P_INT4(most) };

	return query_send(t, s, Q_EIM_EXPIRE, params, ONE_ROW(expired_columns, out), then);
}

static const struct column swept_columns[] = { COL_INT8(struct store_eim_swept, swept) };

const struct step *
store_eim_sweep(struct task *t, struct store *s, int most, struct store_eim_swept *out,
	const struct step *then)
{
	const struct param params[] = { P_INT4(most) };

	return query_send(t, s, Q_EIM_SWEEP, params, ONE_ROW(swept_columns, out), then);
}
