/* order create, confirm, release, cancel, reset: how their procedures' structs are filled and told. */
#include "ctl/int.h"
#include "ctl/verbs.h"

enum { DAY = 86400, DAYS_MAX = 36500 };

static void
put_moved(json_t *ok, const struct store_moved *moved)
{
	json_object_set_new(ok, "orderId", json_integer(moved->order_id));
	ctl_put_text(ok, "iccid", moved->iccid);
	ctl_put_text(ok, "eid", moved->eid);
	ctl_put_text(ok, "matchingId", moved->matching_id);
	ctl_put_text(ok, "state", moved->state);
}

const struct refusal *
ctl_order_create_read(struct task *t)
{
	struct dp_download_order *c = t->state;
	int64_t days = ctl_number_get(t, "expiresDays");

	c->in.actor = ctl_actor_get(t);
	c->in.type_name = ctl_text_get(t, "type");
	c->in.reusable = ctl_flag_get(t, "reusable");
	c->in.operator_name = ctl_operator_get(t);
	if (days > DAYS_MAX)
		return ctl_refuse(
			t, "expiresDays is more than 36500; leave it out for the configured time");
	c->in.lifetime = days > 0 ? days * DAY : 0;
	return NULL;
}

void
ctl_order_create_write(struct task *t, json_t *ok)
{
	const struct dp_download_order *c = t->state;

	put_moved(ok, &c->out);
	ctl_put_text(ok, "eid", c->call.eid);
}

const struct refusal *
ctl_order_confirm_read(struct task *t)
{
	struct dp_confirm_order *c = t->state;

	c->in.actor = ctl_actor_get(t);
	c->in.matching_id = ctl_text_get(t, "matchingId");
	c->in.confirmation_code = ctl_text_get(t, "confirmationCode");
	c->in.smds_address = ctl_text_get(t, "smds");
	c->in.release = ctl_flag_get(t, "release");
	return NULL;
}

void
ctl_order_confirm_write(struct task *t, json_t *ok)
{
	const struct dp_confirm_order *c = t->state;

	put_moved(ok, &c->out);
	json_object_set_new(
		ok, "confirmationCode", json_boolean(c->confirmation.cc_sha256.p != NULL));
}

const struct refusal *
ctl_order_release_read(struct task *t)
{
	((struct dp_release_profile *)t->state)->in.actor = ctl_actor_get(t);
	return NULL;
}

void
ctl_order_release_write(struct task *t, json_t *ok)
{
	put_moved(ok, &((const struct dp_release_profile *)t->state)->out);
}

const struct refusal *
ctl_order_cancel_read(struct task *t)
{
	struct dp_cancel_order *c = t->state;
	struct slice final = ctl_text_get(t, "final");

	c->in.actor = ctl_actor_get(t);
	c->in.administrator = true;
	c->in.matching_id = ctl_text_get(t, "matchingId");
	c->in.available = slice_eq(final, SLICE_LIT("available"));
	c->in.force = ctl_flag_get(t, "force");
	if (!c->in.available && !slice_eq(final, SLICE_LIT("unavailable")))
		return ctl_refuse(
			t, "final is none of available, unavailable; see rspctl help order cancel");
	if (c->in.available && c->in.force)
		return ctl_refuse(t,
			"force takes a profile away for good; it goes with final unavailable only");
	return NULL;
}

void
ctl_order_cancel_write(struct task *t, json_t *ok)
{
	put_moved(ok, &((const struct dp_cancel_order *)t->state)->out);
}

const struct refusal *
ctl_order_reset_read(struct task *t)
{
	((struct dp_reset_order *)t->state)->in.actor = ctl_actor_get(t);
	return NULL;
}

void
ctl_order_reset_write(struct task *t, json_t *ok)
{
	put_moved(ok, &((const struct dp_reset_order *)t->state)->out);
}
