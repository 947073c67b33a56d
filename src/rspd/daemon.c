/*
 * The daemon in service. It starts in an order in which nothing is offered before it works: database,
 * world, listeners, control socket. A reload loads and checks everything before anything is swapped; one
 * that waits for the database is given up when its files do not serve any more. The drain accepts no more,
 * lets what runs finish, and ends.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include "base/clock.h"
#include "ctl/ctl.h"
#include "dp/clients.h"
#include "dp/denied.h"
#include "dp/periodic.h"
#include "dp/load_places.h"
#include "dp/plans.h"
#include "eim/forward.h"
#include "es9/es9.h"
#include "esipa/esipa.h"
#include "keys/keys.h"
#include "loop/loop.h"
#include "outbox/outbox.h"
#include "rspd/coap_front.h"
#include "peer/local.h"
#include "rspd/daemon.h"
#include "rspd/eims.h"
#include "rspd/front.h"
#include "rspd/notify.h"
#include "rspd/peers.h"
#include "rspd/world.h"
#include "store/store.h"

enum { RETRY_MS = 500, ENTRY_MS = 10, LISTS_MS = 1000, LEAVE_MS = 20, SAY_US = 60000000 };

struct rspd {
	const struct conf *conf;
	struct loop *loop;
	struct store *store;
	struct dp dp;
	struct dp_plans plans;
	struct eim eim;
	struct dp_load_places loads;
	struct peer *peer;
	struct outbox *outbox; /* from the first world on */
	struct front *front;
	struct coap_front *coap;
	struct ctl *ctl;
	struct loop_periodic *expiry, *sealer, *housekeeper, *denied, *certificates, *clones,
		*clients, *forwarder, *package_expiry;
	struct loop_signal *terminate, *interrupt, *hangup;
	struct loop_timer *watchdog, *retry, *entry, *lists, *leave;
	/* a start or a reload in progress */
	const struct conf *wanted;
	struct front_plan *plan;
	struct coap_front_plan *coap_plan; /* with the plan */
	struct peer_settings peers;        /* with the plan */
	struct eim_world *eim_world;       /* the same; NULL: no [eim] */
	bool again;                        /* SIGHUP came meanwhile */
	int64_t said_us;                   /* when it last said that it waits; 0: not yet */
	bool serving, draining;
	unsigned draining_n; /* fronts that have connections or sessions yet */
	int leave_left_ms;
	int status;
};

/* Words as a value of a line, whatever they hold; until the next call. */
static const char *
value_of(const char *words)
{
	static char value[512];

	return log_value(slice_text(words), value);
}

/* ---- start and reload: the same path ---------------------------------------------------------------- */

/* Whoever serves: both, or neither. */
static bool
fronts_plan(struct rspd *r, const struct dp_world *world, char words[CTL_WORDS])
{
	r->plan = front_plan_new(r->front, r->wanted, world, words);
	if (!r->plan)
		return false;
	r->coap_plan = coap_front_plan_new(r->coap, r->wanted, world, words);
	if (r->coap_plan)
		return true;
	front_plan_free(r->plan);
	r->plan = NULL;
	return false;
}

static bool
plan_make(struct rspd *r, struct dp_world **world, char words[CTL_WORDS])
{
	*world = world_read(r->wanted, words);
	if (!*world)
		return false;
	if (peers_read(r->wanted, &r->peers, words)) {
		if (eims_read(r->wanted, *world, &r->eim_world, words)) {
			if (fronts_plan(r, *world, words))
				return true;
			eim_world_release(r->eim_world);
			r->eim_world = NULL;
		}
		peers_drop(&r->peers);
	}
	dp_world_release(*world);
	return false;
}

static void
plan_drop(struct rspd *r)
{
	front_plan_free(r->plan);
	coap_front_plan_free(r->coap_plan);
	peers_drop(&r->peers);
	eim_world_release(r->eim_world);
	r->eim_world = NULL;
	r->plan = NULL;
}

