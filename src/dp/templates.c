/*
 * Packages that are to become templates (TCA profile package): judged, compiled, described, sealed. What
 * becomes of them is the procedures' business.
 */
#include "dp/templates.h"
#include "dp/personalise.h"
#include "dp/refusal.h"
#include "profile/metadata.h"

struct slice
dp_network_of(struct arena *mem, struct slice mcc_mnc)
{
	const uint8_t *o = mcc_mnc.p;

	if (mcc_mnc.n != 3)
		return SLICE_NONE;
	return slice_text(arena_printf(mem, o[1] >> 4 == 0x0f ? "%x%x%x%x%x" : "%x%x%x%x%x%x",
		o[0] & 15, o[0] >> 4, o[1] & 15, o[2] & 15, o[2] >> 4, o[1] >> 4));
}

/*
 * What profiles of it will say, told of the template as far as it stays: an IMSI or key that the rows
 * bring is not the template's, so it proves nothing about the owner or the class.
 */
static bool
describe(struct task *t, struct dp_templates *x, size_t at, const struct dp_world *w,
	const struct profile_upp *upp, const char **note)
{
	const struct profile_template_info *info = profile_template_get(x->compiled[at]);
	enum codec_class wanted = CODEC_CLASS_OPERATIONAL;
	struct profile_upp told = *upp;
	struct codec_metadata m;

	if (info->takes >> PERSONAL_IMSI & 1)
		told.imsi[0] = 0;
	if (info->takes >> PERSONAL_K & 1) {
		if (x->wishes.profile_class.p)
			dp_class_find(x->wishes.profile_class, &wanted);
		else if (!(info->needs >> PERSONAL_K & 1) && upp->test_key)
			wanted = CODEC_CLASS_TEST;
		told.test_key = wanted == CODEC_CLASS_TEST;
	}
	profile_metadata_init(t->mem, &told, w->settings.address, &m);
	if (!upp->type.n)
		m.name = slice_sub(x->type_name, 0, 64);
	if (!dp_wishes_apply(t->mem, &x->wishes, &m, note) ||
		!profile_metadata_write(t->mem, &told, &m, &x->row[at].metadata, note))
		return false;
	if (x->profile_class.p && !slice_eq(x->profile_class, dp_class_name(m.profile_class))) {
		*note = "the templates have different classes";
		return false;
	}
	x->profile_class = dp_class_name(m.profile_class);
	x->network[at] = dp_network_of(t->mem, m.mcc_mnc);
	return true;
}

static void
drop(void *template)
{
	profile_template_free(template);
}

static const struct refusal *
judge(struct task *t, struct dp_templates *x, size_t at, const struct dp_world *w,
	const char **note)
{
	const struct profile_template_info *info;
	struct profile_fault fault;
	struct profile_upp upp;

	x->compiled[at] = profile_template_new(t->mem, x->packages[at], &fault);
	if (x->compiled[at])
		arena_defer(t->mem, drop, x->compiled[at]);
	if (!x->compiled[at] || !profile_upp_read(t->mem, x->packages[at], &upp, &fault)) {
		*note = fault.reason;
		return REFUSE(PACKAGE_INVALID);
	}
	info = profile_template_get(x->compiled[at]);
	x->row[at] = (struct store_template){ .saip_version = info->saip_version,
		.services = info->services,
		.octets = (int64_t)info->octets };
	return describe(t, x, at, w, &upp, note) ? NULL : REFUSE(METADATA_INVALID);
}

const struct refusal *
dp_templates_judge(
	struct task *t, struct dp_templates *x, const struct dp_world *w, const char **note)
{
	const struct refusal *no = NULL;

	for (size_t i = 0; i < x->count && !no; i++)
		no = judge(t, x, i, w, note);
	return no;
}

bool
dp_templates_seal(struct task *t, struct dp_templates *x, const struct dp_world *w)
{
	const struct store_template_place *place = x->places.first;

	if (x->places.n != x->count)
		return false;
	for (size_t i = 0; i < x->count; i++) {
		x->row[i].template_id = place[i].template_id;
		x->row[i].upp = crypto_seal(w->sealer, t->mem,
			dp_template_place(t->mem, place[i].template_id), x->packages[i]);
	}
	return true;
}
