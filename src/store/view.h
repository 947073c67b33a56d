#ifndef STORE_VIEW_H
#define STORE_VIEW_H
/*
 * What administrators look at (sql/query/view.sql). The rows are JSON objects that the database makes,
 * in the form of the control socket's answers: nothing here is decided upon, so nothing is taken apart.
 */
#include "loop/task.h"
#include "store/store.h"

struct store_view {
	struct slice view; /* JSON */
};

/* Rows of struct store_view. `most` at a time; the next ones come after the last one's key. */
enum { STORE_VIEW_MOST = 1000 };

/* By ICCID. Absent filters do not filter. */
const struct step *store_view_profiles(struct task *t, struct store *s, struct slice type_name,
	struct slice state, struct slice after, struct slice operator_name, int32_t most,
	struct rows *out, const struct step *then) MUST_RETURN;
/* R_NONE: no such profile. */
const struct step *store_view_profile(struct task *t, struct store *s, struct slice iccid,
	struct rows *out, const struct step *then) MUST_RETURN;
/* One type of an operator with its templates and loads. R_NONE: there is none of this name. */
const struct step *store_view_type(struct task *t, struct store *s, struct slice name,
	struct slice operator_name, struct rows *out, const struct step *then) MUST_RETURN;
const struct step *store_view_types(struct task *t, struct store *s, struct slice operator_name,
	struct rows *out, const struct step *then) MUST_RETURN;

/* Which orders; what is absent, or STORE_NULL, does not filter. */
struct store_order_filter {
	struct slice state, type_name, operator_name;
	struct slice eid;
	struct slice error;   /* the refusal that ended it, by name; "any": some */
	int64_t since, until; /* created, in microseconds since 1970 */
	struct slice *iccids; /* of store_view_codes alone */
	size_t iccid_count;
	int64_t before; /* an order's number; STORE_NULL: the newest */
};

/* Newest first. */
const struct step *
store_view_orders(struct task *t, struct store *s, const struct store_order_filter *filter,
	int32_t most, struct rows *out, const struct step *then) MUST_RETURN;

/* What an activation code is made of. */
struct store_code_row {
	int64_t order_id;
	struct slice iccid, type_name, state, eid, matching_id;
	bool code_required, reusable;
};

/* Rows of struct store_code_row: orders that have a code, newest first. */
const struct step *
store_view_codes(struct task *t, struct store *s, const struct store_order_filter *filter,
	int32_t most, struct rows *out, const struct step *then) MUST_RETURN;

/* The newest `most` things that happened with a profile, the oldest first. */
const struct step *store_view_history(struct task *t, struct store *s, struct slice iccid,
	int32_t most, struct rows *out, const struct step *then) MUST_RETURN;

/* Of one operator, or of all when the name is absent. */
const struct step *store_view_operators(struct task *t, struct store *s, struct slice operator_name,
	struct rows *out, const struct step *then) MUST_RETURN;
const struct step *store_view_operator_clients(struct task *t, struct store *s,
	struct slice operator_name, struct rows *out, const struct step *then) MUST_RETURN;
/*
 * The order of this number (STORE_NULL: the one that holds the profile, or held it last) and of this profile
 * (absent: of any), with its sessions and the profile's history. R_NONE: there is none.
 */
const struct step *store_view_order(struct task *t, struct store *s, struct slice iccid,
	int64_t order_id, int32_t download_attempts, int32_t code_attempts, struct rows *out,
	const struct step *then) MUST_RETURN;
/* Newest first. */
const struct step *store_view_sessions(struct task *t, struct store *s, struct slice eid,
	struct slice iccid, struct slice operator_name, int32_t most, struct rows *out,
	const struct step *then) MUST_RETURN;
/* Oldest first, from the newest `most` of them. */
const struct step *store_view_events(struct task *t, struct store *s, struct slice iccid,
	struct slice eid, struct slice operator_name, int32_t most, struct rows *out,
	const struct step *then) MUST_RETURN;
/* Newest first, `before` an entry's number (STORE_NULL: the newest). */
const struct step *
store_view_audit(struct task *t, struct store *s, struct slice iccid, struct slice eid,
	int64_t before, int32_t most, struct rows *out, const struct step *then) MUST_RETURN;

/* By cluster key, how many sessions still await the result of their package. */
const struct step *store_view_keys(
	struct task *t, struct store *s, struct rows *out, const struct step *then) MUST_RETURN;

/* What is needed for an order's activation code. */
struct store_code {
	struct slice state, matching_id;
	bool code_required, pending;
	int64_t order_id; /* STORE_NULL: never ordered */
	struct slice eid;
	bool reusable;
};

/* R_NONE: no such profile. */
const struct step *store_view_code(struct task *t, struct store *s, struct slice iccid,
	struct store_code *out, const struct step *then) MUST_RETURN;

#endif
