#ifndef CRYPTO_CERT_H
#define CRYPTO_CERT_H
/*
 * X.509 certificates as SGP.22 §4.5.2 profiles them, read by a walk over their DER: a struct of slices
 * into the octets given, no copies, no names resolved. Signatures and chains are chain.h's business.
 */
#include "crypto/ecdsa.h"

enum { CRYPTO_KEY_ID_SIZE = 20 };

/* id-rspRole: 2.23.146.1.2.1.n. */
enum crypto_role {
	ROLE_CI,
	ROLE_EUICC,
	ROLE_EUM,
	ROLE_DP_TLS,
	ROLE_DP_AUTH,
	ROLE_DP_PB,
	ROLE_DS_TLS,
	ROLE_DS_AUTH,
	ROLE_COUNT
};

enum {
	CRYPTO_USAGE_SIGN = 1 << 0,
	CRYPTO_USAGE_CERT_SIGN = 1 << 5,
	CRYPTO_USAGE_CRL_SIGN = 1 << 6
};

struct crypto_cert {
	struct slice der;       /* the whole certificate */
	struct slice tbs;       /* what is signed, with tag and length */
	struct slice signature; /* DER, without the unused-bits octet */
	struct slice serial;    /* content of the INTEGER */
	struct slice issuer;    /* Name, with tag and length */
	struct slice subject;   /* the same */
	int64_t not_before;     /* seconds since 1970; years up to 9999 */
	int64_t not_after;
	struct crypto_public key; /* not yet checked to lie on its curve */

	struct slice authority_key_id; /* content; absent without the extension */
	struct slice subject_key_id;
	struct slice name_constraints; /* the extension's value */
	struct slice permitted_eins;   /* the same, 2.23.146.1.2.2.0 */
	struct slice alt_names;        /* GeneralNames, with tag and length */
	int path_length;               /* of basicConstraints; -1 when absent */
	unsigned usage;                /* CRYPTO_USAGE_…; zero when absent */
	unsigned roles;                /* bit 1 << enum crypto_role for each policy */
	bool ca, policies_critical, usage_critical, constraints_critical;
	bool unknown_critical; /* a critical extension that is not understood here */
};

/* False when the octets are not one DER certificate with a key on one of the two curves. */
bool crypto_cert_read(struct crypto_cert *cert, struct slice der);

/* The text of the first such attribute; absent when the Name has none. */
enum crypto_attribute {
	ATTRIBUTE_COMMON_NAME = 3,
	ATTRIBUTE_SERIAL = 5,
	ATTRIBUTE_ORGANIZATION = 10
};
struct slice crypto_name_find(struct slice name, enum crypto_attribute attribute);

/* registeredID of the subjectAltName: content octets of the OID; absent when there is none. */
struct slice crypto_cert_oid(const struct crypto_cert *cert);

/* Dotted form, at most `room` octets with its zero; false when it is no OID or does not fit. */
bool crypto_oid_text(struct slice content, char *out, size_t room);

#endif
