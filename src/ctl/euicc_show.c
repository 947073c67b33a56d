/*
 * euicc show, euicc list: what is known and believed of eUICCs, since when, and on what evidence (RULES 5.5): what
 * a signed result says stands apart from what an IPA only claims.
 */
#include <time.h>
#include "base/clock.h"
#include "ctl/euicc.h"

enum { PAGE = 200, US = 1000000, HOUR = 3600, HOURS_MOST = 1000000 };

void
ctl_put_time(json_t *object, const char *name, int64_t us)
{
	time_t seconds = (time_t)(us / US);
	char text[40];
	struct tm tm;
	size_t n;

	if (us == STORE_NULL)
		return;
	gmtime_r(&seconds, &tm);
	n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof text - n, ".%06dZ", (int)(us % US));
	json_object_set_new(object, name, json_string(text));
}

void
ctl_put_number(json_t *object, const char *name, int64_t number)
{
	if (number != STORE_NULL)
		json_object_set_new(object, name, json_integer(number));
}

/* ---- euicc show ---- */

/* clang-format off */
#define SHOW_STEPS(S) S(find) S(find_profiles) S(find_eims) S(found)
/* clang-format on */
SHOW_STEPS(DECLARE_STEP)
static const struct step *const show_steps[] = { SHOW_STEPS(STEP_REF) NULL };

struct showing {
	struct dp_call call;
	struct store_euicc euicc;
	struct rows profiles, eims;
};

const struct procedure ctl_euicc_show = { "ShowEuicc", THEN(find), NULL, show_steps,
	CTL_DEADLINE_MS, CTL_ARENA, sizeof(struct showing) };

static const struct step *
find(struct task *t)
{
	struct showing *c = t->state;

	return store_euicc_find(
		t, c->call.dp->store, c->call.eid, STORE_NULL, &c->euicc, THEN(find_profiles));
}

static const struct step *
find_profiles(struct task *t)
{
	struct showing *c = t->state;

	if (t->got == R_NONE)
		return task_refuse(t, &CTL_EUICC_UNKNOWN);
	return store_euicc_profiles(
		t, c->call.dp->store, c->call.eid, &c->profiles, THEN(find_eims));
}

static const struct step *
find_eims(struct task *t)
{
	struct showing *c = t->state;

	return store_euicc_eims(t, c->call.dp->store, c->call.eid, &c->eims, THEN(found));
}

static const struct step *
found(struct task *t)
{
	(void)t;
	FINISH;
}

/* Names of bits that are set; nothing when they are not known. */
static void
put_bits(json_t *ok, const char *name, int32_t bits, const char *const *names, int n)
{
	json_t *list;

	if (bits < 0)
		return;
	list = json_array();
	for (int i = 0; i < n; i++)
		if (bits >> i & 1)
			json_array_append_new(list, json_string(names[i]));
	json_object_set_new(ok, name, list);
}

/* What it and its IPA say of themselves: nobody signed it. */
static void
put_claims(struct task *t, const struct store_euicc *u, json_t *ok)
{
	static const char *const features[] = { "direct-download", "indirect-download",
		"eim-download-data", "eim-ctx-params", "eim-metadata", "minimize-esipa" };
	static const char *const protocols[] = { "retrieve-https", "retrieve-coaps", "inject-https",
		"inject-coaps", "proprietary" };

	if (u->iot_version >= 0)
		json_object_set_new(ok, "version",
			json_string(arena_printf(t->mem, "%d.%d.%d", u->iot_version >> 16,
				u->iot_version >> 8 & 255, u->iot_version & 255)));
	put_bits(ok, "features", u->features, features, 6);
	put_bits(ok, "protocols", u->protocols, protocols, 5);
	ctl_put_text(ok, "tac", u->tac);
	ctl_put_text(ok, "imei", u->imei);
	ctl_put_text(ok, "defaultSmdp", u->default_smdp);
	ctl_put_text(ok, "rootSmds", u->root_smds);
	ctl_put_time(ok, "learntAt", u->learnt_at);
	ctl_put_time(ok, "lastSeen", u->last_seen);
	if (u->last_cause >= 0)
		json_object_set_new(ok, "lastCause", json_integer(u->last_cause));
	ctl_put_time(ok, "lastCauseAt", u->last_cause_at);
}

/* What signatures between it and us rest upon. */
static void
put_association(const struct store_euicc *u, json_t *ok)
{
	json_object_set_new(ok, "proven", json_boolean(u->proven));
	if (u->proven)
		json_object_set_new(
			ok, "curve", json_string(crypto_curve_name((enum crypto_curve)u->curve)));
	json_object_set_new(ok, "testCi", json_boolean(u->test_ci));
	json_object_set_new(ok, "counter", json_integer(u->counter));
	ctl_put_number(ok, "token", u->token);
	ctl_put_text(ok, "tokenStanding", u->token_standing);
	ctl_put_text(ok, "signatureForm", u->signature_form);
	ctl_put_time(ok, "closedAt", u->closed_at);
	ctl_put_text(ok, "inject", u->inject);
}

