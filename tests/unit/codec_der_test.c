/* Tags, lengths, values: what is read, what is refused, and that writing is the reverse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"
#include "codec/der.h"
#include "codec_text.h"

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

static void
heads_are_read_and_written(void **state)
{
	static const struct {
		uint32_t tag;
		size_t n;
		const char *head;
	} row[] = {
		{ 0x30, 0, "3000" },
		{ 0x30, 127, "307F" },
		{ 0x30, 128, "308180" },
		{ 0x5f37, 64, "5F3740" },
		{ 0xbf36, 255, "BF3681FF" },
		{ 0xbf36, 256, "BF36820100" },
		{ 0xbf36, 65535, "BF3682FFFF" },
		{ 0xbf36, 65536, "BF3683010000" },
		{ 0x9f8101, 1, "9F810101" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct buf out;
		struct codec_der tlv;
		struct slice octets;

		buf_init(&out, &mem, 1u << 20);
		codec_der_put_head(&out, row[i].tag, row[i].n);
		assert_string_equal((const char *)text_hex(&mem, buf_get(&out)).p, row[i].head);
		assert_int_equal(codec_der_head_size(row[i].tag, row[i].n), buf_get(&out).n);
		memset(buf_reserve(&out, row[i].n), 0x77, row[i].n);
		octets = buf_get(&out);
		assert_int_equal(codec_der_size(row[i].tag, row[i].n), octets.n);
		assert_true(codec_der_read_whole(octets, row[i].tag, &tlv));
		assert_int_equal(tlv.value.n, row[i].n);
		assert_true(slice_eq(tlv.octets, octets));
		octets.n--;
		assert_false(codec_der_read_whole(octets, row[i].tag, &tlv));
	}
}

static void
bad_heads_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"30",
		"3001",
		"3080",
		"30800000",
		"308101",
		"3082FFFF",
		"3084FFFFFFFF",
		"3084FFFFFFFF00",
		"308500000000000",
		"308501000000000",
		"30FF",
		"BF",
		"9F81",
		"9F8181",
		"9F818101 00",
		"5F37",
		"5F374000",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct slice rest, octets = SLICE_NONE;
		struct codec_der tlv;

		text_unhex(&mem, slice_text(bad[i]), &octets);
		rest = octets;
		if (codec_der_read(&rest, &tlv))
			fail_msg("taken: %s", bad[i]);
		assert_ptr_equal(rest.p, octets.p);
		assert_int_equal(rest.n, octets.n);
	}
}

static void
long_forms_of_short_lengths_are_taken(void **state)
{
	struct codec_der tlv;

	(void)state;
	assert_true(codec_der_read_whole(hex("308400000002AABB"), 0x30, &tlv));
	assert_int_equal(tlv.value.n, 2);
	assert_true(codec_der_read_whole(hex("3081020500"), 0x30, &tlv));
}

static void
members_are_found_and_taken(void **state)
{
	struct slice in = der(&mem, "80:01 81:02 80:03"), rest = in;
	struct codec_der tlv;

	(void)state;
	assert_true(codec_der_find(in, 0x80, &tlv));
	assert_int_equal(tlv.value.p[0], 1);
	assert_true(codec_der_find(in, 0x81, &tlv));
	assert_false(codec_der_find(in, 0x82, &tlv));
	assert_false(codec_der_read_tag(&rest, 0x81, &tlv));
	assert_ptr_equal(rest.p, in.p);
	assert_true(codec_der_read_tag(&rest, 0x80, &tlv));
	assert_int_equal(rest.n, 6);
	assert_false(codec_der_read_whole(in, 0x80, &tlv));
}

static void
structure_is_checked_and_bounded(void **state)
{
	struct slice in = der(&mem, "30{ 80:01 A1{ 81:02 A2{ } } } 30{ }");

	(void)state;
	assert_true(codec_der_check(in, 4, 6));
	assert_false(codec_der_check(in, 3, 6));
	assert_false(codec_der_check(in, 4, 5));
	assert_true(codec_der_check(SLICE_NONE, 1, 0));
	assert_true(codec_der_check(der(&mem, "04:30FF"), 1, 1)); /* not looked into */
	assert_false(codec_der_check(der(&mem, "30:04FF"), 4, 9));
	assert_false(codec_der_check(der(&mem, "30{ 30:0201 }"), 4, 9));
	assert_false(codec_der_check(hex("30020402"), 4, 9)); /* longer than what holds it */
}

