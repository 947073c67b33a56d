#ifndef RSPSIM_ES9_H
#define RSPSIM_ES9_H
/*
 * ES9+ as a client: one HTTPS POST for each function (SGP.22 §6.5, §6.6), the server checked against
 * the card's CIs. A client belongs to one thread.
 */
#include <jansson.h>
#include "rspsim/card.h"

#define RSPSIM_CONNECT_MAX 8

enum rspsim_call_outcome {
	RSPSIM_CALL_FINE,
	RSPSIM_CALL_REFUSED,  /* the server said Failed, with codes */
	RSPSIM_CALL_TRANSPORT /* no answer, no HTTP success, or no answer that the standard knows */
};

/* One call as it went. */
struct rspsim_call {
	const char *function;
	int64_t us;
	long http; /* status; 0 when there was none */
	enum rspsim_call_outcome outcome;
	char subject[16], reason[16], message[256];
	uint32_t error; /* integer of a refusal in ASN.1, which has no subject; 0: none */
};

struct rspsim_es9_options {
	const char
		*connect[RSPSIM_CONNECT_MAX]; /* HOST:PORT, tried in order; none: the name's own */
	size_t connect_count;
	bool connection_per_call;
	bool sm_ds;  /* ES11 at an SM-DS: its certificate is one of role ds-tls */
	bool asn1;   /* the binding of §6.6, else JSON */
	bool resume; /* TLS sessions */
	bool trace;  /* bodies to standard error */
};

struct rspsim_es9;

/* `card` must live as long. One process-wide curl_global_init must have been made. */
struct rspsim_es9 *
rspsim_es9_new(const struct rspsim_card *card, const struct rspsim_es9_options *options);
void rspsim_es9_free(struct rspsim_es9 *es9);

/* The next call opens a connection of its own: a new session, perhaps another device. */
void rspsim_es9_reconnect(struct rspsim_es9 *es9);

/*
 * Posts what the JSON `body` says to the function at the address, in the binding of the options.
 * The answer, when the outcome is fine, or refused in JSON, is a new reference; NULL for
 * handleNotification, which has none.
 */
void rspsim_es9_post(struct rspsim_es9 *es9, const char *address, const char *function,
	const char *body, struct rspsim_call *call, json_t **answer);

/*
 * The outcome of a call whose HTTP status stands in it, and the answer as above, out of the
 * body's octets.
 */
void rspsim_es9_answer_read(struct slice body, struct rspsim_call *call, json_t **answer);

#endif
