#ifndef HTTPS_FIXTURE_H
#define HTTPS_FIXTURE_H
/*
 * A listener on the loopback in a thread of its own, with a handler that shows what it was given, and a
 * blocking OpenSSL client. The test talks to the server's thread only through on_loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include "base/arena.h"
#include "https/https.h"
#include "loop/loop.h"
#include "stats/stats.h"
#include "unit/certificates.h"

/* ---- the server ---------------------------------------------------------------------------------- */

struct server {
	struct loop *loop;
	struct https *https;
	struct https_listener *listener;
	uint16_t port;
	pthread_t thread;
	int orders[2];
	struct event *order_event;
	sem_t done;    /* an order was carried out */
	sem_t drained; /* https_drain has ended */
	struct request *parked;
	sem_t parking; /* posted for each request parked */
};

struct order {
	void (*run)(struct server *s, const void *arg);
	const void *arg;
};

/* An answer for slow readers: more than the kernel takes at once. */
static const uint8_t big[16 * 1024 * 1024];

static inline void
show(struct request *r)
{
	char text[512];
	struct slice header = request_header_get(r, "x-admin-protocol");
	int n = snprintf(text, sizeof text, "route=%.*s header=%.*s body=%zu %.20s",
		SLICE_FMT(r->route), SLICE_FMT(header), r->body.n, (const char *)r->peer.p);
	struct answer answer = { 200, "text/plain", slice_of(text, (size_t)n), 0, NULL };

	request_respond(r, &answer);
}

static inline void
handle(struct request *r)
{
	static const struct answer nothing = { 204, NULL, { NULL, 0 }, 0, NULL };
	static const struct answer busy = { 503, NULL, { NULL, 0 }, 7, NULL };
	struct answer echo = { 200, "application/octet-stream", r->body, 0, NULL };
	struct answer much = { 200, "application/octet-stream", SLICE_ARRAY(big), 0, NULL };
	struct server *s = r->binding;

	if (slice_eq(r->route, SLICE_LIT("/echo")))
		request_respond(r, &echo);
	else if (slice_eq(r->route, SLICE_LIT("/nothing")))
		request_respond(r, &nothing);
	else if (slice_eq(r->route, SLICE_LIT("/busy")))
		request_respond(r, &busy);
	else if (slice_eq(r->route, SLICE_LIT("/big")))
		request_respond(r, &much);
	else if (slice_eq(r->route, SLICE_LIT("/park"))) {
		s->parked = r;
		sem_post(&s->parking);
	} else
		show(r);
}

static inline void
on_order(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	struct order order;

	(void)what;
	if (read(fd, &order, sizeof order) != sizeof order)
		abort();
	order.run(s, order.arg);
	sem_post(&s->done);
}

/* Runs something in the server's thread and waits for it. */
static inline void
on_loop(struct server *s, void (*run)(struct server *s, const void *arg), const void *arg)
{
	struct order order = { run, arg };

	assert_int_equal(write(s->orders[1], &order, sizeof order), sizeof order);
	sem_wait(&s->done);
}

static inline void *
serve(void *arg)
{
	loop_run(((struct server *)arg)->loop);
	return NULL;
}

static const struct https_limits easy = { .connections = 100,
	.handshakes = 50,
	.head = 8192,
	.handshake_ms = 20000,
	.head_ms = 20000,
	.body_ms = 20000,
	.answer_ms = 20000,
	.idle_ms = 60000 };

static inline struct https_identity *
identity_of(const char *name, uint8_t secret, uint8_t former, char why[HTTPS_WHY])
{
	static const char *const names[] = { "localhost" };
	char certificate[128], key[128], file[40];
	uint8_t secrets[2][32];
	struct https_identity_settings settings = { .name = "test",
		.certificate = certificate,
		.key = key,
		.names = names,
		.name_n = 1,
		.ticket_secret = SLICE_ARRAY(secrets[0]),
		.former_ticket_secret = former ? SLICE_ARRAY(secrets[1]) : SLICE_NONE };

	memset(secrets[0], secret, 32);
	memset(secrets[1], former, 32);
	snprintf(file, sizeof file, "%s.pem", name);
	file_in_folder(file, certificate);
	snprintf(file, sizeof file, "%s.key", name);
	file_in_folder(file, key);
	return https_identity_new(&settings, why);
}

static const char *server_address = "127.0.0.1";

