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
	struct task *task;
	struct slice tag; /* "subscriber/key" */
	int64_t payer;
	bool calling; /* the subscriber's server */
};

/* What work of the engine's own begins with; of each procedure there is one task at a time. */
struct work {
	struct outbox *outbox;
};

struct outbox {
	struct loop *loop;
	struct store *store;
	struct peer *peer;
	struct outbox_settings settings;
	uint8_t owner[16]; /* this instance */
	LIST_HEAD(flights, flight) flights;
	unsigned flying;
	bool held;    /* the lock by which others know that we live: nothing is called without it */
	bool looking; /* a task looks for what is due */
	bool again;   /* and shall look once more */
	bool stopping; /* no new flights */
	bool released;
	bool sweeping, measuring;
	struct loop_timer *pulse, *soon, *measure, *sweep;
	/* what measure.c found last */
	struct arena lags_mem;
	const struct store_lag *lags;
	size_t lag_n;
	int64_t measured_us; /* clock_wall_us */
};

/* find.c: what is due takes off. */
void outbox_find(struct outbox *o);
/* deliver.c: one event to one subscriber. False: not now. */
bool outbox_deliver(struct outbox *o, const struct store_due *due);
/* measure.c: asks for the lag of each subscriber. */
void outbox_measure(struct outbox *o);
void outbox_measure_fini(struct outbox *o);
/* sweep.c: what is of no use any more. */
void outbox_sweep(struct outbox *o);

/* outbox.c: a flight is over; `more` when its key owes more. */
void outbox_land(struct flight *f, bool more);
/* A task of work, to be started; while it lives *busy is true. NULL: it is at it, or not now. */
struct task *outbox_work_new(struct outbox *o, const struct procedure *p, bool *busy);

#endif
