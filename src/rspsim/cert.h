#ifndef RSPSIM_CERT_H
#define RSPSIM_CERT_H
/*
 * Certificates as the card sees them (SGP.22 §4.5): reading, issuing for a test PKI, and checking
 * a server's certificate against a CI. Certificates and keys are OpenSSL's objects.
 */
#include <openssl/x509.h>
#include "base/arena.h"

/* The last number of the policy 2.23.146.1.2.1.n. */
enum rspsim_role {
	RSPSIM_ROLE_CI,
	RSPSIM_ROLE_EUICC,
	RSPSIM_ROLE_EUM,
	RSPSIM_ROLE_DP_TLS,
	RSPSIM_ROLE_DP_AUTH,
	RSPSIM_ROLE_DP_PB,
	RSPSIM_ROLE_DS_TLS,
	RSPSIM_ROLE_DS_AUTH
};

enum rspsim_cert_fault {
	RSPSIM_CERT_FINE,
	RSPSIM_CERT_INVALID, /* form, signature, dates, key usage, critical extensions */
	RSPSIM_CERT_ROLE,    /* the policy is not the one of the role, or there is no SM-DP+ OID */
	RSPSIM_CERT_CURVE    /* its key is not on the curve of its CI */
};

/* A PEM file's or a DER octet string's one certificate; NULL when it is none. */
X509 *rspsim_cert_read(const char *path);
X509 *rspsim_cert_from_der(struct slice der);
EVP_PKEY *rspsim_key_read(const char *path);
struct slice rspsim_cert_der(struct arena *mem, X509 *cert);

/* The 20 octets of the subject and the authority key identifier; absent when there is none. */
struct slice rspsim_cert_key_id(X509 *cert);
struct slice rspsim_cert_authority_id(X509 *cert);
/*
 * Content octets of the one registeredID in subjectAltName; absent when there is not exactly one.
 */
struct slice rspsim_cert_oid(struct arena *mem, X509 *cert);
/* True when an OID's content octets mean this dotted text. */
bool rspsim_oid_is(struct slice oid, const char *dotted);

/* Checks an end entity below `ci`: who signed, dates, extensions, role, curve (§4.5.2.2). */
enum rspsim_cert_fault rspsim_cert_check(X509 *cert, X509 *ci, enum rspsim_role role);

/*
 * What a new certificate shall say; extensions are pairs of name and value as in OpenSSL's files.
 */
struct rspsim_cert_form {
	const char *subject[5][2]; /* short name, value; ends at NULL */
	const char *extensions[9][2];
	uint64_t serial;
	int days; /* from now; negative: it ended that many days ago */
};
/* Signed by the issuer, or by itself when `issuer` is NULL. NULL when an extension is unknown. */
X509 *rspsim_cert_issue(
	const struct rspsim_cert_form *form, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);

/*
 * O and first digits of the EID that an EUM may give, out of its name constraints (§4.5.2.1.0.2).
 */
struct rspsim_eum_range {
	char organization[65], prefix[33]; /* "" when not constrained */
};
void rspsim_eum_range(X509 *eum, struct rspsim_eum_range *out);

#endif
