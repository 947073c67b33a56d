/* The eUICCs of the eIM: the wrappers of sql/query/euicc.sql. */
#include "store/euicc.h"
#include <assert.h>
#include "store/query.h"

static const struct column added_columns[] = { COL_TEXT(struct store_euicc_added, eid),
	COL_TEXT(struct store_euicc_added, outcome) };

/* The arrays of one call: a place in each for each eUICC. */
struct arrays {
	struct slice eids[STORE_EUICC_ADD_MAX], euicc[STORE_EUICC_ADD_MAX],
		eum[STORE_EUICC_ADD_MAX], points[STORE_EUICC_ADD_MAX], tokens[STORE_EUICC_ADD_MAX],
		imeis[STORE_EUICC_ADD_MAX], injects[STORE_EUICC_ADD_MAX];
	int64_t curves[STORE_EUICC_ADD_MAX], test_cis[STORE_EUICC_ADD_MAX],
		counters[STORE_EUICC_ADD_MAX];
};

static void
arrays_put(struct arrays *a, size_t i, const struct store_new_euicc *in)
{
	a->eids[i] = in->eid;
	a->euicc[i] = in->euicc_certificate;
	a->eum[i] = in->eum_certificate;
	a->points[i] = in->key ? SLICE_ARRAY(in->key->point) : SLICE_NONE;
	a->curves[i] = in->key ? (int64_t)in->key->curve : 0;
	a->test_cis[i] = in->test_ci;
	a->tokens[i] = in->token;
	a->counters[i] = in->counter;
	a->imeis[i] = in->imei;
	a->injects[i] = in->inject;
}

const struct step *
store_euicc_add(struct task *t, struct store *s, struct slice operator_name,
	const struct store_new_euicc *in, size_t n, struct slice actor, struct slice why,
	struct rows *out, const struct step *then)
{
	struct arrays *a = ARENA_NEW(t->mem, struct arrays);
	const struct param params[] = { P_TEXT(operator_name), P_TEXT_ARRAY(a->eids, n),
		P_BYTES_ARRAY(a->euicc, n), P_BYTES_ARRAY(a->eum, n), P_INT8_ARRAY(a->curves, n),
		P_BYTES_ARRAY(a->points, n), P_INT8_ARRAY(a->test_cis, n),
		P_TEXT_ARRAY(a->tokens, n), P_INT8_ARRAY(a->counters, n), P_TEXT_ARRAY(a->imeis, n),
		P_TEXT_ARRAY(a->injects, n), P_TEXT(actor), P_TEXT(why) };

	assert(n <= STORE_EUICC_ADD_MAX);
	for (size_t i = 0; i < n; i++)
		arrays_put(a, i, &in[i]);
	return query_send(t, s, Q_EUICC_ADD, params,
		MANY_ROWS(struct store_euicc_added, added_columns, STORE_EUICC_ADD_MAX, out), then);
}

static const struct column changed_columns[] = { COL_TEXT(struct store_euicc_changed, eid),
	COL_BOOL(struct store_euicc_changed, refused) };

const struct step *
store_euicc_set(struct task *t, struct store *s, const struct store_euicc_change *in,
	struct store_euicc_changed *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(in->eid), P_INT8_OR_NULL(in->operator_id),
		P_TEXT(in->operator_name), P_TEXT(in->token), P_INT8_OR_NULL(in->counter),
		P_TEXT(in->inject), P_TEXT(in->actor), P_TEXT(in->why) };

	return query_send(t, s, Q_EUICC_SET, params, ONE_ROW(changed_columns, out), then);
}

static const struct column removed_columns[] = { COL_TEXT(struct store_euicc_removed, eid) };

const struct step *
store_euicc_remove(struct task *t, struct store *s, struct slice eid, int64_t operator_id,
	struct slice actor, struct slice why, struct store_euicc_removed *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_INT8_OR_NULL(operator_id), P_TEXT(actor),
		P_TEXT(why) };

	return query_send(t, s, Q_EUICC_REMOVE, params, ONE_ROW(removed_columns, out), then);
}

static const struct column fence_columns[] = { COL_INT8(struct store_fence, lifted) };

const struct step *
store_euicc_fence(struct task *t, struct store *s, struct slice eid, int64_t step,
	struct slice actor, struct slice why, struct store_fence *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_INT8(step), P_TEXT(actor), P_TEXT(why) };

	return query_send(t, s, Q_EUICC_FENCE, params, ONE_ROW(fence_columns, out), then);
}

static const struct column learnt_columns[] = { COL_TEXT(struct store_euicc_learnt, eid) };

static struct param
number_or_null(int32_t n)
{
	return n < 0 ? P_NULL(INT4) : P_INT4(n);
}

const struct step *
store_euicc_learn(struct task *t, struct store *s, const struct store_euicc_facts *in,
	struct store_euicc_learnt *out, const struct step *then)
{
	const struct crypto_public *key = in->key;
	const struct param params[] = { P_TEXT(in->eid), P_BYTES(in->info1), P_BYTES(in->info2),
		number_or_null(in->iot_version), number_or_null(in->features),
		number_or_null(in->protocols), P_TEXT(in->tac), P_TEXT(in->imei),
		P_TEXT(in->default_smdp), P_TEXT(in->root_smds), P_BYTES(in->euicc_certificate),
		P_BYTES(in->eum_certificate), key ? P_INT2(key->curve) : P_NULL(INT2),
		P_BYTES(key ? SLICE_ARRAY(key->point) : SLICE_NONE), P_BOOL(in->test_ci),
		P_INT8(in->token), P_BOOL(in->has_token) };

	return query_send(t, s, Q_EUICC_LEARN, params, ONE_ROW(learnt_columns, out), then);
}

