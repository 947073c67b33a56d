/* Bound profile packages: the wrappers of sql/query/package.sql. */
#include "store/package.h"
#include "store/query.h"

static const struct column package_columns[] = {
	COL_TEXT(struct store_package, session_state),
	COL_TEXT(struct store_package, refusal),
	COL_TEXT(struct store_package, eid),
	COL_ENUM(struct store_package, euicc_curve),
	COL_BYTES(struct store_package, euicc_point),
	COL_INT2(struct store_package, credential_set),
	COL_BYTES(struct store_package, signature2),
	COL_BYTES(struct store_package, metadata),
	COL_BOOL(struct store_package, code_required),
	COL_BYTES(struct store_package, answered_sha256),
	COL_BYTES(struct store_package, answered_sign),
	COL_INT8(struct store_package, order_id),
	COL_TEXT(struct store_package, iccid),
	COL_TEXT(struct store_package, order_eid),
	COL_BOOL(struct store_package, pending),
	COL_BOOL(struct store_package, cancelled),
	COL_BOOL(struct store_package, frozen),
	COL_TEXT(struct store_package, error),
	COL_TEXT(struct store_package, state),
	COL_BOOL(struct store_package, protection_keys),
	COL_TEXT(struct store_package, bound_eid),
	COL_BYTES(struct store_package, bound_otpk),
	COL_BYTES(struct store_package, bound_seed),
	COL_BYTES(struct store_package, bound_sha256),
	COL_INT2(struct store_package, bound_set),
	COL_BYTES(struct store_package, bound_by),
	COL_BYTES(struct store_package, upp),
	COL_INT8(struct store_package, template_id),
	COL_BYTES(struct store_package, personal),
};

const struct step *
store_package_find(struct task *t, struct store *s, struct slice transaction_id,
	struct store_package *out, const struct step *then)
{
	const struct param params[] = { P_BYTES(transaction_id) };

	return query_send(t, s, Q_PACKAGE_FIND, params, ONE_ROW(package_columns, out), then);
}

struct bound {
	struct slice iccid;
};
static const struct column bound_columns[] = { COL_TEXT(struct bound, iccid) };

const struct step *
store_package_record(
	struct task *t, struct store *s, const struct store_binding *in, const struct step *then)
{
	struct bound *out = ARENA_NEW(t->mem, struct bound);
	const struct param params[] = { P_BYTES(in->transaction_id), P_BYTES(in->otpk),
		P_BYTES(in->seed), P_BYTES(in->segments_sha256), P_BYTES(in->request_sha256),
		P_BYTES(in->sign), P_INT2(in->credential_set) };

	return query_send(t, s, Q_PACKAGE_RECORD, params, ONE_ROW(bound_columns, out), then);
}

static const struct column swept_columns[] = { COL_INT8(struct store_bindings_swept, swept) };

const struct step *
store_binding_sweep(struct task *t, struct store *s, int most, struct store_bindings_swept *out,
	const struct step *then)
{
	const struct param params[] = { P_INT4(most) };

	return query_send(t, s, Q_BINDING_SWEEP, params, ONE_ROW(swept_columns, out), then);
}
