/*
 * A session's requests and their answers (RFC 7252 §4.2–4.5, RFC 7959). Each request is known by message ID
 * and token for as long as it may come again: while the handler has it a repetition is absorbed, afterwards
 * it gets the same answer. The answer to a Confirmable request rides on its acknowledgement, however late it
 * is: an empty acknowledgement would end the client's retransmissions, and then a lost answer stayed lost.
 */
#include <stdlib.h>
#include "base/clock.h"
#include "base/log.h"
#include "coap/body.h"
#include "stats/stats.h"

enum { LIFETIME_US = 247 * 1000 * 1000 }; /* EXCHANGE_LIFETIME, RFC 7252 §4.8.2 */

/* A request in the handler's hands; `request` is its first member. */
struct exchange {
	struct request request;
	struct talk *talk; /* NULL: answered in the handler's place, or the session is gone */
	struct slot *slot; /* while `talk` is there */
	struct event *deadline;
	struct message message; /* but for the payload */
	char *peer;
	uint8_t *body;
};

const char *
coap_code_text(unsigned code, char text[8])
{
	snprintf(text, 8, "%u.%02u", code >> 5 & 7, code & 31);
	return text;
}

static void
count(unsigned code)
{
	static const struct {
		unsigned from, to;
		enum stats_name counter;
	} kinds[] = {
		{ CODE_CONTINUE, CODE_CONTINUE, STATS_coap_continue },
		{ CODE(2, 0), CODE(2, 31), STATS_coap_2xx },
		{ CODE_INCOMPLETE, CODE_INCOMPLETE, STATS_coap_408 },
		{ CODE_TOO_LARGE, CODE_TOO_LARGE, STATS_coap_413 },
		{ CODE(4, 0), CODE(4, 31), STATS_coap_4xx },
		{ CODE_UNAVAILABLE, CODE_UNAVAILABLE, STATS_coap_503 },
		{ CODE(5, 0), CODE(5, 31), STATS_coap_5xx },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (code >= kinds[i].from && code <= kinds[i].to) {
			stats_add(kinds[i].counter);
			return;
		}
}

/* ---- slots ----------------------------------------------------------------------------------------- */

static bool
is_same(const struct head *a, const struct head *b)
{
	return a->con == b->con && a->mid == b->mid && a->token_n == b->token_n &&
		memcmp(a->token, b->token, a->token_n) == 0;
}

static struct slot *
slot_find(struct talk *t, const struct head *head)
{
	int64_t now = clock_mono_us();

	for (size_t i = 0; i < TALK_SLOTS; i++) {
		struct slot *s = &t->slots[i];

		if (s->used && is_same(&s->head, head) &&
			(s->exchange || now - s->since < LIFETIME_US))
			return s;
	}
	return NULL;
}

static void
slot_clear(struct slot *s)
{
	free((void *)(uintptr_t)s->reply.payload.p);
	*s = (struct slot){ 0 };
}

/* The one that was used longest ago, emptied; NULL when the handler has them all. */
static struct slot *
slot_claim(struct talk *t, const struct head *head)
{
	struct slot *best = NULL;

	for (size_t i = 0; i < TALK_SLOTS; i++) {
		struct slot *s = &t->slots[i];

		if (!s->exchange && (!best || !s->used || (best->used && s->since < best->since)))
			best = s;
	}
	if (!best)
		return NULL;
	slot_clear(best);
	best->used = true;
	best->head = *head;
	best->since = clock_mono_us();
	return best;
}

void
coap_slot_tell(struct talk *t, struct slot *s, const struct reply *r)
{
	uint8_t *payload = r->payload.n ? malloc(r->payload.n) : NULL;

	if (r->payload.n && !payload)
		abort();
	if (payload)
		memcpy(payload, r->payload.p, r->payload.n);
	s->reply = *r;
	s->reply.payload = slice_of(payload, r->payload.n);
	count(r->code);
	t->side->send(t, &s->head, &s->reply);
}

void
coap_slot_refuse(struct talk *t, struct slot *s, const struct message *m, unsigned code)
{
	struct reply r = { .code = code, .format = FORMAT_NONE, .block1 = m->block1 };
	char route[512], text[8];

	if (code == CODE_TOO_LARGE)
		r.size1 = t->room->body > UINT32_MAX ? UINT32_MAX : (uint32_t)t->room->body;
	r.block1.more = false;
	LOG(coap, NOTICE, "listener=%s peer=%s route=%s status=%s", t->side->name, t->peer,
		log_value(slice_text(m->route), route), coap_code_text(code, text));
	coap_slot_tell(t, s, &r);
}

/* ---- exchanges ------------------------------------------------------------------------------------- */

static void
exchange_free(struct exchange *x)
{
	if (x->deadline)
		event_free(x->deadline);
	free(x->peer);
	free(x->body);
	free(x);
}

/* The slot waits for nobody any more. */
static void
part(struct exchange *x)
{
	struct talk *t = x->talk;

	x->talk = NULL;
	x->slot->exchange = NULL;
	event_del(x->deadline);
	stats_add_n(STATS_coap_pending, -1);
	if (!--t->pending)
		t->side->busy(t, false);
}

static unsigned
code_of(const struct answer *a)
{
	static const struct {
		unsigned status, code;
	} known[] = {
		{ 204, CODE_CHANGED },
		{ 404, CODE_NOT_FOUND },
		{ 405, CODE_METHOD },
		{ 413, CODE_TOO_LARGE },
		{ 415, CODE_FORMAT },
		{ 503, CODE_UNAVAILABLE },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].status == a->status)
			return known[i].code;
	if (a->status < 400)
		return a->content_type ? CODE_CONTENT : CODE_CHANGED;
	return a->status < 500 ? CODE_BAD_REQUEST : CODE_INTERNAL;
}

