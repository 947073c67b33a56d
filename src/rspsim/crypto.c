/*
 * Keys, signatures, key agreement and block ciphers of the simulated card, each straight from its
 * definition (SGP.22 §2.6, Annex G; ANSI X9.63; NIST SP 800-38B), sharing nothing with the server.
 */
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <stdlib.h>
#include "rspsim/crypto.h"

/* OpenSSL fails in these places only without memory; a simulator may stop then. */
static void
must(bool done)
{
	if (!done)
		abort();
}

EVP_PKEY *
rspsim_key_new(int curve)
{
	EVP_PKEY *key = EVP_EC_gen(OBJ_nid2sn(curve));

	must(key != NULL);
	return key;
}

EVP_PKEY *
rspsim_key_from_point(int curve, struct slice point)
{
	OSSL_PARAM params[3] = { { 0 } };
	char name[32];
	uint8_t octets[RSPSIM_POINT];
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	if (point.n != RSPSIM_POINT || point.p[0] != 4)
		return NULL;
	snprintf(name, sizeof name, "%s", OBJ_nid2sn(curve));
	memcpy(octets, point.p, sizeof octets);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
	params[1] =
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets, sizeof octets);
	params[2] = OSSL_PARAM_construct_end();
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	must(ctx && EVP_PKEY_fromdata_init(ctx) > 0);
	if (EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0) {
		key = NULL;
		ERR_clear_error();
	}
	EVP_PKEY_CTX_free(ctx);
	return key;
}

int
rspsim_key_curve(const EVP_PKEY *key)
{
	char name[64];

	if (!EVP_PKEY_is_a(key, "EC") || !EVP_PKEY_get_group_name(key, name, sizeof name, NULL))
		return NID_undef;
	return OBJ_txt2nid(name);
}

struct slice
rspsim_key_point(struct arena *mem, const EVP_PKEY *key)
{
	uint8_t *p = arena_alloc(mem, RSPSIM_POINT);
	size_t n = 0;

	must(EVP_PKEY_get_octet_string_param(
		     key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, p, RSPSIM_POINT, &n) &&
		n == RSPSIM_POINT);
	return slice_of(p, n);
}

struct slice
rspsim_sign(struct arena *mem, EVP_PKEY *key, struct slice data)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[80], *p = arena_alloc(mem, RSPSIM_SIGNATURE);
	const uint8_t *q = der;
	size_t n = sizeof der;
	ECDSA_SIG *pair;

	must(ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) > 0);
	must(EVP_DigestSign(ctx, der, &n, data.p, data.n) > 0);
	pair = d2i_ECDSA_SIG(NULL, &q, (long)n);
	must(pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), p, 32) == 32 &&
		BN_bn2binpad(ECDSA_SIG_get0_s(pair), p + 32, 32) == 32);
	ECDSA_SIG_free(pair);
	EVP_MD_CTX_free(ctx);
	return slice_of(p, RSPSIM_SIGNATURE);
}

bool
rspsim_verify(EVP_PKEY *key, struct slice data, struct slice signature)
{
	EVP_MD_CTX *ctx;
	ECDSA_SIG *pair;
	uint8_t *der = NULL;
	int n;
	bool good;

	if (signature.n != RSPSIM_SIGNATURE)
		return false;
	ctx = EVP_MD_CTX_new();
	pair = ECDSA_SIG_new();
	must(ctx && pair &&
		ECDSA_SIG_set0(pair, BN_bin2bn(signature.p, 32, NULL),
			BN_bin2bn(signature.p + 32, 32, NULL)));
	n = i2d_ECDSA_SIG(pair, &der);
	must(n > 0 && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) > 0);
	good = EVP_DigestVerify(ctx, der, (size_t)n, data.p, data.n) == 1;
	ERR_clear_error();
	OPENSSL_free(der);
	ECDSA_SIG_free(pair);
	EVP_MD_CTX_free(ctx);
	return good;
}

bool
rspsim_agree(EVP_PKEY *own, EVP_PKEY *peer, uint8_t z[32])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	size_t n = 32;
	bool good = ctx && EVP_PKEY_derive_init(ctx) > 0 &&
		EVP_PKEY_derive_set_peer(ctx, peer) > 0 && EVP_PKEY_derive(ctx, z, &n) > 0 &&
		n == 32;

	ERR_clear_error();
	EVP_PKEY_CTX_free(ctx);
	return good;
}

void
rspsim_sha256(struct slice a, struct slice b, uint8_t out[32])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) && EVP_DigestUpdate(ctx, a.p, a.n) &&
		EVP_DigestUpdate(ctx, b.p, b.n) && EVP_DigestFinal_ex(ctx, out, NULL));
	EVP_MD_CTX_free(ctx);
}

void
rspsim_derive(const uint8_t z[32], struct slice shared_info, uint8_t out[48])
{
	uint8_t numbered[36], digest[64];

	memcpy(numbered, z, 32);
	for (uint8_t i = 0; i < 2; i++) {
		memcpy(numbered + 32, (const uint8_t[]){ 0, 0, 0, (uint8_t)(i + 1) }, 4);
		rspsim_sha256(SLICE_ARRAY(numbered), shared_info, digest + 32 * i);
	}
	memcpy(out, digest, 48);
	explicit_bzero(numbered, sizeof numbered);
	explicit_bzero(digest, sizeof digest);
}

void
rspsim_aes(const uint8_t key[16], const uint8_t *iv, struct slice in, uint8_t *out, bool encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;

	must(ctx && in.n % 16 == 0 &&
		EVP_CipherInit_ex(
			ctx, iv ? EVP_aes_128_cbc() : EVP_aes_128_ecb(), NULL, key, iv, encrypt));
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	must(EVP_CipherUpdate(ctx, out, &n, in.p, (int)in.n) && (size_t)n == in.n);
	EVP_CIPHER_CTX_free(ctx);
}

void
rspsim_cmac(const uint8_t key[16], const struct slice *parts, size_t count, uint8_t out[16])
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	char cipher[] = "AES-128-CBC";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
		OSSL_PARAM_construct_end() };
	size_t n = 0;

	must(ctx && EVP_MAC_init(ctx, key, 16, params));
	for (size_t i = 0; i < count; i++)
		must(EVP_MAC_update(ctx, parts[i].p, parts[i].n));
	must(EVP_MAC_final(ctx, out, &n, 16) && n == 16);
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}
