/* profile-type create, profile-type template add: how their procedures' structs are filled and told. */
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
read_templates(struct task *t, struct dp_create_type *c)
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
	c->in.packages = packages;
	c->in.package_count = n;
	return NULL;
}

/* "LOW-HIGH", as many digits each. */
static const struct refusal *
read_range(struct task *t, struct dp_create_type *c)
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
	c->in.imsi_low = low;
	c->in.imsi_high = high;
	return NULL;
}

static const struct refusal *
read_name(struct task *t, struct dp_create_type *c)
{
	c->in.actor = ctl_actor_get(t);
	c->in.operator_name = ctl_operator_get(t);
	c->in.name = ctl_text_get(t, "name");
	if (!c->in.name.n || c->in.name.n > 100)
		return ctl_refuse(t, "name must have 1 to 100 characters; choose another");
	if (has_control(c->in.name))
		return ctl_refuse(t, "name has control characters; choose another");
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
	const struct refusal *no = read_name(t, c);

	if (!no)
		no = read_ways(t, c);
	if (!no)
		no = read_range(t, c);
	if (!no)
		no = read_templates(t, c);
	return no ? no : ctl_wishes_get(t, "profileName", &c->in.wishes);
}

void
ctl_profile_type_create_write(struct task *t, json_t *ok)
{
	const struct dp_create_type *c = t->state;

	ctl_put_text(ok, "name", c->in.name);
	ctl_put_text(ok, "operator", c->in.operator_name);
	ctl_put_text(ok, "keys", c->in.keys);
	ctl_put_text(ok, "onDelete", c->in.on_delete);
	if (c->in.low_water)
		json_object_set_new(ok, "lowWater", json_integer(c->in.low_water));
	if (c->in.imsi_low.p)
		ctl_put_text(ok, "imsiRange", ctl_text_get(t, "imsiRange"));
	if (!c->in.package_count)
		return;
	json_object_set_new(ok, "version", json_integer(1));
	json_object_set_new(ok, "variants", json_integer((json_int_t)c->in.package_count));
	ctl_put_text(ok, "class", c->profile_class);
}

const struct refusal *
ctl_template_add_read(struct task *t)
{
	struct dp_add_template *c = t->state;
	const struct refusal *no = read_name(t, &c->make);

	if (!no)
		no = read_templates(t, &c->make);
	if (!no && !c->make.in.package_count)
		no = ctl_refuse(t, "templates is empty; send one at least");
	c->variant = ctl_flag_get(t, "variant");
	return no ? no : ctl_wishes_get(t, "profileName", &c->make.in.wishes);
}

void
ctl_template_add_write(struct task *t, json_t *ok)
{
	const struct dp_add_template *c = t->state;

	ctl_put_text(ok, "name", c->make.in.name);
	ctl_put_text(ok, "operator", c->make.in.operator_name);
	json_object_set_new(ok, "version", json_integer(c->out.version));
	json_object_set_new(ok, "added", json_integer((json_int_t)c->make.in.package_count));
	ctl_put_text(ok, "class", c->make.profile_class);
}
