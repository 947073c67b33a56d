/*
 * The world of the SM-DP+: credentials, trusted CIs and settings as one snapshot, numbered by the
 * database (RULES 1.1), swapped whole at a reload, and kept as long as a task or its successor needs it.
 */
#include <stdlib.h>
#include "base/clock.h"
#include "dp/dp.h"
#include "dp/functions.h"
#include "store/credential_set.h"

struct numbering {
	struct dp *dp;
	struct dp_world *world;
	void (*done)(void *arg, bool ok);
	void *arg;
	struct slice ci[DP_SETS], auth[DP_SETS], pb[DP_SETS];
	struct rows rows;
	unsigned tries;
};

/* clang-format off */
#define STEPS(S) \
	S(hold) /* the world, also when it was given up while we waited */ \
	S(ask)  /* which numbers do our sets have                       */ \
	S(take) /* fewer than asked: another instance numbers           */
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

static void
let_go(void *world)
{
	dp_world_release(world);
}

static const struct step *
hold(struct task *t)
{
	struct numbering *c = t->state;

	c->world->references++;
	arena_defer(t->mem, let_go, c->world);
	GO(ask);
}

static const struct step *
ask(struct task *t)
{
	struct numbering *c = t->state;
	const struct dp_world *w = c->world;

	for (size_t i = 0; i < w->set_count; i++) {
		c->ci[i] = SLICE_ARRAY(w->sets[i].ci_id);
		c->auth[i] = SLICE_ARRAY(w->sets[i].credential->auth_sha256);
		c->pb[i] = SLICE_ARRAY(w->sets[i].credential->pb_sha256);
	}
	return store_credential_set_number(
		t, c->dp->store, c->ci, c->auth, c->pb, w->set_count, &c->rows, THEN(take));
}

static const struct step *
take(struct task *t)
{
	struct numbering *c = t->state;
	const struct store_set_number *row = c->rows.first;

	/* Backwards, a few times: the numbers that were missing are committed by now. */
	if (c->rows.n < c->world->set_count)
		return ++c->tries < 8 ? THEN(ask) : task_trouble(t, T_BUSY);
	for (size_t i = 0; i < c->rows.n; i++)
		c->world->sets[row[i].place - 1].number = (uint8_t)row[i].id;
	FINISH;
}

static const struct procedure number_sets = { "NumberCredentialSets", THEN(hold), NULL, steps,
	10000, 256 * 1024, sizeof(struct numbering) };

/* Has `w` every set of `other`? */
static bool
covers(const struct dp_world *w, const struct dp_world *other)
{
	size_t known = 0;

	for (size_t i = 0; i < other->set_count; i++)
		for (size_t j = 0; j < w->set_count; j++)
			known += w->sets[j].number == other->sets[i].number;
	return known == other->set_count;
}

/*
 * The newest world before this one whose sets are still needed: sessions may have begun with them, and
 * this one lacks them. NULL when there is none. A world's link is set once, so that what a task found in
 * the former lives as long as the world that it holds.
 */
static struct dp_world *
former_hold(const struct dp_world *w, struct dp_world *former)
{
	int64_t now = clock_mono_us();

	while (former && covers(w, former))
		former = former->former;
	if (!former ||
		(former->replaced &&
			now - former->replaced > DP_SESSION_SECONDS * INT64_C(1000000)))
		return NULL;
	former->references++;
	return former;
}

static void
on_numbered(struct task *t)
{
	struct numbering *c = t->state;
	struct dp_world *old = c->dp->world;

	if (t->bad) {
		dp_world_release(c->world);
		c->done(c->arg, false);
		return;
	}
	if (old)
		old->replaced = clock_mono_us();
	c->world->former = former_hold(c->world, old);
	c->dp->world = c->world;
	dp_world_release(old);
	c->done(c->arg, true);
}

static void
make_sets(struct dp_world *w)
{
	w->set_count = 0;
	for (size_t i = 0; i < crypto_trust_count(w->trust); i++)
		for (size_t j = 0; j < w->credential_count && w->set_count < DP_SETS; j++) {
			struct dp_set *set = &w->sets[w->set_count++];

			memcpy(set->ci_id, crypto_trust_get(w->trust, i)->id, sizeof set->ci_id);
			set->credential = &w->credentials[j];
		}
}

void
dp_world_start(struct dp *dp, struct dp_world *w, void (*done)(void *arg, bool ok), void *arg)
{
	struct task *t = task_new(dp->loop, &number_sets, NULL, on_numbered);
	struct numbering *c;

	make_sets(w);
	if (!t) {
		dp_world_release(w);
		done(arg, false);
		return;
	}
	c = t->state;
	*c = (struct numbering){ .dp = dp, .world = w, .done = done, .arg = arg };
	task_start(t, number_sets.first);
}

void
dp_world_release(struct dp_world *w)
{
	if (!w || --w->references)
		return;
	dp_world_release(w->former);
	w->drop(w->owner);
}

struct dp_world *
dp_world_hold(struct dp *dp, struct task *t)
{
	if (!dp->world)
		return NULL;
	dp->world->references++;
	arena_defer(t->mem, let_go, dp->world);
	return dp->world;
}

bool
dp_ci_is_test(const struct dp_world *w, struct slice ci_id)
{
	for (size_t i = 0; i < w->settings.test_ci_count; i++)
		if (slice_eq(ci_id, SLICE_ARRAY(w->settings.test_cis[i])))
			return true;
	return false;
}

const struct dp_set *
dp_set_find(const struct dp_world *w, uint8_t number)
{
	for (; w; w = w->former)
		for (size_t i = 0; i < w->set_count; i++)
			if (w->sets[i].number == number)
				return &w->sets[i];
	return NULL;
}
