/*
 * The gathering of polls: the first that comes opens a batch. When no other is on its way its task is queued behind
 * all that are ready, and takes whoever has come until it runs; else it goes with 64 polls or after two milliseconds.
 * So a lone poll waits for nobody, and under load the batches grow by themselves.
 */
#include "eim/poll.h"
#include <stdlib.h>
#include "eim/eim.h"
#include "loop/loop.h"
#include "store/eim.h"

enum { GATHER_MS = 2, BATCH_ARENA = 64 * 1024, BATCH_DEADLINE_MS = 10000 };

struct batch;

/* A task that waits, in its own arena. */
struct waiter {
	struct task *t;
	struct slice eid;
	struct eim_polled *out;
	struct batch *batch;
	size_t place;
};

struct batch {
	struct eim_gather *gather;
	struct waiter *waiters[STORE_POLL_MAX]; /* NULL: it does not wait any more */
	size_t n;
	bool queued; /* its task is */
};

struct eim_gather {
	struct eim *eim;
	struct batch *open; /* still gathering; NULL: none */
	struct loop_timer *timer;
	unsigned on_the_way;
};

struct batch_task {
	struct batch *batch;
	struct slice eids[STORE_POLL_MAX];
	size_t n;
	struct rows rows;
	struct slice stale[STORE_POLL_MAX];
	size_t stale_n;
	struct store_seen seen;
};

/* clang-format off */
#define STEPS(S) \
	S(ask)    /* for all of them at once                      */ \
	S(give)   /* each what it has waited for                  */ \
	S(finish) /* … and that some were seen is written by then */
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

static const struct procedure poll_batch = { "PollBatch", THEN(ask), NULL, steps, BATCH_DEADLINE_MS,
	BATCH_ARENA, sizeof(struct batch_task) };

struct eim_gather *
eim_gather_new(struct eim *eim)
{
	struct eim_gather *g = calloc(1, sizeof *g);

	if (!g)
		abort();
	g->eim = eim;
	return g;
}

void
eim_gather_free(struct eim_gather *g)
{
	free(g);
}

static const struct step *
ask(struct task *t)
{
	struct batch_task *c = t->state;
	const struct batch *b = c->batch;

	if (b->gather->open == b)
		b->gather->open = NULL;
	/* Copied: who stops waiting takes his memory with him. */
	for (size_t i = 0; i < b->n; i++)
		if (b->waiters[i])
			c->eids[c->n++] = arena_copy(t->mem, b->waiters[i]->eid);
	if (!c->n)
		FINISH;
	return store_eim_poll(t, b->gather->eim->store, c->eids, c->n, &c->rows, THEN(give));
}

static const struct store_poll *
row_of(const struct batch_task *c, struct slice eid)
{
	const struct store_poll *row = c->rows.first;

	for (size_t i = 0; i < c->rows.n; i++)
		if (slice_eq(row[i].eid, eid))
			return &row[i];
	return NULL;
}

static void
wake(struct batch *b, size_t i, enum got got, enum trouble bad)
{
	struct task *t = b->waiters[i]->t;

	b->waiters[i] = NULL;
	task_wake(t, got, bad);
}

/* Whoever still waits hears of the trouble. */
static void
batch_free(struct batch *b, enum trouble bad)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->waiters[i])
			wake(b, i, R_NONE, bad);
	b->gather->on_the_way--;
	free(b);
}

/* The answers do not wait for what is written of them. */
static const struct step *
give(struct task *t)
{
	struct batch_task *c = t->state;
	struct batch *b = c->batch;
	struct store *store;

	if (!b) /* too late */
		FINISH;
	store = b->gather->eim->store;
	for (size_t i = 0; i < b->n; i++) {
		const struct store_poll *row;

		if (!b->waiters[i])
			continue;
		row = row_of(c, b->waiters[i]->eid);
		if (row)
			b->waiters[i]->out->waiting = row->waiting;
		wake(b, i, row ? R_OK : R_NONE, T_NONE);
	}
	batch_free(b, T_NONE);
	c->batch = NULL;
	for (size_t i = 0; i < c->rows.n; i++)
		if (((const struct store_poll *)c->rows.first)[i].stale)
			c->stale[c->stale_n++] = ((const struct store_poll *)c->rows.first)[i].eid;
	if (!c->stale_n)
		FINISH;
	return store_eim_seen(t, store, c->stale, c->stale_n, &c->seen, THEN(finish));
}

static const struct step *
finish(struct task *t)
{
	(void)t;
	FINISH;
}

/* Whoever was not given an answer hears of the trouble; what comes after a deadline is nobody's. */
static void
on_end(struct task *t)
{
	struct batch_task *c = t->state;

	if (c->batch)
		batch_free(c->batch, t->bad ? t->bad : T_BUSY);
	c->batch = NULL;
}

static void
send(struct eim_gather *g)
{
	struct batch *b = g->open;
	struct batch_task *c;
	struct task *t;

	loop_timer_free(g->timer);
	g->timer = NULL;
	g->on_the_way++;
	b->queued = true;
	t = task_new(g->eim->loop, &poll_batch, NULL, on_end);
	if (!t) {
		g->open = NULL;
		batch_free(b, T_BUSY);
		return;
	}
	c = t->state;
	c->batch = b;
	task_start(t, poll_batch.first);
}

static void
on_timer(void *arg)
{
	send(arg);
}

static void
leave(void *arg)
{
	struct waiter *w = arg;

	w->batch->waiters[w->place] = NULL;
}

static struct batch *
open_batch(struct eim_gather *g)
{
	if (g->open)
		return g->open;
	g->open = calloc(1, sizeof *g->open);
	if (!g->open)
		abort();
	g->open->gather = g;
	if (g->on_the_way)
		g->timer = loop_timer_new(g->eim->loop, GATHER_MS, on_timer, g);
	return g->open;
}

const struct step *
eim_poll(struct task *t, struct eim *eim, struct slice eid, struct eim_polled *out,
	const struct step *then)
{
	struct eim_gather *g = eim->gather;
	struct waiter *w = ARENA_NEW(t->mem, struct waiter);
	struct batch *b = open_batch(g);
	bool full = b->n + 1 == STORE_POLL_MAX;
	const struct step *waiting;

	*w = (struct waiter){ t, eid, out, b, b->n };
	b->waiters[b->n++] = w;
	waiting = task_wait(t, then, leave, w);
	if (!b->queued && (full || !g->timer))
		send(g);
	if (full && g->open == b)
		g->open = NULL;
	return waiting;
}
