#ifndef STORM_STORE_VIEWS_H
#define STORM_STORE_VIEWS_H
/* In place of what the store says of itself (store/store.c), which would bring the engine along: nothing. */
#include "store/store.h"

void
store_statements_each(const struct store *s,
	void (*visit)(void *arg, const struct store_statement_view *v), void *arg)
{
	(void)s;
	(void)visit;
	(void)arg;
}

void
store_lanes_each(
	const struct store *s, void (*visit)(void *arg, const struct store_lane_view *v), void *arg)
{
	(void)s;
	(void)visit;
	(void)arg;
}

#endif
