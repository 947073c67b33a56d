/*
 * Connections: the phases that each goes through, their deadlines, and the caps. evhttp tells little of a
 * connection's life, so it is watched from its SSL (end of handshake, end of life) and from its two
 * buffers (first octet and blank line of a head, answers that evhttp makes by itself).
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include "base/clock.h"
#include "base/log.h"
#include "https/int.h"
#include "stats/stats.h"

/*
 * Octets read ahead of a request and its body: records of TLS, and what little is sent ahead. evhttp goes
 * on reading while it answers, however much comes.
 */
enum { AHEAD = 64 * 1024 };

static int ssl_index(void);

struct connection *
https_connection_find(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, ssl_index());
}

static void
certificate_add(struct slice *chain, uint8_t *room, X509 *x)
{
	uint8_t *p = room + chain->n;

	if (x && i2d_X509(x, &p) > 0)
		*chain = slice_of(room, (size_t)(p - room));
}

static size_t
certificate_size(X509 *x)
{
	int n = x ? i2d_X509(x, NULL) : 0;

	return n > 0 ? (size_t)n : 0;
}

struct slice
https_connection_certificates(struct connection *c)
{
	SSL *ssl = bufferevent_openssl_get_ssl(c->bev);
	X509 *own = SSL_get0_peer_certificate(ssl);
	STACK_OF(X509) *others = own ? SSL_get_peer_cert_chain(ssl) : NULL;
	size_t n = certificate_size(own);
	uint8_t *room;

	if (!own || c->certificates.p)
		return c->certificates;
	for (int i = 0; i < sk_X509_num(others); i++)
		n += certificate_size(sk_X509_value(others, i));
	room = malloc(n);
	if (!room)
		abort();
	certificate_add(&c->certificates, room, own);
	for (int i = 0; i < sk_X509_num(others); i++)
		certificate_add(&c->certificates, room, sk_X509_value(others, i));
	return c->certificates;
}

static void
note_peer(struct connection *c, int fd)
{
	struct sockaddr_storage address;
	socklen_t n = sizeof address;
	char text[INET6_ADDRSTRLEN] = "";

	if (getpeername(fd, (struct sockaddr *)&address, &n) < 0)
		return;
	if (address.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address;

		memcpy(c->source, &in6->sin6_addr, IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) ? 16 : 8);
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
		snprintf(c->peer, sizeof c->peer, "[%s]:%u", text, ntohs(in6->sin6_port));
	} else {
		const struct sockaddr_in *in = (const struct sockaddr_in *)&address;

		memcpy(c->source, &in->sin_addr, sizeof in->sin_addr);
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
		snprintf(c->peer, sizeof c->peer, "%s:%u", text, ntohs(in->sin_port));
	}
}

/* Without a new deadline. */
static void
enter(struct connection *c, enum phase phase)
{
	struct https *h = c->listener->https;

	TAILQ_REMOVE(&h->queues[c->phase], c, place);
	TAILQ_INSERT_TAIL(&h->queues[phase], c, place);
	c->phase = phase;
	c->since = clock_mono_us();
}

void
https_connection_phase_set(struct connection *c, enum phase phase)
{
	const struct timeval *time = c->listener->https->times[phase];

	enter(c, phase);
	if (time)
		event_add(c->deadline, time);
	else
		event_del(c->deadline);
}

static void
end_handshake(struct connection *c)
{
	struct https *h = c->listener->https;

	h->handshakes--;
	stats_add_n(STATS_https_handshakes_open, -1);
	https_gate_update(h);
}

void
https_connection_close(struct connection *c)
{
	SSL *ssl = bufferevent_openssl_get_ssl(c->bev);

	if (c->phase == PHASE_ENDING)
		return;
	if (SSL_is_init_finished(ssl)) {
		SSL_shutdown(ssl); /* a notice to the client; nobody waits for his */
		ERR_clear_error();
	}
	shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
	if (!c->shaken)
		end_handshake(c);
	c->listener->https->ending++;
	https_connection_phase_set(c, PHASE_ENDING);
	/* What the kernel still holds of the client's is not read first. */
	bufferevent_trigger_event(c->bev, BEV_EVENT_ERROR, BEV_TRIG_DEFER_CALLBACKS);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	static const struct {
		enum stats_name counter;
		const char *word;
	} late[PHASES] = {
		[PHASE_HELLO] = { STATS_https_timeout_handshake, "handshake" },
		[PHASE_HANDSHAKE] = { STATS_https_timeout_handshake, "handshake" },
		[PHASE_FIRST] = { STATS_https_timeout_head, "head" },
		[PHASE_HEAD] = { STATS_https_timeout_head, "head" },
		[PHASE_BODY] = { STATS_https_timeout_body, "body" },
		[PHASE_ANSWER] = { STATS_https_timeout_answer, "answer" },
		[PHASE_IDLE] = { STATS_https_timeout_idle, "idle" },
	};
	struct connection *c = arg;

	(void)fd;
	(void)what;
	stats_add(late[c->phase].counter);
	LOG(https, INFO, "listener=%s peer=%s timeout=%s", c->listener->name, c->peer,
		late[c->phase].word);
	if (!c->shaken)
		c->alert = "timeout";
	https_connection_close(c);
}

