/* The table of refusals (dp/errors.def) as constants, with a count of each. */
#include "dp/refusal.h"

#define REFUSAL(name, subject, reason, level, words) INDEX_##name,
enum {
#include "dp/errors.def"
	REFUSALS
};
#undef REFUSAL

#define REFUSAL(name, subject, reason, level, words)                                          \
	const struct dp_refusal DP_##name = { { #name, LOG_##level, words }, subject, reason, \
		INDEX_##name };
#include "dp/errors.def"
#undef REFUSAL

#define REFUSAL(name, subject, reason, level, words) &DP_##name,
static const struct dp_refusal *const rows[] = {
#include "dp/errors.def"
};
#undef REFUSAL

static uint64_t counts[REFUSALS];

const struct dp_refusal *
dp_refusal_find(struct slice name)
{
	for (unsigned i = 0; i < REFUSALS; i++)
		if (slice_eq(name, slice_text(rows[i]->base.name)))
			return rows[i];
	return NULL;
}

void
dp_refusal_count(const struct dp_refusal *no)
{
	counts[no->index]++;
}

void
dp_refusal_each(void (*visit)(void *arg, const struct dp_refusal *no, uint64_t count), void *arg)
{
	for (unsigned i = 0; i < REFUSALS; i++)
		visit(arg, rows[i], counts[i]);
}
