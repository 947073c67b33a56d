/*
 * Listeners: a context of libcoap each, with one DTLS endpoint. libcoap has an epoll descriptor of its own,
 * which the loop watches. It walks over all its sessions after each batch of events and reads one datagram per
 * event: 20 ns a session, so that 20,000 sessions made a request ten times dearer. We hand it the endpoint's
 * event many times at once, and when sessions are many we let a few milliseconds pass between two batches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "base/log.h"
#include "base/rand.h"
#include "coap/int.h"
#include "stats/stats.h"

enum {
	BATCH_LEAST = 8,
	BATCH_MOST = 64,      /* datagrams between two walks */
	BATCH_PART = 16,      /* of the sessions, within these bounds */
	TURN = 256,           /* datagrams until the loop has its turn */
	COALESCE_FROM = 2000, /* sessions */
	COALESCE_PART = 4000, /* so many cost a millisecond's pause … */
	COALESCE_MOST_MS = 5, /* … up to this */
	HELLOS = 20000,       /* clients that have not returned their cookie yet */
};

/* ---- libcoap's work -------------------------------------------------------------------------------- */

static unsigned
batch_size(const struct coap_listener *l)
{
	unsigned n = l->peer_n / BATCH_PART;

	return n < BATCH_LEAST ? BATCH_LEAST : n > BATCH_MOST ? BATCH_MOST : n;
}

/* One round; true when there was something to read. Without an event libcoap still looks after its sessions. */
static bool
work_once(struct coap_listener *l, unsigned size, bool look)
{
	struct epoll_event ready[4], batch[BATCH_MOST + 4];
	int n = epoll_wait(coap_context_get_coap_fd(l->context), ready, 4, 0);
	unsigned batch_n = 0;
	bool readable = false;

	if (n <= 0 && !look)
		return false;
	for (int i = 0; i < n; i++) {
		bool endpoint = ready[i].data.ptr && ready[i].events & EPOLLIN;

		readable |= endpoint;
		for (unsigned times = endpoint ? size : 1; times && batch_n < BATCH_MOST + 4;
			times--)
			batch[batch_n++] = ready[i];
	}
	coap_io_do_epoll(l->context, batch, batch_n);
	return readable;
}

/* For a storm of datagrams a pause costs nobody anything: they wait in the kernel, not in libcoap's walk. */
static void
pause_reading(struct coap_listener *l)
{
	unsigned ms =
		l->peer_n < COALESCE_FROM ? 0 : (l->peer_n + COALESCE_PART - 1) / COALESCE_PART;
	struct timeval pause = { 0, (ms < COALESCE_MOST_MS ? ms : COALESCE_MOST_MS) * 1000 };

	if (!ms)
		return;
	event_del(l->readable);
	evtimer_add(l->rest, &pause);
}

static void
work(struct coap_listener *l)
{
	unsigned size = batch_size(l), done = 0;

	while (work_once(l, size, !done) && done < TURN)
		done += size;
	pause_reading(l);
	coap_listener_settle(l);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	work(arg);
}

static void
on_rested(evutil_socket_t fd, short what, void *arg)
{
	struct coap_listener *l = arg;

	(void)fd;
	(void)what;
	event_add(l->readable, NULL);
}

void
coap_listener_kick(struct coap_listener *l)
{
	if (l->started)
		event_active(l->readable, EV_TIMEOUT, 0);
}

/* ---- what libcoap calls ---------------------------------------------------------------------------- */

/* A whole request. The answer goes out later, and never from here: a NON without a code is not sent. */
static void
on_request(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *pdu,
	const coap_string_t *query, coap_pdu_t *nothing)
{
	struct peer *p = coap_session_get_app_data(session);
	struct message m;

	(void)resource;
	(void)query;
	coap_pdu_set_type(nothing, COAP_MESSAGE_NON);
	if (!p)
		return;
	coap_message_read(pdu, &m);
	coap_peer_touch(p);
	coap_talk_take(&p->talk, &m);
}

static int
on_event(coap_session_t *session, const coap_event_t event)
{
	struct peer *p = coap_session_get_app_data(session);

	if (p && event == COAP_EVENT_DTLS_CONNECTED)
		coap_peer_establish(p);
	return 0;
}

/* Within the client's second hello: from here on it is somebody. */
static int
on_hello(void *ssl, coap_dtls_pki_t *settings)
{
	struct coap_listener *l = settings->cn_call_back_arg;

	return coap_peer_find(ssl) ||
		(coap_identity_dress(l->identity, ssl) && coap_peer_new(l, ssl));
}

static const coap_bin_const_t *
on_psk(coap_bin_const_t *identity, coap_session_t *session, void *arg)
{
	static coap_bin_const_t found; /* libcoap copies it */
	struct coap_listener *l = arg;
	struct slice key =
		coap_identity_psk_find(l->identity, slice_of(identity->s, identity->length));

	(void)session;
	found = (coap_bin_const_t){ key.n, key.p };
	return key.p ? &found : NULL;
}

