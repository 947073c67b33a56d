/*
 * Templates for a profile type that is there: a new version for the orders to come, or variants of the
 * newest. Profiles that were loaded may be sold with it, so it is held against what they have, as a row
 * of a load is held against its templates: a package can be made of each.
 */
#include <endian.h>
#include "dp/functions.h"
#include "dp/orders.h"
#include "profile/given.h"

/* clang-format off */
#define STEPS(S) \
	S(judge_packages) /* PE by PE; metadata                           */ \
	S(judge_type)     /* they fit the type, and what is loaded of it  */ \
	S(add)            /* templates, version, audit: once              */ \
	S(answer)         /* again when the type changed under us         */
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_add_template = { "AddTemplate", THEN(judge_packages), NULL, steps,
	DP_TEMPLATES_DEADLINE_MS, DP_TEMPLATES_ARENA, sizeof(struct dp_add_template) };

static const struct step *
find_type(struct task *t)
{
	struct dp_add_template *c = t->state;
	struct dp_templates *x = &c->templates;

	return store_template_prepare(t, c->call.dp->store, x->type_name, x->operator_name,
		(int32_t)x->count, &x->places, THEN(judge_type));
}

static const struct step *
judge_packages(struct task *t)
{
	struct dp_add_template *c = t->state;
	const struct refusal *no;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	no = dp_templates_judge(t, &c->templates, c->call.world, &c->call.note);
	return no ? task_refuse(t, no) : find_type(t);
}

static struct profile_given
given_of(struct arena *mem, const struct store_template_place *place)
{
	size_t n = place->details.n / sizeof(int64_t);
	int64_t *details = ARENA_ARRAY(mem, int64_t, n + 1);
	uint64_t big;

	for (size_t i = 0; i < n; i++) {
		memcpy(&big, place->details.p + i * sizeof big, sizeof big);
		details[i] = (int64_t)be64toh(big);
	}
	return (struct profile_given){ place->fields_all, place->fields_any, details, n };
}

/* NULL: a package can be made of each for every profile that is loaded. */
static const struct refusal *
judge_given(struct task *t, const struct store_template_place *place)
{
	struct dp_add_template *c = t->state;
	const struct dp_templates *x = &c->templates;
	struct profile_given given = given_of(t->mem, place);
	struct profile_row_fault fault;

	for (size_t i = 0; i < x->count; i++) {
		bool first = i == 0 && !c->in.variant;

		if (!profile_given_fits(&given, x->compiled[i], t->mem, first, &fault))
			c->call.note = arena_printf(t->mem, "%s %s", fault.name, fault.reason);
		else if (x->network[i].p && !profile_given_in_network(&given, x->network[i]))
			c->call.note = "imsi is of another network than the owner";
		else
			continue;
		return REFUSE(TEMPLATE_NEEDS_MORE);
	}
	return NULL;
}

static int32_t
rank_of_first(const struct dp_add_template *c, const struct store_template_place *place)
{
	return c->in.variant ? place->rank + 1 : 1;
}

static const struct refusal *
judge_place(struct task *t)
{
	struct dp_add_template *c = t->state;
	const struct dp_templates *x = &c->templates;
	const struct store_template_place *place = x->places.first;

	if (place->operator_id == STORE_NULL)
		return REFUSE(OPERATOR_UNKNOWN);
	if (place->type_id == STORE_NULL)
		return REFUSE(TYPE_UNKNOWN);
	if (c->in.variant && !place->version)
		return REFUSE(TYPE_WITHOUT_TEMPLATE);
	if (place->profile_class.p && !slice_eq(place->profile_class, x->profile_class)) {
		c->call.note = "the type's profiles are of another class";
		return REFUSE(METADATA_INVALID);
	}
	if (rank_of_first(c, place) + (int32_t)x->count - 1 > STORE_TEMPLATES)
		return REFUSE(TEMPLATE_TOO_MANY);
	return judge_given(t, place);
}

static const struct step *
judge_type(struct task *t)
{
	struct dp_add_template *c = t->state;
	const struct refusal *no;

	if (!dp_templates_seal(t, &c->templates, c->call.world))
		return task_trouble(t, T_BROKEN);
	no = judge_place(t);
	if (no)
		return task_refuse(t, no);
	GO(add);
}

static const struct step *
add(struct task *t)
{
	struct dp_add_template *c = t->state;
	const struct dp_templates *x = &c->templates;
	const struct store_template_place *place = x->places.first;
	struct store_template_addition in = { .type_id = place->type_id,
		.version = place->version + !c->in.variant,
		.former = place->version,
		.rank = rank_of_first(c, place),
		.loads = place->loads,
		.templates = x->row,
		.count = x->count,
		.profile_class = x->profile_class,
		.actor = c->in.actor.name,
		.why = c->in.actor.why };

	return store_template_add(t, c->call.dp->store, &in, &c->out, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	struct dp_add_template *c = t->state;

	if (t->got != R_CONFLICT)
		FINISH;
	if (++c->tries >= DP_TRIES)
		return task_trouble(t, T_BUSY);
	t->got = R_OK;
	/* Backwards: somebody else added a template, or a load ended. */
	return find_type(t);
}
