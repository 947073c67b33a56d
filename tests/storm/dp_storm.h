#ifndef STORM_DP_STORM_H
#define STORM_DP_STORM_H
/* Scenes of the storm that are procedures of dp/ whose state begins with a struct dp_call. */
#include "storm/dp_stage.h"
#include "storm/storm.h"

static inline void
dp_storm_on_end(struct task *t)
{
	const struct dp_call *call = t->state;

	if (t->bad)
		storm_end(UNWELL, trouble_name(t->bad));
	else if (t->no)
		storm_end(REFUSED, call->note ? call->note : t->no->name);
	else
		storm_end(SUCCEEDED, NULL);
}

static inline void
dp_storm_start(const struct scene *s)
{
	struct task *t = task_new(stage.loop, s->procedure, NULL, dp_storm_on_end);

	assert_non_null(t);
	stage_transaction_renew();
	stage.with_code = s->with_code;
	((struct dp_call *)t->state)->dp = &stage.dp;
	s->fill(t);
	task_start(t, s->procedure->first);
}

#endif
