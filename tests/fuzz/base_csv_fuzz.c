/*
 * CSV with any content. However it is cut into pieces, the same rows come out; cells lie inside the row and
 * are UTF-8. The first octet says how large the pieces are.
 */
#include <stdlib.h>
#include "base/csv.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static struct csv whole, cut;

/* The next row out of `rest`, given in pieces of at most `size`. */
static enum csv_got
next(struct csv *c, struct slice *rest, size_t size)
{
	while (rest->n > 0) {
		struct slice piece = slice_sub(*rest, 0, size);
		size_t had = piece.n;
		enum csv_got got = csv_read(c, &piece);

		*rest = slice_sub(*rest, had - piece.n, rest->n);
		if (got != CSV_MORE)
			return got;
	}
	return csv_end(c);
}

static void
must_be_equal(enum csv_got got)
{
	if (whole.line != cut.line)
		abort();
	if (got != CSV_ROW) {
		if (!whole.why || whole.why != cut.why)
			abort();
		return;
	}
	if (whole.cells != cut.cells)
		abort();
	for (size_t i = 0; i < whole.cells; i++)
		if (!slice_eq(whole.cell[i], cut.cell[i]) ||
			text_characters(whole.cell[i]) == SIZE_MAX)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct slice one = { octets, n }, other;
	enum csv_got got;

	if (n == 0)
		return 0;
	one = other = slice_sub(one, 1, n);
	csv_init(&whole);
	csv_init(&cut);
	for (;;) {
		got = next(&whole, &one, n);
		if (got != next(&cut, &other, (size_t)octets[0] % 16 + 1))
			abort();
		if (got == CSV_MORE)
			break;
		must_be_equal(got);
		if (got == CSV_WRONG)
			break;
	}
	csv_fini(&whole);
	csv_fini(&cut);
	return 0;
}
