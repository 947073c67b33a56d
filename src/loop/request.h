#ifndef LOOP_REQUEST_H
#define LOOP_REQUEST_H
/*
 * A request as every transport delivers it: a route, octets, a peer. It belongs to the transport until
 * request_respond consumes it; exactly one response ends it, also when the peer has left meanwhile.
 */
#include "base/slice.h"

struct answer {
	unsigned status;          /* HTTP status */
	const char *content_type; /* NULL: no body */
	struct slice body;        /* copied by the transport before request_respond returns */
	unsigned retry_after;     /* seconds; 0: not said */
	const char
		*admin_protocol; /* X-Admin-Protocol, in place of the listener's; NULL: that one */
};

struct request {
	struct slice route; /* the path, or what stands for it */
	struct slice body;
	struct slice peer; /* address and port, for the log */
	/*
	 * The certificates by which the peer showed who it is, DER, its own first; absent: none. Nothing but
	 * that it has the key is verified. Only until the handler returns.
	 */
	struct slice certificates;
	struct slice (*header)(struct request *r, const char *name); /* absent when not sent */
	void (*respond)(struct request *r, const struct answer *answer);
	void *binding; /* the server's own: what the listener was given for its handler */
};

static inline void
request_respond(struct request *r, const struct answer *answer)
{
	r->respond(r, answer);
}

/* Header field by name without case; absent when it was not sent. Borrowed until the response. */
static inline struct slice
request_header_get(struct request *r, const char *name)
{
	return r->header ? r->header(r, name) : SLICE_NONE;
}

#endif
