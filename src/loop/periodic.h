#ifndef LOOP_PERIODIC_H
#define LOOP_PERIODIC_H
/*
 * Work that nobody asks for: a procedure that begins anew every so often, never twice at a time.
 */
#include "loop/task.h"

struct loop_periodic;

/* First after `ms`. Each run begins with fill(state, arg). What runs at stop ends by itself. */
struct loop_periodic *loop_periodic_start(struct loop *l, const struct procedure *procedure,
	uint32_t ms, void (*fill)(void *state, void *arg), void *arg);
void loop_periodic_stop(struct loop_periodic *p);

/* Now; if it runs, once more behind that run. NULL is allowed. */
void loop_periodic_hurry(struct loop_periodic *p);

#endif
