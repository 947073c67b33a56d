/*
 * Rows of personal data out of the octets behind a request: CSV (base/csv.h), or JSON lines, an object of
 * texts each, whose members' names are told anew whenever they differ from the line's before.
 */
#include <stdlib.h>
#include "base/csv.h"
#include "base/text.h"
#include "ctl/int.h"
#include "profile/personal.h"

enum { LINE_MAX_OCTETS = CSV_ROW_MAX, CELLS = PERSONAL_COLUMNS_MAX };

struct rows_csv {
	struct dp_rows rows;
	struct ctl_connection *connection;
	struct csv csv;
	struct slice piece;
	bool named;
};

struct rows_json {
	struct dp_rows rows;
	struct ctl_connection *connection;
	struct slice piece;
	char text[LINE_MAX_OCTETS];
	size_t used;
	bool too_long; /* the rest of the line is skipped */
	int64_t line;
	json_t *object; /* of the line; its texts are told */
	json_t *named;  /* the object whose names were told last */
	bool told;      /* the names of `object` were told, its row is next */
	struct slice cell[CELLS];
};

static const struct step *
wait_for_more(struct dp_rows *rows, struct task *t, const struct step *then)
{
	(void)rows;
	return ctl_stream_wait(ctl_call_get(t)->connection, t, then);
}

static void
stop(struct dp_rows *rows, struct task *t)
{
	(void)rows;
	ctl_stream_stop(ctl_call_get(t)->connection);
}

/* What the stream has when a reader has used up its piece: rows end, or wait, or go on (NULL). */
static const enum dp_rows_got *
next_piece(struct ctl_connection *connection, struct slice *piece)
{
	static const enum dp_rows_got told[] = {
		[STREAM_WAIT] = DP_ROWS_WAIT,
		[STREAM_END] = DP_ROWS_END,
		[STREAM_GONE] = DP_ROWS_GONE,
	};
	enum ctl_stream_got got = ctl_stream_read(connection, piece);

	return got == STREAM_PIECE ? NULL : &told[got];
}

static enum dp_rows_got
refuse(struct dp_rows *rows, enum dp_rows_got got, int64_t line, int column, const char *why)
{
	rows->line = line;
	rows->column = column;
	rows->why = why;
	return got;
}

/* ---- CSV ---- */

static enum dp_rows_got
take_csv(struct rows_csv *r, enum csv_got got)
{
	struct dp_rows *rows = &r->rows;

	switch (got) {
	case CSV_BROKEN:
		/* Without names nothing can be said of the rows. */
		return refuse(rows, r->named ? DP_ROWS_BROKEN : DP_ROWS_WRONG, (int64_t)r->csv.line,
			(int)r->csv.column, r->csv.why);
	case CSV_WRONG:
		return refuse(rows, DP_ROWS_WRONG, (int64_t)r->csv.line, -1, r->csv.why);
	case CSV_MORE:
		return DP_ROWS_END;
	case CSV_ROW:
		break;
	}
	rows->texts = r->csv.cell;
	rows->n = r->csv.cells;
	rows->line = (int64_t)r->csv.line;
	if (r->named)
		return DP_ROWS_ROW;
	r->named = true;
	return DP_ROWS_NAMES;
}

static enum dp_rows_got
next_csv(struct dp_rows *rows)
{
	struct rows_csv *r = (struct rows_csv *)rows;
	const enum dp_rows_got *end;
	enum csv_got got;

	for (;;) {
		got = csv_read(&r->csv, &r->piece);
		if (got != CSV_MORE)
			return take_csv(r, got);
		end = next_piece(r->connection, &r->piece);
		if (end && *end == DP_ROWS_END)
			return take_csv(r, csv_end(&r->csv));
		if (end)
			return *end;
	}
}

static void
free_csv(void *arg)
{
	struct rows_csv *r = arg;

	csv_fini(&r->csv);
	free(r);
}

/* ---- JSON lines ---- */

/* A line's end was found, or the end of all. False: the line goes on behind the piece. */
static bool
take_line(struct rows_json *r)
{
	const uint8_t *end = r->piece.n ? memchr(r->piece.p, '\n', r->piece.n) : NULL;
	size_t n = end ? (size_t)(end - r->piece.p) : r->piece.n;

	if (r->used + n > sizeof r->text)
		r->too_long = true;
	else if (n)
		memcpy(r->text + r->used, r->piece.p, n);
	r->used = r->too_long ? 0 : r->used + n;
	r->piece = slice_sub(r->piece, n + (end != NULL), r->piece.n);
	return end != NULL;
}

