#ifndef COAP_FIXTURE_H
#define COAP_FIXTURE_H
/*
 * A listener on the loopback with a handler that shows what it was given, and clients beside it: one that puts
 * its CoAP messages together octet by octet over OpenSSL's DTLS, so that it can repeat and reorder them. All in
 * one thread: `turn` gives the server its turn.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include "base/clock.h"
#include "coap/coap.h"
#include "coap/message.h"
#include "loop/loop.h"
#include "stats/stats.h"
#include "unit/certificates.h"

/* ---- the server ---------------------------------------------------------------------------------- */

enum { PARKED = 16, BIG = 70000, PATIENCE_MS = 20000 };

struct server {
	struct loop *loop;
	struct coap_server *coap;
	struct coap_listener *listener;
	uint16_t port;
	struct request *parked[PARKED];
	unsigned parked_n;
	unsigned asked; /* requests that the handler got */
	size_t body_n;  /* octets of the last one's body */
	uint32_t body_sum;
	bool drained;
};

static uint8_t big[BIG];

/* Tells bodies of one length apart. */
static inline uint32_t
sum_of(const uint8_t *p, size_t n)
{
	uint32_t sum = 1;

	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + p[i];
	return sum;
}

static inline void
show(struct request *r)
{
	struct slice type = request_header_get(r, "content-type");
	char text[512];
	int n = snprintf(text, sizeof text, "route=%.*s type=%.*s body=%zu", SLICE_FMT(r->route),
		SLICE_FMT(type), r->body.n);
	struct answer answer = { .status = 200,
		.content_type = "application/json;charset=UTF-8",
		.body = slice_of(text, (size_t)n) };

	request_respond(r, &answer);
}

static inline void
handle(struct request *r)
{
	static const struct answer nothing = { .status = 204 };
	static const struct answer busy = { .status = 503, .retry_after = 7 };
	static const struct answer missing = { .status = 404 };
	struct answer echo = {
		.status = 200, .content_type = "application/x-gsma-rsp-asn1", .body = r->body
	};
	struct answer much = { .status = 200,
		.content_type = "application/x-gsma-rsp-asn1",
		.body = SLICE_ARRAY(big) };
	struct server *s = r->binding;

	s->asked++;
	s->body_n = r->body.n;
	s->body_sum = sum_of(r->body.p, r->body.n);
	if (slice_eq(r->route, SLICE_LIT("/echo")))
		request_respond(r, &echo);
	else if (slice_eq(r->route, SLICE_LIT("/nothing")))
		request_respond(r, &nothing);
	else if (slice_eq(r->route, SLICE_LIT("/busy")))
		request_respond(r, &busy);
	else if (slice_eq(r->route, SLICE_LIT("/missing")))
		request_respond(r, &missing);
	else if (slice_eq(r->route, SLICE_LIT("/big")))
		request_respond(r, &much);
	else if (slice_eq(r->route, SLICE_LIT("/park")) && s->parked_n < PARKED)
		s->parked[s->parked_n++] = r;
	else
		show(r);
}

static inline void
turn(struct server *s)
{
	event_base_loop(loop_base_get(s->loop), EVLOOP_NONBLOCK);
}

/* Until `fd` (-1: none) has something to read, or for that long; the server goes on meanwhile. */
static inline bool
wait_for(struct server *s, int fd, int ms)
{
	int64_t end = clock_mono_us() + ms * 1000;
	struct pollfd one = { fd, POLLIN, 0 };

	do {
		turn(s);
		if (poll(&one, fd >= 0, 1) > 0)
			return true;
	} while (clock_mono_us() < end);
	return false;
}

static inline bool
stat_becomes(struct server *s, enum stats_name name, int64_t value)
{
	for (int i = 0; i < PATIENCE_MS && stats_get(name) != value; i++)
		wait_for(s, -1, 1);
	return stats_get(name) == value;
}

