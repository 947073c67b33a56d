/*
 * The CoAP listeners: what the configuration names and what runs are compared by address and port, each of
 * which belongs to one process and here to one section. A plan holds loaded identities and newly bound
 * sockets; only when the whole plan stands does anything that runs change.
 */
#include <stdio.h>
#include <stdlib.h>
#include "rspd/coap_front.h"

enum { COAP_LISTENERS = 16, TICKET_SECRET = 32 };

struct place {
	char address[46];
	uint16_t port;
	struct coap_listener *listener;
};

struct coap_front {
	struct coap_server *server;
	coap_request_handler *handler;
	void *binding;
	struct place places[COAP_LISTENERS];
	size_t n;
	uint32_t drain_ms;
};

struct planned {
	const struct conf_coap *conf;
	struct coap_identity *identity;
	struct place place;    /* with a listener: newly bound */
	struct place *running; /* or the one that goes on */
};

struct coap_front_plan {
	const struct conf *conf;
	struct planned planned[COAP_LISTENERS];
	size_t n;
};

/* Nobody serves CoAP in this configuration. */
static void
refuse(struct request *r)
{
	static const struct answer busy = { .status = 503, .retry_after = 60 };

	request_respond(r, &busy);
}

struct coap_front *
coap_front_new(
	struct loop *loop, const struct conf *conf, coap_request_handler *handler, void *binding)
{
	struct coap_limits limits = coap_limits_of(&conf->limits);
	struct coap_front *f = calloc(1, sizeof *f);

	if (!f)
		abort();
	f->server = coap_server_new(loop, &limits);
	f->handler = handler ? handler : refuse;
	f->binding = binding;
	return f;
}

void
coap_front_free(struct coap_front *f)
{
	coap_server_free(f->server);
	free(f);
}

static struct coap_identity *
identity_read(const struct conf_coap *c, const struct dp_world *world, char why[COAP_WHY])
{
	uint8_t now[TICKET_SECRET], former[TICKET_SECRET];
	bool rotated = crypto_ring_derive(world->ring, true, "DTLS tickets", former, sizeof former);
	struct coap_identity *id;

	crypto_ring_derive(world->ring, false, "DTLS tickets", now, sizeof now);
	id = coap_identity_new(
		&(struct coap_identity_settings){ .name = c->name,
			.certificate = c->certificate,
			.key = c->key,
			.psk_file = c->psk_file,
			.ticket_secret = SLICE_ARRAY(now),
			.former_ticket_secret = rotated ? SLICE_ARRAY(former) : SLICE_NONE },
		why);
	explicit_bzero(now, sizeof now);
	explicit_bzero(former, sizeof former);
	return id;
}

static struct place *
place_find(struct coap_front *f, const struct conf_coap *c)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->places[i].port == c->port && strcmp(f->places[i].address, c->address) == 0)
			return &f->places[i];
	return NULL;
}

static bool
listener_plan(
	struct coap_front *f, struct planned *p, const struct dp_world *world, char why[COAP_WHY])
{
	struct coap_listener_settings settings = {
		.name = p->conf->name, .address = p->conf->address, .port = (uint16_t)p->conf->port
	};

	p->identity = identity_read(p->conf, world, why);
	if (!p->identity)
		return false;
	p->running = place_find(f, p->conf);
	if (p->running)
		return true;
	snprintf(p->place.address, sizeof p->place.address, "%s", p->conf->address);
	p->place.port = (uint16_t)p->conf->port;
	p->place.listener =
		coap_listener_new(f->server, &settings, p->identity, f->handler, f->binding, why);
	if (p->place.listener)
		p->identity = NULL; /* taken over */
	return p->place.listener != NULL;
}

struct coap_front_plan *
coap_front_plan_new(struct coap_front *f, const struct conf *conf, const struct dp_world *world,
	char why[COAP_WHY])
{
	struct coap_front_plan *p = calloc(1, sizeof *p);
	bool ok = conf->coap_n <= COAP_LISTENERS;

	if (!p)
		abort();
	p->conf = conf_hold(conf);
	if (!ok)
		snprintf(why, COAP_WHY, "%s: more than %d [coap] sections", conf->path,
			COAP_LISTENERS);
	for (unsigned i = 0; ok && i < conf->coap_n; i++) {
		struct planned *one = &p->planned[p->n++];

		one->conf = &conf->coaps[i];
		ok = listener_plan(f, one, world, why);
	}
	if (ok)
		return p;
	coap_front_plan_free(p);
	return NULL;
}

void
coap_front_plan_free(struct coap_front_plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		coap_identity_free(p->planned[i].identity);
		if (p->planned[i].place.listener)
			coap_listener_stop(p->planned[i].place.listener, 0);
	}
	conf_release(p->conf);
	free(p);
}

static bool
still_planned(const struct coap_front_plan *p, const struct place *place)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->planned[i].running == place)
			return true;
	return false;
}

void
coap_front_plan_start(struct coap_front *f, struct coap_front_plan *p)
{
	struct place next[COAP_LISTENERS];
	struct coap_limits limits = coap_limits_of(&p->conf->limits);

	f->drain_ms = p->conf->limits.drain_seconds * 1000;
	coap_server_limits_set(f->server, &limits);
	for (size_t i = 0; i < f->n; i++)
		if (!still_planned(p, &f->places[i]))
			coap_listener_stop(f->places[i].listener, f->drain_ms);
	for (size_t i = 0; i < p->n; i++) {
		struct planned *one = &p->planned[i];

		next[i] = one->running ? *one->running : one->place;
		if (one->running)
			coap_listener_identity_set(next[i].listener, one->identity);
		else
			coap_listener_start(next[i].listener);
		one->identity = NULL;
		one->place.listener = NULL;
	}
	f->n = p->n;
	memcpy(f->places, next, p->n * sizeof *next);
	coap_front_plan_free(p);
}

void
coap_front_drain(struct coap_front *f, uint32_t ms, void (*done)(void *arg), void *arg)
{
	f->n = 0;
	coap_server_drain(f->server, ms, done, arg);
}
