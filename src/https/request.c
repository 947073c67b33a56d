/*
 * Requests: from evhttp's to ours (loop/request.h) and the answer back. evhttp keeps a request whose
 * client has left until it is answered, and drops the answer then; so request_respond is always safe.
 */
#include <stdio.h>
#include <stdlib.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/keyvalq_struct.h>
#include <openssl/err.h>
#include "base/log.h"
#include "https/int.h"
#include "stats/stats.h"

/* A request in the handler's hands; `request` is its first member. */
struct exchange {
	struct request request;
	struct evhttp_request *ev;       /* NULL: answered in the handler's place */
	struct connection *connection;   /* NULL: gone */
	struct https_listener *listener; /* only while `ev` is not NULL */
	struct evbuffer *kept; /* the body, when `ev` was answered in the handler's place */
	char peer[PEER_LENGTH];
};

void
https_status_count(unsigned status)
{
	static const struct {
		unsigned from, to;
		enum stats_name counter;
	} kinds[] = {
		{ 200, 299, STATS_https_2xx },
		{ 400, 400, STATS_https_400 },
		{ 404, 404, STATS_https_404 },
		{ 405, 405, STATS_https_405 },
		{ 413, 413, STATS_https_413 },
		{ 415, 415, STATS_https_415 },
		{ 400, 499, STATS_https_4xx },
		{ 503, 503, STATS_https_503 },
		{ 500, 599, STATS_https_5xx },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (status >= kinds[i].from && status <= kinds[i].to) {
			stats_add(kinds[i].counter);
			return;
		}
}

/* The kernel has the whole answer. */
static void
on_sent(struct evhttp_request *ev, void *arg)
{
	struct connection *c = arg;

	(void)ev;
	if (c->listener->stopping)
		https_connection_close(c);
	else
		https_connection_phase_set(c, PHASE_IDLE);
}

/* evhttp is about to close: a notice for the client, so that he can tell it from a cut. */
static void
on_close(struct evhttp_connection *evcon, void *arg)
{
	SSL *ssl = bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(evcon));

	(void)arg;
	if (!(SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN))
		SSL_shutdown(ssl);
	ERR_clear_error();
}

/* What the listener says on every answer, unless this one says it otherwise. */
static const char *
header_value(const struct https_header *h, const struct answer *answer)
{
	return answer->admin_protocol && strcasecmp(h->name, "X-Admin-Protocol") == 0
		? answer->admin_protocol
		: h->value;
}

static void
send_answer(struct evhttp_request *ev, struct connection *c, const struct answer *answer)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(ev);
	struct evhttp_connection *evcon = evhttp_request_get_connection(ev);
	char seconds[16];

	for (unsigned i = 0; c && i < c->listener->header_n; i++)
		evhttp_add_header(headers, c->listener->headers[i].name,
			header_value(&c->listener->headers[i], answer));
	if (answer->content_type)
		evhttp_add_header(headers, "Content-Type", answer->content_type);
	if (answer->retry_after) {
		snprintf(seconds, sizeof seconds, "%u", answer->retry_after);
		evhttp_add_header(headers, "Retry-After", seconds);
	}
	if (answer->content_type && answer->body.n &&
		evbuffer_add(evhttp_request_get_output_buffer(ev), answer->body.p, answer->body.n) <
			0)
		abort(); /* no memory */
	if (!c || !evcon) {
		stats_add(STATS_https_departed);
	} else {
		if (c->listener->stopping)
			evhttp_add_header(headers, "Connection", "close");
		https_status_count(answer->status);
		evhttp_request_set_on_complete_cb(ev, on_sent, c);
		https_connection_phase_set(c, PHASE_ANSWER);
	}
	evhttp_send_reply(ev, (int)answer->status, NULL, NULL);
	if (!c || !evcon)
		return;
	/* Head and body in one piece: one TLS record and one write instead of two. */
	evbuffer_pullup(bufferevent_get_output(evhttp_connection_get_bufferevent(evcon)), -1);
	https_connection_flush(c);
}

static void
respond(struct request *r, const struct answer *answer)
{
	struct exchange *x = (struct exchange *)r;
	struct connection *c = x->connection;

	if (c)
		c->exchange = NULL;
	if (x->ev) {
		send_answer(x->ev, c, answer);
	} else {
		stats_add(STATS_https_departed);
		evbuffer_free(x->kept);
	}
	free(x);
}

