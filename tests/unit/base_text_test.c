/* Hexadecimal, Base64 and ICCID digits, both ways, with what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"

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

static void
hexadecimal_goes_both_ways(void **state)
{
	struct slice out;

	(void)state;
	assert_true(text_unhex(&mem, SLICE_LIT("00aAfF"), &out));
	assert_int_equal(out.n, 3);
	assert_string_equal((const char *)text_hex(&mem, out).p, "00AAFF");
	assert_false(text_unhex(&mem, SLICE_LIT("0"), &out));
	assert_false(text_unhex(&mem, SLICE_LIT("0g"), &out));
}

static void
base64_is_lenient_inwards_and_exact_outwards(void **state)
{
	static const struct {
		const char *plain, *coded;
	} row[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };
	struct slice out;
	struct buf put;

	(void)state;
	buf_init(&put, &mem, 100);
	text_base64_put(&put, SLICE_LIT("fo"));
	text_base64_put(&put, SLICE_LIT("foobar"));
	assert_true(slice_eq(buf_get(&put), SLICE_LIT("Zm8=Zm9vYmFy")));
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_string_equal(
			(const char *)text_base64(&mem, slice_text(row[i].plain)).p, row[i].coded);
		assert_true(text_unbase64(&mem, slice_text(row[i].coded), &out));
		assert_true(slice_eq(out, slice_text(row[i].plain)));
	}
	assert_true(text_unbase64(&mem, SLICE_LIT("Zm9v\r\n YmFy"), &out));
	assert_true(slice_eq(out, SLICE_LIT("foobar")));
	assert_true(text_unbase64(&mem, SLICE_LIT("Zm8"), &out));
	assert_false(text_unbase64(&mem, SLICE_LIT("Zm9vY"), &out));
	assert_false(text_unbase64(&mem, SLICE_LIT("Zm9v!"), &out));
	assert_false(text_unbase64(&mem, SLICE_LIT("Zm=v"), &out));
	assert_false(text_unbase64(&mem, SLICE_LIT("Zg==="), &out));
}

static void
iccid_digits_are_swapped_and_padded(void **state)
{
	uint8_t bcd[10];
	char digits[21];
	static const uint8_t want[10] = { 0x98, 0x00, 0x10, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32,
		0x14 };

	(void)state;
	assert_true(text_iccid_to_bcd(SLICE_LIT("89000123456789012341"), bcd));
	assert_memory_equal(bcd, want, 10);
	assert_true(text_bcd_to_iccid(SLICE_ARRAY(bcd), digits));
	assert_string_equal(digits, "89000123456789012341");
	assert_true(text_iccid_to_bcd(SLICE_LIT("8949449999999990023F"), bcd));
	assert_int_equal(bcd[9], 0xf3);
	assert_true(text_bcd_to_iccid(SLICE_ARRAY(bcd), digits));
	assert_string_equal(digits, "8949449999999990023");
	assert_false(text_iccid_to_bcd(SLICE_LIT("89"), bcd));
	assert_false(text_iccid_to_bcd(SLICE_LIT("8900012345678901234A"), bcd));
	bcd[3] = 0xaa;
	assert_false(text_bcd_to_iccid(SLICE_ARRAY(bcd), digits));
}

static void
luhn_digit_is_checked(void **state)
{
	(void)state;
	assert_true(text_iccid_luhn(SLICE_LIT("89000123456789012341")));
	assert_false(text_iccid_luhn(SLICE_LIT("89000123456789012342")));
	assert_false(text_iccid_luhn(SLICE_LIT("8900")));
}

static void
pem_blocks_are_taken_one_by_one(void **state)
{
	struct slice octets,
		pem = SLICE_LIT("words\n-----BEGIN X-----\nZm9v\nYmFy\n-----END X-----\n"
				"-----BEGIN Y-----\nZm8=\n-----END Y-----\n"
				"-----BEGIN X-----\nZg==\n-----END X-----\n"
				"-----BEGIN X-----\nZg==\n");

	(void)state;
	assert_true(text_unpem(&mem, &pem, "X", &octets));
	assert_true(slice_eq(octets, SLICE_LIT("foobar")));
	assert_true(text_unpem(&mem, &pem, "X", &octets));
	assert_true(slice_eq(octets, SLICE_LIT("f")));
	assert_false(text_unpem(&mem, &pem, "X", &octets));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hexadecimal_goes_both_ways),
		cmocka_unit_test(base64_is_lenient_inwards_and_exact_outwards),
		cmocka_unit_test(iccid_digits_are_swapped_and_padded),
		cmocka_unit_test(luhn_digit_is_checked),
		cmocka_unit_test(pem_blocks_are_taken_one_by_one),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("base_text", tests, setup, teardown);
}
