#ifndef RSPSIM_CRYPTO_H
#define RSPSIM_CRYPTO_H
/*
 * The card's own cryptography over OpenSSL's primitives: keys on P-256 and brainpoolP256r1,
 * signatures as r‖s, key agreement, ANSI X9.63 derivation, AES and CMAC (SGP.22 §2.6, Annex G).
 * Curves are OpenSSL's NIDs.
 */
#include <openssl/evp.h>
#include "base/arena.h"

#define RSPSIM_POINT 65     /* octets of 04‖X‖Y */
#define RSPSIM_SIGNATURE 64 /* octets of r‖s */

/* A new key pair; the caller frees it with EVP_PKEY_free. */
EVP_PKEY *rspsim_key_new(int curve);
/* A public key out of an uncompressed point; NULL when the point is not on the curve. */
EVP_PKEY *rspsim_key_from_point(int curve, struct slice point);
int rspsim_key_curve(const EVP_PKEY *key); /* NID_undef for anything but a named EC curve */
struct slice rspsim_key_point(struct arena *mem, const EVP_PKEY *key);

/* ECDSA with SHA-256 (§2.6.7.2); the signature as 64 octets r‖s, never as a DER SEQUENCE. */
struct slice rspsim_sign(struct arena *mem, EVP_PKEY *key, struct slice data);
bool rspsim_verify(EVP_PKEY *key, struct slice data, struct slice signature);

/* The X coordinate of the product, 32 octets, leading zeros kept; false when there is none. */
bool rspsim_agree(EVP_PKEY *own, EVP_PKEY *peer, uint8_t z[32]);
/* ANSI X9.63 with SHA-256: 48 octets of key data. */
void rspsim_derive(const uint8_t z[32], struct slice shared_info, uint8_t out[48]);
void rspsim_sha256(struct slice a, struct slice b, uint8_t out[32]); /* of a‖b */

/* AES-128; `in` is a multiple of 16 octets, `out` as long. A NULL iv means ECB. */
void
rspsim_aes(const uint8_t key[16], const uint8_t *iv, struct slice in, uint8_t *out, bool encrypt);
void rspsim_cmac(const uint8_t key[16], const struct slice *parts, size_t count, uint8_t out[16]);

#endif