const struct step *
store_euicc_admit(struct task *t, struct store *s, const struct store_euicc_facts *in,
	struct slice operator_name, struct store_euicc_learnt *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(in->eid), P_TEXT(operator_name),
		P_BYTES(in->euicc_certificate), P_BYTES(in->eum_certificate),
		P_INT2(in->key->curve), P_BYTES(SLICE_ARRAY(in->key->point)), P_BOOL(in->test_ci) };

	return query_send(t, s, Q_EUICC_ADMIT, params, ONE_ROW(learnt_columns, out), then);
}

static const struct column euicc_columns[] = {
	COL_TEXT(struct store_euicc, eid),
	COL_TEXT(struct store_euicc, operator_name),
	COL_TIME(struct store_euicc, added_at),
	COL_TEXT(struct store_euicc, added_by),
	COL_BOOL(struct store_euicc, proven),
	COL_INT2(struct store_euicc, curve),
	COL_BYTES(struct store_euicc, euicc_certificate),
	COL_BYTES(struct store_euicc, eum_certificate),
	COL_BOOL(struct store_euicc, test_ci),
	COL_BYTES(struct store_euicc, info1),
	COL_BYTES(struct store_euicc, info2),
	COL_INT4(struct store_euicc, iot_version),
	COL_INT4(struct store_euicc, features),
	COL_INT4(struct store_euicc, protocols),
	COL_TEXT(struct store_euicc, tac),
	COL_TEXT(struct store_euicc, imei),
	COL_TEXT(struct store_euicc, default_smdp),
	COL_TEXT(struct store_euicc, root_smds),
	COL_TIME(struct store_euicc, learnt_at),
	COL_INT8(struct store_euicc, counter),
	COL_INT8(struct store_euicc, token),
	COL_TEXT(struct store_euicc, token_standing),
	COL_INT8(struct store_euicc, candidate),
	COL_TEXT(struct store_euicc, candidate_state),
	COL_TEXT(struct store_euicc, signature_form),
	COL_TEXT(struct store_euicc, enabled),
	COL_TIME(struct store_euicc, listed_at),
	COL_INT8(struct store_euicc, outstanding),
	COL_INT8(struct store_euicc, barrier),
	COL_TIME(struct store_euicc, closed_at),
	COL_TIME(struct store_euicc, last_seen),
	COL_INT2(struct store_euicc, last_cause),
	COL_TIME(struct store_euicc, last_cause_at),
	COL_TEXT(struct store_euicc, inject),
	COL_INT8(struct store_euicc, waiting),
	COL_INT8(struct store_euicc, unknown),
};

const struct step *
store_euicc_find(struct task *t, struct store *s, struct slice eid, int64_t operator_id,
	struct store_euicc *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_INT8_OR_NULL(operator_id) };

	return query_send(t, s, Q_EUICC_FIND, params, ONE_ROW(euicc_columns, out), then);
}

static const struct column profile_columns[] = {
	COL_TEXT(struct store_euicc_profile, iccid),
	COL_TEXT(struct store_euicc_profile, state),
	COL_BOOL(struct store_euicc_profile, fallback),
	COL_TEXT(struct store_euicc_profile, class),
	COL_TEXT(struct store_euicc_profile, name),
	COL_TEXT(struct store_euicc_profile, provider),
	COL_TIME(struct store_euicc_profile, since),
	COL_TEXT(struct store_euicc_profile, evidence),
	COL_TIME(struct store_euicc_profile, evidence_at),
	COL_INT8(struct store_euicc_profile, package_id),
};

const struct step *
store_euicc_profiles(struct task *t, struct store *s, struct slice eid, struct rows *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_INT4(STORE_EUICC_PROFILES) };

	return query_send(t, s, Q_EUICC_PROFILES, params,
		MANY_ROWS(struct store_euicc_profile, profile_columns, STORE_EUICC_PROFILES, out),
		then);
}

static const struct column eim_columns[] = {
	COL_TEXT(struct store_euicc_eim, eim_id),
	COL_INT2(struct store_euicc_eim, id_type),
	COL_TIME(struct store_euicc_eim, evidence_at),
	COL_INT8(struct store_euicc_eim, package_id),
};

const struct step *
store_euicc_eims(struct task *t, struct store *s, struct slice eid, struct rows *out,
	const struct step *then)
{
	const struct param params[] = { P_TEXT(eid), P_INT4(STORE_EUICC_EIMS) };

	return query_send(t, s, Q_EUICC_EIMS, params,
		MANY_ROWS(struct store_euicc_eim, eim_columns, STORE_EUICC_EIMS, out), then);
}

static const struct column line_columns[] = {
	COL_TEXT(struct store_euicc_line, eid),
	COL_TEXT(struct store_euicc_line, operator_name),
	COL_TIME(struct store_euicc_line, last_seen),
	COL_TEXT(struct store_euicc_line, enabled),
	COL_INT8(struct store_euicc_line, profiles),
	COL_INT8(struct store_euicc_line, waiting),
	COL_INT8(struct store_euicc_line, unknown),
	COL_BOOL(struct store_euicc_line, closed),
	COL_BOOL(struct store_euicc_line, proven),
};

const struct step *
store_euicc_list(struct task *t, struct store *s, const struct store_euicc_filter *in,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(in->after), P_INT4(in->most),
		P_TEXT(in->operator_name), P_TEXT(in->prefix), P_TIME_OR_NULL(in->silent_since),
		P_BOOL(in->with_unknown) };

	return query_send(t, s, Q_EUICC_LIST, params,
		MANY_ROWS(struct store_euicc_line, line_columns, STORE_EUICC_PAGE, out), then);
}
