/*
 * The certificates with which we show ourselves to servers, and the choice among them: a server of the
 * eSIM world trusts one CI on one curve (SGP.22 §2.6.6), and it says so in its CertificateRequest.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "https/client_int.h"
#include "https/https.h"
#include "tls/tls.h"

struct https_keys {
	unsigned holders;
	uint64_t number;
	SSL_CTX *at[HTTPS_KEYS]; /* each holds a chain and its key */
	size_t n;
};

static uint64_t last_number;

struct https_keys *
https_keys_new(void)
{
	struct https_keys *k = calloc(1, sizeof *k);

	if (!k)
		abort();
	k->holders = 1;
	k->number = ++last_number;
	return k;
}

bool
https_keys_add(struct https_keys *k, const char *certificate, const char *key, char *why)
{
	SSL_CTX *context;

	if (k->n == HTTPS_KEYS) {
		snprintf(why, HTTPS_WHY, "%s is one certificate too many", certificate);
		return false;
	}
	context = SSL_CTX_new(TLS_client_method());
	if (!context)
		abort();
	if (!tls_certificate_load(context, certificate, key, why)) {
		SSL_CTX_free(context);
		return false;
	}
	k->at[k->n++] = context;
	return true;
}

struct https_keys *
https_keys_hold(struct https_keys *k)
{
	if (k)
		k->holders++;
	return k;
}

void
https_keys_release(struct https_keys *k)
{
	if (!k || --k->holders)
		return;
	for (size_t i = 0; i < k->n; i++)
		SSL_CTX_free(k->at[i]);
	free(k);
}

uint64_t
https_keys_number(const struct https_keys *k)
{
	return k ? k->number : 0;
}

/* Does the server name the issuer of one certificate of this chain? */
static bool
is_acceptable(SSL *ssl, SSL_CTX *one)
{
	const STACK_OF(X509_NAME) *named = SSL_get0_peer_CA_list(ssl);
	STACK_OF(X509) *chain = NULL;
	bool found = false;

	SSL_CTX_get0_chain_certs(one, &chain);
	for (int i = 0; !found && i < sk_X509_NAME_num(named); i++) {
		const X509_NAME *name = sk_X509_NAME_value(named, i);

		found = X509_NAME_cmp(X509_get_issuer_name(SSL_CTX_get0_certificate(one)), name) ==
			0;
		for (int j = 0; !found && j < sk_X509_num(chain); j++)
			found = X509_NAME_cmp(
					X509_get_issuer_name(sk_X509_value(chain, j)), name) == 0;
	}
	return found;
}

/* Is its key on the curve of the server's own certificate? */
static bool
is_alike(SSL *ssl, SSL_CTX *one)
{
	X509 *server = SSL_get0_peer_certificate(ssl);
	const EVP_PKEY *theirs = server ? X509_get0_pubkey(server) : NULL;

	return theirs && EVP_PKEY_parameters_eq(theirs, SSL_CTX_get0_privatekey(one)) == 1;
}

int
https_keys_choose(SSL *ssl, void *keys)
{
	const struct https_keys *k = keys;
	SSL_CTX *best = NULL;
	STACK_OF(X509) *chain = NULL;
	int most = -1;

	for (size_t i = 0; i < k->n; i++) {
		int points = is_acceptable(ssl, k->at[i]) * 2 + is_alike(ssl, k->at[i]);

		if (points > most) {
			most = points;
			best = k->at[i];
		}
	}
	if (!best)
		return 1;
	SSL_CTX_get0_chain_certs(best, &chain);
	return SSL_use_cert_and_key(
		ssl, SSL_CTX_get0_certificate(best), SSL_CTX_get0_privatekey(best), chain, 1);
}
