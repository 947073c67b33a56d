#ifndef RSPSIM_ESIPA_TRUST_H
#define RSPSIM_ESIPA_TRUST_H
/*
 * Whom an IPA takes for its eIM (SGP.32 §2.6, EimConfigurationData.trustedPublicKeyDataTls): a
 * pinned key, a pinned certificate, or what stands below a CA. The same for TLS and DTLS.
 */
#include <openssl/ssl.h>
#include "rspsim/iot.h"

struct rspsim_trust {
	struct rspsim_public pinned; /* a key or certificate, which may be a CA's */
	const char *ca_file;         /* PEM; or NULL */
	X509 *const *roots;          /* the device's trust store, when nothing is pinned */
	size_t root_count;
	bool anybody;   /* no check: measures the server alone */
	char name[256]; /* whom a certificate below a CA must name */
};

/*
 * Makes a TLS context verify so, on the curves of the eIM; false when a file cannot be read.
 * `trust` must live as long.
 */
bool rspsim_trust_apply(const struct rspsim_trust *trust, SSL_CTX *context);
/* The same for a connection that exists already, and its context. */
bool rspsim_trust_apply_ssl(const struct rspsim_trust *trust, SSL *ssl);

#endif
