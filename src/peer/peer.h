#ifndef PEER_PEER_H
#define PEER_PEER_H
/*
 * Servers of others that rspd calls: what all such calls share. A call is an awaitable; what its answer
 * means is asked afterwards, without waiting.
 */
#include <stdbool.h>
#include "https/client.h"
#include "loop/task.h"

struct peer;

enum { PEER_CLIENTS = 32, PEER_SMDS = 32, PEER_ANSWER = 16 * 1024 };

struct peer_client {
	const char *name; /* [client NAME] */
	struct https_keys *keys;
};

/* An SM-DS that orders may name. One that was configured once is still called with the CIs as roots. */
struct peer_smds {
	const char *address;
	struct slice roots; /* PEM; absent: the CIs */
	bool forwarding;
};

/* What a reload may change. Text and octets live in `owner`. */
struct peer_settings {
	const char *requester;      /* functionRequesterIdentifier */
	const char *server_address; /* of the SM-DP+, as it stands in events */
	uint32_t call_ms;
	struct slice roots;          /* PEM of all configured CIs */
	struct https_keys *tls_keys; /* CERT.DP.TLS of the listeners: we, for SM-DSs */
	struct peer_client clients[PEER_CLIENTS];
	size_t client_n;
	struct peer_smds smds[PEER_SMDS];
	size_t smds_n;
	void *owner;
	void (*drop)(void *owner); /* frees all of the above */
};

/* At most `calls` at a time. Nothing can be called before the first settings. */
struct peer *peer_new(struct loop *l, unsigned calls);
/* Only when no task waits for it. */
void peer_free(struct peer *p);
/* Takes the settings over; calls in progress keep what they began with. */
void peer_settings_set(struct peer *p, const struct peer_settings *settings, unsigned calls);

/* What is to be told to a subscriber (store/outbox.h). Everything lives in the task's arena. */
struct peer_delivery {
	struct slice event_id; /* 16 octets; stands in the call, the same in each attempt */
	struct slice type, data;
	struct slice address;
	struct slice roots, client; /* may be absent */
};

/*
 * The awaitables of one kind of subscriber, and what the answer means: NULL when it was told, else what is
 * wrong, for people. When nothing can be sent `then` comes at once, without an answer.
 */
typedef const struct step *peer_send(struct task *t, struct peer *p, const struct peer_delivery *in,
	struct https_reply *out, const struct step *then);
typedef const char *
peer_judge(struct task *t, const struct peer_delivery *in, const struct https_reply *reply);

#endif
