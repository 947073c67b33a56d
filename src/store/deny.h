#ifndef STORE_DENY_H
#define STORE_DENY_H
/*
 * The deny-lists (sql/query/deny.sql): what administrators add and take away, and what every instance
 * holds in memory. Whoever changed something tells the others over STORE_DENY_CHANNEL.
 */
#include "loop/task.h"
#include "store/store.h"

#define STORE_DENY_CHANNEL "rspd_deny"

/* Entries that may be in force at a time, and rows of one look. */
enum { STORE_DENY_MOST = 10000, STORE_DENY_PAGE = 500 };

/* What is denied. Absent and -1: not part of it. Octets as docs/lists.md says. */
struct store_denied {
	int64_t id;
	struct slice kind; /* "eum", "euicc", "eid", "firmware" */
	struct slice key_id, issuer_id, serial;
	struct slice eid_low, eid_high;
	int32_t firmware_low, firmware_high; /* major * 65536 + minor * 256 + revision */
};

struct store_deny_added {
	int64_t id;
	bool added; /* false: it was there */
};

/* `what->id` is not looked at. R_CONFLICT: the list is full, or the same is being added beside us. */
const struct step *
store_deny_add(struct task *t, struct store *s, const struct store_denied *what, struct slice actor,
	struct slice why, struct store_deny_added *out, const struct step *then) MUST_RETURN;

struct store_deny_removed {
	int64_t id;
};

/* R_NONE: no such entry. */
const struct step *
store_deny_remove(struct task *t, struct store *s, int64_t id, struct slice actor, struct slice why,
	struct store_deny_removed *out, const struct step *then) MUST_RETURN;

struct store_deny_digest {
	struct slice digest; /* of what is in force: another one means another list */
};
const struct step *store_deny_digest(struct task *t, struct store *s, struct store_deny_digest *out,
	const struct step *then) MUST_RETURN;

/* Up to STORE_DENY_PAGE rows of struct store_denied behind an entry (0: the first). */
const struct step *store_deny_load(struct task *t, struct store *s, int64_t after, struct rows *out,
	const struct step *then) MUST_RETURN;

/* Rows of struct store_view (store/view.h) behind an entry; `kind` absent: of every one. */
const struct step *store_deny_view(struct task *t, struct store *s, struct slice kind,
	int64_t after, int32_t most, struct rows *out, const struct step *then) MUST_RETURN;

#endif
