/*
 * eim config: EimConfigurationData (SGP.32 §2.11.1, §3.5), by which an eUICC learns of this eIM, in a factory by
 * AddInitialEim or from another eIM by addEim: with the certificate in both forms that are read out there,
 * and with bare keys.
 */
#include "base/text.h"
#include "codec/eim_package.h"
#include "crypto/cert.h"
#include "ctl/euicc.h"
#include "eim/refusal.h"
#include "keys/keys.h"

enum { FORMS = 4 };

/* SubjectPublicKeyInfo up to the point (RFC 5480), by curve. */
static const struct slice key_heads[] = {
	[CURVE_P256] = SLICE_LIT("\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a"
				 "\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00"),
	[CURVE_BRAINPOOL_P256R1] =
		SLICE_LIT("\x30\x5a\x30\x14\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x09\x2b"
			  "\x24\x03\x03\x02\x08\x01\x01\x07\x03\x42\x00"),
};

/* clang-format off */
#define STEPS(S) \
	S(find)   /* counter and token, when it is for one eUICC */ \
	S(write_forms)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct form {
	const char *key, *form;
	struct slice octets;
};

struct configuring {
	struct dp_call call;
	bool without_tls, without_token;
	const struct eim_world *world;
	/* find */
	struct store_euicc euicc;
	/* write_forms */
	struct codec_eim_configuration out;
	struct form forms[FORMS];
	size_t form_n;
};

const struct procedure ctl_eim_config = { "ConfigureEim", THEN(find), NULL, steps, CTL_DEADLINE_MS,
	1024 * 1024, sizeof(struct configuring) };

const struct refusal *
ctl_eim_config_read(struct task *t)
{
	struct configuring *c = t->state;

	c->world = eim_world_hold(ctl_call_get(t)->ctl->eim, t);
	c->without_tls = ctl_flag_get(t, "noTls");
	c->without_token = ctl_flag_get(t, "noToken");
	return c->world ? NULL : &EIM_SWITCHED_OFF.base;
}

static const struct step *
find(struct task *t)
{
	struct configuring *c = t->state;

	if (!c->call.eid.p)
		GO(write_forms);
	return store_euicc_find(
		t, c->call.dp->store, c->call.eid, STORE_NULL, &c->euicc, THEN(write_forms));
}

static struct slice
key_write(struct arena *mem, const struct crypto_public *key)
{
	struct slice head = key_heads[key->curve];
	uint8_t *octets = arena_alloc(mem, head.n + CRYPTO_POINT_SIZE);

	memcpy(octets, head.p, head.n);
	memcpy(octets + head.n, key->point, CRYPTO_POINT_SIZE);
	return slice_of(octets, head.n + CRYPTO_POINT_SIZE);
}

/* The CI whose certificate verifies ours: only then does the eUICC need to know it. */
static struct slice
ci_of(struct arena *mem, const struct eim_world *w)
{
	struct crypto_cert cert;

	if (!crypto_cert_read(&cert, w->settings.certificate) ||
		!crypto_trust_find(w->trust, cert.authority_key_id))
		return SLICE_NONE;
	return arena_copy(mem, cert.authority_key_id);
}

/* What the IPA pins: the certificate, or its bare key when it has one that eUICCs know the like of. */
static struct codec_eim_key
tls_key(struct task *t, bool bare)
{
	const struct configuring *c = t->state;
	struct slice der = c->world->settings.tls_certificate;
	struct crypto_cert cert;

	if (c->without_tls || !der.p)
		return (struct codec_eim_key){ SLICE_NONE, SLICE_NONE };
	if (bare && crypto_cert_read(&cert, der))
		return (struct codec_eim_key){ SLICE_NONE, key_write(t->mem, &cert.key) };
	return (struct codec_eim_key){ der, SLICE_NONE };
}

static bool
put_form(struct task *t, bool bare, enum codec_certificate_form form)
{
	struct configuring *c = t->state;
	const struct eim_settings *s = &c->world->settings;
	struct form *out = &c->forms[c->form_n++];

	c->out.key = (struct codec_eim_key){ SLICE_NONE, SLICE_NONE };
	c->out.ci_pkid = SLICE_NONE;
	if (bare) {
		c->out.key.public_key = key_write(t->mem, keys_public_get(c->world->key));
	} else {
		c->out.key.certificate = s->certificate;
		c->out.ci_pkid = ci_of(t->mem, c->world);
	}
	c->out.tls = tls_key(t, bare);
	out->key = bare ? "public-key" : "certificate";
	out->form = form == CODEC_CERTIFICATE_WHOLE ? "whole" : "implicit";
	return codec_eim_configuration_write(t->mem, &c->out, form, &out->octets, &c->call.note);
}

static const struct step *
write_forms(struct task *t)
{
	static const struct refusal unfit = { "EIM_SETTINGS_UNFIT", LOG_WARNING,
		"the section [eim] holds what cannot stand in EimConfigurationData; mend what is "
		"named" };
	struct configuring *c = t->state;
	const struct eim_settings *s = &c->world->settings;
	bool token_less;

	if (c->call.eid.p && t->got == R_NONE)
		return task_refuse(t, &CTL_EUICC_UNKNOWN);
	/* An eUICC whose association is known to have no token gets none. */
	token_less = c->without_token ||
		(c->call.eid.p && c->euicc.token == STORE_NULL &&
			!slice_eq(c->euicc.token_standing, SLICE_LIT("unknown")));
	c->out = (struct codec_eim_configuration){ .eim_id = s->id,
		.fqdn = s->fqdn,
		.id_type = s->id_type,
		.counter = { true, c->call.eid.p ? c->euicc.counter : 0 },
		.protocols_known = s->protocols != 0,
		.protocols = s->protocols };
	if (!token_less)
		c->out.association_token = (struct codec_number){ true, -1 };
	for (int bare = s->certificate.p ? 0 : 1; bare < 2; bare++)
		if (!put_form(t, bare, CODEC_CERTIFICATE_IMPLICIT) ||
			!put_form(t, bare, CODEC_CERTIFICATE_WHOLE))
			return task_refuse(t, &unfit);
	c->call.note = NULL;
	FINISH;
}

void
ctl_eim_config_write(struct task *t, json_t *ok)
{
	const struct configuring *c = t->state;
	json_t *forms = json_array(), *o;

	ctl_put_text(ok, "eimId", c->out.eim_id);
	ctl_put_text(ok, "eid", c->call.eid);
	ctl_put_text(ok, "fqdn", c->out.fqdn);
	json_object_set_new(ok, "counter", json_integer(c->out.counter.n));
	json_object_set_new(ok, "token", json_boolean(c->out.association_token.known));
	json_object_set_new(
		ok, "tls", json_boolean(c->out.tls.certificate.p || c->out.tls.public_key.p));
	for (size_t i = 0; i < c->form_n; i++) {
		o = json_object();
		json_object_set_new(o, "key", json_string(c->forms[i].key));
		json_object_set_new(o, "form", json_string(c->forms[i].form));
		ctl_put_text(o, "octets", text_base64(t->mem, c->forms[i].octets));
		json_array_append_new(forms, o);
	}
	json_object_set_new(ok, "forms", forms);
}
