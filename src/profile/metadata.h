#ifndef PROFILE_METADATA_H
#define PROFILE_METADATA_H
/*
 * The metadata that goes with a package: defaults out of the package itself, the operator's wishes on
 * top, and the check that both tell one story before a StoreMetadataRequest is made of them.
 */
#include "codec/metadata.h"
#include "codec/notification.h"
#include "profile/upp.h"

/*
 * Defaults: ICCID, name (profileType, else "Profile" and the last digits), provider (EF.SPN, else the
 * name), class (test when the package carries the published test key, else operational), and
 * `own_address` to be told of enable, disable and delete. Slices point into `upp` or the arena.
 */
void profile_metadata_init(struct arena *mem, const struct profile_upp *upp,
	struct slice own_address, struct codec_metadata *out);

/* "MCCMNC[:GID1[:GID2]]", the GIDs in hexadecimal, into the owner's members. */
bool profile_metadata_owner_read(
	struct arena *mem, struct slice text, struct codec_metadata *out, const char **why);

/*
 * "ADDRESS=EVENT+EVENT" (install, enable, disable, delete): one more entry, or more events of the entry
 * that has this address, whatever its case.
 */
bool profile_metadata_notify_read(
	struct arena *mem, struct slice text, struct codec_metadata *out, const char **why);

/* An icon out of a file's octets; PNG or JPEG by its first octets. */
bool profile_metadata_icon_read(struct slice octets, struct codec_metadata *out, const char **why);

/*
 * The BF25 TLV. Refused with a reason (to be shown to the operator): a class that contradicts the
 * keys, an ICCID other than the package's, an owner other than the IMSI's network (when EF.AD does not
 * tell how long the MNC is, as long as the owner's). With policy rules and no owner given, the owner
 * comes from the IMSI.
 */
bool profile_metadata_write(struct arena *mem, const struct profile_upp *upp,
	const struct codec_metadata *in, struct slice *out, const char **why);

#endif
