/* Templates of profile types: the wrappers of sql/query/template.sql. */
#include "store/query.h"
#include "store/template.h"

static const struct column place_columns[] = {
	COL_INT8(struct store_template_place, template_id),
	COL_INT8(struct store_template_place, operator_id),
	COL_INT8(struct store_template_place, type_id),
	COL_INT4(struct store_template_place, version),
	COL_INT4(struct store_template_place, rank),
	{ "class", KIND_TEXT, SHAPE_SLICE, offsetof(struct store_template_place, profile_class) },
	COL_INT8(struct store_template_place, loads),
	COL_INT8(struct store_template_place, fields_all),
	COL_INT8(struct store_template_place, fields_any),
	COL_BYTES(struct store_template_place, details),
};

const struct step *
store_template_prepare(struct task *t, struct store *s, struct slice type_name,
	struct slice operator_name, int32_t count, struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(type_name), P_TEXT(operator_name), P_INT4(count) };

	return query_send(t, s, Q_TEMPLATE_PREPARE, params,
		MANY_ROWS(struct store_template_place, place_columns, STORE_TEMPLATES, out), then);
}

struct store_template_arrays
store_template_arrays(struct arena *mem, const struct store_template *templates, size_t n)
{
	struct store_template_arrays a = { .ids = ARENA_ARRAY(mem, int64_t, n),
		.saip_versions = ARENA_ARRAY(mem, int64_t, n),
		.services = ARENA_ARRAY(mem, int64_t, n),
		.octets = ARENA_ARRAY(mem, int64_t, n),
		.metadata = ARENA_ARRAY(mem, struct slice, n),
		.upps = ARENA_ARRAY(mem, struct slice, n) };

	for (size_t i = 0; i < n; i++) {
		a.ids[i] = templates[i].template_id;
		a.saip_versions[i] = templates[i].saip_version;
		a.services[i] = templates[i].services;
		a.octets[i] = templates[i].octets;
		a.metadata[i] = templates[i].metadata;
		a.upps[i] = templates[i].upp;
	}
	return a;
}

static const struct column added_columns[] = { COL_INT4(struct store_template_added, version) };

const struct step *
store_template_add(struct task *t, struct store *s, const struct store_template_addition *in,
	struct store_template_added *out, const struct step *then)
{
	size_t n = in->count;
	struct store_template_arrays a = store_template_arrays(t->mem, in->templates, n);
	const struct param params[] = { P_INT8(in->type_id), P_INT4(in->version),
		P_INT4(in->former), P_INT4(in->rank), P_INT8(in->loads), P_INT8_ARRAY(a.ids, n),
		P_INT8_ARRAY(a.saip_versions, n), P_INT8_ARRAY(a.services, n),
		P_INT8_ARRAY(a.octets, n), P_BYTES_ARRAY(a.metadata, n), P_BYTES_ARRAY(a.upps, n),
		P_TEXT(in->profile_class), P_TEXT(in->actor), P_TEXT(in->why) };

	return query_send(t, s, Q_TEMPLATE_ADD, params, ONE_ROW(added_columns, out), then);
}

static const struct column load_type_columns[] = {
	COL_INT8(struct store_load_type, operator_id),
	COL_INT8(struct store_load_type, type_id),
	COL_INT4(struct store_load_type, version),
	{ "class", KIND_TEXT, SHAPE_SLICE, offsetof(struct store_load_type, profile_class) },
	COL_TEXT(struct store_load_type, imsi_low),
	COL_TEXT(struct store_load_type, imsi_high),
};

const struct step *
store_load_type_find(struct task *t, struct store *s, struct slice type_name,
	struct slice operator_name, struct store_load_type *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(type_name), P_TEXT(operator_name) };

	return query_send(
		t, s, Q_TEMPLATE_LOAD_TYPE, params, ONE_ROW(load_type_columns, out), then);
}

static const struct column variant_columns[] = {
	COL_INT8(struct store_variant, template_id),
	COL_BYTES(struct store_variant, metadata),
	COL_BYTES(struct store_variant, upp),
};

const struct step *
store_template_version(struct task *t, struct store *s, int64_t type_id, int32_t version,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_INT8(type_id), P_INT4(version) };

	return query_send(t, s, Q_TEMPLATE_VERSION_LIST, params,
		MANY_ROWS(struct store_variant, variant_columns, 64, out), then);
}

static const struct column upp_columns[] = { COL_BYTES(struct store_template_upp, upp) };

const struct step *
store_template_find(struct task *t, struct store *s, int64_t template_id,
	struct store_template_upp *out, const struct step *then)
{
	const struct param params[] = { P_INT8(template_id) };

	return query_send(t, s, Q_TEMPLATE_FIND, params, ONE_ROW(upp_columns, out), then);
}
