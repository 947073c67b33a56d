#ifndef BASE_CSV_H
#define BASE_CSV_H
/*
 * Rows of a CSV file (RFC 4180), read from pieces as they come: from a file, a pipe, a socket. Cells may
 * be quoted, hold line ends and doubled quotes; lines end with LF, CR LF or CR; a byte order mark is
 * skipped, empty lines too. The separator is the first of comma, semicolon and tab that stands in the
 * first row. Texts are UTF-8: a row that is not is refused, and so is the whole file when it is UTF-16, UTF-32
 * or holds NUL octets.
 */
#include "base/slice.h"

enum { CSV_CELLS_MAX = 256, CSV_ROW_MAX = 32768 };

enum csv_got {
	CSV_MORE,   /* the piece is used up: give the next, or end */
	CSV_ROW,    /* cell[0 … cells) */
	CSV_BROKEN, /* this row is refused: line, column, why. The next call reads on after it */
	CSV_WRONG   /* the whole file is refused, for ever */
};

struct csv {
	/* of the row that was got; cells point into the reader and live until the next call */
	struct slice cell[CSV_CELLS_MAX];
	size_t cells;
	uint64_t line;   /* on which the row began, from 1 */
	size_t column;   /* CSV_BROKEN: of the cell at fault, from 0 */
	const char *why; /* CSV_BROKEN, CSV_WRONG: in words */

	/* the reader's own */
	uint8_t text[CSV_ROW_MAX];
	size_t used;         /* octets of text */
	size_t from;         /* where the open cell begins */
	uint64_t at;         /* the line being read */
	uint8_t separator;   /* 0 until the first row has shown it */
	uint8_t state, head; /* head: octets of a byte order mark so far */
	bool got, skip_lf;
};

/* About 36 KiB: it belongs on the heap or in an arena, and to one file. It may hold secrets. */
void csv_init(struct csv *c);
/* Wipes what it has read. */
void csv_fini(struct csv *c);

/* Takes from the front of `piece` until a row is complete or the piece is used up. */
enum csv_got csv_read(struct csv *c, struct slice *piece);

/* After the last piece: a last row without a line end, or CSV_MORE for nothing. */
enum csv_got csv_end(struct csv *c);

#endif
