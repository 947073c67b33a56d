/* How far behind each subscriber is, asked every few seconds so that `stats` need not wait for the database. */
#include "base/clock.h"
#include "outbox/int.h"

enum { DEADLINE_MS = 30000, ARENA = 1024 * 1024 };

struct measuring {
	struct work work;
	struct rows lags;
};

/* clang-format off */
#define STEPS(S) \
	S(measure) \
	S(keep)     /* for those who ask */ \
	S(give_up)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };
static const struct procedure measure_lag = { "MeasureLag", THEN(measure), THEN(give_up), steps,
	DEADLINE_MS, ARENA, sizeof(struct measuring) };

static const struct step *
measure(struct task *t)
{
	struct measuring *c = t->state;

	return store_outbox_lag(t, c->work.outbox->store, &c->lags, THEN(keep));
}

void
outbox_measure_fini(struct outbox *o)
{
	arena_fini(&o->lags_mem);
	o->lags = NULL;
	o->lag_n = 0;
}

static void
copy_lags(struct outbox *o, const struct rows *rows)
{
	const struct store_lag *from = rows->first;
	struct store_lag *to;

	outbox_measure_fini(o);
	to = ARENA_ARRAY(&o->lags_mem, struct store_lag, rows->n);
	for (size_t i = 0; i < rows->n; i++) {
		to[i] = from[i];
		to[i].kind = arena_copy(&o->lags_mem, from[i].kind);
		to[i].name = arena_copy(&o->lags_mem, from[i].name);
	}
	o->lags = to;
	o->lag_n = rows->n;
}

static const struct step *
keep(struct task *t)
{
	struct measuring *c = t->state;
	struct outbox *o = c->work.outbox;

	copy_lags(o, &c->lags);
	o->measured_us = clock_wall_us();
	FINISH;
}

static const struct step *
give_up(struct task *t)
{
	LOG(outbox, WARNING, "task=MeasureLag result=%s note=\"tried again in 5 seconds\"",
		trouble_name(t->bad));
	FINISH;
}

void
outbox_measure(struct outbox *o)
{
	struct task *t = outbox_work_new(o, &measure_lag, &o->measuring);

	if (t)
		task_start(t, measure_lag.first);
}
