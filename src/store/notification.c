/* What eUICCs report: the wrappers of sql/query/notification.sql. */
#include "store/notification.h"
#include "store/query.h"

struct reported {
	struct slice iccid;
};
static const struct column reported_columns[] = { COL_TEXT(struct reported, iccid) };

const struct step *
store_notification_record_result(
	struct task *t, struct store *s, const struct store_result *in, const struct step *then)
{
	struct reported *out = ARENA_NEW(t->mem, struct reported);
	const struct param params[] = { P_BYTES(in->transaction_id), P_BOOL(in->installed),
		P_TEXT(in->event), P_TEXT(in->error), P_TEXT(in->why), P_INT8(in->sequence),
		P_TEXT(in->address), P_BYTES(in->evidence), P_BOOL(in->disproved),
		P_TEXT(in->result_data) };

	return query_send(
		t, s, Q_NOTIFICATION_RECORD_RESULT, params, ONE_ROW(reported_columns, out), then);
}

struct kept {
	struct slice eid;
};
static const struct column kept_columns[] = { COL_TEXT(struct kept, eid) };

const struct step *
store_notification_record(struct task *t, struct store *s, const struct store_notification *in,
	const struct step *then)
{
	struct kept *out = ARENA_NEW(t->mem, struct kept);
	const struct param params[] = { P_TEXT(in->eid), P_INT8(in->sequence),
		P_TEXT(in->operation), P_TEXT(in->iccid), P_TEXT(in->address),
		P_BYTES(in->evidence), P_BOOL(in->test_ci) };

	return query_send(t, s, Q_NOTIFICATION_RECORD, params, ONE_ROW(kept_columns, out), then);
}

static const struct column applied_columns[] = { COL_INT8(struct store_applied, applied) };

const struct step *
store_notification_apply(struct task *t, struct store *s, struct slice eid, struct slice iccid,
	struct store_applied *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_TEXT(iccid) };

	return query_send(t, s, Q_NOTIFICATION_APPLY, params, ONE_ROW(applied_columns, out), then);
}

static const struct column straggler_columns[] = { COL_TEXT(struct store_straggler, eid),
	COL_TEXT(struct store_straggler, iccid) };

const struct step *
store_notification_stragglers(
	struct task *t, struct store *s, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_INT4(100) };

	return query_send(t, s, Q_NOTIFICATION_STRAGGLERS, params,
		MANY_ROWS(struct store_straggler, straggler_columns, 100, out), then);
}
