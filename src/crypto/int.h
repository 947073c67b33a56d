#ifndef CRYPTO_INT_H
#define CRYPTO_INT_H
/*
 * What the files of crypto/ share: OpenSSL's algorithms, fetched once, and contexts that are used again
 * and again (one thread). OpenSSL 3.0 spends more on fetching than on hashing.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include "crypto/ecdsa.h"

enum { CURVE_COUNT = 2 };

struct ossl {
	EVP_MD *sha256;
	EVP_MD_CTX *digest; /* scratch: begun and ended within one function */
	EVP_MAC_CTX *hmac;  /* scratch, with SHA-256 chosen */
	EVP_MAC *cmac;
	EVP_CIPHER *cbc, *gcm;
	BN_CTX *bn;
	struct ossl_curve {
		EC_GROUP *group;
		EVP_PKEY *key; /* its public half is replaced for every verification */
	} curve[CURVE_COUNT];
};

/* Made at the first call; borrowed. */
const struct ossl *crypto_ossl(void) __attribute__((returns_nonnull));

/* For what can fail only for want of memory or by our own mistake. */
static inline void
must(bool fine)
{
	if (!fine)
		abort();
}

/* The key's point, on its curve and not infinity, for the caller to free; NULL otherwise. */
EC_POINT *crypto_point_new(const struct ossl *o, enum crypto_curve curve, struct slice point);

#endif
