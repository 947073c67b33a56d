/* The deny-lists: the wrappers of sql/query/deny.sql. */
#include "store/deny.h"
#include "store/query.h"
#include "store/view.h"

static struct param
firmware_param(int32_t version)
{
	return version < 0 ? P_NULL(INT4) : P_INT4(version);
}

static const struct column added_columns[] = {
	COL_INT8(struct store_deny_added, id),
	COL_BOOL(struct store_deny_added, added),
};

const struct step *
store_deny_add(struct task *t, struct store *s, const struct store_denied *what, struct slice actor,
	struct slice why, struct store_deny_added *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(what->kind), P_BYTES(what->key_id),
		P_BYTES(what->issuer_id), P_BYTES(what->serial), P_TEXT(what->eid_low),
		P_TEXT(what->eid_high), firmware_param(what->firmware_low),
		firmware_param(what->firmware_high), P_INT4(STORE_DENY_MOST), P_TEXT(actor),
		P_TEXT(why) };

	return query_send(t, s, Q_DENY_ADD, params, ONE_ROW(added_columns, out), then);
}

static const struct column removed_columns[] = { COL_INT8(struct store_deny_removed, id) };

const struct step *
store_deny_remove(struct task *t, struct store *s, int64_t id, struct slice actor, struct slice why,
	struct store_deny_removed *out, const struct step *then)
{
	const struct param params[] = { P_INT8(id), P_TEXT(actor), P_TEXT(why) };

	return query_send(t, s, Q_DENY_REMOVE, params, ONE_ROW(removed_columns, out), then);
}

static const struct column digest_columns[] = { COL_TEXT(struct store_deny_digest, digest) };

const struct step *
store_deny_digest(
	struct task *t, struct store *s, struct store_deny_digest *out, const struct step *then)
{
	return query_send(t, s, Q_DENY_DIGEST, NO_PARAMS, ONE_ROW(digest_columns, out), then);
}

static const struct column load_columns[] = {
	COL_INT8(struct store_denied, id),
	COL_TEXT(struct store_denied, kind),
	COL_BYTES(struct store_denied, key_id),
	COL_BYTES(struct store_denied, issuer_id),
	COL_BYTES(struct store_denied, serial),
	COL_TEXT(struct store_denied, eid_low),
	COL_TEXT(struct store_denied, eid_high),
	COL_INT4(struct store_denied, firmware_low),
	COL_INT4(struct store_denied, firmware_high),
};

const struct step *
store_deny_load(
	struct task *t, struct store *s, int64_t after, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_INT8(after), P_INT4(STORE_DENY_PAGE) };

	return query_send(t, s, Q_DENY_LOAD, params,
		MANY_ROWS(struct store_denied, load_columns, STORE_DENY_PAGE, out), then);
}

static const struct column view_columns[] = { COL_JSON(struct store_view, view) };

const struct step *
store_deny_view(struct task *t, struct store *s, struct slice kind, int64_t after, int32_t most,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(kind), P_INT8(after), P_INT4(most) };

	return query_send(t, s, Q_DENY_VIEW, params,
		MANY_ROWS(struct store_view, view_columns, STORE_VIEW_MOST, out), then);
}
