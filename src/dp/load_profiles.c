/*
 * Bulk load: personal data, a row a profile, become profiles of a type, all or none. Rows are judged one by
 * one as they come, sealed before they leave this process, and staged in the database a turn at a time;
 * at the end one statement makes profiles of them. When a row is refused, or the run is dry, that
 * statement is not sent, but everything else is done, so that all that is wrong is told at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/text.h"
#include "codec/metadata.h"
#include "crypto/milenage.h"
#include "dp/functions.h"
#include "dp/load_places.h"
#include "dp/orders.h"
#include "dp/personalise.h"
#include "dp/templates.h"
#include "profile/given.h"
#include "profile/metadata.h"

enum {
	DEADLINE_MS = 24 * 3600 * 1000, /* silent peers and servers are given up long before */
	ARENA = 24 * 1024 * 1024,       /* the templates; rows live in arenas of a turn */
	TURN_US = 2000,
	ROW_ARENA = 8 * 1024 * 1024,
	LOOK_AT_CLOCK = 8, /* rows */
	TAKES = 3,
};

/* clang-format off */
#define STEPS(S) \
	S(find_type)        /* with its newest templates                             */ \
	S(find_templates) \
	S(open_templates)   /* every row must make a package of each                 */ \
	S(take_place)       /* among the few that may load at a time                 */ \
	S(begin)            /* a session for this load                               */ \
	S(read_rows)        /* a turn of them; again until the end                   */ \
	S(send_rows)        /* backwards, to read more                               */ \
	S(judge_load)       /* take them all, or find out what else is wrong         */ \
	S(take)             /* one statement; again when a duplicate is gone         */ \
	S(check_taken) \
	S(tell_duplicates)  /* which lines they are                                  */ \
	S(drop)             /* what was staged, when nothing comes of it             */ \
	S(answer)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct variant {
	struct profile_template *template;
	struct slice network; /* MCC and MNC that the IMSI must begin with; absent: any */
};

struct load {
	struct dp_load_profiles base;
	/* find_type */
	struct store_load_type type;
	struct rows variants;
	/* open_templates */
	struct variant variant[STORE_TEMPLATES];
	size_t variant_count;
	bool test; /* the profiles have class test, and the published test key */
	/* take_place */
	struct dp_load_place place;
	struct store_load load;
	/* read_rows */
	struct arena row; /* of one turn; tied to the task, whose own memory may end meanwhile */
	struct profile_column columns[PERSONAL_COLUMNS_MAX];
	size_t column_count;
	struct slice *names; /* as the first row has them */
	size_t name_count;
	int64_t name_line;
	bool map_used[PERSONAL_COLUMNS_MAX];
	bool named, ended, wrong;
	struct profile_given given;
	/* take */
	unsigned takes;
	struct store_load_taken taken;
	/* tell_duplicates */
	struct rows duplicates;
};

const struct procedure dp_load_profiles = { "LoadProfiles", THEN(find_type), NULL, steps,
	DEADLINE_MS, ARENA, sizeof(struct load) };

static const struct step *
find_type(struct task *t)
{
	struct load *c = t->state;

	c->base.call.world = dp_world_hold(c->base.call.dp, t);
	if (!c->base.call.world)
		return task_trouble(t, T_BUSY);
	c->base.out.faults = ARENA_ARRAY(t->mem, struct dp_row_fault, DP_ROW_FAULTS);
	return store_load_type_find(t, c->base.call.dp->store, c->base.in.type_name,
		c->base.in.operator_name, &c->type, THEN(find_templates));
}

static const struct step *
find_templates(struct task *t)
{
	struct load *c = t->state;

	if (c->type.operator_id == STORE_NULL)
		return task_refuse(t, REFUSE(OPERATOR_UNKNOWN));
	if (c->type.type_id == STORE_NULL)
		return task_refuse(t, REFUSE(TYPE_UNKNOWN));
	if (!c->type.version)
		return task_refuse(t, REFUSE(TYPE_WITHOUT_TEMPLATE));
	return store_template_version(t, c->base.call.dp->store, c->type.type_id, c->type.version,
		&c->variants, THEN(open_templates));
}