static void
numbers_are_minimal(void **state)
{
	static const struct {
		int64_t v;
		const char *octets;
	} row[] = { { 0, "020100" }, { 127, "02017F" }, { 128, "02020080" }, { 256, "02020100" },
		{ -1, "0201FF" }, { -128, "020180" }, { -129, "0202FF7F" },
		{ INT64_MAX, "02087FFFFFFFFFFFFFFF" }, { INT64_MIN, "02088000000000000000" } };
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct buf out;

		buf_init(&out, &mem, 100);
		codec_der_put_int(&out, 0x02, row[i].v);
		assert_string_equal((const char *)text_hex(&mem, buf_get(&out)).p, row[i].octets);
		assert_true(codec_der_int_read(slice_sub(buf_get(&out), 2, 8), &v));
		assert_true(v == row[i].v);
	}
	assert_false(codec_der_int_read(SLICE_NONE, &v));
	assert_false(codec_der_int_read(hex("000000000000000001"), &v));
}

static void
named_bits_lose_their_trailing_zeros(void **state)
{
	static const struct {
		uint32_t bits;
		const char *octets;
	} row[] = { { 0, "030100" }, { 1, "03020780" }, { 2, "03020640" }, { 4, "03020520" },
		{ 8, "03020410" }, { 0x80, "03020001" }, { 0x100, "0303070080" },
		{ 0x80000001, "03050080000001" } };

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct buf out;

		buf_init(&out, &mem, 100);
		codec_der_put_bits(&out, 0x03, row[i].bits);
		assert_string_equal((const char *)text_hex(&mem, buf_get(&out)).p, row[i].octets);
	}
}

static void
object_identifiers_go_both_ways(void **state)
{
	static const struct {
		const char *dotted, *octets;
	} row[] = { { "2.999.10", "88370A" }, { "1.3.6.1.4.1.31746", "2B0601040181F802" },
		{ "2.23.146.1.2.1.4", "67811201020104" }, { "0.0", "00" }, { "0.39.0", "2700" },
		{ "2.0", "50" }, { "1.39", "4F" } };
	static const char *const bad_text[] = { "", "1", "1.", ".1", "3.1", "1.40", "2.5.", "2..5",
		"2.x", "2.99999999999999999999" };
	static const char *const bad_octets[] = { "", "80", "8883", "88FFFFFFFFFFFFFFFFFF7F" };
	struct slice out;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_true(codec_der_oid_write(&mem, slice_text(row[i].dotted), &out));
		assert_string_equal((const char *)text_hex(&mem, out).p, row[i].octets);
		assert_true(codec_der_oid_read(&mem, out, &out));
		assert_string_equal((const char *)out.p, row[i].dotted);
	}
	for (size_t i = 0; i < sizeof bad_text / sizeof bad_text[0]; i++)
		if (codec_der_oid_write(&mem, slice_text(bad_text[i]), &out))
			fail_msg("taken: %s", bad_text[i]);
	for (size_t i = 0; i < sizeof bad_octets / sizeof bad_octets[0]; i++)
		if (codec_der_oid_read(&mem, hex(bad_octets[i]), &out))
			fail_msg("taken: %s", bad_octets[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_read_and_written),
		cmocka_unit_test(bad_heads_are_refused),
		cmocka_unit_test(long_forms_of_short_lengths_are_taken),
		cmocka_unit_test(members_are_found_and_taken),
		cmocka_unit_test(structure_is_checked_and_bounded),
		cmocka_unit_test(numbers_are_minimal),
		cmocka_unit_test(named_bits_lose_their_trailing_zeros),
		cmocka_unit_test(object_identifiers_go_both_ways),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("codec_der", tests, setup, teardown);
}
