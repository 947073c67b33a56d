/*
 * operator callback, subscriber list, show, pause, resume, remove, event replay: who is told what, and again
 * (docs/outbox.md). Each is one statement; its one row is the answer.
 */
#include <stdio.h>
#include <time.h>
#include "base/text.h"
#include "ctl/verbs.h"
#include "peer/es2_callback.h"
#include "store/outbox.h"

enum { REPLAY_MOST = 100000, ROOTS_MOST = 65536, LIST_MOST = 200 };

static struct store *
store_of(struct task *t)
{
	return ((struct dp_call *)t->state)->dp->store;
}

/* https:// and something behind it, printable. */
static bool
is_url(struct slice url)
{
	return slice_eq(slice_sub(url, 0, 8), SLICE_LIT("https://")) && url.n > 8 &&
		url.n <= 1000 && text_is_printable(url) && !memchr(url.p, ' ', url.n);
}

const struct step *
ctl_operator_callback_ask(struct task *t, struct rows *out, const struct step *then)
{
	struct dp_actor actor = ctl_actor_get(t);
	struct slice card = ctl_text_get(t, "cardEvents"), pem, der;
	struct store_callback in = { .operator_name = ctl_text_get(t, "name"),
		.address = ctl_text_get(t, "url"),
		.client = ctl_text_get(t, "certificate"),
		.card_events = slice_eq(card, SLICE_LIT("on")),
		.card_events_given = card.p != NULL,
		.actor = actor.name,
		.why = actor.why };

	if (in.address.p && !is_url(in.address))
		return task_refuse(t, ctl_refuse(t, "url is none; it begins with https://"));
	if (!peer_es2_client_known(((struct dp_call *)t->state)->dp->peer, in.client))
		return task_refuse(t,
			ctl_refuse(t,
				in.client.p ? "certificate is unknown; name a [client NAME] of the "
					      "configuration"
					    : "certificate is missing; configure a [client NAME], "
					      "for TLS is mutual"));
	if (card.p && !in.card_events && !slice_eq(card, SLICE_LIT("off")))
		return task_refuse(t, ctl_refuse(t, "cardEvents is neither; say on or off"));
	if (!ctl_octets_get(t, "ca", &in.roots) || in.roots.n > ROOTS_MOST)
		return task_refuse(
			t, ctl_refuse(t, "ca is no Base64 or too long; give a PEM file"));
	pem = in.roots;
	if (pem.p && !text_unpem(t->mem, &pem, "CERTIFICATE", &der))
		return task_refuse(t, ctl_refuse(t, "ca holds no certificate; give a PEM file"));
	return store_subscriber_callback(t, store_of(t), &in, out, then);
}

const struct step *
ctl_subscriber_list_ask(struct task *t, struct rows *out, const struct step *then)
{
	return store_view_subscribers(t, store_of(t), ctl_text_get(t, "name"), out, then);
}

static const struct step *
set_paused(struct task *t, bool paused, struct rows *out, const struct step *then)
{
	struct dp_actor actor = ctl_actor_get(t);

	return store_subscriber_pause(
		t, store_of(t), ctl_text_get(t, "name"), paused, actor.name, actor.why, out, then);
}

const struct step *
ctl_subscriber_pause_ask(struct task *t, struct rows *out, const struct step *then)
{
	return set_paused(t, true, out, then);
}

const struct step *
ctl_subscriber_resume_ask(struct task *t, struct rows *out, const struct step *then)
{
	return set_paused(t, false, out, then);
}

const struct step *
ctl_subscriber_remove_ask(struct task *t, struct rows *out, const struct step *then)
{
	struct dp_actor actor = ctl_actor_get(t);

	return store_subscriber_remove(
		t, store_of(t), ctl_text_get(t, "name"), actor.name, actor.why, out, then);
}

const struct step *
ctl_event_replay_ask(struct task *t, struct rows *out, const struct step *then)
{
	struct dp_actor actor = ctl_actor_get(t);
	struct store_replay in = { .name = ctl_text_get(t, "subscriber"),
		.iccid = ctl_text_get(t, "iccid"),
		.most = REPLAY_MOST,
		.actor = actor.name,
		.why = actor.why };

	if (!ctl_time_get(t, "from", &in.since) || !ctl_time_get(t, "to", &in.until))
		return task_refuse(t,
			ctl_refuse(t, "a time is none; write 2026-11-22 or 2026-11-22T21:00:00Z"));
	if (!in.iccid.p && in.since == STORE_NULL)
		return task_refuse(
			t, ctl_refuse(t, "what; give iccid, or from with or without to"));
	return store_outbox_replay(t, store_of(t), &in, out, then);
}

const struct step *
ctl_deliveries_ask(struct task *t, struct rows *out, const struct step *then)
{
	struct slice state = ctl_text_get(t, "state");
	int64_t most = ctl_number_get(t, "limit");

	if (state.p && !slice_eq(state, SLICE_LIT("waiting")) &&
		!slice_eq(state, SLICE_LIT("delivered")) && !slice_eq(state, SLICE_LIT("dead")))
		return task_refuse(
			t, ctl_refuse(t, "state is none; say waiting, delivered or dead"));
	return store_view_deliveries(t, store_of(t), ctl_text_get(t, "subscriber"), state,
		ctl_text_get(t, "iccid"),
		most < 0 ? LIST_MOST : (int32_t)(most > 1000 ? 1000 : most), out, then);
}
