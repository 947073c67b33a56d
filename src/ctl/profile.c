/* profile import, profile load: how their procedures' structs are filled and told. */
#include "ctl/int.h"
#include "ctl/verbs.h"
#include "profile/metadata.h"
#include "profile/personal.h"

static uint8_t
rules_of(struct task *t)
{
	return (uint8_t)((ctl_flag_get(t, "ppr1") ? CODEC_PPR_NO_DISABLE : 0) |
		(ctl_flag_get(t, "ppr2") ? CODEC_PPR_NO_DELETE : 0) |
		(ctl_flag_get(t, "pprUpdate") ? CODEC_PPR_UPDATE : 0));
}

const struct refusal *
ctl_wishes_get(struct task *t, const char *name, struct dp_wishes *out)
{
	struct slice *notify = ARENA_ARRAY(t->mem, struct slice, CODEC_NOTIFY_MAX);

	if (!ctl_octets_get(t, "icon", &out->icon))
		return ctl_refuse(t, "icon is not Base64; send the file's octets as Base64");
	out->name = ctl_text_get(t, name);
	out->provider = ctl_text_get(t, "provider");
	out->profile_class = ctl_text_get(t, "class");
	out->owner = ctl_text_get(t, "owner");
	out->rules = rules_of(t);
	out->notify = notify;
	out->notify_count = ctl_texts_get(t, "notify", notify, CODEC_NOTIFY_MAX);
	if (out->notify_count > CODEC_NOTIFY_MAX)
		return ctl_refuse(t, "notify has more than 16 entries; leave some out");
	return NULL;
}

const struct refusal *
ctl_profile_import_read(struct task *t)
{
	struct dp_import_profile *c = t->state;

	c->in.actor = ctl_actor_get(t);
	c->in.operator_name = ctl_operator_get(t);
	if (!ctl_octets_get(t, "package", &c->in.package) || !c->in.package.n)
		return ctl_refuse(t, "package is not Base64; send the file's octets as Base64");
	if (c->in.package.n > PROFILE_UPP_MAX)
		return ctl_refuse(t, "the package is larger than 1 MiB; it cannot be offered");
	if (c->call.iccid.p && !c->call.iccid.n)
		return ctl_refuse(t, "iccid is empty; leave it out or give 18 to 20 digits");
	c->in.type_name = ctl_text_get(t, "type");
	return ctl_wishes_get(t, "name", &c->in.wishes);
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

const struct refusal *
ctl_profile_load_read(struct task *t)
{
	struct dp_load_profiles *c = t->state;
	struct slice *maps = ARENA_ARRAY(t->mem, struct slice, PERSONAL_COLUMNS_MAX);
	struct slice format = ctl_text_get(t, "format");
	bool lines = slice_eq(format, SLICE_LIT("json"));

	c->in.actor = ctl_actor_get(t);
	c->in.operator_name = ctl_operator_get(t);
	c->in.type_name = ctl_text_get(t, "type");
	c->in.source = ctl_text_get(t, "source");
	if (!c->in.source.p)
		c->in.source = SLICE_LIT("-");
	if (format.p && !lines && !slice_eq(format, SLICE_LIT("csv")))
		return ctl_refuse(t, "format is none of csv, json; leave it out for csv");
	c->in.maps = maps;
	c->in.map_count = ctl_texts_get(t, "map", maps, PERSONAL_COLUMNS_MAX);
	if (c->in.map_count > PERSONAL_COLUMNS_MAX)
		return ctl_refuse(t, "map has more than 128 entries; leave some out");
	for (size_t i = 0; i < c->in.map_count; i++)
		if (!memchr(maps[i].p, '=', maps[i].n))
			return ctl_refuse(t,
				"an entry of map is not COLUMN=DATUM; see rspctl help profile "
				"load");
	c->in.dry_run = ctl_flag_get(t, "dryRun");
	c->in.rows = ctl_rows_new(t, lines);
	return NULL;
}

static json_t *
fault_json(const struct dp_row_fault *fault)
{
	json_t *o = json_object();

	json_object_set_new(o, "line", json_integer(fault->line));
	if (fault->column)
		json_object_set_new(o, "column", json_string(fault->column));
	json_object_set_new(o, "reason", json_string(fault->reason));
	return o;
}

void
ctl_profile_load_write(struct task *t, json_t *ok)
{
	const struct dp_load_profiles *c = t->state;
	json_t *faults = json_array();

	ctl_put_text(ok, "type", c->in.type_name);
	json_object_set_new(ok, "rows", json_integer(c->out.rows));
	json_object_set_new(ok, "loaded", json_integer(c->out.profiles));
	json_object_set_new(ok, "refused", json_integer(c->out.refused));
	json_object_set_new(ok, "dryRun", json_boolean(c->in.dry_run));
	json_object_set_new(ok, "fileRefused", json_boolean(c->out.file_refused));
	for (size_t i = 0; i < c->out.fault_count; i++)
		json_array_append_new(faults, fault_json(&c->out.faults[i]));
	json_object_set_new(ok, "faults", faults);
}
