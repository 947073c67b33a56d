#ifndef STORE_OPERATOR_H
#define STORE_OPERATOR_H
/*
 * Operators and the certificates of their clients (sql/query/operator.sql): what administrators change, and
 * what every instance holds in memory. Whoever changed something tells the others over the channel.
 */
#include "loop/task.h"
#include "store/store.h"

#define STORE_OPERATOR_CHANNEL "rspd_operator"

/* Rows of one look at the clients. */
enum { STORE_CLIENT_PAGE = 200 };

struct store_operator {
	struct slice name;
	struct slice requester;                     /* absent: any, or (when set) as it is */
	bool any_requester;                         /* when set: from now on */
	enum store_wish expired, remember, test_ci; /* kept: the default, or as it is */
	struct slice actor, why;
};

struct store_operator_name {
	struct slice name;
};

/* R_CONFLICT: it exists and is another, or the requester identifier is another's. */
const struct step *
store_operator_add(struct task *t, struct store *s, const struct store_operator *in,
	struct store_operator_name *out, const struct step *then) MUST_RETURN;
/* R_NONE: no such operator. Name absent: the requester identifier is another's. */
const struct step *
store_operator_set(struct task *t, struct store *s, const struct store_operator *in,
	struct store_operator_name *out, const struct step *then) MUST_RETURN;
/* R_CONFLICT: it has profile types. */
const struct step *
store_operator_remove(struct task *t, struct store *s, struct slice name, struct slice actor,
	struct slice why, struct store_operator_name *out, const struct step *then) MUST_RETURN;

struct store_new_client {
	struct slice operator_name;
	bool pinned; /* this very certificate; else any with the subject under this CA */
	struct slice certificate, sha256, subject;
	int64_t not_after; /* microseconds since 1970 */
	struct slice actor, why;
};

struct store_client_id {
	int64_t client_id; /* STORE_NULL: no such operator */
	bool added;        /* false: it was there */
};

/* R_CONFLICT: it is another operator's. */
const struct step *
store_operator_client_add(struct task *t, struct store *s, const struct store_new_client *in,
	struct store_client_id *out, const struct step *then) MUST_RETURN;

struct store_client_removed {
	int64_t client_id;
};

/* R_NONE: this operator has no such client. */
const struct step *store_operator_client_remove(struct task *t, struct store *s,
	struct slice operator_name, int64_t client_id, struct slice actor, struct slice why,
	struct store_client_removed *out, const struct step *then) MUST_RETURN;

struct store_operator_digest {
	struct slice digest; /* another one means that something was changed */
};
const struct step *store_operator_digest(struct task *t, struct store *s,
	struct store_operator_digest *out, const struct step *then) MUST_RETURN;

struct store_client {
	int64_t client_id, operator_id;
	struct slice operator_name;
	struct slice requester; /* absent: any */
	bool expired, remember, pinned;
	struct slice certificate; /* of the CA; absent when pinned */
	struct slice sha256, subject;
};

/* Up to STORE_CLIENT_PAGE rows of struct store_client behind one (0: the first). */
const struct step *store_operator_clients(struct task *t, struct store *s, int64_t after,
	struct rows *out, const struct step *then) MUST_RETURN;

#endif
