/* Procedures of the SM-DP+ that begin anew every so often. */
#include "dp/periodic.h"

static void
fill(void *state, void *dp)
{
	((struct dp_periodic_run *)state)->dp = dp;
}

struct loop_periodic *
dp_periodic_start(struct dp *dp, const struct procedure *procedure, uint32_t ms)
{
	return loop_periodic_start(dp->loop, procedure, ms, fill, dp);
}
