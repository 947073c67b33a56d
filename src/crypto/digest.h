#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H
/*
 * SHA-256, HMAC and HKDF over octets given in parts, so that nobody joins them in memory first.
 * As all of crypto/: synchronous, one thread, no clock. The algorithms are fetched once. What OpenSSL
 * can only refuse for want of memory aborts.
 */
#include "base/slice.h"

enum { CRYPTO_SHA256_SIZE = 32 };

void crypto_sha256(const struct slice *parts, size_t n, uint8_t out[CRYPTO_SHA256_SIZE]);

/* RFC 2104. The key may have any length. */
void crypto_hmac_sha256(
	struct slice key, const struct slice *parts, size_t n, uint8_t out[CRYPTO_SHA256_SIZE]);

/* RFC 5869, extract and expand. `n` octets to `out`, at most 255 * 32. An absent salt is 32 zeros. */
void
crypto_hkdf_sha256(struct slice salt, struct slice key, struct slice info, uint8_t *out, size_t n);

#endif
