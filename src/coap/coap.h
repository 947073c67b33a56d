#ifndef COAP_COAP_H
#define COAP_COAP_H
/*
 * CoAP servers: libcoap over DTLS 1.2 on the one loop (RFC 7252, RFC 7959; SGP.32 §6.2). A listener is a UDP
 * address with a certificate, or with pre-shared keys for laboratories, or both. What arrives whole and by
 * POST goes to the listener's handler as a struct request (loop/request.h), as from https/: the route is the
 * Uri-Path with a leading slash, and request_header_get("Content-Type") is "application/json" for
 * Content-Format 50, absent for 42 or none. Everything else is answered here.
 *
 * Answers: 200 is 2.05 with the body, 204 is 2.04, 400, 404, 405, 413 and 415 are 4.00, 4.04, 4.05, 4.13 and
 * 4.15, 503 is 5.03 with Max-Age = retry_after, other 5xx are 5.00. Bodies of more than a block go in blocks.
 */
#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"
#include "loop/request.h"

struct loop;
struct conf_limits;
struct coap_server;
struct coap_identity;
struct coap_listener;

/* Room for one sentence that says what is wrong and what to do. */
enum { COAP_WHY = 512 };

struct coap_limits {
	unsigned
		sessions; /* DTLS sessions of a listener; beyond, who is silent longest makes way */
	unsigned handshakes; /* of these, in progress; beyond, the oldest makes way */
	size_t body;         /* octets of a request's body at most */
	size_t bodies; /* octets of all bodies, either way, that are kept while their blocks travel */
	uint32_t handshake_ms,
		idle_ms;    /* for the DTLS handshake; of silence, until a session ends */
	uint32_t answer_ms; /* for the handler; then 5.03 goes out in its place */
};

struct coap_limits coap_limits_of(const struct conf_limits *limits);

struct coap_server *coap_server_new(struct loop *loop, const struct coap_limits *limits);
/* Caps hold at once, times for what begins from now on. */
void coap_server_limits_set(struct coap_server *s, const struct coap_limits *limits);
/* Only when no listener is left (coap_server_drain told so). */
void coap_server_free(struct coap_server *s);

/* ---- a certificate or keys, loaded and checked, not yet in use ------------------------------------- */

struct coap_identity_settings {
	const char *name; /* the listener's, as in the configuration */
	const char *certificate,
		*key;               /* PEM files, chain with the leaf first; NULL, both: only PSK */
	const char *psk_file;       /* a line "identity:hexadecimal key" each; NULL: none */
	struct slice ticket_secret; /* 32 octets, the same after a restart, for tickets */
	struct slice former_ticket_secret; /* 32 octets before the last rotation, or absent */
};

/* NULL: `why` says what is wrong. Nothing but files is touched. */
struct coap_identity *coap_identity_new(const struct coap_identity_settings *s, char why[COAP_WHY]);
/* For one that was not given to a listener. NULL is allowed. */
void coap_identity_free(struct coap_identity *id);

/* ---- listeners ----------------------------------------------------------------------------------- */

struct coap_listener_settings {
	const char *name;    /* for the log */
	const char *address; /* numeric, IPv4 or IPv6 */
	uint16_t port;       /* 0: any free one */
};

/*
 * Gets each request once and answers it with request_respond, now or later; r->binding is its own. The
 * client may send the request again, and gets the same answer; the handler does not see that. Route, header
 * and body last until the answer.
 */
typedef void coap_request_handler(struct request *r);

/*
 * Binds; datagrams are read only after coap_listener_start. An address and port belong to one process: when
 * another has it, that is refused. Takes the identity over when it succeeds. NULL: `why` says what is
 * wrong, and the identity is still the caller's.
 */
struct coap_listener *
coap_listener_new(struct coap_server *server, const struct coap_listener_settings *s,
	struct coap_identity *id, coap_request_handler *handler, void *binding, char why[COAP_WHY]);
void coap_listener_start(struct coap_listener *l);

/* For handshakes from now on; takes the identity over. Sessions that stand are not disturbed. */
void coap_listener_identity_set(struct coap_listener *l, struct coap_identity *id);
uint16_t coap_listener_port_get(const struct coap_listener *l);

/*
 * Begins nothing more: a new request is answered 5.03, one in progress goes on to its end, its blocks too.
 * Sessions end with a notice when nothing is in progress any more, or after `ms`, when what is still
 * pending is answered 5.03 by us and the handler's own answer, whenever it comes, is dropped.
 */
void coap_listener_stop(struct coap_listener *l, uint32_t ms);

/* Stops all listeners; done(arg) is called from the loop when the last one is gone. */
void coap_server_drain(struct coap_server *s, uint32_t ms, void (*done)(void *arg), void *arg);

#endif
