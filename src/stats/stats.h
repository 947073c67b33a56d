#ifndef STATS_STATS_H
#define STATS_STATS_H
/*
 * What the operator may count: counters and gauges from one table (counters.def), and the latency of
 * each function in fixed buckets. One process, one thread, so a count is one addition.
 */
#include <stdbool.h>
#include <stdint.h>

#define COUNTER(name, help) STATS_##name,
#define GAUGE(name, help) STATS_##name,
enum stats_name {
#include "stats/counters.def"
	STATS_COUNT
};

extern int64_t stats_values[STATS_COUNT]; /* use the functions */

static inline void
stats_add(enum stats_name name)
{
	stats_values[name]++;
}

/* For several at once, and for gauges in both directions. */
static inline void
stats_add_n(enum stats_name name, int64_t n)
{
	stats_values[name] += n;
}

static inline void
stats_set(enum stats_name gauge, int64_t value)
{
	stats_values[gauge] = value;
}

static inline int64_t
stats_get(enum stats_name name)
{
	return stats_values[name];
}

/* Everything, in the table's order. */
struct stats_view {
	const char *name, *help;
	bool gauge;
	int64_t value;
};
void stats_each(void (*visit)(void *arg, const struct stats_view *v), void *arg);

/*
 * Latency of one function: buckets from 16 us to 33 s, four to each doubling. Static storage, zeroed but
 * for its name: `static struct stats_latency latency = { .name = "GetBoundProfilePackage" };`. It is
 * known to stats_latency_each from its first measurement on.
 */
enum { STATS_BUCKETS = 86 };
struct stats_latency {
	const char *name;
	struct stats_latency *next;
	uint64_t count, sum_us, max_us;
	uint32_t buckets[STATS_BUCKETS];
};

void stats_latency_add(struct stats_latency *l, int64_t us);
/* The time, in us, within which `permille` of all ended (500: median); 0 when there were none. */
uint64_t stats_latency_quantile_get(const struct stats_latency *l, unsigned permille);
void stats_latency_each(void (*visit)(void *arg, const struct stats_latency *l), void *arg);

#endif
