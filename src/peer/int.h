#ifndef PEER_INT_H
#define PEER_INT_H
/* What the files of this folder know of each other. */
#include <jansson.h>
#include "loop/request.h"
#include "peer/peer.h"

struct peer {
	struct https_client *client;
	struct peer_settings settings;
	bool set;
	void (*local)(struct request *r); /* NULL: this rspd serves no ES9+ */
	void *local_binding;
};

/* A JSON body that is posted; both in the task's arena. Members of `body` may be text or anything else. */
struct peer_call {
	const char *url;
	json_t *body; /* of peer_json_new */
	struct slice roots;
	struct https_keys *keys;
	uint32_t most_ms; /* 0: as configured */
};

/* Adds the header that every function of §6.5.1.3 begins with. */
void peer_header_put(struct peer *p, json_t *body, const char *call_id);
const struct step *peer_post(struct task *t, struct peer *p, const struct peer_call *call,
	struct https_reply *out, const struct step *then) MUST_RETURN;

/* "xxxxxxxx-xxxx-…" of 16 octets. */
const char *peer_uuid_text(struct arena *mem, struct slice octets);

/* Objects that go with the arena. The latter is NULL when the text is none. */
json_t *peer_json_new(struct arena *mem);
json_t *peer_json_read(struct arena *mem, struct slice text);

/* No call can be made: `then` comes at once. */
const struct step *
peer_fail(struct https_reply *out, const char *wrong, const struct step *then) MUST_RETURN;

/* functionExecutionStatus of an answer, §6.5.1.4: "Executed-Success", or codes; NULL: it has none. */
struct peer_status {
	const char *status, *subject, *reason, *message;
};
bool peer_status_read(struct arena *mem, struct slice body, struct peer_status *out);

#endif
