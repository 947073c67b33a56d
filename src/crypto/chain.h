#ifndef CRYPTO_CHAIN_H
#define CRYPTO_CHAIN_H
/*
 * Certificate chains of SGP.22 §4.5.2: trusted CI roots with their revocation lists, CI → EUM → eUICC
 * as an SM-DP+ must check it, CI → DPauth and DPpb as its own configuration is checked. EUM
 * certificates that were checked once are remembered; a new trust starts with no memory.
 */
#include "crypto/cert.h"

/* A CI root in a trust. */
struct crypto_root {
	uint8_t id[CRYPTO_KEY_ID_SIZE]; /* subjectKeyIdentifier: euiccCiPKId */
	struct crypto_public key;
	int64_t not_before, not_after;
	size_t crls;             /* revocation lists held */
	int64_t crl_next_update; /* the earliest of theirs; 0 without a list */
};

struct crypto_trust;

struct crypto_trust *crypto_trust_new(void);
void crypto_trust_free(struct crypto_trust *trust);

/*
 * Copies what it needs. A second root with a known id replaces the first when it ends later. NULL when
 * taken, else what is wrong. A CRL must be signed by a root or an EUM that is there already: roots
 * first. Its entries hold even when the list is out of date.
 */
const char *crypto_trust_add_root(struct crypto_trust *trust, struct slice der);
const char *crypto_trust_add_crl(struct crypto_trust *trust, struct slice der);

/*
 * These lists in place of those held. Either every one is taken, or none: then what is wrong is returned,
 * with *bad (of them by place).
 */
const char *crypto_trust_replace_crls(
	struct crypto_trust *trust, const struct slice *ders, size_t n, size_t *bad);

/* A revocation list in a trust. */
struct crypto_crl {
	uint8_t issuer_id[CRYPTO_KEY_ID_SIZE];
	int64_t this_update;
	int64_t next_update; /* 0: none given */
	struct slice der;
};

/* By place, in the order given; borrowed until the lists change. */
size_t crypto_trust_crl_count(const struct crypto_trust *trust);
const struct crypto_crl *crypto_trust_crl_get(const struct crypto_trust *trust, size_t i);

/* By place, 0 … count-1, in the order given; and by its id of 20 octets (NULL: not trusted). */
size_t crypto_trust_count(const struct crypto_trust *trust);
const struct crypto_root *crypto_trust_get(const struct crypto_trust *trust, size_t i);
const struct crypto_root *crypto_trust_find(const struct crypto_trust *trust, struct slice id);

/* Outcomes in the order of the checks; each but the first has its ES9+ status code. */
enum crypto_chain {
	CHAIN_OK,
	CHAIN_CI_UNKNOWN,    /* 8.11.1 / 3.9 */
	CHAIN_EUM_INVALID,   /* 8.1.2 / 6.1 */
	CHAIN_EUM_EXPIRED,   /* 8.1.2 / 6.3 */
	CHAIN_EUICC_INVALID, /* 8.1.3 / 6.1 */
	CHAIN_EUICC_EXPIRED, /* 8.1.3 / 6.3 */
};

/* What a verified chain tells; a plain value. */
struct crypto_euicc {
	char eid[33]; /* 32 digits */
	struct crypto_public key;
	uint8_t ci_id[CRYPTO_KEY_ID_SIZE];
	uint8_t eum_key_id[CRYPTO_KEY_ID_SIZE]; /* the EUM's subjectKeyIdentifier */
	char eum_name[128];                     /* its organizationName, cut */
};

/*
 * `now` in seconds since 1970. `ci_id` (20 octets) is the CI that must be at the top; absent: any that
 * is trusted. `why` always points to words for the log. Fills `out` on CHAIN_OK only.
 */
enum crypto_chain
crypto_chain_euicc_verify(struct crypto_trust *trust, int64_t now, struct slice eum,
	struct slice euicc, struct slice ci_id, struct crypto_euicc *out, const char **why);

/* The SM-DP+'s own pair of certificates. */
struct crypto_credential {
	const char *which; /* "auth certificate", …: what the last check was about; always set */
	enum crypto_curve curve;
	struct crypto_public auth, pb;
	uint8_t ci_id[CRYPTO_KEY_ID_SIZE];
	uint8_t oid[32]; /* content octets of the RID in both subjectAltNames */
	size_t oid_n;
	char oid_text[96]; /* the same, dotted */
	int64_t not_after; /* the earlier of the two */
};

/* NULL when all is well, else what is wrong with out->which, for an operator to read. */
const char *crypto_credential_check(const struct crypto_trust *trust, int64_t now,
	struct slice auth, struct slice pb, struct crypto_credential *out);

#endif
