/*
 * Reading the world: CI roots with their lists, our certificates with their keys, the symmetric keys,
 * the settings. All of it is loaded and checked before any of it is used, at start and at a reload.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/text.h"
#include "keys/keys.h"
#include "rspd/int.h"

enum { PEM_MAX = 1024 * 1024, OWNER_MEMORY = 16 * 1024 * 1024 };

static void
drop(void *arg)
{
	struct owner *o = arg;

	for (size_t i = 0; i < o->world.credential_count; i++) {
		keys_private_free(o->world.credentials[i].auth_key);
		keys_private_free(o->world.credentials[i].pb_key);
	}
	crypto_trust_free(o->world.trust);
	crypto_ring_free(o->world.ring);
	crypto_sealer_free(o->world.sealer);
	free(o->world.certificates);
	arena_fini(&o->mem);
	free(o);
}

bool
world_complain(char words[WORLD_WORDS], const char *file, const char *what)
{
	snprintf(words, WORLD_WORDS, "%s: %s", file, what);
	return false;
}

/* What is wrong with an open file; NULL and its octets when nothing is. */
static const char *
octets_read(struct arena *mem, int fd, struct slice *out, struct stat *st)
{
	size_t n = 0, size;
	ssize_t got = 1;
	uint8_t *p;

	if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))
		return "is not a file; name one that holds PEM";
	if (st->st_size >= PEM_MAX)
		return "is larger than a certificate file can be";
	size = (size_t)st->st_size;
	p = arena_alloc(mem, size + 1);
	while (n < size && (got = read(fd, p + n, size - n)) > 0)
		n += (size_t)got;
	*out = slice_of(p, n);
	return got < 0 ? "cannot be read; look at the disk" : NULL;
}

/* Neither the opening nor the reading may wait, as they would for a pipe: the loop stands meanwhile. */
bool
world_file_read(struct arena *mem, const char *path, struct slice *out, struct stat *seen,
	char words[WORLD_WORDS])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *wrong;
	struct stat st = { 0 };

	if (fd < 0)
		return world_complain(words, path,
			errno == ENOENT ? "does not exist; `rspctl pki make-test` makes all that a "
					  "test needs"
					: "cannot be read; check the path and that rspd's user may "
					  "read it");
	wrong = octets_read(mem, fd, out, &st);
	close(fd);
	if (seen)
		*seen = st;
	return !wrong || world_complain(words, path, wrong);
}

static bool
certificate_read(struct arena *mem, const char *path, struct slice *der, char words[WORLD_WORDS])
{
	struct slice pem;

	if (!world_file_read(mem, path, &pem, NULL, words))
		return false;
	return text_unpem(mem, &pem, "CERTIFICATE", der) ||
		world_complain(words, path, "holds no certificate in PEM form");
}

/* False for one that everybody knows to be a test CI, but that is not called one. */
static bool
test_ci_note(struct owner *o, const struct conf_ci *ci, struct slice der)
{
	static const uint8_t sgp_26[][CRYPTO_KEY_ID_SIZE] = {
		{ 0xf5, 0x41, 0x72, 0xbd, 0xf9, 0x8a, 0x95, 0xd6, 0x5c, 0xbe, 0xb8, 0x8a, 0x38,
			0xa1, 0xc1, 0x1d, 0x80, 0x0a, 0x85, 0xc3 },
		{ 0xc0, 0xbc, 0x70, 0xba, 0x36, 0x92, 0x9d, 0x43, 0xb4, 0x67, 0xff, 0x57, 0x57,
			0x05, 0x30, 0xe5, 0x7a, 0xb8, 0xfc, 0xd8 },
	};
	struct dp_settings *s = &o->world.settings;
	struct crypto_cert c;

	if (!crypto_cert_read(&c, der) || c.subject_key_id.n != CRYPTO_KEY_ID_SIZE)
		return true;
	if (ci->test) {
		memcpy(o->test_cis[s->test_ci_count++], c.subject_key_id.p, CRYPTO_KEY_ID_SIZE);
		return true;
	}
	for (size_t i = 0; i < sizeof sgp_26 / sizeof *sgp_26; i++)
		if (slice_eq(c.subject_key_id, SLICE_ARRAY(sgp_26[i])))
			return false;
	return true;
}

static bool
ci_read(struct owner *o, const struct conf_ci *ci, char words[WORLD_WORDS])
{
	struct slice der;
	const char *wrong;

	if (!certificate_read(&o->mem, ci->certificate, &der, words))
		return false;
	wrong = crypto_trust_add_root(o->world.trust, der);
	if (wrong)
		return world_complain(words, ci->certificate, wrong);
	if (!test_ci_note(o, ci, der))
		return world_complain(words, ci->certificate,
			"is a test CI of SGP.26, whose private key is public; say test = yes in "
			"its "
			"section to trust it for operators that accept test CIs");
	dates_add(o, "ci", slice_text(arena_printf(&o->mem, "ci %s", ci->name)), der);
	return true;
}

static bool
key_read(const char *path, const struct crypto_public *public, struct keys_private **key,
	char words[WORLD_WORDS])
{
	const char *wrong = keys_private_load(path, key);

	if (wrong)
		return world_complain(words, path, wrong);
	return keys_private_matches(*key, public) ||
		world_complain(words, path, "is not the private key of its certificate");
}

