/* The table of refusals (eim/errors.def) as constants, with a count of each. */
#include "eim/refusal.h"

#define REFUSAL(name, subject, reason, code, level, words) INDEX_##name,
enum {
#include "eim/errors.def"
	REFUSALS
};
#undef REFUSAL

#define REFUSAL(name, subject, reason, code, level, words)                                      \
	const struct eim_refusal EIM_##name = { { #name, LOG_##level, words }, subject, reason, \
		code };
#include "eim/errors.def"
#undef REFUSAL

#define REFUSAL(name, subject, reason, code, level, words) [INDEX_##name] = &EIM_##name,
static const struct eim_refusal *const all[REFUSALS] = {
#include "eim/errors.def"
};
#undef REFUSAL

static uint64_t counts[REFUSALS];

void
eim_refusal_count(const struct eim_refusal *no)
{
	for (size_t i = 0; i < REFUSALS; i++)
		counts[i] += all[i] == no;
}

void
eim_refusal_each(void (*visit)(void *arg, const struct eim_refusal *no, uint64_t count), void *arg)
{
	for (size_t i = 0; i < REFUSALS; i++)
		visit(arg, all[i], counts[i]);
}