static json_t *
profile_json(const struct store_euicc_profile *p)
{
	json_t *o = json_object();

	ctl_put_text(o, "iccid", p->iccid);
	ctl_put_text(o, "state", p->state);
	json_object_set_new(o, "fallback", json_boolean(p->fallback));
	ctl_put_text(o, "class", p->class);
	ctl_put_text(o, "name", p->name);
	ctl_put_text(o, "provider", p->provider);
	ctl_put_time(o, "since", p->since);
	ctl_put_text(o, "evidence", p->evidence);
	ctl_put_time(o, "evidenceAt", p->evidence_at);
	ctl_put_number(o, "package", p->package_id);
	return o;
}

static json_t *
eim_json(const struct store_euicc_eim *e)
{
	static const char *const types[] = { NULL, "oid", "fqdn", "proprietary" };
	json_t *o = json_object();

	ctl_put_text(o, "id", e->eim_id);
	if (e->id_type > 0 && e->id_type < 4)
		json_object_set_new(o, "type", json_string(types[e->id_type]));
	ctl_put_time(o, "evidenceAt", e->evidence_at);
	ctl_put_number(o, "package", e->package_id);
	return o;
}

void
ctl_euicc_show_write(struct task *t, json_t *ok)
{
	const struct showing *c = t->state;
	const struct store_euicc *u = &c->euicc;
	const struct store_euicc_profile *p = c->profiles.first;
	const struct store_euicc_eim *e = c->eims.first;
	json_t *profiles = json_array(), *eims = json_array();

	ctl_put_text(ok, "eid", u->eid);
	ctl_put_text(ok, "operator", u->operator_name);
	ctl_put_time(ok, "addedAt", u->added_at);
	ctl_put_text(ok, "addedBy", u->added_by);
	ctl_put_text(ok, "enabled", u->enabled);
	ctl_put_time(ok, "listedAt", u->listed_at);
	put_claims(t, u, ok);
	put_association(u, ok);
	ctl_put_number(ok, "outstanding", u->outstanding);
	ctl_put_number(ok, "barrier", u->barrier);
	json_object_set_new(ok, "waiting", json_integer(u->waiting));
	json_object_set_new(ok, "unknown", json_integer(u->unknown));
	for (size_t i = 0; i < c->profiles.n; i++)
		json_array_append_new(profiles, profile_json(&p[i]));
	json_object_set_new(ok, "profiles", profiles);
	for (size_t i = 0; i < c->eims.n; i++)
		json_array_append_new(eims, eim_json(&e[i]));
	json_object_set_new(ok, "eims", eims);
}

/* ---- euicc list ---- */

#define LIST_STEPS(S) S(list) S(listed)
LIST_STEPS(DECLARE_STEP)
static const struct step *const list_steps[] = { LIST_STEPS(STEP_REF) NULL };

struct listing {
	struct dp_call call;
	struct store_euicc_filter in;
	struct rows out;
};

const struct procedure ctl_euicc_list = { "ListEuiccs", THEN(list), NULL, list_steps,
	CTL_DEADLINE_MS, CTL_ARENA, sizeof(struct listing) };

const struct refusal *
ctl_euicc_list_read(struct task *t)
{
	struct listing *c = t->state;
	int64_t limit = ctl_number_get(t, "limit"), hours = ctl_number_get(t, "silentHours");

	c->in = (struct store_euicc_filter){ .after = ctl_text_get(t, "after"),
		.most = limit < 0                  ? PAGE
			: limit > STORE_EUICC_PAGE ? STORE_EUICC_PAGE
						   : (int32_t)limit,
		.operator_name = ctl_text_get(t, "operator"),
		.prefix = ctl_text_get(t, "prefix"),
		.silent_since = STORE_NULL,
		.with_unknown = ctl_flag_get(t, "unknown") };
	if (c->in.prefix.p && !slice_is_digits(c->in.prefix))
		return ctl_refuse(t, "prefix is not the beginning of an EID; give digits");
	if (hours > HOURS_MOST)
		return ctl_refuse(t, "silentHours is more than eUICCs live; give less");
	if (hours >= 0)
		c->in.silent_since = clock_wall_us() - hours * HOUR * US;
	return NULL;
}

static const struct step *
list(struct task *t)
{
	struct listing *c = t->state;

	return store_euicc_list(t, c->call.dp->store, &c->in, &c->out, THEN(listed));
}

static const struct step *
listed(struct task *t)
{
	(void)t;
	FINISH;
}

void
ctl_euicc_list_write(struct task *t, json_t *ok)
{
	const struct listing *c = t->state;
	const struct store_euicc_line *row = c->out.first;
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < c->out.n; i++) {
		o = json_object();
		ctl_put_text(o, "eid", row[i].eid);
		ctl_put_text(o, "operator", row[i].operator_name);
		ctl_put_time(o, "lastSeen", row[i].last_seen);
		ctl_put_text(o, "enabled", row[i].enabled);
		json_object_set_new(o, "profiles", json_integer(row[i].profiles));
		json_object_set_new(o, "waiting", json_integer(row[i].waiting));
		json_object_set_new(o, "unknown", json_integer(row[i].unknown));
		json_object_set_new(o, "closed", json_boolean(row[i].closed));
		json_object_set_new(o, "proven", json_boolean(row[i].proven));
		json_array_append_new(list, o);
	}
	json_object_set_new(ok, "euiccs", list);
	/* The next page begins behind the last of a full one. */
	if (c->out.n && c->out.n == (size_t)c->in.most)
		ctl_put_text(ok, "next", row[c->out.n - 1].eid);
}
