/* SHA-256, HMAC-SHA-256 (RFC 2104) and HKDF (RFC 5869) over parts. */
#include "crypto/digest.h"
#include "crypto/int.h"

void
crypto_sha256(const struct slice *parts, size_t n, uint8_t out[CRYPTO_SHA256_SIZE])
{
	const struct ossl *o = crypto_ossl();

	must(EVP_DigestInit_ex(o->digest, o->sha256, NULL));
	for (size_t i = 0; i < n; i++)
		must(EVP_DigestUpdate(o->digest, parts[i].p, parts[i].n));
	must(EVP_DigestFinal_ex(o->digest, out, NULL));
}

void
crypto_hmac_sha256(
	struct slice key, const struct slice *parts, size_t n, uint8_t out[CRYPTO_SHA256_SIZE])
{
	const struct ossl *o = crypto_ossl();
	static const uint8_t zero[1];
	size_t size;

	/* OpenSSL takes a NULL key for "the one of last time". */
	must(EVP_MAC_init(o->hmac, key.n ? key.p : zero, key.n, NULL));
	for (size_t i = 0; i < n; i++)
		must(EVP_MAC_update(o->hmac, parts[i].p, parts[i].n));
	must(EVP_MAC_final(o->hmac, out, &size, CRYPTO_SHA256_SIZE));
}

void
crypto_hkdf_sha256(struct slice salt, struct slice key, struct slice info, uint8_t *out, size_t n)
{
	uint8_t prk[CRYPTO_SHA256_SIZE], block[CRYPTO_SHA256_SIZE], count = 0;
	struct slice parts[3] = { SLICE_NONE, info, { &count, 1 } };

	must(n <= 255 * CRYPTO_SHA256_SIZE);
	crypto_hmac_sha256(salt, &key, 1, prk);
	while (n) {
		size_t now = n < sizeof block ? n : sizeof block;

		count++;
		crypto_hmac_sha256(SLICE_ARRAY(prk), parts, 3, block);
		memcpy(out, block, now);
		parts[0] = SLICE_ARRAY(block);
		out += now;
		n -= now;
	}
	explicit_bzero(prk, sizeof prk);
	explicit_bzero(block, sizeof block);
}
