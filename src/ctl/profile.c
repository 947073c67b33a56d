/* profile import, profile-type create: how their procedures' structs are filled and told. */
#include "ctl/int.h"
#include "ctl/verbs.h"
#include "profile/metadata.h"

static uint8_t
rules_of(struct task *t)
{
	return (uint8_t)((ctl_flag_get(t, "ppr1") ? CODEC_PPR_NO_DISABLE : 0) |
		(ctl_flag_get(t, "ppr2") ? CODEC_PPR_NO_DELETE : 0) |
		(ctl_flag_get(t, "pprUpdate") ? CODEC_PPR_UPDATE : 0));
}

const struct refusal *
ctl_profile_import_read(struct task *t)
{
	struct dp_import_profile *c = t->state;
	struct slice *notify = ARENA_ARRAY(t->mem, struct slice, CODEC_NOTIFY_MAX);

	c->in.actor = ctl_actor_get(t);
	c->in.operator_name = ctl_operator_get(t);
	if (!ctl_octets_get(t, "package", &c->in.package) || !c->in.package.n)
		return ctl_refuse(t, "package is not Base64; send the file's octets as Base64");
	if (c->in.package.n > PROFILE_UPP_MAX)
		return ctl_refuse(t, "the package is larger than 1 MiB; it cannot be offered");
	if (c->call.iccid.p && !c->call.iccid.n)
		return ctl_refuse(t, "iccid is empty; leave it out or give 18 to 20 digits");
	if (!ctl_octets_get(t, "icon", &c->in.icon))
		return ctl_refuse(t, "icon is not Base64; send the file's octets as Base64");
	c->in.type_name = ctl_text_get(t, "type");
	c->in.name = ctl_text_get(t, "name");
	c->in.provider = ctl_text_get(t, "provider");
	c->in.profile_class = ctl_text_get(t, "class");
	c->in.owner = ctl_text_get(t, "owner");
	c->in.rules = rules_of(t);
	c->in.notify = notify;
	c->in.notify_count = ctl_texts_get(t, "notify", notify, CODEC_NOTIFY_MAX);
	if (c->in.notify_count > CODEC_NOTIFY_MAX)
		return ctl_refuse(t, "notify has more than 16 entries; leave some out");
	return NULL;
}

void
ctl_profile_import_write(struct task *t, json_t *ok)
{
	const struct dp_import_profile *c = t->state;

	ctl_put_text(ok, "iccid", c->out.iccid);
	ctl_put_text(ok, "operator", c->in.operator_name);
	ctl_put_text(ok, "type", c->out.type_name);
	ctl_put_text(ok, "class", c->import.profile_class);
	json_object_set_new(ok, "state", json_string("available"));
	json_object_set_new(ok, "octets", json_integer(c->import.upp_octets));
}

/* ---- profile-type create: one statement, so its procedure is here ---- */

#define STEPS(S) S(create) S(answer)
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct type_create {
	struct dp_call call;
	struct slice name, keys, on_delete, actor, operator_name;
	struct store_type made;
};

static const struct refusal TYPE_EXISTS = { "TYPE_EXISTS", LOG_INFO,
	"a profile type of this name exists and is another; choose another name" };

const struct procedure ctl_profile_type_create = { "CreateProfileType", THEN(create), NULL, steps,
	CTL_DEADLINE_MS, 64 * 1024, sizeof(struct type_create) };

static const struct step *
create(struct task *t)
{
	struct type_create *c = t->state;

	return store_profile_type_create(t, c->call.dp->store, c->name, c->keys, c->on_delete,
		c->actor, c->operator_name, &c->made, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	const struct type_create *c = t->state;

	if (t->got == R_CONFLICT)
		return task_refuse(t, &TYPE_EXISTS);
	if (c->made.type_id == STORE_NULL)
		return task_refuse(t, REFUSE(OPERATOR_UNKNOWN));
	FINISH;
}

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

const struct refusal *
ctl_profile_type_create_read(struct task *t)
{
	static const char *const keys[] = { "session", "ppk", NULL };
	static const char *const deletes[] = { "keep", "reissue", "available", NULL };
	struct type_create *c = t->state;

	c->actor = ctl_actor_get(t).name;
	c->operator_name = ctl_operator_get(t);
	c->name = ctl_text_get(t, "name");
	c->keys = ctl_text_get(t, "keys");
	c->on_delete = ctl_text_get(t, "onDelete");
	if (!c->keys.p)
		c->keys = SLICE_LIT("session");
	if (!c->on_delete.p)
		c->on_delete = SLICE_LIT("keep");
	if (!c->name.n || c->name.n > 100)
		return ctl_refuse(t, "name must have 1 to 100 characters; choose another");
	if (has_control(c->name))
		return ctl_refuse(t, "name has control characters; choose another");
	if (!one_of(c->keys, keys))
		return ctl_refuse(
			t, "keys is none of session, ppk; see rspctl help profile-type create");
	if (!one_of(c->on_delete, deletes))
		return ctl_refuse(t,
			"onDelete is none of keep, reissue, available; see rspctl help "
			"profile-type create");
	return NULL;
}

void
ctl_profile_type_create_write(struct task *t, json_t *ok)
{
	const struct type_create *c = t->state;

	ctl_put_text(ok, "name", c->name);
	ctl_put_text(ok, "operator", c->operator_name);
	ctl_put_text(ok, "keys", c->keys);
	ctl_put_text(ok, "onDelete", c->on_delete);
}