/* The answer says what it is when the request did. */
static int
format_of(const struct message *m, const struct answer *a)
{
	static const char json[] = "application/json";

	if (m->format == FORMAT_NONE || !a->content_type)
		return FORMAT_NONE;
	return strncmp(a->content_type, json, sizeof json - 1) == 0 ? FORMAT_JSON : FORMAT_OCTETS;
}

static void
answer_tell(struct exchange *x, const struct answer *a)
{
	const struct message *m = &x->message;
	struct talk *t = x->talk;
	struct slot *s = x->slot;
	struct reply r = { .code = code_of(a),
		.format = format_of(m, a),
		.max_age = a->retry_after,
		.block1 = m->block1 };

	if (a->content_type)
		r.payload = a->body;
	coap_outgoing_begin(t, m, &r);
	part(x);
	coap_slot_tell(t, s, &r);
}

static void
respond(struct request *r, const struct answer *answer)
{
	struct exchange *x = (struct exchange *)r;

	if (x->talk)
		answer_tell(x, answer);
	else
		stats_add(STATS_coap_departed);
	exchange_free(x);
}

/* 5.03 in the handler's place: a client that comes again finds what has been done meanwhile. */
static void
answer_busy(struct exchange *x)
{
	static const struct answer busy = { .status = 503, .retry_after = 5 };

	answer_tell(x, &busy);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct exchange *x = arg;
	char route[512];

	(void)fd;
	(void)what;
	stats_add(STATS_coap_late);
	LOG(coap, WARNING, "listener=%s peer=%s route=%s timeout=answer", x->talk->side->name,
		x->talk->peer, log_value(x->request.route, route));
	answer_busy(x);
}

static struct slice
find_header(struct request *r, const char *name)
{
	const struct exchange *x = (struct exchange *)r;

	if (x->message.format == FORMAT_JSON &&
		slice_eq_nocase(slice_text(name), SLICE_LIT("Content-Type")))
		return SLICE_LIT("application/json");
	return SLICE_NONE;
}

void
coap_exchange_start(
	struct talk *t, struct slot *s, const struct message *m, uint8_t *body, size_t n)
{
	struct exchange *x = calloc(1, sizeof *x);

	if (!x)
		abort();
	x->talk = t;
	x->slot = s;
	x->message = *m;
	x->message.payload = SLICE_NONE;
	x->message.block1.more = false;
	x->body = body;
	x->peer = strdup(t->peer);
	x->deadline = evtimer_new(t->room->base, on_deadline, x);
	if (!x->peer || !x->deadline)
		abort();
	x->request = (struct request){ .route = slice_text(x->message.route),
		.body = slice_of(x->body, n),
		.peer = slice_text(x->peer),
		.header = find_header,
		.respond = respond,
		.binding = t->side->binding };
	s->exchange = x;
	event_add(x->deadline, t->room->answer_time);
	stats_add(STATS_coap_requests);
	stats_add_n(STATS_coap_pending, 1);
	if (!t->pending++)
		t->side->busy(t, true);
	t->side->handler(&x->request);
}

