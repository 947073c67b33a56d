/* Sealed values and transaction ids: layout, rotation, and everything that must not be accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "crypto/digest.h"
#include "crypto/seal.h"
#include "crypto/token.h"

static struct arena mem;
static const uint8_t key_a[32] = { 1 }, key_b[32] = { 2 };

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

static const struct crypto_place place = { "profile.k", { (const uint8_t *)"8900", 4 } };

static void
a_sealed_value_opens_in_its_place_only(void **state)
{
	static const struct crypto_place other[] = {
		{ "profile.k", { (const uint8_t *)"8901", 4 } },
		{ "profile.opc", { (const uint8_t *)"8900", 4 } },
		{ "profile.k", { (const uint8_t *)"890", 3 } },
	};
	struct crypto_sealer *s = crypto_sealer_new(SLICE_ARRAY(key_a), SLICE_NONE);
	struct slice plain = SLICE_LIT("465B5CE8B199B49FAA5F0A2EE238A6BC"), sealed, out;
	uint8_t hash[CRYPTO_SHA256_SIZE], id[4];

	(void)state;
	sealed = crypto_seal(s, &mem, place, plain);
	assert_int_equal(sealed.n, plain.n + CRYPTO_SEAL_EXTRA);
	assert_int_equal(sealed.p[0], 1);
	crypto_sha256(&SLICE_ARRAY(key_a), 1, hash);
	crypto_sealer_id(s, id);
	assert_memory_equal(id, hash, 4);
	assert_memory_equal(sealed.p + 1, hash, 4);
	assert_int_equal(crypto_open(s, &mem, place, sealed, &out), SEAL_OK);
	assert_true(slice_eq(out, plain));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(crypto_open(s, &mem, other[i], sealed, &out), SEAL_BROKEN);
	/* Two seals of one value never look alike. */
	assert_false(slice_eq(sealed, crypto_seal(s, &mem, place, plain)));
	crypto_sealer_free(s);
}

static void
no_bit_of_a_sealed_value_may_change(void **state)
{
	struct crypto_sealer *s = crypto_sealer_new(SLICE_ARRAY(key_a), SLICE_NONE);
	struct slice sealed = crypto_seal(s, &mem, place, SLICE_LIT("secret")), out;
	uint8_t copy[6 + CRYPTO_SEAL_EXTRA];

	(void)state;
	memcpy(copy, sealed.p, sealed.n);
	for (size_t bit = 0; bit < 8 * sizeof copy; bit++) {
		enum crypto_opened want = bit >= 8 && bit < 40 ? SEAL_KEY_UNKNOWN : SEAL_BROKEN;

		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(crypto_open(s, &mem, place, SLICE_ARRAY(copy), &out), want);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t n = 0; n < sizeof copy; n++)
		assert_int_equal(crypto_open(s, &mem, place, slice_of(copy, n), &out), SEAL_BROKEN);
	assert_int_equal(crypto_open(s, &mem, place, SLICE_ARRAY(copy), &out), SEAL_OK);
	sealed = crypto_seal(s, &mem, place, SLICE_NONE);
	assert_int_equal(crypto_open(s, &mem, place, sealed, &out), SEAL_OK);
	assert_int_equal(out.n, 0);
	crypto_sealer_free(s);
}

static void
a_former_seal_opens_and_is_told(void **state)
{
	struct crypto_sealer *a = crypto_sealer_new(SLICE_ARRAY(key_a), SLICE_NONE);
	struct crypto_sealer *both = crypto_sealer_new(SLICE_ARRAY(key_b), SLICE_ARRAY(key_a));
	struct slice old = crypto_seal(a, &mem, place, SLICE_LIT("x")), new, out;

	(void)state;
	assert_int_equal(crypto_open(both, &mem, place, old, &out), SEAL_FORMER);
	assert_true(slice_eq(out, SLICE_LIT("x")));
	new = crypto_seal(both, &mem, place, out);
	assert_int_equal(crypto_open(both, &mem, place, new, &out), SEAL_OK);
	assert_int_equal(crypto_open(a, &mem, place, new, &out), SEAL_KEY_UNKNOWN);
	assert_null(crypto_sealer_new(SLICE_ARRAY(key_a), SLICE_ARRAY(key_a)));
	crypto_sealer_free(a);
	crypto_sealer_free(both);
}

enum { NOW = 1700000000 };

