/*
 * Looking for what is due: leases first, then the heads of the keys in them, each of which becomes a
 * delivery of its own. One look at a time; what comes meanwhile makes another one.
 */
#include "outbox/int.h"
#include "base/log.h"

enum { DEADLINE_MS = 30000, ARENA = 16 * 1024 * 1024, MARGIN_MS = 1000 };

struct look {
	struct work work;
	struct store_leased leased;
	struct rows due;
};

/* clang-format off */
#define STEPS(S) \
	S(lease)    /* buckets that nobody holds                    */ \
	S(find)     /* heads of keys, but for those on their way    */ \
	S(take_off) /* one delivery each                            */ \
	S(give_up)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };
static const struct procedure find_deliveries = { "FindDeliveries", THEN(lease), THEN(give_up),
	steps, DEADLINE_MS, ARENA, sizeof(struct look) };

/* What one payer can have on its way when nobody else has anything. */
static int32_t
share(const struct outbox *o)
{
	return (int32_t)(o->settings.in_flight + 1) / 2;
}

static unsigned
room(const struct outbox *o)
{
	unsigned most = o->settings.in_flight;

	return o->stopping || !o->held || o->flying >= most ? 0 : most - o->flying;
}

static const struct step *
lease(struct task *t)
{
	struct look *c = t->state;
	struct outbox *o = c->work.outbox;

	return store_outbox_lease(t, o->store, SLICE_ARRAY(o->owner), o->settings.lease_ms,
		o->settings.call_ms + 2 * MARGIN_MS, share(o), &c->leased, THEN(find));
}

static const struct step *
find(struct task *t)
{
	struct look *c = t->state;
	struct outbox *o = c->work.outbox;
	struct slice *busy = ARENA_ARRAY(t->mem, struct slice, o->flying + 1);
	const struct flight *f;
	size_t n = 0;

	LIST_FOREACH(f, &o->flights, place)
	busy[n++] = f->tag;
	/* Of those that come first some may not fly, but there are no more of them than do fly. */
	return store_outbox_due(t, o->store, SLICE_ARRAY(o->owner), o->settings.call_ms + MARGIN_MS,
		busy, n, share(o), (int32_t)o->settings.in_flight, &c->due, THEN(take_off));
}

/*
 * Servers that hang must not take the room of others, however many they are: a payer with n on the way gets
 * another one only while more than n are free. So m that want all have a part in m + 1 each, and as much is
 * free for whoever comes next.
 */
static bool
may_fly(const struct outbox *o, int64_t payer)
{
	const struct flight *f;
	unsigned n = 0;

	LIST_FOREACH(f, &o->flights, place)
	n += f->payer == payer;
	return n < room(o);
}

static const struct step *
take_off(struct task *t)
{
	struct look *c = t->state;
	struct outbox *o = c->work.outbox;
	const struct store_due *due = c->due.first;

	for (size_t i = 0; i < c->due.n; i++)
		if (may_fly(o, due[i].payer) && !outbox_deliver(o, &due[i]))
			break;
	FINISH;
}

static const struct step *
give_up(struct task *t)
{
	LOG(outbox, WARNING, "task=FindDeliveries result=%s note=\"tried again in a second\"",
		trouble_name(t->bad));
	FINISH;
}

/* With the task's memory, which is when the next may begin. */
static void
on_gone(void *arg)
{
	struct outbox *o = arg;

	if (o->again)
		outbox_wake(o);
	o->again = false;
}

void
outbox_find(struct outbox *o)
{
	struct task *t;

	if (o->stopping || !o->held)
		return;
	if (o->looking) {
		o->again = true;
		return;
	}
	t = outbox_work_new(o, &find_deliveries, &o->looking);
	if (!t)
		return;
	arena_defer(t->mem, on_gone, o);
	task_start(t, find_deliveries.first);
}