static void
free_template(void *template)
{
	profile_template_free(template);
}

/* Not those that binding keeps: they may go while this load waits. */
static bool
open_template(struct task *t, const struct store_variant *from, struct variant *out)
{
	struct load *c = t->state;
	struct profile_fault fault;
	struct codec_metadata m;
	struct slice upp;
	const char *why;

	if (!dp_sealed_open(t, c->base.call.world, dp_template_place(t->mem, from->template_id),
		    from->upp, &upp))
		return false;
	out->template = profile_template_new(t->mem, upp, &fault);
	if (!out->template)
		return false;
	arena_defer(t->mem, free_template, out->template);
	if (codec_store_metadata_read(t->mem, from->metadata, &m, &why))
		out->network = dp_network_of(t->mem, m.mcc_mnc);
	return true;
}

static const struct step *
open_templates(struct task *t)
{
	struct load *c = t->state;
	const struct store_variant *from = c->variants.first;

	for (size_t i = 0; i < c->variants.n && i < STORE_TEMPLATES; i++)
		if (!open_template(t, &from[i], &c->variant[c->variant_count++]))
			return task_trouble(t, T_BROKEN);
	c->test = slice_eq(c->type.profile_class, dp_class_name(CODEC_CLASS_TEST));
	c->given = PROFILE_GIVEN_NONE;
	return dp_load_place_find(
		t, c->base.call.dp, &c->place, c->base.in.source, THEN(take_place));
}

static const struct step *
take_place(struct task *t)
{
	struct load *c = t->state;
	struct dp *dp = c->base.call.dp;

	if (t->got == R_NONE) {
		c->base.call.note = dp_load_places_name(t->mem, dp->loads);
		return task_refuse(t, REFUSE(LOAD_NO_PLACE));
	}
	return store_load_begin(t, dp->store, &c->load, THEN(begin));
}

static void
free_row(void *row)
{
	arena_fini(row);
}

static const struct step *
begin(struct task *t)
{
	struct load *c = t->state;

	arena_defer(t->mem, free_row, &c->row);
	c->base.call.note = arena_printf(t->mem, "load %lld", (long long)c->load.load_id);
	GO(read_rows);
}

/* ---- a row ---- */

enum { COLUMN_TOLD = 64 }; /* octets: a name may fill a row */

/* Remembered as long as there is room, counted always. */
static void
refuse_row(struct task *t, int64_t line, const char *column, const char *reason)
{
	struct load *c = t->state;

	if (c->base.out.refused++ < DP_ROW_FAULTS)
		c->base.out.faults[c->base.out.fault_count++] = (struct dp_row_fault){ line,
			column ? arena_string(
					 t->mem, text_beginning(slice_text(column), COLUMN_TOLD))
			       : NULL,
			arena_string(t->mem, slice_text(reason)) };
}

/* No row can be read: what they begin with says so. */
static void
refuse_file(struct task *t, int64_t line, const char *column, const char *reason)
{
	struct load *c = t->state;

	refuse_row(t, line, column, reason);
	c->base.out.file_refused = true;
	c->wrong = true;
}

/* A datum that a column was told to be; absent: nothing was told. */
static struct slice
mapped(struct load *c, struct slice name)
{
	for (size_t i = 0; i < c->base.in.map_count; i++) {
		struct slice map = c->base.in.maps[i];
		const uint8_t *equals = memchr(map.p, '=', map.n);
		size_t n = (size_t)(equals - map.p);

		if (slice_eq(slice_sub(map, 0, n), slice_trim(name))) {
			c->map_used[i] = true;
			return slice_sub(map, n + 1, map.n);
		}
	}
	return SLICE_NONE;
}

