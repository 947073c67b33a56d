/* The storm over the delivery of events, from the look for what is due to the record; and who may take off. */
#include "outbox/int.h"
#include "peer/peer.h"
#include "storm/call_script.h"
#include "storm/storm.h"

enum { KEPT = 1 << 20, ROUND = 10000 };

static struct {
	struct loop *loop;
	struct outbox box;
	struct store_due due[16];
	size_t due_n;
	void (*held)(void *arg, bool is_held);
} stage;

/* ---- in place of the store's engine ----------------------------------------------------------------- */

void
store_told_set(struct store *s, void (*told)(void *arg), void *arg)
{
	(void)s;
	(void)told;
	(void)arg;
}

void
store_listen(struct store *s, const char *channel, void (*heard)(void *arg), void *arg)
{
	(void)s;
	(void)channel;
	(void)heard;
	(void)arg;
}

void
store_hold(struct store *s, struct slice owner, void (*held)(void *arg, bool is_held), void *arg)
{
	(void)s;
	(void)arg;
	assert_int_equal(owner.n, 16);
	stage.held = held;
}

void
store_notify(struct store *s, const char *channel)
{
	(void)s;
	(void)channel;
}

static void
write_row(unsigned query, const struct want *want)
{
	static const struct store_lag lags[] = {
		{ 1, SLICE_LIT("es2"), SLICE_LIT("acme"), false, 3, 1, 1 },
		{ 2, SLICE_LIT("es12"), SLICE_LIT("ds.example.org"), true, 0, 0, STORE_NULL },
	};

	switch (query) {
	case Q_OUTBOX_LAG:
		*want->rows = (struct rows){ lags, 2, false };
		break;
	case Q_OUTBOX_FORGET: /* the first time there is more */
		((struct store_owed_swept *)want->row)->swept = script.waits == 2 ? ROUND : 1;
		break;
	case Q_OUTBOX_DUE:
		*want->rows = (struct rows){ stage.due, stage.due_n, false };
		break;
	default:
		break; /* what the others return is not read, or fine as zero */
	}
}

/* ---- the stage -------------------------------------------------------------------------------------- */

static void
drop_nothing(void *owner)
{
	(void)owner;
}

static int
stage_setup(void **state)
{
	static const struct peer_settings settings = { .requester = "2.999.10",
		.server_address = "smdp.example.org",
		.call_ms = 1000,
		.clients = { { "main", NULL } },
		.client_n = 1,
		.drop = drop_nothing };

	(void)state;
	memset(&stage, 0, sizeof stage);
	memset(&script, 0, sizeof script);
	memset(&call_script, 0, sizeof call_script);
	script.write = write_row;
	stage.loop = loop_new(&(struct loop_limits){ .tasks = 32 });
	stage.box = (struct outbox){ .loop = stage.loop,
		.peer = peer_new(stage.loop, 4),
		.settings = { .in_flight = 4, .call_ms = 1000, .lease_ms = 5000, .keep_s = 1 },
		.held = true };
	peer_settings_set(stage.box.peer, &settings, 4);
	arena_init(&stage.box.lags_mem, KEPT, NULL, NULL);
	return 0;
}

static int
stage_teardown(void **state)
{
	(void)state;
	assert_int_equal(loop_tasks_get(stage.loop), 0);
	assert_int_equal(stage.box.flying, 0);
	assert_false(stage.box.looking || stage.box.measuring || stage.box.sweeping);
	loop_timer_free(stage.box.soon);
	outbox_measure_fini(&stage.box);
	peer_free(stage.box.peer);
	loop_free(stage.loop);
	return 0;
}

/* ---- each procedure alone --------------------------------------------------------------------------- */

static void
on_end(struct task *t)
{
	storm_end(t->bad ? UNWELL : SUCCEEDED, trouble_name(t->bad));
}

