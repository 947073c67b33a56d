/*
 * Published and computed vectors: hashes (RFC 4231, RFC 5869), confirmation code, key agreement and
 * SCP03t segments (an interoperability trace and an own set), signatures of SGP.26 keys, on both curves
 * what has no vector must at least agree with itself and with OpenSSL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include "base/rand.h"
#include "base/text.h"
#include "crypto/agree.h"
#include "crypto/digest.h"
#include "crypto/scp03t.h"

static struct arena mem;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 1 << 20, NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_fini(&mem);
	return 0;
}

static struct slice
hex(const char *digits)
{
	struct slice out;

	assert_true(text_unhex(&mem, slice_text(digits), &out));
	return out;
}

static void
check(struct slice got, const char *want)
{
	struct slice w = hex(want);

	assert_int_equal(got.n, w.n);
	assert_memory_equal(got.p, w.p, w.n);
}

static struct slice
sha256(struct slice s)
{
	uint8_t out[CRYPTO_SHA256_SIZE];

	crypto_sha256(&s, 1, out);
	return arena_copy(&mem, SLICE_ARRAY(out));
}

static void
hmac_as_in_rfc_4231(void **state)
{
	struct slice parts[2] = { SLICE_LIT("what do ya want "), SLICE_LIT("for nothing?") };
	uint8_t out[CRYPTO_SHA256_SIZE], key[131];

	(void)state;
	crypto_hmac_sha256(SLICE_LIT("Jefe"), parts, 2, out);
	check(SLICE_ARRAY(out), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	parts[0] = SLICE_LIT("Test Using Larger Than Block-Size Key - Hash Key First");
	crypto_hmac_sha256(SLICE_ARRAY(key), parts, 1, out);
	check(SLICE_ARRAY(out), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void
hkdf_as_in_rfc_5869(void **state)
{
	uint8_t out[42];
	struct slice key = hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");

	(void)state;
	crypto_hkdf_sha256(
		hex("000102030405060708090a0b0c"), key, hex("f0f1f2f3f4f5f6f7f8f9"), out, 42);
	check(SLICE_ARRAY(out),
		"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		"34007208d5b887185865");
	crypto_hkdf_sha256(SLICE_NONE, key, SLICE_NONE, out, 42);
	check(SLICE_ARRAY(out),
		"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		"9d201395faa4b61a96c8");
}

static void
confirmation_code_is_hashed_twice(void **state)
{
	struct slice stored = sha256(SLICE_LIT("12345678"));
	struct slice parts[2] = { stored, hex("000102030405060708090a0b0c0d0e0f") };
	uint8_t out[CRYPTO_SHA256_SIZE];

	(void)state;
	check(stored, "ef797c8118f02dfb649607dd5d3f8c7623048c9c063d532cc95c5ed7a898a64f");
	crypto_sha256(parts, 2, out);
	check(SLICE_ARRAY(out), "ab311c0527db635c7bac464efc070d69afecbba55a894064b394c56165610ec0");
}

/* One put, compared whole. */
static void
put(struct crypto_scp03t *c, enum crypto_scp03t_tag tag, const char *plain, const char *want)
{
	struct buf out;

	buf_init(&out, &mem, 4096);
	crypto_scp03t_put(c, tag, hex(plain), &out);
	assert_int_equal(crypto_scp03t_size(tag, strlen(plain) / 2), out.n);
	check(buf_get(&out), want);
}

#define METADATA                                                                               \
	"bf252d5a0a98001032547698103214910947534d415f54455354921147534d415f544553545f50524f46" \
	"494c45950100"

static void
the_trace_is_reproduced(void **state)
{
	struct crypto_session keys;
	struct crypto_scp03t *c;

	(void)state;
	assert_true(crypto_session_derive(&keys,
		hex("c9a993dd4879a8f7161f2085410edd4f9652f1df37be097ba96ba2ca6be528fe").p,
		hex("8080808080808080"), SLICE_LIT("89049032123451234512345678901235")));
	check(SLICE_ARRAY(keys.chain), "406d507b448a699e7a36a38494debbde");
	check(SLICE_ARRAY(keys.enc), "472f5bfadd97f21d34f3ce9b51b92751");
	check(SLICE_ARRAY(keys.mac), "9ec07f5b36a13e12a991d66e294e6242");
	c = crypto_scp03t_new(&mem, &keys);
	put(c, SCP03T_COMMAND, "bf2400", "8718f6fe031e4b9cfe87c8e1e62f3fde85c49412d7722a6a2d89");
	put(c, SCP03T_METADATA, METADATA, "8838" METADATA "8a62cc9adbb5ccbc");
	put(c, SCP03T_COMMAND,
		"bf26368010000102030405060708090a0b0c0d0e0f8110010102030405060708090a0b0c0d0e0f8210"
		"020102030405060708090a0b0c0d0e0f",
		"8748a14c800a001992351cd46ad2945654674369701d82b7b46567652bc8fbed234939fc57fba74801"
		"5525fd6c651e9d3d1330652d42a0cfad950e912122af4ec5362d3c0bc535729c40");
}

