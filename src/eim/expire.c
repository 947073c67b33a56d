/* Packages whose deadline has passed before they were handed out (RULES 5.1), and what serves nobody any more. */
#include "eim/forward.h"
#include "store/eim.h"

/* clang-format off */
#define STEPS(S) \
	S(expire) /* what was to be handed out by now     */ \
	S(sweep)  /* raw results, forwarded notifications */ \
	S(finish)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

enum { DEADLINE_MS = 30000, ARENA = 64 * 1024, AT_A_TIME = 500 };

struct expire {
	struct eim_run run;
	struct store_eim_expired expired;
	struct store_eim_swept swept;
};

const struct procedure eim_expire = { "ExpirePackages", THEN(expire), NULL, steps, DEADLINE_MS,
	ARENA, sizeof(struct expire) };

static const struct step *
expire(struct task *t)
{
	struct expire *c = t->state;

	return store_eim_expire(t, c->run.eim->store, AT_A_TIME, &c->expired, THEN(sweep));
}

static const struct step *
sweep(struct task *t)
{
	struct expire *c = t->state;

	return store_eim_sweep(t, c->run.eim->store, AT_A_TIME, &c->swept, THEN(finish));
}

static const struct step *
finish(struct task *t)
{
	(void)t;
	FINISH;
}