int
https_connection_hello(SSL *ssl, int *alert, void *arg)
{
	struct connection *c = https_connection_find(ssl);

	(void)alert;
	(void)arg;
	if (c->phase == PHASE_HELLO)
		enter(c, PHASE_HANDSHAKE);
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* The loop acts for the connection as if the socket were ready; nothing waits for epoll. */
static void
activate(struct connection *c, short what)
{
	event_base_active_by_fd(bufferevent_get_base(c->bev), bufferevent_getfd(c->bev), what);
}

/*
 * OpenSSL reads ahead: one system call instead of two for each record. libevent takes one record at a
 * time and then waits for the socket, which stays silent about what OpenSSL has read of it already.
 */
static void
read_on(struct connection *c)
{
	if (SSL_has_pending(bufferevent_openssl_get_ssl(c->bev)))
		activate(c, EV_READ);
}

/*
 * evhttp does not read while a request is handled. Our own interest stays, so that epoll need not be told
 * of it twice for each request, until something comes in that nobody takes.
 */
static void
on_interest(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	if (what & EV_TIMEOUT)
		read_on(c);
	else if (!c->took && !(bufferevent_get_enabled(c->bev) & EV_READ))
		event_del(c->interest);
	c->took = false;
}

/* Within the handshake's last call: only afterwards libevent begins to read. */
static void
take_interest(struct connection *c)
{
	c->interest = event_new(bufferevent_get_base(c->bev), bufferevent_getfd(c->bev),
		EV_READ | EV_PERSIST, on_interest, c);
	if (!c->interest || event_add(c->interest, NULL) < 0)
		abort();
	event_active(c->interest, EV_TIMEOUT, 0); /* the first request may be here already */
}

void
https_connection_flush(struct connection *c)
{
	event_add(c->interest, NULL);
	activate(c, EV_WRITE);
	read_on(c);
}

void
https_connection_info(const SSL *ssl, int where, int value)
{
	struct connection *c = https_connection_find(ssl);
	int on = 1;

	if (where & SSL_CB_ALERT)
		c->alert = SSL_alert_desc_string_long(value);
	if (!(where & SSL_CB_HANDSHAKE_DONE) || c->phase != PHASE_HANDSHAKE)
		return;
	stats_add(STATS_https_handshakes);
	if (SSL_session_reused(ssl))
		stats_add(STATS_https_handshakes_resumed);
	/*
	 * Clients that leave Nagle's algorithm on send their first request only after this is acknowledged:
	 * without it a resumption by TLS 1.2, where they have the last word, takes 40 ms longer.
	 */
	if (SSL_version(ssl) < TLS1_3_VERSION)
		setsockopt(SSL_get_fd(ssl), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
	c->shaken = true;
	take_interest(c);
	end_handshake(c);
	https_connection_phase_set(c, PHASE_FIRST);
}

/* True when the blank line that ends a head is among what was added. */
static bool
head_ends(struct connection *c, struct evbuffer *input, size_t added)
{
	struct evbuffer_ptr from;
	struct evbuffer_iovec pieces[16];
	int n;

	evbuffer_ptr_set(input, &from, evbuffer_get_length(input) - added, EVBUFFER_PTR_SET);
	n = evbuffer_peek(input, -1, &from, pieces, 16);
	for (int i = 0; i < n && i < 16; i++)
		for (size_t j = 0; j < pieces[i].iov_len; j++) {
			char octet = ((const char *)pieces[i].iov_base)[j];

			if (octet == '\n' && c->line == 0)
				return true;
			if (octet == '\n')
				c->line = 0;
			else if (octet != '\r')
				c->line++;
		}
	return false;
}

static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *c = arg;
	const struct https *h = c->listener->https;

	if (!info->n_added || c->phase == PHASE_ENDING)
		return;
	c->took = true;
	read_on(c);
	if (evbuffer_get_length(input) > h->limits.head + c->listener->body + AHEAD) {
		stats_add(STATS_https_flooded);
		LOG(https, INFO, "listener=%s peer=%s flooded=%zu", c->listener->name, c->peer,
			evbuffer_get_length(input));
		https_connection_close(c);
		return;
	}
	if (c->phase == PHASE_IDLE)
		https_connection_phase_set(c, PHASE_HEAD);
	if (c->phase == PHASE_FIRST)
		enter(c, PHASE_HEAD);
	if (c->phase == PHASE_HEAD && head_ends(c, input, info->n_added)) {
		c->line = 0;
		https_connection_phase_set(c, PHASE_BODY);
	}
}

/* What evhttp answers by itself, before a request is whole: 100, 400, 413, 417, 501. */
static void
on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *c = arg;
	struct evbuffer_ptr from;
	char line[13] = "";
	unsigned status;

	if (!info->n_added ||
		(c->phase != PHASE_FIRST && c->phase != PHASE_HEAD && c->phase != PHASE_BODY))
		return;
	evbuffer_ptr_set(
		output, &from, evbuffer_get_length(output) - info->n_added, EVBUFFER_PTR_SET);
	evbuffer_copyout_from(output, &from, line, sizeof line - 1);
	if (sscanf(line, "HTTP/%*1u.%*1u %3u", &status) != 1 || status == 100)
		return;
	https_status_count(status);
	LOG(https, NOTICE, "listener=%s peer=%s status=%u", c->listener->name, c->peer, status);
	https_connection_phase_set(c, PHASE_ANSWER);
	/* The status line is out, the rest of evhttp's head is not. */
	for (unsigned i = 0; i < c->listener->header_n; i++)
		evbuffer_add_printf(output, "%s: %s\r\n", c->listener->headers[i].name,
			c->listener->headers[i].value);
}

