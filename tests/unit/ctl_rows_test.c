/*
 * Rows out of the octets behind a request, whatever the pieces they come in: CSV and JSON lines, what is said of
 * broken ones, and how a stream ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/csv.h"
#include "ctl/int.h"
#include "profile/personal.h"

/* In the place of connection.c: the text, cut into pieces of this size, and then this end. */
static struct {
	struct slice rest;
	size_t piece;
	enum ctl_stream_got end;
	bool pause; /* there is nothing yet before each piece */
	bool paused, stopped;
} stream;

enum ctl_stream_got
ctl_stream_read(struct ctl_connection *connection, struct slice *piece)
{
	(void)connection;
	if (stream.stopped)
		return STREAM_GONE;
	if (!stream.rest.n)
		return stream.end;
	stream.paused = stream.pause && !stream.paused;
	if (stream.paused)
		return STREAM_WAIT;
	*piece = slice_sub(stream.rest, 0, stream.piece);
	stream.rest = slice_sub(stream.rest, piece->n, stream.rest.n);
	return STREAM_PIECE;
}

const struct step *
ctl_stream_wait(struct ctl_connection *connection, struct task *t, const struct step *then)
{
	(void)connection;
	(void)t;
	return then;
}

void
ctl_stream_stop(struct ctl_connection *connection)
{
	(void)connection;
	stream.stopped = true;
}

static struct arena mem;
static struct ctl_call call;
static struct task task = { .mem = &mem, .request = &call.request };

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 8 << 20, NULL, NULL);
	memset(&stream, 0, sizeof stream);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_fini(&mem);
	return 0;
}

/* All that the rows tell, a line each: "N1 a|b", "R2 1|2", "B3.1 why", "W4 why", ". end". */
static const char *
told(bool json, struct slice text, size_t piece, bool pause, enum ctl_stream_got end)
{
	static const char letter[] = "NRBW";
	struct dp_rows *rows = ctl_rows_new(&task, json);
	const char *out = "";

	stream.rest = text;
	stream.piece = piece;
	stream.pause = pause;
	stream.end = end;
	for (;;) {
		enum dp_rows_got got = rows->next(rows);

		if (got == DP_ROWS_WAIT)
			continue;
		if (got == DP_ROWS_END || got == DP_ROWS_GONE)
			return arena_printf(&mem, "%s%s", out, got == DP_ROWS_END ? "end" : "gone");
		out = arena_printf(&mem, "%s%c%lld", out, letter[got], (long long)rows->line);
		if (got == DP_ROWS_BROKEN || got == DP_ROWS_WRONG)
			out = rows->name.p
				? arena_printf(&mem, "%s@%d[%.*s] %s", out, rows->column,
					  SLICE_FMT(rows->name), rows->why)
				: arena_printf(&mem, "%s@%d %s", out, rows->column, rows->why);
		for (size_t i = 0; got <= DP_ROWS_ROW && i < rows->n; i++)
			out = arena_printf(
				&mem, "%s%c%.*s", out, i ? '|' : ' ', SLICE_FMT(rows->texts[i]));
		out = arena_printf(&mem, "%s\n", out);
		if (got == DP_ROWS_WRONG)
			return out;
	}
}

static void
must_tell(bool json, const char *text, const char *wanted)
{
	struct slice all = slice_text(text);

	for (size_t piece = 1; piece <= all.n + 1; piece++)
		for (int pause = 0; pause < 2; pause++)
			assert_string_equal(told(json, all, piece, pause, STREAM_END), wanted);
}

static void
csv_is_names_and_rows(void **state)
{
	(void)state;
	must_tell(false, "a,b\n1,2\n3,\"4,\"\n", "N1 a|b\nR2 1|2\nR3 3|4,\nend");
	must_tell(false, "a;b\r\n1;2", "N1 a|b\nR2 1|2\nend");
	must_tell(false, "a\n1\n\n2\n", "N1 a\nR2 1\nR4 2\nend");
	must_tell(false, "", "end");
}

static void
csv_that_is_broken(void **state)
{
	(void)state;
	must_tell(
		false, "a,b\n1,2\"3\n4,5\n", "N1 a|b\nB2@1 has a quote in its middle\nR3 4|5\nend");
	/* Nothing can be said of rows without names. */
	must_tell(false, "a,b\"c\n1,2\n", "W1@1 has a quote in its middle\n");
}