/* Whom we call and how; the first time deliveries begin. */
static void
peers_apply(struct rspd *r)
{
	const struct conf_outbox *o = &r->conf->outbox;
	struct outbox_settings settings = { .in_flight = o->in_flight,
		.call_ms = o->call_seconds * 1000,
		.lease_ms = o->lease_seconds * 1000,
		.keep_s = (int64_t)o->keep_days * 24 * 3600 };

	peer_settings_set(r->peer, &r->peers, peers_calls(r->conf));
	if (r->outbox)
		outbox_settings_set(r->outbox, &settings);
	else if (!r->draining)
		r->outbox = outbox_start(r->loop, r->store, r->peer, &settings);
}

static void
settings_apply(const struct rspd *r)
{
	conf_log_apply(r->conf);
	loop_limits_set(r->loop, &(struct loop_limits){ .tasks = r->conf->limits.tasks });
	keys_brainpool_limit_set(r->conf->dp.brainpool_signatures_per_second);
}

static void on_retry(void *arg);
static void on_entry(void *arg);
static void on_hangup(void *arg);

/* What waits says so at once and then every minute. */
static bool
may_say(struct rspd *r)
{
	int64_t now = clock_mono_us();

	if (r->said_us && now - r->said_us < SAY_US)
		return false;
	r->said_us = now;
	return true;
}

/* The start or the reload is over, either way: what was asked for meanwhile comes now. */
static void
settle(struct rspd *r)
{
	loop_timer_free(r->retry);
	r->retry = NULL;
	r->said_us = 0;
	notify_ready();
	if (!r->again)
		return;
	r->again = false;
	on_hangup(r);
}

/* The world is numbered (or not: the database is away, try again as long as it takes). */
static void
on_world(void *arg, bool ok)
{
	struct rspd *r = arg;

	if (r->draining)
		return; /* nothing is to begin any more */
	if (!ok) {
		plan_drop(r);
		if (may_say(r))
			LOG(rspd, WARNING,
				"did=%s result=waiting note=\"the database does not answer\"",
				r->serving ? "reload" : "start");
		if (!r->retry)
			r->retry = loop_timer_new(r->loop, RETRY_MS, on_retry, r);
		return;
	}
	on_entry(r);
}

/* Each wrong Confirmation Code is a download as well: when those run out first, the limit is never met. */
static bool
codes_out_of_reach(const struct conf *conf)
{
	return conf->dp.confirmation_code_attempts >= conf->dp.download_attempts;
}

/* Into service with what was loaded. At the start that waits for the deny-lists, which come as soon. */
static void
on_entry(void *arg)
{
	struct rspd *r = arg;

	if (!r->dp.denied) {
		if (!r->entry)
			r->entry = loop_timer_new(r->loop, ENTRY_MS, on_entry, r);
		return;
	}
	loop_timer_free(r->entry);
	r->entry = NULL;
	conf_release(r->conf);
	r->conf = r->wanted;
	r->wanted = NULL;
	settings_apply(r);
	peers_apply(r);
	eim_world_set(&r->eim, r->eim_world);
	r->eim_world = NULL;
	front_plan_start(r->front, r->plan);
	coap_front_plan_start(r->coap, r->coap_plan);
	r->plan = NULL;
	LOG(rspd, NOTICE, "did=%s result=ok version=%s", r->serving ? "reload" : "start",
		RSPD_VERSION);
	if (codes_out_of_reach(r->conf))
		LOG(rspd, WARNING, "alarm=code-attempts codes=%u downloads=%u",
			(unsigned)r->conf->dp.confirmation_code_attempts,
			(unsigned)r->conf->dp.download_attempts);
	r->serving = true;
	loop_periodic_hurry(r->certificates);
	loop_periodic_hurry(r->clones);
	settle(r);
}

static void
on_retry(void *arg)
{
	struct rspd *r = arg;
	struct dp_world *world;
	char words[CTL_WORDS];

	if (r->plan || r->draining)
		return;
	if (plan_make(r, &world, words)) {
		dp_world_start(&r->dp, world, on_world, r);
	} else if (r->serving) {
		LOG(rspd, ERROR, "did=reload result=failed note=%s", value_of(words));
		conf_release(r->wanted);
		r->wanted = NULL;
		settle(r);
	} else if (may_say(r)) {
		LOG(rspd, ERROR, "did=start result=waiting note=%s", value_of(words));
	}
}

