/*
 * The storm over the start of a world: its sets are numbered, or it is given up, and then it is gone. One
 * `done` each time, the world before it stays until the next has taken its place.
 */
#include "storm/dp_stage.h"
#include "storm/storm.h"

static struct dp dp;
static unsigned made, dropped;

/* A world with the stage's keys and certificates, on the heap so that a late touch is seen. */
static struct dp_world *
world_new(void)
{
	struct dp_world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	*w = stage.world;
	for (size_t i = 0; i < w->set_count; i++)
		w->sets[i].number = 0;
	w->owner = w;
	made++;
	return w;
}

static void
drop(void *world)
{
	dropped++;
	free(world);
}

static void
on_done(void *arg, bool ok)
{
	assert_ptr_equal(arg, &dp);
	storm_end(ok ? SUCCEEDED : UNWELL, NULL);
}

static void
start(const struct scene *s)
{
	struct dp_world *w = world_new();

	(void)s;
	w->references = 1;
	w->drop = drop;
	dp.loop = stage.loop;
	dp_world_start(&dp, w, on_done, &dp);
}

static const struct scene scenes[] = { { "NumberCredentialSets", start, 1, NULL, NULL, false } };

STORM_TESTS(stage.loop, scenes)

static int
setup(void **state)
{
	made = dropped = 0;
	memset(&dp, 0, sizeof dp);
	return stage_setup(state);
}

static int
teardown(void **state)
{
	dp_world_release(dp.world);
	assert_int_equal(made, dropped);
	return stage_teardown(state);
}

static void
numbers_that_another_instance_makes_are_asked_for_again(void **state)
{
	(void)state;
	script_clear();
	script.outcomes[1] = script.outcomes[2] = NO_ROW;
	storm_play(stage.loop, scenes, 0);
	storm_must_be(scenes, SUCCEEDED);
	assert_int_equal(script.waits, 3);
	assert_int_equal(dp.world->sets[0].number, 1);
}

static void
numbers_that_never_come_are_given_up(void **state)
{
	(void)state;
	script_clear();
	for (int i = 1; i <= SCRIPT_WAITS; i++)
		script.outcomes[i] = NO_ROW;
	storm_play(stage.loop, scenes, 0);
	storm_must_be(scenes, UNWELL);
	assert_int_equal(script.waits, 8);
	assert_null(dp.world);
	assert_int_equal(dropped, 1);
}

static void
without_room_for_a_task_the_world_is_given_up(void **state)
{
	(void)state;
	loop_limits_set(stage.loop, &(struct loop_limits){ .tasks = 0 });
	storm_play(stage.loop, scenes, 0);
	storm_must_be(scenes, UNWELL);
	assert_int_equal(script.waits, 0);
	assert_int_equal(dropped, 1);
}

/* However often the same is read again: the former one at most still stands beside the new one. */
static void
reloads_do_not_pile_up(void **state)
{
	(void)state;
	script_clear();
	for (unsigned i = 1; i <= 4; i++) {
		storm_play(stage.loop, scenes, 0);
		storm_must_be(scenes, SUCCEEDED);
		assert_in_range(made - dropped, 1, 2);
	}
}

/* A reload that fails leaves what stands. */
static void
a_world_that_fails_changes_nothing(void **state)
{
	struct dp_world *before;

	(void)state;
	script_clear();
	storm_play(stage.loop, scenes, 0);
	before = dp.world;
	script.outcomes[1] = BROKEN;
	storm_play(stage.loop, scenes, 0);
	storm_must_be(scenes, UNWELL);
	assert_ptr_equal(dp.world, before);
	assert_int_equal(dropped, 1);
}

int
main(void)
{
#undef STORM_TEST
#define STORM_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		STORM_RUN,
		STORM_TEST(numbers_that_another_instance_makes_are_asked_for_again),
		STORM_TEST(numbers_that_never_come_are_given_up),
		STORM_TEST(without_room_for_a_task_the_world_is_given_up),
		STORM_TEST(reloads_do_not_pile_up),
		STORM_TEST(a_world_that_fails_changes_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dp_world_storm", tests, NULL, NULL);
}
