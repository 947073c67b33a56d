/*
 * GetEimPackage (SGP.32 §5.14.5; §3.1.1.1): an IPA asks whether there is something for its eUICC. Most often there
 * is nothing, and one look shared with other polls says so. What goes out for the first time gets its counter and
 * its signature now, on condition that nothing else is out (RULES 5.1); what is out already goes again, octet for
 * octet, within its budget. Who calls has proved nothing: he gets what he could only bring to the eUICC.
 */
#include <stdlib.h>
#include "base/rand.h"
#include "base/text.h"
#include "codec/der.h"
#include "eim/functions.h"
#include "eim/pace.h"
#include "eim/package.h"
#include "keys/keys.h"
#include "stats/stats.h"

/* clang-format off */
#define STEPS(S) \
	S(read_members) /* whose poll it is, and at what pace he comes               */ \
	S(look)         /* with other polls: is there anything                       */ \
	S(note_change)  /* a stateChangeCause: what the eUICC signs of it is wanted  */ \
	S(find_head)    /* what is out, or comes next                                */ \
	S(judge_head)   /* nothing, the same again, or something new                 */ \
	S(check_wanted) /* what was put before it; or it cannot be had now           */ \
	S(look_again)   /* something else comes first                                */ \
	S(bind_code)    /* an activation code of ours: only for this eUICC           */ \
	S(prepare)      /* its octets, for the counter that is next                  */ \
	S(sign)         /* … under our key                                           */ \
	S(hand_out)     /* recorded: from now on its octets are what they are        */ \
	S(check_out)    /* it is out; or another poll was faster                     */ \
	S(give_again)   /* the same octets as before                                 */
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure eim_get_eim_package = { "GetEimPackage", THEN(read_members), NULL, steps,
	EIM_DEADLINE_MS, EIM_ARENA, sizeof(struct eim_get_eim_package) };

enum { EID_OCTETS = 16, CAUSE_MAX = 127, CAUSE_UNDEFINED = 127, OWN_FIRST = 32767 };

/* Nothing for him: one more poll in vain. */
static const struct step *
nothing(struct task *t)
{
	struct eim_get_eim_package *c = t->state;

	eim_pace_count(c->call.eim->pace, c->call.eid, c->call.world->settings.polls_per_minute);
	return task_refuse(t, &EIM_NO_PACKAGE.base);
}

/* stateChangeCause, when a change is notified; anything that it cannot be is undefined. */
static int
cause_of(const struct eim_get_eim_package *c)
{
	int64_t cause;

	if (!c->in.notify_state_change.p && !c->in.state_change_cause.p)
		return -1;
	if (!codec_der_int_read(c->in.state_change_cause, &cause) || cause < 0 || cause > CAUSE_MAX)
		return CAUSE_UNDEFINED;
	return (int)cause;
}