static const struct coap_limits easy = { .sessions = 1000,
	.handshakes = 100,
	.body = 64 * 1024,
	.bodies = 1024 * 1024,
	.handshake_ms = 20000,
	.idle_ms = 3600000,
	.answer_ms = 20000 };

static inline struct coap_identity *
identity_of(const char *name, const char *psk, uint8_t secret, char why[COAP_WHY])
{
	char certificate[128], key[128], file[40], psk_path[128];
	uint8_t ticket[32];

	memset(ticket, secret, sizeof ticket);
	snprintf(file, sizeof file, "%s.pem", name ? name : "");
	file_in_folder(file, certificate);
	snprintf(file, sizeof file, "%s.key", name ? name : "");
	file_in_folder(file, key);
	return coap_identity_new(
		&(struct coap_identity_settings){ .name = "test",
			.certificate = name ? certificate : NULL,
			.key = name ? key : NULL,
			.psk_file = psk ? file_in_folder(psk, psk_path) : NULL,
			.ticket_secret = secret ? SLICE_ARRAY(ticket) : SLICE_NONE },
		why);
}

static inline void
server_start(struct server *s, const struct coap_limits *limits, struct coap_identity *id)
{
	static const struct loop_limits loop_limits = { .tasks = 10 };
	char why[COAP_WHY] = "";

	*s = (struct server){ 0 };
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)(i * 7 + i / 256);
	assert_non_null(id);
	s->loop = loop_new(&loop_limits);
	s->coap = coap_server_new(s->loop, limits);
	s->listener = coap_listener_new(s->coap,
		&(struct coap_listener_settings){ .name = "test", .address = "127.0.0.1" }, id,
		handle, s, why);
	assert_string_equal(why, "");
	assert_non_null(s->listener);
	coap_listener_start(s->listener);
	s->port = coap_listener_port_get(s->listener);
	assert_int_not_equal(s->port, 0);
}

static inline void
on_drained(void *arg)
{
	((struct server *)arg)->drained = true;
}

static inline void
server_drain(struct server *s, uint32_t ms)
{
	coap_server_drain(s->coap, ms, on_drained, s);
}

static inline bool
server_is_drained(struct server *s, int ms)
{
	for (int64_t end = clock_mono_us() + ms * 1000; !s->drained && clock_mono_us() < end;)
		wait_for(s, -1, 1);
	return s->drained;
}

static inline void
server_stop(struct server *s)
{
	server_drain(s, 0);
	assert_true(server_is_drained(s, PATIENCE_MS));
	coap_server_free(s->coap);
	loop_free(s->loop);
}

/* ---- a client of DTLS ------------------------------------------------------------------------------ */

struct client {
	struct server *server;
	SSL_CTX *context;
	SSL *ssl;
	int fd;
	uint16_t mid;
};

