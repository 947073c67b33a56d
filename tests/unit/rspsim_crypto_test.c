/*
 * The simulated card's key agreement, signatures, SCP03t and Confirmation Code, held against
 * published and computed vectors, so that it can be trusted to judge the server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/obj_mac.h>
#include "base/text.h"
#include "rspsim/activation.h"
#include "rspsim_seal.h"

static struct arena mem;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 1 << 22, NULL, NULL);
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
assert_hex(struct slice got, const char *want)
{
	assert_true(slice_eq_nocase(text_hex(&mem, got), slice_text(want)));
}

/* Keys and results of a third party's trace. */
struct vector {
	const char *z, *host_id, *shared_info, *chain, *enc, *mac, *isdp, *metadata, *metadata_mac;
};
static const struct vector trace = {
	"c9a993dd4879a8f7161f2085410edd4f9652f1df37be097ba96ba2ca6be528fe",
	"8080808080808080",
	"88100880808080808080801089049032123451234512345678901235",
	"406d507b448a699e7a36a38494debbde",
	"472f5bfadd97f21d34f3ce9b51b92751",
	"9ec07f5b36a13e12a991d66e294e6242",
	"8718f6fe031e4b9cfe87c8e1e62f3fde85c49412d7722a6a2d89",
	"bf252d5a0a98001032547698103214910947534d415f54455354921147534d415f544553545f50524f46494c45"
	"950100",
	"8a62cc9adbb5ccbc",
};
/* Our own keys 01…20 and 21…40 on P-256. */
static const struct vector own = {
	"4fe243908f378aa1c2a69538822e6ed908c3225d8692575507c649901245150a",
	"54455354484f5354",
	"88100854455354484f53541089049032123451234512345678901235",
	"d862b15191310732775c89fe36861bf3",
	"119767ba27e84cdf9cab5c28dae2da93",
	"fae231fd4c60031bace54bbafabe258c",
	"87189efe890b6d92335b9cf1cc20f5cdfee253aad8bf42b19076",
	"bf25165a0a980010325476981032149102535092044e616d65",
	"37baa4133f0fb862",
};

static struct rspsim_channel
channel_of(const struct vector *v)
{
	struct slice info = rspsim_channel_shared_info(
		&mem, hex(v->host_id), hex("89049032123451234512345678901235").p);
	struct rspsim_channel c;
	uint8_t keys[48];

	assert_hex(info, v->shared_info);
	rspsim_derive(hex(v->z).p, info, keys);
	assert_hex(slice_of(keys, 16), v->chain);
	assert_hex(slice_of(keys + 16, 16), v->enc);
	assert_hex(slice_of(keys + 32, 16), v->mac);
	rspsim_channel_start(&c, keys);
	return c;
}

/*
 * Opens ConfigureISDP and StoreMetadata of a vector, and seals them again with a channel of its
 * own.
 */
static void
open_head(const struct vector *v, struct rspsim_channel *c, struct rspsim_channel *sealing)
{
	struct slice metadata = RSPSIM_DER(&mem, 0x88, hex(v->metadata), hex(v->metadata_mac)),
		     plain;

	assert_int_equal(rspsim_channel_open(c, &mem, RSPSIM_COMMAND, hex(v->isdp), &plain),
		RSPSIM_CHANNEL_FINE);
	assert_hex(plain, "bf2400");
	assert_int_equal(rspsim_channel_open(c, &mem, RSPSIM_METADATA, metadata, &plain),
		RSPSIM_CHANNEL_FINE);
	assert_hex(plain, v->metadata);
	assert_hex(seal(sealing, &mem, RSPSIM_COMMAND, hex("bf2400")), v->isdp);
	assert_true(slice_eq(seal(sealing, &mem, RSPSIM_METADATA, plain), metadata));
}

