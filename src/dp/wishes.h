#ifndef DP_WISHES_H
#define DP_WISHES_H
/* What an administrator says of the metadata of a profile, or of all profiles of a type. */
#include "codec/metadata.h"

struct dp_wishes {
	struct slice name;          /* of the profile, for the user; absent: default */
	struct slice provider;      /* absent: default */
	struct slice profile_class; /* "test", …; absent: by the package's keys */
	struct slice icon;          /* PNG or JPEG; absent: none */
	struct slice owner;         /* "MCCMNC[:GID1[:GID2]]"; absent: by the IMSI if due */
	uint8_t rules;              /* CODEC_PPR_* */
	const struct slice *notify; /* "ADDRESS=EVENT+EVENT" each; none: ourselves */
	size_t notify_count;
};

/* Over the defaults of profile_metadata_init; false with words. */
bool dp_wishes_apply(struct arena *mem, const struct dp_wishes *wishes, struct codec_metadata *m,
	const char **why);

/* A class as it is called in the database and on the control socket. */
bool dp_class_find(struct slice name, enum codec_class *out);
struct slice dp_class_name(enum codec_class profile_class);

#endif
