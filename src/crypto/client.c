/*
 * Certificates of clients. Here OpenSSL's own path validation serves, as nothing of SGP.22's profile holds
 * for them: the operator brings what its security department gave it.
 */
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include "crypto/client.h"

enum { SUBJECT_MAX = 1000, CHAIN_MAX = 4, DEPTH_MAX = 4 };

/* Takes the next certificate off the front; NULL when there is none, or it is malformed. */
static X509 *
take(struct slice *chain)
{
	const unsigned char *p = chain->p;
	X509 *x = chain->n && chain->n <= INT32_MAX ? d2i_X509(NULL, &p, (long)chain->n) : NULL;

	if (x)
		*chain = slice_of(p, chain->n - (size_t)(p - chain->p));
	ERR_clear_error();
	return x;
}

static int64_t
seconds_of(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static bool
subject_read(struct arena *mem, const X509 *x, struct slice *out)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *p;
	long n;
	bool ok = text &&
		X509_NAME_print_ex(text, X509_get_subject_name(x), 0,
			XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0;

	n = ok ? BIO_get_mem_data(text, &p) : 0;
	ok = ok && n <= SUBJECT_MAX;
	if (ok)
		*out = arena_copy(mem, slice_of(n ? p : "", (size_t)n));
	BIO_free(text);
	ERR_clear_error();
	return ok;
}

bool
crypto_client_read(struct arena *mem, struct slice chain, struct crypto_client *out)
{
	struct slice rest = chain;
	X509 *x = take(&rest);
	bool ok;

	if (!x)
		return false;
	out->der = slice_of(chain.p, chain.n - rest.n);
	crypto_sha256(&out->der, 1, out->sha256);
	out->not_before = seconds_of(X509_get0_notBefore(x));
	out->not_after = seconds_of(X509_get0_notAfter(x));
	ok = subject_read(mem, x, &out->subject);
	X509_free(x);
	return ok;
}

bool
crypto_client_is_ca(struct slice der)
{
	X509 *x = take(&der);
	bool ca = x && X509_check_ca(x) == 1;

	X509_free(x);
	ERR_clear_error();
	return ca;
}

static X509_STORE *
anchor_new(X509 *ca, int64_t now)
{
	X509_STORE *anchors = X509_STORE_new();
	X509_VERIFY_PARAM *param;

	if (!anchors)
		return NULL;
	param = X509_STORE_get0_param(anchors);
	X509_VERIFY_PARAM_set_time(param, (time_t)now);
	X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT);
	/* The CA that was named is trusted, also one that is itself under another. */
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	if (!ca || !X509_STORE_add_cert(anchors, ca)) {
		X509_STORE_free(anchors);
		return NULL;
	}
	return anchors;
}

/* When the path that was found ends. */
static int64_t
end_of(X509_STORE_CTX *check)
{
	STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(check);
	int64_t until = INT64_MAX;

	for (int i = 0; i < sk_X509_num(path); i++) {
		int64_t end = seconds_of(X509_get0_notAfter(sk_X509_value(path, i)));

		if (end < until)
			until = end;
	}
	return until;
}

bool
crypto_client_verify(struct slice chain, struct slice ca, int64_t now, int64_t *until)
{
	X509 *leaf = take(&chain), *anchor = take(&ca), *x;
	X509_STORE *anchors = anchor_new(anchor, now);
	STACK_OF(X509) *others = sk_X509_new_null();
	X509_STORE_CTX *check = X509_STORE_CTX_new();
	bool ok;

	for (int i = 1; others && i < CHAIN_MAX && (x = take(&chain)); i++)
		if (!sk_X509_push(others, x))
			X509_free(x);
	ok = leaf && anchors && others && check &&
		X509_STORE_CTX_init(check, anchors, leaf, others) && X509_verify_cert(check) == 1;
	if (ok)
		*until = end_of(check);
	X509_STORE_CTX_free(check);
	sk_X509_pop_free(others, X509_free);
	X509_STORE_free(anchors);
	X509_free(anchor);
	X509_free(leaf);
	ERR_clear_error();
	return ok;
}
