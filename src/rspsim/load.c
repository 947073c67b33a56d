/*
 * rspsim load: complete downloads by many clients at once. Cards are made before the clock
 * starts; each client is a thread with its card and its connection. What the server spends is
 * read from /proc before and after.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/text.h"
#include "rspsim/codes.h"
#include "rspsim/verbs.h"

enum { FUNCTIONS = 5, FAILURES = 64, PIDS = 64 };

static const char *const functions[FUNCTIONS] = { "initiateAuthentication", "authenticateClient",
	"getBoundProfilePackage", "handleNotification", "cancelSession" };

/* Times of one function over all clients, in microseconds. */
struct times {
	int64_t *us;
	size_t count;
};

struct failure {
	char code[64];
	unsigned count;
};

struct load {
	const struct rspsim_options *options;
	struct rspsim_codes codes;
	atomic_uint next; /* session to begin */
	pthread_barrier_t ready;
	pthread_mutex_t lock; /* of what follows */
	struct times times[FUNCTIONS], session;
	struct failure failures[FAILURES];
	size_t failure_count;
	unsigned done;
};

struct client {
	pthread_t thread;
	struct load *load;
	struct rspsim_card *card;
};

/* ---- what is told -------------------------------------------------------------------- */

static void
note_time(struct times *t, int64_t us, size_t room)
{
	if (t->count < room)
		t->us[t->count++] = us;
}

static void
note_failure(struct load *l, const char *code)
{
	size_t i = 0;

	while (i < l->failure_count && strcmp(l->failures[i].code, code) != 0)
		i++;
	if (i == FAILURES)
		return;
	if (i == l->failure_count) {
		snprintf(l->failures[i].code, sizeof l->failures[i].code, "%s", code);
		l->failure_count++;
	}
	l->failures[i].count++;
}

/* Subject and reason when the server refused, else what happened. */
static void
note_outcome(struct load *l, const struct rspsim_report *r)
{
	const struct rspsim_call *last = r->count ? r->calls + r->count - 1 : NULL;
	char code[64];

	if (r->outcome == RSPSIM_DONE) {
		l->done++;
		return;
	}
	if (r->outcome == RSPSIM_BY_SERVER && last && !last->error)
		snprintf(code, sizeof code, "%s/%s", last->subject, last->reason);
	else
		snprintf(code, sizeof code, "%.60s", r->words);
	note_failure(l, code);
}

static void
note_session(struct load *l, const struct rspsim_report *r, int64_t us)
{
	size_t room = l->options->sessions;

	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < r->count; i++)
		for (size_t f = 0; f < FUNCTIONS; f++)
			if (strcmp(functions[f], r->calls[i].function) == 0)
				note_time(l->times + f, r->calls[i].us, room);
	note_time(&l->session, us, room);
	note_outcome(l, r);
	pthread_mutex_unlock(&l->lock);
}

/* ---- the clients --------------------------------------------------------------------- */

static void *
run_client(void *arg)
{
	struct client *c = arg;
	struct load *l = c->load;
	struct rspsim_es9 *es9 = rspsim_es9_new(c->card, &l->options->link);
	struct rspsim_download what = { .code = { .address = l->options->server, .oid = "" },
		.cc = l->options->cc };
	struct rspsim_report *report = calloc(1, sizeof *report);
	unsigned i;

	if (!report)
		abort();
	pthread_barrier_wait(&l->ready);
	while ((i = atomic_fetch_add(&l->next, 1)) < l->options->sessions) {
		int64_t from = clock_mono_us();

		what.code.matching_id = l->codes.text[i % l->codes.count];
		rspsim_es9_reconnect(es9);
		rspsim_lpa_download(c->card, es9, &what, report);
		note_session(l, report, clock_mono_us() - from);
		rspsim_card_reset(c->card);
	}
	rspsim_es9_free(es9);
	free(report);
	return NULL;
}

static const char *
make_cards(struct load *l, struct client *clients)
{
	const struct rspsim_options *o = l->options;
	const char *wrong = NULL;
	char prefix[33], eid[33];

	rspsim_pki_prefix(o->pki, prefix);
	for (uint32_t i = 0; !wrong && i < o->clients; i++) {
		rspsim_eid_new(prefix, eid);
		clients[i] = (struct client){ .load = l, .card = rspsim_card_new(eid) };
		clients[i].card->trusting = o->trusting;
		clients[i].card->fault = o->fault;
		wrong = rspsim_card_issue(clients[i].card, o->pki);
	}
	return wrong;
}

/* ---- CPU time of processes ----------------------------------------------------------- */

/* utime + stime of one process in milliseconds (proc(5)); 0 when it is gone. */
static double
cpu_ms(long pid)
{
	char path[64], text[1024], *after;
	unsigned long user = 0, system = 0;
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[n] = 0;
	after = strrchr(text, ')');
	if (!after ||
		sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			&system) != 2)
		return 0;
	return (double)(user + system) * 1000 / (double)sysconf(_SC_CLK_TCK);
}

static double
cpu_ms_of_list(const char *pids)
{
	double sum = 0;

	while (pids && *pids) {
		char *end;
		long pid = strtol(pids, &end, 10);

		if (end == pids)
			break;
		sum += cpu_ms(pid);
		pids = *end ? end + 1 : end;
	}
	return sum;
}

