/*
 * Bodies in blocks (RFC 7959): one that comes (Block1) and one that goes (Block2) for each session. libcoap
 * has this too, but believes a Size1 of 4 GiB and has no limit of its own. Memory grows with what has come,
 * and is one room for all: when it is full, the bodies of who was silent longest are dropped, and their
 * clients are told 4.08.
 */
#include <stdlib.h>
#include "base/log.h"
#include "coap/body.h"
#include "stats/stats.h"

enum { ROOM_LEAST = 4096 }; /* octets that a body begins with */

static void
keep(struct talk *t, ptrdiff_t octets)
{
	t->room->kept += (size_t)octets;
	stats_set(STATS_coap_bodies, (int64_t)t->room->kept);
}

/* Drops what others keep, the longest silent first, until that many octets fit too. */
static void
make_room(struct talk *mine, size_t octets)
{
	struct talk_room *room = mine->room;
	struct talk *t;

	TAILQ_FOREACH(t, &room->talks, place)
	{
		if (room->kept + octets <= room->most)
			return;
		if (t == mine || (!t->in.p && !t->out.p))
			continue;
		stats_add(STATS_coap_bodies_dropped);
		LOG(coap, INFO, "listener=%s peer=%s dropped=body", t->side->name, t->peer);
		coap_incoming_drop(t);
		coap_outgoing_drop(t);
	}
}

static void *
grow(void *p, size_t n)
{
	void *grown = realloc(p, n);

	if (!grown)
		abort();
	return grown;
}

/* ---- Block1 ---------------------------------------------------------------------------------------- */

void
coap_incoming_drop(struct talk *t)
{
	struct incoming *in = &t->in;

	keep(t, -(ptrdiff_t)in->room);
	free(in->p);
	free(in->route);
	*in = (struct incoming){ 0 };
}

static void
begin(struct talk *t, const struct message *m)
{
	coap_incoming_drop(t);
	t->in.route = strdup(m->route);
	if (!t->in.route)
		abort();
	t->in.format = m->format;
	t->in.tag = m->tag;
}

static void
append(struct talk *t, struct slice octets)
{
	struct incoming *in = &t->in;
	size_t room = in->room ? in->room : ROOM_LEAST;

	while (room < in->n + octets.n)
		room *= 2;
	if (room != in->room) {
		make_room(t, room - in->room);
		in->p = grow(in->p, room);
		keep(t, (ptrdiff_t)(room - in->room));
		in->room = room;
	}
	if (octets.n)
		memcpy(in->p + in->n, octets.p, octets.n);
	in->n += octets.n;
}

/* The same operation on the same body (RFC 9175 §3.3: same options, Request-Tag among them). */
static bool
belongs(const struct incoming *in, const struct message *m)
{
	return in->p && in->tag == m->tag && in->format == m->format &&
		strcmp(in->route, m->route) == 0;
}

/* A block that came late, after its repetition. */
static bool
is_known(const struct incoming *in, size_t at, struct slice block)
{
	return at + block.n <= in->n && memcmp(in->p + at, block.p, block.n) == 0;
}

static void
go_on(struct talk *t, struct slot *s, const struct message *m)
{
	struct reply r = { .code = CODE_CONTINUE, .format = FORMAT_NONE, .block1 = m->block1 };

	coap_slot_tell(t, s, &r);
}

/* The body is whole. */
static void
hand_over(struct talk *t, struct slot *s, const struct message *m)
{
	uint8_t *body = t->in.p;
	size_t n = t->in.n;

	keep(t, -(ptrdiff_t)t->in.room);
	t->in.p = NULL;
	t->in.room = 0;
	coap_incoming_drop(t);
	coap_exchange_start(t, s, m, body, n);
}

void
coap_incoming_take(struct talk *t, struct slot *s, const struct message *m)
{
	size_t at = block_offset(&m->block1), size = block_size(m->block1.szx);
	bool more = m->block1.more, known = belongs(&t->in, m);

	if (m->payload.n > size || (more && m->payload.n < size)) {
		coap_slot_refuse(t, s, m, CODE_BAD_REQUEST);
		return;
	}
	if (at + m->payload.n > t->room->body) {
		coap_incoming_drop(t);
		coap_slot_refuse(t, s, m, CODE_TOO_LARGE);
		return;
	}
	if (known && more && is_known(&t->in, at, m->payload)) {
		go_on(t, s, m);
		return;
	}
	if (at == 0)
		begin(t, m);
	else if (!known || at != t->in.n) {
		coap_slot_refuse(t, s, m, CODE_INCOMPLETE);
		return;
	}
	append(t, m->payload);
	stats_add(STATS_coap_blocks_in);
	if (more)
		go_on(t, s, m);
	else
		hand_over(t, s, m);
}

/* ---- Block2 ---------------------------------------------------------------------------------------- */

void
coap_outgoing_drop(struct talk *t)
{
	struct outgoing *out = &t->out;

	keep(t, -(ptrdiff_t)out->n);
	free(out->p);
	free(out->route);
	*out = (struct outgoing){ 0 };
}

static void
outgoing_keep(struct talk *t, const struct message *m, const struct reply *r)
{
	struct outgoing *out = &t->out;

	coap_outgoing_drop(t);
	make_room(t, r->payload.n);
	out->p = grow(NULL, r->payload.n);
	out->n = r->payload.n;
	memcpy(out->p, r->payload.p, out->n);
	out->route = strdup(m->route);
	if (!out->route)
		abort();
	out->code = r->code;
	out->format = r->format;
	keep(t, (ptrdiff_t)out->n);
}

/* Who asks for small blocks, or sends them, gets such. */
void
coap_outgoing_begin(struct talk *t, const struct message *m, struct reply *r)
{
	unsigned szx = m->block2.present ? m->block2.szx
		: m->block1.present      ? m->block1.szx
					 : SZX_MOST;
	size_t n = r->payload.n, size = block_size(szx);

	if (n <= size && !m->block2.present)
		return;
	r->block2 = (struct block){ .present = true, .more = n > size, .szx = szx };
	r->size2 = (uint32_t)n;
	if (n <= size)
		return;
	outgoing_keep(t, m, r);
	r->payload = slice_of(t->out.p, size);
	stats_add(STATS_coap_blocks_out);
}

void
coap_outgoing_go_on(struct talk *t, struct slot *s, const struct message *m)
{
	struct outgoing *out = &t->out;
	size_t at = block_offset(&m->block2), size = block_size(m->block2.szx);
	struct reply r = { .code = out->code, .format = out->format, .block2 = m->block2 };

	if (!out->p || strcmp(out->route, m->route) != 0) {
		coap_slot_refuse(t, s, m, CODE_INCOMPLETE);
		return;
	}
	if (at >= out->n) {
		coap_slot_refuse(t, s, m, CODE_BAD_REQUEST);
		return;
	}
	r.block2.more = out->n - at > size;
	r.payload = slice_of(out->p + at, r.block2.more ? size : out->n - at);
	stats_add(STATS_coap_blocks_out);
	coap_slot_tell(t, s, &r);
	if (!r.block2.more)
		coap_outgoing_drop(t); /* a repetition of the last block is in its slot */
}
