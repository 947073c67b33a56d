/* The system's clocks. */
#include <time.h>
#include "base/clock.h"

static int64_t
now_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
clock_wall_us(void)
{
	return now_us(CLOCK_REALTIME);
}

int64_t
clock_mono_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}
