/* OpenSSL's algorithms and contexts for the other files of crypto/, made once. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include "crypto/int.h"

static struct ossl once;

static const struct {
	const char *name;
	int nid;
} curves[CURVE_COUNT] = {
	[CURVE_P256] = { "P-256", NID_X9_62_prime256v1 },
	[CURVE_BRAINPOOL_P256R1] = { "brainpoolP256r1", NID_brainpoolP256r1 },
};

const char *
crypto_curve_name(enum crypto_curve curve)
{
	return curves[curve].name;
}

static void
make_digests(struct ossl *o)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	OSSL_PARAM digest[] = { OSSL_PARAM_construct_utf8_string("digest", (char[]){ "SHA256" }, 0),
		OSSL_PARAM_construct_end() };

	o->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	o->digest = EVP_MD_CTX_new();
	o->cmac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	o->cbc = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
	o->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	must(hmac && o->sha256 && o->digest && o->cmac && o->cbc && o->gcm);
	o->hmac = EVP_MAC_CTX_new(hmac);
	must(o->hmac && EVP_MAC_CTX_set_params(o->hmac, digest));
	EVP_MAC_free(hmac);
}

static void
make_curves(struct ossl *o)
{
	o->bn = BN_CTX_secure_new();
	must(o->bn);
	for (int i = 0; i < CURVE_COUNT; i++) {
		o->curve[i].group = EC_GROUP_new_by_curve_name(curves[i].nid);
		o->curve[i].key = EVP_EC_gen(curves[i].name);
		must(o->curve[i].group && o->curve[i].key);
	}
}

const struct ossl *
crypto_ossl(void)
{
	if (!once.bn) {
		make_digests(&once);
		make_curves(&once);
	}
	return &once;
}

EC_POINT *
crypto_point_new(const struct ossl *o, enum crypto_curve curve, struct slice point)
{
	const EC_GROUP *group = o->curve[curve].group;
	EC_POINT *p;

	if (point.n != CRYPTO_POINT_SIZE || point.p[0] != POINT_CONVERSION_UNCOMPRESSED)
		return NULL;
	p = EC_POINT_new(group);
	must(p);
	ERR_set_mark();
	/* Refuses what is not on the curve; infinity has another form than 65 octets. */
	if (!EC_POINT_oct2point(group, p, point.p, point.n, o->bn)) {
		EC_POINT_free(p);
		p = NULL;
	}
	ERR_pop_to_mark();
	return p;
}
