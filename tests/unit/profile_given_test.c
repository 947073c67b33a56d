/*
 * What loaded profiles have, held against templates: it says of a template what each of the rows would say
 * (profile_template_row_holds), and no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/text.h"
#include "profile/given.h"
#include "profile_upp_text.h"

static struct arena mem;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 64u << 20, NULL, NULL);
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
derive(const uint8_t k[16], const uint8_t op[16], uint8_t opc[16])
{
	(void)k;
	memcpy(opc, op, 16);
}

/* "imsi=001…|k=…", an ICCID before it. */
static struct profile_personal
row_of(const char *text)
{
	struct slice names[16] = { SLICE_LIT("iccid") },
		     texts[16] = { SLICE_LIT("89000123456789012341") };
	struct profile_column columns[16] = { 0 };
	struct profile_row_fault fault;
	struct profile_personal out;
	size_t n = 1;

	while (*text) {
		size_t name = strcspn(text, "="), value = strcspn(text + name + 1, "|");

		names[n] = slice_of(text, name);
		texts[n++] = slice_of(text + name + 1, value);
		text += name + 1 + value;
		text += *text == '|';
	}
	if (!profile_columns_read(&mem, names, n, columns, &fault) ||
		!profile_row_read(&mem, columns, n, texts, derive, &out, &fault))
		fail_msg("the row: %s %s", fault.name, fault.reason);
	return out;
}

#define KEY(version, id, type) \
	"30{ 95:18 82:" id " 83:" version " 30{ 30{ 80:" type " 86:00*16 } } } "
#define SD(keys) "A6{ A0{ 81:12 } A1{ 4F:A0*8 4F:A1*8 4F:A2*8 82:82DC00 C9:8102 } A2{ " keys "} } "
#define DES "80"
#define AES "88"

/* The small package, in whose place of the security domain is this one. */
static struct profile_template *
template_of(const char *sd)
{
	char text[16384];
	struct profile_fault why;
	struct profile_template *t;

	snprintf(text, sizeof text,
		HEADER_OF("89000123456789012341", "%s", TEMPLATES) "%s%s%s%s%s%s%s%s", SERVICES,
		small[MF], small[PUK], small[PIN], small[USIM], small[PIN_USIM], small[AKA],
		sd ? sd : small[SD], small[END]);
	t = profile_template_new(&mem, der(&mem, "%s", text), &why);
	if (!t)
		fail_msg("no template: %s", why.reason);
	return t;
}

#define K16 "|k=c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0|opc=0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"
#define K32                                                                        \
	"|k=c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0|opc=" \
	"0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"
#define PLAIN "imsi=001010123456789" K16
#define O16 "00000000000000000000000000000000"

enum { ROWS = 3 };

/* What these rows say of a template, by the datum at fault; NULL: they fit. */
static const struct {
	const char *row[ROWS];
	const char *sd; /* NULL: the small one's, without keys */
	const char *fault;
} cases[] = {
	{ { NULL }, NULL, NULL },
	{ { PLAIN }, NULL, NULL },
	{ { PLAIN, PLAIN "|pin1=1234" }, NULL, NULL },
	{ { "imsi=001010123456789" }, NULL, "k" },
	{ { PLAIN, "imsi=001010123456789" }, NULL, "k" },
	{ { PLAIN, PLAIN "|impi=a@b" }, NULL, "impi" },
	{ { PLAIN, "imsi=001010123456789" K32 }, NULL, "k" },
	{ { PLAIN "|kic1=" O16 }, NULL, "kic1" },
	{ { PLAIN "|kic1=" O16 }, SD(KEY("01", "01", DES)), NULL },
	{ { PLAIN, PLAIN "|kic1=" O16, PLAIN "|kid1=" O16 }, SD(KEY("01", "01", DES)), "kid1" },
	{ { PLAIN "|kic1=" O16, PLAIN "|kic1=" O16 O16 }, SD(KEY("01", "01", DES)), "kic1" },
	{ { PLAIN "|kic1=" O16, PLAIN "|kic1=" O16 O16 }, SD(KEY("01", "01", AES)), NULL },
	{ { PLAIN "|kic2=" O16 }, SD(KEY("01", "01", AES)), "kic2" },
};