static inline int
udp_open(uint16_t own_port, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons(own_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	at.sin_port = htons(port);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

static inline uint16_t
own_port_of(int fd)
{
	struct sockaddr_in at;
	socklen_t n = sizeof at;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	return ntohs(at.sin_port);
}

static inline SSL_CTX *
client_context(void)
{
	SSL_CTX *context = SSL_CTX_new(DTLS_client_method());

	assert_non_null(context);
	return context;
}

/* Not connected yet; `session` may be NULL. */
static inline void
client_init(struct client *c, struct server *s, SSL_CTX *context, SSL_SESSION *session, int fd)
{
	BIO *bio = BIO_new_dgram(fd, BIO_NOCLOSE);
	struct sockaddr_in to;
	socklen_t n = sizeof to;

	*c = (struct client){ .server = s, .context = context, .fd = fd, .mid = 100 };
	getpeername(fd, (struct sockaddr *)&to, &n);
	BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &to);
	c->ssl = SSL_new(context);
	assert_non_null(c->ssl);
	if (session)
		SSL_set_session(c->ssl, session);
	SSL_set_bio(c->ssl, bio, bio);
	SSL_set_options(c->ssl, SSL_OP_NO_QUERY_MTU);
	DTLS_set_link_mtu(c->ssl, 1200);
}

/* One attempt at a step of the handshake: 1 done, 0 go on, -1 failed. */
static inline int
client_step(struct client *c)
{
	int did = SSL_connect(c->ssl);
	int error = did == 1 ? 0 : SSL_get_error(c->ssl, did);

	if (did == 1)
		return 1;
	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		return -1;
	DTLSv1_handle_timeout(c->ssl);
	return 0;
}

static inline bool
client_shake(struct client *c, int ms)
{
	int64_t end = clock_mono_us() + ms * 1000;
	int state;

	while (!(state = client_step(c)) && clock_mono_us() < end)
		wait_for(c->server, c->fd, 20);
	return state == 1;
}

static inline void
client_open(struct client *c, struct server *s, SSL_CTX *context)
{
	client_init(c, s, context, NULL, udp_open(0, s->port));
	assert_true(client_shake(c, PATIENCE_MS));
}

/* Silently: the server does not hear of it. */
static inline void
client_close(struct client *c)
{
	SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(c->ssl);
	close(c->fd);
}

/* ---- messages -------------------------------------------------------------------------------------- */

enum { CON, NON, ACK, RST };

struct option {
	unsigned number;
	struct slice value;
};

struct wire {
	uint8_t p[1500];
	size_t n;
	unsigned last; /* option */
};

static inline void
put(struct wire *w, const void *p, size_t n)
{
	assert_true(w->n + n <= sizeof w->p);
	if (n)
		memcpy(w->p + w->n, p, n);
	w->n += n;
}

static inline void
put_octet(struct wire *w, unsigned octet)
{
	uint8_t o = (uint8_t)octet;

	put(w, &o, 1);
}

/* A head with a token of two octets, the message ID. */
static inline void
begin(struct wire *w, unsigned type, unsigned code, uint16_t mid)
{
	*w = (struct wire){ 0 };
	put_octet(w, 0x40 | type << 4 | 2);
	put_octet(w, code);
	put_octet(w, mid >> 8);
	put_octet(w, mid);
	put_octet(w, mid >> 8);
	put_octet(w, mid);
}

static inline unsigned
nibble(unsigned value)
{
	return value < 13 ? value : value < 269 ? 13 : 14;
}

static inline void
put_extended(struct wire *w, unsigned value)
{
	if (value >= 269)
		put_octet(w, (value - 269) >> 8);
	if (value >= 13)
		put_octet(w, value >= 269 ? value - 269 : value - 13);
}

/* In the order of their numbers. */
static inline void
put_option(struct wire *w, unsigned number, const void *p, size_t n)
{
	unsigned delta = number - w->last;

	put_octet(w, nibble(delta) << 4 | nibble((unsigned)n));
	put_extended(w, delta);
	put_extended(w, (unsigned)n);
	put(w, p, n);
	w->last = number;
}

static inline void
put_number(struct wire *w, unsigned number, uint32_t value)
{
	uint8_t octets[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
		(uint8_t)value };
	size_t skip = 0;

	while (skip < 4 && !octets[skip])
		skip++;
	put_option(w, number, octets + skip, 4 - skip);
}

static inline void
put_path(struct wire *w, const char *path)
{
	const char *end;

	for (; *path == '/'; path = end) {
		path++;
		end = strchrnul(path, '/');
		put_option(w, COAP_OPTION_URI_PATH, path, (size_t)(end - path));
	}
}

static inline uint32_t
block_of(unsigned num, bool more, unsigned szx)
{
	return num << 4 | (more ? 8u : 0) | szx;
}

static inline void
put_payload(struct wire *w, const void *p, size_t n)
{
	put_octet(w, 0xff);
	put(w, p, n);
}

static inline void
client_send(struct client *c, const struct wire *w)
{
	assert_int_equal(SSL_write(c->ssl, w->p, (int)w->n), (int)w->n);
}

/* A reply as it came, taken apart. */
struct reply_seen {
	unsigned type, code;
	uint16_t mid;
	size_t token_n;
	uint8_t token[8];
	int format;
	int64_t max_age, block1, block2, size1, size2; /* -1: not there */
	uint8_t payload[1500];
	size_t payload_n;
};

static inline unsigned
take_extended(const uint8_t **p, unsigned value)
{
	if (value < 13)
		return value;
	if (value == 13)
		return *(*p)++ + 13u;
	*p += 2;
	return ((unsigned)(*p)[-2] << 8 | (*p)[-1]) + 269;
}

static inline void
see_option(struct reply_seen *r, unsigned number, const uint8_t *p, unsigned n)
{
	int64_t value = 0;

	for (unsigned i = 0; i < n; i++)
		value = value << 8 | p[i];
	switch (number) {
	case COAP_OPTION_CONTENT_FORMAT:
		r->format = (int)value;
		break;
	case COAP_OPTION_MAXAGE:
		r->max_age = value;
		break;
	case COAP_OPTION_BLOCK1:
		r->block1 = value;
		break;
	case COAP_OPTION_BLOCK2:
		r->block2 = value;
		break;
	case COAP_OPTION_SIZE1:
		r->size1 = value;
		break;
	case COAP_OPTION_SIZE2:
		r->size2 = value;
		break;
	}
}

static inline void
see(struct reply_seen *r, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;
	unsigned number = 0;

	*r = (struct reply_seen){ .type = p[0] >> 4 & 3,
		.code = p[1],
		.mid = (uint16_t)(p[2] << 8 | p[3]),
		.token_n = p[0] & 15,
		.format = -1,
		.max_age = -1,
		.block1 = -1,
		.block2 = -1,
		.size1 = -1,
		.size2 = -1 };
	memcpy(r->token, p + 4, r->token_n);
	p += 4 + r->token_n;
	while (p < end && *p != 0xff) {
		unsigned delta = *p >> 4, length = *p & 15;

		p++;
		number += take_extended(&p, delta);
		length = take_extended(&p, length);
		see_option(r, number, p, length);
		p += length;
	}
	if (p < end) {
		r->payload_n = (size_t)(end - p - 1);
		memcpy(r->payload, p + 1, r->payload_n);
	}
}

/* The next message of the server's; false when none comes in that time. */
static inline bool
client_receive(struct client *c, struct reply_seen *r, int ms)
{
	int64_t end = clock_mono_us() + ms * 1000;
	uint8_t octets[2048];
	int n;

	while ((n = SSL_read(c->ssl, octets, sizeof octets)) <= 0) {
		if (SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_READ || clock_mono_us() >= end)
			return false;
		wait_for(c->server, c->fd, 5);
	}
	see(r, octets, (size_t)n);
	return true;
}

static inline void
client_ask(struct client *c, const struct wire *w, struct reply_seen *r)
{
	client_send(c, w);
	assert_true(client_receive(c, r, PATIENCE_MS));
}

/* A Confirmable POST without options of its own. */
static inline void
client_post(struct client *c, const char *path, struct slice body, struct reply_seen *r)
{
	struct wire w;

	begin(&w, CON, CODE_POST, ++c->mid);
	put_path(&w, path);
	if (body.n)
		put_payload(&w, body.p, body.n);
	client_ask(c, &w, r);
	assert_int_equal(r->type, ACK);
	assert_int_equal(r->mid, c->mid);
	assert_int_equal(r->token_n, 2);
	assert_memory_equal(r->token, w.p + 4, 2);
}

/* Not again, and nothing else: the server keeps quiet. */
static inline void
assert_silence(struct client *c)
{
	struct reply_seen r;

	assert_false(client_receive(c, &r, 100));
}

#endif
