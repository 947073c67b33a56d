/*
 * One event to one subscriber: the call, what its answer means, and the record of it. What fails is tried
 * again after a while that grows (with some chance in it, so that a server that comes back does not meet all
 * at once); after the last time it is a dead letter, and its key goes on.
 */
#include "base/clock.h"
#include "base/rand.h"
#include "outbox/int.h"
#include "peer/es12.h"
#include "peer/es2_callback.h"
#include "stats/stats.h"

enum { DEADLINE_MS = 330 * 1000, ARENA = 512 * 1024 };

struct delivery {
	struct flight flight;
	struct store_due due;
	struct peer_delivery what;
	struct https_reply reply;
	struct store_attempt attempt;
	struct store_settled settled;
	const char *wrong;
	bool recorded;
};

/* clang-format off */
#define STEPS(S) \
	S(call)   /* the subscriber's server, unless needless   */ \
	S(record) /* delivered, to be tried again, or dead      */ \
	S(answer) \
	S(give_up)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };
static const struct procedure deliver_event = { "DeliverEvent", THEN(call), THEN(give_up), steps,
	DEADLINE_MS, ARENA, sizeof(struct delivery) };

static const struct {
	const char *name;
	peer_send *send;
	peer_judge *judge;
} kinds[] = {
	{ "es2", peer_es2_progress_send, peer_es2_progress_judge },
	{ "es12", peer_es12_send, peer_es12_send_judge },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static size_t
kind_of(const struct store_due *due)
{
	size_t i = 0;

	while (i < KINDS && !slice_eq(due->kind, slice_text(kinds[i].name)))
		i++;
	return i;
}

/* Seconds after the first, the second, … failure. */
static const int64_t waits[] = { 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };
enum { WAITS = sizeof waits / sizeof *waits };

/* Up to a tenth more, by chance; what the server asked for, when that is longer, up to a day. */
static int64_t
wait_ms(const struct delivery *c)
{
	int64_t ms = waits[c->due.attempts] * 1000, asked = (int64_t)c->reply.retry_after * 1000;
	uint16_t chance;

	rand_bytes(&chance, sizeof chance);
	if (asked > ms)
		ms = asked < waits[WAITS - 1] * 1000 ? asked : waits[WAITS - 1] * 1000;
	return ms + ms * chance / UINT16_MAX / 10;
}

static const struct step *
call(struct task *t)
{
	struct delivery *c = t->state;

	if (c->due.needless)
		GO(record);
	c->what = (struct peer_delivery){ .event_id = c->due.event_id,
		.type = c->due.type,
		.data = c->due.data,
		.address = c->due.address,
		.roots = c->due.roots,
		.client = c->due.client };
	c->flight.calling = true;
	return kinds[kind_of(&c->due)].send(
		t, c->flight.outbox->peer, &c->what, &c->reply, THEN(record));
}

static void
log_attempt(const struct delivery *c, int64_t wait)
{
	char key[LOG_MASKED], why[512], name[512];

	log_value(c->due.name, name);
	log_masked(c->due.order_key, key);
	if (!c->wrong && c->due.gap_seq != STORE_NULL)
		LOG(outbox, NOTICE, "subscriber=%s key=%s seq=%lld did=deliver result=ok gap=%lld",
			name, key, (long long)c->due.seq, (long long)c->due.gap_seq);
	else if (!c->wrong)
		LOG(outbox, INFO, "subscriber=%s key=%s seq=%lld did=deliver result=%s", name, key,
			(long long)c->due.seq, c->due.needless ? "needless" : "ok");
	else if (c->due.attempts < WAITS)
		LOG(outbox, WARNING,
			"subscriber=%s key=%s seq=%lld did=deliver result=failed status=%u "
			"wait=%lld "
			"note=%s",
			name, key, (long long)c->due.seq, c->reply.status, (long long)(wait / 1000),
			log_value(slice_text(c->wrong), why));
	else
		LOG(outbox, ERROR,
			"subscriber=%s key=%s seq=%lld did=deliver result=dead-letter status=%u "
			"note=%s",
			name, key, (long long)c->due.seq, c->reply.status,
			log_value(slice_text(c->wrong), why));
}

static const struct step *
record(struct task *t)
{
	struct delivery *c = t->state;
	bool dead;

	c->flight.calling = false;
	if (!c->due.needless)
		c->wrong = kinds[kind_of(&c->due)].judge(t, &c->what, &c->reply);
	dead = c->wrong && c->due.attempts >= WAITS;
	c->attempt = (struct store_attempt){ .subscriber_id = c->due.subscriber_id,
		.outbox_id = c->due.outbox_id,
		.token = c->due.token,
		.order_key = c->due.order_key,
		.state = !c->wrong ? SLICE_LIT("delivered")
			: dead     ? SLICE_LIT("dead")
				   : SLICE_LIT("waiting"),
		.status = (int32_t)c->reply.status,
		.error = slice_text(c->wrong),
		.wait_ms = c->wrong && !dead ? wait_ms(c) : 0 };
	stats_add(!c->wrong    ? STATS_outbox_delivered
			: dead ? STATS_outbox_dead
			       : STATS_outbox_failed);
	log_attempt(c, c->attempt.wait_ms);
	return store_outbox_settle(
		t, c->flight.outbox->store, &c->attempt, &c->settled, THEN(answer));
}

/* A conflict: another instance has the bucket now, and delivers it again. */
static const struct step *
answer(struct task *t)
{
	struct delivery *c = t->state;

	if (t->got == R_CONFLICT)
		stats_add(STATS_outbox_fenced);
	c->recorded = t->got == R_OK;
	FINISH;
}

/* It could not be recorded, or not be called: the key is still due, and the next look finds it. */
static const struct step *
give_up(struct task *t)
{
	const struct delivery *c = t->state;
	char name[512];

	LOG(outbox, WARNING, "task=DeliverEvent subscriber=%s result=%s note=\"delivered again\"",
		log_value(c->due.name, name), trouble_name(t->bad));
	FINISH;
}

static void
on_gone(void *arg)
{
	struct delivery *c = arg;

	outbox_land(&c->flight, c->recorded);
}

static void
copy_due(struct arena *mem, const struct store_due *in, struct store_due *out)
{
	struct slice *const text[] = { &out->kind, &out->name, &out->address, &out->roots,
		&out->client, &out->order_key, &out->event_id, &out->type, &out->data };

	*out = *in;
	for (size_t i = 0; i < sizeof text / sizeof *text; i++)
		*text[i] = arena_copy(mem, *text[i]);
}

bool
outbox_deliver(struct outbox *o, const struct store_due *due)
{
	struct task *t = task_new(o->loop, &deliver_event, NULL, NULL);
	struct delivery *c;

	if (!t)
		return false;
	c = t->state;
	copy_due(t->mem, due, &c->due);
	c->flight = (struct flight){ .outbox = o,
		.task = t,
		.payer = due->payer,
		.tag = slice_text(arena_printf(t->mem, "%lld/%.*s", (long long)due->subscriber_id,
			SLICE_FMT(due->order_key))) };
	LIST_INSERT_HEAD(&o->flights, &c->flight, place);
	stats_set(STATS_outbox_in_flight, ++o->flying);
	arena_defer(t->mem, on_gone, c);
	task_start(t, deliver_event.first);
	return true;
}
