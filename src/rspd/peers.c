/*
 * Whom we call, and as whom: the CIs as roots, CERT.DP.TLS of the listeners for SM-DSs, [client NAME] for
 * operators, [smds NAME]. Everything is loaded before any of it is used, at start and at a reload.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/text.h"
#include "https/https.h"
#include "rspd/peers.h"

enum { PEM_MOST = 1024 * 1024, MEMORY = 16 * 1024 * 1024, OTHER_CALLS = 64 };

/* What the settings live in. */
struct owner {
	struct arena mem;
	struct peer_settings settings;
};

static void
drop(void *arg)
{
	struct owner *o = arg;

	https_keys_release(o->settings.tls_keys);
	for (size_t i = 0; i < o->settings.client_n; i++)
		https_keys_release(o->settings.clients[i].keys);
	arena_fini(&o->mem);
	free(o);
}

static bool
complain(char words[PEERS_WORDS], const char *file, const char *what)
{
	snprintf(words, PEERS_WORDS, "%s: %s", file, what);
	return false;
}

/* A file of certificates, behind what is there already. A pipe would make the loop wait: refused. */
static bool
roots_put(struct buf *out, const char *path, char words[PEERS_WORDS])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct slice pem, der;
	struct stat st;
	ssize_t got = -1;
	uint8_t *p;

	if (fd < 0)
		return complain(words, path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > PEM_MOST) {
		close(fd);
		return complain(words, path, "is no file that holds PEM");
	}
	p = arena_alloc(out->mem, (size_t)st.st_size + 1);
	got = read(fd, p, (size_t)st.st_size);
	close(fd);
	pem = slice_of(p, got < 0 ? 0 : (size_t)got);
	if (!text_unpem(out->mem, &(struct slice){ pem.p, pem.n }, "CERTIFICATE", &der))
		return complain(words, path, "holds no certificate in PEM form");
	buf_put(out, pem);
	buf_put_text(out, "\n");
	return true;
}

static bool
clients_read(struct owner *o, const struct conf *conf, char words[PEERS_WORDS])
{
	struct peer_settings *s = &o->settings;

	if (conf->client_n > PEER_CLIENTS || conf->smds_n > PEER_SMDS ||
		conf->listener_n > HTTPS_KEYS)
		return complain(words, conf->path, "holds more sections of a kind than 32");
	s->tls_keys = https_keys_new();
	for (unsigned i = 0; i < conf->listener_n; i++)
		if (!https_keys_add(s->tls_keys, conf->listeners[i].certificate,
			    conf->listeners[i].key, words))
			return false;
	for (unsigned i = 0; i < conf->client_n; i++) {
		struct peer_client *c = &s->clients[s->client_n++];

		c->name = arena_string(&o->mem, slice_text(conf->clients[i].name));
		c->keys = https_keys_new();
		if (!https_keys_add(
			    c->keys, conf->clients[i].certificate, conf->clients[i].key, words))
			return false;
	}
	return true;
}

static bool
roots_read(struct owner *o, const struct conf *conf, char words[PEERS_WORDS])
{
	struct peer_settings *s = &o->settings;
	struct buf all;

	buf_init(&all, &o->mem, MEMORY);
	for (unsigned i = 0; i < conf->ci_n; i++)
		if (!roots_put(&all, conf->cis[i].certificate, words))
			return false;
	s->roots = buf_get(&all);
	for (unsigned i = 0; i < conf->smds_n; i++) {
		struct peer_smds *d = &s->smds[s->smds_n++];

		d->address = arena_string(&o->mem, slice_text(conf->smdss[i].address));
		d->forwarding = conf->smdss[i].forwarding;
		if (!conf->smdss[i].ca)
			continue;
		buf_init(&all, &o->mem, PEM_MOST);
		if (!roots_put(&all, conf->smdss[i].ca, words))
			return false;
		d->roots = buf_get(&all);
	}
	return true;
}

bool
peers_read(const struct conf *conf, struct peer_settings *out, char words[PEERS_WORDS])
{
	struct owner *o = calloc(1, sizeof *o);
	struct peer_settings *s;
	const char *address;

	if (!o)
		abort();
	arena_init(&o->mem, MEMORY, NULL, NULL);
	s = &o->settings;
	address = arena_string(&o->mem, slice_text(conf->dp.address));
	s->server_address = address;
	s->requester = conf->outbox.requester
		? arena_string(&o->mem, slice_text(conf->outbox.requester))
		: address;
	s->call_ms = conf->outbox.call_seconds * 1000;
	s->owner = o;
	s->drop = drop;
	if (!clients_read(o, conf, words) || !roots_read(o, conf, words)) {
		drop(o);
		return false;
	}
	*out = *s;
	return true;
}

void
peers_drop(struct peer_settings *settings)
{
	settings->drop(settings->owner);
}

unsigned
peers_calls(const struct conf *conf)
{
	return conf->outbox.in_flight + OTHER_CALLS;
}