static const struct step *
read_members(struct task *t)
{
	struct eim_get_eim_package *c = t->state;
	struct slice digits;
	const char *denied;

	c->call.world = eim_world_hold(c->call.eim, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	if (!c->in.eid_value.p)
		return task_refuse(t, &EIM_EID_MISSING.base);
	digits = text_hex(t->mem, c->in.eid_value);
	if (c->in.eid_value.n != EID_OCTETS || !slice_is_digits(digits))
		return task_refuse(t, &EIM_EID_INVALID.base);
	eim_eid_set(t, digits);
	denied = c->call.eim->denied(c->call.eim->arg, SLICE_NONE, SLICE_NONE, digits);
	if (denied) {
		c->call.note = denied;
		return task_refuse(t, &EIM_EUICC_DENIED.base);
	}
	if (eim_pace_exceeded(
		    c->call.eim->pace, digits, c->call.world->settings.polls_per_minute)) {
		stats_add(STATS_eim_slowed_down);
		return task_refuse(t, &EIM_SLOW_DOWN.base);
	}
	c->cause = cause_of(c);
	return eim_poll(t, c->call.eim, digits, &c->polled, THEN(look));
}

/*
 * May an eUICC that is not known show who it is? Then it gets a request for that, of which nothing is kept: it comes
 * in with the answer, when its certificates verify.
 */
static bool
may_come_in(const struct eim_get_eim_package *c)
{
	const struct eim_settings *s = &c->call.world->settings;

	for (size_t i = 0; i < s->domain_n; i++)
		if (slice_eq(slice_sub(c->call.eid, 0, s->domains[i].prefix.n),
			    s->domains[i].prefix))
			return true;
	return false;
}

static struct slice
new_transaction(struct task *t)
{
	uint8_t *id = arena_alloc(t->mem, EIM_TRANSACTION);

	rand_bytes(id, EIM_TRANSACTION);
	return slice_of(id, EIM_TRANSACTION);
}

static const struct step *
look(struct task *t)
{
	struct eim_get_eim_package *c = t->state;

	if (t->got == R_NONE) {
		const struct store_eim_head facts = { .kind = SLICE_LIT("data"),
			.body = eim_body_facts(t->mem, -1),
			.iot_version = -1 };

		eim_pace_count(
			c->call.eim->pace, c->call.eid, c->call.world->settings.polls_per_minute);
		if (!may_come_in(c))
			return task_refuse(t, &EIM_EID_UNKNOWN.base);
		c->call.note = "unknown, asked who it is";
		c->out.ipa_euicc_data_request =
			eim_request_write(t->mem, &facts, new_transaction(t));
		FINISH;
	}
	if (c->cause >= 0)
		GO(note_change);
	if (!c->polled.waiting)
		return nothing(t);
	GO(find_head);
}

static const struct step *
note_change(struct task *t)
{
	struct eim_get_eim_package *c = t->state;

	return store_eim_state_changed(t, c->call.eim->store, c->call.eid, c->cause,
		eim_body_profiles(t->mem, -1), eim_body_notifications(t->mem, -1), &c->changed,
		THEN(find_head));
}

static const struct step *
find_head(struct task *t)
{
	struct eim_get_eim_package *c = t->state;

	return store_eim_head(t, c->call.eim->store, c->call.eid,
		c->call.world->settings.interval_seconds, &c->head, THEN(judge_head));
}

static bool
is_package(const struct eim_get_eim_package *c)
{
	return slice_eq(c->head.kind, SLICE_LIT("package"));
}

/* What is out: again, or (its budget spent) aside. */
static const struct step *
out_again(struct task *t)
{
	struct eim_get_eim_package *c = t->state;
	const struct eim_settings *s = &c->call.world->settings;

	if (c->head.due && c->head.intervals >= s->budget)
		return store_eim_step_aside(t, c->call.eim->store, c->call.eid, c->head.package_id,
			eim_body_results(t->mem, c->head.iot_version), &c->aside, THEN(look_again));
	eim_pace_count(c->call.eim->pace, c->call.eid, s->polls_per_minute);
	c->call.note = "again";
	/* That it went out twice must be known (RULES 5.3); how often beyond that, only by intervals. */
	if (c->head.times_out > 1 && !c->head.due) {
		c->again.octets = c->head.octets;
		t->got = R_OK;
		GO(give_again);
	}
	return store_eim_hand_out_again(t, c->call.eim->store, c->head.package_id,
		s->interval_seconds, &c->again, THEN(give_again));
}

static bool
is_candidate_fresh(const struct eim_get_eim_package *c)
{
	return slice_eq(c->head.candidate_state, SLICE_LIT("fresh"));
}

/* Something of our own before what is waiting. */
static const struct step *
want(struct task *t, const char *kind, const char *what, struct slice body, const char *why)
{
	struct eim_get_eim_package *c = t->state;
	const struct store_wanted wanted = { .eid = c->call.eid,
		.kind = slice_text(kind),
		.what = slice_text(what),
		.body = body,
		.priority = OWN_FIRST,
		.why = slice_text(why) };

	return store_eim_want(t, c->call.eim->store, &wanted, &c->wanted, THEN(check_wanted));
}

static const struct step *
judge_head(struct task *t)
{
	struct eim_get_eim_package *c = t->state;

	if (t->got != R_OK || c->head.package_id == STORE_NULL)
		return nothing(t);
	c->call.package_id = c->head.package_id;
	if (slice_eq(c->head.state, SLICE_LIT("out")))
		return out_again(t);
	/* RULES 5.4: with which token it is to be signed, and whose signature its result will bear, is asked first … */
	if (is_package(c) && !(c->head.learnt && c->head.proven))
		return want(t, "data", "facts", eim_body_facts(t->mem, c->head.iot_version),
			"before the first package");
	/* … and what it says is tried with a package that nobody misses. */
	if (is_package(c) && !c->head.own && is_candidate_fresh(c))
		return want(t, "package", "list-profiles",
			eim_body_profiles(t->mem, c->head.iot_version),
			"tries the token that the eUICC named");
	if (slice_eq(c->head.kind, SLICE_LIT("trigger")))
		GO(bind_code);
	GO(prepare);
}

static const struct step *
check_wanted(struct task *t)
{
	struct eim_get_eim_package *c = t->state;

	/* It was asked a moment ago and did not say: no package goes where no result can be verified. */
	if (t->got != R_OK && c->head.learnt && !c->head.proven) {
		c->call.note = "its key is not known";
		return nothing(t);
	}
	GO(look_again);
}

static const struct step *
look_again(struct task *t)
{
	struct eim_get_eim_package *c = t->state;

	/* Backwards, a few times: what comes first is another now. */
	return ++c->tries < EIM_TRIES ? THEN(find_head) : task_trouble(t, T_BUSY);
}

/* The MatchingID of an activation code (SGP.22 §4.1: 1$address$MatchingID…) of ours, else absent. */
static struct slice
own_matching_id(const struct eim_get_eim_package *c)
{
	struct codec_der trigger, data, code;
	struct slice field[3] = { 0 }, rest;

	if (!codec_der_read_whole(c->head.body, 0xbf54, &trigger) ||
		!codec_der_find(trigger.value, 0xa0, &data) ||
		!codec_der_find(data.value, 0x80, &code))
		return SLICE_NONE;
	rest = slice_trim(code.value);
	if (slice_eq_nocase(slice_sub(rest, 0, 4), SLICE_LIT("LPA:")))
		rest = slice_sub(rest, 4, rest.n);
	for (size_t i = 0; i < 3; i++) {
		const uint8_t *end = rest.n ? memchr(rest.p, '$', rest.n) : NULL;
		size_t n = end ? (size_t)(end - rest.p) : rest.n;

		field[i] = slice_of(rest.p, n);
		rest = slice_sub(rest, n + 1, rest.n);
	}
	return eim_address_ours(c->call.world, field[1]) && field[2].n ? field[2] : SLICE_NONE;
}

static const struct step *
bind_code(struct task *t)
{
	struct eim_get_eim_package *c = t->state;
	struct slice matching_id = own_matching_id(c);

	/* RULES 5.8: whoever overhears it can do nothing with it. */
	if (!matching_id.p)
		GO(prepare);
	return store_eim_bind_code(
		t, c->call.eim->store, matching_id, c->call.eid, &c->activation, THEN(prepare));
}

/* An order that this eUICC cannot have: the SM-DP+ will say so, and with it the trigger ends. */
static void
note_activation(struct eim_get_eim_package *c)
{
	if (c->activation.state.p && !slice_eq(c->activation.state, SLICE_LIT("bound")))
		c->call.note = "its activation code is for another eUICC, or over";
}

static const struct step *
prepare(struct task *t)
{
	struct eim_get_eim_package *c = t->state;
	struct store_handed_out *h = &c->handed;
	bool candidate = is_candidate_fresh(c);

	note_activation(c);
	*h = (struct store_handed_out){ .eid = c->call.eid,
		.package_id = c->head.package_id,
		.counter = STORE_NULL,
		.token = STORE_NULL,
		.eim_transaction_id = new_transaction(t) };
	c->call.eim_transaction_id = h->eim_transaction_id;
	if (!is_package(c)) {
		h->octets = eim_request_write(t->mem, &c->head, h->eim_transaction_id);
		GO(hand_out);
	}
	h->counter = c->head.counter + 1;
	h->token = candidate ? c->head.candidate : c->head.token;
	h->tried = candidate;
	c->signed_part = eim_package_signed_write(t->mem, c->call.world, c->call.eid, h->counter,
		h->eim_transaction_id, c->head.body);
	GO(sign);
}

static const struct step *
sign(struct task *t)
{
	struct eim_get_eim_package *c = t->state;
	const struct slice parts[] = { c->signed_part,
		codec_association_token_write(t->mem, eim_token(c->handed.token)) };

	return keys_sign(
		t, c->call.world->key, KEYS_VERIFIED, parts, 2, &c->signature, THEN(hand_out));
}

static const struct step *
hand_out(struct task *t)
{
	struct eim_get_eim_package *c = t->state;

	if (is_package(c))
		c->handed.octets = codec_euicc_package_write(t->mem, c->signed_part, c->signature);
	return store_eim_hand_out(t, c->call.eim->store, &c->handed, &c->wanted, THEN(check_out));
}

static void
answer_put(struct eim_get_eim_package *c, struct slice octets)
{
	if (is_package(c))
		c->out.euicc_package_request = octets;
	else if (slice_eq(c->head.kind, SLICE_LIT("data")))
		c->out.ipa_euicc_data_request = octets;
	else
		c->out.profile_download_trigger_request = octets;
}

static const struct step *
check_out(struct task *t)
{
	struct eim_get_eim_package *c = t->state;

	/* Backwards: something else went out at this moment. */
	if (t->got != R_OK)
		GO(look_again);
	stats_add(STATS_eim_handed_out);
	answer_put(c, c->handed.octets);
	FINISH;
}

static const struct step *
give_again(struct task *t)
{
	struct eim_get_eim_package *c = t->state;

	/* Backwards: it was answered at this moment. */
	if (t->got != R_OK)
		GO(look_again);
	stats_add(STATS_eim_handed_out_again);
	answer_put(c, c->again.octets);
	FINISH;
}
