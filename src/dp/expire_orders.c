/*
 * The lifetime of orders: what is over ends, some at a time; orders that are Downloaded never end so, and
 * one whose session runs may still be finished. The next run goes on where this one stopped, and so does
 * every other instance on the same database.
 */
#include "dp/functions.h"
#include "dp/periodic.h"
#include "store/order.h"

enum {
	AT_A_TIME = 500,
};

/* clang-format off */
#define STEPS(S) \
	S(expire) /* one batch */ \
	S(take_back) /* reservations for an SM-DS that nobody came back for */ \
	S(tell) \
	S(refuse)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct expiry {
	struct dp_periodic_run run;
	struct store_expired expired;
	struct store_unreserved unreserved;
};

const struct procedure dp_expire_orders = { "ExpireOrders", THEN(expire), THEN(refuse), steps,
	60000, 16 * 1024, sizeof(struct expiry) };

static const struct step *
expire(struct task *t)
{
	struct expiry *c = t->state;

	return store_order_expire(
		t, c->run.dp->store, AT_A_TIME, DP_SESSION_SECONDS, &c->expired, THEN(take_back));
}

static const struct step *
take_back(struct task *t)
{
	struct expiry *c = t->state;

	return store_order_unreserve_left(
		t, c->run.dp->store, AT_A_TIME, &c->unreserved, THEN(tell));
}

static const struct step *
tell(struct task *t)
{
	const struct expiry *c = t->state;

	if (c->expired.expired)
		LOG(dp, NOTICE, "task=ExpireOrders orders=%lld", (long long)c->expired.expired);
	if (c->unreserved.freed)
		LOG(dp, NOTICE, "task=ExpireOrders reservations=%lld",
			(long long)c->unreserved.freed);
	FINISH;
}

static const struct step *
refuse(struct task *t)
{
	LOG(dp, INFO, "task=ExpireOrders result=%s note=\"tried again in a moment\"",
		trouble_name(t->bad));
	FINISH;
}
