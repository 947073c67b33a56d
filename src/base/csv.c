/*
 * CSV (RFC 4180) as people's programs write it, octet by octet, so that it does not matter where one
 * piece ends and the next begins. What a cell means is the caller's affair.
 */
#include <strings.h>
#include "base/csv.h"
#include "base/text.h"

enum state {
	AT_START,  /* nothing of the row yet */
	AT_CELL,   /* behind a separator */
	IN_PLAIN,  /* in a cell without quotes */
	IN_QUOTES, /* … with quotes */
	AT_QUOTE,  /* behind a quote inside quotes: the cell's end, or half of a doubled one */
	SKIPPING,  /* a row that was refused, to its line end */
	STOPPED    /* the file is refused */
};

static const uint8_t order_mark[3] = { 0xef, 0xbb, 0xbf };

void
csv_init(struct csv *c)
{
	*c = (struct csv){ .at = 1, .line = 1 };
}

void
csv_fini(struct csv *c)
{
	explicit_bzero(c, sizeof *c);
}

static enum csv_got
stop(struct csv *c, const char *why)
{
	c->state = STOPPED;
	c->line = c->at;
	c->why = why;
	return CSV_WRONG;
}

/* The row cannot be had; what follows on its line is not read. */
static enum csv_got
refuse(struct csv *c, const char *why)
{
	c->why = why;
	c->column = c->cells;
	c->state = SKIPPING;
	c->got = true;
	return CSV_BROKEN;
}

static bool
cell_close(struct csv *c)
{
	if (c->cells == CSV_CELLS_MAX)
		return false;
	c->cell[c->cells++] = slice_of(c->text + c->from, c->used - c->from);
	c->from = c->used;
	return true;
}

/* All of the row is there. */
static enum csv_got
row_close(struct csv *c)
{
	c->state = AT_START;
	c->got = true;
	if (!cell_close(c)) {
		c->why = "has more cells than are possible";
		c->column = c->cells;
		return CSV_BROKEN;
	}
	for (size_t i = 0; i < c->cells; i++)
		if (text_characters(c->cell[i]) == SIZE_MAX) {
			c->why = "is not UTF-8";
			c->column = i;
			return CSV_BROKEN;
		}
	return CSV_ROW;
}

static bool
is_separator(struct csv *c, uint8_t octet)
{
	if (c->separator)
		return octet == c->separator;
	if (octet != ',' && octet != ';' && octet != '\t')
		return false;
	c->separator = octet;
	return true;
}

static enum csv_got
keep(struct csv *c, uint8_t octet, enum state next)
{
	if (c->used == sizeof c->text)
		return refuse(c, "is part of a row that is too long");
	c->text[c->used++] = octet;
	c->state = next;
	return CSV_MORE;
}

static enum csv_got
line_end(struct csv *c)
{
	switch ((enum state)c->state) {
	case AT_START: /* an empty line */
		return CSV_MORE;
	case SKIPPING:
		c->state = AT_START;
		return CSV_MORE;
	default:
		return row_close(c);
	}
}

/* One octet that is neither a line end nor inside quotes. */
static enum csv_got
plain(struct csv *c, uint8_t octet)
{
	if (c->state == SKIPPING)
		return CSV_MORE;
	if (is_separator(c, octet)) {
		c->state = AT_CELL;
		return cell_close(c) ? CSV_MORE : refuse(c, "has more cells than are possible");
	}
	if (octet != '"') {
		if (c->state == AT_QUOTE)
			return refuse(c, "goes on behind its closing quote");
		return keep(c, octet, IN_PLAIN);
	}
	if (c->state == AT_QUOTE)
		return keep(c, octet, IN_QUOTES);
	if (c->state == IN_PLAIN)
		return refuse(c, "has a quote in its middle");
	c->state = IN_QUOTES;
	return CSV_MORE;
}

static enum csv_got
octet_read(struct csv *c, uint8_t octet)
{
	bool after_cr = c->skip_lf;

	c->skip_lf = octet == '\r';
	if (octet == '\n' || octet == '\r') {
		if (after_cr && octet == '\n')
			return c->state == IN_QUOTES ? keep(c, octet, IN_QUOTES) : CSV_MORE;
		c->at++;
		return c->state == IN_QUOTES ? keep(c, octet, IN_QUOTES) : line_end(c);
	}
	if (octet == 0)
		return stop(c, "holds NUL octets: UTF-16, or no text at all");
	if (c->state != IN_QUOTES)
		return plain(c, octet);
	if (octet != '"')
		return keep(c, octet, IN_QUOTES);
	c->state = AT_QUOTE;
	return CSV_MORE;
}

/* The first three octets: a mark of UTF-8 is skipped, one of UTF-16 or UTF-32 ends it. */
static enum csv_got
head_read(struct csv *c, uint8_t octet)
{
	if (c->head == 0 && (octet == 0xff || octet == 0xfe))
		return stop(c, "is UTF-16 or UTF-32; UTF-8 is wanted");
	if (octet == order_mark[c->head]) {
		c->head++;
		return CSV_MORE;
	}
	for (uint8_t i = 0; i < c->head; i++)
		keep(c, order_mark[i], IN_PLAIN);
	c->head = sizeof order_mark;
	return octet_read(c, octet);
}

static void
row_begin(struct csv *c)
{
	if (c->got) {
		c->cells = c->used = c->from = 0;
		c->got = false;
	}
	if (c->state == AT_START)
		c->line = c->at;
}

/* A run of octets that mean nothing but themselves, at once. */
static void
run_read(struct csv *c, struct slice *piece)
{
	size_t room = sizeof c->text - c->used, n = 0;

	while (n < piece->n && n < room && piece->p[n] > '"' && piece->p[n] != c->separator)
		n++;
	memcpy(c->text + c->used, piece->p, n);
	c->used += n;
	*piece = slice_sub(*piece, n, piece->n);
}

enum csv_got
csv_read(struct csv *c, struct slice *piece)
{
	enum csv_got got = CSV_MORE;

	if (c->state == STOPPED)
		return CSV_WRONG;
	while (got == CSV_MORE && piece->n > 0) {
		uint8_t octet;

		if (c->state == IN_PLAIN && c->separator) {
			run_read(c, piece);
			if (piece->n == 0)
				break;
		}
		octet = *piece->p++;

		row_begin(c);
		piece->n--;
		got = c->head < sizeof order_mark ? head_read(c, octet) : octet_read(c, octet);
	}
	return got;
}

enum csv_got
csv_end(struct csv *c)
{
	if (c->head == 1 || c->head == 2)
		return stop(c, "is not UTF-8");
	switch ((enum state)c->state) {
	case STOPPED:
		return CSV_WRONG;
	case SKIPPING:
	case AT_START:
		c->state = AT_START;
		return CSV_MORE;
	case IN_QUOTES:
		c->at = c->line;
		return stop(c, "ends inside quotes that were opened on this line");
	default:
		row_begin(c);
		return row_close(c);
	}
}
