#ifndef STORE_EIM_H
#define STORE_EIM_H
/*
 * The eIM's queue (sql/query/eim.sql): what is wanted of eUICCs, what went out, what came back. EIDs are 32 digits,
 * times microseconds since 1970, STORE_NULL stands for what is not there. Packages are known by their numbers.
 */
#include "loop/task.h"
#include "store/store.h"

/* ---- what administrators and other parts of the house ask ------------------------------------------- */

/* Something that is wanted; `kind` is "package", "data" or "trigger", `body` its octets (eim/queue.h). */
struct store_wanted {
	struct slice eid;
	int64_t operator_id; /* whose eUICC it must be; STORE_NULL: anybody's */
	struct slice kind, what, body;
	int16_t priority;
	int64_t deadline;       /* to be handed out at all; STORE_NULL: none */
	bool barrier, farewell; /* changes how we sign; deletes us from the eUICC */
	struct slice actor, why;
	struct slice nonce; /* random, of this call: a repetition of the statement is known by it */
};
struct store_queued {
	int64_t package_id;
	bool closed; /* nothing was queued: the eUICC does not know us any more */
};
/* R_NONE: the eUICC is unknown, or another operator's. */
const struct step *store_eim_queue(struct task *t, struct store *s, const struct store_wanted *in,
	struct store_queued *out, const struct step *then) MUST_RETURN;

struct store_package_state {
	struct slice state;
};
/*
 * Takes back what was never handed out, or gives up what is unknown. The state it has now tells whether that was
 * allowed: "cancelled", "failed". R_NONE: there is no such package, or it is another operator's.
 */
const struct step *store_eim_cancel(struct task *t, struct store *s, int64_t package_id,
	int64_t operator_id, struct slice actor, struct slice why, struct store_package_state *out,
	const struct step *then) MUST_RETURN;
const struct step *store_eim_close(struct task *t, struct store *s, int64_t package_id,
	int64_t operator_id, struct slice actor, struct slice why, struct store_package_state *out,
	const struct step *then) MUST_RETURN;

struct store_eim_package {
	int64_t package_id;
	struct slice eid, kind, what, state;
	int16_t priority;
	int64_t state_since;
	struct slice asked_by;
	int64_t asked_at;
	struct slice why;
	int64_t deadline, counter;
	struct slice eim_transaction_id;
	int64_t out_at;
	int32_t times_out, intervals;
	int64_t sequence;
	struct slice meaning; /* JSON (docs/eim.md); absent: not answered */
	bool rolled_back;
	int64_t retried_by; /* the package that was made anew from it */
};
/* R_NONE: as above. */
const struct step *store_eim_package_find(struct task *t, struct store *s, int64_t package_id,
	int64_t operator_id, struct store_eim_package *out, const struct step *then) MUST_RETURN;

enum { STORE_EIM_PAGE = 200 };
/* Of one eUICC, newest first, from before `before` on (STORE_NULL: the newest): rows of the above. */
const struct step *store_eim_packages(struct task *t, struct store *s, struct slice eid,
	int64_t before, int64_t operator_id, struct rows *out, const struct step *then) MUST_RETURN;

/* ---- polls and what is handed out ------------------------------------------------------------------- */

enum { STORE_POLL_MAX = 64 };

struct store_poll {
	struct slice eid;
	bool waiting; /* something may be there for it */
	bool stale;   /* it is to be noted that it was seen */
};
/* A batch of at most STORE_POLL_MAX; a row for each eUICC that is known. R_NONE: none is. */
const struct step *store_eim_poll(struct task *t, struct store *s, const struct slice *eids,
	size_t n, struct rows *out, const struct step *then) MUST_RETURN;

struct store_seen {
	int64_t seen;
};
/* Notes that they were seen, at most STORE_POLL_MAX. */
const struct step *store_eim_seen(struct task *t, struct store *s, const struct slice *eids,
	size_t n, struct store_seen *out, const struct step *then) MUST_RETURN;

struct store_eim_head {
	int64_t counter; /* the last one used */
	int64_t token, candidate;
	struct slice candidate_state; /* "fresh": to be tried */
	bool learnt, proven;          /* it has said what it is; its key is known */
	int32_t iot_version;          /* -1: not known */
	int64_t package_id;           /* STORE_NULL: there is nothing */
	struct slice kind, what, state, body, octets;
	int32_t times_out, intervals;
	bool due; /* another interval of its budget has passed */
	bool own; /* we want it ourselves */
};
/* R_NONE: the eUICC is unknown, or does not know us any more. */
const struct step *store_eim_head(struct task *t, struct store *s, struct slice eid,
	int interval_seconds, struct store_eim_head *out, const struct step *then) MUST_RETURN;

struct store_package_id {
	int64_t package_id;
};
/* Something of our own. R_NONE: the same is under way. */
const struct step *store_eim_want(struct task *t, struct store *s, const struct store_wanted *in,
	struct store_package_id *out, const struct step *then) MUST_RETURN;

struct store_handed_out {
	struct slice eid;
	int64_t package_id;
	int64_t counter, token;          /* of an eUICC package; STORE_NULL: none */
	bool tried;                      /* the token is the candidate */
	struct slice eim_transaction_id; /* 16 octets */
	struct slice octets;             /* as they go out, now and each other time */
};
/* R_CONFLICT: something else went out meanwhile, or this is not waiting any more. */
const struct step *
store_eim_hand_out(struct task *t, struct store *s, const struct store_handed_out *in,
	struct store_package_id *out, const struct step *then) MUST_RETURN;