/* ---- what comes ------------------------------------------------------------------------------------ */

/* Begins nothing: it goes on with a body that is on its way, either way. */
static bool
is_continuation(const struct message *m)
{
	return (m->block1.present && m->block1.num) || (m->block2.present && m->block2.num);
}

/* Why it is not served, 0: nothing. */
static unsigned
refusal_of(const struct talk *t, const struct message *m)
{
	if (m->wrong)
		return m->wrong;
	if (m->code != CODE_POST)
		return CODE_METHOD;
	if (m->block2.present && m->block2.num)
		return 0;
	if (m->format != FORMAT_NONE && m->format != FORMAT_OCTETS && m->format != FORMAT_JSON)
		return CODE_FORMAT;
	if (m->size1 > t->room->body || m->payload.n > t->room->body)
		return CODE_TOO_LARGE;
	return 0;
}

static void
take_new(struct talk *t, struct slot *s, const struct message *m)
{
	unsigned no = refusal_of(t, m);
	uint8_t *body;

	if (no) {
		coap_slot_refuse(t, s, m, no);
		return;
	}
	if (m->block2.present && m->block2.num) {
		coap_outgoing_go_on(t, s, m);
		return;
	}
	coap_outgoing_drop(t);
	if (m->block1.present && (m->block1.num || m->block1.more)) {
		coap_incoming_take(t, s, m);
		return;
	}
	body = malloc(m->payload.n + 1);
	if (!body)
		abort();
	if (m->payload.n)
		memcpy(body, m->payload.p, m->payload.n);
	coap_exchange_start(t, s, m, body, m->payload.n);
}

static void
take_again(struct talk *t, struct slot *s)
{
	if (s->exchange) {
		stats_add(STATS_coap_absorbed);
		return;
	}
	stats_add(STATS_coap_repeated);
	t->side->send(t, &s->head, &s->reply);
}

/* The talk that was silent longest is the first. */
static void
move_to_end(struct talk *t)
{
	if (t->placed)
		TAILQ_REMOVE(&t->room->talks, t, place);
	TAILQ_INSERT_TAIL(&t->room->talks, t, place);
	t->placed = true;
	t->last = clock_mono_us();
}

/* So many requests at a time, or we are about to stop. */
static void
turn_away(struct talk *t, const struct message *m)
{
	struct reply busy = { .code = CODE_UNAVAILABLE, .format = FORMAT_NONE, .max_age = 5 };

	count(busy.code);
	t->side->send(t, &m->head, &busy);
}

void
coap_talk_take(struct talk *t, const struct message *m)
{
	struct slot *s = slot_find(t, &m->head);

	move_to_end(t);
	if (s) {
		take_again(t, s);
		return;
	}
	if (t->side->closing && !is_continuation(m)) {
		turn_away(t, m);
		return;
	}
	s = slot_claim(t, &m->head);
	if (s)
		take_new(t, s, m);
	else
		turn_away(t, m);
}

void
coap_talk_abort(struct talk *t)
{
	for (size_t i = 0; i < TALK_SLOTS; i++)
		if (t->slots[i].exchange)
			answer_busy(t->slots[i].exchange);
}

bool
coap_talk_is_idle(const struct talk *t)
{
	return !t->pending && !t->in.p && !t->out.p;
}

void
coap_talk_init(
	struct talk *t, const struct talk_side *side, struct talk_room *room, const char *peer)
{
	t->side = side;
	t->room = room;
	t->peer = peer;
}

/* All but what the handler has. */
static void
forget(struct talk *t)
{
	coap_incoming_drop(t);
	coap_outgoing_drop(t);
	for (size_t i = 0; i < TALK_SLOTS; i++)
		if (!t->slots[i].exchange)
			slot_clear(&t->slots[i]);
	if (t->placed)
		TAILQ_REMOVE(&t->room->talks, t, place);
	t->placed = false;
}

void
coap_talk_fini(struct talk *t)
{
	for (size_t i = 0; i < TALK_SLOTS; i++)
		if (t->slots[i].exchange)
			part(t->slots[i].exchange);
	forget(t);
}

void
coap_talk_sweep(struct talk_room *room)
{
	int64_t now = clock_mono_us();
	struct talk *t;

	while ((t = TAILQ_FIRST(&room->talks)) && now - t->last >= LIFETIME_US)
		forget(t);
}
