/*
 * The verbs for an IoT card and its IPA: make one, associate an eIM, poll, and show what is there.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>
#include "base/text.h"
#include "rspsim/der.h"
#include "rspsim/verbs.h"

enum { FILE_MAX = 65536 };

/* ---- making and associating -------------------------------------------------------------- */

static bool
read_features(const char *list, uint8_t *features)
{
	static const struct {
		const char *name;
		uint8_t bit;
	} known[] = { { "direct", RSPSIM_IPA_DIRECT }, { "indirect", RSPSIM_IPA_INDIRECT },
		{ "download-data", RSPSIM_IPA_DOWNLOAD_DATA }, { "context", RSPSIM_IPA_CONTEXT },
		{ "metadata", RSPSIM_IPA_METADATA }, { "compact", RSPSIM_IPA_COMPACT } };
	uint8_t bits = 0;

	while (list && *list) {
		size_t n = strcspn(list, ","), i = 0;

		while (i < sizeof known / sizeof known[0] &&
			!slice_eq(slice_of(list, n), slice_text(known[i].name)))
			i++;
		if (i == sizeof known / sizeof known[0])
			return false;
		bits |= known[i].bit;
		list += n + (list[n] == ',');
	}
	if (bits)
		*features = bits;
	return true;
}

/* DER as it is, or Base64 of it. */
static bool
read_octets(struct arena *mem, const char *path, struct slice *out)
{
	FILE *f = fopen(path, "r");
	uint8_t *p = arena_alloc(mem, FILE_MAX);
	size_t n = f ? fread(p, 1, FILE_MAX, f) : 0;

	if (f)
		fclose(f);
	*out = slice_of(p, n);
	if (n == 0 || n == FILE_MAX)
		return false;
	return p[0] == 0x30 || p[0] == 0xbf || text_unbase64(mem, *out, out);
}

static const char *
result_name(uint32_t code)
{
	static const char *const names[] = { "ok", "insufficientMemory(1)",
		"associatedEimAlreadyExists(2)", "ciPKUnknown(3)", "undefinedError(127)",
		"invalidAssociationToken(5)", "counterValueOutOfRange(6)", "commandError(7)" };

	return code < sizeof names / sizeof names[0] ? names[code] : "undefinedError(127)";
}

/* NULL, or why not. The file holds one EimConfigurationData, or an AddInitialEimRequest. */
static const char *
associate(struct rspsim_card *card, struct arena *mem, const char *path)
{
	struct slice octets, answer;
	struct rspsim_tlv all, arm;
	uint32_t code = 0;

	if (!read_octets(mem, path, &octets))
		return "cannot be read, or is neither DER nor Base64";
	if (octets.n && octets.p[0] == 0x30)
		octets = RSPSIM_DER(mem, 0xbf57, RSPSIM_DER(mem, 0xa0, octets));
	answer = rspsim_iot_add_initial_eim(card, mem, octets);
	if (!rspsim_der_read_only(answer, 0xbf57, &all) ||
		rspsim_der_read_only(all.value, 0xa0, &arm))
		return NULL;
	if (rspsim_der_read_only(all.value, 0x81, &arm))
		rspsim_der_to_u32(arm.value, &code);
	return result_name(code);
}

static int
make_one(const struct rspsim_options *o, const char *path)
{
	struct rspsim_card *card;
	const char *wrong = NULL;
	struct arena mem;
	int code = 0;

	card = rspsim_make_card(o, &code);
	if (!card)
		return code;
	arena_init(&mem, 1 << 20, NULL, NULL);
	rspsim_iot_start(card, o->v10);
	if (o->default_dp)
		card->iot.default_dp = arena_string(&card->state_mem, slice_text(o->default_dp));
	if (o->smds)
		card->iot.root_ds = arena_string(&card->state_mem, slice_text(o->smds));
	if (!read_features(o->features, &card->iot.features))
		code = rspsim_complain(EX_USAGE, o->features, "no such feature (rspsim help)");
	if (!code && o->eim_config)
		wrong = associate(card, &mem, o->eim_config);
	if (wrong)
		code = rspsim_complain(EX_DATAERR, o->eim_config, wrong);
	if (!code)
		wrong = rspsim_card_write(card, path);
	if (!code && wrong)
		code = rspsim_complain(EX_CANTCREAT, path, wrong);
	if (!code)
		printf("%s\n", card->eid);
	arena_fini(&mem);
	rspsim_card_free(card);
	return code;
}

