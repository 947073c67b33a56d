/*
 * Our own certificates and the revocation lists, before they end: an alert 30, 7 and 1 days ahead, and one
 * at the end itself, each once over all instances, for the row of the certificate remembers it. What is made
 * for a short time, as lists are, is told of only in the second half of its life.
 */
#include "base/clock.h"
#include "dp/periodic.h"
#include "store/alert.h"

enum { DAY = 86400 };

struct watching {
	struct dp_periodic_run run;
	struct dp_certificate *ends; /* those that are due, by place in … */
	int *ahead;                  /* … and how far ahead */
	size_t n, next;
	struct store_told told;
};

/* clang-format off */
#define STEPS(S) \
	S(find_due)  /* in memory; mostly there are none */ \
	S(tell_next) /* again for each                   */ \
	S(told)      \
	S(give_up)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_watch_certificates = { "WatchCertificates", THEN(find_due), THEN(give_up),
	steps, 30000, 1024 * 1024, sizeof(struct watching) };

int64_t
dp_certificate_days(const struct dp_certificate *c, int64_t now)
{
	int64_t left = c->not_after - now;

	return left >= 0 ? left / DAY : -((-left + DAY - 1) / DAY);
}

int
dp_certificate_ahead(const struct dp_certificate *c, int64_t now)
{
	static const int steps_ahead[] = { 0, 1, 7, 30 };
	int64_t left = c->not_after - now, life = c->not_after - c->not_before;

	for (size_t i = 0; i < sizeof steps_ahead / sizeof *steps_ahead; i++) {
		int64_t ahead = (int64_t)steps_ahead[i] * DAY;

		if (left <= ahead && ahead <= life / 2)
			return steps_ahead[i];
	}
	return -1;
}

static const struct step *
find_due(struct task *t)
{
	struct watching *c = t->state;
	const struct dp_world *w = dp_world_hold(c->run.dp, t);
	int64_t now = clock_wall_us() / 1000000;

	if (!w)
		FINISH;
	c->ends = arena_alloc(t->mem, (w->certificate_count + 1) * sizeof *c->ends);
	c->ahead = arena_alloc(t->mem, (w->certificate_count + 1) * sizeof *c->ahead);
	for (size_t i = 0; i < w->certificate_count; i++) {
		c->ahead[c->n] = dp_certificate_ahead(&w->certificates[i], now);
		if (c->ahead[c->n] >= 0)
			c->ends[c->n++] = w->certificates[i];
	}
	GO(tell_next);
}

static const struct step *
tell_next(struct task *t)
{
	struct watching *c = t->state;
	const struct dp_certificate *due = &c->ends[c->next];
	struct store_ending ending;

	if (c->next == c->n)
		FINISH;
	ending = (struct store_ending){ .sha256 = SLICE_ARRAY(due->sha256),
		.ahead = c->ahead[c->next],
		.what = slice_text(due->what),
		.name = due->name,
		.not_after = due->not_after,
		.days_left = dp_certificate_days(due, clock_wall_us() / 1000000) };
	return store_alert_certificate(t, c->run.dp->store, &ending, &c->told, THEN(told));
}

static const struct step *
told(struct task *t)
{
	struct watching *c = t->state;
	const struct dp_certificate *due = &c->ends[c->next++];
	char name[512];

	if (t->got == R_OK)
		LOG(dp, WARNING, "alarm=certificate-expiry what=%s name=%s days=%lld", due->what,
			log_value(due->name, name),
			(long long)dp_certificate_days(due, clock_wall_us() / 1000000));
	/* Backwards, once for each of the few that are due. */
	GO(tell_next);
}

static const struct step *
give_up(struct task *t)
{
	LOG(dp, INFO, "task=WatchCertificates result=%s note=\"tried again in an hour\"",
		trouble_name(t->bad));
	FINISH;
}
