/* Compiled templates in memory: they hold keys when their operator put some there, and are wiped. */
#include "dp/plans.h"

const struct profile_template *
dp_plan_find(struct dp_plans *p, int64_t template_id)
{
	for (size_t i = 0; i < DP_PLANS; i++)
		if (p->plan[i].template_id == template_id && p->plan[i].template) {
			p->plan[i].asked = ++p->clock;
			return p->plan[i].template;
		}
	return NULL;
}

void
dp_plan_put(struct dp_plans *p, int64_t template_id, struct profile_template *template)
{
	size_t at = 0;

	for (size_t i = 0; i < DP_PLANS; i++) {
		if (p->plan[i].template_id == template_id) {
			at = i;
			break;
		}
		if (p->plan[i].asked < p->plan[at].asked)
			at = i;
	}
	profile_template_free(p->plan[at].template);
	p->plan[at].template_id = template_id;
	p->plan[at].template = template;
	p->plan[at].asked = ++p->clock;
}

void
dp_plans_fini(struct dp_plans *p)
{
	for (size_t i = 0; i < DP_PLANS; i++)
		profile_template_free(p->plan[i].template);
	*p = (struct dp_plans){ .clock = 0 };
}
