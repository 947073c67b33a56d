/*
 * Sessions: from the moment when a client has shown, by returning a cookie, that it receives at its address.
 * Until then libcoap keeps a few hundred octets for it and nothing is ours. While it shakes hands and while a
 * request is with the handler we hold the session, so that libcoap does not end it: its own patience with a
 * handshake is 30 s and four retransmissions, too little for a radio that sleeps (NB-IoT).
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <openssl/err.h>
#include "base/log.h"
#include "coap/int.h"
#include "stats/stats.h"

/* The deadline of a handshake is ours, so libcoap may go on retransmitting for longer. */
enum { RETRANSMISSIONS = 20, SHARE_PARTS = 4 };

static int ssl_index(void);

struct peer *
coap_peer_find(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, ssl_index());
}

static void
note_address(struct peer *p)
{
	const coap_address_t *a = coap_session_get_addr_remote(p->session);
	char text[INET6_ADDRSTRLEN] = "";

	if (a->addr.sa.sa_family == AF_INET6) {
		const struct in6_addr *in6 = &a->addr.sin6.sin6_addr;

		memcpy(p->source, in6, IN6_IS_ADDR_V4MAPPED(in6) ? 16 : 8);
		inet_ntop(AF_INET6, in6, text, sizeof text);
		snprintf(p->address, sizeof p->address, "[%s]:%u", text,
			ntohs(a->addr.sin6.sin6_port));
	} else {
		memcpy(p->source, &a->addr.sin.sin_addr, sizeof a->addr.sin.sin_addr);
		inet_ntop(AF_INET, &a->addr.sin.sin_addr, text, sizeof text);
		snprintf(p->address, sizeof p->address, "%s:%u", text, ntohs(a->addr.sin.sin_port));
	}
}

/* ---- room ------------------------------------------------------------------------------------------ */

static void
end_for_others(struct peer *p, const char *why)
{
	stats_add(STATS_coap_evicted);
	LOG(coap, INFO, "listener=%s peer=%s evicted=%s", p->listener->name, p->address, why);
	coap_peer_end(p);
}

/*
 * The handshake that makes way: the oldest; but of the newcomer's own address when that holds more than its
 * share. Many devices may stand behind one address, so a share is large.
 */
static struct peer *
find_shaking(struct coap_listener *l, const struct peer *newcomer)
{
	struct peer *p, *own = NULL;
	unsigned n = 0;

	TAILQ_FOREACH(p, &l->handshakes, place)
	{
		if (memcmp(p->source, newcomer->source, sizeof p->source) != 0)
			continue;
		if (!own)
			own = p;
		n++;
	}
	return own && n > l->server->limits.handshakes / SHARE_PARTS ? own
								     : TAILQ_FIRST(&l->handshakes);
}

/* The longest silent that has nothing in progress. */
static struct peer *
find_silent(struct coap_listener *l)
{
	struct peer *p;

	TAILQ_FOREACH(p, &l->peers, place)
	{
		if (!p->talk.pending)
			return p;
	}
	return NULL;
}

static bool
make_room(struct coap_listener *l, const struct peer *newcomer)
{
	const struct coap_limits *limits = &l->server->limits;
	struct peer *p;

	if (l->handshake_n >= limits->handshakes) {
		p = find_shaking(l, newcomer);
		if (p)
			end_for_others(p, "handshakes");
	}
	if (l->peer_n >= limits->sessions) {
		p = find_silent(l);
		if (p)
			end_for_others(p, "sessions");
	}
	return l->handshake_n < limits->handshakes && l->peer_n < limits->sessions;
}

/* ---- life ------------------------------------------------------------------------------------------ */

static void
stop_shaking(struct peer *p)
{
	if (!p->shaking)
		return;
	p->shaking = false;
	event_free(p->deadline);
	p->deadline = NULL;
	TAILQ_REMOVE(&p->listener->handshakes, p, place);
	p->listener->handshake_n--;
	stats_add_n(STATS_coap_handshakes_open, -1);
	coap_session_release(p->session);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct peer *p = arg;

	(void)fd;
	(void)what;
	stats_add(STATS_coap_timeout_handshake);
	coap_peer_end(p);
}

static void
on_ending(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	coap_peer_end(arg);
}

/* The SSL's end is the session's. */
static void
on_ssl_free(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
	struct peer *p = ptr;
	struct coap_listener *l;

	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	if (!p)
		return;
	l = p->listener;
	coap_talk_fini(&p->talk);
	if (p->shaking) {
		stats_add(STATS_coap_handshakes_failed);
		LOG(coap, INFO, "listener=%s peer=%s handshake=failed", l->name, p->address);
		stop_shaking(p);
	} else {
		TAILQ_REMOVE(&l->peers, p, place);
	}
	l->peer_n--;
	stats_add_n(STATS_coap_sessions_open, -1);
	coap_session_set_app_data(p->session, NULL);
	event_free(p->ending);
	free(p);
	coap_listener_settle(l);
}

static int
ssl_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
	return index;
}

static struct peer *
peer_make(struct coap_listener *l, SSL *ssl)
{
	struct event_base *base = loop_base_get(l->server->loop);
	struct peer *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->listener = l;
	p->session = SSL_get_app_data(ssl); /* libcoap's own use of it */
	p->deadline = evtimer_new(base, on_deadline, p);
	p->ending = event_new(base, -1, 0, on_ending, p);
	if (!p->deadline || !p->ending)
		abort();
	note_address(p);
	coap_talk_init(&p->talk, &l->side, &l->server->room, p->address);
	return p;
}

bool
coap_peer_new(struct coap_listener *l, SSL *ssl)
{
	struct peer *p = peer_make(l, ssl);

	if (l->stopping || !make_room(l, p) || !SSL_set_ex_data(ssl, ssl_index(), p)) {
		event_free(p->deadline);
		event_free(p->ending);
		free(p);
		return false;
	}
	coap_session_set_app_data(p->session, p);
	coap_session_set_max_retransmit(p->session, RETRANSMISSIONS);
	coap_session_reference(p->session);
	p->shaking = true;
	TAILQ_INSERT_TAIL(&l->handshakes, p, place);
	l->handshake_n++;
	l->peer_n++;
	stats_add_n(STATS_coap_sessions_open, 1);
	stats_add_n(STATS_coap_handshakes_open, 1);
	event_add(p->deadline, l->server->handshake_time);
	return true;
}

void
coap_peer_establish(struct peer *p)
{
	SSL *ssl = coap_session_get_tls(p->session, NULL);

	if (!p->shaking)
		return;
	stop_shaking(p);
	TAILQ_INSERT_TAIL(&p->listener->peers, p, place);
	stats_add(STATS_coap_handshakes);
	if (SSL_session_reused(ssl))
		stats_add(STATS_coap_handshakes_resumed);
	LOG(coap, DEBUG, "listener=%s peer=%s handshake=done suite=%s", p->listener->name,
		p->address, SSL_get_cipher_name(ssl));
	coap_rehello_watch(p, ssl);
}

void
coap_peer_touch(struct peer *p)
{
	if (p->shaking)
		return;
	TAILQ_REMOVE(&p->listener->peers, p, place);
	TAILQ_INSERT_TAIL(&p->listener->peers, p, place);
}

void
coap_peer_end(struct peer *p)
{
	struct coap_listener *l = p->listener;

	coap_session_disconnected(p->session, COAP_NACK_TLS_FAILED);
	ERR_clear_error();
	coap_listener_kick(l); /* libcoap frees what is left of it */
}
