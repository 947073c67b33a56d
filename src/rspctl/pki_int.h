#ifndef RSPCTL_PKI_INT_H
#define RSPCTL_PKI_INT_H
/* Shared by the commands of `rspctl pki`: options, files, keys, and issuing by profile. */
#include <openssl/x509.h>
#include "base/arena.h"
#include "crypto/ecdsa.h"

/* One command line option; a table of them ends with a NULL name. */
struct pki_option {
	const char *name;     /* "--dns" */
	const char **value;   /* the argument goes here; several if `most` > 1 */
	unsigned most, *seen; /* how many may be given (0: a flag without argument), and were */
};

enum { PKI_LIST = 16 }; /* names or files of one kind on the command line */

/* Reads options and operands; false after saying what is wrong. Commas split lists. */
bool pki_options_read(
	struct arena *mem, char **argv, const struct pki_option *options, const char **operand);

/* "rspctl pki: …" on standard error; returns `code`. */
int pki_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Freed with the arena; NULL when there is none in the file. */
X509 *pki_cert_load(struct arena *mem, const char *file);
X509_CRL *pki_crl_load(struct arena *mem, const char *file);
EVP_PKEY *pki_key_load(struct arena *mem, const char *file);
EVP_PKEY *pki_key_new(struct arena *mem, enum crypto_curve curve);
struct slice pki_cert_der(struct arena *mem, X509 *cert);

/* What goes into a file, as PEM or text; the mode is that of the file. */
struct pki_content {
	X509 *cert;
	X509_REQ *request;
	X509_CRL *crl;
	EVP_PKEY *key;
	const char *text;
};
bool pki_file_write(const char *file, unsigned mode, struct pki_content what);

/* Who a certificate is for. */
enum pki_role {
	PKI_CI,
	PKI_EUM,
	PKI_AUTH,
	PKI_PB,
	PKI_TLS,
	PKI_EIM,
	PKI_DS_AUTH,
	PKI_DS_TLS,
	PKI_OPERATOR,
	PKI_EIM_TLS,
	PKI_ROLES
};

/* What differs from certificate to certificate of a role. */
struct pki_party {
	const char *oid; /* dotted, for subjectAltName; NULL: none */
	const char *names[PKI_LIST + 1];
	unsigned name_n;     /* DNS names */
	const char *subject; /* "O=ACME,CN=…" */
	const char *range;   /* of an EUM: first digits of its EIDs */
	const char *crl;     /* where revocation lists are; NULL: not said */
};

/* The extensions of SGP.22 §4.5.2 in OpenSSL's words; `request` leaves out what only an issuer knows. */
const char *
pki_extensions(struct arena *mem, enum pki_role role, const struct pki_party *party, bool request);
bool pki_name_set(X509_NAME *name, const char *subject);

/* Signs `key` for a party; issuer NULL: by itself. NULL when OpenSSL cannot make sense of the party. */
X509 *pki_cert_issue(struct arena *mem, enum pki_role role, const struct pki_party *party,
	EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);
X509_CRL *pki_crl_issue(struct arena *mem, const char *point, X509 *issuer, EVP_PKEY *key);
X509_REQ *pki_request_new(
	struct arena *mem, enum pki_role role, const struct pki_party *party, EVP_PKEY *key);

int pki_make_test(struct arena *mem, char **argv);
int pki_csr(struct arena *mem, char **argv);
int pki_check(struct arena *mem, char **argv);

#endif
