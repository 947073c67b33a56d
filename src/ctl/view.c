/*
 * What administrators look at: verbs that are one statement each. Its rows are JSON objects already, in
 * the form of the answer, so they go through as they are.
 */
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "crypto/token.h"
#include "ctl/int.h"
#include "ctl/verbs.h"
#include "dp/refusal.h"
#include "profile/metadata.h"
#include "store/deny.h"
#include "store/view.h"

enum { MOST = 200 }; /* rows when the administrator does not say how many */

#define STEPS(S) S(ask) S(answer)
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct view {
	struct dp_call call;
	const struct ctl_verb *verb;
	struct rows rows;
};

const struct procedure ctl_view = { "View", THEN(ask), NULL, steps, CTL_DEADLINE_MS, CTL_ARENA,
	sizeof(struct view) };

static const struct step *
ask(struct task *t)
{
	struct view *c = t->state;

	c->verb = ctl_call_get(t)->verb;
	return c->verb->ask(t, &c->rows, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	const struct view *c = t->state;

	if (!c->rows.n && !c->verb->list)
		return task_refuse(t, c->verb->none);
	FINISH;
}

static json_t *
row_json(const struct store_view *row)
{
	return json_loadb((const char *)row->view.p, row->view.n, 0, NULL);
}

void
ctl_view_write(struct task *t, json_t *ok)
{
	const struct view *c = t->state;
	const struct store_view *rows = c->rows.first;
	json_t *list, *one;

	if (!c->verb->list) {
		one = row_json(rows);
		json_object_update(ok, one);
		json_decref(one);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < c->rows.n; i++)
		json_array_append_new(list, row_json(&rows[i]));
	json_object_set_new(ok, c->verb->list, list);
}

/* The services that the package asks of an eUICC, by the names of the ASN.1 module. */
static json_t *
services_json(json_int_t services)
{
	json_t *names = json_array();

	for (int i = 0; i < PROFILE_SERVICE_COUNT; i++)
		if (services >> i & 1)
			json_array_append_new(
				names, json_string(profile_service_name((enum profile_service)i)));
	return names;
}

/* What the user's phone will show of it. */
static void
put_metadata(struct task *t, json_t *ok)
{
	const json_t *hex = json_object_get(ok, "metadata");
	struct codec_metadata m;
	struct slice octets;
	const char *why;

	if (!text_unhex(
		    t->mem, slice_of(json_string_value(hex), json_string_length(hex)), &octets) ||
		!codec_store_metadata_read(t->mem, octets, &m, &why))
		return;
	ctl_put_text(ok, "name", m.name);
	ctl_put_text(ok, "provider", m.provider);
	json_object_set_new(ok, "icon", json_boolean(m.icon.p != NULL));
	if (m.rules & CODEC_PPR_NO_DISABLE)
		json_object_set_new(ok, "ppr1", json_true());
	if (m.rules & CODEC_PPR_NO_DELETE)
		json_object_set_new(ok, "ppr2", json_true());
}

void
ctl_profile_show_write(struct task *t, json_t *ok)
{
	ctl_view_write(t, ok);
	json_object_set_new(
		ok, "services", services_json(json_integer_value(json_object_get(ok, "services"))));
	put_metadata(t, ok);
}

static struct store *
store_of(struct task *t)
{
	return ((struct view *)t->state)->call.dp->store;
}

static int32_t
most_of(struct task *t)
{
	int64_t n = ctl_number_get(t, "limit");

	return n < 0 ? MOST : n > STORE_VIEW_MOST ? STORE_VIEW_MOST : (int32_t)n;
}

static int64_t
before_of(struct task *t)
{
	int64_t n = ctl_number_get(t, "before");

	return n < 0 ? STORE_NULL : n;
}

const struct step *
ctl_profile_list_ask(struct task *t, struct rows *out, const struct step *then)
{
	return store_view_profiles(t, store_of(t), ctl_text_get(t, "type"),
		ctl_text_get(t, "state"), ctl_text_get(t, "after"), ctl_text_get(t, "operator"),
		most_of(t), out, then);
}

const struct step *
ctl_profile_show_ask(struct task *t, struct rows *out, const struct step *then)
{
	return store_view_profile(t, store_of(t), ctl_text_get(t, "iccid"), out, then);
}

const struct step *
ctl_profile_type_list_ask(struct task *t, struct rows *out, const struct step *then)
{
	return store_view_types(t, store_of(t), ctl_text_get(t, "operator"), out, then);
}

const struct step *
ctl_profile_type_show_ask(struct task *t, struct rows *out, const struct step *then)
{
	struct slice operator_name = ctl_operator_get(t);

	return store_view_type(t, store_of(t), ctl_text_get(t, "name"), operator_name, out, then);
}

/* The services of each variant by their names, its metadata as a phone will show it. */
void
ctl_profile_type_show_write(struct task *t, json_t *ok)
{
	json_t *template;
	size_t i;

	ctl_view_write(t, ok);
	json_array_foreach(json_object_get(ok, "templates"), i, template)
	{
		json_object_set_new(template, "services",
			services_json(json_integer_value(json_object_get(template, "services"))));
		put_metadata(t, template);
		json_object_del(template, "metadata");
	}
}

const struct step *
ctl_order_list_ask(struct task *t, struct rows *out, const struct step *then)
{
	struct store_order_filter filter = { .state = ctl_text_get(t, "state"),
		.type_name = ctl_text_get(t, "type"),
		.operator_name = ctl_text_get(t, "operator"),
		.eid = ctl_text_get(t, "eid"),
		.error = ctl_text_get(t, "error"),
		.before = before_of(t) };

	if (!ctl_time_get(t, "since", &filter.since) || !ctl_time_get(t, "until", &filter.until))
		return task_refuse(t,
			ctl_refuse(t, "a time is none; write 2026-11-22 or 2026-11-22T21:00:00Z"));
	return store_view_orders(t, store_of(t), &filter, most_of(t), out, then);
}

const struct step *
ctl_profile_history_ask(struct task *t, struct rows *out, const struct step *then)
{
	return store_view_history(t, store_of(t), ctl_text_get(t, "iccid"), most_of(t), out, then);
}

const struct step *
ctl_order_show_ask(struct task *t, struct rows *out, const struct step *then)
{
	struct view *c = t->state;
	int64_t id = ctl_number_get(t, "id");

	if (!c->call.iccid.p && id < 0)
		return task_refuse(t, ctl_refuse(t, "order show needs iccid or id"));
	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	return store_view_order(t, store_of(t), c->call.iccid, id < 0 ? STORE_NULL : id,
		c->call.world->settings.download_attempts, c->call.world->settings.code_attempts,
		out, then);
}

const struct step *
ctl_session_list_ask(struct task *t, struct rows *out, const struct step *then)
{
	return store_view_sessions(t, store_of(t), ctl_text_get(t, "eid"), ctl_text_get(t, "iccid"),
		ctl_text_get(t, "operator"), most_of(t), out, then);
}

const struct step *
ctl_event_list_ask(struct task *t, struct rows *out, const struct step *then)
{
	if (ctl_text_get(t, "subscriber").p)
		return ctl_deliveries_ask(t, out, then);
	if (ctl_text_get(t, "state").p)
		return task_refuse(t, ctl_refuse(t, "state of what; name a subscriber too"));
	return store_view_events(t, store_of(t), ctl_text_get(t, "iccid"), ctl_text_get(t, "eid"),
		ctl_text_get(t, "operator"), most_of(t), out, then);
}

const struct step *
ctl_deny_list_ask(struct task *t, struct rows *out, const struct step *then)
{
	int64_t after = ctl_number_get(t, "after");

	return store_deny_view(t, store_of(t), ctl_text_get(t, "kind"), after < 0 ? 0 : after,
		most_of(t), out, then);
}

const struct step *
ctl_audit_list_ask(struct task *t, struct rows *out, const struct step *then)
{
	return store_view_audit(t, store_of(t), ctl_text_get(t, "iccid"), ctl_text_get(t, "eid"),
		before_of(t), most_of(t), out, then);
}

const struct step *
ctl_key_list_ask(struct task *t, struct rows *out, const struct step *then)
{
	return store_view_keys(t, store_of(t), out, then);
}

/* What this instance has the key for; a key that nothing awaits is told too. */
static void
name_key(json_t *keys, const struct crypto_ring *ring, bool former)
{
	const char *use = former ? "former" : "current";
	json_t *key;
	char hex[3];
	uint8_t id;
	size_t i;

	if (!crypto_ring_id(ring, former, &id))
		return;
	snprintf(hex, sizeof hex, "%02X", id);
	json_array_foreach(keys, i, key)
	{
		if (strcmp(json_string_value(json_object_get(key, "keyId")), hex) == 0) {
			json_object_set_new(key, "use", json_string(use));
			return;
		}
	}
	json_array_append_new(
		keys, json_pack("{ss ss si}", "keyId", hex, "use", use, "awaited", 0));
}

void
ctl_key_list_write(struct task *t, json_t *ok)
{
	const struct view *c = t->state;
	const struct dp_world *w = c->call.dp->world;

	ctl_view_write(t, ok);
	for (int former = 0; w && former < 2; former++)
		name_key(json_object_get(ok, "keys"), w->ring, former);
}
