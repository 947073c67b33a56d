/*
 * euicc add, set, remove and eim fence: what administrators tell of the eUICCs that the eIM manages (SGP.32 §2.11.1,
 * docs/eim-operations.md). Certificates are verified before anything is written; everything else that an
 * eUICC is to be known by, it can say itself later.
 */
#include "ctl/euicc.h"
#include "base/text.h"
#include "crypto/cert.h"
#include "dp/refusal.h"
#include "eim/refusal.h"
#include "eim/verify.h"

enum { EID_DIGITS = 32, NUMBER_DIGITS = 18, IMEI_LEAST = 14, IMEI_MOST = 16, URL_MAX = 1000 };

const struct refusal CTL_EUICC_UNKNOWN = { "EUICC_UNKNOWN", LOG_INFO,
	"this eUICC is not managed here; see euicc list, bring it in with euicc add" };
static const struct refusal EUICC_KNOWN = { "EUICC_KNOWN", LOG_INFO,
	"this eUICC is managed already, for another operator or with another certificate or token; "
	"see euicc show, change it with euicc set" };

/* ---- what is said of one ---- */

bool
ctl_token_read(struct slice text, struct slice *out)
{
	if (slice_eq(text, SLICE_LIT("none")))
		*out = SLICE_LIT("");
	else if (slice_is_digits(text) && text.n <= NUMBER_DIGITS)
		*out = text;
	else
		return false;
	return true;
}

/* The first certificate of PEM, or DER as it is; what is behind it stays in `octets`. */
static struct slice
next_certificate(struct arena *mem, struct slice *octets)
{
	struct slice der = *octets;

	if (text_unpem(mem, octets, "CERTIFICATE", &der))
		return der;
	*octets = SLICE_NONE;
	return der;
}

static const char *
read_certificates(struct arena *mem, const struct eim_call *call, const struct ctl_new_euicc *in,
	struct store_new_euicc *out)
{
	struct slice own = in->certificate, eum = in->eum_certificate;
	struct crypto_euicc *told = ARENA_NEW(mem, struct crypto_euicc);
	const char *wrong;

	if (!call->world)
		return "cannot be verified: this rspd is no eIM; add a section [eim] first";
	out->euicc_certificate = next_certificate(mem, &own);
	out->eum_certificate = next_certificate(mem, eum.n ? &eum : &own);
	if (!out->eum_certificate.n)
		return "is there without the certificate of its EUM; give that too";
	wrong = eim_chain_verify(
		call, out->eum_certificate, out->euicc_certificate, out->eid, told);
	if (wrong)
		return arena_printf(mem, "does not verify: %s; check EID, EUM and CI", wrong);
	out->key = &told->key;
	out->test_ci =
		call->eim->test_ci(call->eim->arg, slice_of(told->ci_id, sizeof told->ci_id));
	return NULL;
}

static const char *
read_ci(struct arena *mem, const struct eim_call *call, struct slice hex,
	struct store_new_euicc *out)
{
	struct slice id;

	if (!call->world)
		return "cannot be known: this rspd is no eIM; add a section [eim] first";
	if (!text_unhex(mem, hex, &id) || id.n != CRYPTO_KEY_ID_SIZE)
		return "is no identifier of a CI; give 40 hexadecimal digits";
	if (!crypto_trust_find(call->world->trust, id))
		return "is not among the CIs of the configuration; add a section [ci] first";
	out->test_ci = call->eim->test_ci(call->eim->arg, id);
	return NULL;
}

static bool
is_url(struct slice text)
{
	return text.n <= URL_MAX &&
		(slice_eq(slice_sub(text, 0, 8), SLICE_LIT("https://")) ||
			slice_eq(slice_sub(text, 0, 8), SLICE_LIT("coaps://")));
}

static int64_t
number_of(struct slice digits)
{
	int64_t n = 0;

	for (size_t i = 0; i < digits.n; i++)
		n = n * 10 + (digits.p[i] - '0');
	return n;
}

static struct slice
given(struct slice text)
{
	return text.n ? text : SLICE_NONE;
}

