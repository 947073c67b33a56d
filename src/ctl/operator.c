/*
 * operator add, set, remove, list, show, client add, client remove, client list: the tenants and the
 * certificates by which ES2+ knows them (docs/operators.md). Each change is one statement; after it all
 * instances read the clients anew.
 */
#include "base/text.h"
#include "crypto/client.h"
#include "ctl/operator.h"
#include "dp/refusal.h"
#include "store/operator.h"
#include "store/view.h"

enum { NAME_MAX_OCTETS = 63, REQUESTER_MAX = 255 };

static const struct refusal OPERATOR_EXISTS = { "OPERATOR_EXISTS", LOG_INFO,
	"this operator exists and is another, or the requester identifier is another's; see "
	"operator "
	"list" };
static const struct refusal REQUESTER_TAKEN = { "REQUESTER_TAKEN", LOG_INFO,
	"another operator has this requester identifier; see operator list" };
static const struct refusal OPERATOR_IN_USE = { "OPERATOR_IN_USE", LOG_INFO,
	"this operator has profile types; it can be removed only when it has none" };
static const struct refusal CLIENT_TAKEN = { "CLIENT_TAKEN", LOG_INFO,
	"this certificate, or this subject under this CA, is another operator's client; remove it "
	"there" };
static const struct refusal CLIENT_UNKNOWN = { "CLIENT_UNKNOWN", LOG_INFO,
	"this operator has no client of this number; see operator client list" };

/* clang-format off */
#define STEPS(S) \
	S(change)  /* one statement, the verb's own */ \
	S(changed)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct changing {
	struct dp_call call;
	/* by the verb */
	const struct step *(*send)(struct task *t, const struct step *then);
	const struct refusal *(*judge)(struct task *t);
	struct store_operator operator;
	struct store_new_client client;
	int64_t client_id;
	/* change */
	struct store_operator_name named;
	struct store_client_id added;
	struct store_client_removed removed;
};

const struct procedure ctl_operator_change = { "ChangeOperator", THEN(change), NULL, steps,
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
	struct changing *c = t->state;
	const struct refusal *no = c->judge(t);

	if (no)
		return task_refuse(t, no);
	/* Every instance hears it, this one too. */
	store_notify(c->call.dp->store, STORE_OPERATOR_CHANNEL);
	FINISH;
}

/* ---- add, set, remove ---- */

/* As the table's rule has it: it stands in command lines and in the audit trail. */
static bool
name_fits(struct slice name)
{
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];
		bool letter =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return name.n >= 1 && name.n <= NAME_MAX_OCTETS;
}

static bool
wish_read(struct task *t, const char *name, const char *yes, const char *no, enum store_wish *out)
{
	struct slice text = ctl_text_get(t, name);

	if (!text.p)
		*out = STORE_KEEP;
	else if (slice_eq(text, slice_text(yes)))
		*out = STORE_YES;
	else if (slice_eq(text, slice_text(no)))
		*out = STORE_NO;
	else
		return false;
	return true;
}

static const struct refusal *
operator_read(struct task *t)
{
	struct changing *c = t->state;
	struct store_operator *o = &c->operator;
	struct dp_actor actor = ctl_actor_get(t);

	o->name = ctl_text_get(t, "name");
	o->requester = ctl_text_get(t, "requester");
	o->any_requester = ctl_flag_get(t, "anyRequester");
	o->actor = actor.name;
	o->why = actor.why;
	if (o->requester.p && (!o->requester.n || o->requester.n > REQUESTER_MAX))
		return ctl_refuse(t, "requester must have 1 to 255 octets; an OID is usual");
	if (o->requester.p && o->any_requester)
		return ctl_refuse(t, "requester and anyRequester exclude each other; give one");
	if (!wish_read(t, "expired", "accept", "refuse", &o->expired))
		return ctl_refuse(t, "expired is neither accept nor refuse; give one of them");
	if (!wish_read(t, "testCi", "accept", "refuse", &o->test_ci))
		return ctl_refuse(t, "testCi is neither accept nor refuse; give one of them");
	if (!wish_read(t, "calls", "remember", "forget", &o->remember))
		return ctl_refuse(t, "calls is neither remember nor forget; give one of them");
	return NULL;
}

static const struct step *
send_add(struct task *t, const struct step *then)
{
	struct changing *c = t->state;

	return store_operator_add(t, c->call.dp->store, &c->operator, & c->named, then);
}

static const struct refusal *
judge_add(struct task *t)
{
	return t->got == R_CONFLICT ? &OPERATOR_EXISTS : NULL;
}

const struct refusal *
ctl_operator_add_read(struct task *t)
{
	struct changing *c = t->state;
	const struct refusal *no = operator_read(t);

	c->send = send_add;
	c->judge = judge_add;
	if (!no && !name_fits(c->operator.name))
		return ctl_refuse(t,
			"name must have 1 to 63 letters, digits, dots, hyphens and underscores, "
			"and "
			"begin with a letter or digit; choose another");
	return no;
}

static const struct step *
send_set(struct task *t, const struct step *then)
{
	struct changing *c = t->state;

	return store_operator_set(t, c->call.dp->store, &c->operator, & c->named, then);
}

static const struct refusal *
judge_set(struct task *t)
{
	const struct changing *c = t->state;

	if (t->got == R_NONE)
		return REFUSE(OPERATOR_UNKNOWN);
	return c->named.name.p ? NULL : &REQUESTER_TAKEN;
}

