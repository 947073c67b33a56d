/* What all listeners share: limits, the caps that pause accepting, the end of all. */
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <event2/listener.h>
#include "base/log.h"
#include "conf/conf.h"
#include "https/int.h"
#include "stats/stats.h"

enum { RELIEF_MS = 100 }; /* while accepting pauses, until it is tried again */

static const struct timeval relief_time = { 0, RELIEF_MS * 1000 };

struct https_limits
https_limits_of(const struct conf_limits *c)
{
	return (struct https_limits){ .connections = c->connections,
		.handshakes = c->handshakes,
		.head = c->head,
		.handshake_ms = c->handshake_seconds * 1000,
		.head_ms = c->head_seconds * 1000,
		.body_ms = c->body_seconds * 1000,
		.answer_ms = c->answer_seconds * 1000,
		.idle_ms = c->idle_seconds * 1000 };
}

static void
accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct https *h = arg;

	(void)fd;
	(void)what;
	h->starved = false;
	https_gate_update(h);
}

static void
on_drained(evutil_socket_t fd, short what, void *arg)
{
	struct https *h = arg;

	(void)fd;
	(void)what;
	h->done(h->done_arg);
}

struct https *
https_new(struct loop *loop, const struct https_limits *limits)
{
	struct event_base *base = loop_base_get(loop);
	struct https *h = calloc(1, sizeof *h);

	if (!h)
		abort();
	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets whose peer may have left */
	h->loop = loop;
	h->relief = evtimer_new(base, accept_again, h);
	h->arrival = event_new(base, -1, 0, https_connection_meet, h);
	h->drained = event_new(base, -1, 0, on_drained, h);
	if (!h->relief || !h->arrival || !h->drained)
		abort();
	for (int i = 0; i < PHASES; i++)
		TAILQ_INIT(&h->queues[i]);
	https_limits_set(h, limits);
	return h;
}

void
https_free(struct https *h)
{
	assert(!h->listeners);
	event_free(h->relief);
	event_free(h->arrival);
	event_free(h->drained);
	free(h);
}

/* Common timeouts cost the same however many connections wait. */
static const struct timeval *
common_time(struct https *h, uint32_t ms)
{
	struct timeval time = { ms / 1000, ms % 1000 * 1000 };
	const struct timeval *common =
		event_base_init_common_timeout(loop_base_get(h->loop), &time);

	if (!common)
		abort();
	return common;
}

void
https_limits_set(struct https *h, const struct https_limits *limits)
{
	h->limits = *limits;
	h->times[PHASE_HELLO] = h->times[PHASE_HANDSHAKE] = common_time(h, limits->handshake_ms);
	h->times[PHASE_FIRST] = h->times[PHASE_HEAD] = common_time(h, limits->head_ms);
	h->times[PHASE_BODY] = common_time(h, limits->body_ms);
	h->times[PHASE_ANSWER] = common_time(h, limits->answer_ms);
	h->times[PHASE_IDLE] = common_time(h, limits->idle_ms);
	for (struct https_listener *l = h->listeners; l; l = l->next)
		evhttp_set_max_headers_size(l->http, (ev_ssize_t)limits->head);
	https_gate_update(h);
}

void
https_gate_update(struct https *h)
{
	bool pause = !https_room_make(h) || h->starved;

	if (pause)
		evtimer_add(h->relief, &relief_time); /* by then somebody may have idled enough */
	if (pause == h->paused)
		return;
	h->paused = pause;
	if (pause)
		stats_add(STATS_https_pauses);
	LOG(https, DEBUG, "accepting=%s connections=%u handshakes=%u", pause ? "paused" : "resumed",
		h->connections, h->handshakes);
	for (struct https_listener *l = h->listeners; l; l = l->next) {
		if (!l->bound || !l->started)
			continue;
		if (pause)
			evconnlistener_disable(evhttp_bound_socket_get_listener(l->bound));
		else
			evconnlistener_enable(evhttp_bound_socket_get_listener(l->bound));
	}
}

void
https_starve(struct https *h)
{
	h->starved = true;
	https_gate_update(h);
}

void
https_forget(struct https *h, struct https_listener *l)
{
	struct https_listener **at = &h->listeners;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (!h->listeners && h->done)
		event_active(h->drained, EV_TIMEOUT, 0);
}

void
https_drain(struct https *h, uint32_t ms, void (*done)(void *arg), void *arg)
{
	h->done = done;
	h->done_arg = arg;
	for (struct https_listener *l = h->listeners; l; l = l->next)
		https_listener_stop(l, ms);
	if (!h->listeners)
		event_active(h->drained, EV_TIMEOUT, 0);
}
