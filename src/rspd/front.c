/*
 * The listeners: what the configuration names and what runs are compared by name. A plan holds loaded
 * identities and newly bound sockets; only when the whole plan stands does anything that runs change.
 */
#include <stdio.h>
#include <stdlib.h>
#include "es2/es2.h"
#include "es9/es9.h"
#include "esipa/esipa.h"
#include "rspd/front.h"

enum { FRONT_LISTENERS = 32, TICKET_SECRET = 32 };

struct place {
	char name[64], address[46];
	uint16_t port;
	struct https_listener *listener;
};

struct front {
	struct https *https;
	struct dp *dp;
	struct eim *eim;
	struct place places[FRONT_LISTENERS];
	size_t n;
	uint32_t drain_ms;
};

struct planned {
	const struct conf_listener *conf;
	struct https_identity *identity;
	struct place place;    /* with a listener: newly bound */
	struct place *running; /* or the one that goes on */
};

struct front_plan {
	const struct conf *conf;
	struct planned planned[FRONT_LISTENERS];
	size_t n;
};

/* Of ES9+ and ES2+ alike; ESipa says its own. */
static const struct https_header headers[] = { { "X-Admin-Protocol", ES9_ADMIN_PROTOCOL } };

struct front *
front_new(struct loop *loop, struct dp *dp, struct eim *eim, const struct conf *conf)
{
	struct front *f = calloc(1, sizeof *f);
	struct https_limits limits = https_limits_of(&conf->limits);

	if (!f)
		abort();
	f->dp = dp;
	f->eim = eim;
	f->https = https_new(loop, &limits);
	return f;
}

void
front_free(struct front *f)
{
	https_free(f->https);
	free(f);
}

/* A listener that both are served at: r->binding is the front, until it is known whose request it is. */
static void
es9_or_esipa_handle(struct request *r)
{
	const struct front *f = r->binding;
	bool esipa = esipa_is_request(r);

	r->binding = esipa ? (void *)f->eim : (void *)f->dp;
	(esipa ? esipa_handle : es9_handle)(r);
}

static void
es9_only_handle(struct request *r)
{
	r->binding = ((const struct front *)r->binding)->dp;
	es9_handle(r);
}

static void
es2_only_handle(struct request *r)
{
	r->binding = ((const struct front *)r->binding)->dp;
	es2_handle(r);
}

static void
esipa_only_handle(struct request *r)
{
	r->binding = ((const struct front *)r->binding)->eim;
	esipa_handle(r);
}

/* Who is served at a listener, and what is particular to it. */
struct role {
	const char *name;
	bool esipa; /* IPAs beside those after whom it is named */
	https_handler *handler;
	bool ask_client;
	unsigned body; /* octets at most, whatever is configured; 0: as configured */
};
static const struct role roles[] = {
	{ "es9", false, es9_only_handle, false, 0 },
	{ "es9", true, es9_or_esipa_handle, false, 0 },
	{ "es2", false, es2_only_handle, true, ES2_BODY },
	{ "esipa", false, esipa_only_handle, false, 0 },
};

static const struct role *
role_of(const struct conf_listener *l)
{
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (strcmp(roles[i].name, l->role) == 0 &&
			(roles[i].esipa == l->esipa || strcmp(l->role, "es9") != 0))
			return &roles[i];
	abort(); /* conf/ knows these and no other */
}

static unsigned
body_of(const struct conf_listener *l, const struct conf *conf)
{
	unsigned own = role_of(l)->body;

	return own && own < conf->limits.body ? own : conf->limits.body;
}

static struct https_identity *
identity_read(const struct conf_listener *l, const struct dp_world *world, char why[HTTPS_WHY])
{
	uint8_t now[TICKET_SECRET], former[TICKET_SECRET];
	bool rotated = crypto_ring_derive(world->ring, true, "TLS tickets", former, sizeof former);
	struct https_identity *id;

	crypto_ring_derive(world->ring, false, "TLS tickets", now, sizeof now);
	id = https_identity_new(
		&(struct https_identity_settings){ .name = l->name,
			.certificate = l->certificate,
			.key = l->key,
			.names = l->names.at,
			.name_n = l->names.n,
			.ticket_secret = SLICE_ARRAY(now),
			.former_ticket_secret = rotated ? SLICE_ARRAY(former) : SLICE_NONE,
			.ask_client = role_of(l)->ask_client },
		why);
	explicit_bzero(now, sizeof now);
	explicit_bzero(former, sizeof former);
	return id;
}