static bool
reload(void *arg, char words[CTL_WORDS])
{
	struct rspd *r = arg;
	struct conf_errors *errors = calloc(1, sizeof *errors);
	const struct conf *wanted;
	struct dp_world *world;
	bool ok = false;

	if (!errors)
		abort();
	if (r->wanted || r->draining) {
		snprintf(words, CTL_WORDS, "another reload or the end is in progress; try again");
		free(errors);
		return false;
	}
	notify_reloading();
	wanted = conf_read(r->conf->path, errors);
	if (wanted && conf_reloadable(r->conf, wanted, errors)) {
		r->wanted = wanted;
		ok = plan_make(r, &world, words);
	} else {
		snprintf(words, CTL_WORDS, "%s", errors->text[0]);
	}
	free(errors);
	if (ok) {
		dp_world_start(&r->dp, world, on_world, r);
		return true;
	}
	r->wanted = NULL;
	conf_release(wanted);
	LOG(rspd, ERROR, "did=reload result=failed note=%s", value_of(words));
	notify_ready();
	return false;
}

/* Nobody waits for an answer who could ask again: during a reload it is remembered. */
static void
on_hangup(void *arg)
{
	struct rspd *r = arg;
	char words[CTL_WORDS];

	if (!r->wanted || r->draining) {
		reload(r, words);
		return;
	}
	r->again = true;
	LOG(rspd, NOTICE, "did=reload result=postponed note=\"until the one in progress ends\"");
}

/* ---- the end ---------------------------------------------------------------------------------------- */

/* The last connection is gone; now the tasks without one, and what the store still sends. */
static void
on_leave(void *arg)
{
	struct rspd *r = arg;

	r->leave_left_ms -= LEAVE_MS;
	if (r->draining_n ||
		((loop_tasks_get(r->loop) || !store_idle(r->store)) && r->leave_left_ms > 0))
		return;
	loop_stop(r->loop);
}

static void
on_drained(void *arg)
{
	struct rspd *r = arg;

	r->draining_n--;
}

/* done(r) is called for each of the two. */
static void
fronts_drain(struct rspd *r, uint32_t ms, void (*done)(void *arg))
{
	r->draining_n = 2;
	front_drain(r->front, ms, done, r);
	coap_front_drain(r->coap, ms, done, r);
}

static void
drain(void *arg)
{
	struct rspd *r = arg;
	uint32_t ms = r->conf->limits.drain_seconds * 1000;
	uint32_t call_ms = r->conf->outbox.call_seconds * 1000;

	if (r->draining)
		return;
	r->draining = true;
	LOG(rspd, NOTICE, "did=drain tasks=%u", loop_tasks_get(r->loop));
	notify_stopping();
	loop_periodic_stop(r->expiry);
	loop_periodic_stop(r->sealer);
	loop_periodic_stop(r->housekeeper);
	loop_periodic_stop(r->certificates);
	r->certificates = NULL;
	loop_periodic_stop(r->clones);
	r->clones = NULL;
	loop_periodic_stop(r->denied);
	r->denied = NULL;
	loop_periodic_stop(r->clients);
	r->clients = NULL;
	loop_periodic_stop(r->forwarder);
	loop_periodic_stop(r->package_expiry);
	loop_timer_free(r->entry);
	r->entry = NULL;
	if (r->plan) /* it never came into service */
		plan_drop(r);
	outbox_stop(r->outbox);
	ctl_drain(r->ctl);
	store_drain(r->store);
	r->leave_left_ms = (int)(ms > call_ms ? ms : call_ms) + 5000;
	r->leave = loop_timer_new(r->loop, LEAVE_MS, on_leave, r);
	fronts_drain(r, ms, on_drained);
}

static const struct outbox *
outbox_of(void *arg)
{
	return ((const struct rspd *)arg)->outbox;
}

static void
on_watchdog(void *arg)
{
	(void)arg;
	notify_watchdog();
}

/* ---- run -------------------------------------------------------------------------------------------- */

static int
schema_check(const struct store_settings *settings)
{
	char words[STORE_WORDS];
	enum store_schema found = store_schema_check(settings, words);

	if (found == STORE_CURRENT)
		return EX_OK;
	LOG(rspd, ERROR, "did=start result=refused note=%s", value_of(words));
	return found == STORE_UNREACHABLE ? EX_UNAVAILABLE : EX_CONFIG;
}

