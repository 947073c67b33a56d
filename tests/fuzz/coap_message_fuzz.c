/*
 * What a session may send once DTLS has let it through: datagrams, each behind its length of two octets. They
 * go through libcoap's parser into our options, blocks and slots. A length of zero lets the handler answer what
 * it keeps. Nothing is kept beyond the room, no reply is larger than a block, and each fits into a datagram.
 */
#include <stdlib.h>
#include "base/log.h"
#include "coap/talk.h"
#include "stats/stats.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

enum { PARKED = 2 * TALK_SLOTS, BODY = 8192, MOST = 16384, DATAGRAM = 1152, BLOCK_MOST = 1024 };

static struct request *parked[PARKED];
static unsigned parked_n;
static struct talk_room room;

static void
answer_parked(void)
{
	static const uint8_t much[5000];
	struct answer answer = { .status = 200, .content_type = "application/json" };

	while (parked_n) {
		struct request *r = parked[--parked_n];

		answer.body = r->body.n % 2 ? r->body : SLICE_ARRAY(much);
		request_respond(r, &answer);
	}
}

static void
on_request(struct request *r)
{
	if (r->body.n > BODY || !r->route.n || r->route.p[0] != '/')
		abort();
	if (parked_n == PARKED)
		abort(); /* two sessions have no more slots */
	parked[parked_n++] = r;
	if (r->route.n > 1 && r->route.p[1] != 'p')
		answer_parked();
}

static void
on_reply(struct talk *t, const struct head *to, const struct reply *r)
{
	coap_pdu_t *pdu =
		coap_pdu_init(COAP_MESSAGE_ACK, (coap_pdu_code_t)r->code, to->mid, DATAGRAM);

	(void)t;
	if (!pdu || r->payload.n > BLOCK_MOST)
		abort();
	if ((to->token_n && !coap_add_token(pdu, to->token_n, to->token)) ||
		!coap_reply_write(pdu, r))
		abort();
	coap_delete_pdu(pdu);
}

static void
on_busy(struct talk *t, bool busy)
{
	if (busy != (t->pending > 0))
		abort();
}

static void
take(struct talk *t, const uint8_t *p, size_t n)
{
	coap_pdu_t *pdu = coap_pdu_init(COAP_MESSAGE_CON, COAP_EMPTY_CODE, 0, DATAGRAM);
	struct message m;

	if (!pdu)
		abort();
	if (n >= 4 && coap_pdu_parse(COAP_PROTO_UDP, p, n, pdu)) {
		coap_message_read(pdu, &m);
		coap_talk_take(t, &m);
	}
	coap_delete_pdu(pdu);
}

static void
set_up(void)
{
	static const struct timeval moment = { 10, 0 };

	coap_startup();
	coap_set_log_level(0);
	log_level_set("coap", "error");
	TAILQ_INIT(&room.talks);
	room.base = event_base_new();
	room.answer_time = &moment;
	room.body = BODY;
	room.most = MOST;
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static const struct talk_side side = {
		.name = "fuzz", .handler = on_request, .send = on_reply, .busy = on_busy
	};
	struct talk talks[2] = { 0 };

	if (!room.base)
		set_up();
	for (int i = 0; i < 2; i++)
		coap_talk_init(&talks[i], &side, &room, "peer");
	while (n >= 2) {
		size_t length = (size_t)(octets[0] & 7) << 8 | octets[1];
		struct talk *t = &talks[octets[0] >> 7];

		octets += 2;
		n -= 2;
		if (length > n)
			length = n;
		if (length)
			take(t, octets, length);
		else
			answer_parked();
		octets += length;
		n -= length;
		if (room.kept > MOST + 2 * BODY)
			abort();
	}
	coap_talk_abort(&talks[0]);
	for (int i = 0; i < 2; i++)
		coap_talk_fini(&talks[i]);
	answer_parked();
	if (room.kept || !TAILQ_EMPTY(&room.talks))
		abort();
	return 0;
}
