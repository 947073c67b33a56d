/*
 * Places of loads under a clock that the test moves: who gets one, who waits, who gives his up and why, and who
 * is told that there is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/clock.h"
#include "dp/load_places.h"
#include "dp/orders.h"
#include "loop/loop.h"

enum { LOADS = DP_LOADS + 3 };

static int64_t now_us = 1000000000;
static struct loop *loop;
static struct dp dp;
static struct dp_load_places places;

/* This program's clock. */
int64_t
clock_mono_us(void)
{
	return now_us;
}

int64_t
clock_wall_us(void)
{
	return now_us;
}

/* A load: asks for a place, then waits for its rows until it is stopped or let go. */
#define STEPS(S) S(ask) S(take) S(read_rows) S(go)
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

enum standing { ASKING, HELD, NO_PLACE, GONE };

struct load {
	struct dp_load_place place;
	int number;
};

static struct {
	struct task *task;
	struct dp_rows rows;
	enum standing standing;
	bool stopped;
} load[LOADS];

static const struct procedure procedure = { "Load", THEN(ask), NULL, steps, 3600 * 1000 * 24, 65536,
	sizeof(struct load) };

static void
stop(struct dp_rows *rows, struct task *t)
{
	const struct load *c = t->state;

	assert_ptr_equal(rows, &load[c->number].rows);
	load[c->number].stopped = true;
	task_wake(t, R_OK, T_NONE);
}

static const struct step *
ask(struct task *t)
{
	struct load *c = t->state;

	return dp_load_place_find(
		t, &dp, &c->place, slice_text(c->number ? "b.csv" : "a.csv"), THEN(take));
}

static const struct step *
take(struct task *t)
{
	struct load *c = t->state;

	load[c->number].standing = t->got == R_OK ? HELD : NO_PLACE;
	if (t->got != R_OK)
		FINISH;
	GO(read_rows);
}

static void
nobody(void *arg)
{
	(void)arg;
}

static const struct step *
read_rows(struct task *t)
{
	struct load *c = t->state;

	dp_load_place_pause(&c->place, &load[c->number].rows);
	return task_wait(t, THEN(go), nobody, NULL);
}

static const struct step *
go(struct task *t)
{
	struct load *c = t->state;

	assert_int_equal(c->place.given_up, load[c->number].stopped);
	load[c->number].standing = GONE;
	FINISH;
}

static void
on_end(struct task *t)
{
	load[((struct load *)t->state)->number].task = NULL;
}

static void
stop_loop(void *arg)
{
	loop_stop(arg);
}

/* What is due is done; the timer of those that wait fires at least once. */
static void
turn(void)
{
	struct loop_timer *timer = loop_timer_new(loop, 600, stop_loop, loop);

	loop_run(loop);
	loop_timer_free(timer);
}

static void
begin(int number)
{
	struct task *t = task_new(loop, &procedure, NULL, on_end);

	load[number].task = t;
	load[number].rows.stop = stop;
	((struct load *)t->state)->number = number;
	task_start(t, THEN(ask));
	turn();
}

/* So many rows have come; it waits for the next at once. */
static void
bring(int number, int64_t rows)
{
	struct load *c = load[number].task->state;

	dp_load_place_resume(&c->place, rows);
	dp_load_place_pause(&c->place, &load[number].rows);
}

static void
end(int number)
{
	task_wake(load[number].task, R_OK, T_NONE);
	turn();
}

static void
pass(int64_t seconds)
{
	now_us += seconds * 1000000;
}

static int
setup(void **state)
{
	(void)state;
	memset(load, 0, sizeof load);
	memset(&places, 0, sizeof places);
	loop = loop_new(&(struct loop_limits){ 100 });
	dp = (struct dp){ .loop = loop, .loads = &places };
	for (int i = 0; i < DP_LOADS; i++)
		begin(i);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (int i = 0; i < LOADS; i++)
		if (load[i].task)
			end(i);
	assert_int_equal(loop_tasks_get(loop), 0);
	dp_load_places_fini(&places);
	loop_free(loop);
	return 0;
}

static void
so_many_have_places(void **state)
{
	struct arena mem;

	(void)state;
	for (int i = 0; i < DP_LOADS; i++)
		assert_int_equal(load[i].standing, HELD);
	arena_init(&mem, 4096, NULL, NULL);
	assert_string_equal(dp_load_places_name(&mem, &places), "a.csv, b.csv, b.csv, b.csv");
	arena_fini(&mem);
	begin(DP_LOADS);
	assert_int_equal(load[DP_LOADS].standing, ASKING);
}

