/* What all listeners share: limits, the room for bodies, what is forgotten with time, the end of all. */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/log.h"
#include "coap/int.h"
#include "conf/conf.h"
#include "stats/stats.h"

enum {
	SWEEP_S = 5,
	SESSION_OCTETS = 64 * 1024, /* what a session costs */
	SESSIONS_LEAST = 1000,
	HANDSHAKES_LEAST = 200,
	BODIES_LEAST = 16 * 1024 * 1024,
};

/* Sessions may take a quarter of the machine's memory, and bodies a sixteenth. */
static size_t
memory_get(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

	return pages > 0 && page > 0 ? (size_t)pages * (size_t)page : 0;
}

static size_t
at_least(size_t n, size_t least)
{
	return n > least ? n : least;
}

struct coap_limits
coap_limits_of(const struct conf_limits *c)
{
	size_t memory = memory_get();
	unsigned sessions = c->coap_sessions
		? c->coap_sessions
		: (unsigned)at_least(memory / 4 / SESSION_OCTETS, SESSIONS_LEAST);

	return (struct coap_limits){ .sessions = sessions,
		.handshakes = c->coap_handshakes
			? c->coap_handshakes
			: (unsigned)at_least(sessions / 10, HANDSHAKES_LEAST),
		.body = c->coap_body,
		.bodies = c->coap_bodies ? c->coap_bodies : at_least(memory / 16, BODIES_LEAST),
		.handshake_ms = c->coap_handshake_seconds * 1000,
		.idle_ms = c->coap_idle_seconds * 1000,
		.answer_ms = c->coap_answer_seconds * 1000 };
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct coap_server *s = arg;

	(void)fd;
	(void)what;
	coap_talk_sweep(&s->room);
}

static void
on_drained(evutil_socket_t fd, short what, void *arg)
{
	struct coap_server *s = arg;

	(void)fd;
	(void)what;
	s->done(s->done_arg);
}

struct coap_server *
coap_server_new(struct loop *loop, const struct coap_limits *limits)
{
	static const struct timeval often = { SWEEP_S, 0 };
	struct event_base *base = loop_base_get(loop);
	struct coap_server *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	coap_startup();
	coap_set_log_level(0); /* what it has to say we count, and say with our own words */
	s->loop = loop;
	s->room.base = base;
	TAILQ_INIT(&s->room.talks);
	s->sweep = event_new(base, -1, EV_PERSIST, on_sweep, s);
	s->drained = event_new(base, -1, 0, on_drained, s);
	if (!s->sweep || !s->drained || event_add(s->sweep, &often) < 0)
		abort();
	coap_server_limits_set(s, limits);
	return s;
}

void
coap_server_free(struct coap_server *s)
{
	assert(!s->listeners);
	event_free(s->sweep);
	event_free(s->drained);
	free(s);
}

/* Common timeouts cost the same however many wait. */
static const struct timeval *
common_time(struct coap_server *s, uint32_t ms)
{
	struct timeval time = { ms / 1000, ms % 1000 * 1000 };
	const struct timeval *common =
		event_base_init_common_timeout(loop_base_get(s->loop), &time);

	if (!common)
		abort();
	return common;
}

void
coap_server_limits_set(struct coap_server *s, const struct coap_limits *limits)
{
	s->limits = *limits;
	s->answer_time = common_time(s, limits->answer_ms);
	s->handshake_time = common_time(s, limits->handshake_ms);
	s->room.answer_time = s->answer_time;
	s->room.body = limits->body;
	s->room.most = limits->bodies;
	for (struct coap_listener *l = s->listeners; l; l = l->next)
		coap_listener_limits_apply(l);
}

void
coap_server_forget(struct coap_server *s, struct coap_listener *l)
{
	struct coap_listener **at = &s->listeners;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (!s->listeners && s->done)
		event_active(s->drained, EV_TIMEOUT, 0);
}

void
coap_server_drain(struct coap_server *s, uint32_t ms, void (*done)(void *arg), void *arg)
{
	s->done = done;
	s->done_arg = arg;
	for (struct coap_listener *l = s->listeners, *next; l; l = next) {
		next = l->next;
		coap_listener_stop(l, ms);
	}
	if (!s->listeners)
		event_active(s->drained, EV_TIMEOUT, 0);
}