static void
rows_together_say_what_each_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct profile_template *t = template_of(cases[i].sd);
		struct profile_given given = PROFILE_GIVEN_NONE;
		struct profile_row_fault fault = { .name = NULL }, row_fault;
		bool each = true, all;

		for (size_t k = 0; k < ROWS && cases[i].row[k]; k++) {
			struct profile_personal row = row_of(cases[i].row[k]);

			profile_given_put(&given, &mem, &row);
			each = profile_template_row_holds(t, &mem, &row, &row_fault) && each;
		}
		all = profile_given_fits(&given, t, &mem, true, &fault);
		assert_int_equal(all, each);
		assert_int_equal(all, cases[i].fault == NULL);
		if (!all)
			assert_string_equal(fault.name, cases[i].fault);
		profile_template_free(t);
	}
}

/* A variant leaves out what it has no place for; what it has a place for must fit. */
static void
variants_leave_out_what_has_no_place(void **state)
{
	static const struct {
		const char *row, *sd;
		bool fits;
	} variants[] = {
		{ PLAIN "|kic1=" O16 "|impi=a@b", NULL, true },
		{ "imsi=001010123456789|impi=a@b", NULL, false },
		{ PLAIN "|kic1=" O16 O16, SD(KEY("01", "01", DES)), false },
		{ PLAIN "|kid1=" O16 O16, SD(KEY("01", "01", DES)), true },
		{ "imsi=001010123456789" K32, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
		struct profile_template *t = template_of(variants[i].sd);
		struct profile_personal row = row_of(variants[i].row);
		struct profile_given given = PROFILE_GIVEN_NONE;
		struct profile_row_fault fault;

		profile_given_put(&given, &mem, &row);
		assert_int_equal(
			profile_given_fits(&given, t, &mem, false, &fault), variants[i].fits);
		assert_false(profile_given_fits(&given, t, &mem, true, &fault));
		profile_template_free(t);
	}
}

static void
networks_are_those_of_all_imsis(void **state)
{
	struct profile_personal one = row_of("imsi=001010123456789"),
				two = row_of("imsi=001011123456789"),
				other = row_of("imsi=001020123456789"), none = row_of("pin1=1234");
	struct profile_given given = PROFILE_GIVEN_NONE;

	(void)state;
	profile_given_put(&given, &mem, &none);
	assert_true(profile_given_in_network(&given, SLICE_LIT("99999")));
	profile_given_put(&given, &mem, &one);
	assert_true(profile_given_in_network(&given, SLICE_LIT("00101")));
	assert_true(profile_given_in_network(&given, SLICE_LIT("001010")));
	assert_false(profile_given_in_network(&given, SLICE_LIT("00102")));
	profile_given_put(&given, &mem, &two);
	assert_true(profile_given_in_network(&given, SLICE_LIT("00101")));
	assert_false(profile_given_in_network(&given, SLICE_LIT("001010")));
	profile_given_put(&given, &mem, &other);
	assert_false(profile_given_in_network(&given, SLICE_LIT("00101")));
}

/* Each detail once, however many rows have it, and however many there are. */
static void
details_are_kept_once(void **state)
{
	struct profile_given given = PROFILE_GIVEN_NONE;

	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 100; i++) {
			struct profile_personal row =
				row_of(arena_printf(&mem, "imsi=%06d000000000", i));

			profile_given_put(&given, &mem, &row);
		}
	assert_int_equal(given.detail_count, 101); /* the length, and a hundred networks */
	for (size_t i = 0; i < given.detail_count; i++)
		for (size_t k = 0; k < i; k++)
			assert_true(given.details[i] != given.details[k]);
	assert_int_equal(given.all, given.any);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(rows_together_say_what_each_says),
		TEST(variants_leave_out_what_has_no_place),
		TEST(networks_are_those_of_all_imsis),
		TEST(details_are_kept_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("profile_given", tests, NULL, NULL);
}
