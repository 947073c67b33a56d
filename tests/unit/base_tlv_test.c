/* The one reader of tags and lengths: what each rule takes, and where both end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/tlv.h"

static void
elements_are_taken_by_their_rule(void **state)
{
	static const struct {
		struct slice in;
		bool ber, der;
		uint32_t tag;
		size_t head, value; /* octets */
	} cases[] = {
		{ SLICE_LIT("\x30\x00"), true, true, 0x30, 2, 0 },
		{ SLICE_LIT("\x04\x02"
			    "abrest"),
			true, true, 0x04, 2, 2 },
		{ SLICE_LIT("\x5f\x37\x01"
			    "a"),
			true, true, 0x5f37, 3, 1 },
		{ SLICE_LIT("\x7f\x81\x01\x01"
			    "a"),
			true, true, 0x7f8101, 4, 1 },
		/* longer than need be */
		{ SLICE_LIT("\x04\x81\x02"
			    "ab"),
			true, false, 0x04, 3, 2 },
		{ SLICE_LIT("\x04\x82\x00\x02"
			    "ab"),
			true, false, 0x04, 4, 2 },
		{ SLICE_LIT("\x04\x84\x00\x00\x00\x01"
			    "a"),
			true, false, 0x04, 6, 1 },
		/* nothing, or not all of it */
		{ SLICE_LIT(""), false, false, 0, 0, 0 },
		{ SLICE_LIT("\x04"), false, false, 0, 0, 0 },
		{ SLICE_LIT("\x5f"), false, false, 0, 0, 0 },
		{ SLICE_LIT("\x7f\x81"), false, false, 0, 0, 0 },
		{ SLICE_LIT("\x04\x02"
			    "a"),
			false, false, 0, 0, 0 },
		{ SLICE_LIT("\x04\x81"), false, false, 0, 0, 0 },
		{ SLICE_LIT("\x04\x84\xff\xff\xff\xff"
			    "a"),
			false, false, 0, 0, 0 },
		/* what nobody needs: indefinite, five octets of length, four of tag */
		{ SLICE_LIT("\x30\x80\x00\x00"), false, false, 0, 0, 0 },
		{ SLICE_LIT("\x04\x85\x00\x00\x00\x00\x01"
			    "a"),
			false, false, 0, 0, 0 },
		{ SLICE_LIT("\x7f\x81\x81\x01\x01"
			    "a"),
			false, false, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (enum tlv_rule rule = TLV_BER; rule <= TLV_DER; rule++) {
			bool good = rule == TLV_BER ? cases[i].ber : cases[i].der;
			struct slice rest = cases[i].in;
			struct tlv tlv;

			assert_int_equal(tlv_read(&rest, rule, &tlv), good);
			if (!good) {
				assert_ptr_equal(rest.p, cases[i].in.p);
				assert_int_equal(rest.n, cases[i].in.n);
				continue;
			}
			assert_int_equal(tlv.tag, cases[i].tag);
			assert_ptr_equal(tlv.octets.p, cases[i].in.p);
			assert_int_equal(tlv.octets.n, cases[i].head + cases[i].value);
			assert_ptr_equal(tlv.value.p, cases[i].in.p + cases[i].head);
			assert_int_equal(tlv.value.n, cases[i].value);
			assert_ptr_equal(rest.p, tlv.octets.p + tlv.octets.n);
			assert_int_equal(rest.n, cases[i].in.n - tlv.octets.n);
		}
}

/* 128 octets are the first whose length needs two. */
static void
the_shortest_long_length_is_minimal(void **state)
{
	uint8_t octets[131] = { 0x04, 0x81, 0x80 };
	struct slice rest = SLICE_ARRAY(octets);
	struct tlv tlv;

	(void)state;
	assert_true(tlv_read(&rest, TLV_DER, &tlv));
	assert_int_equal(tlv.value.n, 128);
	octets[2] = 0x7f;
	rest = SLICE_ARRAY(octets);
	assert_false(tlv_read(&rest, TLV_DER, &tlv));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_taken_by_their_rule),
		cmocka_unit_test(the_shortest_long_length_is_minimal),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("base_tlv", tests, NULL, NULL);
}
