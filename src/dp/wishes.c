/* Wishes for metadata: the administrator's words over what a package says of itself. */
#include "dp/wishes.h"
#include "profile/metadata.h"

static const char *const class_names[] = {
	[CODEC_CLASS_TEST] = "test",
	[CODEC_CLASS_PROVISIONING] = "provisioning",
	[CODEC_CLASS_OPERATIONAL] = "operational",
};

bool
dp_class_find(struct slice name, enum codec_class *out)
{
	for (unsigned i = 0; i < sizeof class_names / sizeof *class_names; i++)
		if (slice_eq(name, slice_text(class_names[i]))) {
			*out = (enum codec_class)i;
			return true;
		}
	return false;
}

struct slice
dp_class_name(enum codec_class profile_class)
{
	return slice_text(class_names[profile_class]);
}

bool
dp_wishes_apply(struct arena *mem, const struct dp_wishes *wishes, struct codec_metadata *m,
	const char **why)
{
	if (wishes->name.p)
		m->name = wishes->name;
	if (wishes->provider.p)
		m->provider = wishes->provider;
	m->rules = wishes->rules;
	if (wishes->profile_class.p && !dp_class_find(wishes->profile_class, &m->profile_class)) {
		*why = "the class is none of test, provisioning, operational";
		return false;
	}
	if (wishes->icon.p && !profile_metadata_icon_read(wishes->icon, m, why))
		return false;
	if (wishes->owner.p && !profile_metadata_owner_read(mem, wishes->owner, m, why))
		return false;
	for (size_t i = 0; i < wishes->notify_count; i++)
		if (!profile_metadata_notify_read(mem, wishes->notify[i], m, why))
			return false;
	return true;
}
