/* Counters, gauges and latencies: the numbers behind `rspctl stats`. */
#include <stddef.h>
#include "stats/stats.h"

int64_t stats_values[STATS_COUNT];

#define COUNTER(name, help) { #name, help, false, 0 },
#define GAUGE(name, help) { #name, help, true, 0 },
static const struct stats_view rows[STATS_COUNT] = {
#include "stats/counters.def"
};

static struct stats_latency *first_latency, **last_latency = &first_latency;

void
stats_each(void (*visit)(void *arg, const struct stats_view *v), void *arg)
{
	for (int i = 0; i < STATS_COUNT; i++) {
		struct stats_view v = rows[i];

		v.value = stats_values[i];
		visit(arg, &v);
	}
}

/* Bucket b ends at 16 us * 2^(b/4), reached in four equal parts of each doubling. */
static uint64_t
bucket_end(unsigned b)
{
	uint64_t start = UINT64_C(16) << b / 4;

	return start + start / 4 * (b % 4 + 1);
}

static unsigned
bucket_of(uint64_t us)
{
	unsigned doubling;

	if (us < 16)
		return 0;
	doubling = 59 -
		(unsigned)__builtin_clzll(us); /* us lies in [16 << doubling, 32 << doubling) */
	if (doubling > (STATS_BUCKETS - 1) / 4)
		return STATS_BUCKETS - 1;
	doubling = doubling * 4 + (unsigned)(us >> (doubling + 2) & 3);
	return doubling < STATS_BUCKETS ? doubling : STATS_BUCKETS - 1;
}

void
stats_latency_add(struct stats_latency *l, int64_t us)
{
	uint64_t time = us > 0 ? (uint64_t)us : 0;

	if (!l->count) {
		*last_latency = l;
		last_latency = &l->next;
	}
	l->count++;
	l->sum_us += time;
	if (time > l->max_us)
		l->max_us = time;
	l->buckets[bucket_of(time)]++;
}

uint64_t
stats_latency_quantile_get(const struct stats_latency *l, unsigned permille)
{
	uint64_t wanted = (l->count * permille + 999) / 1000, seen = 0;

	for (unsigned b = 0; b < STATS_BUCKETS && l->count; b++) {
		seen += l->buckets[b];
		if (seen >= wanted && seen)
			return bucket_end(b) < l->max_us ? bucket_end(b) : l->max_us;
	}
	return 0;
}

void
stats_latency_each(void (*visit)(void *arg, const struct stats_latency *l), void *arg)
{
	for (const struct stats_latency *l = first_latency; l; l = l->next)
		visit(arg, l);
}
