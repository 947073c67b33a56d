/* Compiled templates that are kept: found by number, the one not asked for longest makes room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dp/plans.h"
#include "unit/profile_upp_text.h"

static struct arena mem;
static struct dp_plans plans;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 16 << 20, NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dp_plans_fini(&plans);
	for (int64_t id = 0; id < 100; id++)
		assert_null(dp_plan_find(&plans, id));
	arena_fini(&mem);
	return 0;
}

static struct profile_template *
put(int64_t id)
{
	struct profile_fault fault;
	struct profile_template *t =
		profile_template_new(&mem, package_with(&mem, HEADER, NULL), &fault);

	assert_non_null(t);
	dp_plan_put(&plans, id, t);
	return t;
}

static void
what_is_put_is_found(void **state)
{
	struct profile_template *one, *two;

	(void)state;
	assert_null(dp_plan_find(&plans, 1));
	one = put(1);
	two = put(2);
	assert_ptr_equal(dp_plan_find(&plans, 1), one);
	assert_ptr_equal(dp_plan_find(&plans, 2), two);
	assert_null(dp_plan_find(&plans, 0));
}

/* Two calls compiled it beside each other: one is kept, and freed once. */
static void
the_same_number_takes_the_same_place(void **state)
{
	struct profile_template *again;

	(void)state;
	for (int64_t id = 1; id < DP_PLANS; id++)
		put(id);
	again = put(7);
	assert_ptr_equal(dp_plan_find(&plans, 7), again);
	for (int64_t id = 1; id < DP_PLANS; id++)
		assert_non_null(dp_plan_find(&plans, id));
}

static void
the_one_not_asked_for_longest_goes(void **state)
{
	(void)state;
	for (int64_t id = 1; id <= DP_PLANS; id++)
		put(id);
	assert_non_null(dp_plan_find(&plans, 1));
	put(50);
	assert_null(dp_plan_find(&plans, 2));
	assert_non_null(dp_plan_find(&plans, 1));
	put(51);
	assert_null(dp_plan_find(&plans, 3));
	assert_non_null(dp_plan_find(&plans, 50));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_put_is_found),
		TEST(the_same_number_takes_the_same_place),
		TEST(the_one_not_asked_for_longest_goes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dp_plans", tests, NULL, NULL);
}