/* Nobody asks how work of the outbox ended, but for the storm. */
static void
watch_newest(void)
{
	assert_non_null(stage.loop->newest);
	stage.loop->newest->end = on_end;
}

static void
start_measure(const struct scene *s)
{
	(void)s;
	outbox_measure(&stage.box);
	watch_newest();
}

static void
start_sweep(const struct scene *s)
{
	(void)s;
	outbox_sweep(&stage.box);
	watch_newest();
}

static void
start_look(const struct scene *s)
{
	(void)s;
	outbox_find(&stage.box);
	watch_newest();
}

static void
start_release(const struct scene *s)
{
	(void)s;
	stage.box.stopping = stage.box.released = false;
	outbox_stop(&stage.box);
	watch_newest();
}

static struct store_due
due_of(const char *kind, const char *type, int64_t payer, const char *key)
{
	return (struct store_due){ .subscriber_id = payer,
		.payer = payer,
		.token = 1,
		.outbox_id = 1,
		.kind = slice_text(kind),
		.name = SLICE_LIT("acme"),
		.address = SLICE_LIT("ds.example.org"),
		.order_key = slice_text(key),
		.event_id = SLICE_LIT("0123456789abcdef"),
		.seq = 3,
		.type = slice_text(type),
		.data = SLICE_LIT("{\"iccid\": \"8949000000000000001\", \"eid\": "
				  "\"89049032123451234512345678901235\", \"matchingId\": \"M-1\"}"),
		.gap_seq = STORE_NULL };
}

static void
start_delivery(struct store_due due, unsigned status, const char *body)
{
	stage.box.stopping = stage.box.released = true; /* no look comes behind it */
	call_script.answer = (struct https_reply){ .status = status, .body = slice_text(body) };
	assert_true(outbox_deliver(&stage.box, &due));
	watch_newest();
}

static void
start_progress(const struct scene *s)
{
	(void)s;
	start_delivery(due_of("es2", "es2.progress", 1, "8949000000000000001"), 204, "");
}

static void
start_event(const struct scene *s)
{
	start_delivery(due_of("es12", s->name, -2, "E/M-1"), 200,
		"{\"header\": {\"functionExecutionStatus\": {\"status\": \"Executed-Success\"}}}");
}

/* Told for the tenth time: what fails now is a dead letter. */
static void
start_last_try(const struct scene *s)
{
	struct store_due due = due_of("es2", "es2.progress", 1, "8949000000000000001");

	(void)s;
	due.attempts = 9;
	due.gap_seq = 1;
	start_delivery(due, 204, "");
}

static void
start_needless(const struct scene *s)
{
	struct store_due due = due_of("es12", "es12.delete", -2, "E/M-1");

	(void)s;
	due.needless = true;
	start_delivery(due, 500, "");
}

#define SCENE(name, start, waits)                     \
	{                                             \
		name, start, waits, NULL, NULL, false \
	}
static const struct scene scenes[] = {
	SCENE("MeasureLag", start_measure, 1),
	SCENE("SweepDeliveries", start_sweep, 3),
	SCENE("FindDeliveries", start_look, 2),
	SCENE("es2.progress", start_progress, 2),
	SCENE("es12.register", start_event, 2),
	SCENE("es12.delete", start_event, 2),
	SCENE("the last try", start_last_try, 2),
	SCENE("needless", start_needless, 1),
	SCENE("ReleaseLeases", start_release, 1),
};

STORM_TESTS(stage.loop, scenes)

/* ---- the engine as it is started -------------------------------------------------------------------- */

static struct outbox *engine;

static void
stop(void *arg)
{
	(void)arg;
	loop_stop(stage.loop);
}

/* Longer than news are waited for, shorter than the pulse. */
static void
run_a_while(void)
{
	struct loop_timer *timer = loop_timer_new(stage.loop, 50, stop, NULL);

	loop_run(stage.loop);
	loop_timer_free(timer);
}

