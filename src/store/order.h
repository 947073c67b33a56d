#ifndef STORE_ORDER_H
#define STORE_ORDER_H
/*
 * Download orders and the moves that operators and administrators make (sql/query/order.sql). Every
 * write recognises its own repetition and answers it as the first time.
 */
#include "loop/task.h"
#include "profile/life.h"
#include "store/store.h"

/* What an order needs before it is written; STORE_NULL: not known. */
struct store_prepared {
	int64_t order_id;      /* the number of the order to be */
	int64_t type_id;       /* of the type that was named */
	int64_t iccid_type_id; /* of the profile that was named */
};

/* Either may be absent. */
const struct step *store_order_prepare(struct task *t, struct store *s, struct slice iccid,
	struct slice type_name, struct store_prepared *out, const struct step *then) MUST_RETURN;

/* How a move ended. Only what the statement tells is filled. */
struct store_moved {
	int64_t order_id;
	struct slice iccid, eid, matching_id, state;
};

struct store_order {
	int64_t order_id;   /* of store_order_prepare */
	struct slice iccid; /* absent: any of the type */
	int64_t type_id;    /* STORE_NULL with an ICCID */
	struct slice eid;   /* absent: none */
	int64_t lifetime;   /* seconds; STORE_NULL: no end */
	struct slice actor, why;
};

/* R_CONFLICT: not in stock. */
const struct step *store_order_create(struct task *t, struct store *s, const struct store_order *in,
	struct store_moved *out, const struct step *then) MUST_RETURN;

struct store_confirmation {
	struct slice iccid;
	struct slice eid;         /* absent: as it is */
	struct slice matching_id; /* empty: default SM-DP+ */
	bool chosen;              /* by the caller; else made here for it */
	struct slice cc_sha256;   /* absent: no Confirmation Code */
	bool release;
	struct slice actor, why;
};

/* R_CONFLICT: state, EID or MatchingID do not allow it; see store_order_standing_find. */
const struct step *
store_order_confirm(struct task *t, struct store *s, const struct store_confirmation *in,
	struct store_moved *out, const struct step *then) MUST_RETURN;

/* R_CONFLICT: not Confirmed. */
const struct step *
store_order_release(struct task *t, struct store *s, struct slice iccid, struct slice actor,
	struct slice why, struct store_moved *out, const struct step *then) MUST_RETURN;

struct store_order_end {
	struct slice iccid;
	enum profile_event event; /* cancel_order_available or cancel_order_unavailable */
	bool force;               /* also when Downloaded */
	struct slice eid, matching_id;
	bool trusted; /* neither is due */
	struct slice actor, why;
};

/* R_CONFLICT: state, EID or MatchingID do not allow it. */
const struct step *
store_order_cancel(struct task *t, struct store *s, const struct store_order_end *in,
	struct store_moved *out, const struct step *then) MUST_RETURN;

/* R_CONFLICT: nothing to reset, or never confirmed. `lifetime` in seconds or STORE_NULL. */
const struct step *store_order_reset(struct task *t, struct store *s, struct slice iccid,
	int64_t lifetime, struct slice actor, struct slice why, struct store_moved *out,
	const struct step *then) MUST_RETURN;

struct store_expired {
	int64_t expired; /* how many */
};

/* At most `most`; one with a session younger than `session_seconds` is left for later. */
const struct step *store_order_expire(struct task *t, struct store *s, int32_t most,
	int64_t session_seconds, struct store_expired *out, const struct step *then) MUST_RETURN;

/* How a profile and the order that holds it, or held it last, stand. */
struct store_standing {
	struct slice state;
	int64_t order_id; /* STORE_NULL: never ordered */
	bool pending;
	struct slice eid, matching_id;
	bool code_required;
	bool package_out;
	bool taken; /* another pending order has the MatchingID asked about */
};

/* R_NONE: no such profile. */
const struct step *store_order_standing_find(struct task *t, struct store *s, struct slice iccid,
	struct slice matching_id, struct store_standing *out, const struct step *then) MUST_RETURN;

#endif
