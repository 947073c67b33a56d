/* Profiles and their types: the wrappers of sql/query/profile.sql. */
#include "store/profile.h"
#include "store/query.h"
#include "store/view.h"

static const struct column imported_columns[] = {
	COL_TEXT(struct store_imported, iccid),
	COL_TEXT(struct store_imported, type_name),
};

const struct step *
store_profile_import(struct task *t, struct store *s, const struct store_import *in,
	struct store_imported *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(in->iccid), P_TEXT(in->type_name),
		P_TEXT(in->profile_class), P_TEXT(in->imsi), P_INT4(in->saip_version),
		P_INT8(in->services), P_INT4(in->upp_octets), P_BYTES(in->metadata),
		P_BYTES(in->upp), P_TEXT(in->actor), P_TEXT(in->why), P_TEXT(in->operator_name) };

	return query_send(t, s, Q_PROFILE_IMPORT, params, ONE_ROW(imported_columns, out), then);
}

static const struct column profile_columns[] = {
	COL_TEXT(struct store_profile, iccid),
	COL_TEXT(struct store_profile, state),
};

const struct step *
store_profile_find(struct task *t, struct store *s, struct slice iccid, struct store_profile *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(iccid) };

	return query_send(t, s, Q_PROFILE_FIND, params, ONE_ROW(profile_columns, out), then);
}

static const struct column type_columns[] = { COL_INT8(struct store_type, type_id) };

const struct step *
store_profile_type_create(struct task *t, struct store *s, const struct store_new_type *in,
	struct store_type *out, const struct step *then)
{
	size_t n = in->template_count;
	struct store_template_arrays a = store_template_arrays(t->mem, in->templates, n);
	const struct param params[] = { P_TEXT(in->name), P_TEXT(in->keys), P_TEXT(in->on_delete),
		P_TEXT(in->actor), P_TEXT(in->operator_name),
		in->low_water ? P_INT4(in->low_water) : P_NULL(INT4), P_TEXT(in->imsi_low),
		P_TEXT(in->imsi_high), P_INT8_ARRAY(a.ids, n), P_INT8_ARRAY(a.saip_versions, n),
		P_INT8_ARRAY(a.services, n), P_INT8_ARRAY(a.octets, n),
		P_BYTES_ARRAY(a.metadata, n), P_BYTES_ARRAY(a.upps, n), P_TEXT(in->profile_class),
		P_BOOL(in->shared_imsi) };

	return query_send(t, s, Q_PROFILE_TYPE_CREATE, params, ONE_ROW(type_columns, out), then);
}

static const struct column view_columns[] = { COL_JSON(struct store_view, view) };

const struct step *
store_profile_type_set(struct task *t, struct store *s, const struct store_type_change *in,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(in->name), P_TEXT(in->operator_name),
		in->low_water < 0 ? P_NULL(INT4) : P_INT4(in->low_water), P_TEXT(in->imsi_low),
		P_TEXT(in->imsi_high), P_BOOL(in->any_imsi), P_WISH(in->shared_imsi),
		P_TEXT(in->actor), P_TEXT(in->why) };

	return query_send(t, s, Q_PROFILE_TYPE_SET, params,
		MANY_ROWS(struct store_view, view_columns, 1, out), then);
}