int
rspsim_verb_ipa_new(const struct rspsim_options *o)
{
	char path[4096];
	int code = 0;

	if (!o->count)
		return make_one(o, o->out);
	if (o->eid)
		return rspsim_complain(EX_USAGE, "--eid", "is for one card, not for --count");
	if (mkdir(o->out, 0700) != 0 && access(o->out, W_OK) != 0)
		return rspsim_complain(EX_CANTCREAT, o->out, "cannot be made a folder");
	for (uint32_t i = 0; !code && i < o->count; i++) {
		snprintf(path, sizeof path, "%s/%06u.json", o->out, i);
		code = make_one(o, path);
	}
	return code;
}

struct rspsim_card *
rspsim_open_iot(const struct rspsim_options *o, int *code)
{
	struct rspsim_card *card = rspsim_open_card(o, code);

	if (!card || card->iot.on)
		return card;
	rspsim_card_free(card);
	*code = rspsim_complain(EX_DATAERR, o->card, "is no IoT card (rspsim ipa new makes one)");
	return NULL;
}

static int
close_card(const struct rspsim_options *o, struct rspsim_card *card, int code)
{
	const char *wrong = code ? NULL : rspsim_card_write(card, o->card);

	rspsim_card_free(card);
	return wrong ? rspsim_complain(EX_CANTCREAT, o->card, wrong) : code;
}

int
rspsim_verb_ipa_associate(const struct rspsim_options *o)
{
	int code = 0;
	struct rspsim_card *card = rspsim_open_iot(o, &code);
	const struct rspsim_eim *eim;
	struct arena mem;
	const char *wrong;

	if (!card)
		return code;
	arena_init(&mem, 1 << 20, NULL, NULL);
	wrong = associate(card, &mem, o->eim_config);
	arena_fini(&mem);
	if (wrong)
		return close_card(o, card, rspsim_complain(1, o->eim_config, wrong));
	for (eim = card->iot.eims; eim; eim = eim->next)
		if (eim->has_token)
			printf("%s token %u\n", eim->id, eim->token);
		else
			printf("%s\n", eim->id);
	return close_card(o, card, 0);
}

/* ---- how the eIM is reached -------------------------------------------------------------- */

static bool
read_psk(struct arena *mem, const char *text, struct rspsim_esipa_options *out)
{
	const char *colon = text ? strchr(text, ':') : NULL;

	if (!text)
		return true;
	if (!colon || !text_unhex(mem, slice_text(colon + 1), &out->psk_key))
		return false;
	out->psk_identity = arena_string(mem, slice_of(text, (size_t)(colon - text)));
	return true;
}

/* What the eIM's configuration pins; --ca instead of it; else the device trusts the card's CIs. */
static void
read_trust(const struct rspsim_options *o, struct arena *mem, const struct rspsim_card *card,
	const struct rspsim_eim *eim, struct rspsim_trust *trust)
{
	X509 **roots = ARENA_ARRAY(mem, X509 *, RSPSIM_CI_MAX);

	trust->anybody = o->trusting;
	trust->ca_file = o->ca;
	if (eim && !o->ca)
		trust->pinned = eim->tls;
	for (size_t i = 0; !o->ca && card && i < card->ci_count; i++)
		roots[trust->root_count++] = card->ci[i].root;
	trust->roots = roots;
}

bool
rspsim_esipa_options_read(const struct rspsim_options *o, struct arena *mem,
	const struct rspsim_card *card, struct rspsim_esipa_options *out, int *code)
{
	const struct rspsim_eim *eim = card ? rspsim_ipa_find_eim(card, o->eim) : NULL;
	struct rspsim_place place;

	*out = (struct rspsim_esipa_options){ .transport = o->transport,
		.connections = o->connections,
		.server = o->server ? o->server
			: eim       ? eim->fqdn
				    : NULL,
		.connect = o->eim_connect,
		.lose = o->lose,
		.trace = o->link.trace };
	if (!out->server || !rspsim_place_read(out->server, 1, &place)) {
		*code = rspsim_complain(EX_USAGE, o->card ? o->card : "ipa",
			"no eIM with a name is associated: ipa associate, or --server NAME");
		return false;
	}
	if (!read_psk(mem, o->psk, out)) {
		*code = rspsim_complain(EX_USAGE, o->psk, "a pre-shared key is IDENTITY:HEX");
		return false;
	}
	if (o->psk && !rspsim_transport_is_coap(o->transport)) {
		*code = rspsim_complain(EX_USAGE, "--psk", "is for --transport coap");
		return false;
	}
	snprintf(out->trust.name, sizeof out->trust.name, "%s", place.host);
	read_trust(o, mem, card, eim, &out->trust);
	return true;
}

/* ---- polling ----------------------------------------------------------------------------- */

