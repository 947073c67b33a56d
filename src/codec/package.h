#ifndef CODEC_PACKAGE_H
#define CODEC_PACKAGE_H
/*
 * The Bound Profile Package (SGP.22 §2.5.4, §5.5): the request that opens the secure channel, the
 * plaintexts of its commands, and the frame around protected segments, which are made elsewhere.
 * Lengths are the caller's promise, as in codec/server.h.
 */
#include "base/buf.h"

/* InitialiseSecureChannelRequest, BF23 (§5.5.1). */
struct codec_channel {
	struct slice transaction_id; /* 1 to 16 octets */
	struct slice host_id;        /* 1 to 16 octets, also in the key derivation */
	struct slice smdp_otpk;      /* 65 octets */
	struct slice signature;      /* r and s, 64 octets; not needed for the signed octets */
};

/* The octets under smdpSign: the members up to smdpOtpk, then the eUICC's key, which is not sent. */
struct slice codec_channel_signed_write(
	struct arena *mem, const struct codec_channel *in, struct slice euicc_otpk);
struct slice codec_channel_write(struct arena *mem, const struct codec_channel *in);

/* ConfigureISDPRequest, BF24 (§5.5.2), empty: no dpProprietaryData. */
struct slice codec_configure_isdp_write(struct arena *mem);

/* ReplaceSessionKeysRequest, BF26 (§5.5.4). Three values of 16 octets: the result is a secret. */
struct slice codec_replace_session_keys_write(
	struct arena *mem, struct slice chaining_value, struct slice key_enc, struct slice key_mac);

/*
 * The frame. The head holds all but the profile's own segments, which the caller puts after it:
 *   codec_package_put_head(&out, &p);  then exactly p.profile_size octets of '86' segments.
 */
struct codec_package {
	struct slice channel;      /* the BF23 TLV */
	struct slice configure;    /* A0: one '87' */
	struct slice metadata;     /* A1: one or more '88' */
	struct slice session_keys; /* A2: one '87', or absent without protection keys */
	size_t profile_size;       /* A3: octets of all '86' together */
};

/* Octets of the whole package. */
size_t codec_package_size(const struct codec_package *p);
void codec_package_put_head(struct buf *out, const struct codec_package *p);

#endif