/* ---- what we tell a session ------------------------------------------------------------------------ */

static void
send_reply(struct talk *t, const struct head *to, const struct reply *r)
{
	struct peer *p = (struct peer *)t;
	coap_session_t *session = p->session;
	coap_pdu_t *pdu;

	/* libcoap would begin a handshake of its own to get it through. */
	if (coap_session_get_state(session) != COAP_SESSION_STATE_ESTABLISHED)
		return;
	pdu = coap_pdu_init(to->con ? COAP_MESSAGE_ACK : COAP_MESSAGE_NON, (coap_pdu_code_t)r->code,
		to->con ? to->mid : coap_new_message_id(session),
		coap_session_max_pdu_size(session));
	if (pdu && (!to->token_n || coap_add_token(pdu, to->token_n, to->token)) &&
		coap_reply_write(pdu, r)) {
		coap_send(session, pdu);
		return;
	}
	LOG(coap, ERROR, "listener=%s peer=%s text=\"an answer does not fit into a datagram\"",
		t->side->name, t->peer);
	coap_delete_pdu(pdu);
}

/* With a request at the handler the session is held. */
static void
hold(struct talk *t, bool busy)
{
	struct peer *p = (struct peer *)t;

	if (busy) {
		coap_session_reference(p->session);
		return;
	}
	coap_session_release(p->session);
	coap_listener_settle(p->listener);
}

/* ---- life ------------------------------------------------------------------------------------------ */

/* OpenSSL calls it for each SSL_CTX that is made: the only way to libcoap's before it makes sessions of it. */
static SSL_CTX *caught;

static void
on_ssl_context(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
	(void)ptr;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	if (!caught)
		caught = parent; /* libcoap makes that for DTLS first */
}

static bool
context_make(struct coap_listener *l)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, on_ssl_context, NULL, NULL);
	caught = NULL;
	l->context = coap_new_context(NULL);
	l->ssl_context = caught;
	return l->context && caught && SSL_CTX_get_ssl_method(caught) == DTLS_method();
}

/* All methods, for libcoap answers the others by itself: 2.02 to a DELETE of what never was. */
static void
resources_add(struct coap_listener *l)
{
	coap_resource_t *all = coap_resource_unknown_init(on_request);
	coap_resource_t *core = coap_resource_init(coap_make_str_const(".well-known/core"), 0);

	if (!all || !core)
		abort();
	for (int method = COAP_REQUEST_GET; method <= COAP_REQUEST_IPATCH; method++) {
		coap_register_request_handler(all, (coap_request_t)method, on_request);
		coap_register_request_handler(core, (coap_request_t)method, on_request);
	}
	coap_add_resource(l->context, all);
	coap_add_resource(l->context, core);
}

/* Certificates come from on_hello, keys from on_psk; libcoap only needs to know that there are such. */
static bool
identity_apply(struct coap_listener *l)
{
	coap_dtls_pki_t pki = { .version = COAP_DTLS_PKI_SETUP_VERSION,
		.additional_tls_setup_call_back = on_hello,
		.cn_call_back_arg = l,
		.pki_key.key_type = COAP_PKI_KEY_PEM };
	coap_dtls_spsk_t psk = { .version = COAP_DTLS_SPSK_SETUP_VERSION,
		.validate_id_call_back = on_psk,
		.id_call_back_arg = l };

	if (!coap_identity_prepare(l->identity, l->ssl_context))
		return false;
	rand_bytes(l->never_used, sizeof l->never_used);
	psk.psk_info.key = (coap_bin_const_t){ sizeof l->never_used, l->never_used };
	return coap_context_set_pki(l->context, &pki) &&
		(!l->identity->psk_n || coap_context_set_psk2(l->context, &psk));
}

