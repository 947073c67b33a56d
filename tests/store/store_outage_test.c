/* The engine while its database is unwell: backends killed under statements, the server gone and back. */
#include "harness.h"
#include <sys/socket.h>
#include "store-engine/queries.c"
#include "store-engine/queries.h"

static struct store *store;

static int
set_up(void **state)
{
	struct store_settings settings;
	char words[STORE_WORDS];

	harness_start(state);
	database_new("outage");
	settings = (struct store_settings){ conninfo_of("outage"), 2, 1, 100 };
	assert_int_equal(store_migrate_of(&settings, &engine_catalog, NULL, words), STORE_CURRENT);
	store = store_new_of(loop, &settings, &engine_catalog);
	run_until(is_ready, store);
	return 0;
}

static int
tear_down(void **state)
{
	run_until(is_idle, store);
	store_free(store);
	return harness_stop(state);
}

static void
see_online(void *arg, const struct store_lane_view *v)
{
	if (!strcmp(v->name, "online"))
		*(struct store_lane_view *)arg = *v;
}

static struct store_lane_view
online(void)
{
	struct store_lane_view view = { 0 };

	store_lanes_each(store, see_online, &view);
	return view;
}

static bool
is_in_flight(void *arg)
{
	(void)arg;
	return online().busy == 1;
}

static bool
all_are_up(void *arg)
{
	(void)arg;
	return online().connected == 2;
}

struct number {
	int32_t pid, moves;
};
static const struct column nap_columns[] = { COL_INT4(struct number, pid) };
static const struct column claim_columns[] = { COL_INT4(struct number, moves) };

static const struct step *
send_nap(struct call *call, struct task *t, const struct step *then)
{
	const struct param params[] = { P_INT4(call->number) };

	return query_send(t, call->store, E_NAP, params,
		ONE_ROW(nap_columns, (struct number *)call->out), then);
}

static const struct step *
send_claim(struct call *call, struct task *t, const struct step *then)
{
	const struct param slow[] = { P_INT8(call->number), P_BYTES(call->octets),
		P_INT4(call->number2) };
	const struct param params[] = { P_INT8(call->number), P_BYTES(call->octets) };

	if (call->number2)
		return query_send(t, call->store, E_THING_CLAIM_SLOWLY, slow,
			ONE_ROW(claim_columns, (struct number *)call->out), then);
	return query_send(t, call->store, E_THING_CLAIM, params,
		ONE_ROW(claim_columns, (struct number *)call->out), then);
}

/* Waits until the backend is at it, and ends that. */
static void
kill_sleeper(void)
{
	run_until(is_in_flight, NULL);
	while (sql_number("outage",
		       "select count(pg_terminate_backend(pid)) from pg_stat_activity"
		       " where wait_event = 'PgSleep'") == 0)
		;
}

/* Kills each backend that takes the statement up, `times` times. */
static void
run_with_kills(struct call *call, unsigned times)
{
	uint64_t lost = online().lost;

	run_until(all_are_up, NULL);
	call_start(call, &patient);
	for (unsigned i = 0; i < times; i++) {
		kill_sleeper();
		while (online().lost == lost + i)
			event_base_loop(loop_base_get(loop), EVLOOP_ONCE);
	}
	run_until(call_is_done, call);
}

static void
a_killed_read_is_repeated(void **state)
{
	struct number out = { 0 };
	struct call call = { .send = send_nap, .store = store, .number = 300, .out = &out };

	(void)state;
	run_with_kills(&call, 1);
	assert_int_equal(call.bad, T_NONE);
	assert_true(out.pid > 0);
	run_with_kills(&call, 2);
	assert_int_equal(call.bad, T_BUSY);
}

static void
a_killed_write_is_repeated_once_then_unsure(void **state)
{
	struct number out = { 0 };
	struct call call = { .send = send_claim,
		.store = store,
		.number = 1,
		.number2 = 300,
		.octets = SLICE_LIT("me"),
		.out = &out };

	(void)state;
	run_with_kills(&call, 1);
	assert_int_equal(call.bad, T_NONE);
	assert_int_equal(out.moves, 1);
	assert_int_equal(sql_number("outage", "select moves from thing where id = 1"), 1);
	call.number = 2;
	run_with_kills(&call, 2);
	assert_int_equal(call.bad, T_UNSURE);
	assert_int_equal(sql_number("outage", "select moves from thing where id = 2"), 0);
}

