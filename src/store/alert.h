#ifndef STORE_ALERT_H
#define STORE_ALERT_H
/* Alerts that are told once over all instances (sql/query/alert.sql). */
#include "loop/task.h"
#include "store/store.h"

struct store_ending {
	struct slice sha256; /* of the certificate or list */
	int ahead;           /* the threshold, in days; 0: its end */
	struct slice what, name;
	int64_t not_after; /* seconds since 1970 */
	int64_t days_left;
};

struct store_told {
	bool told;
};

/* R_NONE: told already. */
const struct step *store_alert_certificate(struct task *t, struct store *s,
	const struct store_ending *in, struct store_told *out, const struct step *then) MUST_RETURN;

struct store_clone {
	struct slice eid;
	int64_t addresses, tacs;
};
enum { STORE_CLONES_MOST = 1000 };

/* Rows of struct store_clone: those that were told now. A limit of 0 is none. */
const struct step *store_alert_clones(struct task *t, struct store *s, int64_t recent_seconds,
	int addresses, int tacs, struct rows *out, const struct step *then) MUST_RETURN;

#endif
