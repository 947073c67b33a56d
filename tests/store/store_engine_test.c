/* The engine on a well database: values both ways, rows, zero rows, queues, deadlines, notifications. */
#include "harness.h"
#include "store-engine/queries.c"
#include "store-engine/queries.h"

static struct store *store;

static struct store *
store_start(unsigned online, unsigned queue)
{
	struct store_settings settings = { conninfo_of("engine"), online, 1, queue };
	struct store *s = store_new_of(loop, &settings, &engine_catalog);

	run_until(is_ready, s);
	return s;
}

static void
store_stop(struct store *s)
{
	run_until(is_idle, s);
	store_free(s);
}

static int
set_up(void **state)
{
	struct store_settings settings;
	char words[STORE_WORDS];

	harness_start(state);
	database_new("engine");
	settings = (struct store_settings){ conninfo_of("engine"), 1, 1, 1 };
	assert_int_equal(store_migrate_of(&settings, &engine_catalog, NULL, words), STORE_CURRENT);
	store = store_start(4, 100);
	return 0;
}

static int
tear_down(void **state)
{
	store_stop(store);
	return harness_stop(state);
}

/* ---- values ---- */

struct echo {
	int64_t big;
	int32_t mid;
	int16_t small;
	struct slice words, octets;
	bool yes;
	int64_t at;
	struct slice uid, doc;
};
static const struct column echo_columns[] = { COL_INT8(struct echo, big),
	COL_INT4(struct echo, mid), COL_INT2(struct echo, small), COL_TEXT(struct echo, words),
	COL_BYTES(struct echo, octets), COL_BOOL(struct echo, yes), COL_TIME(struct echo, at),
	COL_UUID(struct echo, uid), COL_JSON(struct echo, doc) };

static const struct step *
send_echo(struct call *call, struct task *t, const struct step *then)
{
	const struct echo *e = call->out;
	const struct param params[] = { P_INT8_OR_NULL(e->big), P_INT4(e->mid), P_INT2(e->small),
		P_TEXT(e->words), P_BYTES(e->octets), P_BOOL(e->yes), P_TIME_OR_NULL(e->at),
		P_UUID(e->uid), P_JSON(e->doc) };

	return query_send(t, call->store, E_ECHO, params,
		ONE_ROW(echo_columns, (struct echo *)call->out), then);
}

static struct echo expected;

static void
look_at_echo(struct call *call)
{
	const struct echo *e = call->out;

	assert_int_equal(e->big, expected.big);
	assert_int_equal(e->mid, expected.mid);
	assert_int_equal(e->small, expected.small);
	assert_true(slice_eq(e->words, expected.words));
	assert_true(slice_eq(e->octets, expected.octets));
	assert_int_equal(!e->octets.p, !expected.octets.p);
	assert_int_equal(!e->words.p, !expected.words.p);
	assert_int_equal(e->yes, expected.yes);
	assert_int_equal(e->at, expected.at);
	assert_true(slice_eq(e->uid, expected.uid));
	assert_true(slice_eq(e->doc, expected.doc));
}

static void
values_go_and_come_back(void **state)
{
	static const struct echo rows[] = {
		{ INT64_MAX, INT32_MIN, INT16_MIN, SLICE_LIT("gr\xc3\xbc\xc3\x9f"),
			SLICE_LIT("\x00\xff\x00"), true, 1753300000123456,
			SLICE_LIT("0123456789abcdef"), SLICE_LIT("{\"a\": [1, null]}") },
		{ -1, 0, 1, SLICE_LIT(""), SLICE_LIT(""), false, -1,
			SLICE_LIT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), SLICE_LIT("[]") },
		{ .big = STORE_NULL, .at = STORE_NULL },
		{ .big = 0, .at = INT64_C(253402300799999999) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct echo e = rows[i];
		struct call call = {
			.send = send_echo, .look = look_at_echo, .store = store, .out = &e
		};

		expected = rows[i];
		call_run(&call);
		assert_int_equal(call.bad, T_NONE);
		assert_int_equal(call.got, R_OK);
	}
}

struct text_row {
	struct slice words;
};
static const struct column text_columns[] = { COL_TEXT(struct text_row, words) };

