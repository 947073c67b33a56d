#ifndef UNIT_CRYPTO_PKI_H
#define UNIT_CRYPTO_PKI_H
/*
 * Certificates and revocation lists made on the spot with OpenSSL, with any fault a test wants. The
 * extensions are given in OpenSSL's configuration language.
 */
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/arena.h"

struct pki_node {
	EVP_PKEY *key;
	X509 *cert;
	struct slice der; /* in the arena */
};

struct pki_order {
	const char *subject;                /* "C=ES,O=RSP Test EUM,CN=EUM Test" */
	const char *extensions;             /* lines NAME=VALUE */
	const char *not_before, *not_after; /* GeneralizedTime; NULL: 2020 and 2050 */
	long serial;
	EVP_PKEY *key;                 /* NULL: a new one on the issuer's curve */
	const struct pki_node *issuer; /* NULL: itself */
};

static inline void
pki_need(bool fine)
{
	if (fine)
		return;
	ERR_print_errors_fp(stderr);
	abort();
}

static inline void
pki_drop(void *p)
{
	struct pki_node *n = p;

	EVP_PKEY_free(n->key);
	X509_free(n->cert);
}

static inline void
pki_name_set(X509_NAME *name, const char *text)
{
	char copy[256], *at = copy, *pair, *value;

	pki_need(strlen(text) < sizeof copy);
	strcpy(copy, text);
	while ((pair = strsep(&at, ","))) {
		value = strchr(pair, '=');
		pki_need(value);
		*value++ = 0;
		pki_need(X509_NAME_add_entry_by_txt(
			name, pair, MBSTRING_UTF8, (const uint8_t *)value, -1, -1, 0));
	}
}

static inline CONF *
pki_conf_new(const char *text)
{
	CONF *conf = NCONF_new(NULL);
	BIO *bio = BIO_new_mem_buf(text, -1);

	pki_need(conf && bio && NCONF_load_bio(conf, bio, NULL) > 0);
	BIO_free(bio);
	return conf;
}

static inline struct pki_node *
pki_issue(struct arena *mem, const char *curve, struct pki_order o)
{
	struct pki_node *n = ARENA_NEW(mem, struct pki_node);
	const struct pki_node *by = o.issuer ? o.issuer : n;
	CONF *conf = pki_conf_new(o.extensions);
	uint8_t *der = NULL;
	X509V3_CTX ctx;
	int size;

	arena_defer(mem, pki_drop, n);
	n->cert = X509_new();
	n->key = o.key ? o.key : EVP_EC_gen(curve);
	if (o.key)
		EVP_PKEY_up_ref(o.key);
	X509_set_version(n->cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(n->cert), o.serial);
	pki_name_set(X509_get_subject_name(n->cert), o.subject);
	X509_set_issuer_name(n->cert, X509_get_subject_name(by->cert));
	pki_need(ASN1_TIME_set_string_X509(
		X509_getm_notBefore(n->cert), o.not_before ? o.not_before : "20200101000000Z"));
	pki_need(ASN1_TIME_set_string_X509(
		X509_getm_notAfter(n->cert), o.not_after ? o.not_after : "20500101000000Z"));
	X509_set_pubkey(n->cert, n->key);
	X509V3_set_ctx(&ctx, by->cert, n->cert, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	pki_need(X509V3_EXT_add_nconf(conf, &ctx, "default", n->cert));
	pki_need(X509_sign(n->cert, by->key, EVP_sha256()) > 0);
	size = i2d_X509(n->cert, &der);
	n->der = arena_copy(mem, slice_of(der, (size_t)size));
	OPENSSL_free(der);
	NCONF_free(conf);
	return n;
}

/* A list of the issuer's with up to `count` serials; `extensions` as above. */
static inline struct slice
pki_crl(struct arena *mem, const struct pki_node *issuer, const char *extensions,
	const long *serials, size_t count)
{
	X509_CRL *crl = X509_CRL_new();
	CONF *conf = pki_conf_new(extensions);
	ASN1_TIME *when = ASN1_TIME_set(NULL, 1700000000);
	uint8_t *der = NULL;
	struct slice out;
	X509V3_CTX ctx;
	int size;

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->cert));
	X509_CRL_set1_lastUpdate(crl, when);
	ASN1_TIME_set(when, 1800000000);
	X509_CRL_set1_nextUpdate(crl, when);
	for (size_t i = 0; i < count; i++) {
		X509_REVOKED *r = X509_REVOKED_new();
		ASN1_INTEGER *serial = ASN1_INTEGER_new();

		ASN1_INTEGER_set(serial, serials[i]);
		X509_REVOKED_set_serialNumber(r, serial);
		X509_REVOKED_set_revocationDate(r, when);
		X509_CRL_add0_revoked(crl, r);
		ASN1_INTEGER_free(serial);
	}
	X509V3_set_ctx(&ctx, issuer->cert, NULL, NULL, crl, 0);
	X509V3_set_nconf(&ctx, conf);
	pki_need(X509V3_EXT_CRL_add_nconf(conf, &ctx, "default", crl));
	pki_need(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
	size = i2d_X509_CRL(crl, &der);
	out = arena_copy(mem, slice_of(der, (size_t)size));
	OPENSSL_free(der);
	ASN1_TIME_free(when);
	NCONF_free(conf);
	X509_CRL_free(crl);
	return out;
}

#endif