struct store_octets {
	struct slice octets;
};
/* R_CONFLICT: it is not out any more. */
const struct step *store_eim_hand_out_again(struct task *t, struct store *s, int64_t package_id,
	int interval_seconds, struct store_octets *out, const struct step *then) MUST_RETURN;

/* The budget is spent; `results` is the body of a request for stored results. R_CONFLICT: it is not out. */
const struct step *
store_eim_step_aside(struct task *t, struct store *s, struct slice eid, int64_t package_id,
	struct slice results, struct store_package_state *out, const struct step *then) MUST_RETURN;

struct store_activation {
	struct slice state; /* "bound", or "refused": another's, or not to be had any more */
};
/* R_NONE: no order has this MatchingID. */
const struct step *store_eim_bind_code(struct task *t, struct store *s, struct slice matching_id,
	struct slice eid, struct store_activation *out, const struct step *then) MUST_RETURN;

/* ---- what comes back -------------------------------------------------------------------------------- */

struct store_changed {
	bool wanted; /* something new was queued */
};
/* A stateChangeCause; the bodies are of listProfileInfo and of a request for notifications. R_NONE: too soon. */
const struct step *store_eim_state_changed(struct task *t, struct store *s, struct slice eid,
	int cause, struct slice profiles, struct slice notifications, struct store_changed *out,
	const struct step *then) MUST_RETURN;

struct store_eim_found {
	struct slice eid;
	int32_t iot_version;
	int16_t curve;
	struct slice point; /* absent: its key is not known */
	int64_t token;
	struct slice token_standing;
	int64_t candidate;
	struct slice candidate_state, signature_form;
	int64_t package_id; /* STORE_NULL: of no package of ours */
	struct slice kind, what, state, body, octets;
	int64_t package_counter, package_token;
	int32_t times_out;
	bool farewell;
	int64_t sequence;
	bool rolled_back;
};
/* EID, id and counter (STORE_NULL) may be absent. R_NONE: nobody's. */
const struct step *store_eim_result_find(struct task *t, struct store *s, struct slice eid,
	struct slice eim_transaction_id, int64_t counter, struct store_eim_found *out,
	const struct step *then) MUST_RETURN;

struct store_eim_result {
	struct slice eid;
	int64_t package_id;
	struct slice outcome; /* "done", "failed", "unknown" */
	struct slice result;  /* as received */
	struct slice meaning; /* JSON */
	int64_t sequence;     /* STORE_NULL: none */
	struct slice form; /* "token" or "signature", by which it verified; absent: it bears none */
	int64_t token;     /* … with this one */
	struct slice profiles, eims; /* JSON, or absent */
	bool complete, unset_fallback, rollback, farewell;
	int again_seconds; /* the same is wanted once more, after so long; -1: it is not */
	int fence;
	struct slice want_profiles, want_results; /* bodies of what we want next, or absent */
	struct slice evidence;                    /* "list", "result", "installation" */
};
struct store_eim_recorded {
	int64_t package_id;
	struct slice state;
};
/* R_CONFLICT: it was answered already. */
const struct step *
store_eim_result_record(struct task *t, struct store *s, const struct store_eim_result *in,
	struct store_eim_recorded *out, const struct step *then) MUST_RETURN;

struct store_unsigned_error {
	bool fresh; /* a token that was named will be tried */
};
/* R_CONFLICT: nothing is out that it could be about. */
const struct step *
store_eim_unsigned_error(struct task *t, struct store *s, struct slice eid, int64_t package_id,
	bool has_token, int64_t token, struct slice results, struct slice profiles,
	struct store_unsigned_error *out, const struct step *then) MUST_RETURN;

/* 16 different ones of an eUICC; R_NONE: there are so many, or it is unknown. */
const struct step *
store_eim_raw_keep(struct task *t, struct store *s, struct slice eid, struct slice why,
	struct slice octets, struct slice sha256, const struct step *then) MUST_RETURN;

/* ---- notifications on their way --------------------------------------------------------------------- */

struct store_kept {
	int64_t kept; /* that were new */
};
const struct step *store_eim_notifications_keep(struct task *t, struct store *s, struct slice eid,
	const struct slice *sha256s, const struct slice *addresses, const struct slice *octets,
	size_t n, struct store_kept *out, const struct step *then) MUST_RETURN;

enum { STORE_FORWARD_MAX = 16 };
struct store_forward {
	int64_t id;
	struct slice eid, address, octets;
	int32_t attempts;
};
/*
 * At most STORE_FORWARD_MAX that are due, for a minute ours alone: those for one of `names` (lower case), or all.
 * R_NONE: none.
 */
const struct step *
store_eim_notifications_take(struct task *t, struct store *s, const struct slice *names, size_t n,
	bool all, struct rows *out, const struct step *then) MUST_RETURN;

/* `state`: "forwarded", "dead", or "waiting" with seconds to wait. */
const struct step *
store_eim_notification_done(struct task *t, struct store *s, int64_t id, struct slice state,
	struct slice error, int wait_seconds, const struct step *then) MUST_RETURN;

/* ---- by the clock ----------------------------------------------------------------------------------- */

struct store_eim_expired {
	int64_t expired;
};
const struct step *store_eim_expire(struct task *t, struct store *s, int most,
	struct store_eim_expired *out, const struct step *then) MUST_RETURN;

struct store_eim_swept {
	int64_t swept;
};
const struct step *store_eim_sweep(struct task *t, struct store *s, int most,
	struct store_eim_swept *out, const struct step *then) MUST_RETURN;

#endif
