/* Alerts: the wrappers of sql/query/alert.sql. */
#include "store/alert.h"
#include "store/query.h"

static const struct column told_columns[] = { COL_BOOL(struct store_told, told) };

const struct step *
store_alert_certificate(struct task *t, struct store *s, const struct store_ending *in,
	struct store_told *out, const struct step *then)
{
	const struct param params[] = { P_BYTES(in->sha256), P_INT4(in->ahead), P_TEXT(in->what),
		P_TEXT(in->name), P_TIME(in->not_after * 1000000), P_INT8(in->days_left) };

	return query_send(t, s, Q_ALERT_CERTIFICATE, params, ONE_ROW(told_columns, out), then);
}

static const struct column clone_columns[] = {
	COL_TEXT(struct store_clone, eid),
	COL_INT8(struct store_clone, addresses),
	COL_INT8(struct store_clone, tacs),
};

const struct step *
store_alert_clones(struct task *t, struct store *s, int64_t recent_seconds, int addresses, int tacs,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_INT8(recent_seconds), P_INT4(addresses), P_INT4(tacs) };

	return query_send(t, s, Q_ALERT_CLONES, params,
		MANY_ROWS(struct store_clone, clone_columns, STORE_CLONES_MOST, out), then);
}
