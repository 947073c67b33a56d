/*
 * Profile types and their templates. A template is a package like one that is imported: judged whole,
 * compiled once to see that profiles can be made of it, described as its profiles will be (all but the
 * ICCID), sealed. An order keeps to the version that was the newest when it was placed.
 */
#include "dp/functions.h"
#include "dp/orders.h"
#include "dp/personalise.h"
#include "profile/metadata.h"

/* Packages are here as text, octets, sealed, and on their way to the database. */
enum { DEADLINE_MS = 60000, ARENA = 24 * 1024 * 1024 };

/* clang-format off */
#define STEPS(S) \
	S(judge_packages)   /* PE by PE; what they need; metadata           */ \
	S(number_templates) /* under which they are sealed                  */ \
	S(keep)             /* type, templates, audit: once                 */ \
	S(answer)
#define ADD_STEPS(S) \
	S(judge_additions) \
	S(add)              /* again when the type changed under us         */ \
	S(answer_added)
/* clang-format on */
STEPS(DECLARE_STEP)
ADD_STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };
static const struct step *const add_steps[] = { ADD_STEPS(STEP_REF) NULL };

const struct procedure dp_create_type = { "CreateProfileType", THEN(judge_packages), NULL, steps,
	DEADLINE_MS, ARENA, sizeof(struct dp_create_type) };
const struct procedure dp_add_template = { "AddTemplate", THEN(judge_additions), NULL, add_steps,
	DEADLINE_MS, ARENA, sizeof(struct dp_add_template) };

/*
 * What profiles of it will say, told of the template as far as it stays: an IMSI or key that the rows
 * bring is not the template's, so it proves nothing about the owner or the class.
 */
static bool
describe(struct task *t, const struct profile_upp *upp, const struct profile_template_info *info,
	struct slice *metadata)
{
	struct dp_create_type *c = t->state;
	struct profile_upp told = *upp;
	enum codec_class wanted = CODEC_CLASS_OPERATIONAL;
	struct codec_metadata m;

	if (info->takes >> PERSONAL_IMSI & 1)
		told.imsi[0] = 0;
	if (info->takes >> PERSONAL_K & 1) {
		if (c->in.wishes.profile_class.p)
			dp_class_find(c->in.wishes.profile_class, &wanted);
		else if (!(info->needs >> PERSONAL_K & 1) && upp->test_key)
			wanted = CODEC_CLASS_TEST;
		told.test_key = wanted == CODEC_CLASS_TEST;
	}
	profile_metadata_init(t->mem, &told, c->call.world->settings.address, &m);
	if (!upp->type.n)
		m.name = slice_sub(c->in.name, 0, 64);
	if (!dp_wishes_apply(t->mem, &c->in.wishes, &m, &c->call.note) ||
		!profile_metadata_write(t->mem, &told, &m, metadata, &c->call.note))
		return false;
	if (c->profile_class.p && !slice_eq(c->profile_class, dp_class_name(m.profile_class))) {
		c->call.note = "the templates have different classes";
		return false;
	}
	c->profile_class = dp_class_name(m.profile_class);
	return true;
}

static const struct refusal *
judge(struct task *t, struct slice package, struct store_template *out)
{
	struct dp_create_type *c = t->state;
	struct profile_template *template;
	const struct profile_template_info *info;
	struct profile_fault fault;
	struct profile_upp upp;
	bool fine;

	template = profile_template_new(t->mem, package, &fault);
	if (!template || !profile_upp_read(t->mem, package, &upp, &fault)) {
		profile_template_free(template);
		c->call.note = fault.reason;
		return REFUSE(PACKAGE_INVALID);
	}
	info = profile_template_get(template);
	*out = (struct store_template){ .saip_version = info->saip_version,
		.services = info->services,
		.octets = (int64_t)info->octets };
	for (int f = 0; f < PERSONAL_FIELDS; f++)
		if (info->needs >> f & 1)
			c->needs |= INT64_C(1) << f;
	fine = describe(t, &upp, info, &out->metadata);
	profile_template_free(template);
	return fine ? NULL : REFUSE(METADATA_INVALID);
}

static const struct refusal *
judge_all(struct task *t)
{
	struct dp_create_type *c = t->state;
	const struct refusal *no = NULL;

	for (size_t i = 0; i < c->in.package_count && !no; i++)
		no = judge(t, c->in.packages[i], &c->templates[i]);
	return no;
}

