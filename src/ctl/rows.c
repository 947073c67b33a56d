/*
 * Rows of personal data out of the octets behind a request: CSV (base/csv.h), or JSON lines, an object of
 * texts each, whose members' names are told anew whenever they differ from the line's before.
 */
#include <stdlib.h>
#include "base/csv.h"
#include "base/text.h"
#include "ctl/int.h"
#include "profile/personal.h"

enum { LINE_MAX_OCTETS = CSV_ROW_MAX, CELLS = PERSONAL_COLUMNS_MAX, NAME_TOLD = 64 };

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
	char at_fault[NAME_TOLD]; /* the beginning of a member's name */
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
	rows->name = SLICE_NONE;
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

static enum dp_rows_got
refuse_line(struct rows_json *r, enum dp_rows_got got, struct slice name, const char *why)
{
	struct slice told = text_beginning(name, NAME_TOLD);

	refuse(&r->rows, got, r->line, -1, why);
	if (told.n) {
		memcpy(r->at_fault, told.p, told.n);
		r->rows.name = slice_of(r->at_fault, told.n);
	}
	return got;
}

/*
 * The name of the last member that an object's beginning has. What the parser took is well-formed, so that no
 * value can be taken for a name.
 */
static struct slice
last_member(struct slice text)
{
	struct slice name = SLICE_NONE;
	unsigned depth = 0;
	bool next = false; /* the next text is a name */

	for (size_t i = 0, from; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '"') {
			for (from = ++i; i < text.n && text.p[i] != '"'; i++)
				i += text.p[i] == '\\';
			if (next && i < text.n)
				name = slice_sub(text, from, i - from);
			next = false;
		} else if (c == '{' || c == '[') {
			next = ++depth == 1;
		} else if (c == '}' || c == ']') {
			depth--;
		} else if (c == ',') {
			next = depth == 1;
		}
	}
	return name;
}

/* Why the line is no object: what the parser stumbled over, without a word of the line. */
static enum dp_rows_got
refuse_unread(struct rows_json *r, struct slice line, const json_error_t *error)
{
	size_t at = error->position > 0 ? (size_t)error->position : 0;
	struct slice name = last_member(slice_sub(line, 0, at));

	switch (json_error_code(error)) {
	case json_error_invalid_utf8:
		return refuse_line(r, DP_ROWS_BROKEN, name, "is not UTF-8");
	case json_error_duplicate_key:
		return refuse_line(r, DP_ROWS_BROKEN, name, "stands twice in the line");
	case json_error_premature_end_of_input:
		return refuse_line(r, DP_ROWS_BROKEN, name, "is cut off");
	case json_error_numeric_overflow:
		return refuse_line(r, DP_ROWS_BROKEN, name, "is no text; put digits in quotes");
	case json_error_end_of_input_expected:
		return refuse_line(r, DP_ROWS_BROKEN, SLICE_NONE,
			"goes on behind its object; each line holds one");
	default:
		return refuse_line(r, DP_ROWS_BROKEN, name,
			line.p[0] == '{' ? "is not JSON; texts and digits stand in quotes"
					 : "is no JSON object");
	}
}

/* What jansson read can be a row. */
static enum dp_rows_got
take_object(struct rows_json *r)
{
	const char *name;
	json_t *v;

	if (json_object_size(r->object) > CELLS)
		return refuse_line(r, DP_ROWS_BROKEN, SLICE_NONE, "has more than 128 members");
	json_object_foreach(r->object, name,
		v) if (!json_is_string(v) && !json_is_null(v)) return refuse_line(r, DP_ROWS_BROKEN,
		slice_text(name), "is no text; put digits in quotes");
	return r->named && same_names(r->named, r->object) ? tell_row(r) : tell_names(r);
}

/* A mark of UTF-8 may stand before the first line; other encodings are nothing at all. */
static enum dp_rows_got
read_text(struct rows_json *r)
{
	struct slice line = slice_of(r->text, r->used);
	json_error_t error;

	if (r->line == 1 && slice_eq(slice_sub(line, 0, 3), SLICE_LIT("\xef\xbb\xbf")))
		line = slice_sub(line, 3, line.n);
	line = slice_trim(line);
	if (r->line == 1 && (line.p[0] == 0xff || line.p[0] == 0xfe))
		return refuse_line(
			r, DP_ROWS_WRONG, SLICE_NONE, "is UTF-16 or UTF-32; UTF-8 is wanted");
	if (memchr(line.p, 0, line.n))
		return refuse_line(r, DP_ROWS_WRONG, SLICE_NONE,
			"holds NUL octets: UTF-16, or no text at all");
	if (line.p[0] == '[')
		return refuse_line(r, DP_ROWS_BROKEN, SLICE_NONE,
			"is a JSON array; each line holds one object");
	r->object = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, &error);
	return r->object ? take_object(r) : refuse_unread(r, line, &error);
}

static enum dp_rows_got
read_object(struct rows_json *r)
{
	enum dp_rows_got got;

	json_decref(r->object);
	r->object = NULL;
	r->rows.line = r->line;
	got = r->too_long ? refuse_line(r, DP_ROWS_BROKEN, SLICE_NONE, "is longer than 32 KiB")
			  : read_text(r);
	explicit_bzero(r->text, r->used);
	r->used = 0;
	r->too_long = false;
	return got;
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