static const struct step *
send_echo_text(struct call *call, struct task *t, const struct step *then)
{
	const struct param params[] = { P_TIME(1753300000123456),
		P_JSON(SLICE_LIT("{\"a\":\"b\"}")), P_INT8(-77) };

	return query_send(t, call->store, E_ECHO_TEXT, params,
		ONE_ROW(text_columns, (struct text_row *)call->out), then);
}

static void
look_at_text(struct call *call)
{
	const struct text_row *row = call->out;

	assert_string_equal((const char *)row->words.p, "2025-07-23 19:46:40.123456 b -77");
}

/* What goes and comes back could be wrong twice: here the database says what it understood. */
static void
values_mean_what_they_say(void **state)
{
	struct text_row row;
	struct call call = {
		.send = send_echo_text, .look = look_at_text, .store = store, .out = &row
	};

	(void)state;
	call_run(&call);
	assert_int_equal(call.got, R_OK);
	assert_int_equal(call.bad, T_NONE);
}

/* ---- arrays and rows ---- */

struct number_row {
	int64_t value;
};
static const struct column number_columns[] = { COL_INT8(struct number_row, value) };

static const struct step *
send_numbers(struct call *call, struct task *t, const struct step *then)
{
	static const int64_t numbers[] = { 3, -1, INT64_MAX };
	const struct param params[] = { P_INT8_ARRAY(numbers, (size_t)call->number) };

	return query_send(t, call->store, E_NUMBERS, params,
		MANY_ROWS(struct number_row, number_columns, 2, &call->rows), then);
}

static void
look_at_two_numbers(struct call *call)
{
	const struct number_row *row = call->rows.first;

	assert_int_equal(call->rows.n, 2);
	assert_int_equal(row[0].value, 3);
	assert_int_equal(row[1].value, -1);
}

static void
rows_stop_at_the_maximum(void **state)
{
	static const struct {
		int64_t sent;
		size_t n;
		bool more;
		enum got got;
	} rows[] = { { 0, 0, false, R_NONE }, { 1, 1, false, R_OK }, { 2, 2, false, R_OK },
		{ 3, 2, true, R_OK } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct call call = { .send = send_numbers,
			.look = rows[i].n == 2 ? look_at_two_numbers : NULL,
			.store = store,
			.number = rows[i].sent };

		call_run(&call);
		assert_int_equal(call.got, rows[i].got);
		assert_int_equal(call.rows.n, rows[i].n);
		assert_int_equal(call.rows.more, rows[i].more);
	}
}

struct slice_row {
	struct slice value;
};
static const struct column bytes_columns[] = { COL_BYTES(struct slice_row, value) };
static const struct column words_columns[] = { COL_TEXT(struct slice_row, value) };
static const struct slice list[] = { { (const uint8_t *)"a\0b", 3 }, { NULL, 0 },
	{ (const uint8_t *)"", 0 } };
static const struct slice word_list[] = { { (const uint8_t *)"one", 3 }, { NULL, 0 },
	{ (const uint8_t *)"", 0 } };

static const struct step *
send_octets(struct call *call, struct task *t, const struct step *then)
{
	const struct param octets[] = { P_BYTES_ARRAY(list, 3) };
	const struct param words[] = { P_TEXT_ARRAY(word_list, 3) };

	if (call->number)
		return query_send(t, call->store, E_WORDS, words,
			MANY_ROWS(struct slice_row, words_columns, 9, &call->rows), then);
	return query_send(t, call->store, E_OCTETS, octets,
		MANY_ROWS(struct slice_row, bytes_columns, 9, &call->rows), then);
}

static void
look_at_slices(struct call *call)
{
	const struct slice *sent = call->number ? word_list : list;
	const struct slice_row *row = call->rows.first;

	assert_int_equal(call->rows.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(slice_eq(row[i].value, sent[i]));
		assert_int_equal(!row[i].value.p, !sent[i].p);
	}
}

static void
arrays_go(void **state)
{
	(void)state;
	for (int words = 0; words < 2; words++) {
		struct call call = {
			.send = send_octets, .look = look_at_slices, .store = store, .number = words
		};

		call_run(&call);
		assert_int_equal(call.got, R_OK);
		assert_int_equal(call.bad, T_NONE);
	}
}

/* ---- what zero rows, too many rows and NULLs mean ---- */

struct thing {
	int64_t id;
	int32_t moves;
};
static const struct column thing_columns[] = { COL_INT8(struct thing, id),
	COL_INT4(struct thing, moves) };
