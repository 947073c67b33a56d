/*
 * HandleNotification to the SM-DP+ of this house (SGP.22 §5.6.4), by its own binding: it verifies, commits and
 * answers as it would to an LPA. What it does not take now (503) is tried again; it never says no.
 */
#include "eim/forward.h"
#include "codec/der.h"
#include "peer/local.h"
#include "stats/stats.h"
#include "store/eim.h"

/* clang-format off */
#define STEPS(S) \
	S(take)  /* a few that are due, for a minute ours alone */ \
	S(begin) /* the first of them, if there is any          */ \
	S(give)  /* each to our own ES9+                        */ \
	S(mark)  /* … is done, or comes again                   */ \
	S(next)  /* the next of them                            */
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

enum { DEADLINE_MS = 30000, ARENA = 1024 * 1024, AGAIN_SECONDS = 5, NO_CONTENT = 204 };
enum { REQUEST = 0xa2, HANDLE_NOTIFICATION = 0xbf3d, PENDING = 0xa0 };

struct forward {
	struct eim_run run;
	struct rows rows;
	size_t at;
	struct https_reply reply;
};

const struct procedure eim_forward_local = { "ForwardNotifications", THEN(take), NULL, steps,
	DEADLINE_MS, ARENA, sizeof(struct forward) };

static struct slice
tagged(struct arena *mem, uint32_t tag, struct slice value)
{
	struct buf out;

	buf_init(&out, mem, codec_der_size(tag, value.n));
	codec_der_put(&out, tag, value);
	return buf_get(&out);
}

struct slice
eim_es9_notification_write(struct arena *mem, struct slice pending_notification)
{
	return tagged(mem, REQUEST,
		tagged(mem, HANDLE_NOTIFICATION, tagged(mem, PENDING, pending_notification)));
}

static const struct step *
take(struct task *t)
{
	struct forward *c = t->state;
	struct eim *eim = c->run.eim;
	const struct eim_world *w = eim_world_hold(eim, t);

	if (!w || !w->settings.name_n)
		FINISH;
	return store_eim_notifications_take(
		t, eim->store, w->settings.names, w->settings.name_n, false, &c->rows, THEN(begin));
}

static const struct step *
begin(struct task *t)
{
	struct forward *c = t->state;

	if (!c->rows.n)
		FINISH;
	GO(give);
}

static const struct step *
give(struct task *t)
{
	struct forward *c = t->state;
	const struct store_forward *row = (const struct store_forward *)c->rows.first + c->at;

	return peer_local_call(t, c->run.eim->peer, "/gsma/rsp2/asn1",
		"application/x-gsma-rsp-asn1", eim_es9_notification_write(t->mem, row->octets),
		&c->reply, THEN(mark));
}

static const struct step *
mark(struct task *t)
{
	struct forward *c = t->state;
	const struct store_forward *row = (const struct store_forward *)c->rows.first + c->at;
	bool taken = c->reply.status == NO_CONTENT;

	if (taken)
		stats_add(STATS_eim_notifications_forwarded);
	return store_eim_notification_done(t, c->run.eim->store, row->id,
		taken ? SLICE_LIT("forwarded") : SLICE_LIT("waiting"),
		taken ? SLICE_NONE : SLICE_LIT("the SM-DP+ of this house is busy"), AGAIN_SECONDS,
		THEN(next));
}

static const struct step *
next(struct task *t)
{
	struct forward *c = t->state;

	/* Backwards: each goes the same way. */
	if (++c->at < c->rows.n)
		GO(give);
	FINISH;
}