/* The own vector: private keys 01..20 and 21..40. */
#define OT_PK_DP                                                           \
	"04515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b403" \
	"5f4536be3a50f318fbf9a5475902a221502bef0d57e08c53b2cc0a56f17d9f9354"
#define OT_PK_EUICC                                                        \
	"041f140146bfb1b251f84f4ddbe0d4cdcfd77afd984a9520e35794021f8312bb" \
	"9eec995a08b1fa7704df3dcc0b50a9665263fb7711f95f9f8a449c5096e47c892b"

static void
own_keys(struct crypto_session *keys)
{
	struct crypto_one_time ot = { .public.curve = CURVE_P256 };
	uint8_t z[CRYPTO_Z_SIZE];

	for (uint8_t i = 0; i < 32; i++)
		ot.scalar[i] = (uint8_t)(i + 1);
	assert_true(crypto_agree(&ot, hex(OT_PK_EUICC), z));
	check(SLICE_ARRAY(z), "4fe243908f378aa1c2a69538822e6ed908c3225d8692575507c649901245150a");
	for (uint8_t i = 0; i < 32; i++)
		ot.scalar[i] = (uint8_t)(i + 0x21);
	assert_true(crypto_agree(&ot, hex(OT_PK_DP), z));
	check(SLICE_ARRAY(z), "4fe243908f378aa1c2a69538822e6ed908c3225d8692575507c649901245150a");
	assert_true(crypto_session_derive(
		keys, z, SLICE_LIT("TESTHOST"), SLICE_LIT("89049032123451234512345678901235")));
}

static struct slice
upp(void)
{
	uint8_t *p = arena_alloc(&mem, 1100);

	for (size_t i = 0; i < 1100; i++)
		p[i] = (uint8_t)i;
	return slice_of(p, 1100);
}

/* Both '86' of the 1100 octets: beginnings, MACs, hashes. */
static void
put_upp(struct crypto_scp03t *c, const char *const want[6])
{
	struct buf out;
	struct slice all, segment[2];

	buf_init(&out, &mem, 4096);
	crypto_scp03t_put(c, SCP03T_PROFILE, upp(), &out);
	all = buf_get(&out);
	assert_int_equal(all.n, 1020 + 106);
	assert_int_equal(crypto_scp03t_size(SCP03T_PROFILE, 1100), all.n);
	segment[0] = slice_sub(all, 0, 1020);
	segment[1] = slice_sub(all, 1020, 106);
	for (int i = 0; i < 2; i++) {
		check(slice_sub(segment[i], 0, 12), want[3 * i]);
		check(slice_sub(segment[i], segment[i].n - 8, 8), want[3 * i + 1]);
		check(sha256(segment[i]), want[3 * i + 2]);
	}
}

#define SMALL_METADATA "bf25165a0a980010325476981032149102535092044e616d65"
#define REPLACE                                                              \
	"bf2636801011111111111111111111111111111111811022222222222222222222" \
	"2222222222228210"                                                   \
	"33333333333333333333333333333333"

static void
own_vector_with_session_keys(void **state)
{
	static const char *const want[] = { "868203f8c2fa6eea5837f9e5", "47fe45eb0ad83ba8",
		"dc6c06f36abdd033298efd4dfc9c4ea8b865472a2f04304ef41cb38bee7c81dc",
		"866885b7dec8cdfa0c4bc5df", "c97bba8e6bbf59f7",
		"f10d96f4cac6cbe8c3dd606549c7bbe2a09a5e9069f93677c5dbb2e3f2f93592" };
	struct crypto_session keys;
	struct crypto_scp03t *c;

	(void)state;
	own_keys(&keys);
	check(SLICE_ARRAY(keys.chain), "d862b15191310732775c89fe36861bf3");
	check(SLICE_ARRAY(keys.enc), "119767ba27e84cdf9cab5c28dae2da93");
	check(SLICE_ARRAY(keys.mac), "fae231fd4c60031bace54bbafabe258c");
	c = crypto_scp03t_new(&mem, &keys);
	put(c, SCP03T_COMMAND, "bf2400", "87189efe890b6d92335b9cf1cc20f5cdfee253aad8bf42b19076");
	put(c, SCP03T_METADATA, SMALL_METADATA, "8821" SMALL_METADATA "37baa4133f0fb862");
	put_upp(c, want);
}

