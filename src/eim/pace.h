#ifndef EIM_PACE_H
#define EIM_PACE_H
/*
 * A device that polls in a tight loop is told to slow down. What is counted are polls of one EID that get it
 * nothing new; who has something to do may go as fast as he can.
 */
#include <stdbool.h>
#include "base/slice.h"

struct eim_pace;

struct eim_pace *eim_pace_new(void);
void eim_pace_free(struct eim_pace *p);

/* Has this eUICC polled in vain too often? `per_minute` is also how many may come at once; 0: never. */
bool eim_pace_exceeded(const struct eim_pace *p, struct slice eid, unsigned per_minute);

/* One poll in vain; and something was done: it starts anew. */
void eim_pace_count(struct eim_pace *p, struct slice eid, unsigned per_minute);
void eim_pace_forget(struct eim_pace *p, struct slice eid);

#endif