/* Each under its number. */
static void
seal(struct task *t)
{
	struct dp_create_type *c = t->state;
	const struct store_template_place *place = c->places.first;

	for (size_t i = 0; i < c->in.package_count; i++) {
		c->templates[i].template_id = place[i].template_id;
		c->templates[i].upp = crypto_seal(c->call.world->sealer, t->mem,
			dp_template_place(t->mem, place[i].template_id), c->in.packages[i]);
	}
}

static const struct step *
judge_packages(struct task *t)
{
	struct dp_create_type *c = t->state;
	const struct refusal *no;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	if (!c->in.package_count)
		GO(keep);
	no = judge_all(t);
	if (no)
		return task_refuse(t, no);
	return store_template_prepare(t, c->call.dp->store, c->in.name, c->in.operator_name,
		(int32_t)c->in.package_count, &c->places, THEN(number_templates));
}

static const struct step *
number_templates(struct task *t)
{
	seal(t);
	GO(keep);
}

static const struct step *
keep(struct task *t)
{
	struct dp_create_type *c = t->state;
	struct store_new_type type = { .name = c->in.name,
		.keys = c->in.keys,
		.on_delete = c->in.on_delete,
		.operator_name = c->in.operator_name,
		.actor = c->in.actor.name,
		.low_water = c->in.low_water,
		.imsi_low = c->in.imsi_low,
		.imsi_high = c->in.imsi_high,
		.templates = c->templates,
		.template_count = c->in.package_count,
		.profile_class = c->profile_class };

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

/* ---- templates for a type that is there ---- */

static const struct step *
judge_additions(struct task *t)
{
	struct dp_add_template *c = t->state;
	struct dp_create_type *make = &c->make;
	const struct refusal *no;

	make->call.world = dp_world_hold(make->call.dp, t);
	if (!make->call.world)
		return task_trouble(t, T_BUSY);
	no = judge_all(t);
	if (no)
		return task_refuse(t, no);
	return store_template_prepare(t, make->call.dp->store, make->in.name,
		make->in.operator_name, (int32_t)make->in.package_count, &make->places, THEN(add));
}

/* The first field that the templates need and not every loaded profile has; NULL: none. */
static const char *
missing_field(const struct dp_create_type *make, const struct store_template_place *place)
{
	for (int f = 0; f < PERSONAL_FIELDS; f++)
		if ((make->needs & ~place->fields_all) >> f & 1)
			return profile_field_name((enum profile_field)f);
	return NULL;
}

static const struct step *
add(struct task *t)
{
	struct dp_add_template *c = t->state;
	struct dp_create_type *make = &c->make;
	const struct store_template_place *place = make->places.first;
	struct store_template_addition in = { .type_id = place->type_id,
		.version = place->version + !c->variant,
		.former = place->version,
		.rank = c->variant ? place->rank + 1 : 1,
		.needs = make->needs,
		.templates = make->templates,
		.count = make->in.package_count,
		.profile_class = make->profile_class,
		.actor = make->in.actor.name,
		.why = make->in.actor.why };
	const char *missing = missing_field(make, place);

	if (place->operator_id == STORE_NULL)
		return task_refuse(t, REFUSE(OPERATOR_UNKNOWN));
	if (place->type_id == STORE_NULL)
		return task_refuse(t, REFUSE(TYPE_UNKNOWN));
	if (c->variant && !place->version)
		return task_refuse(t, REFUSE(TYPE_WITHOUT_TEMPLATE));
	if (missing) {
		make->call.note = missing;
		return task_refuse(t, REFUSE(TEMPLATE_NEEDS_MORE));
	}
	if (place->profile_class.p && !slice_eq(place->profile_class, make->profile_class)) {
		make->call.note = "the type's profiles are of another class";
		return task_refuse(t, REFUSE(METADATA_INVALID));
	}
	if (in.rank + (int32_t)in.count - 1 > STORE_TEMPLATES)
		return task_refuse(t, REFUSE(TEMPLATE_TOO_MANY));
	seal(t);
	return store_template_add(t, make->call.dp->store, &in, &c->out, THEN(answer_added));
}

static const struct step *
answer_added(struct task *t)
{
	struct dp_add_template *c = t->state;
	struct dp_create_type *make = &c->make;

	if (t->got != R_CONFLICT)
		FINISH;
	if (++c->tries >= DP_TRIES)
		return task_trouble(t, T_BUSY);
	t->got = R_OK;
	/* Backwards: somebody else added a template, or a load ended. */
	return store_template_prepare(t, make->call.dp->store, make->in.name,
		make->in.operator_name, (int32_t)make->in.package_count, &make->places, THEN(add));
}
