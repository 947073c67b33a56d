/*
 * Room for newcomers: which connections make way when a cap is reached. Connections that wait for their
 * client can be had for nothing by anybody, and while accepting pauses the kernel's queue is first come,
 * first served; so whoever holds many of them would shut out all others. Requests and answers in progress
 * never make way.
 */
#include <sys/ioctl.h>
#include <event2/bufferevent.h>
#include "base/clock.h"
#include "base/log.h"
#include "https/int.h"
#include "stats/stats.h"

enum {
	GRACE_US = 1000 * 1000, /* that each may let us wait, whoever else wants to come in */
	SHARE_LEAST = 8,        /* silent newcomers of one address that are let be, at any cap */
	ENDING_MOST = 16,       /* descriptors over the cap, until what was closed is freed */
};

/* Nothing of the client's is unread: we wait for him, not he for us. */
static bool
is_silent(const struct connection *c)
{
	int unread = 0;

	return ioctl(bufferevent_getfd(c->bev), FIONREAD, &unread) < 0 || unread == 0;
}

static bool
is_neighbour(const struct connection *a, const struct connection *b)
{
	return memcmp(a->source, b->source, sizeof a->source) == 0;
}

static void
close_for_others(struct connection *c, const char *why)
{
	stats_add(STATS_https_evicted);
	LOG(https, INFO, "listener=%s peer=%s evicted=%s", c->listener->name, c->peer, why);
	if (!c->shaken)
		c->alert = "made way";
	https_connection_close(c);
}

/* The oldest that may be asked to go, or NULL. */
static struct connection *
find_oldest(struct https *h, const enum phase *order, size_t n)
{
	int64_t now = clock_mono_us();
	struct connection *c;

	for (size_t i = 0; i < n; i++)
		TAILQ_FOREACH(c, &h->queues[order[i]], place)
		{
			if (now - c->since < GRACE_US)
				break; /* all that follow are younger */
			if (is_silent(c))
				return c;
		}
	return NULL;
}

static struct connection *
find_shaking(struct https *h)
{
	static const enum phase order[] = { PHASE_HELLO, PHASE_HANDSHAKE };

	return find_oldest(h, order, sizeof order / sizeof *order);
}

static struct connection *
find_waiting(struct https *h)
{
	static const enum phase order[] = { PHASE_IDLE, PHASE_FIRST, PHASE_HELLO, PHASE_HANDSHAKE };

	return find_oldest(h, order, sizeof order / sizeof *order);
}

bool
https_room_make(struct https *h)
{
	const struct https_limits *l = &h->limits;
	struct connection *c;

	while (h->handshakes > l->handshakes && (c = find_shaking(h)))
		close_for_others(c, "handshakes");
	while (h->connections - h->ending > l->connections && (c = find_waiting(h)))
		close_for_others(c, "connections");
	return (h->handshakes < l->handshakes || find_shaking(h)) &&
		(h->connections - h->ending < l->connections || find_waiting(h)) &&
		h->connections < l->connections + ENDING_MOST;
}

void
https_room_share(struct connection *c)
{
	struct https *h = c->listener->https;
	unsigned share = h->limits.handshakes / 4, n = 0;
	struct connection *oldest = NULL, *at;

	if (share < SHARE_LEAST)
		share = SHARE_LEAST;
	/* Who is silent only the kernel knows: it is not asked about addresses that are in their share. */
	TAILQ_FOREACH(at, &h->queues[PHASE_HELLO], place)
	{
		n += is_neighbour(at, c);
	}
	if (n <= share || !is_silent(c))
		return;
	n = 0;
	TAILQ_FOREACH(at, &h->queues[PHASE_HELLO], place)
	{
		if (!is_neighbour(at, c) || !is_silent(at))
			continue;
		if (!oldest)
			oldest = at;
		n++;
	}
	if (n > share)
		close_for_others(oldest, "share");
}
