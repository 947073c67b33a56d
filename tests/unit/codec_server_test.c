/* What an SM-DP+ signs and sends, octet by octet, against published and computed vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"
#include "codec/der.h"
#include "codec/package.h"
#include "codec/server.h"
#include "codec_text.h"

#define TXID "000102030405060708090A0B0C0D0E0F"
#define DP_KEY                                                                                     \
	"04515C3D6EB9E396B904D3FECA7F54FDCD0CC1E997BF375DCA515AD0A6C3B4035F4536BE3A50F318FBF9A547" \
	"5902A221502BEF0D57E08C53B2CC0A56F17D9F9354"
#define EUICC_KEY                                                                                  \
	"041F140146BFB1B251F84F4DDBE0D4CDCFD77AFD984A9520E35794021F8312BB9EEC995A08B1FA7704DF3DCC" \
	"0B50A9665263FB7711F95F9F8A449C5096E47C892B"

static struct arena mem;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 8u << 20, NULL, NULL);
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
hex(const char *text)
{
	struct slice out;

	assert_true(text_unhex(&mem, slice_text(text), &out));
	return out;
}

#define assert_hex(octets, want) assert_string_equal((const char *)text_hex(&mem, octets).p, want)

static void
server_signed1_is_the_published_vector(void **state)
{
	const struct codec_server_signed1 in = {
		.transaction_id = hex(TXID),
		.euicc_challenge = hex("101112131415161718191A1B1C1D1E1F"),
		.server_address = slice_text("smdp.example.com"),
		.server_challenge = hex("202122232425262728292A2B2C2D2E2F"),
	};

	(void)state;
	assert_hex(codec_server_signed1_write(&mem, &in),
		"30488010000102030405060708090A0B0C0D0E0F8110101112131415161718191A1B1C1D1E1F831073"
		"6D64702E6578616D706C652E636F6D8410202122232425262728292A2B2C2D2E2F");
}

static void
smdp_signed2_is_the_published_vector(void **state)
{
	struct codec_smdp_signed2 in = { .transaction_id = hex(TXID) };

	(void)state;
	assert_hex(codec_smdp_signed2_write(&mem, &in),
		"30158010000102030405060708090A0B0C0D0E0F010100");
	in.cc_required = true;
	assert_hex(codec_smdp_signed2_write(&mem, &in),
		"30158010000102030405060708090A0B0C0D0E0F0101FF");
	in.euicc_otpk = hex(EUICC_KEY);
	assert_hex(codec_smdp_signed2_write(&mem, &in),
		"30598010000102030405060708090A0B0C0D0E0F0101FF5F4941" EUICC_KEY);
}

static void
signature_and_ci_have_their_tags(void **state)
{
	uint8_t signature[64];
	struct slice want;

	(void)state;
	memset(signature, 0xa5, sizeof signature);
	want = der(&mem, "5F37:A5*64");
	assert_true(slice_eq(codec_signature_write(&mem, SLICE_ARRAY(signature)), want));
	assert_int_equal(want.n, 67);
	assert_hex(codec_ci_pkid_write(&mem, hex("F54172BDF98A95D65CBEB88A38A1C11D800A85C3")),
		"0414F54172BDF98A95D65CBEB88A38A1C11D800A85C3");
}

static void
signatures_are_taken_raw_or_as_a_sequence(void **state)
{
	struct slice raw = hex("0000000000000000000000000000000000000000000000000000000000000001"
			       "80000000000000000000000000000000000000000000000000000000000000FF");
	static const char *const bad[] = {
		"30{ 02:01 }",
		"30{ 02:01 02:02 02:03 }",
		"30{ 02:81 02:02 }",
		"30{ 02: 02:02 }",
		"30{ 02:01 03:02 }",
		"30{ 02:01*33 02:02 }",
		"31{ 02:01 02:02 }",
		"04:00*60",
		"30{ 02:01 02:02 } 05:",
	};
	struct slice out;

	(void)state;
	assert_true(codec_signature_read(&mem, raw, &out));
	assert_ptr_equal(out.p, raw.p);
	assert_true(codec_signature_read(&mem,
		der(&mem, "30{ 02:01 02:008%s }",
			"0000000000000000000000000000000000000000000000000000000000000FF"),
		&out));
	assert_true(slice_eq(out, raw));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (codec_signature_read(&mem, der(&mem, "%s", bad[i]), &out))
			fail_msg("taken: %s", bad[i]);
	assert_false(codec_signature_read(&mem, slice_sub(raw, 0, 63), &out));
	assert_false(codec_signature_read(&mem, SLICE_NONE, &out));
}

static void
octets_under_smdp_sign_are_the_computed_vector(void **state)
{
	const struct codec_channel in = {
		.transaction_id = hex(TXID),
		.host_id = slice_text("TESTHOST"),
		.smdp_otpk = hex(DP_KEY),
	};

	(void)state;
	assert_hex(codec_channel_signed_write(&mem, &in, hex(EUICC_KEY)),
		"8201018010000102030405060708090A0B0C0D0E0FA610800188810110840854455354484F5354"
		"5F4941" DP_KEY "5F4941" EUICC_KEY);
}

static void
channel_holds_what_was_signed_and_the_signature(void **state)
{
	uint8_t signature[64];
	struct codec_channel in = {
		.transaction_id = hex(TXID),
		.host_id = slice_text("TESTHOST"),
		.smdp_otpk = hex(DP_KEY),
		.signature = SLICE_ARRAY(signature),
	};

	(void)state;
	memset(signature, 0x5a, sizeof signature);
	assert_true(slice_eq(codec_channel_write(&mem, &in),
		der(&mem,
			"BF23{ 82:01 80:" TXID " A6{ 80:88 81:10 84:\"TESTHOST\" } 5F49:" DP_KEY
			" 5F37:5A*64 }")));
}

static void
commands_of_the_package_are_exact(void **state)
{
	(void)state;
	assert_hex(codec_configure_isdp_write(&mem), "BF2400");
	assert_hex(codec_replace_session_keys_write(&mem, hex("000102030405060708090A0B0C0D0E0F"),
			   hex("101112131415161718191A1B1C1D1E1F"),
			   hex("202122232425262728292A2B2C2D2E2F")),
		"BF26368010000102030405060708090A0B0C0D0E0F8110101112131415161718191A1B1C1D1E1F8210"
		"202122232425262728292A2B2C2D2E2F");
}

/* The head, then octets for A3, must be one TLV of the promised size with the groups in order. */
static void
package_is_framed(size_t profile_size, bool with_keys)
{
	const struct codec_package p = {
		.channel = der(&mem, "BF23{ 82:01 }"),
		.configure = der(&mem, "87:11*24"),
		.metadata = der(&mem, "88:22*200 88:23*30"),
		.session_keys = with_keys ? der(&mem, "87:33*72") : SLICE_NONE,
		.profile_size = profile_size,
	};
	struct codec_der whole, part;
	struct slice rest;
	struct buf out;

	buf_init(&out, &mem, 4u << 20);
	codec_package_put_head(&out, &p);
	memset(buf_reserve(&out, profile_size), 0x86, profile_size);
	assert_int_equal(buf_get(&out).n, codec_package_size(&p));
	assert_true(codec_der_read_whole(buf_get(&out), 0xbf36, &whole));
	rest = whole.value;
	assert_true(codec_der_read_tag(&rest, 0xbf23, &part));
	assert_true(slice_eq(part.octets, p.channel));
	assert_true(codec_der_read_tag(&rest, 0xa0, &part));
	assert_true(slice_eq(part.value, p.configure));
	assert_true(codec_der_read_tag(&rest, 0xa1, &part));
	assert_true(slice_eq(part.value, p.metadata));
	assert_int_equal(codec_der_read_tag(&rest, 0xa2, &part), with_keys);
	assert_true(!with_keys || slice_eq(part.value, p.session_keys));
	assert_true(codec_der_read_tag(&rest, 0xa3, &part));
	assert_int_equal(part.value.n, profile_size);
	assert_int_equal(rest.n, 0);
}

static void
package_is_framed_in_every_length_form(void **state)
{
	static const size_t size[] = { 0, 1, 90, 127, 128, 255, 256, 1020, 65000, 65535, 65536,
		1000000 };

	(void)state;
	for (size_t i = 0; i < sizeof size / sizeof size[0]; i++) {
		package_is_framed(size[i], false);
		package_is_framed(size[i], true);
		teardown(NULL);
		setup(NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_signed1_is_the_published_vector),
		cmocka_unit_test(smdp_signed2_is_the_published_vector),
		cmocka_unit_test(signature_and_ci_have_their_tags),
		cmocka_unit_test(signatures_are_taken_raw_or_as_a_sequence),
		cmocka_unit_test(octets_under_smdp_sign_are_the_computed_vector),
		cmocka_unit_test(channel_holds_what_was_signed_and_the_signature),
		cmocka_unit_test(commands_of_the_package_are_exact),
		cmocka_unit_test(package_is_framed_in_every_length_form),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("codec_server", tests, setup, teardown);
}
