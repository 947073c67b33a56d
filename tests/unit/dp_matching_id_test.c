/* MatchingIDs that are made and that are given, and the activation codes that carry them (SGP.22 §4.1). */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dp/matching_id.h"

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
new_ids_fit_qr_codes_and_never_repeat(void **state)
{
	enum { MANY = 200 };
	struct slice ids[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		ids[i] = dp_matching_id_new(&mem);
		assert_int_equal(ids[i].n, 34); /* 7 groups of 4: 28 signs of 5 bits, 140 bits */
		for (size_t k = 0; k < ids[i].n; k++)
			if (k % 5 == 4)
				assert_int_equal(ids[i].p[k], '-');
			else
				assert_true(isdigit(ids[i].p[k]) || isupper(ids[i].p[k]));
		for (int j = 0; j < i; j++)
			assert_false(slice_eq(ids[i], ids[j]));
		assert_true(dp_matching_id_usable(ids[i]));
	}
}

static void
every_sign_is_used(void **state)
{
	bool seen[256] = { 0 };
	int kinds = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct slice id = dp_matching_id_new(&mem);

		for (size_t k = 0; k < id.n; k++)
			seen[id.p[k]] = true;
	}
	for (int i = 0; i < 256; i++)
		kinds += seen[i];
	assert_int_equal(kinds, 33);
	assert_false(seen['I'] || seen['L'] || seen['O'] || seen['U']);
}

static void
given_ids_are_judged(void **state)
{
	static const struct {
		const char *id;
		bool usable;
	} cases[] = { { "", true }, { "04386-AGYFT-A74Y8-3F815", true }, { "a_b.c", true },
		{ "a$b", false }, { "a b", false }, { "a\tb", false }, { "\xc3\xa4", false },
		{ "a\x7f", false } };
	char longest[DP_MATCHING_ID_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(dp_matching_id_usable(slice_text(cases[i].id)), cases[i].usable);
	memset(longest, 'A', sizeof longest);
	assert_true(dp_matching_id_usable(slice_of(longest, sizeof longest - 1)));
	assert_false(dp_matching_id_usable(slice_of(longest, sizeof longest)));
}

static void
codes_have_the_fields_of_the_standard(void **state)
{
	static const struct {
		const char *address, *id, *oid;
		bool cc;
		const char *code;
	} cases[] = {
		{ "SMDP.GSMA.COM", "04386-AGYFT-A74Y8-3F815", "", false,
			"1$SMDP.GSMA.COM$04386-AGYFT-A74Y8-3F815" },
		{ "SMDP.GSMA.COM", "04386-AGYFT-A74Y8-3F815", "", true,
			"1$SMDP.GSMA.COM$04386-AGYFT-A74Y8-3F815$$1" },
		{ "SMDP.GSMA.COM", "04386-AGYFT-A74Y8-3F815", "1.3.6.1.4.1.31746", true,
			"1$SMDP.GSMA.COM$04386-AGYFT-A74Y8-3F815$1.3.6.1.4.1.31746$1" },
		{ "SMDP.GSMA.COM", "04386-AGYFT-A74Y8-3F815", "1.3.6.1.4.1.31746", false,
			"1$SMDP.GSMA.COM$04386-AGYFT-A74Y8-3F815$1.3.6.1.4.1.31746" },
		{ "SMDP.GSMA.COM", "", "", false, "1$SMDP.GSMA.COM$" },
	};
	struct slice code;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(dp_activation_code_write(&mem, slice_text(cases[i].address),
			slice_text(cases[i].id), slice_text(cases[i].oid), cases[i].cc, &code));
		assert_true(slice_eq(code, slice_text(cases[i].code)));
	}
}

static void
codes_end_at_255_characters(void **state)
{
	char id[300];
	struct slice code, address = SLICE_LIT("host");

	(void)state;
	memset(id, 'A', sizeof id);
	assert_true(dp_activation_code_write(
		&mem, address, slice_of(id, 255 - 7), SLICE_NONE, false, &code));
	assert_int_equal(code.n, 255);
	assert_false(dp_activation_code_write(
		&mem, address, slice_of(id, 255 - 6), SLICE_NONE, false, &code));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_ids_fit_qr_codes_and_never_repeat),
		cmocka_unit_test(every_sign_is_used),
		cmocka_unit_test(given_ids_are_judged),
		cmocka_unit_test(codes_have_the_fields_of_the_standard),
		cmocka_unit_test(codes_end_at_255_characters),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
