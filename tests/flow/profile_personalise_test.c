/*
 * Rows of a CSV file and a template become packages, as a load and a binding do it.
 *
 *   profile_personalise_test                     checks it with a small package of its own
 *   profile_personalise_test TEMPLATE DATA       writes the packages to standard output, each behind
 *                                                its length in four octets, or 0 and a refusal likewise
 *   profile_personalise_test TEMPLATE DATA N     makes the first package N times, tells microseconds each
 *
 * test_personalise.py compares the packages with what its own editor makes of the same data.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include "base/csv.h"
#include "profile/template.h"
#include "unit/profile_upp_text.h"

enum { FILE_MAX = 8 << 20 };

static struct arena mem;
static struct csv csv;
static struct profile_column column[PERSONAL_COLUMNS_MAX];
static size_t columns;
static struct profile_template *template;

/* In the place of Milenage, which is tested where it is: a row with OP is seen to take it. */
static void
derive(const uint8_t k[16], const uint8_t op[16], uint8_t opc[16])
{
	for (int i = 0; i < 16; i++)
		opc[i] = k[i] ^ op[i];
}

/* The words of a refusal go where the package would. */
static bool
row_make(struct arena *a, struct slice *upp)
{
	struct profile_row_fault fault = { .column = 0 };
	struct profile_personal row;
	const char *name = "columns";

	if (columns == 0) {
		columns = csv.cells;
		if (profile_columns_read(a, csv.cell, columns, column, &fault) &&
			profile_template_columns_hold(template, a, column, columns, &fault))
			return false;
		name = fault.name;
	} else if (profile_row_read(a, column, columns, csv.cell, derive, &row, &fault)) {
		struct slice record = profile_record_write(a, &row);
		struct profile_personal kept;

		assert_true(profile_record_read(record, &kept, &fault.reason));
		if (profile_template_personalise(template, a, &kept, upp, &fault))
			return true;
		name = fault.name;
	} else {
		name = fault.name;
	}
	*upp = slice_text(
		arena_printf(a, "%s %s: %s", name, profile_why_name(fault.why), fault.reason));
	return false;
}

static struct slice
file_read(const char *path)
{
	uint8_t *p = arena_alloc(&mem, FILE_MAX);
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f) {
		perror(path);
		exit(66);
	}
	n = fread(p, 1, FILE_MAX, f);
	fclose(f);
	return slice_of(p, n);
}

static void
template_open(struct slice upp)
{
	struct profile_fault fault;

	template = profile_template_new(&mem, upp, &fault);
	if (!template) {
		fprintf(stderr, "%s\n", fault.reason);
		exit(65);
	}
}

static void
number_write(size_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		putchar((int)(n >> shift & 0xff));
}

/* All rows; a refusal has a length of 0 before its own. Refused columns end it. */
static void
packages_write(struct slice data)
{
	enum csv_got got;
	bool refused = false;

	csv_init(&csv);
	while (!refused && (got = data.n ? csv_read(&csv, &data) : csv_end(&csv)) == CSV_ROW) {
		bool head = columns == 0;
		struct slice upp = SLICE_NONE;
		struct arena a;

		arena_init(&a, 4 << 20, NULL, NULL);
		if (!row_make(&a, &upp) && upp.p) {
			number_write(0);
			refused = head;
		}
		if (upp.p) {
			number_write(upp.n);
			fwrite(upp.p, 1, upp.n, stdout);
		}
		arena_fini(&a);
	}
	if (got == CSV_BROKEN || got == CSV_WRONG)
		exit(65);
	csv_fini(&csv);
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
speed_tell(struct slice data, long times)
{
	struct profile_row_fault fault;
	struct slice upp = SLICE_NONE;
	struct profile_personal row;
	double began;

	csv_init(&csv);
	while (csv_read(&csv, &data) == CSV_ROW && !row_make(&mem, &upp))
		;
	assert_true(profile_row_read(&mem, column, columns, csv.cell, derive, &row, &fault));
	began = seconds();
	for (long i = 0; i < times; i++) {
		struct arena a;

		arena_init(&a, 4 << 20, NULL, NULL);
		assert_true(profile_template_personalise(template, &a, &row, &upp, &fault));
		arena_fini(&a);
	}
	printf("%.2f\n", (seconds() - began) / (double)times * 1e6);
}

/* ---- by itself ---- */

static void
rows_become_packages(void **state)
{
	struct slice data =
		SLICE_LIT("ICCID;IMSI;Ki;OPc\n"
			  "89000123456789012341;001010000000001;"
			  "C0C1C2C3C4C5C6C7C8C9CACBCCCDCECF;00112233445566778899AABBCCDDEEFF\n"
			  "89000123456789012341;001010000000001;00;00\n");
	struct slice upp = SLICE_NONE;
	struct profile_fault fault;
	struct profile_upp read;

	(void)state;
	template_open(package_with(&mem, HEADER, NULL));
	csv_init(&csv);
	assert_int_equal(csv_read(&csv, &data), CSV_ROW);
	assert_false(row_make(&mem, &upp));
	assert_null(upp.p);
	assert_int_equal(csv_read(&csv, &data), CSV_ROW);
	assert_true(row_make(&mem, &upp));
	assert_true(profile_upp_read(&mem, upp, &read, &fault));
	assert_string_equal(read.imsi, "001010000000001");
	assert_int_equal(csv_read(&csv, &data), CSV_ROW);
	assert_false(row_make(&mem, &upp));
	assert_true(slice_eq(upp, SLICE_LIT("k length: has 1 octets; 16 or 32 are possible")));
	csv_fini(&csv);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(rows_become_packages) };
	int failed = 0;

	arena_init(&mem, 128 << 20, NULL, NULL);
	if (argc < 3) {
		failed = cmocka_run_group_tests(tests, NULL, NULL);
	} else {
		template_open(file_read(argv[1]));
		if (argc == 3)
			packages_write(file_read(argv[2]));
		else
			speed_tell(file_read(argv[2]), strtol(argv[3], NULL, 10));
	}
	profile_template_free((struct profile_template *)(uintptr_t) template);
	arena_fini(&mem);
	return failed;
}
