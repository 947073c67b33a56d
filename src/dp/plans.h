#ifndef DP_PLANS_H
#define DP_PLANS_H
/*
 * Templates as they were compiled, by number. A template's row never changes, so what is kept here is
 * right for ever; when there is no room, the one not asked for longest goes.
 */
#include <stdint.h>
#include "profile/template.h"

enum { DP_PLANS = 32 }; /* each at most a few times as large as its package */

struct dp_plans {
	struct {
		int64_t template_id; /* 0: nothing here */
		struct profile_template *template;
		uint64_t asked;
	} plan[DP_PLANS];
	uint64_t clock;
};

/* NULL when it is not kept. Good until the next put. */
const struct profile_template *dp_plan_find(struct dp_plans *p, int64_t template_id);
/* Takes the template over. */
void dp_plan_put(struct dp_plans *p, int64_t template_id, struct profile_template *template);
/* Wipes and frees them all. */
void dp_plans_fini(struct dp_plans *p);

#endif
