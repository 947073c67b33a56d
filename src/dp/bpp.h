#ifndef DP_BPP_H
#define DP_BPP_H
/*
 * The Bound Profile Package (SGP.22 §2.5.4): a profile protected for one eUICC. Everything but the
 * signature of InitialiseSecureChannel follows from the seed, so the same inputs give the same segments,
 * octet for octet (RULES 2, binding record).
 */
#include "base/arena.h"
#include "crypto/agree.h"
#include "crypto/digest.h"

struct bpp_inputs {
	enum crypto_curve curve; /* of CERT.DPpb */
	const uint8_t *seed;     /* CRYPTO_SEED_SIZE octets, a secret */
	struct slice otpk;       /* otPK.EUICC.ECKA, 65 octets */
	struct slice eid;        /* 32 digits */
	struct slice host_id;    /* 1 to 16 octets */
	struct slice metadata;   /* BF25 */
	struct slice upp;        /* the profile elements, a secret */
	bool protection_keys;    /* PPK mode (§2.5.3) */
};

struct bpp {
	struct slice smdp_otpk; /* 65 octets */
	struct slice otpk, host_id;
	struct slice configure, metadata, session_keys, profile; /* protected segments */
	uint8_t sha256[CRYPTO_SHA256_SIZE];                      /* of all segments */
};

/* In the arena. NULL when otPK.EUICC is no point of the curve. */
struct bpp *bpp_new(struct arena *mem, const struct bpp_inputs *in);

/* The octets under smdpSign (§5.5.1) for this transaction. */
struct slice
bpp_signed_octets(struct arena *mem, const struct bpp *bpp, struct slice transaction_id);

/* The whole BF36, with the signature of 64 octets. */
struct slice bpp_write(struct arena *mem, const struct bpp *bpp, struct slice transaction_id,
	struct slice signature);

#endif
