/*
 * What `rspctl pki check` looks at: roots and revocation lists (crypto/chain.h says what is wrong with
 * them), the SM-DP+'s pairs, and TLS certificates, whose chains OpenSSL checks as an LPA's library would.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "base/text.h"
#include "rspctl/pki_check.h"

void
pki_check_ci(struct pki_report *r, const char *name, const char *file)
{
	const char *what = arena_printf(r->mem, "ci %s", name), *wrong = "not a PEM certificate";
	X509 *cert = pki_cert_load(r->mem, file);
	const struct crypto_root *root;
	struct crypto_cert c;

	if (cert)
		wrong = crypto_trust_add_root(r->trust, pki_cert_der(r->mem, cert));
	if (wrong) {
		pki_row_put(r, PKI_PROBLEM, what, arena_printf(r->mem, "%s: %s", file, wrong));
		return;
	}
	if (r->root_n < PKI_LIST)
		r->roots[r->root_n++] = cert;
	crypto_cert_read(&c, pki_cert_der(r->mem, cert));
	root = crypto_trust_find(r->trust, c.subject_key_id);
	if (c.not_before > r->now || c.not_after < r->now)
		pki_row_put(r, PKI_PROBLEM, what,
			"out of date: get the CI's new certificate; eUICCs of this CI are refused");
	else
		pki_row_put_end(r, what, c.not_after,
			arena_printf(r->mem, "%s, key id %s", crypto_curve_name(root->key.curve),
				(const char *)text_hex(r->mem, SLICE_ARRAY(root->id)).p));
}

void
pki_check_crl(struct pki_report *r, const char *file)
{
	const char *what = arena_printf(r->mem, "crl %s", file),
		   *wrong = "not a PEM revocation list";
	X509_CRL *crl = pki_crl_load(r->mem, file);
	uint8_t *der = NULL;
	struct tm tm;
	int n = crl ? i2d_X509_CRL(crl, &der) : 0;

	if (n > 0)
		wrong = crypto_trust_add_crl(r->trust, slice_of(der, (size_t)n));
	OPENSSL_free(der);
	if (wrong)
		pki_row_put(r, PKI_PROBLEM, what, wrong);
	else if (!X509_CRL_get0_nextUpdate(crl) ||
		!ASN1_TIME_to_tm(X509_CRL_get0_nextUpdate(crl), &tm))
		pki_row_put(r, PKI_FINE, what, "says of no end");
	else if (timegm(&tm) < r->now)
		pki_row_put(r, PKI_SOON, what, "out of date, still obeyed: fetch the new one");
	else
		pki_row_put(r, PKI_FINE, what,
			arena_printf(r->mem, "until %s", pki_end_day(r, timegm(&tm))));
}

/* Puts a problem unless the file holds the certificate's key, shut to others. */
static bool
key_fits(struct pki_report *r, const char *what, X509 *cert, const char *file)
{
	EVP_PKEY *key;
	bool fits;

	if (!file)
		return true;
	if (!pki_secret_is_guarded(r, what, file))
		return false;
	key = pki_key_load(r->mem, file);
	fits = key && X509_check_private_key(cert, key) == 1;
	ERR_clear_error();
	if (!fits)
		pki_row_put(r, PKI_PROBLEM, what,
			arena_printf(
				r->mem, "%s: is not the private key of the certificate", file));
	return fits;
}

static X509 *
load_cert(struct pki_report *r, const char *what, const char *file)
{
	X509 *cert = pki_cert_load(r->mem, file);

	if (!cert)
		pki_row_put(r, PKI_PROBLEM, what,
			arena_printf(r->mem, "%s: not a PEM certificate", file));
	return cert;
}

void
pki_check_pair(struct pki_report *r, struct pki_pair pair)
{
	const char *what = arena_printf(r->mem, "credential %s", pair.name), *wrong;
	X509 *auth = load_cert(r, what, pair.auth_certificate);
	X509 *pb = load_cert(r, what, pair.pb_certificate);
	struct crypto_credential facts;

	if (!auth || !pb || !key_fits(r, what, auth, pair.auth_key) ||
		!key_fits(r, what, pb, pair.pb_key))
		return;
	wrong = crypto_credential_check(
		r->trust, r->now, pki_cert_der(r->mem, auth), pki_cert_der(r->mem, pb), &facts);
	if (wrong) {
		pki_row_put(r, PKI_PROBLEM, what,
			arena_printf(r->mem, "the %s %s", facts.which, wrong));
		return;
	}
	if (r->oid_n < PKI_LIST)
		r->oids[r->oid_n++] = arena_copy(r->mem, slice_of(facts.oid, facts.oid_n));
	pki_row_put_end(r, what, facts.not_after,
		arena_printf(r->mem, "%s, OID %s", crypto_curve_name(facts.curve), facts.oid_text));
}

static void
drop_chain(void *p)
{
	sk_X509_pop_free(p, X509_free);
}

