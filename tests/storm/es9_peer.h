#ifndef STORM_ES9_PEER_H
#define STORM_ES9_PEER_H
/*
 * A peer of ES9+ without a transport: it asks es9_handle and hears the answer. Its request lies on the heap and
 * is freed with the answer, as a listener's is, so whoever touches it later is caught.
 */
#include "es9/es9.h"
#include "storm/card.h"

static struct {
	const char *content_type; /* NULL: not sent */
	const char *protocol;
} es9_peer = { "application/json", "gsma/rsp/v2.2.0" };

struct es9_request {
	struct request request;
	char *route, peer[32];
	uint8_t *body;
	void (*heard)(const struct answer *answer);
};

static inline struct slice
es9_peer_header(struct request *r, const char *name)
{
	(void)r;
	if (strcasecmp(name, "Content-Type") == 0)
		return slice_text(es9_peer.content_type);
	if (strcasecmp(name, "X-Admin-Protocol") == 0)
		return slice_text(es9_peer.protocol);
	return SLICE_NONE;
}

static inline void
es9_peer_respond(struct request *r, const struct answer *answer)
{
	struct es9_request *q = (struct es9_request *)r;

	q->heard(answer);
	free(q->route);
	free(q->body);
	free(q);
}

/* By whatever path. */
static inline void
es9_peer_ask_at(struct slice route, struct slice body, void (*heard)(const struct answer *answer))
{
	struct es9_request *q = calloc(1, sizeof *q);

	if (!q)
		abort();
	q->route = malloc(route.n + 1);
	q->body = malloc(body.n + 1);
	if (!q->route || !q->body)
		abort();
	memcpy(q->route, route.p, route.n);
	memcpy(q->body, body.p, body.n);
	q->heard = heard;
	snprintf(q->peer, sizeof q->peer, "192.0.2.1:49152");
	q->request = (struct request){ .route = slice_of(q->route, route.n),
		.body = slice_of(q->body, body.n),
		.peer = slice_text(q->peer),
		.header = es9_peer_header,
		.respond = es9_peer_respond,
		.binding = &stage.dp };
	es9_handle(&q->request);
}

static inline void
es9_peer_ask(const char *function, struct slice body, void (*heard)(const struct answer *answer))
{
	char route[128];

	snprintf(route, sizeof route, "/gsma/rsp2/es9plus/%s", function);
	es9_peer_ask_at(slice_text(route), body, heard);
}

#endif
