/*
 * profile-type create, profile-type template add: how their procedures' structs are filled and told; and
 * profile-type set, which is one statement.
 */
#include "base/text.h"
#include "ctl/int.h"
#include "ctl/verbs.h"
#include "profile/upp.h"

enum { IMSI_LEAST = 6, IMSI_MOST = 15 };

static bool
one_of(struct slice text, const char *const *names)
{
	for (; *names; names++)
		if (slice_eq(text, slice_text(*names)))
			return true;
	return false;
}

/* A control character, C0 or C1: a terminal or a log would obey it. The text is UTF-8. */
static bool
has_control(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] == 0x7f ||
			(text.p[i] == 0xc2 && i + 1 < text.n && text.p[i + 1] < 0xa0))
			return true;
	return false;
}

/* The packages, the first choice first. */
static const struct refusal *
read_packages(struct task *t, struct dp_templates *x)
{
	struct slice *texts = ARENA_ARRAY(t->mem, struct slice, STORE_TEMPLATES);
	struct slice *packages = ARENA_ARRAY(t->mem, struct slice, STORE_TEMPLATES);
	size_t n = ctl_texts_get(t, "templates", texts, STORE_TEMPLATES);

	if (n > STORE_TEMPLATES)
		return ctl_refuse(t, "templates has more than 8 entries; leave some out");
	for (size_t i = 0; i < n; i++) {
		if (!text_unbase64(t->mem, texts[i], &packages[i]) || !packages[i].n)
			return ctl_refuse(
				t, "a template is not Base64; send the file's octets as Base64");
		if (packages[i].n > PROFILE_UPP_MAX)
			return ctl_refuse(
				t, "a template is larger than 1 MiB; it cannot be offered");
	}
	x->packages = packages;
	x->count = n;
	return NULL;
}

/* The type's name, and templates with what is said of their metadata. */
static const struct refusal *
read_templates(struct task *t, struct dp_templates *x)
{
	const struct refusal *no;

	x->operator_name = ctl_operator_get(t);
	x->type_name = ctl_text_get(t, "name");
	if (!x->type_name.n || x->type_name.n > 100)
		return ctl_refuse(t, "name must have 1 to 100 characters; choose another");
	if (has_control(x->type_name))
		return ctl_refuse(t, "name has control characters; choose another");
	no = read_packages(t, x);
	return no ? no : ctl_wishes_get(t, "profileName", &x->wishes);
}

/* "LOW-HIGH", as many digits each; absent when it is not given. */
static const struct refusal *
read_range(struct task *t, struct slice *from, struct slice *to)
{
	struct slice range = ctl_text_get(t, "imsiRange");
	const uint8_t *dash = range.p ? memchr(range.p, '-', range.n) : NULL;
	size_t n = dash ? (size_t)(dash - range.p) : 0;
	struct slice low = slice_sub(range, 0, n), high = slice_sub(range, n + 1, range.n);

	if (!range.p)
		return NULL;
	if (low.n < IMSI_LEAST || low.n > IMSI_MOST || high.n != low.n || !slice_is_digits(low) ||
		!slice_is_digits(high) || memcmp(low.p, high.p, n) > 0)
		return ctl_refuse(t,
			"imsiRange is not LOW-HIGH, two IMSIs of the same length; see rspctl help "
			"profile-type create");
	*from = low;
	*to = high;
	return NULL;
}

static const struct refusal *
read_ways(struct task *t, struct dp_create_type *c)
{
	static const char *const keys[] = { "session", "ppk", NULL };
	static const char *const deletes[] = { "keep", "reissue", "available", NULL };
	int64_t low_water = ctl_number_get(t, "lowWater");

	c->in.low_water = low_water > 0 ? (int32_t)low_water : 0;
	c->in.keys = ctl_text_get(t, "keys");
	c->in.on_delete = ctl_text_get(t, "onDelete");
	if (!c->in.keys.p)
		c->in.keys = SLICE_LIT("session");
	if (!c->in.on_delete.p)
		c->in.on_delete = SLICE_LIT("keep");
	if (!one_of(c->in.keys, keys))
		return ctl_refuse(
			t, "keys is none of session, ppk; see rspctl help profile-type create");
	if (!one_of(c->in.on_delete, deletes))
		return ctl_refuse(t,
			"onDelete is none of keep, reissue, available; see rspctl help "
			"profile-type create");
	return NULL;
}