static void
json_lines_are_objects(void **state)
{
	(void)state;
	must_tell(true, "{\"a\":\"1\",\"b\":\"2\"}\n\n{\"a\":\"3\",\"b\":\"4\"}\n",
		"N1 a|b\nR1 1|2\nR3 3|4\nend");
	/* Other names are told before their row; a null is a datum not given. */
	must_tell(
		true, "{\"a\":\"1\"}\n{\"b\":\"2\",\"a\":null}", "N1 a\nR1 1\nN2 b|a\nR2 2|\nend");
	must_tell(true, " \n\t\n", "end");
}

static void
json_that_is_broken(void **state)
{
	static const struct {
		const char *line, *wanted;
	} lines[] = {
		{ "{", " is cut off" },
		{ "{\"a\":\"1\",\"b\":\"2", "[b] is cut off" },
		{ "[]", " is a JSON array; each line holds one object" },
		{ "[{\"a\":\"1\"},", " is a JSON array; each line holds one object" },
		{ "{\"a\":\"1\",\"b\":\"2\",\"a\":\"3\"}", "[a] stands twice in the line" },
		{ "{\"a\":\"1\",\"b\":1}", "[b] is no text; put digits in quotes" },
		{ "{\"b\":89494499995000000123}", "[b] is no text; put digits in quotes" },
		{ "{\"a\":[\"x\",{\"y\":1}],\"b\":001}",
			"[b] is not JSON; texts and digits stand in quotes" },
		{ "{\"a\":\"1\",\"b\":\"\xe9\"}", "[b] is not UTF-8" },
		{ "{\"a\":\"1\"}{\"a\":\"2\"}", " goes on behind its object; each line holds one" },
		{ "text", " is no JSON object" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		must_tell(true, arena_printf(&mem, "%s\n{\"a\":\"1\"}\n", lines[i].line),
			arena_printf(&mem, "B1@-1%s\nN2 a\nR2 1\nend", lines[i].wanted));
}

static void
json_lines_are_utf8(void **state)
{
	static const char mixed[] = "{\0\"\0";

	(void)state;
	must_tell(true, "\xef\xbb\xbf{\"a\":\"1\"}\n", "N1 a\nR1 1\nend");
	must_tell(true, "\xff\xfe{\n", "W1@-1 is UTF-16 or UTF-32; UTF-8 is wanted\n");
	must_tell(true, "\xfe\xff{\n", "W1@-1 is UTF-16 or UTF-32; UTF-8 is wanted\n");
	assert_string_equal(told(true, slice_of(mixed, sizeof mixed), 3, false, STREAM_END),
		"W1@-1 holds NUL octets: UTF-16, or no text at all\n");
}

static void
lines_have_limits(void **state)
{
	char *text = arena_alloc(&mem, 2 * CSV_ROW_MAX);
	const char *many = "{";

	(void)state;
	memset(text, ' ', CSV_ROW_MAX + 1);
	snprintf(text + CSV_ROW_MAX + 1, 32, "\n{\"a\":\"1\"}\n");
	assert_string_equal(told(true, slice_text(text), 1000, false, STREAM_END),
		"B1@-1 is longer than 32 KiB\nN2 a\nR2 1\nend");
	for (int i = 0; i <= (int)PERSONAL_COLUMNS_MAX; i++)
		many = arena_printf(&mem, "%s%s\"m%d\":\"\"", many, i ? "," : "", i);
	assert_string_equal(
		told(true, slice_text(arena_printf(&mem, "%s}", many)), 7, false, STREAM_END),
		"B1@-1 has more than 128 members\nend");
}

static void
a_stream_that_is_cut_has_no_end(void **state)
{
	(void)state;
	assert_string_equal(
		told(false, SLICE_LIT("a\n1\n2"), 2, false, STREAM_GONE), "N1 a\nR2 1\ngone");
	assert_string_equal(told(true, SLICE_LIT("{\"a\":\"1\"}\n{"), 3, true, STREAM_GONE),
		"N1 a\nR1 1\ngone");
}

static void
rows_that_are_stopped_are_gone(void **state)
{
	(void)state;
	for (int json = 0; json < 2; json++) {
		struct dp_rows *rows = ctl_rows_new(&task, json);

		stream.stopped = false;
		stream.rest = SLICE_LIT("a\n");
		stream.piece = 1;
		rows->stop(rows, &task);
		assert_int_equal(rows->next(rows), DP_ROWS_GONE);
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(csv_is_names_and_rows),
		TEST(csv_that_is_broken),
		TEST(json_lines_are_objects),
		TEST(json_that_is_broken),
		TEST(json_lines_are_utf8),
		TEST(lines_have_limits),
		TEST(a_stream_that_is_cut_has_no_end),
		TEST(rows_that_are_stopped_are_gone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("ctl_rows", tests, NULL, NULL);
}
