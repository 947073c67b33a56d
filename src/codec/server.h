#ifndef CODEC_SERVER_H
#define CODEC_SERVER_H
/*
 * What an SM-DP+ says on ES9+ (SGP.22 §5.6, §5.7): the parts it signs, in exactly the octets that are
 * signed and sent. Writers never fail: lengths are the caller's promise. The answer lives in the arena.
 */
#include "base/arena.h"

struct codec_server_signed1 {
	struct slice transaction_id;   /* 1 to 16 octets */
	struct slice euicc_challenge;  /* 16 octets */
	struct slice server_address;   /* in the client's own spelling */
	struct slice server_challenge; /* 16 octets */
};

struct codec_smdp_signed2 {
	struct slice transaction_id;
	bool cc_required;
	struct slice euicc_otpk; /* bppEuiccOtpk of the last attempt, 65 octets, or absent */
};

struct slice codec_server_signed1_write(struct arena *mem, const struct codec_server_signed1 *in);
struct slice codec_smdp_signed2_write(struct arena *mem, const struct codec_smdp_signed2 *in);

/* 5F37 40 and r and s (64 octets). */
struct slice codec_signature_write(struct arena *mem, struct slice signature);

/*
 * r and s, 64 octets, out of the value of a 5F37 TLV: as they are, or out of the ECDSA SEQUENCE of
 * X.509 that some eUICCs send (then written anew in the arena).
 */
bool codec_signature_read(struct arena *mem, struct slice value, struct slice *signature);

/* 04 14 and the 20 octets: euiccCiPKIdToBeUsed. */
struct slice codec_ci_pkid_write(struct arena *mem, struct slice id);

#endif
