/*
 * The verbs for one card: they read it, let card and LPA do the work, write it back and print
 * what happened.
 */
#include <stdlib.h>
#include <sysexits.h>
#include "base/text.h"
#include "rspsim/metadata.h"
#include "rspsim/verbs.h"

static bool
read_version(const char *text, uint8_t v[3])
{
	char rest;

	return !text || sscanf(text, "%hhu.%hhu.%hhu%c", v, v + 1, v + 2, &rest) == 3;
}

static bool
read_rules(const char *text, uint8_t *rules)
{
	static const struct {
		const char *name;
		uint8_t rules;
	} known[] = { { "ppr1", RSPSIM_PPR1 }, { "ppr2", RSPSIM_PPR2 },
		{ "both", RSPSIM_PPR1 | RSPSIM_PPR2 } };

	for (size_t i = 0; text && i < sizeof known / sizeof known[0]; i++)
		if (strcmp(known[i].name, text) == 0) {
			*rules = known[i].rules;
			return true;
		}
	return !text;
}

struct rspsim_card *
rspsim_make_card(const struct rspsim_options *o, int *code)
{
	char eid[33], prefix[33];
	struct rspsim_card *card;
	const char *wrong;

	if (o->eid && (strlen(o->eid) != 32 || !slice_is_digits(slice_text(o->eid)))) {
		*code = rspsim_complain(EX_USAGE, o->eid, "an EID has 32 digits");
		return NULL;
	}
	rspsim_pki_prefix(o->pki, prefix);
	rspsim_eid_new(prefix, eid);
	card = rspsim_card_new(o->eid ? o->eid : eid);
	if (!read_version(o->svn, card->svn) ||
		!read_version(o->profile_version, card->profile_version) ||
		!read_rules(o->forbid, &card->forbidden_rules)) {
		rspsim_card_free(card);
		*code = rspsim_complain(EX_USAGE, "a new card",
			"versions are X.Y.Z, --forbid is ppr1, ppr2 or both");
		return NULL;
	}
	if (o->memory)
		card->memory = o->memory;
	wrong = rspsim_card_issue(card, o->pki);
	if (!wrong)
		return card;
	rspsim_card_free(card);
	*code = rspsim_complain(EX_DATAERR, o->pki, wrong);
	return NULL;
}

int
rspsim_verb_euicc_new(const struct rspsim_options *o)
{
	int code = 0;
	struct rspsim_card *card = rspsim_make_card(o, &code);
	const char *wrong;

	if (!card)
		return code;
	wrong = rspsim_card_write(card, o->out);
	if (!wrong)
		printf("%s\n", card->eid);
	rspsim_card_free(card);
	return wrong ? rspsim_complain(EX_CANTCREAT, o->out, wrong) : 0;
}

struct rspsim_card *
rspsim_open_card(const struct rspsim_options *o, int *code)
{
	struct rspsim_card *card;
	const char *wrong = rspsim_card_read(o->card, &card);

	if (wrong) {
		*code = rspsim_complain(EX_DATAERR, o->card, wrong);
		return NULL;
	}
	card->fault = o->fault;
	card->trusting = o->trusting;
	return card;
}

/* ---- printing ------------------------------------------------------------------------ */

const char *
rspsim_outcome_name(enum rspsim_call_outcome outcome)
{
	static const char *const names[] = { "ok", "refused", "failed" };

	return names[outcome];
}

static void
print_report(const struct rspsim_report *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct rspsim_call *c = r->calls + i;

		printf("%-24s%9.1f ms  %s", c->function, (double)c->us / 1000,
			rspsim_outcome_name(c->outcome));
		if (c->subject[0])
			printf(" %s/%s", c->subject, c->reason);
		printf("%s%s\n", c->message[0] ? " " : "", c->message);
	}
	if (r->iccid[0])
		printf("%s  %s\n", r->iccid, r->name);
	printf("%s\n", r->words);
}

static void
print_report_json(const struct rspsim_report *r)
{
	static const char *const outcomes[] = { "done", "refused by server", "refused by card",
		"unreachable" };
	json_t *calls = json_array(), *all;

	for (size_t i = 0; i < r->count; i++) {
		const struct rspsim_call *c = r->calls + i;

		json_array_append_new(calls,
			json_pack("{s:s, s:f, s:i, s:s, s:s, s:s, s:s, s:i}", "function",
				c->function, "ms", (double)c->us / 1000, "http", (int)c->http,
				"outcome", rspsim_outcome_name(c->outcome), "subject", c->subject,
				"reason", c->reason, "message", c->message, "error",
				(int)c->error));
	}
	all = json_pack("{s:o, s:s, s:s, s:s, s:s, s:i, s:i}", "calls", calls, "outcome",
		outcomes[r->outcome], "words", r->words, "iccid", r->iccid, "name", r->name,
		"cardCode", r->card_code, "cardCommand", r->card_command);
	json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(all);
}

