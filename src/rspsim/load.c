/*
 * rspsim load: complete downloads by many clients at once. Cards are made before the clock
 * starts; each client is a thread with its card and its connection.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <sysexits.h>
#include "base/clock.h"
#include "rspsim/codes.h"
#include "rspsim/measure.h"
#include "rspsim/verbs.h"

static const char *const functions[] = { "initiateAuthentication", "authenticateClient",
	"getBoundProfilePackage", "handleNotification", "cancelSession", NULL };

struct load {
	const struct rspsim_options *options;
	struct rspsim_codes codes;
	atomic_uint next; /* session to begin */
	struct rspsim_measure measure;
};

struct client {
	struct load *load;
	struct rspsim_card *card;
};

/* Subject and reason when the server refused, else what happened. */
static void
note_session(struct load *l, const struct rspsim_report *r, int64_t us)
{
	const struct rspsim_call *last = r->count ? r->calls + r->count - 1 : NULL;
	char code[64];

	if (r->outcome == RSPSIM_BY_SERVER && last && !last->error)
		snprintf(code, sizeof code, "%s/%s", last->subject, last->reason);
	else
		snprintf(code, sizeof code, "%.60s", r->words);
	rspsim_measure_note(
		&l->measure, r->calls, r->count, us, r->outcome == RSPSIM_DONE ? NULL : code);
}

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
	rspsim_measure_ready(&l->measure);
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

static void
measure(struct load *l, struct client *clients)
{
	const struct rspsim_options *o = l->options;
	void **each = calloc(o->clients, sizeof *each);

	if (!each)
		abort();
	for (uint32_t i = 0; i < o->clients; i++)
		each[i] = clients + i;
	rspsim_measure_run(&l->measure, run_client, each, o->clients, o->server_pid, o->pg_pids);
	free(each);
}

static int
load_downloads(const struct rspsim_options *o)
{
	struct load l = { .options = o };
	struct client *clients = calloc(o->clients, sizeof *clients);
	struct arena mem;
	const char *wrong = "no matching ids in the file";

	if (!clients || !o->clients || !o->sessions || !o->pki || !o->codes) {
		free(clients);
		return rspsim_complain(EX_USAGE, "load",
			"needs --pki and --codes (or --ipa); --sessions and --clients begin at 1");
	}
	arena_init(&mem, SIZE_MAX, NULL, NULL);
	rspsim_measure_init(&l.measure, &mem, "downloads", functions, o->sessions, 1);
	if (rspsim_codes_read(&mem, o->codes, &l.codes))
		wrong = make_cards(&l, clients);
	if (!wrong) {
		measure(&l, clients);
		rspsim_measure_tell(&l.measure, o->json, o->server_pid || o->pg_pids);
	}
	for (uint32_t i = 0; i < o->clients; i++)
		rspsim_card_free(clients[i].card);
	free(clients);
	arena_fini(&mem);
	if (wrong)
		return rspsim_complain(EX_DATAERR, o->codes, wrong);
	return l.measure.done == o->sessions ? 0 : 1;
}

int
rspsim_verb_load(const struct rspsim_options *o)
{
	return o->ipa ? rspsim_load_ipa(o) : load_downloads(o);
}