static void
segments_of_a_foreign_trace_open(void **state)
{
	static const char replace[] =
		"8748a14c800a001992351cd46ad2945654674369701d82b7b46567652bc8fbed234939fc57fba74801"
		"55"
		"25fd6c651e9d3d1330652d42a0cfad950e912122af4ec5362d3c0bc535729c40";
	struct rspsim_channel c = channel_of(&trace), sealing = channel_of(&trace);
	struct slice plain;

	(void)state;
	open_head(&trace, &c, &sealing);
	assert_int_equal(rspsim_channel_open(&c, &mem, RSPSIM_COMMAND, hex(replace), &plain),
		RSPSIM_CHANNEL_FINE);
	assert_hex(plain,
		"bf26368010000102030405060708090a0b0c0d0e0f8110010102030405060708090a0b0c0d0e0f8210"
		"020102030405060708090a0b0c0d0e0f");
}

/* What the profile segments of our own vector are: how they begin, their MAC, their SHA-256. */
struct segment {
	size_t size;
	const char *head, *mac, *digest;
};

static void
open_profile(struct rspsim_channel *c, struct rspsim_channel *sealing, const struct segment want[2])
{
	uint8_t upp[1100], digest[32];
	struct slice part[2], plain;

	for (size_t i = 0; i < sizeof upp; i++)
		upp[i] = (uint8_t)i;
	part[0] = slice_of(upp, 1007);
	part[1] = slice_of(upp + 1007, 93);
	for (size_t i = 0; i < 2; i++) {
		struct slice segment = seal(sealing, &mem, RSPSIM_PROFILE, part[i]);

		assert_int_equal(segment.n, want[i].size);
		assert_hex(slice_of(segment.p, 12), want[i].head);
		assert_hex(slice_sub(segment, segment.n - 8, 8), want[i].mac);
		rspsim_sha256(segment, SLICE_NONE, digest);
		assert_hex(SLICE_ARRAY(digest), want[i].digest);
		assert_int_equal(rspsim_channel_open(c, &mem, RSPSIM_PROFILE, segment, &plain),
			RSPSIM_CHANNEL_FINE);
		assert_true(slice_eq(plain, part[i]));
	}
}

static void
a_profile_opens_under_session_keys(void **state)
{
	static const struct segment want[2] = {
		{ 1020, "868203f8c2fa6eea5837f9e5", "47fe45eb0ad83ba8",
			"dc6c06f36abdd033298efd4dfc9c4ea8b865472a2f04304ef41cb38bee7c81dc" },
		{ 106, "866885b7dec8cdfa0c4bc5df", "c97bba8e6bbf59f7",
			"f10d96f4cac6cbe8c3dd606549c7bbe2a09a5e9069f93677c5dbb2e3f2f93592" },
	};
	struct rspsim_channel c = channel_of(&own), sealing = channel_of(&own);

	(void)state;
	open_head(&own, &c, &sealing);
	open_profile(&c, &sealing, want);
}

static void
a_profile_opens_under_replaced_keys(void **state)
{
	static const char replace[] =
		"87488e18694746cc26178657ba114b4bf83bffcf8ffdff0b3d6facae4fc930183319bb88cc9a4f2f45"
		"4b"
		"6b0d16218dc249dfc8498effa8d6e2c910edffbf2ddf59e68324d05f32dfd13e";
	static const struct segment want[2] = {
		{ 1020, "868203f81cf361ec68280fd1", "66f0cd240a6356e7",
			"7a825d931cb299bc4460f6b6bd9d2b995fba764bb732039e21cdc868b032ba2c" },
		{ 106, "8668cbdd94e8e0a987bb81db", "b5648b34a8897d17",
			"aaab568a775b8dd0c36779a9b9e103bf544a79ea7c8b8c0616b19da379913682" },
	};
	struct rspsim_channel c = channel_of(&own), sealing = channel_of(&own);
	uint8_t keys[48];
	struct slice plain;

	(void)state;
	open_head(&own, &c, &sealing);
	assert_int_equal(rspsim_channel_open(&c, &mem, RSPSIM_COMMAND, hex(replace), &plain),
		RSPSIM_CHANNEL_FINE);
	assert_int_equal(plain.n, 57);
	memset(keys, 0x11, 16);
	memset(keys + 16, 0x22, 16);
	memset(keys + 32, 0x33, 16);
	rspsim_channel_start(&c, keys);
	rspsim_channel_start(&sealing, keys);
	open_profile(&c, &sealing, want);
}

