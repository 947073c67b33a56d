/*
 * Refused calls, told to the database behind their answer. Only of callers that have proved themselves, so
 * a forged call costs no statement here either (RULES 1.3, 1.5); at most so many at a time, so a flood of
 * right ones is answered at its own pace. How many rows a profile may have is the statement's business.
 */
#include "base/text.h"
#include "dp/tell_refused.h"
#include "stats/stats.h"
#include "store/refused.h"

enum { AT_A_TIME = 32, DEADLINE_MS = 30 * 1000, ARENA = 16 * 1024, WORDS = 256 };

/* clang-format off */
#define STEPS(S) \
	S(put)    /* behind the answer */ \
	S(told) \
	S(give_up)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct telling {
	struct dp *dp;
	struct store_refused refused;
	struct store_refused_times times;
};

static const struct procedure tell_refused = { "TellRefused", THEN(put), THEN(give_up), steps,
	DEADLINE_MS, ARENA, sizeof(struct telling) };

static const struct step *
put(struct task *t)
{
	struct telling *c = t->state;

	return store_refused_put(t, c->dp->store, &c->refused, &c->times, THEN(told));
}

static const struct step *
told(struct task *t)
{
	(void)t;
	FINISH;
}

static const struct step *
give_up(struct task *t)
{
	(void)t;
	stats_add(STATS_refused_untold);
	FINISH;
}

/* Nobody waits for an answer. */
static void
end(struct task *t)
{
	(void)t;
}

static void
on_gone(void *dp)
{
	((struct dp *)dp)->telling--;
}

static bool
is_told(const struct task *t)
{
	const struct dp_call *call = t->state;

	return t->no && !t->bad && call->proved && !call->recorded &&
		(call->iccid.p || call->matching_id.p);
}

/* What the caller said, and what was wrong; of either the beginning. */
static struct slice
reason(struct arena *mem, struct slice said, struct slice note)
{
	said = text_beginning(said, WORDS);
	note = text_beginning(note, WORDS);
	return slice_text(arena_printf(
		mem, "%.*s%s%.*s", SLICE_FMT(said), said.n && note.n ? ": " : "", SLICE_FMT(note)));
}

void
dp_refused_put(struct task *t, struct slice caller, struct slice peer, struct slice said)
{
	const struct dp_call *call = t->state;
	struct dp *dp = call->dp;
	struct telling *c;
	struct task *new;

	if (!is_told(t))
		return;
	new = dp->telling < AT_A_TIME ? task_new(dp->loop, &tell_refused, NULL, end) : NULL;
	if (!new) {
		stats_add(STATS_refused_untold);
		return;
	}
	c = new->state;
	c->dp = dp;
	c->refused = (struct store_refused){ .iccid = arena_copy(new->mem, call->iccid),
		.matching_id = arena_copy(new->mem, call->matching_id),
		.eid = arena_copy(new->mem, call->eid),
		.caller = arena_copy(new->mem, caller),
		.function = slice_text(t->procedure->name),
		.refusal = slice_text(t->no->name),
		.why = reason(new->mem, said, slice_text(call->note)),
		.transaction_id = arena_copy(new->mem, call->transaction_id),
		.tac = arena_copy(new->mem, call->tac),
		.imei = arena_copy(new->mem, call->imei),
		.peer = arena_copy(new->mem, peer) };
	dp->telling++;
	arena_defer(new->mem, on_gone, dp);
	task_start(new, THEN(put));
}