static struct conn *
find_busy(void)
{
	struct lane *l = &store->lanes[LANE_ONLINE];

	for (unsigned i = 0; i < l->conn_count; i++)
		if (l->conns[i].state == CONN_BUSY)
			return &l->conns[i];
	return NULL;
}

/* Committed, but the answer is lost: the repetition gets the first one's answer and moves nothing. */
static void
a_committed_write_is_recognised(void **state)
{
	struct number out = { 0 };
	struct call call = { .send = send_claim,
		.store = store,
		.number = 3,
		.octets = SLICE_LIT("me"),
		.out = &out };
	uint64_t repeated = online().repeated;
	char answer[4096];

	(void)state;
	run_until(all_are_up, NULL);
	call_start(&call, &patient);
	event_base_loop(loop_base_get(loop), EVLOOP_ONCE); /* the task runs, the statement leaves */
	assert_non_null(find_busy());
	while (sql_number("outage", "select moves from thing where id = 3") == 0)
		;
	assert_true(recv(PQsocket(find_busy()->pg), answer, sizeof answer, 0) > 0);
	shutdown(PQsocket(find_busy()->pg), SHUT_RDWR);
	run_until(call_is_done, &call);
	assert_int_equal(call.bad, T_NONE);
	assert_int_equal(call.got, R_OK);
	assert_int_equal(out.moves, 1);
	assert_int_equal(online().repeated, repeated + 1);
	assert_int_equal(sql_number("outage", "select moves from thing where id = 3"), 1);
}

static bool
is_down(void *arg)
{
	return !store_ready(arg);
}

static void
a_stopped_server_is_busy_until_it_is_back(void **state)
{
	struct number out = { 0 };
	struct call write = { .send = send_claim,
		.store = store,
		.number = 4,
		.number2 = 5000,
		.octets = SLICE_LIT("me"),
		.out = &out };
	struct call queued = { .send = send_nap, .store = store, .out = &out };
	struct call later = queued;

	(void)state;
	run_until(all_are_up, NULL);
	call_start(&write, &patient);
	run_until(is_in_flight, NULL);
	cluster_stop();
	run_until(is_down, store);
	call_start(&queued, &patient); /* waits a moment for the server to come back */
	run_until(call_is_done, &queued);
	assert_int_equal(queued.bad, T_BUSY);
	run_until(call_is_done, &write);
	assert_int_equal(write.bad, T_UNSURE);
	call_run(&later); /* at once */
	assert_int_equal(later.bad, T_BUSY);
	cluster_start();
	run_until(is_ready, store);
	call_run(&later);
	assert_int_equal(later.bad, T_NONE);
}

static unsigned heard;

static void
on_heard(void *arg)
{
	(void)arg;
	heard++;
}

static bool
heard_as_often(void *arg)
{
	return heard >= *(const unsigned *)arg;
}

/* What was said while the connection was down may be lost, so its return counts as news. */
static void
a_listener_that_was_away_is_told(void **state)
{
	char text[80];

	(void)state;
	store_listen(store, "news", on_heard, NULL);
	run_until(heard_as_often, &(unsigned){ 1 });
	snprintf(text, sizeof text, "select pg_terminate_backend(%d)",
		PQbackendPID(store->listener.conn.pg));
	sql("outage", text);
	run_until(heard_as_often, &(unsigned){ 2 });
	sql("outage", "notify news");
	run_until(heard_as_often, &(unsigned){ 3 });
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_read_is_repeated),
		cmocka_unit_test(a_killed_write_is_repeated_once_then_unsure),
		cmocka_unit_test(a_committed_write_is_recognised),
		cmocka_unit_test(a_stopped_server_is_busy_until_it_is_back),
		cmocka_unit_test(a_listener_that_was_away_is_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
