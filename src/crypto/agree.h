#ifndef CRYPTO_AGREE_H
#define CRYPTO_AGREE_H
/*
 * Key agreement of SGP.22 §2.6.4 and Annex G: the SM-DP+'s one-time key pair out of a stored seed, ECDH
 * with the eUICC's one-time key, and the session keys by ANSI X9.63.
 */
#include "crypto/ecdsa.h"

enum { CRYPTO_SEED_SIZE = 32, CRYPTO_Z_SIZE = 32, CRYPTO_HOST_ID_MAX = 16 };

/* otSK.DP.ECKA and otPK.DP.ECKA; wiped by crypto_one_time_fini. */
struct crypto_one_time {
	uint8_t scalar[CRYPTO_SCALAR_SIZE]; /* big-endian, 1 … n-1 */
	struct crypto_public public;
};

/* The same seed and curve give the same pair: scalar = 1 + HKDF(seed, "rspd otSK.DP", 48) mod (n-1). */
void crypto_one_time_init(
	struct crypto_one_time *key, enum crypto_curve curve, const uint8_t seed[CRYPTO_SEED_SIZE]);
void crypto_one_time_fini(struct crypto_one_time *key);

/* Z: the product's X coordinate. False when `point` (otPK.EUICC.ECKA) is no point of the curve. */
bool crypto_agree(const struct crypto_one_time *key, struct slice point, uint8_t z[CRYPTO_Z_SIZE]);

/* Keys of an SCP03t run; the caller wipes them. */
struct crypto_session {
	uint8_t chain[16]; /* initial MAC chaining value */
	uint8_t enc[16];   /* S-ENC or PPK-ENC */
	uint8_t mac[16];   /* S-MAC or PPK-CMAC */
};

/* False unless host_id has 1 … 16 octets and eid is 32 digits. */
bool crypto_session_derive(struct crypto_session *keys, const uint8_t z[CRYPTO_Z_SIZE],
	struct slice host_id, struct slice eid);

/* Profile protection keys (PPK) and their chaining value, out of the same stored seed. */
void crypto_session_protection(struct crypto_session *keys, const uint8_t seed[CRYPTO_SEED_SIZE]);

#endif
