/*
 * key rotate: what a former key sealed is sealed again with the current one, a batch a call; the caller
 * comes back with `next` until nothing is left. It may be stopped anywhere and begun anew, also while
 * downloads run: a value that changed meanwhile was sealed with the current key already. The beginning
 * and the end stand in the audit trail.
 */
#include <stdio.h>
#include "ctl/verbs.h"
#include "profile/upp.h"
#include "store/audit.h"

enum {
	OCTETS_AT_A_TIME = 512 * 1024,
	/* The largest package five times: as read, opened, sealed, and twice on its way to the database. */
	ARENA = 6 * PROFILE_UPP_MAX,
};

/* clang-format off */
#define STEPS(S) \
	S(find_packages) \
	S(seal_packages) /* opened with either key, sealed with the current one */ \
	S(find_seeds)    /* when no package is left                             */ \
	S(seal_seeds) \
	S(find_templates) \
	S(seal_template) \
	S(find_personal) \
	S(seal_personal) \
	S(count_left) \
	S(tell)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct rotate {
	struct dp_call call;
	struct slice
		after; /* "ICCID", "order N", "template N", "personal ICCID"; empty at the beginning */
	uint8_t key_id[4];
	struct rows rows;
	struct store_resealed done;
	struct store_sealed_left left;
	const char *next;
};

static const struct refusal KEY_UNKNOWN = { "KEY_UNKNOWN", LOG_ERROR,
	"a sealed value cannot be opened with the keys that are configured; set former_seal_key to "
	"the key "
	"that sealed it" };

const struct procedure ctl_key_rotate = { "RotateKey", THEN(find_packages), NULL, steps,
	CTL_DEADLINE_MS, ARENA, sizeof(struct rotate) };

const struct refusal *
ctl_key_rotate_read(struct task *t)
{
	struct rotate *c = t->state;

	c->after = ctl_text_get(t, "after");
	if (!c->after.p) {
		c->after = SLICE_LIT("");
		ctl_note(ctl_call_get(t)->ctl, ctl_call_get(t)->actor, "key.rotate", "begun");
	}
	return NULL;
}

/* What stands behind that word; absent when another part is being rotated. */
static struct slice
behind(const struct rotate *c, struct slice word)
{
	return slice_eq(slice_sub(c->after, 0, word.n), word)
		? slice_sub(c->after, word.n, c->after.n)
		: SLICE_NONE;
}

static bool
number_behind(const struct rotate *c, struct slice word, uint64_t *number)
{
	return slice_to_u64(behind(c, word), INT64_MAX, number);
}

static const struct step *
find_packages(struct task *t)
{
	struct rotate *c = t->state;
	uint64_t number;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	crypto_sealer_id(c->call.world->sealer, c->key_id);
	if (number_behind(c, SLICE_LIT("order "), &number))
		GO(find_seeds);
	if (number_behind(c, SLICE_LIT("template "), &number))
		GO(find_templates);
	if (behind(c, SLICE_LIT("personal ")).p)
		GO(find_personal);
	return store_sealed_packages(t, c->call.dp->store, SLICE_ARRAY(c->key_id), c->after,
		OCTETS_AT_A_TIME, &c->rows, THEN(seal_packages));
}

/* The value sealed anew; absent when no key opens it. */
static struct slice
reseal(struct task *t, const char *column, struct slice row, struct slice sealed)
{
	struct rotate *c = t->state;
	struct crypto_place place = { column, row };
	enum crypto_opened opened;
	struct slice plain;

	opened = crypto_open(c->call.world->sealer, t->mem, place, sealed, &plain);
	if (opened != SEAL_OK && opened != SEAL_FORMER) {
		c->call.note = arena_printf(t->mem, "%s of %.*s", column, SLICE_FMT(row));
		return SLICE_NONE;
	}
	return crypto_seal(c->call.world->sealer, t->mem, place, plain);
}

/* Counting reads every row's key id: only at the beginning, for a progress bar, and at the end. */
static const struct step *
after_batch(const struct rotate *c)
{
	return c->after.n ? THEN(tell) : THEN(count_left);
}

static const struct step *
seal_packages(struct task *t)
{
	struct rotate *c = t->state;
	const struct store_sealed_package *rows = c->rows.first;
	struct slice *iccids, *former, *fresh;
	size_t n = c->rows.n;

	if (!n)
		GO(find_seeds);
	iccids = ARENA_ARRAY(t->mem, struct slice, n);
	former = ARENA_ARRAY(t->mem, struct slice, n);
	fresh = ARENA_ARRAY(t->mem, struct slice, n);
	for (size_t i = 0; i < n; i++) {
		iccids[i] = rows[i].iccid;
		former[i] = rows[i].upp;
		fresh[i] = reseal(t, "profile_package.upp", rows[i].iccid, rows[i].upp);
		if (!fresh[i].p)
			return task_refuse(t, &KEY_UNKNOWN);
	}
	c->next = arena_string(t->mem, iccids[n - 1]);
	return store_packages_reseal(
		t, c->call.dp->store, iccids, former, fresh, n, &c->done, after_batch(c));
}

