/*
 * The storm over profile types and what is made of their templates: CreateProfileType, AddTemplate, LoadProfiles,
 * and GetBoundProfilePackage for a profile that is personal data. The session of a load (store/copy.c) has its
 * waits answered by the script too.
 */
#include "storm/card.h"
#include "storm/dp_storm.h"
#include "profile/personal.h"
#include "store/int.h"
#include "unit/profile_upp_text.h"

#define IMSI "001010123456789"
#define OCTETS_16 "000102030405060708090a0b0c0d0e10"

static const struct dp_actor actor = { .name = SLICE_LIT("ctl:uid=0(root)"),
	.why = SLICE_LIT("storm") };

/* ---- the session of a load ------------------------------------------------------------------------------- */

static struct copy session;

struct copy *
copy_new(struct task *t, struct store *s)
{
	(void)t;
	session = (struct copy){ .store = s };
	return &session;
}

const struct step *
copy_ask(struct copy *c, struct task *t, unsigned query, const struct param *params, size_t n,
	struct want want, const struct step *then)
{
	bool writing = t->writing;
	const struct step *wait = query_start(t, c->store, query, params, n, want, then);

	t->writing = writing || c->decides; /* nothing of the others is anybody's loss */
	return wait;
}

void
copy_command_set(struct copy *c, const char *command)
{
	assert_true(strlen(command) < sizeof c->command);
}

void
copy_decides(struct copy *c, struct task *t)
{
	c->decides = true;
	t->writing = true;
}

void
copy_row_put(struct copy *c, int64_t number, const struct slice *columns, size_t n)
{
	assert_true(number >= 2 && n == 3 && columns[0].n == 20);
	c->n++;
}

const struct step *
copy_flush(struct copy *c, struct task *t, bool end, const struct step *then)
{
	(void)end;
	c->n = 0;
	return query_start(t, c->store, Q_PROFILE_FIND, NULL, 0, NO_ROWS, then);
}

/* ---- rows ----------------------------------------------------------------------------------------------- */

static const char *const names[] = { "iccid", "imsi", "k", "opc" };
static const char *const data[] = { STAGE_ICCID, IMSI, OCTETS_16, OCTETS_16 };
static struct slice texts[4];
static int told; /* of the rows: names, a row, nothing yet, a row, the end */

static enum dp_rows_got
next(struct dp_rows *rows)
{
	static const enum dp_rows_got all[] = { DP_ROWS_NAMES, DP_ROWS_ROW, DP_ROWS_WAIT,
		DP_ROWS_ROW, DP_ROWS_END };

	for (size_t i = 0; i < 4; i++)
		texts[i] = slice_text(told ? data[i] : names[i]);
	rows->texts = texts;
	rows->n = 4;
	rows->line = told + 1;
	return all[told++];
}

static void
nobody(void *arg)
{
	(void)arg;
}

static const struct step *
come(struct dp_rows *rows, struct task *t, const struct step *then)
{
	const struct step *wait = task_wait(t, then, nobody, NULL);

	(void)rows;
	task_wake(t, R_OK, T_NONE);
	return wait;
}

static struct dp_rows rows = { .next = next, .wait = come };

/* A load is not taken so often, for this reason. */
static unsigned refusals;
static const char *not_taken;

/* What the statements of this file return. */
static void
write_types(unsigned query, const struct want *want)
{
	static struct store_template_place places[STORE_TEMPLATES];
	static struct store_variant variant;

	switch (query) {
	case Q_TEMPLATE_PREPARE:
		for (size_t i = 0; i < STORE_TEMPLATES; i++)
			places[i] = (struct store_template_place){ .template_id = STAGE_TEMPLATE +
					(int64_t)i,
				.operator_id = 1,
				.type_id = 3,
				.loads = 2,
				.fields_all = -1,
				.version = 1,
				.rank = 1 };
		*want->rows = (struct rows){ places, 1, false };
		break;
	case Q_PROFILE_TYPE_CREATE:
		((struct store_type *)want->row)->type_id = 3;
		break;
	case Q_TEMPLATE_ADD:
		((struct store_template_added *)want->row)->version = 2;
		break;
	case Q_TEMPLATE_LOAD_TYPE:
		*(struct store_load_type *)want->row = (struct store_load_type){ .operator_id = 1,
			.type_id = 3,
			.version = 1,
			.profile_class = SLICE_LIT("operational") };
		break;
	case Q_TEMPLATE_VERSION_LIST:
		variant = (struct store_variant){ STAGE_TEMPLATE, stage.metadata,
			stage.sealed_template };
		*want->rows = (struct rows){ &variant, 1, false };
		break;
	case Q_TEMPLATE_FIND:
		((struct store_template_upp *)want->row)->upp = stage.sealed_template;
		break;
	case Q_LOAD_BEGIN:
		((struct store_load *)want->row)->load_id = 5;
		break;
	case Q_LOAD_TAKE:
		((struct store_load_taken *)want->row)->outcome =
			slice_text(refusals ? not_taken : "done");
		refusals -= refusals > 0;
		break;
	default:
		row_write(query, want);
	}
}