/* "127.0.0.1:5684 DTLS" */
static uint16_t
port_of(const coap_endpoint_t *endpoint)
{
	const char *colon = strrchr(coap_endpoint_str(endpoint), ':');

	return colon ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

static bool
endpoint_make(struct coap_listener *l, const struct coap_listener_settings *s, char why[COAP_WHY])
{
	coap_address_t address;
	coap_endpoint_t *endpoint;

	if (!coap_place_read(s->address, s->port, &address)) {
		snprintf(why, COAP_WHY, "%s is no numeric address", s->address);
		return false;
	}
	l->lock = s->port ? coap_place_lock(s->address, s->port, why) : -1;
	if (s->port && l->lock < 0)
		return false;
	endpoint = coap_new_endpoint(l->context, &address, COAP_PROTO_DTLS);
	if (!endpoint) {
		snprintf(why, COAP_WHY, "cannot use %s UDP port %u", s->address, s->port);
		return false;
	}
	l->port = port_of(endpoint);
	return true;
}

static void
listener_free(struct coap_listener *l)
{
	coap_free_context(l->context); /* sessions and peers with it */
	if (l->readable)
		event_free(l->readable);
	if (l->rest)
		event_free(l->rest);
	if (l->last_call)
		event_free(l->last_call);
	if (l->burial)
		event_free(l->burial);
	if (l->lock >= 0)
		close(l->lock);
	coap_identity_free(l->identity);
	free(l->name);
	free(l);
}

static void
on_burial(evutil_socket_t fd, short what, void *arg)
{
	struct coap_listener *l = arg;

	(void)fd;
	(void)what;
	coap_server_forget(l->server, l);
	for (struct peer *p = TAILQ_FIRST(&l->handshakes); p; p = TAILQ_FIRST(&l->handshakes))
		coap_session_disconnected(p->session, COAP_NACK_TLS_FAILED);
	for (struct peer *p = TAILQ_FIRST(&l->peers); p; p = TAILQ_FIRST(&l->peers))
		coap_session_disconnected(p->session, COAP_NACK_TLS_FAILED);
	listener_free(l);
}

static struct peer *
find_busy(struct coap_listener *l)
{
	struct peer *p;

	TAILQ_FOREACH(p, &l->peers, place)
	{
		if (!coap_talk_is_idle(&p->talk))
			return p;
	}
	return NULL;
}

void
coap_listener_settle(struct coap_listener *l)
{
	if (l->stopping && !find_busy(l))
		event_active(l->burial, EV_TIMEOUT, 0);
}

/* Patience is over. */
static void
on_last_call(evutil_socket_t fd, short what, void *arg)
{
	struct coap_listener *l = arg;
	struct peer *p;

	(void)fd;
	(void)what;
	LOG(coap, WARNING, "listener=%s stopping=late sessions=%u", l->name, l->peer_n);
	TAILQ_FOREACH(p, &l->peers, place)
	{
		coap_talk_abort(&p->talk);
	}
	event_active(l->burial, EV_TIMEOUT, 0);
}

static void
events_make(struct coap_listener *l)
{
	struct event_base *base = loop_base_get(l->server->loop);

	l->readable = event_new(
		base, coap_context_get_coap_fd(l->context), EV_READ | EV_PERSIST, on_readable, l);
	l->rest = evtimer_new(base, on_rested, l);
	l->last_call = evtimer_new(base, on_last_call, l);
	l->burial = event_new(base, -1, 0, on_burial, l);
	if (!l->readable || !l->rest || !l->last_call || !l->burial)
		abort();
}

void
coap_listener_limits_apply(struct coap_listener *l)
{
	coap_context_set_session_timeout(l->context, (l->server->limits.idle_ms + 999) / 1000);
}

struct coap_listener *
coap_listener_new(struct coap_server *server, const struct coap_listener_settings *s,
	struct coap_identity *id, coap_request_handler *handler, void *binding, char why[COAP_WHY])
{
	struct coap_listener *l = calloc(1, sizeof *l);

	if (!l)
		abort();
	l->server = server;
	l->lock = -1;
	l->identity = id;
	TAILQ_INIT(&l->handshakes);
	TAILQ_INIT(&l->peers);
	l->name = strdup(s->name);
	if (!l->name || !context_make(l))
		abort();
	l->side = (struct talk_side){ .name = l->name,
		.handler = handler,
		.binding = binding,
		.send = send_reply,
		.busy = hold };
	rand_bytes(l->cookie_key, sizeof l->cookie_key);
	coap_context_set_block_mode(l->context, 0);
	coap_context_set_max_handshake_sessions(l->context, HELLOS);
	coap_register_event_handler(l->context, on_event);
	resources_add(l);
	if (!identity_apply(l)) {
		snprintf(why, COAP_WHY, "DTLS cannot be set up");
	} else if (endpoint_make(l, s, why)) {
		events_make(l);
		coap_rehello_init(l);
		l->next = server->listeners;
		server->listeners = l;
		coap_listener_limits_apply(l);
		return l;
	}
	l->identity = NULL;
	listener_free(l);
	return NULL;
}

void
coap_listener_start(struct coap_listener *l)
{
	l->started = true;
	event_add(l->readable, NULL);
	LOG(coap, NOTICE, "listener=%s port=%u started", l->name, l->port);
}

void
coap_listener_identity_set(struct coap_listener *l, struct coap_identity *id)
{
	struct coap_identity *former = l->identity;

	l->identity = id;
	if (!identity_apply(l))
		abort(); /* no memory */
	coap_identity_free(former);
}

uint16_t
coap_listener_port_get(const struct coap_listener *l)
{
	return l->port;
}

void
coap_listener_stop(struct coap_listener *l, uint32_t ms)
{
	struct timeval patience = { ms / 1000, ms % 1000 * 1000 };

	if (l->stopping)
		return;
	l->stopping = l->side.closing = true;
	LOG(coap, NOTICE, "listener=%s stopping sessions=%u", l->name, l->peer_n);
	evtimer_add(l->last_call, &patience);
	coap_listener_settle(l);
}
