#ifndef OUTBOX_OUTBOX_H
#define OUTBOX_OUTBOX_H
/*
 * Delivery of recorded events to whom they are owed: at least once, in order for each key, from as many
 * instances as there are. The database decides who delivers what (sql/query/outbox.sql); here is the engine
 * that asks it, calls, and records. It works on the store's background lane alone.
 */
#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

struct loop;
struct store;
struct peer;
struct outbox;

struct outbox_settings {
	unsigned in_flight; /* deliveries at a time; nobody has more of them than are free still */
	uint32_t call_ms;   /* how long one may take */
	uint32_t lease_ms;  /* above call_ms by 2 s */
	int64_t keep_s;     /* how long what was told is kept; 0: for ever */
};

/* Begins at once. Everything is borrowed. */
struct outbox *outbox_start(
	struct loop *l, struct store *s, struct peer *p, const struct outbox_settings *settings);
void outbox_settings_set(struct outbox *o, const struct outbox_settings *settings);

/* Begins nothing any more; what is on its way ends as it does, then the leases are given back. */
void outbox_stop(struct outbox *o);
/* After outbox_stop, when no task is left. */
void outbox_free(struct outbox *o);

/* Subscribers, or what is owed to them, have changed: look at once. */
void outbox_wake(struct outbox *o);

/* How each subscriber stood a few seconds ago. */
struct outbox_view {
	struct slice kind, name;
	bool paused;
	int64_t waiting, dead;
	int64_t lag_us; /* since the oldest that waits was recorded; 0: none waits */
};
void outbox_each(
	const struct outbox *o, void (*visit)(void *arg, const struct outbox_view *v), void *arg);

#endif
