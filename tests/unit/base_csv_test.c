/* CSV: each way to write a row, each way to break one, and any cut into pieces gives the same rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/csv.h"

static struct arena mem;
static struct csv csv;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 8 << 20, NULL, NULL);
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
tell(struct buf *out, enum csv_got got)
{
	if (got == CSV_MORE)
		return;
	buf_printf(out, "%u:", (unsigned)csv.line);
	for (size_t i = 0; got == CSV_ROW && i < csv.cells; i++)
		buf_printf(out, "[%.*s]", SLICE_FMT(csv.cell[i]));
	if (got == CSV_BROKEN)
		buf_printf(out, "cell %zu %s", csv.column, csv.why);
	if (got == CSV_WRONG)
		buf_put_text(out, csv.why);
	buf_put_text(out, "\n");
}

/* All that is got of a text that comes in pieces of `size` octets. */
static const char *
told(struct slice text, size_t size)
{
	enum csv_got got = CSV_MORE;
	struct buf out;

	buf_init(&out, &mem, 1 << 20);
	csv_init(&csv);
	for (size_t at = 0; at < text.n && got != CSV_WRONG; at += size) {
		struct slice piece = slice_sub(text, at, size);

		while (piece.n > 0 && got != CSV_WRONG) {
			got = csv_read(&csv, &piece);
			tell(&out, got);
		}
	}
	if (got != CSV_WRONG)
		tell(&out, csv_end(&csv));
	csv_fini(&csv);
	return (const char *)buf_get(&out).p;
}

#define ROW(text, rows)               \
	{                             \
		SLICE_LIT(text), rows \
	}
static const struct {
	struct slice text;
	const char *rows;
} row[] = {
	ROW("", ""),
	ROW("a", "1:[a]\n"),
	ROW("a,b\n1,2\n", "1:[a][b]\n2:[1][2]\n"),
	ROW("a,b\r\n1,2\r\n", "1:[a][b]\n2:[1][2]\n"),
	ROW("a,b\r1,2\r", "1:[a][b]\n2:[1][2]\n"),
	ROW("a,b\n1,2", "1:[a][b]\n2:[1][2]\n"),
	ROW("a,b\n1,", "1:[a][b]\n2:[1][]\n"),
	ROW("a,b\n,\n", "1:[a][b]\n2:[][]\n"),
	ROW("a\n\n\r\nb\n", "1:[a]\n4:[b]\n"),
	ROW("\xef\xbb\xbf"
	    "a,b\n",
		"1:[a][b]\n"),
	ROW("a;b,c\n1;2,3\n", "1:[a][b,c]\n2:[1][2,3]\n"),
	ROW("a\tb\n1,5\t2\n", "1:[a][b]\n2:[1,5][2]\n"),
	ROW("\"a,x\";b\n", "1:[a,x][b]\n"),
	ROW("a,\"b\"\n", "1:[a][b]\n"),
	ROW("a,\"\"\n", "1:[a][]\n"),
	ROW("a,\"say \"\"b\"\"\"\n", "1:[a][say \"b\"]\n"),
	ROW("a,\"1\r\n2\n3\"\nb\n", "1:[a][1\r\n2\n3]\n4:[b]\n"),
	ROW("h\xc3\xa9,b\n", "1:[h\xc3\xa9][b]\n"),
	/* refused rows; the others are read */
	ROW("a,b\nx\"y,1\nc,d\n", "1:[a][b]\n2:cell 0 has a quote in its middle\n3:[c][d]\n"),
	ROW("a,\"b\"c\nd\n", "1:cell 1 goes on behind its closing quote\n2:[d]\n"),
	ROW("a,caf\xe9\nd\n", "1:cell 1 is not UTF-8\n2:[d]\n"),
	ROW("a,\xed\xa0\x80\nd", "1:cell 1 is not UTF-8\n2:[d]\n"),
	/* refused files */
	ROW("\xff\xfe"
	    "a\0,\0b\0",
		"1:is UTF-16 or UTF-32; UTF-8 is wanted\n"),
	ROW("\xfe\xff\0a\0,\0b", "1:is UTF-16 or UTF-32; UTF-8 is wanted\n"),
	ROW("a\n\0b\n", "1:[a]\n2:holds NUL octets: UTF-16, or no text at all\n"),
	ROW("a,b\n1,\"2\n3,4\n", "1:[a][b]\n2:ends inside quotes that were opened on this line\n"),
	ROW("\xef\xbb", "1:is not UTF-8\n"),
	ROW("\xef\xbc,b", "1:cell 0 is not UTF-8\n"),
};

static void
rows_are_the_same_however_they_are_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		for (size_t size = 1; size <= row[i].text.n + 1; size++)
			if (strcmp(told(row[i].text, size), row[i].rows) != 0)
				fail_msg("row %zu in pieces of %zu: %s", i, size,
					told(row[i].text, size));
}

static void
a_row_has_a_size(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, &mem, 1 << 20);
	for (size_t i = 0; i < CSV_ROW_MAX + 1; i++)
		buf_put_u8(&text, 'x');
	buf_put_text(&text, ",y\nz\n");
	assert_string_equal(
		told(buf_get(&text), 4096), "1:cell 0 is part of a row that is too long\n2:[z]\n");
	assert_int_equal(told(slice_sub(buf_get(&text), 2, 1 << 20), 4096)[2], '[');
}

static void
a_row_has_so_many_cells(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, &mem, 1 << 20);
	for (size_t i = 0; i < CSV_CELLS_MAX - 1; i++)
		buf_put_text(&text, "x,");
	buf_put_text(&text, "x\nz\n");
	assert_int_equal(told(buf_get(&text), 4096)[2], '[');
	assert_string_equal(
		told(slice_of(arena_printf(&mem, ",%s", buf_get(&text).p), text.n + 1), 50),
		"1:cell 256 has more cells than are possible\n2:[z]\n");
}

static void
what_was_read_is_wiped(void **state)
{
	struct slice piece = SLICE_LIT("secret\nmore");
	static const uint8_t zeros[64];

	(void)state;
	csv_init(&csv);
	assert_int_equal(csv_read(&csv, &piece), CSV_ROW);
	csv_fini(&csv);
	assert_memory_equal(csv.text, zeros, sizeof zeros);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			rows_are_the_same_however_they_are_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(a_row_has_a_size, setup, teardown),
		cmocka_unit_test_setup_teardown(a_row_has_so_many_cells, setup, teardown),
		cmocka_unit_test(what_was_read_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
