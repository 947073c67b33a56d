/*
 * Key agreement of SGP.22 §2.6.4 and Annex G. A one-time key comes out of a seed, since the binding
 * record keeps the seed and must give the same package again (RULES 2). EC_POINT_mul with one scalar
 * takes constant time in OpenSSL, and half the time of EVP_PKEY_derive (docs/crypto.md).
 */
#include "crypto/agree.h"
#include "crypto/digest.h"
#include "crypto/int.h"

/* 16 octets more than the order has, so that the remainder is as good as even (FIPS 186-4 B.4.1). */
enum { WIDE = CRYPTO_SCALAR_SIZE + 16 };

static BIGNUM *
secret_number(struct slice octets)
{
	BIGNUM *v = BN_secure_new();

	must(v && BN_bin2bn(octets.p, (int)octets.n, v));
	BN_set_flags(v, BN_FLG_CONSTTIME);
	return v;
}

/* 1 + HKDF(seed) mod (n - 1). */
static BIGNUM *
scalar_of(const EC_GROUP *group, const uint8_t *seed)
{
	uint8_t wide[WIDE];
	BIGNUM *order = BN_dup(EC_GROUP_get0_order(group)), *v;

	crypto_hkdf_sha256(SLICE_NONE, slice_of(seed, CRYPTO_SEED_SIZE), SLICE_LIT("rspd otSK.DP"),
		wide, sizeof wide);
	v = secret_number(SLICE_ARRAY(wide));
	explicit_bzero(wide, sizeof wide);
	must(order && BN_sub_word(order, 1) && BN_nnmod(v, v, order, crypto_ossl()->bn) &&
		BN_add_word(v, 1));
	BN_free(order);
	return v;
}

void
crypto_one_time_init(
	struct crypto_one_time *key, enum crypto_curve curve, const uint8_t seed[CRYPTO_SEED_SIZE])
{
	const struct ossl *o = crypto_ossl();
	const EC_GROUP *group = o->curve[curve].group;
	BIGNUM *scalar = scalar_of(group, seed);
	EC_POINT *p = EC_POINT_new(group);

	must(p && EC_POINT_mul(group, p, scalar, NULL, NULL, o->bn));
	key->public.curve = curve;
	must(EC_POINT_point2oct(group, p, POINT_CONVERSION_UNCOMPRESSED, key->public.point,
		     CRYPTO_POINT_SIZE, o->bn) == CRYPTO_POINT_SIZE);
	must(BN_bn2binpad(scalar, key->scalar, sizeof key->scalar) == CRYPTO_SCALAR_SIZE);
	EC_POINT_free(p);
	BN_clear_free(scalar);
}

void
crypto_one_time_fini(struct crypto_one_time *key)
{
	explicit_bzero(key, sizeof *key);
}

bool
crypto_agree(const struct crypto_one_time *key, struct slice point, uint8_t z[CRYPTO_Z_SIZE])
{
	const struct ossl *o = crypto_ossl();
	const EC_GROUP *group = o->curve[key->public.curve].group;
	EC_POINT *p = crypto_point_new(o, key->public.curve, point);
	BIGNUM *scalar, *x;

	if (!p)
		return false;
	scalar = secret_number(SLICE_ARRAY(key->scalar));
	x = BN_secure_new();
	/* Both curves have cofactor 1: a point on the curve never gives infinity here. */
	must(x && EC_POINT_mul(group, p, NULL, p, scalar, o->bn) &&
		EC_POINT_get_affine_coordinates(group, p, x, NULL, o->bn) &&
		BN_bn2binpad(x, z, CRYPTO_Z_SIZE) == CRYPTO_Z_SIZE);
	EC_POINT_clear_free(p);
	BN_clear_free(scalar);
	BN_clear_free(x);
	return true;
}

/* 32 digits, the first in the high nibble. */
static bool
pack_eid(struct slice digits, uint8_t out[16])
{
	if (digits.n != 32 || !slice_is_digits(digits))
		return false;
	for (size_t i = 0; i < 16; i++)
		out[i] = (uint8_t)((digits.p[2 * i] & 15) << 4 | (digits.p[2 * i + 1] & 15));
	return true;
}

bool
crypto_session_derive(struct crypto_session *keys, const uint8_t z[CRYPTO_Z_SIZE],
	struct slice host_id, struct slice eid)
{
	uint8_t head[3] = { 0x88, 0x10, (uint8_t)host_id.n }; /* AES, 16 octets */
	uint8_t packed[17] = { 16 }, counter[4] = { 0 };
	uint8_t out[2 * CRYPTO_SHA256_SIZE];
	const struct slice parts[] = { { z, CRYPTO_Z_SIZE }, SLICE_ARRAY(counter),
		SLICE_ARRAY(head), host_id, SLICE_ARRAY(packed) };

	if (host_id.n == 0 || host_id.n > CRYPTO_HOST_ID_MAX || !pack_eid(eid, packed + 1))
		return false;
	for (uint8_t i = 0; i < 2; i++) {
		counter[3] = (uint8_t)(i + 1);
		crypto_sha256(parts, 5, out + i * CRYPTO_SHA256_SIZE);
	}
	memcpy(keys->chain, out, 16);
	memcpy(keys->enc, out + 16, 16);
	memcpy(keys->mac, out + 32, 16);
	explicit_bzero(out, sizeof out);
	return true;
}

void
crypto_session_protection(struct crypto_session *keys, const uint8_t seed[CRYPTO_SEED_SIZE])
{
	uint8_t out[48];

	crypto_hkdf_sha256(SLICE_NONE, slice_of(seed, CRYPTO_SEED_SIZE), SLICE_LIT("rspd PPK"), out,
		sizeof out);
	memcpy(keys->chain, out, 16);
	memcpy(keys->enc, out + 16, 16);
	memcpy(keys->mac, out + 32, 16);
	explicit_bzero(out, sizeof out);
}
