/* The task runner: order of steps, waits, refusals, trouble, deadlines, a full arena, the cap of tasks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "loop/loop.h"
#include "loop/task.h"

static struct loop *loop;
static char story[256];
static struct task *parked;
static unsigned abandoned, ended;
static enum trouble last_trouble;
static const struct refusal *last_refusal;

static const struct refusal NO = { "NO", LOG_INFO, "no" };

#define STEPS(S) S(one) S(two) S(three) S(refuse)
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

enum { PARK, REFUSE, EAT_MEMORY, WRITE, STRAIGHT };
struct state {
	int what;
};

static void
tell(const char *word)
{
	strcat(strcat(story, word), " ");
}

static void
on_abandon(void *arg)
{
	(void)arg;
	abandoned++;
}

static const struct step *
one(struct task *t)
{
	struct state *s = t->state;

	tell("one");
	switch (s->what) {
	case REFUSE:
		return task_refuse(t, &NO);
	case EAT_MEMORY:
		for (;;)
			arena_alloc(t->mem, 1024);
	case WRITE:
		t->writing = true;
		/* fall through */
	case PARK:
		parked = t;
		return task_wait(t, THEN(two), on_abandon, t);
	}
	GO(two);
}

static const struct step *
two(struct task *t)
{
	tell(t->got == R_NONE ? "two-none" : "two");
	GO(three);
}

static const struct step *
three(struct task *t)
{
	(void)t;
	tell("three");
	FINISH;
}

static const struct step *
refuse(struct task *t)
{
	arena_alloc(t->mem, 1024); /* the reserve is there */
	tell("refuse");
	FINISH;
}

static void
on_end(struct task *t)
{
	ended++;
	last_trouble = t->bad;
	last_refusal = t->no;
	tell("end");
}

static const struct procedure short_procedure = { "Test", THEN(one), THEN(refuse), steps, 30,
	64 * 1024, sizeof(struct state) };

static struct task *
begin(int what)
{
	struct task *t = task_new(loop, &short_procedure, NULL, on_end);

	assert_non_null(t);
	((struct state *)t->state)->what = what;
	task_start(t, short_procedure.first);
	return t;
}

