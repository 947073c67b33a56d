/* Reading the world of the eIM: who it is, its key, how it treats eUICCs; and what it shares with the SM-DP+. */
#include "rspd/eims.h"
#include <ctype.h>
#include <stdlib.h>
#include "base/text.h"
#include "dp/denied.h"
#include "keys/keys.h"
#include "rspd/int.h"

enum { EIM_MEMORY = 1024 * 1024 };

/* What a world lives in. */
struct eims {
	struct eim_world world;
	struct arena mem;
	struct dp_world *dp; /* whose trust it is */
};

static void
drop(void *arg)
{
	struct eims *o = arg;

	keys_private_free(o->world.key);
	dp_world_release(o->dp);
	arena_fini(&o->mem);
	free(o);
}

static struct slice
copy_of(struct eims *o, const char *text)
{
	return text ? arena_copy(&o->mem, slice_text(text)) : SLICE_NONE;
}

static enum codec_eim_id_type
id_type_of(const char *text)
{
	switch (*text) {
	case 'o':
		return CODEC_EIM_ID_OID;
	case 'f':
		return CODEC_EIM_ID_FQDN;
	default:
		return CODEC_EIM_ID_PROPRIETARY;
	}
}

static void
name_add(struct eims *o, const char *name)
{
	struct eim_settings *s = &o->world.settings;
	char *lower;

	if (!name || s->name_n == EIM_NAMES)
		return;
	lower = arena_alloc(&o->mem, strlen(name) + 1);
	for (size_t i = 0; name[i]; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	s->names[s->name_n++] = slice_text(lower);
}

static void
settings_read(struct eims *o, const struct conf *conf)
{
	const struct conf_eim *c = &conf->eim;
	struct eim_settings *s = &o->world.settings;
	bool eum = strcmp(c->euicc_admission, "eum") == 0;

	s->id = copy_of(o, c->id);
	s->id_type = id_type_of(c->id_type);
	s->fqdn = copy_of(o, c->fqdn);
	s->interval_seconds = (int)c->handout_interval;
	s->budget = (int)c->handout_budget;
	s->fence_step = (int)c->fence_step;
	s->polls_per_minute = c->polls_per_minute;
	s->operator_name = copy_of(o, c->operator);
	for (unsigned i = 0; eum && i < c->eum_ranges.n && s->domain_n < EIM_DOMAINS; i++)
		s->domains[s->domain_n++].prefix = copy_of(o, c->eum_ranges.at[i]);
	name_add(o, conf->dp.address);
	for (unsigned i = 0; i < conf->listener_n; i++)
		for (unsigned j = 0; j < conf->listeners[i].names.n; j++)
			if (strcmp(conf->listeners[i].role, "es9") == 0)
				name_add(o, conf->listeners[i].names.at[j]);
}

/* How IPAs reach us, and what they may pin: the certificate of the first [coap], else of the first listener. */
static bool
transports_read(struct eims *o, const struct conf *conf, char words[EIMS_WORDS])
{
	struct eim_settings *s = &o->world.settings;
	const char *file = NULL;
	struct slice pem;

	for (unsigned i = 0; i < conf->coap_n; i++) {
		s->protocols |= CODEC_RETRIEVE_COAPS;
		if (!file)
			file = conf->coaps[i].certificate;
	}
	for (unsigned i = 0; i < conf->listener_n; i++) {
		const struct conf_listener *l = &conf->listeners[i];

		if (!l->esipa && strcmp(l->role, "esipa") != 0)
			continue;
		s->protocols |= CODEC_RETRIEVE_HTTPS;
		if (!file)
			file = l->certificate;
	}
	if (!file)
		return true;
	if (!world_file_read(&o->mem, file, &pem, NULL, words))
		return false;
	return text_unpem(&o->mem, &pem, "CERTIFICATE", &s->tls_certificate) ||
		world_complain(words, file, "holds no certificate");
}

static bool
certificate_read(struct eims *o, const struct conf_eim *c, char words[EIMS_WORDS])
{
	struct slice pem, *der = &o->world.settings.certificate;
	struct crypto_cert cert;

	if (!c->certificate)
		return true;
	if (!world_file_read(&o->mem, c->certificate, &pem, NULL, words))
		return false;
	if (!text_unpem(&o->mem, &pem, "CERTIFICATE", der) || !crypto_cert_read(&cert, *der))
		return world_complain(words, c->certificate,
			"holds no certificate with a key on P-256 or brainpoolP256r1");
	return keys_private_matches(o->world.key, &cert.key) ||
		world_complain(words, c->key, "is not the private key of [eim] certificate");
}

bool
eims_read(const struct conf *conf, struct dp_world *world, struct eim_world **out,
	char words[EIMS_WORDS])
{
	struct eims *o;
	const char *wrong;

	*out = NULL;
	if (!conf->eim.line)
		return true;
	o = calloc(1, sizeof *o);
	if (!o)
		abort();
	arena_init(&o->mem, EIM_MEMORY, NULL, NULL);
	world->references++;
	o->dp = world;
	o->world.references = 1;
	o->world.owner = o;
	o->world.drop = drop;
	o->world.trust = world->trust;
	settings_read(o, conf);
	wrong = keys_private_load(conf->eim.key, &o->world.key);
	if (wrong)
		world_complain(words, conf->eim.key, wrong);
	if (wrong || !certificate_read(o, &conf->eim, words) || !transports_read(o, conf, words)) {
		drop(o);
		return false;
	}
	*out = &o->world;
	return true;
}

const char *
eims_denied(
	void *arg, struct slice eum_certificate, struct slice euicc_certificate, struct slice eid)
{
	static const uint8_t no_firmware[3];
	const struct dp *dp = arg;
	const struct dp_refusal *no = NULL;
	int64_t entry;

	if (!dp->denied)
		return NULL;
	if (eum_certificate.p)
		no = dp_denied_peer(
			dp->denied, eum_certificate, euicc_certificate, no_firmware, &entry);
	if (!no)
		no = dp_denied_eid(dp->denied, eid, &entry);
	return no ? "on the deny-lists" : NULL;
}

bool
eims_test_ci(void *arg, struct slice ci_id)
{
	const struct dp *dp = arg;

	return dp->world && dp_ci_is_test(dp->world, ci_id);
}
