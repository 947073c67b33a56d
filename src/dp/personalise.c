/*
 * From a template and sealed personal data to the package of one subscriber, at binding time (TCA profile
 * package; docs/personalisation.md). The same octets come out for the same template and data, which is
 * what a retry needs (RULES 2, binding record).
 */
#include "base/text.h"
#include "codec/metadata.h"
#include "dp/personalise.h"
#include "dp/plans.h"

bool
dp_sealed_open(struct task *t, struct dp_world *w, struct crypto_place place, struct slice sealed,
	struct slice *plain)
{
	enum crypto_opened opened = crypto_open(w->sealer, t->mem, place, sealed, plain);

	if (opened == SEAL_OK || opened == SEAL_FORMER)
		return true;
	LOG(dp, ERROR, "alarm=seal column=%s row=%.*s reason=%s", place.column,
		SLICE_FMT(place.row), opened == SEAL_KEY_UNKNOWN ? "key-unknown" : "broken");
	return false;
}

struct crypto_place
dp_template_place(struct arena *mem, int64_t template_id)
{
	return (struct crypto_place){ DP_TEMPLATE_UPP,
		slice_text(arena_printf(mem, "%lld", (long long)template_id)) };
}

const struct profile_template *
dp_template_open(struct task *t, struct dp_world *w, int64_t template_id, struct slice sealed)
{
	struct dp *dp = ((struct dp_call *)t->state)->dp;
	struct profile_template *template;
	struct profile_fault fault;
	struct slice upp;

	if (!dp_sealed_open(t, w, dp_template_place(t->mem, template_id), sealed, &upp))
		return NULL;
	template = profile_template_new(t->mem, upp, &fault);
	if (!template) {
		LOG(dp, ERROR, "alarm=template template=%lld reason=\"%s\"", (long long)template_id,
			fault.reason);
		return NULL;
	}
	dp_plan_put(dp->plans, template_id, template);
	return template;
}

static bool
has_key(const struct profile_template_info *info, const struct profile_key *key)
{
	for (size_t i = 0; i < info->key_count; i++)
		if (info->keys[i].version == key->version && info->keys[i].id == key->id)
			return true;
	return false;
}

void
dp_personal_fit(const struct profile_template *template, const struct profile_personal *in,
	struct profile_personal *out)
{
	const struct profile_template_info *info = profile_template_get(template);

	out->key_count = 0;
	for (int f = 0; f < PERSONAL_FIELDS; f++)
		out->value[f] = info->takes >> f & 1 ? in->value[f] : SLICE_NONE;
	for (size_t i = 0; i < in->key_count; i++)
		if (has_key(info, &in->key[i]))
			out->key[out->key_count++] = in->key[i];
}

bool
dp_personalise(struct task *t, struct dp_world *w, const struct profile_template *template,
	struct slice iccid, struct slice sealed, struct slice *upp)
{
	struct crypto_place place = { DP_PROFILE_PERSONAL, iccid };
	struct profile_personal *all = ARENA_NEW(t->mem, struct profile_personal);
	struct profile_personal *fit = ARENA_NEW(t->mem, struct profile_personal);
	struct profile_row_fault fault = { .name = "record" };
	char masked[LOG_MASKED];
	struct slice record;

	if (!dp_sealed_open(t, w, place, sealed, &record))
		return false;
	if (profile_record_read(record, all, &fault.reason)) {
		dp_personal_fit(template, all, fit);
		if (profile_template_personalise(template, t->mem, fit, upp, &fault))
			return true;
	}
	LOG(dp, ERROR, "alarm=personal iccid=%s datum=%s reason=\"%s\"", log_masked(iccid, masked),
		fault.name, fault.reason);
	return false;
}

struct slice
dp_metadata_of(struct arena *mem, struct slice metadata, struct slice iccid)
{
	uint8_t *bcd = arena_alloc(mem, 10);
	struct codec_metadata m;
	struct slice out;
	const char *why;

	if (!codec_store_metadata_read(mem, metadata, &m, &why) || !text_iccid_to_bcd(iccid, bcd))
		return SLICE_NONE;
	m.iccid = slice_of(bcd, 10);
	return codec_store_metadata_write(mem, &m, &out, &why) ? out : SLICE_NONE;
}