/* Another instance, or ours, changed the deny-lists. */
static void
on_deny(void *arg)
{
	loop_periodic_hurry(((struct rspd *)arg)->denied);
}

/* The same with operators and their clients. */
static void
on_operator(void *arg)
{
	struct rspd *r = arg;

	if (r->clients)
		loop_periodic_hurry(r->clients);
}

/* Revocation lists are read again when their files changed; what is broken changes nothing. */
static void
on_lists(void *arg)
{
	struct rspd *r = arg;
	char words[CTL_WORDS];

	if (!r->dp.world || r->draining)
		return;
	switch (world_lists_look(r->dp.world, words)) {
	case WORLD_NO_NEWS:
		return;
	case WORLD_NEWS:
		LOG(rspd, NOTICE, "did=read-lists result=ok lists=%zu",
			crypto_trust_crl_count(r->dp.world->trust));
		loop_periodic_hurry(r->certificates);
		return;
	case WORLD_BAD_NEWS:
		LOG(rspd, ERROR, "did=read-lists result=failed note=%s", value_of(words));
	}
}

static void
fill_eim(void *state, void *eim)
{
	((struct eim_run *)state)->eim = eim;
}

static bool
services_start(struct rspd *r, char words[CTL_WORDS])
{
	struct ctl_settings ctl = { .path = r->conf->rspd.control,
		.group = r->conf->rspd.control_group };
	uint32_t watchdog_ms = notify_watchdog_ms();

	r->ctl = ctl_start(r->loop, &r->dp, &r->eim, &ctl,
		&(struct ctl_hooks){
			.arg = r, .reload = reload, .drain = drain, .outbox = outbox_of },
		words);
	if (!r->ctl)
		return false;
	r->expiry = dp_periodic_start(&r->dp, &dp_expire_orders, DP_EXPIRE_ORDERS_MS);
	r->sealer = dp_periodic_start(&r->dp, &dp_seal_audit, DP_SEAL_AUDIT_MS);
	r->housekeeper = dp_periodic_start(&r->dp, &dp_housekeep, DP_HOUSEKEEP_MS);
	r->denied = dp_periodic_start(&r->dp, &dp_load_denied, DP_LOAD_DENIED_MS);
	loop_periodic_hurry(r->denied);
	store_listen(r->store, STORE_DENY_CHANNEL, on_deny, r);
	r->certificates =
		dp_periodic_start(&r->dp, &dp_watch_certificates, DP_WATCH_CERTIFICATES_MS);
	r->clones = dp_periodic_start(&r->dp, &dp_watch_clones, DP_WATCH_CLONES_MS);
	r->lists = loop_timer_new(r->loop, LISTS_MS, on_lists, r);
	r->clients = dp_periodic_start(&r->dp, &dp_load_clients, DP_LOAD_CLIENTS_MS);
	loop_periodic_hurry(r->clients);
	store_listen(r->store, STORE_OPERATOR_CHANNEL, on_operator, r);
	r->forwarder =
		loop_periodic_start(r->loop, &eim_forward_local, EIM_FORWARD_MS, fill_eim, &r->eim);
	r->package_expiry =
		loop_periodic_start(r->loop, &eim_expire, EIM_EXPIRE_MS, fill_eim, &r->eim);
	r->terminate = loop_signal_new(r->loop, SIGTERM, drain, r);
	r->interrupt = loop_signal_new(r->loop, SIGINT, drain, r);
	r->hangup = loop_signal_new(r->loop, SIGHUP, on_hangup, r);
	if (watchdog_ms)
		r->watchdog = loop_timer_new(r->loop, watchdog_ms, on_watchdog, NULL);
	return true;
}

static void
services_end(struct rspd *r)
{
	loop_timer_free(r->watchdog);
	loop_timer_free(r->lists);
	loop_timer_free(r->leave);
	loop_timer_free(r->retry);
	loop_signal_free(r->terminate);
	loop_signal_free(r->interrupt);
	loop_signal_free(r->hangup);
	if (r->ctl)
		ctl_stop(r->ctl);
}

