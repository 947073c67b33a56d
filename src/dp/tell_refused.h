#ifndef DP_TELL_REFUSED_H
#define DP_TELL_REFUSED_H
/* Refused calls become part of the history of the profile that they were about (docs/orders.md). */
#include "dp/dp.h"

/*
 * For a binding, at the end of a task whose state begins with a struct dp_call: when the call was refused,
 * the caller has proved itself, and nothing was written of it, a task of its own tells the database. The
 * answer waits for nothing: what comes while many are on their way, or while the database is away, is only
 * counted. `caller` is "es9+", else the actor of the audit trail; `said` is why the caller called, or empty;
 * all are copied.
 */
void dp_refused_put(struct task *t, struct slice caller, struct slice peer, struct slice said);

#endif