static int
finish(const struct rspsim_options *o, struct rspsim_card *card, struct rspsim_es9 *es9,
	const struct rspsim_report *report)
{
	static const int codes[] = { 0, 1, 1, EX_UNAVAILABLE };

	if (o->json)
		print_report_json(report);
	else
		print_report(report);
	rspsim_es9_free(es9);
	rspsim_card_free(card);
	return codes[report->outcome];
}

/* ---- verbs that talk ----------------------------------------------------------------- */

/* REASON or REASON@package. */
static bool
read_cancel(const char *text, struct rspsim_download *what)
{
	static const struct {
		const char *name;
		enum rspsim_cancel_reason reason;
	} known[] = { { "rejected", RSPSIM_CANCEL_REJECTED },
		{ "postponed", RSPSIM_CANCEL_POSTPONED }, { "timeout", RSPSIM_CANCEL_TIMEOUT },
		{ "rules", RSPSIM_CANCEL_RULES }, { "metadata", RSPSIM_CANCEL_METADATA },
		{ "load", RSPSIM_CANCEL_LOAD }, { "undefined", RSPSIM_CANCEL_UNDEFINED } };
	size_t n;

	if (!text)
		return true;
	n = strcspn(text, "@");
	what->cancel = true;
	what->cancel_late = strcmp(text + n, "@package") == 0;
	if (text[n] && !what->cancel_late)
		return false;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (slice_eq(slice_of(text, n), slice_text(known[i].name))) {
			what->cancel_reason = known[i].reason;
			return true;
		}
	return false;
}

int
rspsim_verb_download(const struct rspsim_options *o)
{
	struct rspsim_download what = {
		.cc = o->cc, .card_file = o->card, .keep_notification = o->keep_notification
	};
	struct rspsim_report report;
	struct rspsim_card *card;
	struct rspsim_es9 *es9;
	struct arena mem;
	const char *wrong;
	int code = 0;

	arena_init(&mem, 1 << 16, NULL, NULL);
	wrong = rspsim_activation_read(&mem, slice_text(o->code), &what.code);
	if (!wrong && what.code.cc_required && !o->cc && !o->cancel && !o->fault)
		wrong = "this activation code needs a confirmation code: give it with --cc";
	if (!wrong && !read_cancel(o->cancel, &what))
		wrong = "--cancel knows no such reason (rspsim help)";
	card = wrong ? NULL : rspsim_open_card(o, &code);
	if (card) {
		es9 = rspsim_es9_new(card, &o->link);
		rspsim_lpa_download(card, es9, &what, &report);
		code = finish(o, card, es9, &report);
	}
	arena_fini(&mem);
	return wrong ? rspsim_complain(EX_USAGE, o->code, wrong) : code;
}

/* The lines are activation codes without their prefix: what `download --code` takes. */
static void
print_events(const struct rspsim_events *events)
{
	for (size_t i = 0; i < events->count; i++)
		printf("1$%s$%s\n", events->address[i], events->id[i]);
}

int
rspsim_verb_discover(const struct rspsim_options *o)
{
	const struct rspsim_download what = {
		.code = { .address = o->smds, .matching_id = "", .oid = "" }
	};
	struct rspsim_es9_options link = o->link;
	struct rspsim_report report;
	struct rspsim_events events;
	struct rspsim_card *card;
	struct rspsim_es9 *es9;
	int code = 0;

	card = rspsim_open_card(o, &code);
	if (!card)
		return code;
	link.sm_ds = true;
	es9 = rspsim_es9_new(card, &link);
	rspsim_lpa_discover(card, es9, &what, &report, &events);
	print_events(&events);
	return finish(o, card, es9, &report);
}

int
rspsim_verb_notify(const struct rspsim_options *o)
{
	struct rspsim_report report;
	struct rspsim_es9 *es9;
	int code;
	struct rspsim_card *card = rspsim_open_card(o, &code);

	if (!card)
		return code;
	es9 = rspsim_es9_new(card, &o->link);
	rspsim_lpa_notify(card, es9, o->card, &report);
	return finish(o, card, es9, &report);
}

/* ---- verbs of the card alone --------------------------------------------------------- */