static struct store_settings
store_settings_of(const struct conf *conf)
{
	return (struct store_settings){ .connection = conf->database.connection,
		.online_connections = conf->database.online_connections,
		.background_connections = conf->database.background_connections,
		.queue = conf->database.queue };
}

static void
leave(void *arg)
{
	struct rspd *r = arg;

	if (!--r->draining_n)
		loop_stop(r->loop);
}

/* Everything that a start needs, short of the database's numbers. */
static bool
start(struct rspd *r, char words[CTL_WORDS])
{
	struct dp_world *world;

	if (!plan_make(r, &world, words))
		return false;
	if (services_start(r, words)) {
		dp_world_start(&r->dp, world, on_world, r);
		return true;
	}
	plan_drop(r);
	dp_world_release(world);
	return false;
}

int
daemon_run(const struct conf *conf)
{
	struct rspd r = { .conf = conf, .wanted = conf_hold(conf) };
	struct store_settings settings = store_settings_of(conf);
	char words[CTL_WORDS];
	int status;

	conf_log_apply(conf);
	status = schema_check(&settings);
	if (status == EX_OK) {
		r.loop = loop_new(&(struct loop_limits){ .tasks = conf->limits.tasks });
		r.store = store_new(r.loop, &settings);
		r.peer = peer_new(r.loop, peers_calls(conf));
		r.dp = (struct dp){ .loop = r.loop,
			.store = r.store,
			.peer = r.peer,
			.plans = &r.plans,
			.loads = &r.loads };
		r.eim = (struct eim){ .loop = r.loop,
			.store = r.store,
			.peer = r.peer,
			.denied = eims_denied,
			.test_ci = eims_test_ci,
			.arg = &r.dp };
		eim_init(&r.eim);
		peer_local_set(r.peer, es9_handle, &r.dp);
		r.front = front_new(r.loop, &r.dp, &r.eim, conf);
		r.coap = coap_front_new(r.loop, conf, esipa_handle, &r.eim);
		if (start(&r, words)) {
			loop_run(r.loop);
		} else {
			LOG(rspd, ERROR, "did=start result=refused note=%s", value_of(words));
			status = EX_CONFIG;
			fronts_drain(&r, 0, leave); /* sockets that were bound */
			loop_run(r.loop);
		}
		services_end(&r);
		front_free(r.front);
		coap_front_free(r.coap);
		eim_fini(&r.eim);
		dp_world_release(r.dp.world);
		dp_plans_fini(&r.plans);
		dp_load_places_fini(&r.loads);
		dp_denied_free(r.dp.denied);
		dp_clients_free(r.dp.clients);
		outbox_free(r.outbox);
		peer_free(r.peer);
		store_free(r.store);
		loop_free(r.loop);
	}
	conf_release(r.conf);
	conf_release(r.wanted);
	if (status == EX_OK)
		LOG(rspd, NOTICE, "did=stop result=ok");
	return status;
}

int
daemon_check(const struct conf *conf)
{
	struct store_settings settings = store_settings_of(conf);
	char words[CTL_WORDS];
	struct peer_settings peers;
	struct eim_world *eim;
	struct dp_world *world;
	bool fine;

	if (!store_settings_check(&settings, words)) {
		fprintf(stderr, "rspd: [database] connection: %s\n", words);
		return EX_CONFIG;
	}
	world = world_read(conf, words);
	if (!world) {
		fprintf(stderr, "rspd: %s\n", words);
		return EX_CONFIG;
	}
	fine = eims_read(conf, world, &eim, words);
	eim_world_release(eim);
	dp_world_release(world);
	if (!fine || !peers_read(conf, &peers, words)) {
		fprintf(stderr, "rspd: %s\n", words);
		return EX_CONFIG;
	}
	peers_drop(&peers);
	if (codes_out_of_reach(conf))
		fprintf(stderr,
			"rspd: warning: [dp] confirmation_code_attempts = %u is never reached: "
			"each wrong "
			"code is one of download_attempts = %u\n",
			(unsigned)conf->dp.confirmation_code_attempts,
			(unsigned)conf->dp.download_attempts);
	return EX_OK;
}