/* The file's certificates, the server's own first. */
static STACK_OF(X509) * load_chain(struct arena *mem, const char *file)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	BIO *bio = BIO_new_file(file, "r");
	X509 *cert;

	while (chain && bio && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		sk_X509_push(chain, cert);
	BIO_free(bio);
	ERR_clear_error();
	if (chain)
		arena_defer(mem, drop_chain, chain);
	return chain;
}

/* NULL when a client that trusts the CIs would take the chain now. */
static const char *
judge_chain(struct pki_report *r, STACK_OF(X509) * chain)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	const char *wrong = "out of memory";

	for (unsigned i = 0; store && i < r->root_n; i++)
		X509_STORE_add_cert(store, r->roots[i]);
	if (store && ctx && X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain)) {
		X509_STORE_CTX_set_default(ctx, "ssl_server");
		X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t)r->now);
		wrong = X509_verify_cert(ctx) == 1
			? NULL
			: X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return wrong;
}

static bool
is_our_oid(const struct pki_report *r, struct slice oid)
{
	for (unsigned i = 0; i < r->oid_n; i++)
		if (slice_eq(r->oids[i], oid))
			return true;
	return r->oid_n == 0; /* nothing to compare with */
}

/* What the server's own certificate lacks, for people; NULL when nothing. */
static const char *
judge_leaf(struct pki_report *r, X509 *cert, const struct crypto_cert *c, struct pki_tls tls)
{
	for (unsigned i = 0; i < tls.name_n; i++)
		if (X509_check_host(cert, tls.names[i], 0, 0, NULL) != 1)
			return arena_printf(r->mem,
				"bears no name %s: have one issued with it, or change `names`",
				tls.names[i]);
	if (!(c->roles & 1U << ROLE_DP_TLS))
		return "lacks the policy of its role, id-rspRole-dp-tls: LPAs look for it";
	if (!is_our_oid(r, crypto_cert_oid(c)))
		return "bears another OID than the SM-DP+'s credentials, or none";
	return NULL;
}

void
pki_check_tls(struct pki_report *r, struct pki_tls tls)
{
	const char *what = arena_printf(r->mem, "listener %s", tls.name), *wrong;
	STACK_OF(X509) *chain = load_chain(r->mem, tls.certificate);
	struct crypto_cert c;
	X509 *leaf;

	if (!chain || sk_X509_num(chain) == 0) {
		pki_row_put(r, PKI_PROBLEM, what,
			arena_printf(r->mem, "%s: not a PEM certificate", tls.certificate));
		return;
	}
	leaf = sk_X509_value(chain, 0);
	if (!key_fits(r, what, leaf, tls.key))
		return;
	if (!crypto_cert_read(&c, pki_cert_der(r->mem, leaf)))
		wrong = "is not a version 3 certificate on P-256 or brainpoolP256r1";
	else if (c.not_after < r->now || c.not_before > r->now)
		wrong = "is out of date: have a new one issued";
	else if ((wrong = judge_chain(r, chain)))
		wrong = arena_printf(r->mem,
			"does not lead to a configured CI (%s): add what is between to the file",
			wrong);
	else
		wrong = judge_leaf(r, leaf, &c, tls);
	if (wrong)
		pki_row_put(r, PKI_PROBLEM, what,
			arena_printf(r->mem, "%s: %s", tls.certificate, wrong));
	else
		pki_row_put_end(r, what, c.not_after, crypto_curve_name(c.key.curve));
}

void
pki_check_known(struct pki_report *r, const char *what, const char *certificate, const char *key)
{
	STACK_OF(X509) *chain = certificate ? load_chain(r->mem, certificate) : NULL;
	X509 *leaf = chain && sk_X509_num(chain) ? sk_X509_value(chain, 0) : NULL;
	struct crypto_cert c;

	if (!certificate) {
		if (!pki_secret_is_guarded(r, what, key))
			return;
		if (pki_key_load(r->mem, key))
			pki_row_put(r, PKI_FINE, what, "a key without certificate");
		else
			pki_row_put(r, PKI_PROBLEM, what,
				arena_printf(r->mem, "%s: not a PEM private key", key));
	} else if (!leaf) {
		pki_row_put(r, PKI_PROBLEM, what,
			arena_printf(r->mem, "%s: not a PEM certificate", certificate));
	} else if (!key_fits(r, what, leaf, key)) {
		return;
	} else if (!crypto_cert_read(&c, pki_cert_der(r->mem, leaf))) {
		pki_row_put(r, PKI_PROBLEM, what,
			arena_printf(r->mem,
				"%s: is not a version 3 certificate on P-256 or brainpoolP256r1",
				certificate));
	} else if (c.not_after < r->now || c.not_before > r->now) {
		pki_row_put(r, PKI_PROBLEM, what,
			arena_printf(
				r->mem, "%s: is out of date: have a new one issued", certificate));
	} else {
		pki_row_put_end(r, what, c.not_after, crypto_curve_name(c.key.curve));
	}
}