static void
a_changed_segment_does_not_open(void **state)
{
	struct slice whole = hex(own.isdp), plain;

	(void)state;
	for (size_t i = 0; i < whole.n; i++) {
		struct rspsim_channel c = channel_of(&own);
		struct slice changed = arena_copy(&mem, whole);

		((uint8_t *)(uintptr_t)changed.p)[i] ^= 1;
		assert_int_equal(rspsim_channel_open(&c, &mem, RSPSIM_COMMAND, changed, &plain),
			i < 2 ? RSPSIM_CHANNEL_STRUCTURE : RSPSIM_CHANNEL_SECURITY);
		assert_int_equal(c.counter, 1);
	}
}

/* A key of P-256 out of its private number, by way of RFC 5915's ECPrivateKey. */
static EVP_PKEY *
key_from_scalar(struct slice scalar)
{
	struct slice der = RSPSIM_DER(&mem, 0x30, SLICE_LIT("\x02\x01\x01"),
		RSPSIM_DER(&mem, 0x04, scalar), hex("a00a06082a8648ce3d030107"));
	const uint8_t *p = der.p;

	return d2i_PrivateKey(EVP_PKEY_EC, NULL, &p, (long)der.n);
}

static void
one_time_keys_agree(void **state)
{
	uint8_t scalar[64], z[32];
	EVP_PKEY *dp, *euicc;

	(void)state;
	for (size_t i = 0; i < 64; i++)
		scalar[i] = (uint8_t)(i + 1);
	dp = key_from_scalar(slice_of(scalar, 32));
	euicc = key_from_scalar(slice_of(scalar + 32, 32));
	assert_non_null(dp);
	assert_non_null(euicc);
	assert_hex(rspsim_key_point(&mem, dp),
		"04515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f4536be3a50f318fb"
		"f9"
		"a5475902a221502bef0d57e08c53b2cc0a56f17d9f9354");
	assert_hex(rspsim_key_point(&mem, euicc),
		"041f140146bfb1b251f84f4ddbe0d4cdcfd77afd984a9520e35794021f8312bb9eec995a08b1fa7704"
		"df"
		"3dcc0b50a9665263fb7711f95f9f8a449c5096e47c892b");
	assert_true(rspsim_agree(dp, euicc, z));
	assert_hex(SLICE_ARRAY(z), own.z);
	assert_true(rspsim_agree(euicc, dp, z));
	assert_hex(SLICE_ARRAY(z), own.z);
	EVP_PKEY_free(dp);
	EVP_PKEY_free(euicc);
}

static void
points_off_the_curve_are_no_keys(void **state)
{
	static const int curves[] = { NID_X9_62_prime256v1, NID_brainpoolP256r1 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		EVP_PKEY *key = rspsim_key_new(curves[i]), *copy;
		struct slice point = rspsim_key_point(&mem, key);
		struct slice off = arena_copy(&mem, point);

		assert_int_equal(rspsim_key_curve(key), curves[i]);
		copy = rspsim_key_from_point(curves[i], point);
		assert_non_null(copy);
		assert_null(rspsim_key_from_point(curves[1 - i], point));
		((uint8_t *)(uintptr_t)off.p)[64] ^= 1;
		assert_null(rspsim_key_from_point(curves[i], off));
		assert_null(rspsim_key_from_point(curves[i], slice_of(point.p, 64)));
		EVP_PKEY_free(copy);
		EVP_PKEY_free(key);
	}
}

static void
signatures_are_r_and_s_over_the_octets(void **state)
{
	static const int curves[] = { NID_X9_62_prime256v1, NID_brainpoolP256r1 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		EVP_PKEY *key = rspsim_key_new(curves[i]);
		struct slice data = hex("30158010000102030405060708090a0b0c0d0e0f010100");
		struct slice signature = rspsim_sign(&mem, key, data);

		assert_int_equal(signature.n, 64);
		assert_true(rspsim_verify(key, data, signature));
		assert_false(rspsim_verify(key, slice_of(data.p, data.n - 1), signature));
		((uint8_t *)(uintptr_t)signature.p)[40] ^= 0x10;
		assert_false(rspsim_verify(key, data, signature));
		EVP_PKEY_free(key);
	}
}