const char *
ctl_euicc_read(struct arena *mem, const struct eim_call *call, const struct ctl_new_euicc *in,
	struct store_new_euicc *out, const char **member)
{
	*out = (struct store_new_euicc){
		.eid = in->eid, .imei = given(in->imei), .inject = given(in->inject)
	};
	*member = "eid";
	if (in->eid.n != EID_DIGITS || !slice_is_digits(in->eid))
		return "is no EID; give 32 digits";
	*member = "token";
	if (in->token.n && !ctl_token_read(in->token, &out->token))
		return "is neither a number nor none; leave it out when it is not known";
	*member = "counter";
	if (in->counter.n && (!slice_is_digits(in->counter) || in->counter.n > NUMBER_DIGITS))
		return "is no number; give the last counter value that was used";
	out->counter = number_of(in->counter);
	*member = "imei";
	if (in->imei.n &&
		(!slice_is_digits(in->imei) || in->imei.n < IMEI_LEAST || in->imei.n > IMEI_MOST))
		return "is no IMEI; give 14 to 16 digits";
	*member = "inject";
	if (in->inject.n && !is_url(in->inject))
		return "is no URL; it begins with https:// or coaps://";
	*member = "ci";
	if (in->ci.n) {
		const char *wrong = read_ci(mem, call, in->ci, out);

		if (wrong)
			return wrong;
	}
	*member = "certificate";
	return in->certificate.n ? read_certificates(mem, call, in, out) : NULL;
}

/* ---- euicc add ---- */

#define ADD_STEPS(S) S(add) S(added)
ADD_STEPS(DECLARE_STEP)
static const struct step *const add_steps[] = { ADD_STEPS(STEP_REF) NULL };

struct adding {
	struct dp_call call;
	struct dp_actor actor;
	struct slice operator_name;
	struct store_new_euicc in;
	struct rows out;
};

const struct procedure ctl_euicc_add = { "AddEuicc", THEN(add), NULL, add_steps, CTL_DEADLINE_MS,
	1024 * 1024, sizeof(struct adding) };

const struct refusal *
ctl_euicc_add_read(struct task *t)
{
	struct adding *c = t->state;
	struct eim *eim = ctl_call_get(t)->ctl->eim;
	struct eim_call call = { .eim = eim, .world = eim_world_hold(eim, t) };
	int64_t counter = ctl_number_get(t, "counter");
	struct ctl_new_euicc in = { .eid = c->call.eid,
		.ci = ctl_text_get(t, "ci"),
		.token = ctl_text_get(t, "token"),
		.imei = ctl_text_get(t, "imei"),
		.inject = ctl_text_get(t, "inject") };
	const char *wrong, *member;

	c->actor = ctl_actor_get(t);
	c->operator_name = ctl_operator_get(t);
	if (!ctl_octets_get(t, "certificate", &in.certificate) ||
		!ctl_octets_get(t, "eumCertificate", &in.eum_certificate))
		return ctl_refuse(t, "a certificate is no Base64; send PEM or DER in Base64");
	if (in.eum_certificate.n && !in.certificate.n)
		return ctl_refuse(t, "eumCertificate goes with certificate; give both");
	wrong = ctl_euicc_read(t->mem, &call, &in, &c->in, &member);
	if (counter > 0)
		c->in.counter = counter;
	return wrong ? ctl_refuse(t, arena_printf(t->mem, "%s %s", member, wrong)) : NULL;
}

static const struct step *
add(struct task *t)
{
	struct adding *c = t->state;

	return store_euicc_add(t, c->call.dp->store, c->operator_name, &c->in, 1, c->actor.name,
		c->actor.why, &c->out, THEN(added));
}

static const struct step *
added(struct task *t)
{
	const struct adding *c = t->state;
	const struct store_euicc_added *row = c->out.first;

	if (!c->out.n)
		return task_refuse(t, REFUSE(OPERATOR_UNKNOWN));
	if (slice_eq(row->outcome, SLICE_LIT("known")))
		return task_refuse(t, &EUICC_KNOWN);
	FINISH;
}

void
ctl_euicc_add_write(struct task *t, json_t *ok)
{
	const struct adding *c = t->state;
	const struct store_euicc_added *row = c->out.first;

	ctl_put_text(ok, "eid", row->eid);
	ctl_put_text(ok, "operator", c->operator_name);
	json_object_set_new(ok, "added", json_boolean(slice_eq(row->outcome, SLICE_LIT("added"))));
	json_object_set_new(ok, "proven", json_boolean(c->in.key != NULL));
}

/* ---- euicc set, euicc remove, eim fence ---- */

/* clang-format off */
#define CHANGE_STEPS(S) \
	S(change)  /* one statement, the verb's own */ \
	S(changed)
