#ifndef CRYPTO_TRUST_H
#define CRYPTO_TRUST_H
/* The inside of a trust: roots, revocation lists, and EUM certificates that were checked before. */
#include "crypto/chain.h"
#include "crypto/digest.h"

enum { EUM_MEMORY = 64 };

struct root {
	struct crypto_root facts;
	uint8_t *der;
	struct slice subject; /* in der */
};

/* Signed by a CI, or by an EUM: then it is verified when that EUM is first seen. */
struct crl {
	struct crypto_crl facts; /* facts.der is ours */
	struct slice tbs, signature;
	struct slice *serials; /* contents of the INTEGERs, sorted */
	size_t count;
	enum { CRL_UNVERIFIED, CRL_GOOD, CRL_FORGED } state;
};

struct eum {
	uint8_t hash[CRYPTO_SHA256_SIZE]; /* of the certificate */
	uint8_t *der;                     /* NULL: this place is free */
	struct crypto_cert cert;          /* slices into der */
	uint64_t used;                    /* when last, in uses of the trust */
};

struct crypto_trust {
	struct root *root;
	size_t roots;
	struct crl *crl;
	size_t crls;
	struct eum eum[EUM_MEMORY];
	uint64_t uses;
};

/* A list with the issuer's id, not yet verified; NULL when read, else what is wrong. */
const char *trust_crl_read(struct crl *crl, struct slice der);
void trust_crl_fini(struct crl *crl);

/* Does a list of this issuer, signed with this key, name the serial? */
bool trust_revoked(const struct crypto_trust *trust, struct slice issuer_id,
	const struct crypto_public *issuer, struct slice serial);

const struct root *trust_root_find(const struct crypto_trust *trust, struct slice id);

/* EUM certificates that passed all checks but those of time. */
struct eum *trust_eum_find(struct crypto_trust *trust, const uint8_t hash[CRYPTO_SHA256_SIZE]);
const struct eum *
trust_eum_add(struct crypto_trust *trust, const uint8_t hash[CRYPTO_SHA256_SIZE], struct slice der);

#endif
