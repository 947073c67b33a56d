/*
 * The Bound Profile Package (SGP.22 §2.5.4), walked by hand and opened from the eUICC's side: its keys by
 * agreement with the one-time key in the package, its segments by AES and CMAC of OpenSSL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include "base/buf.h"
#include "dp/bpp.h"

#define EID "89049032123451234512345678901235"

static const uint8_t host_id[] = { 0x88, 0x37, 0x0a };
static uint8_t metadata[2500], upp[5000];

struct maker {
	struct arena mem;
	struct crypto_one_time euicc;
	uint8_t seed[CRYPTO_SEED_SIZE];
	struct bpp_inputs in;
};

static void
init(struct maker *m, enum crypto_curve curve, bool protection_keys)
{
	uint8_t seed[CRYPTO_SEED_SIZE] = { 7 };

	memset(m, 0, sizeof *m);
	arena_init(&m->mem, 1 << 20, NULL, NULL);
	crypto_one_time_init(&m->euicc, curve, seed);
	m->seed[0] = 1;
	for (size_t i = 0; i < sizeof upp; i++)
		upp[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < sizeof metadata; i++)
		metadata[i] = (uint8_t)(i * 5);
	m->in = (struct bpp_inputs){ .curve = curve,
		.seed = m->seed,
		.otpk = SLICE_ARRAY(m->euicc.public.point),
		.eid = SLICE_LIT(EID),
		.host_id = SLICE_ARRAY(host_id),
		.metadata = SLICE_ARRAY(metadata),
		.upp = SLICE_ARRAY(upp),
		.protection_keys = protection_keys };
}

static void
fini(struct maker *m)
{
	crypto_one_time_fini(&m->euicc);
	arena_fini(&m->mem);
}

static struct slice
whole(struct maker *m)
{
	static const uint8_t signature[64] = { 1 };
	struct bpp *bpp = bpp_new(&m->mem, &m->in);

	assert_non_null(bpp);
	return bpp_write(&m->mem, bpp, SLICE_LIT("transaction"), SLICE_ARRAY(signature));
}

/* Takes the next TLV off; returns its value, *tlv is all of it. */
static struct slice
take(struct slice *at, uint32_t tag, struct slice *tlv)
{
	size_t head = tag > 0xff ? 2 : 1, n, length_octets = 1;
	struct slice value;

	assert_true(at->n > head + 3);
	assert_int_equal(tag > 0xff ? at->p[0] << 8 | at->p[1] : at->p[0], tag);
	n = at->p[head];
	if (n > 0x80) {
		length_octets = 1 + (n & 0x7f);
		n = 0;
		for (size_t i = 1; i < length_octets; i++)
			n = n << 8 | at->p[head + i];
	}
	head += length_octets;
	assert_true(at->n >= head + n);
	value = slice_of(at->p + head, n);
	*tlv = slice_of(at->p, head + n);
	*at = slice_of(at->p + head + n, at->n - head - n);
	return value;
}

static struct slice
take_value(struct slice *at, uint32_t tag)
{
	struct slice tlv;

	return take(at, tag, &tlv);
}

/* ---- the eUICC's side of SCP03t --------------------------------------------------------------------- */

struct reader {
	struct crypto_session keys;
	uint32_t counter;
};

static void
cmac(const uint8_t key[16], struct slice a, struct slice b, uint8_t out[16])
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	EVP_MAC_CTX *c = EVP_MAC_CTX_new(mac);
	char cipher[] = "AES-128-CBC";
	OSSL_PARAM params[] = { OSSL_PARAM_utf8_string("cipher", cipher, 0), OSSL_PARAM_END };
	size_t n;

	assert_true(EVP_MAC_init(c, key, 16, params) && EVP_MAC_update(c, a.p, a.n) &&
		EVP_MAC_update(c, b.p, b.n) && EVP_MAC_final(c, out, &n, 16));
	EVP_MAC_CTX_free(c);
	EVP_MAC_free(mac);
}

static size_t
aes(const EVP_CIPHER *cipher, bool encrypt, const uint8_t key[16], const uint8_t *iv,
	struct slice in, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;

	assert_true(EVP_CipherInit_ex(c, cipher, NULL, key, iv, encrypt));
	EVP_CIPHER_CTX_set_padding(c, 0);
	assert_true(EVP_CipherUpdate(c, out, &n, in.p, (int)in.n));
	EVP_CIPHER_CTX_free(c);
	return (size_t)n;
}

/* Every segment of one tag: MAC checked, opened, appended to `plain`. */
static void
open_segments(struct reader *r, struct slice segments, uint8_t tag, struct buf *plain)
{
	while (segments.n) {
		uint8_t block[16] = { 0 }, iv[16], mac[16], opened[1024];
		struct slice tlv, value = take(&segments, tag, &tlv);
		size_t n = value.n - 8;

		assert_true(tlv.n <= 1024 && value.n <= 1020);
		cmac(r->keys.mac, SLICE_ARRAY(r->keys.chain), slice_of(tlv.p, tlv.n - 8), mac);
		assert_memory_equal(mac, value.p + n, 8);
		memcpy(r->keys.chain, mac, 16);
		r->counter++;
		if (tag == 0x88) {
			buf_put(plain, slice_of(value.p, n));
			continue;
		}
		block[14] = (uint8_t)(r->counter >> 8);
		block[15] = (uint8_t)r->counter;
		aes(EVP_aes_128_ecb(), true, r->keys.enc, NULL, SLICE_ARRAY(block), iv);
		aes(EVP_aes_128_cbc(), false, r->keys.enc, iv, slice_of(value.p, n), opened);
		while (n && opened[n - 1] == 0)
			n--;
		assert_true(n && opened[n - 1] == 0x80);
		buf_put(plain, slice_of(opened, n - 1));
	}
}

