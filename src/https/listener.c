/* Listeners: bind, accept, swap the certificate, stop gracefully. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/listener.h>
#include "base/log.h"
#include "https/int.h"

enum {
	BACKLOG = 1024,      /* connections that wait in the kernel */
	UNSENT = 128 * 1024, /* octets that the kernel takes ahead of what the client does */
	LAST_CALL_S = 1,     /* for clients to take the 503 at the end of a stop's patience */
	ALL_METHODS = EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
		EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT |
		EVHTTP_REQ_PATCH, /* so that others than POST are answered 405 by us */
};

static struct bufferevent *
on_accept(struct event_base *base, void *arg)
{
	(void)base;
	return https_connection_new(arg);
}

static void
on_accept_error(struct evconnlistener *acceptor, void *arg)
{
	struct https_listener *l = arg;

	(void)acceptor;
	LOG(https, WARNING, "listener=%s accept=failed reason=\"%s\"", l->name, strerror(errno));
	https_starve(l->https);
}

static socklen_t
read_address(const char *text, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	*out = (struct sockaddr_storage){ 0 };
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return sizeof *in;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		return 0;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	return sizeof *in6;
}

/*
 * SO_REUSEPORT: several instances on one host share the port. TCP_NODELAY is inherited by what is
 * accepted; evhttp sends head and body apart, so without it each answer waits for an acknowledgement.
 * So is TCP_NOTSENT_LOWAT: without it the kernel hides megabytes of answers that the client does not read,
 * and each would count as taken.
 */
static bool
set_options(int fd, int family)
{
	int on = 1, off = 0, unsent = UNSENT;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
		setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent) == 0 &&
		(family != AF_INET6 ||
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0);
}

/* A bound socket, or -1 with the reason; listen() is for https_listener_start. */
static int
bind_socket(const struct https_listener_settings *s, char why[HTTPS_WHY])
{
	struct sockaddr_storage address;
	socklen_t n = read_address(s->address, s->port, &address);
	int fd = n ? socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;

	if (!n)
		errno = EINVAL;
	if (fd >= 0 && set_options(fd, address.ss_family) &&
		bind(fd, (struct sockaddr *)&address, n) == 0)
		return fd;
	if (errno == EACCES)
		snprintf(why, HTTPS_WHY,
			"port %u is privileged and rspd has given its privileges up: restart rspd, "
			"or take a port from 1024 on",
			s->port);
	else
		snprintf(why, HTTPS_WHY, "cannot listen on %s port %u: %s", s->address, s->port,
			strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_storage address = { 0 };
	socklen_t n = sizeof address;

	getsockname(fd, (struct sockaddr *)&address, &n);
	return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
						   : ((struct sockaddr_in *)&address)->sin_port);
}

static void
bury(struct https_listener *l)
{
	struct https *h = l->https;

	if (l->http)
		evhttp_free(l->http);
	if (l->last_call)
		event_free(l->last_call);
	if (l->burial)
		event_free(l->burial);
	https_identity_free(l->identity);
	https_forget(h, l);
	free(l->name);
	free(l);
}

static void
on_burial(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	bury(arg);
}

/* Patience is over: what is pending is answered 503, what does not even ask is cut. */
static void
on_last_call(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval moment = { LAST_CALL_S, 0 };
	struct https_listener *l = arg;

	(void)fd;
	(void)what;
	LOG(https, WARNING, "listener=%s stopping=late connections=%u", l->name, l->connection_n);
	for (struct connection *c = l->connections; c; c = c->next) {
		if (c->exchange)
			https_exchange_abort(c->exchange);
		if (c->phase == PHASE_ANSWER)
			event_add(c->deadline, &moment);
		else
			https_connection_close(c);
	}
}

struct https_listener *
https_listener_new(struct https *h, const struct https_listener_settings *s,
	struct https_identity *id, https_handler *handler, void *binding, char why[HTTPS_WHY])
{
	struct event_base *base = loop_base_get(h->loop);
	struct https_listener *l = calloc(1, sizeof *l);
	struct evconnlistener *acceptor;
	int fd = bind_socket(s, why);

	if (!l)
		abort();
	if (fd < 0) {
		free(l);
		return NULL;
	}
	l->https = h;
	l->name = strdup(s->name);
	l->handler = handler;
	l->binding = binding;
	l->headers = s->headers;
	l->header_n = s->header_n;
	l->body = s->body;
	l->port = port_of(fd);
	l->http = evhttp_new(base);
	l->last_call = evtimer_new(base, on_last_call, l);
	l->burial = event_new(base, -1, 0, on_burial, l);
	acceptor = evconnlistener_new(base, NULL, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
	if (!l->name || !l->http || !l->last_call || !l->burial || !acceptor)
		abort();
	l->bound = evhttp_bind_listener(l->http, acceptor);
	if (!l->bound)
		abort();
	evconnlistener_set_error_cb(acceptor, on_accept_error);
	evhttp_set_bevcb(l->http, on_accept, l);
	evhttp_set_gencb(l->http, https_request_take, l);
	evhttp_set_allowed_methods(l->http, ALL_METHODS);
	evhttp_set_default_content_type(l->http, NULL);
	evhttp_set_max_headers_size(l->http, (ev_ssize_t)h->limits.head);
	evhttp_set_max_body_size(l->http, (ev_ssize_t)s->body);
	l->identity = id;
	l->next = h->listeners;
	h->listeners = l;
	return l;
}

void
https_listener_start(struct https_listener *l)
{
	struct evconnlistener *acceptor = evhttp_bound_socket_get_listener(l->bound);

	if (listen(evconnlistener_get_fd(acceptor), BACKLOG) < 0)
		abort(); /* a bound socket always can */
	l->started = true;
	if (!l->https->paused)
		evconnlistener_enable(acceptor);
	LOG(https, NOTICE, "listener=%s port=%u started", l->name, l->port);
}

void
https_listener_identity_set(struct https_listener *l, struct https_identity *id)
{
	https_identity_free(l->identity);
	l->identity = id;
}

void
https_listener_body_set(struct https_listener *l, size_t octets)
{
	l->body = octets;
	evhttp_set_max_body_size(l->http, (ev_ssize_t)octets);
}

uint16_t
https_listener_port_get(const struct https_listener *l)
{
	return l->port;
}

void
https_listener_stop(struct https_listener *l, uint32_t ms)
{
	struct timeval patience = { ms / 1000, ms % 1000 * 1000 };

	if (l->stopping)
		return;
	l->stopping = true;
	LOG(https, NOTICE, "listener=%s stopping connections=%u", l->name, l->connection_n);
	evhttp_del_accept_socket(l->http, l->bound);
	l->bound = NULL;
	for (struct connection *c = l->connections; c; c = c->next)
		if (c->phase == PHASE_IDLE)
			https_connection_close(c);
	evtimer_add(l->last_call, &patience);
	if (!l->connection_n)
		event_active(l->burial, EV_TIMEOUT, 0);
}