/* The SSL's end is the connection's. */
static void
on_ssl_free(void *parent, void *p, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
	struct connection *c = p;
	struct https_listener *l;

	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	if (!c)
		return;
	l = c->listener;
	if (!c->shaken) {
		stats_add(STATS_https_handshakes_failed);
		LOG(https, INFO, "listener=%s peer=%s handshake=failed reason=\"%s\"", l->name,
			c->peer, c->alert ? c->alert : "the client left");
		if (c->phase != PHASE_ENDING)
			end_handshake(c);
	}
	if (c->exchange)
		https_exchange_orphan(c->exchange);
	if (c->phase == PHASE_ENDING)
		l->https->ending--;
	TAILQ_REMOVE(&l->https->queues[c->phase], c, place);
	if (c->prev)
		c->prev->next = c->next;
	else
		l->connections = c->next;
	if (c->next)
		c->next->prev = c->prev;
	l->connection_n--;
	l->https->connections--;
	stats_add_n(STATS_https_connections_open, -1);
	event_free(c->deadline);
	if (c->interest)
		event_free(c->interest);
	free((void *)(uintptr_t)c->certificates.p);
	free(c);
	https_gate_update(l->https);
	if (l->stopping && !l->connection_n)
		event_active(l->burial, EV_TIMEOUT, 0);
}

static int
ssl_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
	return index;
}

void
https_connection_meet(evutil_socket_t fd, short what, void *https)
{
	struct https *h = https;
	struct connection *c = TAILQ_LAST(&h->queues[PHASE_HELLO], connection_queue), *first = NULL;

	(void)fd;
	(void)what;
	for (; c && !c->met; c = TAILQ_PREV(c, connection_queue, place)) {
		note_peer(c, bufferevent_getfd(c->bev));
		c->met = true;
		first = c;
	}
	for (; first; first = c) {
		c = TAILQ_NEXT(first, place); /* it may go itself */
		https_room_share(first);
	}
}

static void
link_connection(struct https_listener *l, struct connection *c)
{
	c->listener = l;
	c->since = clock_mono_us();
	TAILQ_INSERT_TAIL(&l->https->queues[c->phase], c, place);
	c->next = l->connections;
	if (c->next)
		c->next->prev = c;
	l->connections = c;
	l->connection_n++;
	l->https->connections++;
	l->https->handshakes++;
	stats_add(STATS_https_connections);
	stats_add_n(STATS_https_connections_open, 1);
	stats_add_n(STATS_https_handshakes_open, 1);
	event_active(l->https->arrival, EV_TIMEOUT, 0);
	https_gate_update(l->https);
}

/* For evhttp, which would serve plain HTTP on NULL: it gets a bufferevent or the daemon ends. */
struct bufferevent *
https_connection_new(struct https_listener *l)
{
	struct event_base *base = loop_base_get(l->https->loop);
	struct connection *c = calloc(1, sizeof *c);
	SSL *ssl = SSL_new(l->identity->context);

	if (!c || !ssl || !SSL_set_ex_data(ssl, ssl_index(), c))
		abort();
	c->deadline = evtimer_new(base, on_deadline, c);
	c->bev = bufferevent_openssl_socket_new(
		base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!c->deadline || !c->bev)
		abort();
	if (!evbuffer_add_cb(bufferevent_get_input(c->bev), on_input, c) ||
		!evbuffer_add_cb(bufferevent_get_output(c->bev), on_output, c))
		abort();
	link_connection(l, c);
	https_connection_phase_set(c, PHASE_HELLO);
	return c->bev;
}