static void
own_vector_with_protection_keys(void **state)
{
	static const char *const want[] = { "868203f81cf361ec68280fd1", "66f0cd240a6356e7",
		"7a825d931cb299bc4460f6b6bd9d2b995fba764bb732039e21cdc868b032ba2c",
		"8668cbdd94e8e0a987bb81db", "b5648b34a8897d17",
		"aaab568a775b8dd0c36779a9b9e103bf544a79ea7c8b8c0616b19da379913682" };
	struct crypto_session keys;
	struct crypto_scp03t *c;

	(void)state;
	own_keys(&keys);
	c = crypto_scp03t_new(&mem, &keys);
	put(c, SCP03T_COMMAND, "bf2400", "87189efe890b6d92335b9cf1cc20f5cdfee253aad8bf42b19076");
	put(c, SCP03T_METADATA, SMALL_METADATA, "8821" SMALL_METADATA "37baa4133f0fb862");
	put(c, SCP03T_COMMAND, REPLACE,
		"87488e18694746cc26178657ba114b4bf83bffcf8ffdff0b3d6facae4fc930183319bb88cc9a4f2f45"
		"4b6b0d16218dc249dfc8498effa8d6e2c910edffbf2ddf59e68324d05f32dfd13e");
	memset(keys.chain, 0x11, 16);
	memset(keys.enc, 0x22, 16);
	memset(keys.mac, 0x33, 16);
	put_upp(crypto_scp03t_new(&mem, &keys), want);
}

/* No segment above 1020 octets (SGP.22 §2.5.3), sizes as foretold, at every border. */
static void
segments_stay_within_1020_octets(void **state)
{
	static const size_t n[] = { 0, 1, 15, 16, 17, 111, 112, 119, 120, 127, 239, 240, 247, 248,
		1006, 1007, 1008, 1009, 2014, 2015, 2016, 2017, 12000 };
	struct crypto_session keys = { .enc = { 1 }, .mac = { 2 } };
	struct crypto_scp03t *c = crypto_scp03t_new(&mem, &keys);
	struct slice plain = slice_of(arena_alloc(&mem, 12000), 12000), at;
	struct buf out;

	(void)state;
	for (size_t i = 0; i < 3 * sizeof n / sizeof n[0]; i++) {
		enum crypto_scp03t_tag tag = (enum crypto_scp03t_tag)(0x86 + i % 3);

		buf_init(&out, &mem, 16384);
		crypto_scp03t_put(c, tag, slice_sub(plain, 0, n[i / 3]), &out);
		assert_int_equal(out.n, crypto_scp03t_size(tag, n[i / 3]));
		for (at = slice_of(out.p, out.n); at.n;) {
			size_t whole = at.p[1] < 0x80 ? at.p[1] + 2U
				: at.p[1] == 0x81     ? at.p[2] + 3U
						      : at.p[2] * 256U + at.p[3] + 4U;

			assert_int_equal(at.p[0], tag);
			assert_true(whole <= 1020 && whole <= at.n);
			at = slice_sub(at, whole, at.n);
		}
	}
}

static void
one_time_keys_come_from_their_seed(void **state)
{
	uint8_t seed[CRYPTO_SEED_SIZE] = { 7 }, z[2][CRYPTO_Z_SIZE];
	struct crypto_one_time a, again, b;
	struct crypto_public p;

	(void)state;
	for (int i = 0; i < 2; i++) {
		enum crypto_curve curve = (enum crypto_curve)i;

		crypto_one_time_init(&a, curve, seed);
		crypto_one_time_init(&again, curve, seed);
		assert_memory_equal(a.scalar, again.scalar, sizeof a.scalar);
		assert_true(crypto_public_eq(&a.public, &again.public));
		seed[31]++;
		crypto_one_time_init(&b, curve, seed);
		assert_memory_not_equal(a.scalar, b.scalar, sizeof a.scalar);
		assert_true(crypto_public_init(&p, curve, SLICE_ARRAY(a.public.point)));
		assert_false(crypto_public_init(
			&p, (enum crypto_curve)(1 - i), SLICE_ARRAY(a.public.point)));
		assert_true(crypto_agree(&a, SLICE_ARRAY(b.public.point), z[0]));
		assert_true(crypto_agree(&b, SLICE_ARRAY(a.public.point), z[1]));
		assert_memory_equal(z[0], z[1], sizeof z[0]);
	}
}