/* Columns that were told to be a datum and that no row has; one to skip need not be there. */
static void
refuse_maps(struct task *t)
{
	struct load *c = t->state;

	for (size_t i = 0; i < c->base.in.map_count; i++) {
		struct slice map = c->base.in.maps[i];
		const uint8_t *equals = memchr(map.p, '=', map.n);
		size_t n = (size_t)(equals - map.p);

		if (!c->map_used[i] && !slice_eq(slice_sub(map, n + 1, map.n), SLICE_LIT("-")))
			refuse_row(t, c->name_line, arena_string(t->mem, slice_sub(map, 0, n)),
				"is mapped, but there is no such column");
	}
}

/* The first names, by which cells that cannot be read are told. */
static void
keep_names(struct task *t)
{
	struct load *c = t->state;
	const struct dp_rows *rows = c->base.in.rows;

	c->names = ARENA_ARRAY(t->mem, struct slice, rows->n);
	for (size_t i = 0; i < rows->n; i++)
		c->names[i] = arena_copy(t->mem, slice_trim(rows->texts[i]));
	c->name_count = rows->n;
	c->name_line = rows->line;
}

/* The names of the columns: what they mean, and whether the templates have what they need. */
static void
take_names(struct task *t, struct arena *mem)
{
	struct load *c = t->state;
	const struct dp_rows *rows = c->base.in.rows;
	struct profile_row_fault fault = { .column = PROFILE_NO_COLUMN };
	struct slice *names;
	bool fine;

	if (!c->named)
		keep_names(t);
	names = ARENA_ARRAY(mem, struct slice, rows->n);
	memset(c->columns, 0, sizeof c->columns);
	for (size_t i = 0; i < rows->n; i++) {
		struct slice to = mapped(c, rows->texts[i]);

		names[i] = to.p ? to : rows->texts[i];
		if (i < PERSONAL_COLUMNS_MAX && slice_eq(to, SLICE_LIT("-")))
			c->columns[i].field = PERSONAL_SKIPPED;
	}
	c->column_count = rows->n;
	fine = profile_columns_read(mem, names, rows->n, c->columns, &fault);
	for (size_t i = 0; fine && !c->named && i < c->variant_count; i++)
		fine = i > 0 ||
			profile_template_columns_hold(
				c->variant[i].template, mem, c->columns, c->column_count, &fault);
	if (!fine && !c->named)
		refuse_file(t, rows->line, fault.name, fault.reason);
	else if (!fine)
		refuse_row(t, rows->line, fault.name, fault.reason);
	c->wrong |= !fine;
	c->named = true;
}

/* Equal lengths, so that numbers compare as texts. */
static bool
in_range(const struct load *c, struct slice imsi)
{
	size_t n = c->type.imsi_low.n;

	if (!c->type.imsi_low.p)
		return true;
	return imsi.n == n && memcmp(imsi.p, c->type.imsi_low.p, n) >= 0 &&
		memcmp(imsi.p, c->type.imsi_high.p, n) <= 0;
}

static bool
fits_variant(const struct load *c, const struct variant *v, struct arena *mem,
	const struct profile_personal *row, struct profile_row_fault *fault)
{
	struct slice imsi = row->value[PERSONAL_IMSI];
	struct profile_upp told;

	profile_template_describe(v->template, mem, row, &told);
	if (told.test_key != c->test) {
		*fault = (struct profile_row_fault){ .name = "k",
			.reason = c->test
				? "is not the published test key, but the class is test"
				: "is the published test key, but the class is not test" };
		return false;
	}
	if (v->network.p && imsi.p && !slice_eq(slice_sub(imsi, 0, v->network.n), v->network)) {
		*fault = (struct profile_row_fault){ .name = "imsi",
			.reason = "is of another network than the owner" };
		return false;
	}
	return true;
}

/* The first variant takes all that is given; the others what they have a place for. */
static bool
fits(const struct load *c, struct arena *mem, const struct profile_personal *row,
	struct profile_row_fault *fault)
{
	struct profile_personal part;

