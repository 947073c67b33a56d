/*
 * The IPA's check of the eIM's TLS certificate (SGP.32 §2.6): a pinned key or certificate is
 * enough by itself, for it was given by who associated the eIM; below a CA the name must be the
 * eIM's too. OpenSSL does chains and names, this file says what is asked of them.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include "rspsim/esipa_trust.h"

static char groups[] = "P-256:brainpoolP256r1:X25519"; /* OpenSSL wants it writable */

static bool
same_octets(struct slice a, unsigned char *p, int n)
{
	bool same = n > 0 && slice_eq(a, slice_of(p, (size_t)n));

	OPENSSL_free(p);
	return same;
}

static bool
is_pinned(const struct rspsim_public *pinned, X509 *leaf)
{
	unsigned char *p = NULL;
	int n;

	if (pinned->kind == RSPSIM_PUBLIC_KEY)
		n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &p);
	else
		n = i2d_X509(leaf, &p);
	return same_octets(pinned->der, p, n);
}

/* The pinned certificate may be that of a CA. */
static X509_STORE *
pinned_store(const struct rspsim_public *pinned)
{
	X509_STORE *store = X509_STORE_new();
	const uint8_t *p = pinned->der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)pinned->der.n);

	if (store && cert)
		X509_STORE_add_cert(store, cert);
	X509_free(cert);
	return store;
}

static int
verify_below(X509_STORE_CTX *ctx, const struct rspsim_trust *trust)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	if (trust->name[0] && !X509_VERIFY_PARAM_set1_host(param, trust->name, 0))
		return 0;
	return X509_verify_cert(ctx) == 1;
}

/* The same certificate and chain against another store. */
static int
verify_in(X509_STORE_CTX *outer, X509_STORE *store, const struct rspsim_trust *trust)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int good = ctx &&
		X509_STORE_CTX_init(ctx, store, X509_STORE_CTX_get0_cert(outer),
			X509_STORE_CTX_get0_untrusted(outer)) == 1 &&
		X509_STORE_CTX_set_default(ctx, "ssl_server") == 1 && verify_below(ctx, trust);

	X509_STORE_CTX_free(ctx);
	return good;
}

static int
verify(X509_STORE_CTX *ctx, void *arg)
{
	const struct rspsim_trust *trust = arg;
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
	X509_STORE *store;
	int good = 0;

	if (trust->anybody)
		return 1;
	if (trust->pinned.kind == RSPSIM_PUBLIC_NONE)
		return verify_below(ctx, trust);
	if (leaf && is_pinned(&trust->pinned, leaf)) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	if (trust->pinned.kind == RSPSIM_PUBLIC_CERTIFICATE) {
		store = pinned_store(&trust->pinned);
		good = store && verify_in(ctx, store, trust);
		X509_STORE_free(store);
	}
	X509_STORE_CTX_set_error(ctx, good ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
	ERR_clear_error();
	return good;
}

bool
rspsim_trust_apply(const struct rspsim_trust *trust, SSL_CTX *context)
{
	X509_STORE *store = X509_STORE_new();
	bool good = store && SSL_CTX_set1_groups_list(context, groups);

	for (size_t i = 0; good && i < trust->root_count; i++)
		good = X509_STORE_add_cert(store, trust->roots[i]);
	if (good && trust->ca_file)
		good = X509_STORE_load_file(store, trust->ca_file) == 1;
	SSL_CTX_set_cert_store(context, store); /* takes it over */
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(context, verify, (void *)(uintptr_t)trust);
	ERR_clear_error();
	return good;
}

bool
rspsim_trust_apply_ssl(const struct rspsim_trust *trust, SSL *ssl)
{
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	return rspsim_trust_apply(trust, SSL_get_SSL_CTX(ssl));
}