static void
tick(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void
run_for(uint32_t ms)
{
	struct loop_timer *timer = loop_timer_new(loop, ms, tick, NULL);

	loop_run(loop);
	loop_timer_free(timer);
}

static int
setup(void **state)
{
	(void)state;
	loop = loop_new(&(struct loop_limits){ .tasks = 2 });
	story[0] = 0;
	abandoned = ended = 0;
	parked = NULL;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(loop_tasks_get(loop), 0);
	loop_free(loop);
	return 0;
}

static void
steps_run_in_order_from_the_loop(void **state)
{
	(void)state;
	begin(STRAIGHT);
	assert_string_equal(story, "");
	run_for(5);
	assert_string_equal(story, "one two three end ");
	assert_int_equal(step_one.stats->runs >= 1, 1);
}

static void
a_refusal_goes_to_refuse(void **state)
{
	(void)state;
	begin(REFUSE);
	run_for(5);
	assert_string_equal(story, "one refuse end ");
	assert_ptr_equal(last_refusal, &NO);
}

static void
a_wait_ends_with_its_result(void **state)
{
	(void)state;
	begin(PARK);
	run_for(5);
	assert_string_equal(story, "one ");
	task_wake(parked, R_NONE, T_NONE);
	run_for(5);
	assert_string_equal(story, "one two-none three end ");
}

static void
trouble_never_reaches_a_step(void **state)
{
	(void)state;
	begin(PARK);
	run_for(5);
	task_wake(parked, R_OK, T_BROKEN);
	run_for(5);
	assert_string_equal(story, "one refuse end ");
	assert_int_equal(last_trouble, T_BROKEN);
}

static void
the_deadline_abandons_the_wait(void **state)
{
	(void)state;
	begin(PARK);
	run_for(80);
	assert_string_equal(story, "one refuse end ");
	assert_int_equal(last_trouble, T_LATE);
	assert_int_equal(abandoned, 1);
}

static void
past_a_write_only_the_answer_is_dropped(void **state)
{
	(void)state;
	begin(WRITE);
	run_for(80);
	assert_string_equal(story, "one end ");
	assert_int_equal(last_trouble, T_LATE);
	assert_int_equal(abandoned, 0);
	task_wake(parked, R_OK, T_NONE);
	run_for(5);
	assert_string_equal(story, "one end two three ");
	assert_int_equal(ended, 1);
}

static void
a_full_arena_is_trouble_of_this_task_only(void **state)
{
	(void)state;
	begin(EAT_MEMORY);
	begin(STRAIGHT);
	run_for(5);
	assert_string_equal(story, "one refuse end one two three end ");
}

/* What a binding brings before the first step is not held to the procedure's cap; what comes of it is. */
static void
memory_before_the_first_step_has_no_cap(void **state)
{
	struct task *t = task_new(loop, &short_procedure, NULL, on_end);

	(void)state;
	assert_non_null(t);
	((struct state *)t->state)->what = EAT_MEMORY;
	memset(arena_alloc(t->mem, 200 * 1024), 1, 200 * 1024);
	task_start(t, short_procedure.first);
	run_for(5);
	assert_string_equal(story, "one refuse end ");
	assert_int_equal(last_trouble, T_NOMEM);
}

/* The arena's word that there is no memory, outside of any step: an end, never a jump into nowhere. */
static void
no_memory_outside_a_step_ends_the_process(void **state)
{
	(void)state;
	for (int what = 0; what < 2; what++) {
		struct task *t = task_new(loop, &short_procedure, NULL, on_end);
		int status;
		pid_t child;

		assert_non_null(t);
		((struct state *)t->state)->what = PARK;
		if (what == 1) { /* between two steps */
			task_start(t, short_procedure.first);
			run_for(5);
		}
		child = fork();
		if (child == 0) {
			signal(SIGABRT, SIG_DFL);
			t->mem->full(t->mem->full_arg);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
		if (what == 0)
			task_start(t, short_procedure.first);
		while (ended <= (unsigned)what) /* at its deadline */
			run_for(5);
	}
}

/* Somebody else ends what it waits for; what was woken goes on. */
static void
a_wait_is_ended_from_outside(void **state)
{
	(void)state;
	begin(PARK);
	run_for(5);
	task_stop(parked, T_BROKEN);
	run_for(5);
	assert_int_equal(abandoned, 1);
	assert_int_equal(last_trouble, T_BROKEN);
	assert_int_equal(ended, 1);

	abandoned = 0;
	begin(PARK);
	run_for(5);
	task_wake(parked, R_OK, T_NONE);
	task_stop(parked, T_BROKEN);
	run_for(5);
	assert_int_equal(abandoned, 0);
	assert_int_equal(last_trouble, T_NONE);
	assert_int_equal(ended, 2);
}

static void
nobody_need_hear_of_the_end(void **state)
{
	struct task *t = task_new(loop, &short_procedure, NULL, NULL);

	(void)state;
	((struct state *)t->state)->what = STRAIGHT;
	task_start(t, short_procedure.first);
	run_for(5);
	assert_string_equal(story, "one two three ");
	assert_int_equal(loop_tasks_get(loop), 0);
}

static void
tasks_are_capped(void **state)
{
	(void)state;
	begin(STRAIGHT);
	begin(STRAIGHT);
	assert_null(task_new(loop, &short_procedure, NULL, on_end));
	run_for(5);
	assert_int_equal(loop_tasks_peak_get(loop), 2);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(steps_run_in_order_from_the_loop),
		TEST(a_refusal_goes_to_refuse),
		TEST(a_wait_ends_with_its_result),
		TEST(trouble_never_reaches_a_step),
		TEST(the_deadline_abandons_the_wait),
		TEST(past_a_write_only_the_answer_is_dropped),
		TEST(a_full_arena_is_trouble_of_this_task_only),
		TEST(memory_before_the_first_step_has_no_cap),
		TEST(no_memory_outside_a_step_ends_the_process),
		TEST(a_wait_is_ended_from_outside),
		TEST(nobody_need_hear_of_the_end),
		TEST(tasks_are_capped),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("loop_task", tests, NULL, NULL);
}
