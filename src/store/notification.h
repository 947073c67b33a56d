#ifndef STORE_NOTIFICATION_H
#define STORE_NOTIFICATION_H
/* What eUICCs report (sql/query/notification.sql). Sequence numbers are the eUICC's. */
#include "loop/task.h"
#include "store/store.h"

struct store_result {
	struct slice transaction_id;
	bool installed;
	bool disproved;     /* the failure shows that the profile is not on the card */
	struct slice event; /* "install", "fail_install_retry" or "fail_install" */
	struct slice error; /* kept with an order that ends in Error */
	struct slice why;
	int64_t sequence;
	struct slice address, evidence;
	struct slice result_data; /* simaResponse in Base64, or absent */
};

/* R_CONFLICT: it was heard before, or its profile is ordered at this moment: find again. */
const struct step *store_notification_record_result(struct task *t, struct store *s,
	const struct store_result *in, const struct step *then) MUST_RETURN;

struct store_notification {
	struct slice eid, operation, iccid, address, evidence;
	int64_t sequence;
	bool test_ci; /* signed by an eUICC of a test CI */
};

/* R_CONFLICT: it is known. */
const struct step *store_notification_record(struct task *t, struct store *s,
	const struct store_notification *in, const struct step *then) MUST_RETURN;

struct store_applied {
	int64_t applied; /* how many changed what we believe of the card */
};
const struct step *store_notification_apply(struct task *t, struct store *s, struct slice eid,
	struct slice iccid, struct store_applied *out, const struct step *then) MUST_RETURN;

struct store_straggler {
	struct slice eid, iccid;
};
/* At most 100 rows of struct store_straggler; R_NONE: there is none. */
const struct step *store_notification_stragglers(
	struct task *t, struct store *s, struct rows *out, const struct step *then) MUST_RETURN;

#endif
