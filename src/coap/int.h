#ifndef COAP_INT_H
#define COAP_INT_H
/* What the files of this folder know of each other. */
#include <sys/queue.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include "coap/coap.h"
#include "coap/message.h"
#include "coap/talk.h"
#include "loop/loop.h"

enum { PEER_LENGTH = 56 }; /* "[IPv6]:port" */

/* A DTLS session from the client's second hello on; lives as long as its SSL. */
struct peer {
	struct talk talk; /* first */
	struct coap_listener *listener;
	coap_session_t *session;
	TAILQ_ENTRY(peer) place; /* among the handshakes, or among the established */
	struct event *deadline;  /* of the handshake; NULL when it is done */
	struct event *ending;    /* ends the session, from the loop */
	uint8_t source[16];      /* the client's address; of IPv6 the /64 */
	char address[PEER_LENGTH];
	bool shaking;
};

TAILQ_HEAD(peer_queue, peer);

struct coap_identity {
	SSL_CTX *context; /* holds chain and key; no session is made of it */
	bool has_certificate;
	struct psk *psks; /* NULL: none */
	size_t psk_n;
	uint8_t ticket_secret[32], former_ticket_secret[32];
	bool has_ticket_secret, has_former;
};

struct coap_listener {
	struct coap_server *server;
	struct coap_listener *next;
	char *name;
	struct talk_side side;
	struct coap_identity *identity;
	coap_context_t *context;
	int lock; /* holds the address and port; -1: a port that nobody else knows */
	uint16_t port;
	bool started, stopping;
	struct event *readable,
		*rest;           /* libcoap has something to do; the pause between two batches */
	struct event *last_call; /* the end of patience after coap_listener_stop */
	struct event *burial;    /* frees the listener, from the loop */
	struct peer_queue handshakes, peers; /* the oldest first; the longest silent first */
	unsigned handshake_n, peer_n;        /* peer_n: both */
	SSL_CTX *ssl_context;                /* libcoap's, borrowed */
	uint8_t cookie_key[32];              /* rehello.c */
	uint8_t never_used[32];              /* a key that libcoap must have to try PSK */
};

struct coap_server {
	struct loop *loop;
	struct coap_limits limits;
	const struct timeval *answer_time, *handshake_time; /* libevent's common timeouts */
	struct coap_listener *listeners;
	struct talk_room room;
	struct event *sweep; /* forgets what no retransmission can ask for any more */
	struct event *drained;
	void (*done)(void *arg);
	void *done_arg;
};

/* server.c: the listener's burial is over. */
void coap_server_forget(struct coap_server *s, struct coap_listener *l);

/* listener.c: libcoap looks after its sessions at the next turn. */
void coap_listener_kick(struct coap_listener *l);
/* The server's limits are others. */
void coap_listener_limits_apply(struct coap_listener *l);
/* Perhaps that was the last thing that a stop waits for. */
void coap_listener_settle(struct coap_listener *l);

/* place.c: a numeric address. */
bool coap_place_read(const char *address, uint16_t port, coap_address_t *out);
/* The descriptor that holds it until it is closed; -1: `why` says who has it. */
int coap_place_lock(const char *address, uint16_t port, char why[COAP_WHY]);

/* identity.c: what all sessions have; again with another identity. */
bool coap_identity_prepare(const struct coap_identity *id, SSL_CTX *context);
/* What this one shows, from within the callback for its ClientHello. */
bool coap_identity_dress(const struct coap_identity *id, SSL *ssl);
/* The key of that identity, or absent. Borrowed. */
struct slice coap_identity_psk_find(const struct coap_identity *id, struct slice identity);

/* peer.c: a client has shown that it receives at its address; false: there is no room. */
bool coap_peer_new(struct coap_listener *l, SSL *ssl);
struct peer *coap_peer_find(const SSL *ssl);
/* The handshake is done. */
void coap_peer_establish(struct peer *p);
/* It has asked for something. */
void coap_peer_touch(struct peer *p);
/* Ends the session. Not from within a call of libcoap for this session. */
void coap_peer_end(struct peer *p);

/* rehello.c: our own cookies for the ClientHello, in libcoap's place. */
void coap_rehello_init(struct coap_listener *l);
/* Watches for a client that begins anew from the address of a living session. */
void coap_rehello_watch(struct peer *p, SSL *ssl);

#endif