static const struct column claim_columns[] = { COL_INT4(struct thing, moves) };

static const struct step *
send_find(struct call *call, struct task *t, const struct step *then)
{
	const struct param params[] = { P_INT8(call->number) };

	return query_send(t, call->store, E_THING_FIND, params,
		ONE_ROW(thing_columns, (struct thing *)call->out), then);
}

static const struct step *
send_claim(struct call *call, struct task *t, const struct step *then)
{
	const struct param params[] = { P_INT8(call->number), P_BYTES(call->octets) };

	return query_send(t, call->store, E_THING_CLAIM, params,
		ONE_ROW(claim_columns, (struct thing *)call->out), then);
}

static const struct step *
send_drop(struct call *call, struct task *t, const struct step *then)
{
	const struct param params[] = { P_INT8(call->number) };

	return query_send(t, call->store, E_THING_DROP, params, NO_ROWS, then);
}

static void
zero_rows_mean_what_the_header_says(void **state)
{
	struct thing thing = { .id = -1, .moves = -1 };
	struct call find = { .send = send_find, .store = store, .number = 999, .out = &thing };
	struct call claim = { .send = send_claim,
		.store = store,
		.number = 1,
		.octets = SLICE_LIT("A"),
		.out = &thing };
	struct call drop = { .send = send_drop, .store = store, .number = 50 };

	(void)state;
	call_run(&find);
	assert_int_equal(find.got, R_NONE);
	assert_int_equal(thing.moves, -1);
	call_run(&claim);
	assert_int_equal(claim.got, R_OK);
	assert_int_equal(thing.moves, 1);
	call_run(&claim); /* the owner again: the same answer */
	assert_int_equal(claim.got, R_OK);
	assert_int_equal(thing.moves, 1);
	claim.octets = SLICE_LIT("B");
	call_run(&claim);
	assert_int_equal(claim.got, R_CONFLICT);
	assert_int_equal(claim.bad, T_NONE);
	call_run(&drop);
	assert_int_equal(drop.got, R_OK);
	call_run(&drop);
	assert_int_equal(drop.got, R_NONE);
}

static const struct step *
send_one_number(struct call *call, struct task *t, const struct step *then)
{
	static const int64_t numbers[] = { 3, 4 };
	const struct param params[] = { P_INT8_ARRAY(numbers, 2) };

	return query_send(t, call->store, E_NUMBERS, params,
		ONE_ROW(number_columns, (struct number_row *)call->out), then);
}

static const struct step *
send_null(struct call *call, struct task *t, const struct step *then)
{
	const struct param params[] = { P_NULL(INT8), P_NULL(INT4), P_NULL(INT2), P_NULL(TEXT),
		P_NULL(BYTES), P_NULL(BOOL), P_NULL(TIME), P_NULL(UUID), P_NULL(JSON) };

	return query_send(t, call->store, E_ECHO, params,
		ONE_ROW(echo_columns, (struct echo *)call->out), then);
}

static const struct step *
send_division(struct call *call, struct task *t, const struct step *then)
{
	const struct param params[] = { P_INT4(0) };

	return query_send(t, call->store, E_DIVIDE, params, NO_ROWS, then);
}

static void
what_cannot_be_is_broken(void **state)
{
	struct number_row number;
	struct echo echo;
	struct call calls[] = { { .send = send_one_number, .store = store, .out = &number },
		{ .send = send_null, .store = store, .out = &echo },
		{ .send = send_division, .store = store } };

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		call_run(&calls[i]);
		assert_int_equal(calls[i].bad, T_BROKEN);
	}
}

static const struct step *
send_big(struct call *call, struct task *t, const struct step *then)
{
	static const struct column columns[] = { { "octets", KIND_BYTES, SHAPE_SLICE, 0 } };
	const struct param params[] = { P_INT4(call->number) };

	return query_send(
		t, call->store, E_BIG, params, ONE_ROW(columns, (struct slice *)call->out), then);
}

static void
rows_beyond_the_arena_end_the_task(void **state)
{
	struct slice octets;
	struct call call = { .send = send_big, .store = store, .number = 100000, .out = &octets };

	(void)state;
	call_start(&call, &narrow);
	run_until(call_is_done, &call);
	assert_int_equal(call.bad, T_NOMEM);
	call_run(&call);
	assert_int_equal(call.bad, T_NONE);
}