static inline void
server_start(struct server *s, const struct https_limits *limits, struct https_identity *id)
{
	static const struct loop_limits loop_limits = { .tasks = 10 };
	static const struct https_header headers[] = { { "X-Admin-Protocol", "gsma/rsp/v2.5.0" } };
	struct https_listener_settings settings = { .name = "test",
		.address = server_address,
		.port = 0,
		.body = 4096,
		.headers = headers,
		.header_n = 1 };
	char why[HTTPS_WHY];

	*s = (struct server){ 0 };
	assert_non_null(id);
	sem_init(&s->done, 0, 0);
	sem_init(&s->drained, 0, 0);
	sem_init(&s->parking, 0, 0);
	assert_int_equal(pipe(s->orders), 0);
	s->loop = loop_new(&loop_limits);
	s->https = https_new(s->loop, limits);
	s->listener = https_listener_new(s->https, &settings, id, handle, s, why);
	assert_non_null(s->listener);
	https_listener_start(s->listener);
	s->port = https_listener_port_get(s->listener);
	s->order_event =
		event_new(loop_base_get(s->loop), s->orders[0], EV_READ | EV_PERSIST, on_order, s);
	event_add(s->order_event, NULL);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static inline void
on_drained(void *arg)
{
	sem_post(&((struct server *)arg)->drained);
}

static inline void
drain(struct server *s, const void *ms)
{
	https_drain(s->https, *(const uint32_t *)ms, on_drained, s);
}

static inline void
stop_loop(struct server *s, const void *arg)
{
	(void)arg;
	loop_stop(s->loop);
}

/* After the listeners are gone. */
static inline void
server_end(struct server *s)
{
	on_loop(s, stop_loop, NULL);
	pthread_join(s->thread, NULL);
	event_free(s->order_event);
	https_free(s->https);
	loop_free(s->loop);
	close(s->orders[0]);
	close(s->orders[1]);
}

static inline void
server_stop(struct server *s)
{
	static const uint32_t at_once = 0;

	on_loop(s, drain, &at_once);
	sem_wait(&s->drained);
	server_end(s);
}

static inline void
get_stat(struct server *s, const void *arg)
{
	(void)s;
	**(int64_t *const *)arg = stats_get(*(const enum stats_name *)((int64_t *const *)arg + 1));
}

/* A counter as the server's thread sees it. */
static inline int64_t
stat_of(struct server *s, enum stats_name name)
{
	int64_t value;
	struct {
		int64_t *out;
		enum stats_name name;
	} arg = { &value, name };

	on_loop(s, get_stat, &arg);
	return value;
}

/* Waits until a counter has a value: the server may still be at it. */
static inline bool
stat_becomes(struct server *s, enum stats_name name, int64_t value)
{
	for (int i = 0; i < 2000; i++) {
		if (stat_of(s, name) == value)
			return true;
		usleep(5000);
	}
	return false;
}

/* ---- the client ---------------------------------------------------------------------------------- */

struct client {
	int fd;
	SSL *ssl;
	char answer[16384]; /* the last one, head and body */
	int status;
};

static inline int
tcp_open(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { 30, 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A context of a client that does not verify: LPAs' verification is not the server's affair. */
static inline SSL_CTX *
client_context(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	assert_non_null(context);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	return context;
}

/* False when the handshake fails; the client is to be closed in any case. */
static inline bool
client_open(struct client *c, uint16_t port, SSL_CTX *context, SSL_SESSION *session)
{
	c->fd = tcp_open(port);
	c->ssl = SSL_new(context);
	assert_non_null(c->ssl);
	if (session)
		SSL_set_session(c->ssl, session);
	if (c->fd < 0)
		return false;
	SSL_set_fd(c->ssl, c->fd);
	return SSL_connect(c->ssl) == 1;
}

/* Without a notice; the session may still be resumed. */
static inline void
client_close(struct client *c)
{
	SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	c->ssl = NULL;
	c->fd = -1;
}

static inline bool
client_send(struct client *c, const char *text)
{
	return SSL_write(c->ssl, text, (int)strlen(text)) == (int)strlen(text);
}

/* Reads one answer by its Content-Length; false when the connection ends before. */
static inline bool
client_read(struct client *c)
{
	size_t n = 0, wanted = 0;

	c->status = 0;
	while (!wanted || n < wanted) {
		int got = SSL_read(c->ssl, c->answer + n, (int)(sizeof c->answer - 1 - n));
		const char *end, *length;

		if (got <= 0)
			return false;
		n += (size_t)got;
		c->answer[n] = 0;
		end = strstr(c->answer, "\r\n\r\n");
		if (!end)
			continue;
		length = strcasestr(c->answer, "\r\nContent-Length:");
		wanted = (size_t)(end + 4 - c->answer);
		if (length && length < end)
			wanted += strtoul(length + 17, NULL, 10);
	}
	c->status = atoi(c->answer + 9);
	return true;
}

static inline int
client_ask(struct client *c, const char *text)
{
	return client_send(c, text) && client_read(c) ? c->status : -1;
}

/* True when the server has closed; reads away what is still under way. */
static inline bool
client_ended(struct client *c)
{
	char rest[4096];
	int got;

	do
		got = SSL_read(c->ssl, rest, sizeof rest);
	while (got > 0);
	return SSL_get_error(c->ssl, got) != SSL_ERROR_WANT_READ;
}

#endif