static int
start_engine(void **state)
{
	stage_setup(state);
	engine = outbox_start(stage.loop, NULL, stage.box.peer, &stage.box.settings);
	assert_non_null(stage.held);
	run_a_while();
	return 0;
}

static int
stop_engine(void **state)
{
	stage.held(engine, false);
	outbox_stop(engine);
	run_a_while();
	assert_int_equal(engine->flying, 0);
	outbox_free(engine);
	return stage_teardown(state);
}

static void
look(void)
{
	outbox_find(engine);
	run_a_while();
}

static void
owe(int64_t payer)
{
	stage.due[stage.due_n++] = due_of("es2", "es2.progress", payer, "8949000000000000001");
}

static unsigned
flying(int64_t payer)
{
	const struct flight *f;
	unsigned n = 0;

	LIST_FOREACH(f, &engine->flights, place)
	n += f->payer == payer;
	return n;
}

/* At the start it measures and sweeps, and looks for what is due with the lock and not before. */
static void
an_engine_waits_for_its_lock(void **state)
{
	(void)state;
	assert_int_equal(script.waits, 3);
	look();
	assert_int_equal(script.waits, 3);
	stage.held(engine, true);
	run_a_while();
	assert_true(script.waits > 3);
}

/* Whoever wants all gets half of it, the next one half of the rest, and one is free for the third. */
static void
servers_that_hang_leave_room(void **state)
{
	(void)state;
	call_script.parked = true;
	stage.held(engine, true);
	for (int i = 0; i < 5; i++)
		owe(1);
	look();
	assert_int_equal(flying(1), 2);
	for (int i = 0; i < 5; i++)
		owe(2);
	look();
	assert_int_equal(flying(1), 2);
	assert_int_equal(flying(2), 1);
	owe(3);
	look();
	assert_int_equal(flying(3), 1);
	assert_int_equal(engine->flying, 4);
}

/* All calls end with the lock, none begins without it; with it again all begins anew. */
static void
without_the_lock_nobody_is_called(void **state)
{
	unsigned calls;

	servers_that_hang_leave_room(state);
	calls = call_script.calls;
	stage.held(engine, false);
	look();
	assert_int_equal(engine->flying, 0);
	assert_int_equal(script.abandoned, 4);
	assert_int_equal(call_script.calls, calls);
	stage.held(engine, true);
	run_a_while();
	assert_true(call_script.calls > calls);
}

/* What was answered already is recorded: its token says whether it counts. */
static void
what_was_told_is_recorded_without_the_lock(void **state)
{
	struct outbox_settings one = engine->settings;
	struct task *t;

	(void)state;
	one.in_flight = 1;
	outbox_settings_set(engine, &one);
	call_script.parked = true;
	call_script.answer.status = 204;
	stage.held(engine, true);
	owe(1);
	look();
	t = LIST_FIRST(&engine->flights)->task;
	stage.due_n = 0;
	task_wake(t, R_OK, T_NONE);
	stage.held(engine, false);
	script.waits = 0;
	run_a_while();
	assert_int_equal(script.waits, 1);
	assert_int_equal(script.abandoned, 0);
}

static void
what_is_needless_is_not_called(void **state)
{
	(void)state;
	stage.held(engine, true);
	owe(1);
	stage.due[0].needless = true;
	look();
	assert_int_equal(call_script.calls, 0);
}

int
main(void)
{
#define WITH_ENGINE(name) cmocka_unit_test_setup_teardown(name, start_engine, stop_engine)
	const struct CMUnitTest tests[] = {
		STORM_RUN,
		WITH_ENGINE(an_engine_waits_for_its_lock),
		WITH_ENGINE(servers_that_hang_leave_room),
		WITH_ENGINE(without_the_lock_nobody_is_called),
		WITH_ENGINE(what_was_told_is_recorded_without_the_lock),
		WITH_ENGINE(what_is_needless_is_not_called),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("outbox_storm", tests, NULL, NULL);
}