static void
who_waits_follows_who_ends_in_order(void **state)
{
	(void)state;
	begin(DP_LOADS);
	begin(DP_LOADS + 1);
	end(2);
	assert_int_equal(load[DP_LOADS].standing, HELD);
	assert_int_equal(load[DP_LOADS + 1].standing, ASKING);
	end(0);
	assert_int_equal(load[DP_LOADS + 1].standing, HELD);
}

/* Slow is nobody's business as long as there is room. */
static void
nobody_gives_up_for_nobody(void **state)
{
	(void)state;
	end(3);
	pass(DP_LOAD_SLOW_S + 1);
	begin(DP_LOADS);
	turn();
	assert_int_equal(load[DP_LOADS].standing, HELD);
	for (int i = 0; i < 3; i++)
		assert_false(load[i].stopped);
}

static void
the_slowest_gives_up_for_one_that_waits(void **state)
{
	(void)state;
	pass(DP_LOAD_PACE_S);
	bring(0, DP_LOAD_PACE_ROWS);
	bring(2, DP_LOAD_PACE_ROWS);
	pass(1);
	bring(1, DP_LOAD_PACE_ROWS - 1);
	begin(DP_LOADS);
	turn();
	assert_true(load[1].stopped != load[3].stopped);
	assert_false(load[0].stopped || load[2].stopped);
	assert_int_equal(load[DP_LOADS].standing, HELD);
}

static void
one_gives_up_for_each_that_waits(void **state)
{
	(void)state;
	pass(DP_LOAD_PACE_S);
	begin(DP_LOADS);
	begin(DP_LOADS + 1);
	turn();
	assert_int_equal(load[0].stopped + load[1].stopped + load[2].stopped + load[3].stopped, 2);
	assert_int_equal(load[DP_LOADS + 1].standing, HELD);
}

/* What the database takes is not held against a load. */
static void
work_is_not_waiting(void **state)
{
	(void)state;
	for (int i = 0; i < DP_LOADS; i++)
		dp_load_place_resume(&((struct load *)load[i].task->state)->place, 1);
	pass(DP_LOAD_PACE_S * 10);
	for (int i = 0; i < DP_LOADS; i++)
		bring(i, 2);
	begin(DP_LOADS);
	turn();
	assert_int_equal(load[DP_LOADS].standing, ASKING);
	/* A little silence at a time adds up. */
	for (int n = 3; n < 3 + DP_LOAD_PACE_S - 1; n++) {
		pass(1);
		bring(0, n);
		bring(1, n * DP_LOAD_PACE_ROWS);
	}
	turn();
	assert_int_equal(load[DP_LOADS].standing, ASKING);
	pass(1);
	turn();
	assert_true(load[0].stopped || load[2].stopped || load[3].stopped);
	assert_false(load[1].stopped);
}

static void
an_hour_is_enough_for_anybody(void **state)
{
	(void)state;
	for (int64_t n = 1; n <= DP_LOAD_SLOW_S / 5; n++) {
		pass(5);
		for (int i = 0; i < DP_LOADS; i++)
			bring(i, n * DP_LOAD_PACE_ROWS);
	}
	begin(DP_LOADS);
	turn();
	assert_int_equal(load[DP_LOADS].standing, HELD);
}

static void
there_may_be_none_in_time(void **state)
{
	int64_t rows = 0;

	(void)state;
	begin(DP_LOADS);
	for (int n = 0; n < DP_LOAD_WAIT_S; n++) {
		assert_int_equal(load[DP_LOADS].standing, ASKING);
		pass(1);
		rows += DP_LOAD_PACE_ROWS;
		for (int i = 0; i < DP_LOADS; i++)
			bring(i, rows);
		turn();
	}
	assert_int_equal(load[DP_LOADS].standing, NO_PLACE);
	for (int i = 0; i < DP_LOADS; i++)
		assert_false(load[i].stopped);
	/* It left no trace: the next place is the next one's. */
	begin(DP_LOADS + 1);
	end(0);
	assert_int_equal(load[DP_LOADS + 1].standing, HELD);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(so_many_have_places),
		TEST(who_waits_follows_who_ends_in_order),
		TEST(nobody_gives_up_for_nobody),
		TEST(the_slowest_gives_up_for_one_that_waits),
		TEST(one_gives_up_for_each_that_waits),
		TEST(work_is_not_waiting),
		TEST(an_hour_is_enough_for_anybody),
		TEST(there_may_be_none_in_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dp_load_places", tests, NULL, NULL);
}