static const struct step *
find_seeds(struct task *t)
{
	struct rotate *c = t->state;
	uint64_t order = 0;

	number_behind(c, SLICE_LIT("order "), &order);
	return store_sealed_seeds(t, c->call.dp->store, SLICE_ARRAY(c->key_id), (int64_t)order,
		&c->rows, THEN(seal_seeds));
}

static const struct step *
seal_seeds(struct task *t)
{
	struct rotate *c = t->state;
	const struct store_sealed_seed *rows = c->rows.first;
	struct slice *former, *fresh;
	size_t n = c->rows.n;
	int64_t *orders;

	if (!n)
		GO(find_templates);
	orders = ARENA_ARRAY(t->mem, int64_t, n);
	former = ARENA_ARRAY(t->mem, struct slice, n);
	fresh = ARENA_ARRAY(t->mem, struct slice, n);
	for (size_t i = 0; i < n; i++) {
		const char *row = arena_printf(t->mem, "%lld", (long long)rows[i].order_id);

		orders[i] = rows[i].order_id;
		former[i] = rows[i].seed;
		fresh[i] = reseal(t, "binding.seed", slice_text(row), rows[i].seed);
		if (!fresh[i].p)
			return task_refuse(t, &KEY_UNKNOWN);
	}
	c->next = arena_printf(t->mem, "order %lld", (long long)orders[n - 1]);
	return store_seeds_reseal(
		t, c->call.dp->store, orders, former, fresh, n, &c->done, after_batch(c));
}

static const struct step *
find_templates(struct task *t)
{
	struct rotate *c = t->state;
	uint64_t template = 0;

	number_behind(c, SLICE_LIT("template "), &template);
	return store_sealed_templates(t, c->call.dp->store, SLICE_ARRAY(c->key_id),
		(int64_t) template, &c->rows, THEN(seal_template));
}

/* One at a time: each may be as large as a package. */
static const struct step *
seal_template(struct task *t)
{
	struct rotate *c = t->state;
	const struct store_sealed_template *row = c->rows.first;
	const char *number;
	struct slice fresh;

	if (!c->rows.n)
		GO(find_personal);
	number = arena_printf(t->mem, "%lld", (long long)row->template_id);
	fresh = reseal(t, "template.upp", slice_text(number), row->upp);
	if (!fresh.p)
		return task_refuse(t, &KEY_UNKNOWN);
	c->next = arena_printf(t->mem, "template %s", number);
	return store_templates_reseal(t, c->call.dp->store, &row->template_id, &row->upp, &fresh, 1,
		&c->done, after_batch(c));
}

static const struct step *
find_personal(struct task *t)
{
	struct rotate *c = t->state;
	struct slice after = behind(c, SLICE_LIT("personal "));

	return store_sealed_personal(t, c->call.dp->store, SLICE_ARRAY(c->key_id),
		after.p ? after : SLICE_LIT(""), &c->rows, THEN(seal_personal));
}

static const struct step *
seal_personal(struct task *t)
{
	struct rotate *c = t->state;
	const struct store_sealed_personal *rows = c->rows.first;
	struct slice *iccids, *former, *fresh;
	size_t n = c->rows.n;

	if (!n)
		GO(count_left);
	iccids = ARENA_ARRAY(t->mem, struct slice, n);
	former = ARENA_ARRAY(t->mem, struct slice, n);
	fresh = ARENA_ARRAY(t->mem, struct slice, n);
	for (size_t i = 0; i < n; i++) {
		iccids[i] = rows[i].iccid;
		former[i] = rows[i].personal;
		fresh[i] = reseal(t, "profile.personal", rows[i].iccid, rows[i].personal);
		if (!fresh[i].p)
			return task_refuse(t, &KEY_UNKNOWN);
	}
	c->next = arena_printf(t->mem, "personal %.*s", SLICE_FMT(iccids[n - 1]));
	return store_personal_reseal(
		t, c->call.dp->store, iccids, former, fresh, n, &c->done, after_batch(c));
}

static const struct step *
count_left(struct task *t)
{
	struct rotate *c = t->state;

	return store_sealed_left(
		t, c->call.dp->store, SLICE_ARRAY(c->key_id), &c->left, THEN(tell));
}

static const struct step *
tell(struct task *t)
{
	const struct rotate *c = t->state;

	if (!c->next && ctl_call_get(t))
		ctl_note(ctl_call_get(t)->ctl, ctl_call_get(t)->actor, "key.rotate", "done");
	FINISH;
}

void
ctl_key_rotate_write(struct task *t, json_t *ok)
{
	const struct rotate *c = t->state;

	json_object_set_new(ok, "done", json_integer(c->done.done));
	if (!c->after.n || !c->next)
		json_object_set_new(ok, "left",
			json_integer(c->left.packages + c->left.seeds + c->left.templates +
				c->left.personal));
	if (c->next)
		json_object_set_new(ok, "next", json_string(c->next));
}