static bool
credential_read(struct owner *o, const struct conf_credential *in, char words[WORLD_WORDS])
{
	struct dp_credential *c = &o->world.credentials[o->world.credential_count++];
	struct slice section;
	const char *wrong;

	if (!certificate_read(&o->mem, in->auth_certificate, &c->auth, words) ||
		!certificate_read(&o->mem, in->pb_certificate, &c->pb, words))
		return false;
	wrong = crypto_credential_check(
		o->world.trust, clock_wall_us() / 1000000, c->auth, c->pb, &c->facts);
	if (wrong)
		return world_complain(words, in->auth_certificate, wrong);
	section = slice_text(arena_printf(&o->mem, "credential %s", in->name));
	dates_add(o, "auth", section, c->auth);
	dates_add(o, "pb", section, c->pb);
	crypto_sha256(&c->auth, 1, c->auth_sha256);
	crypto_sha256(&c->pb, 1, c->pb_sha256);
	return key_read(in->auth_key, &c->facts.auth, &c->auth_key, words) &&
		key_read(in->pb_key, &c->facts.pb, &c->pb_key, words);
}

/* Names of all listeners of LPAs: one may have called any of them. */
static void
settings_read(struct owner *o, const struct conf *conf)
{
	struct dp_settings *s = &o->world.settings;
	const struct conf_version *low = &conf->dp.svn_lowest, *high = &conf->dp.svn_highest;

	for (unsigned i = 0; i < conf->listener_n; i++) {
		const struct conf_listener *l = &conf->listeners[i];

		for (unsigned j = 0; j < l->names.n && s->name_count < DP_NAMES; j++)
			if (strcmp(l->role, "es9") == 0)
				s->names[s->name_count++] =
					arena_copy(&o->mem, slice_text(l->names.at[j]));
	}
	s->address =
		conf->dp.address ? arena_copy(&o->mem, slice_text(conf->dp.address)) : s->names[0];
	memcpy(s->svn_lowest, (uint8_t[]){ low->major, low->minor, low->patch }, 3);
	memcpy(s->svn_highest, (uint8_t[]){ high->major, high->minor, high->patch }, 3);
	s->download_attempts = (int)conf->dp.download_attempts;
	s->code_attempts = (int)conf->dp.confirmation_code_attempts;
	s->ios_link = arena_copy(&o->mem, slice_text(conf->dp.ios_link));
	s->android_link = arena_copy(&o->mem, slice_text(conf->dp.android_link));
	s->reusable_orders = conf->dp.reusable_orders;
	s->clone_addresses = (int)conf->dp.clone_addresses;
	s->clone_device_types = (int)conf->dp.clone_device_types;
	s->order_lifetime = (int64_t)conf->dp.order_lifetime_days * 86400;
	s->call_memory = (int64_t)conf->dp.call_memory_hours * 3600;
}

static bool
keys_read(struct owner *o, const struct conf *conf, char words[WORLD_WORDS])
{
	const char *wrong = keys_ring_load(
		conf->rspd.cluster_key, conf->rspd.former_cluster_key, &o->world.ring);

	if (wrong)
		return world_complain(words, conf->rspd.cluster_key, wrong);
	wrong = keys_sealer_load(conf->rspd.seal_key, conf->rspd.former_seal_key, &o->world.sealer);
	return !wrong || world_complain(words, conf->rspd.seal_key, wrong);
}

static bool
all_read(struct owner *o, const struct conf *conf, char words[WORLD_WORDS])
{
	if (conf->credential_n > DP_CREDENTIALS)
		return world_complain(words, conf->path, "more than 16 [credential] sections");
	if (conf->ci_n * conf->credential_n > DP_SETS)
		return world_complain(
			words, conf->path, "more than 64 pairs of [ci] and [credential]");
	o->test_cis = arena_alloc(&o->mem, (conf->ci_n + 1) * sizeof *o->test_cis);
	o->world.settings.test_cis = (const uint8_t(*)[CRYPTO_KEY_ID_SIZE])o->test_cis;
	for (unsigned i = 0; i < conf->ci_n; i++)
		if (!ci_read(o, &conf->cis[i], words))
			return false;
	if (!lists_read(o, conf, words))
		return false;
	for (unsigned i = 0; i < conf->credential_n; i++)
		if (!credential_read(o, &conf->credentials[i], words))
			return false;
	if (!dates_read(o, conf, words))
		return false;
	dates_set_lists(o);
	settings_read(o, conf);
	if (!o->world.settings.name_count)
		return world_complain(
			words, conf->path, "no [listener] has role = es9; LPAs need one");
	return keys_read(o, conf, words);
}

struct dp_world *
world_read(const struct conf *conf, char words[WORLD_WORDS])
{
	struct owner *o = calloc(1, sizeof *o);

	if (!o)
		abort();
	arena_init(&o->mem, OWNER_MEMORY, NULL, NULL);
	o->world.references = 1;
	o->world.owner = o;
	o->world.drop = drop;
	o->world.trust = crypto_trust_new();
	if (!all_read(o, conf, words)) {
		drop(o);
		return NULL;
	}
	return &o->world;
}
