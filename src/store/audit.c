/* The audit trail and the rotation of the sealing key: the wrappers of sql/query/audit.sql. */
#include "store/audit.h"
#include "store/query.h"

const struct step *
store_audit_note(struct task *t, struct store *s, struct slice actor, struct slice act,
	struct slice why, const struct step *then)
{
	const struct param params[] = { P_TEXT(actor), P_TEXT(act), P_TEXT(why) };

	return query_send(t, s, Q_AUDIT_NOTE, params, NO_ROWS, then);
}

static const struct column seal_columns[] = {
	COL_INT8(struct store_seal, seal_id),
	COL_INT4(struct store_seal, entries),
};

const struct step *
store_audit_seal(struct task *t, struct store *s, int32_t most, struct store_seal *out,
	const struct step *then)
{
	const struct param params[] = { P_INT4(most) };

	return query_send(t, s, Q_AUDIT_SEAL, params, ONE_ROW(seal_columns, out), then);
}

static const struct column check_columns[] = {
	COL_INT8(struct store_check, last),
	COL_INT8(struct store_check, seals),
	COL_INT8(struct store_check, entries),
	COL_INT8(struct store_check, broken),
	COL_INT8(struct store_check, unsealed),
	COL_INT8(struct store_check, orphans),
};

const struct step *
store_audit_check(struct task *t, struct store *s, int64_t after, int32_t most,
	struct store_check *out, const struct step *then)
{
	const struct param params[] = { P_INT8(after), P_INT4(most) };

	return query_send(t, s, Q_AUDIT_CHECK, params, ONE_ROW(check_columns, out), then);
}

static const struct column package_columns[] = {
	COL_TEXT(struct store_sealed_package, iccid),
	COL_BYTES(struct store_sealed_package, upp),
};

const struct step *
store_sealed_packages(struct task *t, struct store *s, struct slice key_id, struct slice after,
	int64_t octets, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_BYTES(key_id), P_TEXT(after), P_INT8(octets) };

	return query_send(t, s, Q_SEALED_PACKAGES, params,
		MANY_ROWS(struct store_sealed_package, package_columns, STORE_RESEAL_MOST, out),
		then);
}

static const struct column seed_columns[] = {
	COL_INT8(struct store_sealed_seed, order_id),
	COL_BYTES(struct store_sealed_seed, seed),
};

const struct step *
store_sealed_seeds(struct task *t, struct store *s, struct slice key_id, int64_t after,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_BYTES(key_id), P_INT8(after) };

	return query_send(t, s, Q_SEALED_SEEDS, params,
		MANY_ROWS(struct store_sealed_seed, seed_columns, STORE_RESEAL_MOST, out), then);
}

static const struct column template_columns[] = {
	COL_INT8(struct store_sealed_template, template_id),
	COL_BYTES(struct store_sealed_template, upp),
};

const struct step *
store_sealed_templates(struct task *t, struct store *s, struct slice key_id, int64_t after,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_BYTES(key_id), P_INT8(after) };

	return query_send(t, s, Q_SEALED_TEMPLATES, params,
		MANY_ROWS(struct store_sealed_template, template_columns, STORE_RESEAL_MOST, out),
		then);
}

static const struct column personal_columns[] = {
	COL_TEXT(struct store_sealed_personal, iccid),
	COL_BYTES(struct store_sealed_personal, personal),
};

const struct step *
store_sealed_personal(struct task *t, struct store *s, struct slice key_id, struct slice after,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_BYTES(key_id), P_TEXT(after) };

	return query_send(t, s, Q_SEALED_PERSONAL, params,
		MANY_ROWS(struct store_sealed_personal, personal_columns,
			STORE_RESEAL_PERSONAL_MOST, out),
		then);
}

static const struct column left_columns[] = {
	COL_INT8(struct store_sealed_left, packages),
	COL_INT8(struct store_sealed_left, seeds),
	COL_INT8(struct store_sealed_left, templates),
	COL_INT8(struct store_sealed_left, personal),
};

const struct step *
store_sealed_left(struct task *t, struct store *s, struct slice key_id,
	struct store_sealed_left *out, const struct step *then)
{
	const struct param params[] = { P_BYTES(key_id) };

	return query_send(t, s, Q_SEALED_PACKAGES_LEFT, params, ONE_ROW(left_columns, out), then);
}

static const struct column resealed_columns[] = { COL_INT8(struct store_resealed, done) };

const struct step *
store_packages_reseal(struct task *t, struct store *s, const struct slice *iccids,
	const struct slice *former, const struct slice *fresh, size_t n, struct store_resealed *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT_ARRAY(iccids, n), P_BYTES_ARRAY(former, n),
		P_BYTES_ARRAY(fresh, n) };

	return query_send(t, s, Q_PACKAGES_RESEAL, params, ONE_ROW(resealed_columns, out), then);
}

const struct step *
store_seeds_reseal(struct task *t, struct store *s, const int64_t *orders,
	const struct slice *former, const struct slice *fresh, size_t n, struct store_resealed *out,
	const struct step *then)
{
	const struct param params[] = { P_INT8_ARRAY(orders, n), P_BYTES_ARRAY(former, n),
		P_BYTES_ARRAY(fresh, n) };

	return query_send(t, s, Q_SEEDS_RESEAL, params, ONE_ROW(resealed_columns, out), then);
}

const struct step *
store_templates_reseal(struct task *t, struct store *s, const int64_t *ids,
	const struct slice *former, const struct slice *fresh, size_t n, struct store_resealed *out,
	const struct step *then)
{
	const struct param params[] = { P_INT8_ARRAY(ids, n), P_BYTES_ARRAY(former, n),
		P_BYTES_ARRAY(fresh, n) };

	return query_send(t, s, Q_TEMPLATES_RESEAL, params, ONE_ROW(resealed_columns, out), then);
}

const struct step *
store_personal_reseal(struct task *t, struct store *s, const struct slice *iccids,
	const struct slice *former, const struct slice *fresh, size_t n, struct store_resealed *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT_ARRAY(iccids, n), P_BYTES_ARRAY(former, n),
		P_BYTES_ARRAY(fresh, n) };

	return query_send(t, s, Q_PERSONAL_RESEAL, params, ONE_ROW(resealed_columns, out), then);
}

static const struct column prepared_columns[] = { COL_BOOL(struct store_prepared_audit, prepared) };

const struct step *
store_audit_prepare(
	struct task *t, struct store *s, struct store_prepared_audit *out, const struct step *then)
{
	return query_send(t, s, Q_AUDIT_PREPARE, NO_PARAMS, ONE_ROW(prepared_columns, out), then);
}