void
https_exchange_abort(struct exchange *x)
{
	static const struct answer busy = { .status = 503, .retry_after = 1 };
	struct evhttp_request *ev = x->ev;
	struct connection *c = x->connection;

	x->ev = NULL;
	x->connection = NULL;
	c->exchange = NULL;
	/* The task may go on with its slices of the body; route and header go with the request. */
	x->kept = evbuffer_new();
	if (!x->kept || evbuffer_add_buffer(x->kept, evhttp_request_get_input_buffer(ev)) < 0)
		abort(); /* no memory */
	x->request.route = SLICE_NONE;
	x->request.header = NULL;
	send_answer(ev, c, &busy);
}

void
https_exchange_orphan(struct exchange *x)
{
	x->connection = NULL;
}

static struct slice
find_header(struct request *r, const char *name)
{
	struct exchange *x = (struct exchange *)r;

	return slice_text(evhttp_find_header(evhttp_request_get_input_headers(x->ev), name));
}

static struct slice
get_route(struct evhttp_request *ev)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(ev);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;

	return path && *path ? slice_text(path) : SLICE_LIT("/");
}

static const char *
method_name(enum evhttp_cmd_type method)
{
	return method == EVHTTP_REQ_GET ? "GET" : method == EVHTTP_REQ_HEAD ? "HEAD" : "other";
}

/* Every function of every binding is asked by POST. */
static void
refuse_method(struct evhttp_request *ev, struct connection *c)
{
	static const struct answer no = { .status = 405 };
	char route[512];

	LOG(https, NOTICE, "listener=%s peer=%s method=%s route=%s status=405", c->listener->name,
		c->peer, method_name(evhttp_request_get_command(ev)),
		log_value(get_route(ev), route));
	evhttp_add_header(evhttp_request_get_output_headers(ev), "Allow", "POST");
	send_answer(ev, c, &no);
}

/*
 * RFC 9112 §6.1, §6.3: two lengths, a length beside chunks, or an encoding that evhttp does not know: others,
 * a balancer in between, may see another end of the body, and in what follows another request.
 */
static bool
is_ambiguous(struct evhttp_request *ev)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(ev);
	const char *length = NULL, *encoding = NULL;
	bool differ = false;

	for (const struct evkeyval *h = headers->tqh_first; h; h = h->next.tqe_next)
		if (strcasecmp(h->key, "Content-Length") == 0) {
			differ = differ || (length && strcmp(length, h->value) != 0);
			length = h->value;
		} else if (strcasecmp(h->key, "Transfer-Encoding") == 0) {
			differ = differ || encoding || strcasecmp(h->value, "chunked") != 0;
			encoding = h->value;
		}
	return differ || (length && encoding);
}

/* Whatever else came on this connection is not looked at. */
static void
refuse_ambiguous(struct evhttp_request *ev, struct connection *c)
{
	static const struct answer no = { .status = 400 };

	LOG(https, NOTICE, "listener=%s peer=%s status=400 note=ambiguous-length",
		c->listener->name, c->peer);
	evhttp_add_header(evhttp_request_get_output_headers(ev), "Connection", "close");
	send_answer(ev, c, &no);
}

void
https_request_take(struct evhttp_request *ev, void *listener)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(ev);
	struct connection *c = https_connection_find(
		bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(evcon)));
	struct evbuffer *input = evhttp_request_get_input_buffer(ev);
	struct https_listener *l = listener;
	struct exchange *x;

	if (!c->told) {
		evhttp_connection_set_closecb(evcon, on_close, NULL);
		c->told = true;
	}
	if (is_ambiguous(ev)) {
		refuse_ambiguous(ev, c);
		return;
	}
	if (evhttp_request_get_command(ev) != EVHTTP_REQ_POST) {
		refuse_method(ev, c);
		return;
	}
	x = calloc(1, sizeof *x);
	if (!x)
		abort();
	memcpy(x->peer, c->peer, sizeof x->peer);
	x->ev = ev;
	x->connection = c;
	x->listener = l;
	x->request = (struct request){ .route = get_route(ev),
		.body = slice_of(evbuffer_pullup(input, -1), evbuffer_get_length(input)),
		.peer = slice_text(x->peer),
		.certificates = https_connection_certificates(c),
		.header = find_header,
		.respond = respond,
		.binding = l->binding };
	c->exchange = x;
	stats_add(STATS_https_requests);
	https_connection_phase_set(c, PHASE_HANDLER);
	l->handler(&x->request);
}
