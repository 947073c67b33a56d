#ifndef STORE_REFUSED_H
#define STORE_REFUSED_H
/* Refused calls about a profile, for its history (sql/query/refused.sql). */
#include "loop/task.h"
#include "store/store.h"

struct store_refused {
	struct slice iccid;       /* absent: of the order that the next two would have found */
	struct slice matching_id; /* empty: by EID */
	struct slice eid;         /* 32 digits; absent: not told */
	struct slice caller;      /* "es9+", else as in the audit trail */
	struct slice function, refusal, why;
	struct slice transaction_id;  /* 16 octets, or absent */
	struct slice tac, imei, peer; /* as far as they are known */
};

struct store_refused_times {
	int64_t times; /* this caller, this function, this refusal */
};

/* R_NONE: it is about no profile that is here. */
const struct step *
store_refused_put(struct task *t, struct store *s, const struct store_refused *in,
	struct store_refused_times *out, const struct step *then) MUST_RETURN;

struct store_refused_swept {
	int64_t swept; /* how many */
};

/* Forgets what is older than 90 days, at most `most`. */
const struct step *store_refused_sweep(struct task *t, struct store *s, int32_t most,
	struct store_refused_swept *out, const struct step *then) MUST_RETURN;

#endif
