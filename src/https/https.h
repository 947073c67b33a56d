#ifndef HTTPS_HTTPS_H
#define HTTPS_HTTPS_H
/*
 * HTTPS servers: evhttp over TLS 1.2 and 1.3 on the one loop. A listener is an address with a
 * certificate; all listeners share the caps of one `struct https`. What arrives whole and by POST goes
 * to the listener's handler as a struct request (loop/request.h); everything else is answered here.
 */
#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"
#include "loop/request.h"

struct loop;
struct conf_limits;
struct https;
struct https_identity;
struct https_listener;

/* Room for one sentence that says what is wrong and what to do. */
enum { HTTPS_WHY = 512 };

struct https_limits {
	unsigned connections,
		handshakes; /* at a time, over all listeners; beyond, who idles makes way */
	size_t head;        /* octets of request line and header */
	uint32_t handshake_ms, head_ms, body_ms, answer_ms, idle_ms; /* per phase of a connection */
};

struct https_limits https_limits_of(const struct conf_limits *limits);

struct https *https_new(struct loop *loop, const struct https_limits *limits);
/* Caps hold at once, times for the phases that begin from now on, `head` for new connections. */
void https_limits_set(struct https *h, const struct https_limits *limits);
/* Only when no listener is left (https_drain told so). */
void https_free(struct https *h);

/* ---- a certificate, loaded and checked, not yet in use ------------------------------------------- */

struct https_identity_settings {
	const char *name;              /* the listener's, as in the configuration */
	const char *certificate, *key; /* PEM files; the certificate's chain, leaf first */
	const char *const *names;      /* DNS names that it should bear; a missing one is logged */
	unsigned name_n;
	struct slice ticket_secret;        /* 32 octets that all instances share */
	struct slice former_ticket_secret; /* 32 octets before the last rotation, or absent */
	/*
	 * Asks clients for a certificate (request.certificates); who has none is served all the same, the
	 * handler decides. Sessions are not resumed then.
	 */
	bool ask_client;
};

/* NULL: `why` says what is wrong. Nothing but files is touched. */
struct https_identity *
https_identity_new(const struct https_identity_settings *s, char why[HTTPS_WHY]);
/* For one that was not given to a listener. NULL is allowed. */
void https_identity_free(struct https_identity *id);

/* ---- listeners ----------------------------------------------------------------------------------- */

struct https_header {
	const char *name, *value;
};

struct https_listener_settings {
	const char *name;                   /* for the log */
	const char *address;                /* numeric, IPv4 or IPv6 */
	uint16_t port;                      /* 0: any free one */
	size_t body;                        /* octets of a request's body at most */
	const struct https_header *headers; /* put on every answer; must live on */
	unsigned header_n;
};

/*
 * Gets each request once and answers it with request_respond, now or later; r->binding is its own.
 * Route, header and body last until then (see https_listener_stop for the one exception).
 */
typedef void https_handler(struct request *r);

/*
 * Binds and listens, but accepts only after https_listener_start. Takes the identity over when it
 * succeeds. NULL: `why` says what is wrong, and the identity is still the caller's.
 */
struct https_listener *https_listener_new(struct https *h, const struct https_listener_settings *s,
	struct https_identity *id, https_handler *handler, void *binding, char why[HTTPS_WHY]);
void https_listener_start(struct https_listener *l);

/* For new connections from now on; takes the identity over. Those that stand are not disturbed. */
void https_listener_identity_set(struct https_listener *l, struct https_identity *id);
void https_listener_body_set(struct https_listener *l, size_t octets);
uint16_t https_listener_port_get(const struct https_listener *l);

/*
 * Accepts no more and closes what idles; each request in progress is answered with `Connection: close`.
 * The listener is gone with its last connection, or after `ms`, when what is still pending is answered
 * 503 by us and the handler's own answer, whenever it comes, is dropped; until then the request's
 * body lasts, but route and header are absent.
 */
void https_listener_stop(struct https_listener *l, uint32_t ms);

/* Stops all listeners; done(arg) is called from the loop when the last one is gone. */
void https_drain(struct https *h, uint32_t ms, void (*done)(void *arg), void *arg);

#endif
