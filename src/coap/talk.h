#ifndef COAP_TALK_H
#define COAP_TALK_H
/*
 * What one session and we have to say to each other: requests that the handler has, the answers given last,
 * one body that comes in blocks and one that goes out in blocks. Knows nothing of DTLS and of sockets.
 */
#include <sys/queue.h>
#include <event2/event.h>
#include "coap/coap.h"
#include "coap/message.h"

struct exchange;
struct talk;

enum { TALK_SLOTS = 8 }; /* requests of a session that are remembered */

/* What all talks share: how much they may keep, and who was silent longest. */
TAILQ_HEAD(talk_queue, talk);
struct talk_room {
	struct talk_queue talks; /* those that keep something */
	size_t most, kept;       /* octets of bodies */
	size_t body;             /* octets of one at most */
	struct event_base *base;
	const struct timeval *answer_time; /* for the handler; a common timeout of `base` */
};

/* What the talks of a listener share. */
struct talk_side {
	const char *name; /* for the log */
	coap_request_handler *handler;
	void *binding;
	bool closing; /* nothing new is begun */
	void (*send)(struct talk *t, const struct head *to, const struct reply *r);
	void (*busy)(struct talk *t, bool busy); /* requests are with the handler, or no more */
};

/* A request that is known by its message ID and token, until the ID may be used again. */
struct slot {
	bool used;
	struct head head;
	int64_t since;             /* clock_mono_us */
	struct exchange *exchange; /* the handler has it */
	struct reply reply;        /* or this was the answer; the payload is ours */
};

/* A body that comes in blocks (RFC 7959 §2.5). */
struct incoming {
	uint8_t *p; /* NULL: none */
	size_t n, room;
	char *route;
	int format;
	uint64_t tag;
};

/* A body that goes out in blocks (RFC 7959 §2.4). */
struct outgoing {
	uint8_t *p; /* NULL: none */
	size_t n;
	char *route;
	unsigned code;
	int format;
};

struct talk {
	const struct talk_side *side;
	struct talk_room *room;
	const char *peer; /* address and port, for the log */
	TAILQ_ENTRY(talk) place;
	bool placed;
	int64_t last; /* clock_mono_us of the last request */
	unsigned pending;
	struct slot slots[TALK_SLOTS];
	struct incoming in;
	struct outgoing out;
};

/* Zeroed before. `peer` is borrowed. */
void coap_talk_init(
	struct talk *t, const struct talk_side *side, struct talk_room *room, const char *peer);
/* What the handler still has is answered to nobody. */
void coap_talk_fini(struct talk *t);

/* A request has come, for the first time or again. */
void coap_talk_take(struct talk *t, const struct message *m);

/* What is pending is answered 5.03 in the handler's place. */
void coap_talk_abort(struct talk *t);

/* Nothing is pending, and no body is on its way. */
bool coap_talk_is_idle(const struct talk *t);

/* Forgets what no retransmission can ask for any more (RFC 7252 §4.8.2: EXCHANGE_LIFETIME). */
void coap_talk_sweep(struct talk_room *room);

/* "4.13" */
const char *coap_code_text(unsigned code, char text[8]);

#endif
