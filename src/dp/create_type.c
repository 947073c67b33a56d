/*
 * A profile type comes to be, perhaps with templates: packages like one that is imported, of which each of
 * its profiles is made. Templates for a type that is there: add_template.c.
 */
#include "dp/orders.h"

/* clang-format off */
#define STEPS(S) \
	S(judge_packages)   /* PE by PE; what they need; metadata           */ \
	S(number_templates) /* under which they are sealed                  */ \
	S(keep)             /* type, templates, audit: once                 */ \
	S(answer)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_create_type = { "CreateProfileType", THEN(judge_packages), NULL, steps,
	DP_TEMPLATES_DEADLINE_MS, DP_TEMPLATES_ARENA, sizeof(struct dp_create_type) };

static const struct step *
judge_packages(struct task *t)
{
	struct dp_create_type *c = t->state;
	struct dp_templates *x = &c->templates;
	const struct refusal *no;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	if (!x->count)
		GO(keep);
	no = dp_templates_judge(t, x, c->call.world, &c->call.note);
	if (no)
		return task_refuse(t, no);
	return store_template_prepare(t, c->call.dp->store, x->type_name, x->operator_name,
		(int32_t)x->count, &x->places, THEN(number_templates));
}

static const struct step *
number_templates(struct task *t)
{
	struct dp_create_type *c = t->state;

	if (!dp_templates_seal(t, &c->templates, c->call.world))
		return task_trouble(t, T_BROKEN);
	GO(keep);
}

static const struct step *
keep(struct task *t)
{
	struct dp_create_type *c = t->state;
	const struct dp_templates *x = &c->templates;
	struct store_new_type type = { .name = x->type_name,
		.keys = c->in.keys,
		.on_delete = c->in.on_delete,
		.operator_name = x->operator_name,
		.actor = c->in.actor.name,
		.low_water = c->in.low_water,
		.imsi_low = c->in.imsi_low,
		.imsi_high = c->in.imsi_high,
		.shared_imsi = c->in.shared_imsi,
		.templates = x->row,
		.template_count = x->count,
		.profile_class = x->profile_class };

	return store_profile_type_create(t, c->call.dp->store, &type, &c->out, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	struct dp_create_type *c = t->state;

	if (t->got == R_CONFLICT)
		return task_refuse(t, REFUSE(TYPE_EXISTS));
	if (c->out.type_id == STORE_NULL)
		return task_refuse(t, REFUSE(OPERATOR_UNKNOWN));
	FINISH;
}