/* clang-format on */
CHANGE_STEPS(DECLARE_STEP)
static const struct step *const change_steps[] = { CHANGE_STEPS(STEP_REF) NULL };

struct changing {
	struct dp_call call;
	/* by the verb */
	const struct step *(*send)(struct task *t, const struct step *then);
	struct store_euicc_change in;
	int64_t fence_step;
	/* change */
	struct store_euicc_changed changed;
	struct store_euicc_removed removed;
	struct store_fence fence;
};

static const struct step *send_fence(struct task *t, const struct step *then);

const struct procedure ctl_euicc_change = { "ChangeEuicc", THEN(change), NULL, change_steps,
	CTL_DEADLINE_MS, 256 * 1024, sizeof(struct changing) };

static const struct step *
change(struct task *t)
{
	struct changing *c = t->state;

	return c->send(t, THEN(changed));
}

static const struct step *
changed(struct task *t)
{
	const struct changing *c = t->state;

	if (t->got == R_NONE || (c->send == send_fence && c->in.eid.p && !c->fence.lifted))
		return task_refuse(t, &CTL_EUICC_UNKNOWN);
	if (c->changed.refused)
		return task_refuse(t, REFUSE(OPERATOR_UNKNOWN));
	FINISH;
}

static struct changing *
change_read(struct task *t, const struct step *(*send)(struct task *t, const struct step *then))
{
	struct changing *c = t->state;
	struct dp_actor actor = ctl_actor_get(t);

	c->send = send;
	c->in = (struct store_euicc_change){ .eid = c->call.eid,
		.operator_id = STORE_NULL,
		.counter = STORE_NULL,
		.actor = actor.name,
		.why = actor.why };
	return c;
}

static const struct step *
send_set(struct task *t, const struct step *then)
{
	struct changing *c = t->state;

	return store_euicc_set(t, c->call.dp->store, &c->in, &c->changed, then);
}

const struct refusal *
ctl_euicc_set_read(struct task *t)
{
	struct changing *c = change_read(t, send_set);
	struct slice token = ctl_text_get(t, "token");
	int64_t counter = ctl_number_get(t, "counter");

	c->in.operator_name = ctl_text_get(t, "operator");
	c->in.inject = ctl_text_get(t, "inject");
	if (counter >= 0)
		c->in.counter = counter;
	if (token.p && !ctl_token_read(token, &c->in.token))
		return ctl_refuse(t, "token is neither a number nor none; give one of them");
	if (c->in.inject.n && !is_url(c->in.inject))
		return ctl_refuse(t, "inject is no URL; it begins with https:// or coaps://");
	if (!c->in.operator_name.p && !c->in.inject.p && !token.p && counter < 0)
		return ctl_refuse(t, "nothing is to be changed; see rspctl help euicc set");
	return NULL;
}

static const struct step *
send_remove(struct task *t, const struct step *then)
{
	struct changing *c = t->state;

	return store_euicc_remove(t, c->call.dp->store, c->in.eid, STORE_NULL, c->in.actor,
		c->in.why, &c->removed, then);
}

const struct refusal *
ctl_euicc_remove_read(struct task *t)
{
	change_read(t, send_remove);
	return NULL;
}

static const struct step *
send_fence(struct task *t, const struct step *then)
{
	struct changing *c = t->state;

	return store_euicc_fence(t, c->call.dp->store, c->in.eid, c->fence_step, c->in.actor,
		c->in.why, &c->fence, then);
}

const struct refusal *
ctl_eim_fence_read(struct task *t)
{
	struct changing *c = change_read(t, send_fence);
	const struct eim *eim = ctl_call_get(t)->ctl->eim;

	if (!eim->world)
		return &EIM_SWITCHED_OFF.base;
	if (ctl_flag_get(t, "all") == (c->in.eid.p != NULL))
		return ctl_refuse(t, "give eid for one eUICC, or all for all of them");
	c->fence_step = eim->world->settings.fence_step;
	return NULL;
}

void
ctl_euicc_change_write(struct task *t, json_t *ok)
{
	ctl_put_text(ok, "eid", ((const struct changing *)t->state)->in.eid);
}

void
ctl_eim_fence_write(struct task *t, json_t *ok)
{
	const struct changing *c = t->state;

	json_object_set_new(ok, "lifted", json_integer(c->fence.lifted));
	json_object_set_new(ok, "step", json_integer(c->fence_step));
}
