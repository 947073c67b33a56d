/*
 * stats: everything that is counted, in one object: counters and gauges, latency by function, steps by
 * procedure, statements and lanes of the store, refusals, the machine's own account of the process.
 */
#include <stdio.h>
#include <sys/resource.h>
#include "base/clock.h"
#include "ctl/verbs.h"
#include "eim/refusal.h"
#include "loop/loop.h"
#include "outbox/outbox.h"
#include "stats/stats.h"

static void
add_counter(void *arg, const struct stats_view *v)
{
	json_object_set_new(arg, v->name, json_integer(v->value));
}

static void
add_latency(void *arg, const struct stats_latency *l)
{
	json_object_set_new(arg, l->name,
		json_pack("{sI sI sI sI sI}", "count", (json_int_t)l->count, "sumUs",
			(json_int_t)l->sum_us, "medianUs",
			(json_int_t)stats_latency_quantile_get(l, 500), "p99Us",
			(json_int_t)stats_latency_quantile_get(l, 990), "maxUs",
			(json_int_t)l->max_us));
}

static void
add_procedure(void *arg, const struct procedure *p)
{
	json_t *told = json_array();

	for (const struct step *const *s = p->steps; *s; s++)
		json_array_append_new(told,
			json_pack("{ss sI sI}", "step", (*s)->name, "runs",
				(json_int_t)(*s)->stats->runs, "us", (json_int_t)(*s)->stats->us));
	json_object_set_new(arg, p->name, told);
}

static void
add_statement(void *arg, const struct store_statement_view *v)
{
	if (v->count || v->errors)
		json_object_set_new(arg, v->name,
			json_pack("{sI sI sI}", "count", (json_int_t)v->count, "errors",
				(json_int_t)v->errors, "us", (json_int_t)v->us));
}

static void
add_lane(void *arg, const struct store_lane_view *v)
{
	json_object_set_new(arg, v->name,
		json_pack("{si si si si si sI sI sI}", "connections", (int)v->connections,
			"connected", (int)v->connected, "busy", (int)v->busy, "queued",
			(int)v->queued, "queuePeak", (int)v->queue_peak, "refused",
			(json_int_t)v->refused, "repeated", (json_int_t)v->repeated, "lost",
			(json_int_t)v->lost));
}

static void
add_refusal(void *arg, const struct dp_refusal *no, uint64_t count)
{
	if (count)
		json_object_set_new(arg, no->base.name, json_integer((json_int_t)count));
}

/* Of the eIM: "esipa NO_PACKAGE", for some names are in both tables. */
static void
add_eim_refusal(void *arg, const struct eim_refusal *no, uint64_t count)
{
	char name[80];

	snprintf(name, sizeof name, "esipa %s", no->base.name);
	if (count)
		json_object_set_new(arg, name, json_integer((json_int_t)count));
}

static void
add_subscriber(void *arg, const struct outbox_view *v)
{
	char name[300];

	snprintf(name, sizeof name, "%.*s %.*s", SLICE_FMT(v->kind), SLICE_FMT(v->name));
	json_object_set_new(arg, name,
		json_pack("{sI sI sf sb}", "waiting", (json_int_t)v->waiting, "dead",
			(json_int_t)v->dead, "lagSeconds", (double)v->lag_us / 1000000, "paused",
			(int)v->paused));
}

static json_t *
subscribers_json(const struct ctl *c)
{
	const struct outbox *o = c->hooks.outbox ? c->hooks.outbox(c->hooks.arg) : NULL;
	json_t *all = json_object();

	if (o)
		outbox_each(o, add_subscriber, all);
	return all;
}

static json_t *
process_json(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return json_pack("{sI sI sI}", "userUs",
		(json_int_t)used.ru_utime.tv_sec * 1000000 + used.ru_utime.tv_usec, "systemUs",
		(json_int_t)used.ru_stime.tv_sec * 1000000 + used.ru_stime.tv_usec, "peakKib",
		(json_int_t)used.ru_maxrss);
}

/* When our own certificates and the revocation lists end. */
static json_t *
certificates_json(const struct dp_world *w)
{
	int64_t now = clock_wall_us() / 1000000;
	json_t *all = json_array();

	for (size_t i = 0; w && i < w->certificate_count; i++) {
		const struct dp_certificate *c = &w->certificates[i];
		json_t *one = json_pack("{ss ss# sI}", "what", c->what, "name", c->name.p,
			(int)c->name.n, "daysLeft", (json_int_t)dp_certificate_days(c, now));

		json_array_append_new(all, one);
	}
	return all;
}

void
ctl_stats_write(struct task *t, json_t *ok)
{
	struct ctl *c = ctl_call_get(t)->ctl;
	json_t *counters = json_object(), *latency = json_object(), *procedures = json_object();
	json_t *statements = json_object(), *lanes = json_object(), *refusals = json_object();

	stats_each(add_counter, counters);
	stats_latency_each(add_latency, latency);
	procedure_each(c->loop, add_procedure, procedures);
	store_statements_each(c->dp->store, add_statement, statements);
	store_lanes_each(c->dp->store, add_lane, lanes);
	dp_refusal_each(add_refusal, refusals);
	eim_refusal_each(add_eim_refusal, refusals);
	json_object_set_new(ok, "version", json_string(RSPD_VERSION));
	json_object_set_new(ok, "counters", counters);
	json_object_set_new(ok, "latency", latency);
	json_object_set_new(ok, "procedures", procedures);
	json_object_set_new(ok, "statements", statements);
	json_object_set_new(ok, "lanes", lanes);
	json_object_set_new(ok, "refusals", refusals);
	json_object_set_new(ok, "subscribers", subscribers_json(c));
	json_object_set_new(ok, "certificates", certificates_json(c->dp->world));
	json_object_set_new(ok, "tasks",
		json_pack("{si si}", "running", (int)loop_tasks_get(c->loop), "peak",
			(int)loop_tasks_peak_get(c->loop)));
	json_object_set_new(ok, "process", process_json());
}
