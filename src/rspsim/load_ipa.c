/*
 * rspsim load --ipa: many IPAs at one eIM. Polls by EID alone, which need no card; or cards of a
 * folder, each of which works on all that waits for it. Each client is a thread with a connection
 * of its own, kept, new or resumed for each call.
 */
#include <dirent.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sysexits.h>
#include "base/clock.h"
#include "base/text.h"
#include "rspsim/codes.h"
#include "rspsim/der.h"
#include "rspsim/measure.h"
#include "rspsim/verbs.h"

enum { CYCLE_CALLS = 8, NOTHING_WAITS = 1 };

static const char *const functions[] = { "getEimPackage", "provideEimPackageResult",
	"handleNotification", "initiateAuthentication", "authenticateClient",
	"getBoundProfilePackage", NULL };

struct load {
	const struct rspsim_options *options;
	struct rspsim_esipa_options link;
	struct rspsim_codes eids, cards; /* cards: paths of files */
	char prefix[33];                 /* of random EIDs, when none are given */
	atomic_uint next;
	struct rspsim_measure measure;
};

struct client {
	struct load *load;
	struct rspsim_esipa *esipa;
};

/* ---- one session ------------------------------------------------------------------------- */

static struct slice
poll_request(struct load *l, struct arena *mem, unsigned i)
{
	struct slice eid = SLICE_NONE;
	char digits[33];

	if (l->eids.count)
		snprintf(digits, sizeof digits, "%.32s", l->eids.text[i % l->eids.count]);
	else
		rspsim_eid_new(l->prefix, digits);
	text_unhex(mem, slice_text(digits), &eid);
	return RSPSIM_DER(mem, 0xbf4f, RSPSIM_DER(mem, 0x5a, eid));
}

/* An eIM that knows nothing of an EID has answered too: what is measured is the poll. */
static void
poll(struct client *c, unsigned i)
{
	struct arena mem;
	struct rspsim_call call;
	struct slice answer;

	arena_init(&mem, 1 << 20, NULL, NULL);
	rspsim_esipa_post(c->esipa, &mem, RSPSIM_ESIPA_GET_PACKAGE, poll_request(c->load, &mem, i),
		&call, &answer);
	rspsim_measure_note(&c->load->measure, &call, 1, call.us,
		call.outcome == RSPSIM_CALL_FINE ? NULL : call.message);
	arena_fini(&mem);
}

static void
work(struct client *c, const char *path)
{
	const struct rspsim_ipa_options options = { .card_file = path,
		.link = c->load->options->link,
		.cc = c->load->options->cc,
		.indirect = c->load->options->indirect };
	struct rspsim_ipa_report *report = calloc(1, sizeof *report);
	struct rspsim_card *card;
	const char *wrong = rspsim_card_read(path, &card);
	int64_t from;

	if (!report)
		abort();
	if (wrong) {
		rspsim_measure_note(&c->load->measure, NULL, 0, 0, wrong);
		free(report);
		return;
	}
	from = clock_mono_us();
	rspsim_ipa_run(card, c->esipa, &options, report);
	rspsim_measure_note(&c->load->measure, report->calls, report->count, clock_mono_us() - from,
		report->outcome == RSPSIM_DONE ? NULL : report->words);
	rspsim_card_free(card);
	free(report);
}

static void *
run_client(void *arg)
{
	struct client *c = arg;
	struct load *l = c->load;
	unsigned i;

	rspsim_measure_ready(&l->measure);
	while ((i = atomic_fetch_add(&l->next, 1)) < l->options->sessions)
		if (l->cards.count)
			work(c, l->cards.text[i % l->cards.count]);
		else
			poll(c, i);
	return NULL;
}

/* ---- before the clock starts ------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The card files of a folder, in the order of their names. */
static bool
find_cards(struct arena *mem, const char *folder, struct rspsim_codes *out)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	size_t room = 0;

	while (dir && (entry = readdir(dir)) != NULL) {
		const char *end = strrchr(entry->d_name, '.');

		if (!end || strcmp(end, ".json") != 0)
			continue;
		if (out->count == room) {
			const char **more;

			room = room ? 2 * room : 1024;
			more = ARENA_ARRAY(mem, const char *, room);
			if (out->count)
				memcpy(more, out->text, out->count * sizeof *more);
			out->text = more;
		}
		out->text[out->count++] = arena_printf(mem, "%s/%s", folder, entry->d_name);
	}
	if (dir)
		closedir(dir);
	if (out->count)
		qsort(out->text, out->count, sizeof *out->text, by_name);
	return out->count > 0;
}

/* What the clients poll with; a complaint and its exit code, or 0. */
static int
prepare(struct load *l, struct arena *mem, struct client *clients)
{
	const struct rspsim_options *o = l->options;
	const char *wrong = NULL;
	int code = 0;

	if (!o->ca && !o->trusting && !o->psk)
		return rspsim_complain(
			EX_USAGE, "load --ipa", "needs --ca, --psk or --trusting: whom to trust");
	if (o->cards && !find_cards(mem, o->cards, &l->cards))
		return rspsim_complain(EX_DATAERR, o->cards, "holds no card files (*.json)");
	if (o->cards && o->sessions > l->cards.count)
		return rspsim_complain(
			EX_USAGE, o->cards, "holds fewer cards than --sessions asks for");
	if (o->eids && !rspsim_codes_read(mem, o->eids, &l->eids))
		return rspsim_complain(EX_DATAERR, o->eids, "no EIDs in the file");
	rspsim_pki_prefix(o->pki ? o->pki : ".", l->prefix);
	if (!rspsim_esipa_options_read(o, mem, NULL, &l->link, &code))
		return code;
	for (uint32_t i = 0; i < o->clients; i++) {
		clients[i].load = l;
		clients[i].esipa = rspsim_esipa_new(&l->link, &wrong);
		if (!clients[i].esipa)
			return rspsim_complain(EX_UNAVAILABLE, o->server, wrong);
	}
	return 0;
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

int
rspsim_load_ipa(const struct rspsim_options *o)
{
	struct load l = { .options = o };
	struct client *clients;
	struct arena mem;
	int code;

	if (!o->clients || !o->sessions)
		return rspsim_complain(EX_USAGE, "load", "--sessions and --clients begin at 1");
	clients = calloc(o->clients, sizeof *clients);
	if (!clients)
		abort();
	arena_init(&mem, SIZE_MAX, NULL, NULL);
	rspsim_measure_init(&l.measure, &mem, o->cards ? "cards" : "polls", functions, o->sessions,
		o->cards ? CYCLE_CALLS : 1);
	code = prepare(&l, &mem, clients);
	if (!code) {
		measure(&l, clients);
		rspsim_measure_tell(&l.measure, o->json, o->server_pid || o->pg_pids);
		code = l.measure.done == o->sessions ? 0 : 1;
	}
	for (uint32_t i = 0; i < o->clients; i++)
		rspsim_esipa_free(clients[i].esipa);
	free(clients);
	arena_fini(&mem);
	return code;
}
