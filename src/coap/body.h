#ifndef COAP_BODY_H
#define COAP_BODY_H
/* Bodies in blocks (RFC 7959), as talk.c uses them. */
#include "coap/talk.h"

/* talk.c: answers, and remembers the answer. */
void coap_slot_tell(struct talk *t, struct slot *s, const struct reply *r);
/* The same with a code alone, and a line in the log. */
void coap_slot_refuse(struct talk *t, struct slot *s, const struct message *m, unsigned code);
/* To the handler with it; takes the body over. */
void coap_exchange_start(
	struct talk *t, struct slot *s, const struct message *m, uint8_t *body, size_t n);

/* body.c: a block of the request's body has come. */
void coap_incoming_take(struct talk *t, struct slot *s, const struct message *m);
void coap_incoming_drop(struct talk *t);
/* Cuts the reply's payload to the first block when it needs more than one; the rest is kept. */
void coap_outgoing_begin(struct talk *t, const struct message *m, struct reply *r);
/* The client asks for another block. */
void coap_outgoing_go_on(struct talk *t, struct slot *s, const struct message *m);
void coap_outgoing_drop(struct talk *t);

#endif