static bool
same_names(json_t *a, json_t *b)
{
	void *x = json_object_iter(a), *y = json_object_iter(b);

	for (; x && y; x = json_object_iter_next(a, x), y = json_object_iter_next(b, y))
		if (strcmp(json_object_iter_key(x), json_object_iter_key(y)) != 0)
			return false;
	return !x && !y;
}

static enum dp_rows_got
tell_names(struct rows_json *r)
{
	const char *name;
	json_t *v;

	r->rows.n = 0;
	json_object_foreach(r->object, name, v) r->cell[r->rows.n++] = slice_text(name);
	r->told = true;
	json_decref(r->named);
	r->named = json_incref(r->object);
	return DP_ROWS_NAMES;
}

static enum dp_rows_got
tell_row(struct rows_json *r)
{
	const char *name;
	json_t *v;

	r->rows.n = 0;
	json_object_foreach(r->object, name, v) r->cell[r->rows.n++] =
		slice_of(json_string_value(v), json_string_length(v));
	r->told = false;
	return DP_ROWS_ROW;
}

/* NULL when the object can be a row. */
static const char *
misfit(json_t *object)
{
	const char *name;
	json_t *v;

	if (!json_is_object(object))
		return "is no JSON object";
	if (json_object_size(object) > CELLS)
		return "has more than 128 members";
	json_object_foreach(object, name, v) if (!json_is_string(v) &&
		!json_is_null(v)) return "has a member that is no text; put digits in quotes";
	return NULL;
}

static enum dp_rows_got
read_object(struct rows_json *r)
{
	const char *wrong = "is longer than 32 KiB";

	json_decref(r->object);
	r->object = NULL;
	if (!r->too_long) {
		r->object = json_loadb(r->text, r->used, JSON_REJECT_DUPLICATES, NULL);
		wrong = misfit(r->object);
	}
	explicit_bzero(r->text, r->used);
	r->used = 0;
	r->too_long = false;
	r->rows.line = r->line;
	if (wrong)
		return refuse(&r->rows, DP_ROWS_BROKEN, r->line, -1, wrong);
	return r->named && same_names(r->named, r->object) ? tell_row(r) : tell_names(r);
}

static bool
is_blank(const struct rows_json *r)
{
	return !r->too_long && slice_trim(slice_of(r->text, r->used)).n == 0;
}

static enum dp_rows_got
next_json(struct dp_rows *rows)
{
	struct rows_json *r = (struct rows_json *)rows;
	const enum dp_rows_got *end;

	if (r->told)
		return tell_row(r);
	for (;;) {
		if (take_line(r)) {
			r->line++;
			if (!is_blank(r))
				return read_object(r);
			r->used = 0;
			continue;
		}
		end = next_piece(r->connection, &r->piece);
		if (end && *end == DP_ROWS_END && !is_blank(r)) {
			r->line++;
			r->piece = SLICE_NONE;
			return read_object(r);
		}
		if (end)
			return *end;
	}
}

static void
free_json(void *arg)
{
	struct rows_json *r = arg;

	json_decref(r->object);
	json_decref(r->named);
	explicit_bzero(r->text, sizeof r->text);
	free(r);
}

struct dp_rows *
ctl_rows_new(struct task *t, bool json_lines)
{
	struct ctl_connection *connection = ctl_call_get(t)->connection;
	struct rows_csv *csv = json_lines ? NULL : calloc(1, sizeof *csv);
	struct rows_json *json = json_lines ? calloc(1, sizeof *json) : NULL;

	if (!json && !csv)
		abort();
	if (json) {
		arena_defer(t->mem, free_json, json);
		json->rows = (struct dp_rows){
			.next = next_json, .wait = wait_for_more, .stop = stop, .texts = json->cell
		};
		json->connection = connection;
		return &json->rows;
	}
	arena_defer(t->mem, free_csv, csv);
	csv->rows = (struct dp_rows){ .next = next_csv, .wait = wait_for_more, .stop = stop };
	csv->connection = connection;
	csv_init(&csv->csv);
	return &csv->rows;
}