/* The eUICC takes the whole package and has the metadata and the profile in hand. */
static void
open_package(struct maker *m, struct slice package)
{
	struct slice body = take_value(&package, 0xbf36), point, channel, keys;
	uint8_t z[CRYPTO_Z_SIZE];
	struct reader r = { .counter = 0 };
	struct buf plain;

	assert_int_equal(package.n, 0);
	channel = take_value(&body, 0xbf23);
	take_value(&channel, 0x82);
	take_value(&channel, 0x80);
	take_value(&channel, 0xa6);
	point = take_value(&channel, 0x5f49);
	assert_true(crypto_agree(&m->euicc, point, z));
	assert_true(crypto_session_derive(&r.keys, z, SLICE_ARRAY(host_id), SLICE_LIT(EID)));
	buf_init(&plain, &m->mem, 1 << 16);
	open_segments(&r, take_value(&body, 0xa0), 0x87, &plain);
	assert_true(slice_eq(buf_get(&plain), SLICE_LIT("\xbf\x24\x00")));
	buf_init(&plain, &m->mem, 1 << 16);
	open_segments(&r, take_value(&body, 0xa1), 0x88, &plain);
	assert_true(slice_eq(buf_get(&plain), SLICE_ARRAY(metadata)));
	if (m->in.protection_keys) {
		buf_init(&plain, &m->mem, 1 << 16);
		open_segments(&r, take_value(&body, 0xa2), 0x87, &plain);
		keys = buf_get(&plain);
		keys = take_value(&keys, 0xbf26);
		memcpy(r.keys.chain, take_value(&keys, 0x80).p, 16);
		memcpy(r.keys.enc, take_value(&keys, 0x81).p, 16);
		memcpy(r.keys.mac, keys.p + 2, 16);
		r.counter = 0;
	}
	buf_init(&plain, &m->mem, 1 << 16);
	open_segments(&r, take_value(&body, 0xa3), 0x86, &plain);
	assert_true(slice_eq(buf_get(&plain), SLICE_ARRAY(upp)));
	assert_int_equal(body.n, 0);
}

static void
the_euicc_can_open_it(void **state)
{
	static const enum crypto_curve curves[] = { CURVE_P256, CURVE_BRAINPOOL_P256R1 };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct maker m;

		init(&m, curves[i & 1], i & 2);
		open_package(&m, whole(&m));
		fini(&m);
	}
}

static void
the_same_inputs_give_the_same_octets(void **state)
{
	struct slice first;
	struct maker m;

	(void)state;
	init(&m, CURVE_P256, true);
	first = whole(&m);
	assert_true(slice_eq(first, whole(&m)));
	m.seed[31] ^= 1;
	assert_false(slice_eq(first, whole(&m)));
	m.seed[31] ^= 1;
	assert_true(slice_eq(first, whole(&m)));
	m.in.eid = SLICE_LIT("89049032123451234512345678901236");
	assert_false(slice_eq(first, whole(&m)));
	fini(&m);
}

static void
another_one_time_key_gives_other_segments(void **state)
{
	uint8_t seed[CRYPTO_SEED_SIZE] = { 8 };
	struct crypto_one_time other;
	struct bpp *first, *second;
	struct maker m;

	(void)state;
	init(&m, CURVE_P256, false);
	crypto_one_time_init(&other, CURVE_P256, seed);
	first = bpp_new(&m.mem, &m.in);
	m.in.otpk = SLICE_ARRAY(other.public.point);
	second = bpp_new(&m.mem, &m.in);
	assert_false(slice_eq(first->profile, second->profile));
	assert_memory_not_equal(first->sha256, second->sha256, CRYPTO_SHA256_SIZE);
	crypto_one_time_fini(&other);
	fini(&m);
}

static void
what_is_no_point_of_the_curve_gives_no_package(void **state)
{
	uint8_t point[CRYPTO_POINT_SIZE];
	struct maker m;

	(void)state;
	init(&m, CURVE_P256, false);
	memcpy(point, m.in.otpk.p, sizeof point);
	m.in.otpk = SLICE_ARRAY(point);
	assert_non_null(bpp_new(&m.mem, &m.in));
	point[64] ^= 1;
	assert_null(bpp_new(&m.mem, &m.in));
	memset(point + 1, 0, 64);
	assert_null(bpp_new(&m.mem, &m.in));
	m.in.otpk.n = 64;
	assert_null(bpp_new(&m.mem, &m.in));
	m.in.otpk = SLICE_ARRAY(m.euicc.public.point);
	m.in.curve = CURVE_BRAINPOOL_P256R1;
	assert_null(bpp_new(&m.mem, &m.in));
	fini(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_euicc_can_open_it),
		cmocka_unit_test(the_same_inputs_give_the_same_octets),
		cmocka_unit_test(another_one_time_key_gives_other_segments),
		cmocka_unit_test(what_is_no_point_of_the_curve_gives_no_package),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dp_bpp", tests, NULL, NULL);
}