/* ---- serialisation failures ---- */

static const struct step *
send_fail_first(struct call *call, struct task *t, const struct step *then)
{
	const struct param params[] = { P_TEXT(call->octets), P_INT4(call->number) };

	return query_send(t, call->store, E_FAIL_FIRST, params, NO_ROWS, then);
}

static void
what_did_not_happen_is_repeated_once(void **state)
{
	static const struct {
		const char *code;
		int64_t times;
		enum trouble bad;
		long tries;
	} rows[] = {
		{ "40001", 1, T_NONE, 2 },
		{ "40P01", 1, T_NONE, 2 },
		{ "23505", 1, T_NONE, 2 },
		{ "40001", 2, T_BUSY, 2 },
		{ "0A000", 1, T_NONE, 2 },
		{ "25006", 1, T_NONE, 2 },
		{ "53200", 1, T_BUSY, 1 },
		{ "55P03", 1, T_BUSY, 1 },
		{ "23514", 1, T_BROKEN, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct call call = { .send = send_fail_first,
			.store = store,
			.number = rows[i].times,
			.octets = slice_text(rows[i].code) };

		sql("engine", "alter sequence tries restart");
		call_run(&call);
		assert_int_equal(call.bad, rows[i].bad);
		assert_int_equal(
			sql_number("engine", "select last_value from tries"), rows[i].tries);
	}
}

/* ---- queues, order, deadlines, lanes ---- */

struct nap {
	int32_t pid;
};
static const struct column nap_columns[] = { COL_INT4(struct nap, pid) };

static const struct step *
send_nap(struct call *call, struct task *t, const struct step *then)
{
	const struct param params[] = { P_INT4(call->number) };

	return query_send(t, call->store, call->number2 ? E_NAP_BACKGROUND : E_NAP, params,
		ONE_ROW(nap_columns, (struct nap *)call->out), then);
}

static void
a_full_queue_is_busy_at_once(void **state)
{
	struct store *s = store_start(1, 2);
	struct nap nap;
	struct call calls[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		calls[i] =
			(struct call){ .send = send_nap, .store = s, .number = 100, .out = &nap };
		call_start(&calls[i], &patient);
	}
	run_until(call_is_done, &calls[3]);
	assert_int_equal(calls[3].bad, T_BUSY);
	assert_false(calls[0].done);
	for (size_t i = 0; i < 3; i++) {
		run_until(call_is_done, &calls[i]);
		assert_int_equal(calls[i].bad, T_NONE);
		assert_true(i == 0 || calls[i].order > calls[i - 1].order);
	}
	store_stop(s);
}

/* One in flight and one in the queue are given up by their tasks; the connection serves the next. */
static void
an_abandoned_statement_touches_nobody(void **state)
{
	struct store *s = store_start(1, 10);
	struct nap *nap = malloc(sizeof *nap);
	struct call first = { .send = send_nap, .store = s, .number = 600, .out = nap };
	struct call second = { .send = send_nap, .store = s, .number = 600, .out = nap };
	struct nap later = { 0 };
	struct call last = { .send = send_nap, .store = s, .number = 0, .out = &later };

	(void)state;
	call_start(&first, &hasty);
	call_start(&second, &hasty);
	run_until(call_is_done, &first);
	run_until(call_is_done, &second);
	assert_int_equal(first.bad, T_LATE);
	assert_int_equal(second.bad, T_LATE);
	free(nap); /* as the task's memory would be */
	assert_false(store_idle(s));
	call_run(&last);
	assert_int_equal(last.bad, T_NONE);
	assert_true(later.pid > 0);
	store_stop(s);
}

static const struct step *
send_claim_slowly(struct call *call, struct task *t, const struct step *then)
{
	const struct param params[] = { P_INT8(call->number), P_BYTES(call->octets), P_INT4(500) };

	return query_send(t, call->store, E_THING_CLAIM_SLOWLY, params,
		ONE_ROW(claim_columns, (struct thing *)call->out), then);
}

static void
a_write_in_flight_outlives_the_deadline(void **state)
{
	struct thing thing;
	struct call call = { .send = send_claim_slowly,
		.store = store,
		.number = 40,
		.octets = SLICE_LIT("late"),
		.out = &thing };

	(void)state;
	call_start(&call, &hasty);
	run_until(call_is_done, &call);
	assert_int_equal(call.bad, T_LATE);
	assert_int_equal(loop_tasks_get(loop), 1); /* it waits on, to see that it was written */
	assert_int_equal(sql_number("engine", "select moves from thing where id = 40"), 0);
	run_until(is_idle, store);
	assert_int_equal(sql_number("engine", "select moves from thing where id = 40"), 1);
}

static void
the_background_has_its_own_connections(void **state)
{
	struct store *s = store_start(1, 10);
	struct nap nap;
	struct call slow = { .send = send_nap, .store = s, .number = 500, .out = &nap };
	struct call other = { .send = send_nap, .store = s, .number2 = 1, .out = &nap };

	(void)state;
	call_start(&slow, &patient);
	call_run(&other);
	assert_int_equal(other.bad, T_NONE);
	assert_false(slow.done);
	run_until(call_is_done, &slow);
	store_stop(s);
}

struct setting {
	struct slice value;
};
struct setting_look {
	struct setting setting;
	const char *value; /* that it ought to have */
};
static const struct column setting_columns[] = { COL_TEXT(struct setting, value) };

static const struct step *
send_setting(struct call *call, struct task *t, const struct step *then)
{
	const struct param params[] = { P_TEXT(call->octets) };

	return query_send(t, call->store, call->number ? E_SETTING_BACKGROUND : E_SETTING, params,
		ONE_ROW(setting_columns, &((struct setting_look *)call->out)->setting), then);
}

/* The value lies in the task's arena: it is looked at while that lives. */
static void
look_at_setting(struct call *call)
{
	const struct setting_look *look = call->out;

	call->number2 = slice_eq(look->setting.value, slice_text(look->value));
}

static bool
is_set(const char *name, const char *value, bool background)
{
	struct setting_look look = { .value = value };
	struct call call = { .send = send_setting,
		.look = look_at_setting,
		.store = store,
		.number = background,
		.octets = slice_text(name),
		.out = &look };

	call_run(&call);
	assert_int_equal(call.bad, T_NONE);
	return call.number2;
}

static void
plans_of_small_tables_do_for_large_ones(void **state)
{
	(void)state;
	assert_true(is_set("enable_seqscan", "off", false));
	assert_true(is_set("enable_seqscan", "on", true));
	assert_true(is_set("jit", "off", false));
	assert_true(is_set("jit", "off", true));
}

static void
online_statements_are_planned_once(void **state)
{
	(void)state;
	assert_true(is_set("plan_cache_mode", "force_generic_plan", false));
	assert_true(is_set("plan_cache_mode", "auto", true));
}

static void
many_tasks_move_each_thing_once(void **state)
{
	enum { TASKS = 2000, QUEUE = 2000 };
	struct store *s = store_start(8, QUEUE);
	struct call *calls = calloc(TASKS, sizeof *calls);
	struct thing *things = calloc(TASKS, sizeof *things);

	(void)state;
	sql("engine", "update thing set owner = null, moves = 0");
	for (size_t i = 0; i < TASKS; i++) {
		calls[i] = (struct call){ .send = send_claim,
			.store = s,
			.number = (int64_t)(i % 40) + 1,
			.octets = i % 3 ? SLICE_LIT("one") : SLICE_LIT("two"),
			.out = &things[i] };
		call_start(&calls[i], &patient);
	}
	run_until(is_idle, s);
	for (size_t i = 0; i < TASKS; i++) {
		assert_int_equal(calls[i].bad, T_NONE);
		assert_true(calls[i].got == R_CONFLICT || things[i].moves == 1);
	}
	assert_int_equal(sql_number("engine", "select sum(moves) from thing"), 40);
	store_stop(s);
	free(calls);
	free(things);
}

/* ---- notifications and statistics ---- */

static unsigned heard;

static void
on_heard(void *arg)
{
	(void)arg;
	heard++;
}

static bool
heard_enough(void *arg)
{
	return heard >= *(const unsigned *)arg;
}

static void
listeners_hear_others_and_themselves(void **state)
{
	struct store *s = store_start(1, 10);

	(void)state;
	heard = 0;
	store_listen(s, "news", on_heard, NULL);
	run_until(heard_enough, &(unsigned){ 1 }); /* the connection came up */
	assert_int_equal(heard, 1);
	sql("engine", "notify other");
	sql("engine", "notify news");
	run_until(heard_enough, &(unsigned){ 2 });
	store_notify(s, "news");
	run_until(heard_enough, &(unsigned){ 3 });
	assert_int_equal(heard, 3);
	store_stop(s);
}

/* One that is named when the connection is up already: it comes up anew, and both are heard. */
static void
a_channel_may_come_later(void **state)
{
	struct store *s = store_start(1, 10);

	(void)state;
	heard = 0;
	store_listen(s, "news", on_heard, NULL);
	run_until(heard_enough, &(unsigned){ 1 });
	store_listen(s, "later", on_heard, NULL);
	run_until(heard_enough, &(unsigned){ 3 }); /* each is told that the connection came up */
	assert_int_equal(heard, 3);
	sql("engine", "notify later");
	run_until(heard_enough, &(unsigned){ 4 });
	sql("engine", "notify news");
	run_until(heard_enough, &(unsigned){ 5 });
	assert_int_equal(heard, 5);
	store_stop(s);
}

static bool
said_often(void *arg)
{
	static unsigned times;

	store_notify(arg, "news");
	return ++times == 60;
}

/* However often it is said: once per 100 ms, and nothing that was said stays unsaid. */
static void
notifications_are_held_back(void **state)
{
	struct store *s = store_start(1, 10);
	int64_t began_us;

	(void)state;
	heard = 0;
	store_listen(s, "news", on_heard, NULL);
	run_until(heard_enough, &(unsigned){ 1 });
	began_us = clock_mono_us();
	run_until(said_often, s);
	run_until(is_idle, s);
	run_until(heard_enough, &(unsigned){ 3 });
	assert_in_range(heard - 1, 2, (clock_mono_us() - began_us) / 100000 + 1);
	store_notify(s, "news");
	assert_false(store_idle(s));
	store_drain(s);
	assert_false(s->listener.channels[0].pending); /* it left at once */
	run_until(is_idle, s);
	run_until(heard_enough, &(unsigned){ 4 });
	store_stop(s);
}

static void
find_errors(void *arg, const struct store_statement_view *v)
{
	struct store_statement_view *wanted = arg;

	if (!strcmp(v->name, wanted->name))
		*wanted = *v;
}

static void
find_online(void *arg, const struct store_lane_view *v)
{
	if (!strcmp(v->name, "online"))
		*(struct store_lane_view *)arg = *v;
}

static void
statements_and_lanes_are_counted(void **state)
{
	struct store *s = store_start(3, 10);
	struct call call = { .send = send_division, .store = s };
	struct store_statement_view statement = { .name = "divide" };
	struct store_lane_view lane = { 0 };

	(void)state;
	call_run(&call);
	call_run(&call);
	store_statements_each(s, find_errors, &statement);
	assert_int_equal(statement.count, 2);
	assert_int_equal(statement.errors, 2);
	store_lanes_each(s, find_online, &lane);
	assert_int_equal(lane.connections, 3);
	assert_in_range(lane.connected, 1, 3);
	assert_int_equal(lane.queued, 0);
	store_stop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_go_and_come_back),
		cmocka_unit_test(values_mean_what_they_say),
		cmocka_unit_test(rows_stop_at_the_maximum),
		cmocka_unit_test(arrays_go),
		cmocka_unit_test(zero_rows_mean_what_the_header_says),
		cmocka_unit_test(what_cannot_be_is_broken),
		cmocka_unit_test(rows_beyond_the_arena_end_the_task),
		cmocka_unit_test(what_did_not_happen_is_repeated_once),
		cmocka_unit_test(a_full_queue_is_busy_at_once),
		cmocka_unit_test(an_abandoned_statement_touches_nobody),
		cmocka_unit_test(a_write_in_flight_outlives_the_deadline),
		cmocka_unit_test(the_background_has_its_own_connections),
		cmocka_unit_test(plans_of_small_tables_do_for_large_ones),
		cmocka_unit_test(online_statements_are_planned_once),
		cmocka_unit_test(many_tasks_move_each_thing_once),
		cmocka_unit_test(listeners_hear_others_and_themselves),
		cmocka_unit_test(a_channel_may_come_later),
		cmocka_unit_test(notifications_are_held_back),
		cmocka_unit_test(statements_and_lanes_are_counted),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
