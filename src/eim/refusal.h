#ifndef EIM_REFUSAL_H
#define EIM_REFUSAL_H
/* Refusals of the eIM as constants: one for each row of eim/errors.def. */
#include "loop/task.h"

struct eim_refusal {
	struct refusal base;
	const char *subject, *reason; /* in JSON */
	unsigned code;                /* in ASN.1 */
};

#define REFUSAL(name, subject, reason, code, level, words) \
	extern const struct eim_refusal EIM_##name;
#include "eim/errors.def"
#undef REFUSAL

/* The row of a refusal of this folder's procedures. */
static inline const struct eim_refusal *
eim_refusal_of(const struct refusal *no)
{
	return (const struct eim_refusal *)no;
}

/* Counts one; and how often each was given since the start. */
void eim_refusal_count(const struct eim_refusal *no);
void
eim_refusal_each(void (*visit)(void *arg, const struct eim_refusal *no, uint64_t count), void *arg);

#endif
