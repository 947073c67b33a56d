/* order code: the activation code of an order (SGP.22 §4.1), as text and for a QR code. */
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
	"the order has no activation code; confirm it first" };
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
oid_of(const struct order_code *c)
{
	if (!c->with_oid || !c->call.world->credential_count)
		return SLICE_NONE;
	return slice_text(c->call.world->credentials[0].facts.oid_text);
}

static const struct step *
write_code(struct task *t)
{
	struct order_code *c = t->state;

	if (t->got == R_NONE)
		return task_refuse(t, REFUSE(ICCID_UNKNOWN));
	if (!c->found.pending || !c->found.matching_id.p)
		return task_refuse(t, &NO_CODE);
	if (!dp_activation_code_write(t->mem, c->call.world->settings.address, c->found.matching_id,
		    oid_of(c), c->found.code_required, &c->code))
		return task_refuse(t, &CODE_TOO_LONG);
	FINISH;
}

void
ctl_order_code_write(struct task *t, json_t *ok)
{
	const struct order_code *c = t->state;
	const char *lpa = arena_printf(t->mem, "LPA:%.*s", SLICE_FMT(c->code));

	ctl_put_text(ok, "iccid", c->call.iccid);
	json_object_set_new(ok, "orderId", json_integer(c->found.order_id));
	ctl_put_text(ok, "state", c->found.state);
	ctl_put_text(ok, "eid", c->found.eid);
	ctl_put_text(ok, "code", c->code);
	json_object_set_new(ok, "qr", json_string(lpa));
	ctl_put_text(ok, "address", c->call.world->settings.address);
	ctl_put_text(ok, "matchingId", c->found.matching_id);
	json_object_set_new(ok, "confirmationCode", json_boolean(c->found.code_required));
}