static struct place *
place_find(struct front *f, const struct conf_listener *l)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->places[i].name, l->name) == 0 && f->places[i].port == l->port &&
			strcmp(f->places[i].address, l->address) == 0)
			return &f->places[i];
	return NULL;
}

static bool
listener_plan(struct front *f, struct planned *p, const struct conf *conf,
	const struct dp_world *world, char why[HTTPS_WHY])
{
	struct https_listener_settings settings = { .name = p->conf->name,
		.address = p->conf->address,
		.port = (uint16_t)p->conf->port,
		.body = body_of(p->conf, conf),
		.headers = headers,
		.header_n = sizeof headers / sizeof *headers };

	p->identity = identity_read(p->conf, world, why);
	if (!p->identity)
		return false;
	p->running = place_find(f, p->conf);
	if (p->running)
		return true;
	snprintf(p->place.name, sizeof p->place.name, "%s", p->conf->name);
	snprintf(p->place.address, sizeof p->place.address, "%s", p->conf->address);
	p->place.port = (uint16_t)p->conf->port;
	p->place.listener = https_listener_new(
		f->https, &settings, p->identity, role_of(p->conf)->handler, f, why);
	if (p->place.listener)
		p->identity = NULL; /* taken over */
	return p->place.listener != NULL;
}

struct front_plan *
front_plan_new(
	struct front *f, const struct conf *conf, const struct dp_world *world, char why[HTTPS_WHY])
{
	struct front_plan *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->conf = conf_hold(conf);
	if (conf->listener_n > FRONT_LISTENERS) {
		snprintf(why, HTTPS_WHY, "%s: more than %d [listener] sections", conf->path,
			FRONT_LISTENERS);
		front_plan_free(p);
		return NULL;
	}
	for (unsigned i = 0; i < conf->listener_n; i++) {
		struct planned *one = &p->planned[p->n++];

		one->conf = &conf->listeners[i];
		if (!listener_plan(f, one, conf, world, why)) {
			front_plan_free(p);
			return NULL;
		}
	}
	return p;
}

void
front_plan_free(struct front_plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		https_identity_free(p->planned[i].identity);
		if (p->planned[i].place.listener)
			https_listener_stop(p->planned[i].place.listener, 0);
	}
	conf_release(p->conf);
	free(p);
}

static bool
still_planned(const struct front_plan *p, const struct place *place)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->planned[i].running == place)
			return true;
	return false;
}

void
front_plan_start(struct front *f, struct front_plan *p)
{
	struct place next[FRONT_LISTENERS];
	struct https_limits limits = https_limits_of(&p->conf->limits);

	f->drain_ms = p->conf->limits.drain_seconds * 1000;
	https_limits_set(f->https, &limits);
	for (size_t i = 0; i < f->n; i++)
		if (!still_planned(p, &f->places[i]))
			https_listener_stop(f->places[i].listener, f->drain_ms);
	for (size_t i = 0; i < p->n; i++) {
		struct planned *one = &p->planned[i];

		next[i] = one->running ? *one->running : one->place;
		if (one->running) {
			https_listener_identity_set(next[i].listener, one->identity);
			https_listener_body_set(next[i].listener, body_of(one->conf, p->conf));
		} else {
			https_listener_start(next[i].listener);
			LOG(rspd, NOTICE, "listening=%s address=%s port=%u", one->conf->name,
				one->conf->address, https_listener_port_get(next[i].listener));
		}
		one->identity = NULL;
		one->place.listener = NULL;
	}
	f->n = p->n;
	memcpy(f->places, next, p->n * sizeof *next);
	front_plan_free(p);
}

void
front_drain(struct front *f, uint32_t ms, void (*done)(void *arg), void *arg)
{
	f->n = 0;
	https_drain(f->https, ms, done, arg);
}