/* ---- scenes --------------------------------------------------------------------------------------------- */

/* In the stage's memory, once: what templates and data are when the database has them. */
static void
prepare(void)
{
	static const uint8_t octets[16] = { 7 };
	struct profile_personal *row;
	struct arena *mem = &stage.mem;

	script.write = write_types;
	dp_plans_fini(&stage.plans);
	if (stage.sealed_template.p)
		return;
	row = ARENA_NEW(mem, struct profile_personal);
	row->value[PERSONAL_ICCID] = SLICE_LIT(STAGE_ICCID);
	row->value[PERSONAL_IMSI] = SLICE_LIT(IMSI);
	row->value[PERSONAL_K] = row->value[PERSONAL_OPC] = SLICE_ARRAY(octets);
	stage.sealed_template = crypto_seal(stage.world.sealer, mem,
		(struct crypto_place){ "template.upp", SLICE_LIT("9") },
		package_with(mem, HEADER, NULL));
	stage.sealed_personal = crypto_seal(stage.world.sealer, mem,
		(struct crypto_place){ "profile.personal", SLICE_LIT(STAGE_ICCID) },
		profile_record_write(mem, row));
}

static void
fill_templates(struct task *t, struct dp_templates *x, size_t count)
{
	struct slice *packages = ARENA_ARRAY(t->mem, struct slice, 2);

	prepare();
	packages[0] = packages[1] = package_with(t->mem, HEADER, NULL);
	x->operator_name = SLICE_LIT("default");
	x->type_name = SLICE_LIT("gold");
	x->packages = packages;
	x->count = count;
}

static void
fill_create(struct task *t)
{
	struct dp_create_type *c = t->state;

	fill_templates(t, &c->templates, 1);
	c->in.actor = actor;
	c->in.keys = SLICE_LIT("session");
	c->in.on_delete = SLICE_LIT("keep");
}

static void
fill_create_plain(struct task *t)
{
	fill_create(t);
	((struct dp_create_type *)t->state)->templates.count = 0;
}

static void
fill_add(struct task *t)
{
	struct dp_add_template *c = t->state;

	fill_templates(t, &c->templates, 1);
	c->in.actor = actor;
}

static void
fill_add_variant(struct task *t)
{
	fill_add(t);
	((struct dp_add_template *)t->state)->in.variant = true;
}

static void
fill_load(struct task *t)
{
	struct dp_load_profiles *c = t->state;

	prepare();
	told = 0;
	c->in.actor = actor;
	c->in.type_name = SLICE_LIT("gold");
	c->in.operator_name = SLICE_LIT("default");
	c->in.source = SLICE_LIT("rows.csv");
	c->in.rows = &rows;
}

static void
fill_dry_run(struct task *t)
{
	fill_load(t);
	((struct dp_load_profiles *)t->state)->in.dry_run = true;
}

static void
fill_package(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;

	prepare();
	c->call.transaction_id = stage.transaction_id;
	c->in.prepare_download_response = card_prepare();
}

#define SCENE(name, waits, procedure, fill)                          \
	{                                                            \
		name, dp_storm_start, waits, &procedure, fill, false \
	}
static const struct scene scenes[] = {
	SCENE("CreateProfileType", 2, dp_create_type, fill_create),
	SCENE("CreateProfileType without templates", 1, dp_create_type, fill_create_plain),
	SCENE("AddTemplate", 2, dp_add_template, fill_add),
	SCENE("AddTemplate, a variant", 2, dp_add_template, fill_add_variant),
	SCENE("LoadProfiles", 5, dp_load_profiles, fill_load),
	SCENE("LoadProfiles, a dry run", 6, dp_load_profiles, fill_dry_run),
	SCENE("GetBoundProfilePackage of a template", 3, dp_get_bound_profile_package,
		fill_package),
};

STORM_TESTS(stage.loop, scenes)

static void
play_not_taken(const char *why, unsigned times, enum ending how, unsigned waits)
{
	static const struct scene scene = SCENE("LoadProfiles", 5, dp_load_profiles, fill_load);

	script_clear();
	not_taken = why;
	refusals = times;
	storm_play(stage.loop, &scene, 0);
	storm_must_be(&scene, how);
	assert_int_equal(script.waits, waits);
	refusals = 0;
}

/*
 * Another load had the ICCID when this one was to be taken, and has gone when it is asked whose it was: it is
 * taken once more, not for ever.
 */
static void
a_duplicate_that_has_gone_is_taken_again(void **state)
{
	(void)state;
	play_not_taken("duplicate", 1, SUCCEEDED, 7);
	play_not_taken("duplicate", 2, SUCCEEDED, 9);
	play_not_taken("duplicate", 3, UNWELL, 10);
	play_not_taken("changed", 1, REFUSED, 5);
	play_not_taken("lost", 1, UNWELL, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { STORM_RUN,
		STORM_TEST(a_duplicate_that_has_gone_is_taken_again) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dp_types_storm", tests, NULL, NULL);
}