static void
print_report(const struct rspsim_ipa_report *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct rspsim_call *c = r->calls + i;

		printf("%-24s%9.1f ms  %s%s%s\n", c->function, (double)c->us / 1000,
			rspsim_outcome_name(c->outcome), c->message[0] ? " " : "", c->message);
	}
	for (size_t i = 0; i < r->act_count; i++)
		printf("%s\n", r->acts[i]);
	printf("%s\n", r->words);
}

static void
print_report_json(const struct rspsim_ipa_report *r)
{
	static const char *const outcomes[] = { "done", "refused by eIM", "refused by card",
		"unreachable" };
	json_t *calls = json_array(), *acts = json_array(), *all;

	for (size_t i = 0; i < r->count; i++) {
		const struct rspsim_call *c = r->calls + i;

		json_array_append_new(calls,
			json_pack("{s:s, s:f, s:i, s:s, s:s}", "function", c->function, "ms",
				(double)c->us / 1000, "status", (int)c->http, "outcome",
				rspsim_outcome_name(c->outcome), "message", c->message));
	}
	for (size_t i = 0; i < r->act_count; i++)
		json_array_append_new(acts, json_string(r->acts[i]));
	all = json_pack("{s:o, s:o, s:s, s:s, s:i, s:i, s:i, s:i}", "calls", calls, "acts", acts,
		"outcome", outcomes[r->outcome], "words", r->words, "packages", (int)r->packages,
		"dataRequests", (int)r->data_requests, "downloads", (int)r->downloads, "eimError",
		(int)r->eim_error);
	json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(all);
}

/* What the device does of itself before it polls. NULL, or why it cannot. */
static const char *
act(struct rspsim_card *card, const char *what)
{
	if (!what)
		return NULL;
	if (strcmp(what, "fallback") == 0)
		return rspsim_iot_fallback(card) ? "the card refuses the fallback" : NULL;
	if (strcmp(what, "return") == 0)
		return rspsim_iot_return(card) ? "there is nothing to return to" : NULL;
	if (strcmp(what, "emergency") == 0)
		return rspsim_iot_emergency(card) ? "there is no Emergency Profile to enable"
						  : NULL;
	if (strcmp(what, "emergency-over") == 0)
		return rspsim_iot_emergency_over(card) ? "there is no emergency" : NULL;
	if (strcmp(what, "reset") == 0)
		return rspsim_iot_reset(card,
			       RSPSIM_RESET_OPERATIONAL | RSPSIM_RESET_TEST |
				       RSPSIM_RESET_DEFAULT_DP)
			? "there is nothing to reset"
			: NULL;
	if (strcmp(what, "device") != 0)
		return "no such act (rspsim help)";
	card->iot.cause = RSPSIM_CAUSE_DEVICE;
	return NULL;
}

/* NULL, or why the profile cannot be marked. */
static const char *
mark(struct rspsim_card *card, const struct rspsim_options *o)
{
	struct rspsim_profile *profile;
	uint8_t iccid[10];

	if (!o->mark)
		return NULL;
	if (!o->iccid || !text_iccid_to_bcd(slice_text(o->iccid), iccid))
		return "--mark needs an --iccid of 18 to 20 digits";
	profile = rspsim_card_find_profile(card, iccid);
	if (!profile)
		return "the card has no such profile";
	if (strcmp(o->mark, "fallback") == 0)
		profile->marked_fallback = true;
	else if (strcmp(o->mark, "emergency") == 0)
		profile->marked_emergency = true;
	else
		return "a mark is fallback or emergency";
	return NULL;
}

static int
talk(const struct rspsim_options *o, struct rspsim_card *card, uint32_t rounds)
{
	static const int codes[] = { 0, 1, 1, EX_UNAVAILABLE };
	const struct rspsim_ipa_options options = { .card_file = o->card,
		.link = o->link,
		.eim = o->eim,
		.cc = o->cc,
		.rounds = rounds,
		.lose_results = o->lose_results,
		.repeat_result = o->repeat_result,
		.resend = o->resend,
		.no_connectivity = o->no_connectivity,
		.indirect = o->indirect,
		.keep_notifications = o->keep_notification };
	struct rspsim_ipa_report *report = calloc(1, sizeof *report);
	struct rspsim_esipa_options link;
	struct rspsim_esipa *esipa = NULL;
	const char *wrong = NULL;
	struct arena mem;
	int code = 0;

	if (!report)
		abort();
	arena_init(&mem, 1 << 20, NULL, NULL);
	if (rspsim_esipa_options_read(o, &mem, card, &link, &code)) {
		esipa = rspsim_esipa_new(&link, &wrong);
		if (!esipa)
			code = rspsim_complain(EX_UNAVAILABLE, link.server, wrong);
	}
	while (esipa) {
		rspsim_ipa_run(card, esipa, &options, report);
		(o->json ? print_report_json : print_report)(report);
		fflush(stdout);
		code = codes[report->outcome];
		if (!o->interval)
			break;
		sleep(o->interval);
	}
	rspsim_esipa_free(esipa);
	arena_fini(&mem);
	free(report);
	return code;
}