const struct refusal *
ctl_profile_type_create_read(struct task *t)
{
	struct dp_create_type *c = t->state;
	const struct refusal *no = read_ways(t, c);

	c->in.actor = ctl_actor_get(t);
	c->in.shared_imsi = ctl_flag_get(t, "sharedImsi");
	if (!no)
		no = read_range(t, &c->in.imsi_low, &c->in.imsi_high);
	return no ? no : read_templates(t, &c->templates);
}

void
ctl_profile_type_create_write(struct task *t, json_t *ok)
{
	const struct dp_create_type *c = t->state;
	const struct dp_templates *x = &c->templates;

	ctl_put_text(ok, "name", x->type_name);
	ctl_put_text(ok, "operator", x->operator_name);
	ctl_put_text(ok, "keys", c->in.keys);
	ctl_put_text(ok, "onDelete", c->in.on_delete);
	if (c->in.low_water)
		json_object_set_new(ok, "lowWater", json_integer(c->in.low_water));
	if (c->in.imsi_low.p)
		ctl_put_text(ok, "imsiRange", ctl_text_get(t, "imsiRange"));
	if (c->in.shared_imsi)
		json_object_set_new(ok, "sharedImsi", json_true());
	if (!x->count)
		return;
	json_object_set_new(ok, "version", json_integer(1));
	json_object_set_new(ok, "variants", json_integer((json_int_t)x->count));
	ctl_put_text(ok, "class", x->profile_class);
}

const struct refusal *
ctl_template_add_read(struct task *t)
{
	struct dp_add_template *c = t->state;
	const struct refusal *no = read_templates(t, &c->templates);

	c->in.actor = ctl_actor_get(t);
	c->in.variant = ctl_flag_get(t, "variant");
	if (!no && !c->templates.count)
		return ctl_refuse(t, "templates is empty; send one at least");
	return no;
}

void
ctl_template_add_write(struct task *t, json_t *ok)
{
	const struct dp_add_template *c = t->state;
	const struct dp_templates *x = &c->templates;

	ctl_put_text(ok, "name", x->type_name);
	ctl_put_text(ok, "operator", x->operator_name);
	json_object_set_new(ok, "version", json_integer(c->out.version));
	json_object_set_new(ok, "added", json_integer((json_int_t)x->count));
	ctl_put_text(ok, "class", x->profile_class);
}

/* NULL when the argument is one of the two words, or is left out. */
static const struct refusal *
read_wish(struct task *t, const char *name, enum store_wish *out)
{
	struct slice word = ctl_text_get(t, name);

	*out = slice_eq(word, SLICE_LIT("yes")) ? STORE_YES : word.p ? STORE_NO : STORE_KEEP;
	if (word.p && *out == STORE_NO && !slice_eq(word, SLICE_LIT("no")))
		return ctl_refuse(t,
			arena_printf(t->mem, "%s is neither yes nor no; give one of them", name));
	return NULL;
}

const struct step *
ctl_profile_type_set_ask(struct task *t, struct rows *out, const struct step *then)
{
	struct dp_actor actor = ctl_actor_get(t);
	struct store_type_change in = { .name = ctl_text_get(t, "name"),
		.operator_name = ctl_operator_get(t),
		.low_water = (int32_t)ctl_number_get(t, "lowWater"),
		.any_imsi = ctl_flag_get(t, "anyImsi"),
		.actor = actor.name,
		.why = actor.why };
	const struct refusal *no = read_range(t, &in.imsi_low, &in.imsi_high);

	if (!no)
		no = read_wish(t, "sharedImsi", &in.shared_imsi);
	if (!no && in.imsi_low.p && in.any_imsi)
		no = ctl_refuse(t, "imsiRange and anyImsi exclude each other; give one");
	if (!no && in.low_water < 0 && !in.imsi_low.p && !in.any_imsi &&
		in.shared_imsi == STORE_KEEP)
		no = ctl_refuse(
			t, "nothing is to change; give lowWater, imsiRange, anyImsi or sharedImsi");
	return no ? task_refuse(t, no)
		  : store_profile_type_set(
			    t, ((struct dp_call *)t->state)->dp->store, &in, out, then);
}