/* ---- the report ---------------------------------------------------------------------- */

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* `share` in percent; the times must be sorted. */
static double
percentile_ms(const struct times *t, size_t share)
{
	size_t i;

	if (!t->count)
		return 0;
	i = (t->count * share + 99) / 100;
	return (double)t->us[i ? i - 1 : 0] / 1000;
}

struct result {
	double seconds, cpu, pg_cpu;
};

static void
put_times(json_t *all, const char *name, struct times *t)
{
	char key[64];

	if (!t->count)
		return;
	qsort(t->us, t->count, sizeof t->us[0], by_size);
	snprintf(key, sizeof key, "%s_p50_ms", name);
	json_object_set_new(all, key, json_real(percentile_ms(t, 50)));
	snprintf(key, sizeof key, "%s_p99_ms", name);
	json_object_set_new(all, key, json_real(percentile_ms(t, 99)));
}

static json_t *
tell(struct load *l, const struct result *r)
{
	double sessions = l->options->sessions;
	json_t *all = json_object(), *failures = json_object();

	json_object_set_new(all, "sessions", json_integer(l->options->sessions));
	json_object_set_new(all, "clients", json_integer(l->options->clients));
	json_object_set_new(all, "completed", json_integer(l->done));
	json_object_set_new(all, "seconds", json_real(r->seconds));
	json_object_set_new(all, "rate", json_real(l->done / r->seconds));
	json_object_set_new(all, "cpu_ms_per_session", json_real(r->cpu / sessions));
	json_object_set_new(all, "pg_cpu_ms_per_session", json_real(r->pg_cpu / sessions));
	for (size_t i = 0; i < FUNCTIONS; i++)
		put_times(all, functions[i], l->times + i);
	put_times(all, "session", &l->session);
	for (size_t i = 0; i < l->failure_count; i++)
		json_object_set_new(
			failures, l->failures[i].code, json_integer(l->failures[i].count));
	json_object_set_new(all, "failures", failures);
	return all;
}

static void
print(struct load *l, const struct result *r)
{
	printf("%u of %u downloads in %.2f s by %u clients: %.1f a second\n", l->done,
		l->options->sessions, r->seconds, l->options->clients, l->done / r->seconds);
	if (l->options->server_pid || l->options->pg_pids)
		printf("CPU a session: server %.2f ms, database %.2f ms\n",
			r->cpu / l->options->sessions, r->pg_cpu / l->options->sessions);
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (l->times[i].count)
			printf("%-24smedian %8.2f ms  p99 %8.2f ms\n", functions[i],
				percentile_ms(l->times + i, 50), percentile_ms(l->times + i, 99));
	for (size_t i = 0; i < l->failure_count; i++)
		printf("failed %u: %s\n", l->failures[i].count, l->failures[i].code);
}

static void
measure(struct load *l, struct client *clients, struct result *r)
{
	const struct rspsim_options *o = l->options;
	double cpu, pg;
	int64_t from;

	pthread_barrier_init(&l->ready, NULL, o->clients + 1);
	for (uint32_t i = 0; i < o->clients; i++)
		if (pthread_create(&clients[i].thread, NULL, run_client, clients + i) != 0)
			abort();
	cpu = cpu_ms(o->server_pid);
	pg = cpu_ms_of_list(o->pg_pids);
	from = clock_mono_us();
	pthread_barrier_wait(&l->ready);
	for (uint32_t i = 0; i < o->clients; i++)
		pthread_join(clients[i].thread, NULL);
	r->seconds = (double)(clock_mono_us() - from) / 1e6;
	r->cpu = cpu_ms(o->server_pid) - cpu;
	r->pg_cpu = cpu_ms_of_list(o->pg_pids) - pg;
	pthread_barrier_destroy(&l->ready);
}

static void
report(struct load *l, const struct result *r)
{
	json_t *all = tell(l, r);

	if (l->options->json) {
		json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
		putchar('\n');
	} else {
		print(l, r);
	}
	json_decref(all);
}

int
rspsim_verb_load(const struct rspsim_options *o)
{
	struct load l = { .options = o, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct client *clients = calloc(o->clients, sizeof *clients);
	struct arena mem;
	struct result r;
	const char *wrong = "no matching ids in the file";

	if (!clients || !o->clients || !o->sessions || !o->pki || !o->codes) {
		free(clients);
		return rspsim_complain(EX_USAGE, "load",
			"needs --pki and --codes (or --ipa); --sessions and --clients begin at 1");
	}
	arena_init(&mem, SIZE_MAX, NULL, NULL);
	for (size_t i = 0; i < FUNCTIONS; i++)
		l.times[i].us = ARENA_ARRAY(&mem, int64_t, o->sessions);
	l.session.us = ARENA_ARRAY(&mem, int64_t, o->sessions);
	if (rspsim_codes_read(&mem, o->codes, &l.codes))
		wrong = make_cards(&l, clients);
	if (!wrong) {
		measure(&l, clients, &r);
		report(&l, &r);
	}
	for (uint32_t i = 0; i < o->clients; i++)
		rspsim_card_free(clients[i].card);
	free(clients);
	arena_fini(&mem);
	if (wrong)
		return rspsim_complain(EX_DATAERR, o->codes, wrong);
	return l.done == o->sessions ? 0 : 1;
}
