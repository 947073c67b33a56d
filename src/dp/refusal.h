#ifndef DP_REFUSAL_H
#define DP_REFUSAL_H
/* The refusals of the SM-DP+ (dp/errors.def), with the subject and reason codes of SGP.22 §5.2.6. */
#include "loop/task.h"

struct dp_refusal {
	struct refusal base; /* first: a refusal of the loop is one of these */
	const char *subject, *reason;
	unsigned index; /* place in errors.def */
};

#define REFUSAL(name, subject, reason, level, words) extern const struct dp_refusal DP_##name;
#include "dp/errors.def"
#undef REFUSAL

/* The row that a procedure of dp/ refused with. */
static inline const struct dp_refusal *
dp_refusal_of(const struct refusal *no)
{
	return (const struct dp_refusal *)no;
}

/* For task_refuse and verdicts: &DP_NAME as the loop knows it. */
#define REFUSE(name) (&DP_##name.base)

/* By name, as it stands in the database; NULL when there is none (a row of a newer version). */
const struct dp_refusal *dp_refusal_find(struct slice name);

/* Counts one; and how often each was given since the start. */
void dp_refusal_count(const struct dp_refusal *no);
void
dp_refusal_each(void (*visit)(void *arg, const struct dp_refusal *no, uint64_t count), void *arg);

#endif
