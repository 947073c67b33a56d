/* Operators and their clients: the wrappers of sql/query/operator.sql. */
#include "store/operator.h"
#include "store/query.h"

static const struct column name_columns[] = { COL_TEXT(struct store_operator_name, name) };

const struct step *
store_operator_add(struct task *t, struct store *s, const struct store_operator *in,
	struct store_operator_name *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(in->name), P_TEXT(in->requester),
		P_WISH(in->expired), P_WISH(in->remember), P_WISH(in->test_ci), P_TEXT(in->actor),
		P_TEXT(in->why) };

	return query_send(t, s, Q_OPERATOR_ADD, params, ONE_ROW(name_columns, out), then);
}

const struct step *
store_operator_set(struct task *t, struct store *s, const struct store_operator *in,
	struct store_operator_name *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(in->name), P_TEXT(in->requester),
		P_BOOL(in->any_requester), P_WISH(in->expired), P_WISH(in->remember),
		P_WISH(in->test_ci), P_TEXT(in->actor), P_TEXT(in->why) };

	return query_send(t, s, Q_OPERATOR_SET, params, ONE_ROW(name_columns, out), then);
}

const struct step *
store_operator_remove(struct task *t, struct store *s, struct slice name, struct slice actor,
	struct slice why, struct store_operator_name *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(name), P_TEXT(actor), P_TEXT(why) };

	return query_send(t, s, Q_OPERATOR_REMOVE, params, ONE_ROW(name_columns, out), then);
}

static const struct column added_columns[] = {
	COL_INT8(struct store_client_id, client_id),
	COL_BOOL(struct store_client_id, added),
};

const struct step *
store_operator_client_add(struct task *t, struct store *s, const struct store_new_client *in,
	struct store_client_id *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(in->operator_name),
		P_TEXT(in->pinned ? SLICE_LIT("pin") : SLICE_LIT("ca")), P_BYTES(in->certificate),
		P_BYTES(in->sha256), P_TEXT(in->subject), P_TIME(in->not_after), P_TEXT(in->actor),
		P_TEXT(in->why) };

	return query_send(t, s, Q_OPERATOR_CLIENT_ADD, params, ONE_ROW(added_columns, out), then);
}

static const struct column removed_columns[] = {
	COL_INT8(struct store_client_removed, client_id),
};

const struct step *
store_operator_client_remove(struct task *t, struct store *s, struct slice operator_name,
	int64_t client_id, struct slice actor, struct slice why, struct store_client_removed *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(operator_name), P_INT8(client_id), P_TEXT(actor),
		P_TEXT(why) };

	return query_send(
		t, s, Q_OPERATOR_CLIENT_REMOVE, params, ONE_ROW(removed_columns, out), then);
}

static const struct column digest_columns[] = { COL_TEXT(struct store_operator_digest, digest) };

const struct step *
store_operator_digest(
	struct task *t, struct store *s, struct store_operator_digest *out, const struct step *then)
{
	return query_send(t, s, Q_OPERATOR_DIGEST, NO_PARAMS, ONE_ROW(digest_columns, out), then);
}

static const struct column client_columns[] = {
	COL_INT8(struct store_client, client_id),
	COL_INT8(struct store_client, operator_id),
	COL_TEXT(struct store_client, operator_name),
	COL_TEXT(struct store_client, requester),
	COL_BOOL(struct store_client, expired),
	COL_BOOL(struct store_client, remember),
	COL_BOOL(struct store_client, pinned),
	COL_BYTES(struct store_client, certificate),
	COL_BYTES(struct store_client, sha256),
	COL_TEXT(struct store_client, subject),
};

const struct step *
store_operator_clients(
	struct task *t, struct store *s, int64_t after, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_INT8(after), P_INT4(STORE_CLIENT_PAGE) };

	return query_send(t, s, Q_OPERATOR_CLIENTS, params,
		MANY_ROWS(struct store_client, client_columns, STORE_CLIENT_PAGE, out), then);
}