const struct refusal *
ctl_operator_set_read(struct task *t)
{
	struct changing *c = t->state;

	c->send = send_set;
	c->judge = judge_set;
	return operator_read(t);
}

static const struct step *
send_remove(struct task *t, const struct step *then)
{
	struct changing *c = t->state;

	return store_operator_remove(t, c->call.dp->store, c->operator.name, c->operator.actor,
		c->operator.why, &c->named, then);
}

static const struct refusal *
judge_remove(struct task *t)
{
	return t->got == R_CONFLICT ? &OPERATOR_IN_USE : NULL;
}

const struct refusal *
ctl_operator_remove_read(struct task *t)
{
	struct changing *c = t->state;
	struct dp_actor actor = ctl_actor_get(t);

	c->operator.name = ctl_text_get(t, "name");
	c->operator.actor = actor.name;
	c->operator.why = actor.why;
	c->send = send_remove;
	c->judge = judge_remove;
	return NULL;
}

void
ctl_operator_write(struct task *t, json_t *ok)
{
	ctl_put_text(ok, "name", ((const struct changing *)t->state)->operator.name);
}

/* ---- clients ---- */

/* PEM, or DER as it is; absent when the argument is. False when it is no certificate. */
static bool
certificate_read(struct task *t, const char *name, struct slice *der, struct crypto_client *facts)
{
	struct slice octets, pem;

	if (!ctl_octets_get(t, name, &octets))
		return false;
	*der = octets;
	if (!octets.p)
		return true;
	pem = octets;
	if (!text_unpem(t->mem, &pem, "CERTIFICATE", der))
		*der = octets;
	if (!crypto_client_read(t->mem, *der, facts))
		return false;
	*der = facts->der;
	return true;
}

static const struct step *
send_client_add(struct task *t, const struct step *then)
{
	struct changing *c = t->state;

	return store_operator_client_add(t, c->call.dp->store, &c->client, &c->added, then);
}

static const struct refusal *
judge_client_add(struct task *t)
{
	struct changing *c = t->state;

	if (t->got == R_CONFLICT)
		return &CLIENT_TAKEN;
	c->client_id = c->added.client_id;
	return c->client_id == STORE_NULL ? REFUSE(OPERATOR_UNKNOWN) : NULL;
}

const struct refusal *
ctl_operator_client_add_read(struct task *t)
{
	struct changing *c = t->state;
	struct dp_actor actor = ctl_actor_get(t);
	struct crypto_client own, ca;
	struct slice own_der, ca_der, subject = ctl_text_get(t, "subject");

	c->send = send_client_add;
	c->judge = judge_client_add;
	if (!certificate_read(t, "certificate", &own_der, &own) ||
		!certificate_read(t, "ca", &ca_der, &ca))
		return ctl_refuse(t, "this is no X.509 certificate; give PEM or DER");
	if ((own_der.p != NULL) == (ca_der.p != NULL) || (ca_der.p != NULL) != (subject.n > 0))
		return ctl_refuse(t,
			"give either the client's certificate, or a CA and the subject of the "
			"client's certificate");
	if (ca_der.p && !crypto_client_is_ca(ca_der))
		return ctl_refuse(t,
			"the certificate given as CA may not issue certificates; give the CA's, or "
			"pin this one");
	if (own_der.p)
		subject = own.subject;
	else
		own = ca;
	c->client = (struct store_new_client){ .operator_name = ctl_text_get(t, "name"),
		.pinned = own_der.p != NULL,
		.certificate = own.der,
		.sha256 = arena_copy(t->mem, SLICE_ARRAY(own.sha256)),
		.subject = subject,
		.not_after = own.not_after * 1000000,
		.actor = actor.name,
		.why = actor.why };
	return NULL;
}

static const struct step *
send_client_remove(struct task *t, const struct step *then)
{
	struct changing *c = t->state;

	return store_operator_client_remove(t, c->call.dp->store, c->operator.name, c->client_id,
		c->operator.actor, c->operator.why, &c->removed, then);
}

static const struct refusal *
judge_client_remove(struct task *t)
{
	return t->got == R_NONE ? &CLIENT_UNKNOWN : NULL;
}

const struct refusal *
ctl_operator_client_remove_read(struct task *t)
{
	struct changing *c = t->state;

	ctl_operator_remove_read(t);
	c->client_id = ctl_number_get(t, "client");
	c->send = send_client_remove;
	c->judge = judge_client_remove;
	return NULL;
}

void
ctl_operator_client_write(struct task *t, json_t *ok)
{
	const struct changing *c = t->state;

	json_object_set_new(ok, "client", json_integer(c->client_id));
	if (!c->client.sha256.p)
		return;
	json_object_set_new(ok, "added", json_boolean(c->added.added));
	ctl_put_text(ok, "sha256", text_hex(t->mem, c->client.sha256));
	ctl_put_text(ok, "subject", c->client.subject);
}

/* ---- looks ---- */

static struct store *
store_of(struct task *t)
{
	return ((struct dp_call *)t->state)->dp->store;
}

const struct step *
ctl_operator_list_ask(struct task *t, struct rows *out, const struct step *then)
{
	return store_view_operators(t, store_of(t), SLICE_NONE, out, then);
}

const struct step *
ctl_operator_show_ask(struct task *t, struct rows *out, const struct step *then)
{
	return store_view_operators(t, store_of(t), ctl_text_get(t, "name"), out, then);
}

const struct step *
ctl_operator_clients_ask(struct task *t, struct rows *out, const struct step *then)
{
	return store_view_operator_clients(t, store_of(t), ctl_text_get(t, "name"), out, then);
}