	for (size_t i = 0; i < c->variant_count; i++) {
		const struct variant *v = &c->variant[i];

		if (i > 0)
			dp_personal_fit(v->template, row, &part);
		if (!profile_template_row_holds(v->template, mem, i > 0 ? &part : row, fault) ||
			!fits_variant(c, v, mem, row, fault))
			return false;
	}
	if (in_range(c, row->value[PERSONAL_IMSI]))
		return true;
	*fault = (struct profile_row_fault){ .name = "imsi",
		.reason = "is not in the range of the profile type" };
	return false;
}

static void
stage(struct task *t, struct arena *mem, const struct profile_personal *row)
{
	struct load *c = t->state;
	struct slice iccid = row->value[PERSONAL_ICCID];
	struct crypto_place place = { DP_PROFILE_PERSONAL, iccid };
	struct store_load_row out = { .line = c->base.in.rows->line,
		.iccid = iccid,
		.imsi = row->value[PERSONAL_IMSI],
		.personal = crypto_seal(
			c->base.call.world->sealer, mem, place, profile_record_write(mem, row)) };

	profile_given_put(&c->given, t->mem, row);
	store_load_put(&c->load, &out);
}

static void
take_row(struct task *t, struct arena *mem)
{
	struct load *c = t->state;
	const struct dp_rows *rows = c->base.in.rows;
	struct profile_row_fault fault = { .column = PROFILE_NO_COLUMN };
	struct profile_personal row;

	c->base.out.rows++;
	if (c->wrong)
		return;
	if (rows->n != c->column_count)
		refuse_row(t, rows->line, NULL,
			arena_printf(mem, "has %zu cells, the first row has %zu", rows->n,
				c->column_count));
	else if (!profile_row_read(mem, c->columns, rows->n, rows->texts, crypto_milenage_opc, &row,
			 &fault) ||
		!fits(c, mem, &row, &fault))
		refuse_row(t, rows->line, fault.name, fault.reason);
	else
		stage(t, mem, &row);
	explicit_bzero(&row, sizeof row);
}

/* The column at fault, by its name or else its number; NULL when it is the whole row. */
static const char *
broken_column(struct arena *mem, const struct load *c)
{
	const struct dp_rows *rows = c->base.in.rows;

	if (rows->name.p)
		return arena_string(mem, rows->name);
	if (rows->column < 0)
		return NULL;
	if ((size_t)rows->column < c->name_count)
		return arena_string(mem, c->names[rows->column]);
	return arena_printf(mem, "%d", rows->column + 1);
}

/* The row itself cannot be read. */
static void
take_broken(struct task *t, struct arena *mem)
{
	struct load *c = t->state;
	const struct dp_rows *rows = c->base.in.rows;

	c->base.out.rows++;
	refuse_row(t, rows->line, broken_column(mem, c), rows->why);
}

/* ---- the load ---- */

/* Rows until the turn or the room is over, or there are none; then what is next. */
static const struct step *
read_turn(struct task *t, struct arena *mem)
{
	struct load *c = t->state;
	struct dp_rows *rows = c->base.in.rows;
	int64_t until = clock_mono_us() + TURN_US;

	for (unsigned i = 1;; i++) {
		switch (rows->next(rows)) {
		case DP_ROWS_NAMES:
			take_names(t, mem);
			break;
		case DP_ROWS_ROW:
			take_row(t, mem);
			break;
		case DP_ROWS_BROKEN:
			take_broken(t, mem);
			break;
		case DP_ROWS_WRONG:
			refuse_file(t, rows->line, broken_column(mem, c), rows->why);
			c->ended = true;
			return THEN(send_rows);
		case DP_ROWS_WAIT:
			dp_load_place_pause(&c->place, rows);
			return rows->wait(rows, t, THEN(read_rows));
		case DP_ROWS_END:
			c->ended = true;
			return THEN(send_rows);
		case DP_ROWS_GONE:
			return task_refuse(
				t, c->place.given_up ? REFUSE(LOAD_SLOW) : REFUSE(LOAD_ABANDONED));
		}
		if (store_load_full(&c->load) ||
			(i % LOOK_AT_CLOCK == 0 && clock_mono_us() >= until))
			return THEN(send_rows);
	}
}

