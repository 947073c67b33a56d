#ifndef CODEC_METADATA_H
#define CODEC_METADATA_H
/*
 * The metadata of a profile (StoreMetadataRequest, SGP.22 §5.5.3): shown to the user before the
 * download, stored by the eUICC with the profile. The same octets go into AuthenticateClient's answer
 * and, protected, into the package.
 */
#include "base/arena.h"

enum codec_class { CODEC_CLASS_TEST, CODEC_CLASS_PROVISIONING, CODEC_CLASS_OPERATIONAL };

enum codec_icon { CODEC_ICON_JPG, CODEC_ICON_PNG };

/* Bits of profilePolicyRules and forbiddenProfilePolicyRules. */
#define CODEC_PPR_UPDATE 1u     /* pprUpdateControl */
#define CODEC_PPR_NO_DISABLE 2u /* PPR1 */
#define CODEC_PPR_NO_DELETE 4u  /* PPR2 */

/* Who hears of what happens to the profile. */
struct codec_notify {
	uint8_t events;       /* 1u << enum codec_operation, several at once */
	struct slice address; /* FQDN; when read: raw octets, not checked to be text */
};

#define CODEC_NOTIFY_MAX 16

struct codec_metadata {
	struct slice iccid;          /* 10 octets as in EF.ICCID */
	struct slice provider, name; /* UTF-8, at most 32 and 64 characters */
	enum codec_icon icon_type;   /* counts only with an icon */
	struct slice icon;           /* at most 1024 octets, or absent */
	enum codec_class profile_class;
	struct codec_notify notify[CODEC_NOTIFY_MAX];
	size_t notify_count;
	struct slice mcc_mnc;    /* profileOwner: 3 octets (TS 24.008), or absent: no owner */
	struct slice gid1, gid2; /* as in the files, or absent */
	uint8_t rules;           /* CODEC_PPR_* */
};

/* The BF25 TLV in the arena; false with a reason when a member is out of its bounds. */
bool codec_store_metadata_write(
	struct arena *mem, const struct codec_metadata *in, struct slice *out, const char **why);

/* Entries of one address are joined again. Slices point into `octets` or the arena. */
bool codec_store_metadata_read(
	struct arena *mem, struct slice octets, struct codec_metadata *out, const char **why);

#endif
