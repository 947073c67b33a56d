/*
 * rspsim ipa serve: an IPA that its eIM calls (SGP.32 §5.14.4, §6.1), in both bindings on one HTTPS
 * listener. Triggers are worked on by a thread behind it, one after the other.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sysexits.h>
#include "base/text.h"
#include "rspsim/der.h"
#include "rspsim/es9_asn1.h"
#include "rspsim/serve.h"
#include "rspsim/verbs.h"

#define JSON_PATH "/gsma/rsp2/esipa/transferEimPackage"

enum { WAITING_MAX = 16 };

struct serving {
	struct rspsim_card *card;
	struct rspsim_esipa *esipa; /* to the eIM; NULL when it has no name */
	struct rspsim_ipa_options options;
	pthread_mutex_t lock; /* of the card and of what waits */
	pthread_cond_t more;
	struct slice waiting[WAITING_MAX]; /* BF54, malloc'ed */
	size_t count;
};

/* ---- packages under their own names (JSON) ----------------------------------------------- */

static const struct {
	const char *name;
	uint32_t tag;
} packages[] = { { "euiccPackageRequest", 0xbf51 }, { "ipaEuiccDataRequest", 0xbf52 },
	{ "eimAcknowledgements", 0xbf53 }, { "profileDownloadTriggerRequest", 0xbf54 } };

/* TransferEimPackageRequest; one with nothing inside when it is none. */
static struct slice
json_read(struct arena *mem, struct slice body)
{
	json_t *o = json_loadb((const char *)body.p, body.n, 0, NULL);
	struct slice octets = SLICE_NONE;

	for (size_t i = 0; i < sizeof packages / sizeof packages[0]; i++) {
		const char *text = json_string_value(json_object_get(o, packages[i].name));

		if (text && !text_unbase64(mem, slice_text(text), &octets))
			octets = SLICE_NONE;
	}
	json_decref(o);
	return RSPSIM_DER(mem, 0xbf4e, octets);
}

static void
put(struct arena *mem, json_t *o, const char *name, struct slice octets)
{
	json_object_set_new(o, name, json_string((const char *)text_base64(mem, octets).p));
}

/* TransferEimPackageResponse as members beside the header (§6.4.1.4). */
static const char *
json_write(struct arena *mem, struct slice answer)
{
	json_t *o = json_pack(
		"{s:{s:{s:s}}}", "header", "functionExecutionStatus", "status", "Executed-Success");
	struct rspsim_tlv all = { 0 }, one = { 0 }, result;
	uint32_t error = 0;
	const char *copy;
	char *text;

	rspsim_der_read_only(answer, 0xbf4e, &all);
	rspsim_der_read(&all.value, &one);
	if (one.tag == 0xbf51) {
		put(mem, o, "euiccPackageResult", one.whole);
	} else if (one.tag == 0xbf52) {
		put(mem, o, "ipaEuiccDataResponse", one.whole);
	} else if (one.tag == 0x05) {
		json_object_set_new(o, "eimPackageReceived", json_true());
	} else if (one.tag == 0x30 && rspsim_der_read(&one.value, &result)) {
		json_t *both = json_object();

		put(mem, both, "euiccPackageResult", result.whole);
		put(mem, both, "notificationList", one.value);
		json_object_set_new(o, "ePRAndNotifications", both);
	} else {
		rspsim_der_to_u32(one.value, &error);
		json_object_set_new(o, "eimPackageError", json_integer(error));
	}
	text = json_dumps(o, JSON_COMPACT);
	copy = arena_string(mem, slice_text(text));
	free(text);
	json_decref(o);
	return copy;
}

/* ---- calls ------------------------------------------------------------------------------- */

static void
put_aside(struct serving *s, struct slice request)
{
	struct rspsim_tlv all, package;
	uint8_t *copy;

	if (!rspsim_der_read_only(request, 0xbf4e, &all) ||
		!rspsim_der_read_only(all.value, 0xbf54, &package) || s->count == WAITING_MAX)
		return;
	copy = malloc(package.whole.n);
	if (!copy)
		abort();
	memcpy(copy, package.whole.p, package.whole.n);
	s->waiting[s->count++] = slice_of(copy, package.whole.n);
	pthread_cond_signal(&s->more);
}

static struct rspsim_answer
take(void *arg, struct arena *mem, const char *path, struct slice body, X509 *client)
{
	struct rspsim_ipa_report *report = ARENA_NEW(mem, struct rspsim_ipa_report);
	struct serving *s = arg;
	bool json = strcmp(path, JSON_PATH) == 0;
	struct slice request = body, octets;

	(void)client;
	if (!json && strcmp(path, RSPSIM_ASN1_PATH) != 0)
		return (struct rspsim_answer){ .status = 404 };
	if (json)
		request = json_read(mem, body);
	pthread_mutex_lock(&s->lock);
	octets = rspsim_ipa_transfer(s->card, s->esipa, &s->options, mem, request, report);
	put_aside(s, request);
	pthread_mutex_unlock(&s->lock);
	for (size_t i = 0; i < report->act_count; i++)
		printf("%s\n", report->acts[i]);
	fflush(stdout);
	if (json)
		return (struct rspsim_answer){ .status = 200, .body = json_write(mem, octets) };
	return (struct rspsim_answer){ .status = 200, .octets = octets, .type = RSPSIM_ASN1_TYPE };
}

/* Downloads, while the eIM has its eimPackageReceived already. */
static void *
work(void *arg)
{
	struct serving *s = arg;
	struct rspsim_ipa_report *report = calloc(1, sizeof *report);
	struct slice package;

	if (!report)
		abort();
	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (!s->count)
			pthread_cond_wait(&s->more, &s->lock);
		package = s->waiting[0];
		memmove(s->waiting, s->waiting + 1, --s->count * sizeof s->waiting[0]);
		rspsim_ipa_finish(s->card, s->esipa, &s->options, package, report);
		free((void *)(uintptr_t)package.p);
		printf("%s\n", report->words);
		fflush(stdout);
	}
	return NULL;
}

int
rspsim_verb_ipa_serve(const struct rspsim_options *o)
{
	static struct serving s; /* its threads outlive this frame until the process ends */
	static struct rspsim_esipa_options link;
	static struct arena mem;
	const struct rspsim_serve set = { .listen = o->listen,
		.certificate = { o->certificate },
		.key = { o->key },
		.roots = { o->ca },
		.only = o->ca != NULL,
		.fail = o->fail,
		.handler = take,
		.arg = &s };
	struct rspsim_options no_ca = *o;
	const char *wrong = NULL;
	pthread_t thread;
	int code = 0;

	no_ca.ca = NULL; /* it is that of the eIM that calls */
	s.card = rspsim_open_iot(o, &code);
	if (!s.card)
		return code;
	arena_init(&mem, 1 << 20, NULL, NULL);
	s.options = (struct rspsim_ipa_options){ .card_file = o->card,
		.link = o->link,
		.eim = o->eim,
		.cc = o->cc,
		.indirect = o->indirect };
	if (!rspsim_esipa_options_read(&no_ca, &mem, s.card, &link, &code))
		return code;
	s.esipa = rspsim_esipa_new(&link, &wrong);
	if (!s.esipa)
		return rspsim_complain(EX_UNAVAILABLE, link.server, wrong);
	pthread_mutex_init(&s.lock, NULL);
	pthread_cond_init(&s.more, NULL);
	if (pthread_create(&thread, NULL, work, &s) != 0)
		return EX_OSERR;
	return rspsim_serve(&set);
}
