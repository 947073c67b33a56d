/*
 * order code, order codes: activation codes (SGP.22 §4.1) as text, for QR codes, and as links that phones open
 * with their own dialogue.
 */
#include <stdio.h>
#include "ctl/int.h"
#include "ctl/verbs.h"
#include "dp/matching_id.h"
#include "dp/refusal.h"
#include "store/view.h"

#define STEPS(S) S(find_order) S(write_code)
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct order_code {
	struct dp_call call;
	bool with_oid;
	struct store_code found;
	struct slice code;
};

static const struct refusal NO_CODE = { "NO_CODE", LOG_INFO,
	"there is no activation code yet; order the profile and confirm the order first" };
static const struct refusal CODE_OVER = { "CODE_OVER", LOG_INFO,
	"the order is over, and its activation code with it" };
static const struct refusal CODE_TOO_LONG = { "CODE_TOO_LONG", LOG_INFO,
	"the activation code would be longer than 255 characters; choose a shorter MatchingID or "
	"address" };

const struct procedure ctl_order_code = { "OrderCode", THEN(find_order), NULL, steps,
	CTL_DEADLINE_MS, 64 * 1024, sizeof(struct order_code) };

const struct refusal *
ctl_order_code_read(struct task *t)
{
	((struct order_code *)t->state)->with_oid = ctl_flag_get(t, "withOid");
	return NULL;
}

static const struct step *
find_order(struct task *t)
{
	struct order_code *c = t->state;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	return store_view_code(t, c->call.dp->store, c->call.iccid, &c->found, THEN(write_code));
}

/* The object identifier of the first credential; all of one operator have the same. */
static struct slice
oid_of(const struct dp_world *w, bool wanted)
{
	if (!wanted || !w->credential_count)
		return SLICE_NONE;
	return slice_text(w->credentials[0].facts.oid_text);
}

/* Percent-encoded but for what a query holds as it is (RFC 3986 §3.4). */
static const char *
link_of(struct arena *mem, struct slice beginning, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "-._~$:";
	size_t room = beginning.n + 3 * strlen(text) + 1;
	char *link = arena_alloc(mem, room), *at = link + beginning.n;

	if (beginning.n)
		memcpy(link, beginning.p, beginning.n);
	for (; *text; text++)
		at += snprintf(at, room - (size_t)(at - link),
			strchr(plain, *text) ? "%c" : "%%%02X", (unsigned char)*text);
	*at = 0;
	return link;
}

/* A code in all its forms. */
static void
put_code(struct task *t, const struct dp_world *w, json_t *object, struct slice code)
{
	const char *lpa = arena_printf(t->mem, "LPA:%.*s", SLICE_FMT(code));

	ctl_put_text(object, "code", code);
	json_object_set_new(object, "qr", json_string(lpa));
	json_object_set_new(
		object, "iosLink", json_string(link_of(t->mem, w->settings.ios_link, lpa)));
	json_object_set_new(
		object, "androidLink", json_string(link_of(t->mem, w->settings.android_link, lpa)));
}

static const struct step *
write_code(struct task *t)
{
	struct order_code *c = t->state;

	if (t->got == R_NONE)
		return task_refuse(t, REFUSE(ICCID_UNKNOWN));
	if (!c->found.pending && c->found.order_id != STORE_NULL)
		return task_refuse(t, &CODE_OVER);
	if (!c->found.matching_id.p)
		return task_refuse(t, &NO_CODE);
	if (!dp_activation_code_write(t->mem, c->call.world->settings.address, c->found.matching_id,
		    oid_of(c->call.world, c->with_oid), c->found.code_required, &c->code))
		return task_refuse(t, &CODE_TOO_LONG);
	FINISH;
}

void
ctl_order_code_write(struct task *t, json_t *ok)
{
	const struct order_code *c = t->state;

	ctl_put_text(ok, "iccid", c->call.iccid);
	json_object_set_new(ok, "orderId", json_integer(c->found.order_id));
	ctl_put_text(ok, "state", c->found.state);
	ctl_put_text(ok, "eid", c->found.eid);
	put_code(t, c->call.world, ok, c->code);
	ctl_put_text(ok, "address", c->call.world->settings.address);
	ctl_put_text(ok, "matchingId", c->found.matching_id);
	json_object_set_new(ok, "confirmationCode", json_boolean(c->found.code_required));
	if (c->found.reusable)
		json_object_set_new(ok, "reusable", json_true());
}

/* ---- order codes: many at a time ---- */

enum { CODES_AT_A_TIME = 500, CODES_ICCIDS = 1000 };

#define CODES_STEPS(S) S(find_orders) S(found)
CODES_STEPS(DECLARE_STEP)
static const struct step *const codes_steps[] = { CODES_STEPS(STEP_REF) NULL };

struct order_codes {
	struct dp_call call;
	bool with_oid;
	struct store_order_filter filter;
	int32_t most;
	struct rows rows;
};

const struct procedure ctl_order_codes = { "OrderCodes", THEN(find_orders), NULL, codes_steps,
	CTL_DEADLINE_MS, CTL_ARENA, sizeof(struct order_codes) };

const struct refusal *
ctl_order_codes_read(struct task *t)
{
	struct order_codes *c = t->state;
	int64_t before = ctl_number_get(t, "before"), most = ctl_number_get(t, "limit");

	c->with_oid = ctl_flag_get(t, "withOid");
	c->most = most < 0 || most > CODES_AT_A_TIME ? CODES_AT_A_TIME : (int32_t)most;
	c->filter = (struct store_order_filter){ .state = ctl_text_get(t, "state"),
		.type_name = ctl_text_get(t, "type"),
		.operator_name = ctl_text_get(t, "operator"),
		.before = before < 0 ? STORE_NULL : before };
	c->filter.iccids = arena_alloc(t->mem, CODES_ICCIDS * sizeof *c->filter.iccids);
	c->filter.iccid_count = ctl_texts_get(t, "iccids", c->filter.iccids, CODES_ICCIDS);
	if (c->filter.iccid_count > CODES_ICCIDS)
		return ctl_refuse(t, "more than 1000 iccids; send fewer at a time");
	return NULL;
}

static const struct step *
find_orders(struct task *t)
{
	struct order_codes *c = t->state;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	return store_view_codes(t, c->call.dp->store, &c->filter, c->most, &c->rows, THEN(found));
}

static const struct step *
found(struct task *t)
{
	(void)t;
	FINISH;
}

void
ctl_order_codes_write(struct task *t, json_t *ok)
{
	const struct order_codes *c = t->state;
	const struct dp_world *w = c->call.world;
	const struct store_code_row *row = c->rows.first;
	json_t *codes = json_array(), *one;
	struct slice code;

	for (size_t i = 0; i < c->rows.n; i++, row++) {
		if (!dp_activation_code_write(t->mem, w->settings.address, row->matching_id,
			    oid_of(w, c->with_oid), row->code_required, &code))
			continue;
		one = json_object();
		json_object_set_new(one, "orderId", json_integer(row->order_id));
		ctl_put_text(one, "iccid", row->iccid);
		ctl_put_text(one, "type", row->type_name);
		ctl_put_text(one, "state", row->state);
		ctl_put_text(one, "eid", row->eid);
		put_code(t, w, one, code);
		if (row->reusable)
			json_object_set_new(one, "reusable", json_true());
		json_object_set_new(one, "confirmationCode", json_boolean(row->code_required));
		json_array_append_new(codes, one);
	}
	json_object_set_new(ok, "codes", codes);
	if (c->rows.n && c->rows.n == (size_t)c->most)
		json_object_set_new(ok, "next", json_integer(row[-1].order_id));
}
