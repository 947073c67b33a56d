#ifndef RSPCTL_PKI_CHECK_H
#define RSPCTL_PKI_CHECK_H
/* `rspctl pki check`: the report that is being made, and what is checked for it. */
#include "crypto/chain.h"
#include "rspctl/pki_int.h"

enum pki_state { PKI_FINE, PKI_SOON, PKI_PROBLEM };

struct pki_report {
	struct arena *mem;
	int64_t now; /* seconds since 1970 */
	struct pki_row *rows;
	unsigned n, problems;
	struct crypto_trust *trust; /* the CIs seen so far */
	X509 *roots[PKI_LIST];      /* the same for OpenSSL, which checks TLS */
	unsigned root_n;
	struct slice oids[PKI_LIST]; /* of the pairs seen so far */
	unsigned oid_n;
};

/* `what` and `words` must live as long as the report. */
void pki_row_put(struct pki_report *r, enum pki_state state, const char *what, const char *words);
/* Fine, or soon to end; `facts` come before the day. */
void pki_row_put_end(struct pki_report *r, const char *what, int64_t not_after, const char *facts);
/* Puts a problem unless the file is there and shut to others. */
bool pki_secret_is_guarded(struct pki_report *r, const char *what, const char *file);
/* 2026-12-31 (39 days left), of an end in seconds since 1970. */
const char *pki_end_day(const struct pki_report *r, int64_t seconds);

struct pki_pair {
	const char *name;
	const char *auth_certificate, *auth_key, *pb_certificate, *pb_key; /* keys may be NULL */
};

struct pki_tls {
	const char *name;
	const char *certificate, *key; /* the key may be NULL */
	const char *const *names;
	unsigned name_n;
};

/* Roots first, then lists, then what hangs on them. */
void pki_check_ci(struct pki_report *r, const char *name, const char *file);
void pki_check_crl(struct pki_report *r, const char *file);
void pki_check_pair(struct pki_report *r, struct pki_pair pair);
void pki_check_tls(struct pki_report *r, struct pki_tls tls);
/* Certificate and key that devices know as they are: of an eIM, or of DTLS. The certificate may be NULL. */
void
pki_check_known(struct pki_report *r, const char *what, const char *certificate, const char *key);

#endif
