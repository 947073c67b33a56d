/* Counters, gauges, and how true the quantiles of a latency are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "stats/stats.h"

static const struct stats_latency *visited[4];
static unsigned visits;

static void
find_row(void *arg, const struct stats_view *v)
{
	struct stats_view *wanted = arg;

	visits++;
	assert_int_equal(v->help[strlen(v->help) - 1], '.');
	if (strcmp(v->name, wanted->name) == 0)
		*wanted = *v;
}

static void
rows_show_what_was_counted(void **state)
{
	struct stats_view requests = { .name = "https_requests" };
	struct stats_view open = { .name = "https_connections_open" };

	(void)state;
	stats_add(STATS_https_requests);
	stats_add_n(STATS_https_requests, 2);
	stats_set(STATS_https_connections_open, 5);
	stats_add_n(STATS_https_connections_open, -1);
	visits = 0;
	stats_each(find_row, &requests);
	assert_int_equal(visits, STATS_COUNT);
	stats_each(find_row, &open);
	assert_int_equal(requests.value, 3);
	assert_false(requests.gauge);
	assert_int_equal(open.value, 4);
	assert_true(open.gauge);
	assert_int_equal(stats_get(STATS_https_requests), 3);
}

static void
quantiles_are_within_a_quarter(void **state)
{
	static struct stats_latency l = { .name = "quantiles" };

	(void)state;
	assert_int_equal(stats_latency_quantile_get(&l, 500), 0);
	for (int i = 1; i <= 1000; i++)
		stats_latency_add(&l, i * 100);
	assert_int_equal(l.count, 1000);
	assert_int_equal(l.sum_us, 50050000);
	assert_int_equal(l.max_us, 100000);
	assert_in_range(stats_latency_quantile_get(&l, 500), 50000, 62500);
	assert_in_range(stats_latency_quantile_get(&l, 990), 99000, 100000);
	assert_int_equal(stats_latency_quantile_get(&l, 1000), 100000);
}

/* Every time falls into a bucket whose end is not below it and at most a quarter (or 16 us) above. */
static void
buckets_hold_their_times(void **state)
{
	(void)state;
	for (int64_t us = 0; us < 33000000; us = us < 70 ? us + 1 : us * 9 / 8) {
		struct stats_latency l = { .name = "one" };
		uint64_t end;

		stats_latency_add(&l, us);
		l.max_us = UINT64_MAX;
		end = stats_latency_quantile_get(&l, 500);
		assert_in_range(end, (uint64_t)us, (uint64_t)us + (uint64_t)us / 4 + 20);
	}
}

static void
odd_times_are_kept(void **state)
{
	static struct stats_latency l = { .name = "odd" };

	(void)state;
	stats_latency_add(&l, -5);
	stats_latency_add(&l, INT64_MAX);
	assert_int_equal(l.buckets[0], 1);
	assert_int_equal(l.buckets[STATS_BUCKETS - 1], 1);
}

static void
visit_latency(void *arg, const struct stats_latency *l)
{
	(void)arg;
	visited[visits++ % 4] = l;
}

static void
latencies_are_known_from_the_first_on(void **state)
{
	static struct stats_latency a = { .name = "a" }, b = { .name = "b" };
	const char *names[4] = { 0 };

	(void)state;
	stats_latency_add(&b, 1);
	stats_latency_add(&a, 1);
	stats_latency_add(&b, 1);
	visits = 0;
	stats_latency_each(visit_latency, NULL);
	for (unsigned i = 0; i < 4 && i < visits; i++)
		names[i] = visited[i]->name;
	assert_true(visits >= 2);
	assert_string_equal(names[visits - 2], "b");
	assert_string_equal(names[visits - 1], "a");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(latencies_are_known_from_the_first_on),
		cmocka_unit_test(rows_show_what_was_counted),
		cmocka_unit_test(quantiles_are_within_a_quarter),
		cmocka_unit_test(odd_times_are_kept),
		cmocka_unit_test(buckets_hold_their_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
