/*
 * ECDSA with SHA-256 (SGP.22 §2.6.7.2): verification with any public key, signing with our own. One
 * EVP_PKEY per curve takes each public key in turn: importing a key anew costs a quarter of a
 * verification (docs/crypto.md). Whose key it is, and what is signed, is for others to know.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include "crypto/der.h"
#include "crypto/digest.h"
#include "crypto/int.h"

enum { HALF = CRYPTO_SIGNATURE_SIZE / 2, DER_SIGNATURE_MAX = 72 };

struct crypto_private {
	struct crypto_public public;
	EVP_PKEY *key;
	EVP_PKEY_CTX *sign; /* ready to sign, again and again */
};

bool
crypto_public_init(struct crypto_public *key, enum crypto_curve curve, struct slice point)
{
	EC_POINT *p = crypto_point_new(crypto_ossl(), curve, point);

	if (!p)
		return false;
	EC_POINT_free(p);
	key->curve = curve;
	memcpy(key->point, point.p, sizeof key->point);
	return true;
}

bool
crypto_public_eq(const struct crypto_public *a, const struct crypto_public *b)
{
	return a->curve == b->curve && memcmp(a->point, b->point, sizeof a->point) == 0;
}

/* Half of a plain signature as a DER INTEGER; returns the end. */
static uint8_t *
write_integer(uint8_t *out, const uint8_t *half)
{
	size_t n = HALF, pad;

	while (n > 1 && *half == 0) {
		half++;
		n--;
	}
	pad = *half >> 7;
	*out++ = DER_INTEGER;
	*out++ = (uint8_t)(n + pad);
	if (pad)
		*out++ = 0;
	memcpy(out, half, n);
	return out + n;
}

static struct slice
plain_to_der(struct slice plain, uint8_t out[DER_SIGNATURE_MAX])
{
	uint8_t *end = write_integer(write_integer(out + 2, plain.p), plain.p + HALF);

	out[0] = DER_SEQUENCE;
	out[1] = (uint8_t)(end - out - 2);
	return slice_of(out, (size_t)(end - out));
}

/* A DER INTEGER off the front, right-aligned into 32 octets. */
static bool
read_integer(struct slice *in, uint8_t *half)
{
	struct slice v;

	if (!der_read(in, DER_INTEGER, &v))
		return false;
	if (v.n && v.p[0] == 0)
		v = slice_sub(v, 1, v.n);
	if (v.n > HALF)
		return false;
	memset(half, 0, HALF - v.n);
	memcpy(half + HALF - v.n, v.p, v.n);
	return true;
}

static bool
verify_hash(const struct crypto_public *key, const uint8_t hash[CRYPTO_SHA256_SIZE],
	struct slice signature)
{
	EVP_PKEY *pkey = crypto_ossl()->curve[key->curve].key;
	EVP_PKEY_CTX *ctx;
	bool fine = false;

	ERR_set_mark();
	/* Decoding the point checks that it lies on the curve. */
	if (EVP_PKEY_set1_encoded_public_key(pkey, key->point, sizeof key->point)) {
		ctx = EVP_PKEY_CTX_new(pkey, NULL);
		must(ctx && EVP_PKEY_verify_init(ctx) > 0);
		fine = EVP_PKEY_verify(ctx, signature.p, signature.n, hash, CRYPTO_SHA256_SIZE) ==
			1;
		EVP_PKEY_CTX_free(ctx);
	}
	ERR_pop_to_mark(); /* a stranger's bad signature must not look like a TLS error */
	return fine;
}

bool
crypto_verify(const struct crypto_public *key, const struct slice *parts, size_t n,
	struct slice signature)
{
	uint8_t hash[CRYPTO_SHA256_SIZE], der[DER_SIGNATURE_MAX];

	if (signature.n != CRYPTO_SIGNATURE_SIZE)
		return false;
	crypto_sha256(parts, n, hash);
	return verify_hash(key, hash, plain_to_der(signature, der));
}

bool
crypto_verify_der(const struct crypto_public *key, struct slice octets, struct slice signature)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];

	crypto_sha256(&octets, 1, hash);
	return verify_hash(key, hash, signature);
}

/* No passphrase is asked for: a daemon has no terminal. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* The curve of a key that OpenSSL read. */
static bool
find_curve(EVP_PKEY *key, enum crypto_curve *out)
{
	char name[64];

	if (!EVP_PKEY_is_a(key, "EC") || !EVP_PKEY_get_group_name(key, name, sizeof name, NULL))
		return false;
	for (int i = 0; i < CURVE_COUNT; i++)
		if (OBJ_sn2nid(name) == EC_GROUP_get_curve_name(crypto_ossl()->curve[i].group)) {
			*out = (enum crypto_curve)i;
			return true;
		}
	return false;
}

/* Its curve and uncompressed point; the file may hold the compressed form. */
static bool
read_public(EVP_PKEY *key, struct crypto_public *out)
{
	const struct ossl *o = crypto_ossl();
	uint8_t point[CRYPTO_POINT_SIZE];
	const EC_GROUP *group;
	EC_POINT *p;
	size_t n;
	bool fine;

	if (!find_curve(key, &out->curve) ||
		!EVP_PKEY_get_octet_string_param(
			key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &n))
		return false;
	group = o->curve[out->curve].group;
	p = EC_POINT_new(group);
	must(p);
	fine = EC_POINT_oct2point(group, p, point, n, o->bn) &&
		EC_POINT_point2oct(group, p, POINT_CONVERSION_UNCOMPRESSED, out->point,
			sizeof out->point, o->bn) == sizeof out->point;
	EC_POINT_free(p);
	return fine;
}

struct crypto_private *
crypto_private_new(struct slice pem)
{
	struct crypto_private *key = calloc(1, sizeof *key);
	BIO *bio = BIO_new_mem_buf(pem.n ? (const char *)pem.p : "", (int)pem.n);

	must(key && bio);
	ERR_set_mark();
	key->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (key->key && read_public(key->key, &key->public)) {
		key->sign = EVP_PKEY_CTX_new(key->key, NULL);
		must(key->sign && EVP_PKEY_sign_init(key->sign) > 0);
	}
	ERR_pop_to_mark();
	if (key->sign)
		return key;
	crypto_private_free(key);
	return NULL;
}

void
crypto_private_free(struct crypto_private *key)
{
	if (!key)
		return;
	EVP_PKEY_CTX_free(key->sign);
	EVP_PKEY_free(key->key); /* OpenSSL wipes the scalar */
	free(key);
}

const struct crypto_public *
crypto_private_public(const struct crypto_private *key)
{
	return &key->public;
}

void
crypto_private_sign(struct crypto_private *key, const struct slice *parts, size_t n,
	uint8_t signature[CRYPTO_SIGNATURE_SIZE])
{
	uint8_t hash[CRYPTO_SHA256_SIZE], der[DER_SIGNATURE_MAX];
	size_t size = sizeof der;
	struct slice in, pair;

	crypto_sha256(parts, n, hash);
	must(EVP_PKEY_sign(key->sign, der, &size, hash, sizeof hash) > 0);
	in = slice_of(der, size);
	must(der_read(&in, DER_SEQUENCE, &pair) && read_integer(&pair, signature) &&
		read_integer(&pair, signature + HALF));
}