/* Signatures made elsewhere with the published SGP.26 keys, whose public points are given here. */
static void
published_signatures_verify(void **state)
{
	static const struct {
		const char *point, *data, *signature;
	} row[] = {
		{ "044dfed4f4694791bf1695cea0307a35b418019695387bb75b7d2447b6b5209f0445ae4e5e521cd1"
		  "3888d75fe07c8580222ae20dbaac1d77cd76304993421bd739",
			"30488010000102030405060708090a0b0c0d0e0f8110101112131415161718191a1b1c1d1e"
			"1f8310"
			"736d64702e6578616d706c652e636f6d8410202122232425262728292a2b2c2d2e2f",
			"804f574680434cb2a39a5bcd0e5f7922f099d91dbc046e2f7be9846f71d2c69c3f6cc8c8df"
			"d7d0eb"
			"4cc27d0b55020599dee6cac0bd55fd6928cbdf7cd81f07a3" },
		{ "04104c2ae3d02def9c979261a7c6710076b970721d0955a2644ae05fae4bc2314e5dc09f6bf01180"
		  "26165342e212318775e365f3b57325373066b9906e0bd1388d",
			"30158010000102030405060708090a0b0c0d0e0f0101005f3740a5a5a5a5a5a5a5a5a5a5a5"
			"a5a5a5"
			"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"
			"a5a5a5"
			"a5a5a5a5a5a5a5a5a5a5",
			"f2d24acef8c6084d65a6573f4e02cfeb65bdadd37fc6b7252c17b76eb89e658abde3faaf48"
			"556641"
			"b204f11e4fc50a908c475241ca583a3352b381158568e92d" },
		{ "04104c2ae3d02def9c979261a7c6710076b970721d0955a2644ae05fae4bc2314e5dc09f6bf01180"
		  "26165342e212318775e365f3b57325373066b9906e0bd1388d",
			"8201018010000102030405060708090a0b0c0d0e0fa610800188810110840854455354484f"
			"53545f"
			"494104515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f4536"
			"be3a50"
			"f318fbf9a5475902a221502bef0d57e08c53b2cc0a56f17d9f93545f4941041f140146bfb1"
			"b251f8"
			"4f4ddbe0d4cdcfd77afd984a9520e35794021f8312bb9eec995a08b1fa7704df3dcc0b50a9"
			"665263"
			"fb7711f95f9f8a449c5096e47c892b",
			"f1105dea7fe7676a14effe10a4bb6edbe04c61d624cd81f9df9787e05d7da3d2a998ec54d7"
			"0623d4"
			"5a0b21013e1778bb57b6ee493bdc798343399b63bf18917f" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		EVP_PKEY *key = rspsim_key_from_point(NID_X9_62_prime256v1, hex(row[i].point));
		struct slice data = hex(row[i].data);

		assert_non_null(key);
		assert_true(rspsim_verify(key, data, hex(row[i].signature)));
		((uint8_t *)(uintptr_t)data.p)[data.n - 1] ^= 1;
		assert_false(rspsim_verify(key, data, hex(row[i].signature)));
		EVP_PKEY_free(key);
	}
}

static void
the_confirmation_code_is_hashed_with_the_transaction(void **state)
{
	uint8_t hash[32];

	(void)state;
	rspsim_hash_cc("12345678", hex("000102030405060708090A0B0C0D0E0F"), hash);
	assert_hex(SLICE_ARRAY(hash),
		"ab311c0527db635c7bac464efc070d69afecbba55a894064b394c56165610ec0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_of_a_foreign_trace_open),
		cmocka_unit_test(a_profile_opens_under_session_keys),
		cmocka_unit_test(a_profile_opens_under_replaced_keys),
		cmocka_unit_test(a_changed_segment_does_not_open),
		cmocka_unit_test(one_time_keys_agree),
		cmocka_unit_test(points_off_the_curve_are_no_keys),
		cmocka_unit_test(signatures_are_r_and_s_over_the_octets),
		cmocka_unit_test(published_signatures_verify),
		cmocka_unit_test(the_confirmation_code_is_hashed_with_the_transaction),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspsim_crypto", tests, setup, teardown);
}
