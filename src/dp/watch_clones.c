/*
 * eUICCs that seem to be several: one certificate that calls from many addresses, or out of many types of
 * device, within a day. Its key was copied, or one card goes around among many phones. The sessions of the
 * last minutes say whom to count; each eUICC is told once a day.
 */
#include "dp/periodic.h"
#include "store/alert.h"

/* Longer than the period, so that what committed late is seen by the next run. */
enum { RECENT_SECONDS = 300 };

/* clang-format off */
#define STEPS(S) \
	S(count) \
	S(tell)  \
	S(give_up)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct watching {
	struct dp_periodic_run run;
	struct rows rows;
};

const struct procedure dp_watch_clones = { "WatchClones", THEN(count), THEN(give_up), steps, 60000,
	1024 * 1024, sizeof(struct watching) };

static const struct step *
count(struct task *t)
{
	struct watching *c = t->state;
	const struct dp_world *w = dp_world_hold(c->run.dp, t);

	if (!w || (!w->settings.clone_addresses && !w->settings.clone_device_types))
		FINISH;
	return store_alert_clones(t, c->run.dp->store, RECENT_SECONDS, w->settings.clone_addresses,
		w->settings.clone_device_types, &c->rows, THEN(tell));
}

static const struct step *
tell(struct task *t)
{
	const struct watching *c = t->state;
	const struct store_clone *clone = c->rows.first;
	char eid[LOG_MASKED];

	for (size_t i = 0; i < c->rows.n; i++)
		LOG(dp, WARNING, "alarm=euicc-cloned eid=%s addresses=%lld device-types=%lld",
			log_masked(clone[i].eid, eid), (long long)clone[i].addresses,
			(long long)clone[i].tacs);
	FINISH;
}

static const struct step *
give_up(struct task *t)
{
	LOG(dp, INFO, "task=WatchClones result=%s note=\"tried again in a minute\"",
		trouble_name(t->bad));
	FINISH;
}
