/*
 * Keeps the deny-lists in memory as the database has them: when an instance says that it changed one, and
 * twice a second besides. The digest is asked first; the rows come only when it is another one. Until the
 * first list is there nobody is served; when the database is away the last one stays in force.
 */
#include "dp/denied.h"
#include "dp/periodic.h"

struct loading {
	struct dp_periodic_run run;
	struct store_deny_digest digest;
	struct dp_denied *fresh; /* ours until it is taken */
	struct rows rows;
	int64_t last;
};

/* clang-format off */
#define STEPS(S) \
	S(ask_digest) \
	S(begin)      /* is it another list                    */ \
	S(load)       /* again for each page                   */ \
	S(take)       /* the page; after the last one the list */ \
	S(give_up)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_load_denied = { "LoadDenied", THEN(ask_digest), THEN(give_up), steps,
	10000, 8 * 1024 * 1024, sizeof(struct loading) };

static const struct step *
ask_digest(struct task *t)
{
	struct loading *c = t->state;

	return store_deny_digest(t, c->run.dp->store, &c->digest, THEN(begin));
}

static void
drop(void *arg)
{
	struct loading *c = arg;

	dp_denied_free(c->fresh);
}

static const struct step *
begin(struct task *t)
{
	struct loading *c = t->state;
	const struct dp_denied *now = c->run.dp->denied;

	/* Nothing at all is no digest: better the former list than none. */
	if (t->got != R_OK)
		return task_trouble(t, T_BROKEN);
	if (now && slice_eq(dp_denied_digest(now), c->digest.digest))
		FINISH;
	c->fresh = dp_denied_new();
	arena_defer(t->mem, drop, c);
	GO(load);
}

static const struct step *
load(struct task *t)
{
	struct loading *c = t->state;

	return store_deny_load(t, c->run.dp->store, c->last, &c->rows, THEN(take));
}

static const struct step *
take(struct task *t)
{
	struct loading *c = t->state;
	const struct store_denied *row = c->rows.first;
	struct dp *dp = c->run.dp;

	for (size_t i = 0; i < c->rows.n; i++)
		dp_denied_add(c->fresh, &row[i]);
	/* Backwards: there is another page. */
	if (c->rows.n == STORE_DENY_PAGE) {
		c->last = row[c->rows.n - 1].id;
		GO(load);
	}
	/* A list that changed while it was read has another digest: the next run reads it again. */
	dp_denied_settle(c->fresh, c->digest.digest);
	LOG(dp, NOTICE, "did=load-denied entries=%zu", dp_denied_count(c->fresh));
	dp_denied_free(dp->denied);
	dp->denied = c->fresh;
	c->fresh = NULL;
	FINISH;
}

static const struct step *
give_up(struct task *t)
{
	LOG(dp, INFO, "task=LoadDenied result=%s note=\"tried again in a moment\"",
		trouble_name(t->bad));
	FINISH;
}
