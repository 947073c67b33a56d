#ifndef PEER_LOCAL_H
#define PEER_LOCAL_H
/*
 * A call of ES9+ that stays in this house: when the SM-DP+ of a profile is this very rspd, the eIM's call is a
 * request to its own binding, without a network and through the same procedure. Who serves it is registered by the
 * program; neither side knows the other.
 */
#include "loop/request.h"
#include "peer/peer.h"

/* `handler` gets each request once and answers it with request_respond, now or later. */
void peer_local_set(struct peer *p, void (*handler)(struct request *r), void *binding);

/*
 * The awaitable, as https_client_post: R_OK with a status, R_NONE when nobody is registered. Content type, body and
 * reply live in the task's arena. A task that stops waiting leaves the answer to nobody.
 */
const struct step *
peer_local_call(struct task *t, struct peer *p, const char *route, const char *content_type,
	struct slice body, struct https_reply *out, const struct step *then) MUST_RETURN;

#endif
