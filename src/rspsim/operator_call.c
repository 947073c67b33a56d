/*
 * rspsim operator order, confirm, release, cancel: what an operator asks of an SM-DP+ over ES2+ (SGP.22
 * §5.3), one call each; and operator cycle, which orders, confirms and releases many profiles over many
 * connections.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sysexits.h>
#include "base/clock.h"
#include "rspsim/es2.h"
#include "rspsim/verbs.h"

static struct rspsim_es2_options
options_of(const struct rspsim_options *o)
{
	return (struct rspsim_es2_options){ .server = o->server,
		.connect = o->link.connect_count ? o->link.connect[0] : NULL,
		.ca = o->ca,
		.certificate = o->certificate,
		.key = o->key,
		.requester = o->requester ? o->requester : "2.999.1",
		.trusting = o->trusting,
		.trace = o->link.trace };
}

/* Nothing when it is NULL. */
static void
put(json_t *members, const char *name, const char *text)
{
	if (text)
		json_object_set_new(members, name, json_string(text));
}

static int
print_answer(const struct rspsim_call *call, json_t *answer)
{
	const char *name;
	json_t *value;

	if (call->outcome == RSPSIM_CALL_TRANSPORT) {
		fprintf(stderr, "rspsim: %s: HTTP %ld %s\n", call->function, call->http,
			call->message);
		return EX_UNAVAILABLE;
	}
	if (call->outcome == RSPSIM_CALL_REFUSED) {
		fprintf(stderr, "rspsim: %s: refused %s/%s %s\n", call->function, call->subject,
			call->reason, call->message);
		return 1;
	}
	json_object_foreach(answer, name, value) if (json_is_string(value))
		printf("%s: %s\n", name, json_string_value(value));
	return 0;
}

static int
call(const struct rspsim_options *o, const char *function, json_t *members)
{
	struct rspsim_es2_options options = options_of(o);
	struct rspsim_es2 *es2 = rspsim_es2_new(&options);
	struct rspsim_call done;
	json_t *answer;
	int code;

	rspsim_es2_post(es2, function, members, o->call, &done, &answer);
	if (o->json && answer) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
		code = done.outcome == RSPSIM_CALL_REFUSED;
	} else {
		code = print_answer(&done, answer);
	}
	json_decref(answer);
	rspsim_es2_free(es2);
	return code;
}

int
rspsim_verb_operator_order(const struct rspsim_options *o)
{
	json_t *members = json_object();

	put(members, "iccid", o->iccid);
	put(members, "profileType", o->type);
	put(members, "eid", o->eid);
	return call(o, "downloadOrder", members);
}

int
rspsim_verb_operator_confirm(const struct rspsim_options *o)
{
	json_t *members = json_pack("{s:s, s:b}", "iccid", o->iccid, "releaseFlag", o->release);

	put(members, "eid", o->eid);
	put(members, "matchingId", o->matching_id);
	put(members, "confirmationCode", o->cc);
	put(members, "smdsAddress", o->smds);
	return call(o, "confirmOrder", members);
}

int
rspsim_verb_operator_release(const struct rspsim_options *o)
{
	return call(o, "releaseProfile", json_pack("{s:s}", "iccid", o->iccid));
}

int
rspsim_verb_operator_cancel(const struct rspsim_options *o)
{
	json_t *members = json_pack("{s:s, s:s}", "iccid", o->iccid, "finalProfileStatusIndicator",
		o->final ? o->final : "Available");

	put(members, "eid", o->eid);
	put(members, "matchingId", o->matching_id);
	return call(o, "cancelOrder", members);
}

/* ---- many ----------------------------------------------------------------------------- */

struct cycles {
	struct rspsim_es2_options options;
	const char *type;
	unsigned wanted;
	atomic_uint begun, done, refused, lost;
	pthread_barrier_t ready;
};

/* False when it failed, which is counted; the answer is the caller's. */
static bool
step(struct cycles *c, struct rspsim_es2 *es2, const char *function, json_t *members,
	json_t **answer)
{
	struct rspsim_call call;

	rspsim_es2_post(es2, function, members, NULL, &call, answer);
	if (call.outcome == RSPSIM_CALL_FINE)
		return true;
	atomic_fetch_add(call.outcome == RSPSIM_CALL_REFUSED ? &c->refused : &c->lost, 1);
	json_decref(*answer);
	return false;
}

static void
cycle(struct cycles *c, struct rspsim_es2 *es2)
{
	json_t *ordered, *confirmed, *released;
	const char *iccid;

	if (!step(c, es2, "downloadOrder", json_pack("{s:s}", "profileType", c->type), &ordered))
		return;
	iccid = json_string_value(json_object_get(ordered, "iccid"));
	if (iccid &&
		step(c, es2, "confirmOrder",
			json_pack("{s:s, s:b}", "iccid", iccid, "releaseFlag", 0), &confirmed)) {
		json_decref(confirmed);
		if (step(c, es2, "releaseProfile", json_pack("{s:s}", "iccid", iccid), &released)) {
			json_decref(released);
			atomic_fetch_add(&c->done, 1);
		}
	}
	json_decref(ordered);
}

static void *
run_client(void *arg)
{
	struct cycles *c = arg;
	struct rspsim_es2 *es2 = rspsim_es2_new(&c->options);

	pthread_barrier_wait(&c->ready);
	while (atomic_fetch_add(&c->begun, 1) < c->wanted)
		cycle(c, es2);
	rspsim_es2_free(es2);
	return NULL;
}

int
rspsim_verb_operator_cycle(const struct rspsim_options *o)
{
	struct cycles c = { .options = options_of(o), .type = o->type, .wanted = o->sessions };
	unsigned clients = o->clients ? o->clients : 1;
	pthread_t *threads = calloc(clients, sizeof *threads);
	int64_t from;
	double seconds;

	if (!threads)
		abort();
	pthread_barrier_init(&c.ready, NULL, clients + 1);
	for (unsigned i = 0; i < clients; i++)
		if (pthread_create(&threads[i], NULL, run_client, &c) != 0)
			abort();
	pthread_barrier_wait(&c.ready);
	from = clock_mono_us();
	for (unsigned i = 0; i < clients; i++)
		pthread_join(threads[i], NULL);
	seconds = (double)(clock_mono_us() - from) / 1e6;
	free(threads);
	pthread_barrier_destroy(&c.ready);
	printf(o->json ? "{\"cycles\": %u, \"refused\": %u, \"lost\": %u, \"seconds\": %.6f}\n"
		       : "cycles: %u\nrefused: %u\nlost: %u\nseconds: %.3f\n",
		c.done, c.refused, c.lost, seconds);
	return c.done != c.wanted;
}
