#ifndef PEER_ES12_H
#define PEER_ES12_H
/* ES12 (SGP.22 §5.9): the events by which an eUICC finds us, kept at an SM-DS. */
#include "peer/peer.h"

struct peer_es12_event {
	struct slice smds;     /* its address */
	struct slice eid;      /* 32 digits */
	struct slice event_id; /* the MatchingID */
	struct slice call_id;  /* 16 octets: functionCallIdentifier */
};

/*
 * The configured address of the SM-DS that is meant: the same host name, whatever its case, and the same
 * port, 443 when none is said. Absent: no such SM-DS is configured, and none may be called for an order.
 */
struct slice peer_es12_known(struct task *t, const struct peer *p, struct slice address);

/* §5.9.1 */
const struct step *
peer_es12_register(struct task *t, struct peer *p, const struct peer_es12_event *in,
	struct https_reply *out, const struct step *then) MUST_RETURN;

enum peer_es12_outcome {
	PEER_ES12_DONE,    /* or it was done before */
	PEER_ES12_REFUSED, /* by the SM-DS */
	PEER_ES12_UNREACHABLE,
};

/* What an answer of each function means; when it is not done `wrong` tells people why. */
enum peer_es12_outcome
peer_es12_register_judge(struct task *t, const struct https_reply *reply, const char **wrong);
enum peer_es12_outcome
peer_es12_delete_judge(struct task *t, const struct https_reply *reply, const char **wrong);

/* Events es12.register and es12.delete: `data` has `smds`, `eid` and `matchingId`. */
peer_send peer_es12_send MUST_RETURN;
peer_judge peer_es12_send_judge;

#endif
