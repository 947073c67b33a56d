#ifndef CRYPTO_ECDSA_H
#define CRYPTO_ECDSA_H
/*
 * ECDSA with SHA-256 on the two curves of SGP.22 §2.6.7.2. Signatures are plain r‖s, 64 octets, as
 * BSI TR-03111 has it. Octets to sign or verify come in parts and count as one run.
 */
#include "base/slice.h"

enum crypto_curve { CURVE_P256, CURVE_BRAINPOOL_P256R1 };
enum { CRYPTO_POINT_SIZE = 65, CRYPTO_SIGNATURE_SIZE = 64, CRYPTO_SCALAR_SIZE = 32 };

/* A public key; a plain value, may be stored and read back with crypto_public_init. */
struct crypto_public {
	enum crypto_curve curve;
	uint8_t point[CRYPTO_POINT_SIZE]; /* uncompressed: 04 ‖ X ‖ Y */
};

/* "P-256" or "brainpoolP256r1". */
const char *crypto_curve_name(enum crypto_curve curve);

/* False when `point` is not 65 octets of an uncompressed point on the curve. */
bool crypto_public_init(struct crypto_public *key, enum crypto_curve curve, struct slice point);
bool crypto_public_eq(const struct crypto_public *a, const struct crypto_public *b);

/* True when `signature` (64 octets, else false) is the key's over the parts. */
bool crypto_verify(const struct crypto_public *key, const struct slice *parts, size_t n,
	struct slice signature);

/* The same for the DER signatures of certificates and revocation lists. */
bool
crypto_verify_der(const struct crypto_public *key, struct slice octets, struct slice signature);

/* A private key, for keys/ alone: others ask keys_sign. Wiped by its free. */
struct crypto_private;

/* From PEM text (PKCS #8 or SEC 1, not encrypted). NULL when it holds no key on one of the curves. */
struct crypto_private *crypto_private_new(struct slice pem);
void crypto_private_free(struct crypto_private *key);
const struct crypto_public *crypto_private_public(const struct crypto_private *key);

/* The nonce comes from OpenSSL's own generator, not from rand_bytes: signatures never repeat. */
void crypto_private_sign(struct crypto_private *key, const struct slice *parts, size_t n,
	uint8_t signature[CRYPTO_SIGNATURE_SIZE]);

#endif
