#ifndef OUTBOX_INT_H
#define OUTBOX_INT_H
/* What the files of this folder know of each other. */
#include <sys/queue.h>
#include "loop/loop.h"
#include "loop/task.h"
#include "outbox/outbox.h"
#include "store/outbox.h"

/* A key that is on its way; part of its task's state. */
struct flight {
	LIST_ENTRY(flight) place;
	struct outbox *outbox; /* NULL while it is none */
	struct slice tag;      /* "subscriber/key" */
	int64_t subscriber_id;
};

struct outbox {
	struct loop *loop;
	struct store *store;
	struct peer *peer;
	struct outbox_settings settings;
	uint8_t owner[16]; /* this instance */
	LIST_HEAD(flights, flight) flights;
	unsigned flying;
	bool looking;  /* a task looks for what is due */
	bool again;    /* and shall look once more */
	bool stopping; /* no new flights */
	bool released;
	struct loop_timer *pulse, *soon, *measure;
	/* what measure.c found last */
	bool measuring;
	struct arena lags_mem;
	const struct store_lag *lags;
	size_t lag_n;
	int64_t measured_us; /* clock_wall_us */
	unsigned measured;
};

/* find.c: what is due takes off. */
void outbox_find(struct outbox *o);
/* deliver.c: one event to one subscriber. False: not now. */
bool outbox_deliver(struct outbox *o, const struct store_due *due);
/* measure.c: asks for the lag of each subscriber, and sweeps. */
void outbox_measure(struct outbox *o);
void outbox_measure_fini(struct outbox *o);

/* outbox.c: a flight is over; `more` when its key owes more. */
void outbox_land(struct flight *f, bool more);

#endif
