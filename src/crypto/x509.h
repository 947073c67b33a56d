#ifndef CRYPTO_X509_H
#define CRYPTO_X509_H
/* What certificates and revocation lists have in common (RFC 5280): envelope, extensions, names. */
#include "crypto/cert.h"
#include "crypto/der.h"

/* SEQUENCE { tbs, ecdsa-with-SHA256, BIT STRING } and nothing behind it. */
struct x509_envelope {
	struct slice tbs;       /* content */
	struct slice tbs_whole; /* what is signed */
	struct slice signature; /* DER */
};
bool x509_envelope_read(struct slice der, struct x509_envelope *out);

/* AlgorithmIdentifier ecdsa-with-SHA256, the only one of SGP.22; false for another. */
bool x509_algorithm_read(struct slice *in);

struct x509_extension {
	struct slice oid, value; /* contents of OBJECT IDENTIFIER and OCTET STRING */
	bool critical;
};
/* Takes one off the front; false when it is malformed. */
bool x509_extension_read(struct slice *in, struct x509_extension *out);

/* keyIdentifier out of an AuthorityKeyIdentifier; absent and true when it has none. */
bool x509_authority_read(struct slice value, struct slice *id);

/* Walks the attributes of a Name, whatever RDN they stand in. */
struct x509_walk {
	struct slice names, set; /* what is left */
};
struct x509_attribute {
	struct slice oid;
	uint8_t tag; /* kind of string */
	struct slice text;
};
void x509_walk_init(struct x509_walk *w, struct slice name); /* with tag and length */
/* False at the end; then names.p is NULL if the Name is malformed. */
bool x509_walk_next(struct x509_walk *w, struct x509_attribute *out);

/* Same attributes in the same order, compared as text whatever kind of string holds it. */
bool x509_name_eq(struct slice a, struct slice b);

/* Own check of an EUM's name constraints and permittedEins (crypto-specific rule: EID by prefix). */
bool x509_constraints_allow(const struct crypto_cert *eum, const struct crypto_cert *euicc,
	struct slice eid, const char **why);

#endif
