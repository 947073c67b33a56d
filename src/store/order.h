#ifndef STORE_ORDER_H
#define STORE_ORDER_H
/*
 * Download orders and the moves that operators and administrators make (sql/query/order.sql). Every
 * write recognises its own repetition and answers it as the first time.
 */
#include "loop/task.h"
#include "profile/life.h"
#include "store/store.h"

/*
 * For whom a move is made, and what an operator's call is known by. The same key of the same client gets the
 * first answer, whatever came after; the same mark does while the order is as this client's call left it. All
 * zero: an administrator, who may touch everything and is not remembered.
 */
struct store_call {
	int64_t operator_id; /* 0: any */
	int64_t client_id;
	struct slice key;  /* 32 octets; absent: not remembered */
	int64_t seconds;   /* for how long */
	struct slice mark; /* 32 octets; absent: an administrator's */
};

/* What an order needs before it is written; STORE_NULL: not known. */
struct store_prepared {
	int64_t order_id;          /* the number of the order to be */
	int64_t operator_id;       /* who was named, or is calling */
	int64_t type_id;           /* of the type that was named, when it is the operator's */
	bool type_foreign;         /* another operator has a type of this name */
	int64_t iccid_type_id;     /* of the profile that was named */
	int64_t iccid_operator_id; /* and whose it is */
	bool iccid_test;           /* it is of class test */
	bool type_operational; /* for a reusable order: the type has profiles of another class */
};

/* ICCID or type may be absent; the operator by number, or (0) by name. */
const struct step *store_order_prepare(struct task *t, struct store *s, struct slice iccid,
	struct slice type_name, int64_t operator_id, struct slice operator_name, bool reusable,
	struct store_prepared *out, const struct step *then) MUST_RETURN;

/* How a move ended. Only what the statement tells is filled. */
struct store_moved {
	int64_t order_id;
	struct slice iccid, eid, matching_id, state;
};

struct store_order {
	int64_t order_id;   /* of store_order_prepare */
	struct slice iccid; /* absent: any of the type */
	bool reusable;      /* for any number of eUICCs */
	int64_t type_id;    /* STORE_NULL with an ICCID */
	struct slice eid;   /* absent: none */
	int64_t lifetime;   /* seconds; STORE_NULL: no end */
	struct slice actor, why;
	struct store_call call;
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
	struct slice smds; /* where the event was registered; absent: nowhere */
	struct slice actor, why;
	struct store_call call;
};

/* R_CONFLICT: it is another operator's, or state, EID or MatchingID do not allow it; see store_order_standing_find. */
const struct step *
store_order_confirm(struct task *t, struct store *s, const struct store_confirmation *in,
	struct store_moved *out, const struct step *then) MUST_RETURN;

/* R_CONFLICT: another operator's, or not Confirmed. */
const struct step *store_order_release(struct task *t, struct store *s, struct slice iccid,
	struct slice actor, struct slice why, const struct store_call *call,
	struct store_moved *out, const struct step *then) MUST_RETURN;

struct store_order_end {
	struct slice iccid;
	enum profile_event event; /* cancel_order_available or cancel_order_unavailable */
	bool force;               /* also when Downloaded */
	struct slice eid, matching_id;
	bool trusted; /* neither is due */
	struct slice actor, why;
	struct store_call call;
};

/* R_CONFLICT: it is another operator's, or state, EID or MatchingID do not allow it. */
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
	int64_t operator_id;
	int64_t order_id; /* STORE_NULL: never ordered */
	bool pending, cancelled;
	struct slice eid, matching_id;
	bool code_required;
	bool package_out;
	bool taken; /* another pending order has the MatchingID asked about */
};

/* R_NONE: no such profile. */
const struct step *store_order_standing_find(struct task *t, struct store *s, struct slice iccid,
	struct slice matching_id, struct store_standing *out, const struct step *then) MUST_RETURN;

struct store_calls_swept {
	int64_t swept; /* how many */
};

/* Forgets calls whose time is over, at most `most`. */
const struct step *store_order_call_sweep(struct task *t, struct store *s, int32_t most,
	struct store_calls_swept *out, const struct step *then) MUST_RETURN;

struct store_reservation {
	struct slice iccid, eid;  /* eid absent: as it is */
	struct slice matching_id; /* not empty */
	bool chosen;              /* by the caller; else another reservation's is taken over */
	struct slice smds;
	struct store_call call;
};

struct store_reserved {
	int64_t order_id;
	struct slice eid, matching_id;
	int64_t at; /* which reservation it is; STORE_NULL: none, the call is remembered */
};

/* R_CONFLICT: another operator's, or state, EID or MatchingID do not allow it. */
const struct step *
store_order_reserve(struct task *t, struct store *s, const struct store_reservation *in,
	struct store_reserved *out, const struct step *then) MUST_RETURN;

struct store_unreserved {
	int64_t freed;
};

/* The event of a reservation is deleted, unless a pending order has it by now. */
const struct step *
store_order_unreserve(struct task *t, struct store *s, const struct store_reserved *in,
	struct slice smds, struct store_unreserved *out, const struct step *then) MUST_RETURN;

/* At most `most` reservations that are older than a minute. Writes es12.delete for each. */
const struct step *store_order_unreserve_left(struct task *t, struct store *s, int32_t most,
	struct store_unreserved *out, const struct step *then) MUST_RETURN;

#endif