/* Off the curve, infinity, compressed, short, of the other curve. */
static void
points_that_are_none_are_refused(void **state)
{
	uint8_t seed[CRYPTO_SEED_SIZE] = { 9 }, z[CRYPTO_Z_SIZE], point[CRYPTO_POINT_SIZE];
	struct crypto_one_time a, other;

	(void)state;
	crypto_one_time_init(&a, CURVE_P256, seed);
	crypto_one_time_init(&other, CURVE_BRAINPOOL_P256R1, seed);
	assert_false(crypto_agree(&a, SLICE_ARRAY(other.public.point), z));
	memcpy(point, a.public.point, sizeof point);
	point[64] ^= 1;
	assert_false(crypto_agree(&a, SLICE_ARRAY(point), z));
	memset(point + 1, 0, 64);
	assert_false(crypto_agree(&a, SLICE_ARRAY(point), z));
	assert_false(crypto_agree(&a, SLICE_LIT("\0"), z));
	assert_false(crypto_agree(&a, slice_of(a.public.point, 64), z));
	assert_false(crypto_agree(&a, SLICE_NONE, z));
	memcpy(point, a.public.point, sizeof point);
	point[0] = (uint8_t)(2 | (point[64] & 1));
	assert_false(crypto_agree(&a, slice_of(point, 33), z));
	point[0] = (uint8_t)(6 | (point[64] & 1));
	assert_false(crypto_agree(&a, SLICE_ARRAY(point), z));
	crypto_one_time_fini(&a);
	for (size_t i = 0; i < sizeof a.scalar; i++)
		assert_int_equal(a.scalar[i], 0);
}

static void
session_keys_want_an_eid_and_a_host(void **state)
{
	struct crypto_session k;
	uint8_t z[CRYPTO_Z_SIZE] = { 1 };
	struct slice eid = SLICE_LIT("89049032123451234512345678901235");

	(void)state;
	assert_false(crypto_session_derive(&k, z, SLICE_NONE, eid));
	assert_false(crypto_session_derive(&k, z, SLICE_LIT("12345678901234567"), eid));
	assert_false(crypto_session_derive(&k, z, SLICE_LIT("h"), slice_sub(eid, 1, 31)));
	assert_false(crypto_session_derive(
		&k, z, SLICE_LIT("h"), SLICE_LIT("8904903212345123451234567890123A")));
	assert_true(crypto_session_derive(&k, z, SLICE_LIT("h"), eid));
}

static void
protection_keys_are_apart_from_the_one_time_key(void **state)
{
	uint8_t seed[CRYPTO_SEED_SIZE] = { 3 }, other[CRYPTO_SEED_SIZE] = { 4 };
	struct crypto_session a, b;
	struct crypto_one_time ot;

	(void)state;
	crypto_session_protection(&a, seed);
	crypto_session_protection(&b, seed);
	assert_memory_equal(&a, &b, sizeof a);
	crypto_session_protection(&b, other);
	assert_memory_not_equal(a.enc, b.enc, 16);
	crypto_one_time_init(&ot, CURVE_P256, seed);
	assert_memory_not_equal(ot.scalar, &a, 32);
	assert_memory_not_equal(a.enc, a.mac, 16);
}

/* A key of OpenSSL's making, as PEM text in the arena. */
static struct slice
make_pem(const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve);
	BIO *bio = BIO_new(BIO_s_mem());
	struct slice out;
	char *p;
	long n;

	assert_true(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
	n = BIO_get_mem_data(bio, &p);
	out = arena_copy(&mem, slice_of(p, (size_t)n));
	BIO_free(bio);
	EVP_PKEY_free(key);
	return out;
}

static void
signatures_verify_and_bend_nowhere(void **state)
{
	struct slice parts[] = { SLICE_LIT("one "), SLICE_LIT("run"), SLICE_LIT("one run") };
	uint8_t sig[CRYPTO_SIGNATURE_SIZE];
	struct crypto_public key;

	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *curve = crypto_curve_name((enum crypto_curve)i);
		struct crypto_private *k = crypto_private_new(make_pem(curve));

		assert_non_null(k);
		key = *crypto_private_public(k);
		assert_int_equal(key.curve, i);
		for (int j = 0; j < 100; j++) { /* short r and s among them */
			crypto_private_sign(k, parts, 2, sig);
			assert_true(crypto_verify(&key, parts + 2, 1, SLICE_ARRAY(sig)));
		}
		assert_false(crypto_verify(&key, parts, 1, SLICE_ARRAY(sig)));
		assert_false(crypto_verify(&key, parts, 2, slice_of(sig, 63)));
		for (size_t bit = 0; bit < 512; bit += 37) {
			sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(crypto_verify(&key, parts, 2, SLICE_ARRAY(sig)));
			sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		key.point[64] ^= 1;
		assert_false(crypto_verify(&key, parts, 2, SLICE_ARRAY(sig)));
		memset(sig, 0, sizeof sig);
		key = *crypto_private_public(k);
		assert_false(crypto_verify(&key, parts, 2, SLICE_ARRAY(sig)));
		memset(sig, 0xff, sizeof sig);
		assert_false(crypto_verify(&key, parts, 2, SLICE_ARRAY(sig)));
		crypto_private_free(k);
	}
}

