#ifndef HTTPS_INT_H
#define HTTPS_INT_H
/* What the files of this folder know of each other. */
#include <sys/queue.h>
#include <event2/event.h>
#include <event2/http.h>
#include <openssl/ssl.h>
#include "https/https.h"
#include "loop/loop.h"

/*
 * Where a connection stands. Each phase but HANDLER has its deadline: evhttp's own timeouts begin anew
 * with each read, so that a client which dribbles would live for ever.
 */
enum phase {
	PHASE_HELLO,     /* until the ClientHello is whole */
	PHASE_HANDSHAKE, /* the rest of it, within the same deadline */
	PHASE_FIRST,     /* until the first octet of the first request */
	PHASE_HEAD,      /* until the blank line; the first one within the deadline of FIRST */
	PHASE_BODY,      /* until the request is whole */
	PHASE_HANDLER,   /* until request_respond; the task has a deadline of its own */
	PHASE_ANSWER,    /* until the kernel has taken the answer */
	PHASE_IDLE,      /* until the next request */
	PHASE_ENDING,    /* shut down, about to be freed */
	PHASES
};

enum { PEER_LENGTH = 56 }; /* "[IPv6]:port" */

struct exchange;

/* A TCP connection; lives as long as its SSL. */
struct connection {
	struct https_listener *listener;
	struct connection *prev, *next; /* of the listener */
	TAILQ_ENTRY(connection) place;  /* among those of its phase */
	int64_t since;                  /* clock_mono_us when the phase began */
	struct bufferevent *bev;
	struct event *deadline;
	struct event *interest; /* in reading, over all requests; NULL while shaking hands */
	bool took;              /* something was read since `interest` was last met */
	enum phase phase;
	unsigned line;             /* octets of the head's present line */
	struct exchange *exchange; /* the request in the handler's hands */
	const char *alert;         /* TLS alert last sent or received, or NULL */
	struct slice
		certificates; /* the client's, ours to free; absent: none, or not yet asked for */
	bool shaken;          /* the handshake is done */
	bool met;             /* the client's address is known */
	bool told;            /* evhttp tells us when it closes */
	uint8_t source[16];   /* the client's address; of IPv6 the /64 */
	char peer[PEER_LENGTH];
};

TAILQ_HEAD(connection_queue, connection);

struct https_listener {
	struct https *https;
	struct https_listener *next;
	char *name;
	struct evhttp *http;
	struct evhttp_bound_socket *bound; /* NULL once stopped */
	struct https_identity *identity;
	https_handler *handler;
	void *binding;
	const struct https_header *headers;
	unsigned header_n;
	size_t body; /* octets of a request's body at most */
	uint16_t port;
	bool started, stopping;
	struct event *last_call; /* the end of patience after https_listener_stop */
	struct event *burial;    /* frees the listener, from the loop */
	struct connection *connections;
	unsigned connection_n;
};

struct https {
	struct loop *loop;
	struct https_limits limits;
	const struct timeval *times[PHASES]; /* libevent's common timeouts; NULL: no deadline */
	struct https_listener *listeners;
	struct connection_queue queues[PHASES]; /* connections by phase, the oldest first */
	unsigned connections, handshakes;
	unsigned ending;       /* of the connections: closed, but not yet freed */
	bool paused;           /* no listener accepts */
	bool starved;          /* no descriptors left; until `relief` */
	struct event *relief;  /* tries accepting again */
	struct event *arrival; /* connections have been accepted, and now have their sockets */
	struct event *drained;
	void (*done)(void *arg);
	void *done_arg;
};

struct https_identity {
	SSL_CTX *context;
};

/* https.c: pauses or resumes accepting, as the caps say. */
void https_gate_update(struct https *h);
/* No descriptors are left: accepting pauses for a moment. */
void https_starve(struct https *h);
/* The listener's burial is over. */
void https_forget(struct https *h, struct https_listener *l);

/* room.c: closes what must make way; true when one more may come in. */
bool https_room_make(struct https *h);
/* For a newcomer whose source is known: an address holds a share of the silent handshakes. */
void https_room_share(struct connection *c);

/* connection.c */
struct bufferevent *https_connection_new(struct https_listener *l);
/* From the loop, after connections were accepted: who are they, and are they too many? */
void https_connection_meet(evutil_socket_t fd, short what, void *https);
struct connection *https_connection_find(const SSL *ssl);
/* What the client showed, DER, its own first; absent: nothing. Lives as long as the connection. */
struct slice https_connection_certificates(struct connection *c);
/* For the SSL_CTX: the ClientHello is whole. */
int https_connection_hello(SSL *ssl, int *alert, void *arg);
/* For the SSL_CTX: end of handshake, alerts. */
void https_connection_info(const SSL *ssl, int where, int value);
void https_connection_phase_set(struct connection *c, enum phase phase);
/* An answer is in the buffer: from the loop, but in this very turn, it is written. */
void https_connection_flush(struct connection *c);
/* Shuts the socket down; evhttp frees the connection next, from the loop. */
void https_connection_close(struct connection *c);

/* request.c: evhttp's callback for a whole request; `listener` is the listener. */
void https_request_take(struct evhttp_request *ev, void *listener);
/* Answers 503 in the handler's place. */
void https_exchange_abort(struct exchange *x);
/* The connection is gone, or going. */
void https_exchange_orphan(struct exchange *x);
void https_status_count(unsigned status);

#endif
