/* The storm over the work that nobody asks for, and the rhythm in which it begins anew. */
#include "dp/periodic.h"
#include "storm/dp_storm.h"

/* ---- each procedure alone --------------------------------------------------------------------------- */

static void
on_end(struct task *t)
{
	storm_end(t->bad ? UNWELL : SUCCEEDED, trouble_name(t->bad));
}

static void
start(const struct scene *s)
{
	struct task *t = task_new(stage.loop, s->procedure, NULL, on_end);

	assert_non_null(t);
	((struct dp_periodic_run *)t->state)->dp = &stage.dp;
	task_start(t, s->procedure->first);
}

#define SCENE(name, waits, procedure)                       \
	{                                                   \
		name, start, waits, &procedure, NULL, false \
	}
static const struct scene scenes[] = {
	SCENE("ExpireOrders", 2, dp_expire_orders),
	SCENE("SealAudit", 1, dp_seal_audit),
	SCENE("LoadDenied", 2, dp_load_denied),
	SCENE("WatchCertificates", 2, dp_watch_certificates),
	SCENE("WatchClones", 1, dp_watch_clones),
	SCENE("Housekeep", 9, dp_housekeep),
};

STORM_TESTS(stage.loop, scenes)

/* ---- the rhythm ------------------------------------------------------------------------------------- */

static unsigned runs;
static struct task *waiting;

#define STEPS(S) S(begin) S(finish)
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };
static const struct procedure work = { "Work", THEN(begin), THEN(finish), steps, 60000, 4096,
	sizeof(struct dp_periodic_run) };

static void
forget(void *arg)
{
	(void)arg;
	waiting = NULL;
}

static const struct step *
begin(struct task *t)
{
	runs++;
	waiting = t;
	return task_wait(t, THEN(finish), forget, NULL);
}

static const struct step *
finish(struct task *t)
{
	(void)t;
	waiting = NULL;
	FINISH;
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop(stage.loop);
}

/* Several beats of a period of a millisecond. */
static void
run_a_while(void)
{
	struct loop_timer *timer = loop_timer_new(stage.loop, 20, stop, NULL);

	loop_run(stage.loop);
	loop_timer_free(timer);
}

/* Until it has run so often; a slow machine takes its time. */
static void
run_until(unsigned times)
{
	for (int i = 0; i < 500 && runs < times; i++)
		run_a_while();
	assert_int_equal(runs, times);
}

static void
a_run_that_takes_long_is_not_overtaken(void **state)
{
	struct loop_periodic *p = dp_periodic_start(&stage.dp, &work, 1);

	(void)state;
	runs = 0;
	run_until(1);
	task_wake(waiting, R_OK, T_BUSY);
	run_until(2);
	task_wake(waiting, R_OK, T_NONE);
	loop_periodic_stop(p);
	script_play(stage.loop);
}

/* Who hurries it while it runs gets a run that began after that, without waiting for the period. */
static void
a_hurried_run_comes_behind_the_one_that_runs(void **state)
{
	struct loop_periodic *p = dp_periodic_start(&stage.dp, &work, 1000000);

	(void)state;
	runs = 0;
	loop_periodic_hurry(p);
	run_until(1);
	loop_periodic_hurry(p);
	loop_periodic_hurry(p);
	run_a_while();
	assert_int_equal(runs, 1);
	task_wake(waiting, R_OK, T_NONE);
	run_until(2);
	task_wake(waiting, R_OK, T_NONE);
	run_a_while();
	assert_int_equal(runs, 2);
	loop_periodic_stop(p);
	script_play(stage.loop);
}

/* Its answer comes when the deadline has passed long ago: it is one run all the same. */
static void
a_run_past_its_deadline_is_not_overtaken(void **state)
{
	struct loop_periodic *p = dp_periodic_start(&stage.dp, &work, 1);

	(void)state;
	runs = 0;
	run_until(1);
	waiting->writing = true;
	event_active(((struct running *)waiting)->deadline, EV_TIMEOUT, 0);
	run_a_while();
	assert_int_equal(runs, 1);
	assert_int_equal(loop_tasks_get(stage.loop), 1);
	task_wake(waiting, R_OK, T_NONE);
	loop_periodic_stop(p);
	script_play(stage.loop);
}

static void
a_run_outlives_the_stop(void **state)
{
	struct loop_periodic *p = dp_periodic_start(&stage.dp, &work, 1);

	(void)state;
	runs = 0;
	run_until(1);
	loop_periodic_stop(p);
	task_wake(waiting, R_OK, T_NONE);
	script_play(stage.loop);
	assert_int_equal(loop_tasks_get(stage.loop), 0);
	run_a_while();
	assert_int_equal(runs, 1);
}

static void
without_room_for_a_task_the_next_beat_tries_again(void **state)
{
	struct loop_periodic *p;

	(void)state;
	runs = 0;
	loop_limits_set(stage.loop, &(struct loop_limits){ .tasks = 0 });
	p = dp_periodic_start(&stage.dp, &work, 1);
	run_a_while();
	assert_int_equal(runs, 0);
	loop_limits_set(stage.loop, &(struct loop_limits){ .tasks = 10 });
	run_until(1);
	task_wake(waiting, R_OK, T_NONE);
	loop_periodic_stop(p);
	script_play(stage.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORM_RUN,
		STORM_TEST(a_run_that_takes_long_is_not_overtaken),
		STORM_TEST(a_hurried_run_comes_behind_the_one_that_runs),
		STORM_TEST(a_run_past_its_deadline_is_not_overtaken),
		STORM_TEST(a_run_outlives_the_stop),
		STORM_TEST(without_room_for_a_task_the_next_beat_tries_again),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dp_periodic_storm", tests, NULL, NULL);
}