static int
poll(const struct rspsim_options *o, uint32_t rounds)
{
	int code = 0;
	struct rspsim_card *card = rspsim_open_iot(o, &code);
	const char *wrong;

	if (!card)
		return code;
	wrong = mark(card, o);
	if (!wrong)
		wrong = act(card, o->act);
	if (wrong)
		code = rspsim_complain(EX_USAGE, o->card, wrong);
	else
		code = talk(o, card, rounds);
	rspsim_card_free(card);
	return code;
}

int
rspsim_verb_ipa_poll(const struct rspsim_options *o)
{
	return poll(o, 1);
}

int
rspsim_verb_ipa_run(const struct rspsim_options *o)
{
	return poll(o, o->rounds);
}

/* ---- showing ----------------------------------------------------------------------------- */

static json_t *
list_eims(const struct rspsim_card *card)
{
	json_t *list = json_array();

	for (const struct rspsim_eim *e = card->iot.eims; e; e = e->next)
		json_array_append_new(list,
			json_pack("{s:s, s:s?, s:i, s:o, s:b}", "id", e->id, "fqdn", e->fqdn,
				"counter", (int)e->counter, "token",
				e->has_token ? json_integer(e->token) : json_null(), "indirect",
				e->indirect));
	return list;
}

static json_t *
list_results(const struct rspsim_card *card)
{
	json_t *list = json_array();

	for (const struct rspsim_kept *k = card->iot.results; k; k = k->next)
		json_array_append_new(list, json_integer(k->sequence));
	return list;
}

static const char *
fallback_iccid(const struct rspsim_card *card, char digits[21])
{
	for (const struct rspsim_profile *p = card->profiles; p; p = p->next)
		if (p->fallback && text_bcd_to_iccid(SLICE_ARRAY(p->iccid), digits))
			return digits;
	return NULL;
}

static void
print_card(const struct rspsim_card *card, const char *fallback)
{
	json_t *profiles = rspsim_list_profiles(card);
	json_t *o;
	size_t i;

	printf("EID %s, SGP.32 %s\n", card->eid, card->iot.v10 ? "v1.0.1" : "v1.2");
	for (const struct rspsim_eim *e = card->iot.eims; e; e = e->next)
		printf("eIM %s, counter %u%s\n", e->id, e->counter,
			e->has_token ? ", with a token" : "");
	json_array_foreach(profiles, i, o)
	{
		const char *iccid = json_string_value(json_object_get(o, "iccid"));

		printf("%-22s%-10s%s%s\n", iccid, json_string_value(json_object_get(o, "state")),
			json_string_value(json_object_get(o, "name")),
			fallback && strcmp(fallback, iccid) == 0 ? ", for fallback" : "");
	}
	for (const struct rspsim_kept *k = card->iot.results; k; k = k->next)
		printf("result %u is not acknowledged\n", k->sequence);
	for (const struct rspsim_notification *n = card->notifications; n; n = n->next)
		printf("notification %u for %s\n", n->sequence, n->address);
	json_decref(profiles);
}

int
rspsim_verb_ipa_show(const struct rspsim_options *o)
{
	int code = 0;
	struct rspsim_card *card = rspsim_open_iot(o, &code);
	char digits[21];
	const char *fallback, *wrong;
	json_t *all;

	if (!card)
		return code;
	wrong = mark(card, o);
	if (!wrong && o->mark)
		wrong = rspsim_card_write(card, o->card);
	if (wrong) {
		rspsim_card_free(card);
		return rspsim_complain(EX_USAGE, o->card, wrong);
	}
	fallback = fallback_iccid(card, digits);
	if (o->json) {
		all = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s?, s:s?}", "eid", card->eid,
			"version", card->iot.v10 ? "1.0.1" : "1.2.0", "eims", list_eims(card),
			"profiles", rspsim_list_profiles(card), "results", list_results(card),
			"notifications", rspsim_list_notifications(card), "fallback", fallback,
			"defaultDp", card->iot.default_dp);
		json_dumpf(all, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(all);
	} else {
		print_card(card, fallback);
	}
	rspsim_card_free(card);
	return 0;
}