static void
ids_prove_themselves(void **state)
{
	struct crypto_ring *r = crypto_ring_new(SLICE_ARRAY(key_a), SLICE_NONE);
	struct crypto_token_facts facts;
	uint8_t id[CRYPTO_TOKEN_SIZE], other[CRYPTO_TOKEN_SIZE];

	(void)state;
	crypto_token_make(r, 7, NOW, id);
	crypto_token_make(r, 7, NOW, other);
	assert_memory_not_equal(id, other, sizeof id);
	assert_int_equal(crypto_token_check(r, SLICE_ARRAY(id), NOW, &facts), TOKEN_OK);
	assert_int_equal(facts.set, 7);
	assert_int_equal(facts.seconds, NOW);
	for (size_t bit = 0; bit < 128; bit++) {
		id[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(crypto_token_check(r, SLICE_ARRAY(id), NOW, &facts),
			bit < 8 ? TOKEN_KEY_UNKNOWN : TOKEN_UNKNOWN);
		id[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t n = 0; n < 16; n++)
		assert_int_equal(
			crypto_token_check(r, slice_of(id, n), NOW, &facts), TOKEN_UNKNOWN);
	assert_int_equal(crypto_token_check(r, SLICE_NONE, NOW, &facts), TOKEN_UNKNOWN);
	crypto_ring_free(r);
}

static void
ids_age_15_minutes_and_may_be_a_minute_ahead(void **state)
{
	static const struct {
		int64_t later;
		enum crypto_token want;
	} row[] = { { 0, TOKEN_OK }, { 900, TOKEN_OK }, { 901, TOKEN_EXPIRED }, { -60, TOKEN_OK },
		{ -61, TOKEN_EXPIRED }, { 1 << 30, TOKEN_EXPIRED } };
	struct crypto_ring *r = crypto_ring_new(SLICE_ARRAY(key_a), SLICE_NONE);
	struct crypto_token_facts facts;
	uint8_t id[CRYPTO_TOKEN_SIZE];

	(void)state;
	crypto_token_make(r, 0, NOW, id);
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_int_equal(crypto_token_check(r, SLICE_ARRAY(id), NOW + row[i].later, &facts),
			row[i].want);
		assert_int_equal(facts.seconds, NOW);
	}
	assert_int_equal(crypto_token_check(r, SLICE_ARRAY(id), 0, &facts), TOKEN_OK);
	/* Across the end of 32 bits. */
	crypto_token_make(r, 0, 0xfffffff0, id);
	assert_int_equal(crypto_token_check(r, SLICE_ARRAY(id), 0x100000010, &facts), TOKEN_OK);
	assert_true(facts.seconds == 0xfffffff0);
	crypto_ring_free(r);
}

static void
challenges_hang_on_all_their_parts(void **state)
{
	static const uint8_t svn[2][3] = { { 2, 2, 0 }, { 2, 2, 1 } };
	struct crypto_ring *r = crypto_ring_new(SLICE_ARRAY(key_a), SLICE_NONE);
	struct crypto_ring *b = crypto_ring_new(SLICE_ARRAY(key_b), SLICE_NONE);
	struct crypto_ring *both = crypto_ring_new(SLICE_ARRAY(key_b), SLICE_ARRAY(key_a));
	uint8_t id[CRYPTO_TOKEN_SIZE], c[4][CRYPTO_CHALLENGE_SIZE], k[2][32];
	struct crypto_token_facts facts;
	struct slice t = SLICE_ARRAY(id);
	uint8_t key_id;

	(void)state;
	crypto_token_make(r, 1, NOW, id);
	assert_true(crypto_token_challenge(r, t, svn[0], SLICE_LIT("smdp.example.com"), c[0]));
	assert_true(crypto_token_challenge(r, t, svn[1], SLICE_LIT("smdp.example.com"), c[1]));
	assert_true(crypto_token_challenge(r, t, svn[0], SLICE_LIT("SMDP.example.com"), c[2]));
	assert_memory_not_equal(c[0], c[1], 16);
	assert_memory_not_equal(c[0], c[2], 16);
	/* After a rotation the former key still answers, another instance alike. */
	assert_int_equal(crypto_token_check(both, t, NOW, &facts), TOKEN_OK);
	assert_true(crypto_token_challenge(both, t, svn[0], SLICE_LIT("smdp.example.com"), c[3]));
	assert_memory_equal(c[0], c[3], 16);
	assert_int_equal(crypto_token_check(b, t, NOW, &facts), TOKEN_KEY_UNKNOWN);
	assert_false(crypto_token_challenge(b, t, svn[0], SLICE_LIT("smdp.example.com"), c[3]));
	assert_true(crypto_ring_id(both, true, &key_id));
	assert_int_equal(key_id, id[0]);
	assert_true(crypto_ring_id(both, false, &key_id));
	assert_int_not_equal(key_id, id[0]);
	assert_false(crypto_ring_id(b, true, &key_id));
	assert_true(crypto_ring_derive(both, true, "tickets", k[0], 32));
	assert_true(crypto_ring_derive(r, false, "tickets", k[1], 32));
	assert_memory_equal(k[0], k[1], 32);
	assert_true(crypto_ring_derive(both, false, "tickets", k[1], 32));
	assert_memory_not_equal(k[0], k[1], 32);
	assert_false(crypto_ring_derive(r, true, "tickets", k[1], 32));
	assert_null(crypto_ring_new(SLICE_ARRAY(key_a), SLICE_ARRAY(key_a)));
	crypto_ring_free(r);
	crypto_ring_free(b);
	crypto_ring_free(both);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sealed_value_opens_in_its_place_only),
		cmocka_unit_test(no_bit_of_a_sealed_value_may_change),
		cmocka_unit_test(a_former_seal_opens_and_is_told),
		cmocka_unit_test(ids_prove_themselves),
		cmocka_unit_test(ids_age_15_minutes_and_may_be_a_minute_ahead),
		cmocka_unit_test(challenges_hang_on_all_their_parts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("crypto_seal", tests, setup, teardown);
}
