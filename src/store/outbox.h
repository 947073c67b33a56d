#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H
/*
 * Delivery of events (sql/query/outbox.sql): what is due to whom, who may deliver it, what became of it;
 * and the subscribers. Everything here is on the background lane.
 */
#include "loop/task.h"
#include "store/store.h"

struct store_leased {
	int64_t leased;
};

/*
 * `owner` is 16 octets, this instance's. Takes the buckets in which something is due, and renews ours that
 * have less left than `renew_ms`, looking at `most` keys of each subscriber. Always R_OK.
 */
const struct step *store_outbox_lease(struct task *t, struct store *s, struct slice owner,
	int64_t lease_ms, int64_t renew_ms, int32_t most, struct store_leased *out,
	const struct step *then) MUST_RETURN;

/* The head of a key that is due. */
struct store_due {
	int64_t subscriber_id, token, outbox_id;
	int64_t payer; /* with whom the subscriber shares its room: its operator's others */
	struct slice kind, name, address, roots, client; /* roots and client may be absent */
	struct slice order_key;
	struct slice event_id; /* 16 octets */
	int64_t seq, at;       /* at: microseconds since 1970 */
	struct slice type, data;
	int32_t attempts; /* made before */
	int64_t gap_seq;  /* first dead letter since something was delivered; STORE_NULL: none */
	bool needless;    /* it would undo what is true by now */
};

enum { STORE_DUE_MOST = 256 };

/*
 * In buckets of ours whose lease lasts for `margin_ms` at least, without the `busy` ones
 * ("subscriber/key"); at most `most` of each subscriber, and `most_in_all`, the first of each payer coming
 * before anybody's second. Rows of struct store_due; R_NONE: nothing.
 */
const struct step *store_outbox_due(struct task *t, struct store *s, struct slice owner,
	int64_t margin_ms, const struct slice *busy, size_t busy_n, int32_t most,
	int32_t most_in_all, struct rows *out, const struct step *then) MUST_RETURN;

struct store_attempt {
	int64_t subscriber_id, outbox_id, token;
	struct slice order_key;
	struct slice state; /* "delivered", "waiting" or "dead" */
	int32_t status;     /* HTTP; 0: no answer */
	struct slice error; /* absent: none */
	int64_t wait_ms;    /* until the key is due again */
};

struct store_settled {
	int32_t pending; /* what the key still owes */
};

/* R_CONFLICT: the bucket is another instance's meanwhile, or it is recorded already. */
const struct step *
store_outbox_settle(struct task *t, struct store *s, const struct store_attempt *in,
	struct store_settled *out, const struct step *then) MUST_RETURN;

struct store_released {
	int64_t released;
};

const struct step *store_outbox_release(struct task *t, struct store *s, struct slice owner,
	struct store_released *out, const struct step *then) MUST_RETURN;

struct store_lag {
	int64_t subscriber_id;
	struct slice kind, name;
	bool paused;
	int64_t waiting, dead;
	int64_t oldest; /* microseconds since 1970 of the oldest that waits; STORE_NULL: none */
};

enum { STORE_LAG_MOST = 1000 };

/* Rows of struct store_lag, one for each subscriber; R_NONE: there are none. */
const struct step *store_outbox_lag(
	struct task *t, struct store *s, struct rows *out, const struct step *then) MUST_RETURN;

struct store_owed_swept {
	int64_t swept;
};

/* Keys of which nothing is owed, and leases of long ago. */
const struct step *store_outbox_sweep(struct task *t, struct store *s, int32_t most,
	struct store_owed_swept *out, const struct step *then) MUST_RETURN;
/* What was delivered more than `keep_s` seconds ago. */
const struct step *store_outbox_forget(struct task *t, struct store *s, int64_t keep_s,
	int32_t most, struct store_owed_swept *out, const struct step *then) MUST_RETURN;

/* ---- what administrators do ---------------------------------------------------------------------------- */

/* Each answers with one row of struct store_view (store/view.h); R_NONE: no such subscriber. */

struct store_callback {
	struct slice operator_name;
	struct slice address; /* https://…; absent: as it is */
	struct slice roots;   /* PEM; absent: as it is */
	struct slice client;  /* absent: as it is */
	bool card_events, card_events_given;
	struct slice actor, why;
};

/* R_NONE: no such operator, or no address for a server that is not known yet. */
const struct step *store_subscriber_callback(struct task *t, struct store *s,
	const struct store_callback *in, struct rows *out, const struct step *then) MUST_RETURN;

/* When it is resumed everything is due at once. */
const struct step *store_subscriber_pause(struct task *t, struct store *s, struct slice name,
	bool paused, struct slice actor, struct slice why, struct rows *out,
	const struct step *then) MUST_RETURN;

/* With all that is owed to it. */
const struct step *
store_subscriber_remove(struct task *t, struct store *s, struct slice name, struct slice actor,
	struct slice why, struct rows *out, const struct step *then) MUST_RETURN;

struct store_replay {
	struct slice name, iccid; /* iccid absent: by time alone */
	int64_t since, until;     /* microseconds since 1970, or STORE_NULL */
	int32_t most;
	struct slice actor, why;
};

const struct step *store_outbox_replay(struct task *t, struct store *s,
	const struct store_replay *in, struct rows *out, const struct step *then) MUST_RETURN;

/* Several rows. What is not asked for may be absent. */
const struct step *store_view_subscribers(struct task *t, struct store *s, struct slice name,
	struct rows *out, const struct step *then) MUST_RETURN;
const struct step *
store_view_deliveries(struct task *t, struct store *s, struct slice name, struct slice state,
	struct slice iccid, int32_t most, struct rows *out, const struct step *then) MUST_RETURN;

#endif