static const struct step *
read_rows(struct task *t)
{
	struct load *c = t->state;
	const struct step *next;

	dp_load_place_resume(&c->place, c->base.out.rows);
	arena_init(&c->row, ROW_ARENA, NULL, NULL);
	next = read_turn(t, &c->row);
	arena_fini(&c->row);
	return next;
}

static const struct step *
send_rows(struct task *t)
{
	struct load *c = t->state;

	/* Backwards: there is more to read. Others have had their turn, for this waits. */
	return store_load_flush(
		t, &c->load, c->ended, c->ended ? THEN(judge_load) : THEN(read_rows));
}

static const struct step *
find_duplicates(struct task *t)
{
	struct load *c = t->state;

	return store_load_duplicates(
		t, &c->load, c->type.type_id, DP_ROW_FAULTS, &c->duplicates, THEN(tell_duplicates));
}

static const struct step *
judge_load(struct task *t)
{
	struct load *c = t->state;

	if (!c->base.out.rows && !c->base.out.refused)
		refuse_file(t, 1, NULL, "there are no rows");
	if (c->named)
		refuse_maps(t);
	if (!c->load.staged)
		GO(drop);
	if (c->base.out.refused || c->base.in.dry_run)
		return find_duplicates(t);
	GO(take);
}

static const struct step *
take(struct task *t)
{
	struct load *c = t->state;
	struct store_load_facts facts = { .type_id = c->type.type_id,
		.template_version = c->type.version,
		.profile_class = c->type.profile_class,
		.fields_all = c->given.all,
		.fields_any = c->given.any,
		.details = c->given.details,
		.detail_count = c->given.detail_count,
		.source = c->base.in.source,
		.actor = c->base.in.actor.name,
		.why = c->base.in.actor.why };

	return store_load_take(t, &c->load, &facts, &c->taken, THEN(check_taken));
}

static const struct step *
check_taken(struct task *t)
{
	struct load *c = t->state;

	if (slice_eq(c->taken.outcome, SLICE_LIT("done"))) {
		c->base.out.profiles = c->load.staged;
		GO(answer);
	}
	if (slice_eq(c->taken.outcome, SLICE_LIT("duplicate")))
		return find_duplicates(t);
	if (slice_eq(c->taken.outcome, SLICE_LIT("changed")))
		return task_refuse(t, REFUSE(LOAD_OVERTAKEN));
	return task_trouble(t, T_BROKEN);
}

static void
tell_duplicate(struct task *t, const struct store_load_duplicate *d)
{
	bool imsi = slice_eq(d->datum, SLICE_LIT("imsi"));
	char reason[64];

	if (d->first != STORE_NULL)
		snprintf(reason, sizeof reason, "stands in line %lld already", (long long)d->first);
	else
		snprintf(reason, sizeof reason, "is the %s of a profile that is here already",
			imsi ? "IMSI" : "ICCID");
	refuse_row(t, d->line, imsi ? "imsi" : "iccid", reason);
}

static int
by_line(const void *a, const void *b)
{
	const struct dp_row_fault *x = a, *y = b;

	return x->line < y->line ? -1 : x->line > y->line;
}

static const struct step *
tell_duplicates(struct task *t)
{
	struct load *c = t->state;
	const struct store_load_duplicate *d = c->duplicates.first;
	int64_t total = c->duplicates.n ? d->total : 0;
	struct dp_load_profiles *base = &c->base;

	/* Backwards: what was in the way has gone again. */
	if (!total && !base->out.refused && !base->in.dry_run)
		return ++c->takes < TAKES ? THEN(take) : task_trouble(t, T_BUSY);
	for (size_t i = 0; i < c->duplicates.n; i++)
		tell_duplicate(t, &d[i]);
	base->out.refused += total - (int64_t)c->duplicates.n;
	qsort(base->out.faults, base->out.fault_count, sizeof *base->out.faults, by_line);
	GO(drop);
}

static const struct step *
drop(struct task *t)
{
	struct load *c = t->state;

	return store_load_drop(t, &c->load, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	(void)t;
	FINISH;
}