static int
switch_profile(const struct rspsim_options *o,
	enum rspsim_switch_result (*change)(struct rspsim_card *, const uint8_t *))
{
	static const char *const results[] = { NULL, "iccidOrAidNotFound(1)",
		"profile not in the right state for this(2)", "disallowedByPolicy(3)" };
	enum rspsim_switch_result result;
	uint8_t iccid[10];
	const char *wrong;
	int code;
	struct rspsim_card *card;

	if (!text_iccid_to_bcd(slice_text(o->iccid), iccid))
		return rspsim_complain(EX_USAGE, o->iccid, "an ICCID has 18 to 20 digits");
	card = rspsim_open_card(o, &code);
	if (!card)
		return code;
	result = change(card, iccid);
	if (result == RSPSIM_SWITCH_OK && card->iot.on)
		card->iot.cause = RSPSIM_CAUSE_LOCAL; /* its eIM hears of it at the next poll */
	wrong = result == RSPSIM_SWITCH_OK ? rspsim_card_write(card, o->card) : NULL;
	rspsim_card_free(card);
	if (wrong)
		return rspsim_complain(EX_CANTCREAT, o->card, wrong);
	return result == RSPSIM_SWITCH_OK ? 0 : rspsim_complain(1, o->iccid, results[result]);
}

int
rspsim_verb_enable(const struct rspsim_options *o)
{
	return switch_profile(o, rspsim_euicc_enable);
}

int
rspsim_verb_disable(const struct rspsim_options *o)
{
	return switch_profile(o, rspsim_euicc_disable);
}

int
rspsim_verb_delete(const struct rspsim_options *o)
{
	return switch_profile(o, rspsim_euicc_delete);
}

static const char *
event_name(enum rspsim_event event)
{
	switch (event) {
	case RSPSIM_INSTALL:
		return "install";
	case RSPSIM_ENABLE:
		return "enable";
	case RSPSIM_DISABLE:
		return "disable";
	case RSPSIM_DELETE:
		return "delete";
	}
	return "unknown";
}

json_t *
rspsim_list_profiles(const struct rspsim_card *card)
{
	json_t *list = json_array();

	for (const struct rspsim_profile *p = card->profiles; p; p = p->next) {
		struct rspsim_metadata m = { 0 };
		char iccid[21] = "";

		rspsim_metadata_read(p->metadata, &m);
		text_bcd_to_iccid(SLICE_ARRAY(p->iccid), iccid);
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:o, s:o, s:i, s:i}", "iccid", iccid, "state",
				p->state == RSPSIM_ENABLED ? "enabled" : "disabled", "name",
				json_stringn((const char *)m.name.p, m.name.n), "provider",
				json_stringn((const char *)m.provider.p, m.provider.n), "class",
				(int)m.class, "size", (int)p->size));
	}
	return list;
}

json_t *
rspsim_list_notifications(const struct rspsim_card *card)
{
	json_t *list = json_array();

	for (const struct rspsim_notification *n = card->notifications; n; n = n->next)
		json_array_append_new(list,
			json_pack("{s:i, s:s, s:s}", "sequence", (int)n->sequence, "event",
				event_name(n->event), "address", n->address));
	return list;
}

static void
print_list(const struct rspsim_card *card, json_t *all)
{
	json_t *profiles = json_object_get(all, "profiles");

	printf("EID %s, %u CI%s, %u octets free\n", card->eid, (unsigned)card->ci_count,
		card->ci_count == 1 ? "" : "s", rspsim_card_free_memory(card));
	for (size_t i = 0; i < json_array_size(profiles); i++) {
		json_t *o = json_array_get(profiles, i);

		printf("%-22s%-10s%s (%s)\n", json_string_value(json_object_get(o, "iccid")),
			json_string_value(json_object_get(o, "state")),
			json_string_value(json_object_get(o, "name")),
			json_string_value(json_object_get(o, "provider")));
	}
	for (const struct rspsim_notification *n = card->notifications; n; n = n->next)
		printf("notification %u  %-10s%s\n", n->sequence, event_name(n->event), n->address);
}

int
rspsim_verb_list(const struct rspsim_options *o)
{
	int code;
	struct rspsim_card *card = rspsim_open_card(o, &code);
	json_t *all;

	if (!card)
		return code;
	all = json_pack("{s:s, s:i, s:o, s:o}", "eid", card->eid, "freeMemory",
		(int)rspsim_card_free_memory(card), "profiles", rspsim_list_profiles(card),
		"notifications", rspsim_list_notifications(card));
	if (o->json) {
		json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
		putchar('\n');
	} else {
		print_list(card, all);
	}
	json_decref(all);
	rspsim_card_free(card);
	return 0;
}