static void
keys_of_other_kinds_are_refused(void **state)
{
	(void)state;
	assert_null(crypto_private_new(make_pem("P-384")));
	assert_null(crypto_private_new(make_pem("secp256k1")));
	assert_null(crypto_private_new(SLICE_LIT("no key at all")));
	assert_null(crypto_private_new(SLICE_NONE));
}

/* Public keys of the SGP.26 NIST set. */
#define SGP26_DPAUTH_NIST                                                  \
	"044dfed4f4694791bf1695cea0307a35b418019695387bb75b7d2447b6b5209f" \
	"0445ae4e5e521cd13888d75fe07c8580222ae20dbaac1d77cd76304993421bd739"
#define SGP26_DPPB_NIST                                                    \
	"04104c2ae3d02def9c979261a7c6710076b970721d0955a2644ae05fae4bc231" \
	"4e5dc09f6bf0118026165342e212318775e365f3b57325373066b9906e0bd1388d"

static void
signatures_of_the_test_keys_verify(void **state)
{
	static const char tbs[] =
		"30488010000102030405060708090a0b0c0d0e0f8110101112131415161718191a1b1c1d1e1f8310"
		"736d64702e6578616d706c652e636f6d8410202122232425262728292a2b2c2d2e2f";
	uint8_t stand_in[64];
	struct crypto_public auth, pb;
	struct slice parts[3];

	(void)state;
	assert_true(crypto_public_init(&auth, CURVE_P256, hex(SGP26_DPAUTH_NIST)));
	assert_true(crypto_public_init(&pb, CURVE_P256, hex(SGP26_DPPB_NIST)));
	parts[0] = hex(tbs);
	assert_true(crypto_verify(&auth, parts, 1,
		hex("804f574680434cb2a39a5bcd0e5f7922f099d91dbc046e2f7be9846f71d2c69c"
		    "3f6cc8c8dfd7d0eb4cc27d0b55020599dee6cac0bd55fd6928cbdf7cd81f07a3")));
	memset(stand_in, 0xa5, sizeof stand_in);
	parts[0] = hex("30158010000102030405060708090a0b0c0d0e0f010100");
	parts[1] = hex("5f3740");
	parts[2] = SLICE_ARRAY(stand_in);
	assert_true(crypto_verify(&pb, parts, 3,
		hex("f2d24acef8c6084d65a6573f4e02cfeb65bdadd37fc6b7252c17b76eb89e658a"
		    "bde3faaf48556641b204f11e4fc50a908c475241ca583a3352b381158568e92d")));
	parts[0] = hex("8201018010000102030405060708090a0b0c0d0e0fa6108001888101108408544553"
		       "54484f53545f4941" OT_PK_DP "5f4941" OT_PK_EUICC);
	assert_true(crypto_verify(&pb, parts, 1,
		hex("f1105dea7fe7676a14effe10a4bb6edbe04c61d624cd81f9df9787e05d7da3d2"
		    "a998ec54d70623d45a0b21013e1778bb57b6ee493bdc798343399b63bf18917f")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_as_in_rfc_4231),
		cmocka_unit_test(hkdf_as_in_rfc_5869),
		cmocka_unit_test(confirmation_code_is_hashed_twice),
		cmocka_unit_test(the_trace_is_reproduced),
		cmocka_unit_test(own_vector_with_session_keys),
		cmocka_unit_test(own_vector_with_protection_keys),
		cmocka_unit_test(segments_stay_within_1020_octets),
		cmocka_unit_test(one_time_keys_come_from_their_seed),
		cmocka_unit_test(points_that_are_none_are_refused),
		cmocka_unit_test(session_keys_want_an_eid_and_a_host),
		cmocka_unit_test(protection_keys_are_apart_from_the_one_time_key),
		cmocka_unit_test(signatures_verify_and_bend_nowhere),
		cmocka_unit_test(keys_of_other_kinds_are_refused),
		cmocka_unit_test(signatures_of_the_test_keys_verify),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("crypto_vectors", tests, setup, teardown);
}
