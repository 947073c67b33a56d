/*
 * rspsim(1): a software eUICC with its LPA, for developers and operators of an SM-DP+. This file
 * is the command line: two tables, of verbs and of options, which also make the help.
 */
#include <curl/curl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sysexits.h>
#include "rspsim/verbs.h"

static const struct verb {
	const char *name;
	int (*run)(const struct rspsim_options *o);
	const char *needs; /* options that must be given */
	const char *words;
} verbs[] = {
	{ "euicc new", rspsim_verb_euicc_new, "pki out", "make a card for a test PKI" },
	{ "download", rspsim_verb_download, "card code", "download and install a profile" },
	{ "enable", rspsim_verb_enable, "card iccid", "enable an installed profile" },
	{ "disable", rspsim_verb_disable, "card iccid", "disable it" },
	{ "delete", rspsim_verb_delete, "card iccid", "delete a disabled profile" },
	{ "notify", rspsim_verb_notify, "card", "deliver pending notifications" },
	{ "list", rspsim_verb_list, "card", "show the card and what is on it" },
	{ "discover", rspsim_verb_discover, "card smds",
		"ask an SM-DS what waits for the card (ES11)" },
	{ "sm-ds serve", rspsim_verb_sm_ds_serve, "pki listen",
		"be an SM-DS: events in over ES12, out over ES11" },
	{ "operator serve", rspsim_verb_operator_serve, "listen certificate key",
		"be an operator that is told of its downloads (ES2+)" },
	{ "operator order", rspsim_verb_operator_order, "server certificate key",
		"reserve a profile (ES2+ DownloadOrder)" },
	{ "operator confirm", rspsim_verb_operator_confirm, "server certificate key iccid",
		"fix its MatchingID (ConfirmOrder)" },
	{ "operator release", rspsim_verb_operator_release, "server certificate key iccid",
		"let it be downloaded (ReleaseProfile)" },
	{ "operator cancel", rspsim_verb_operator_cancel, "server certificate key iccid",
		"end the order (CancelOrder)" },
	{ "operator cycle", rspsim_verb_operator_cycle, "server certificate key type sessions",
		"measure many orders, each confirmed and released" },
	{ "load", rspsim_verb_load, "server sessions",
		"measure many complete downloads (--pki --codes), or with --ipa many polls" },
	{ "ipa new", rspsim_verb_ipa_new, "pki out", "make an IoT card (SGP.32)" },
	{ "ipa associate", rspsim_verb_ipa_associate, "card eim-config",
		"give a card its first eIM (AddInitialEim)" },
	{ "ipa poll", rspsim_verb_ipa_poll, "card", "ask the eIM for one package and work on it" },
	{ "ipa run", rspsim_verb_ipa_run, "card", "the same until nothing waits" },
	{ "ipa serve", rspsim_verb_ipa_serve, "card listen certificate key",
		"be an IPA that its eIM calls (TransferEimPackage)" },
	{ "ipa show", rspsim_verb_ipa_show, "card", "show an IoT card, its eIMs and results" },
};

enum kind { TEXT, NUMBER, FLAG, FAULT, CONNECT, BINDING, TRANSPORT, CONNECTIONS };

#define AT(member) offsetof(struct rspsim_options, member)
static const struct option {
	const char *name;
	enum kind kind;
	size_t at;
	const char *words;
} options[] = {
	{ "card", TEXT, AT(card), "FILE  the card's state" },
	{ "pki", TEXT, AT(pki), "DIR  a test PKI, or one curve's folder of it" },
	{ "out", TEXT, AT(out), "FILE  where the new card goes" },
	{ "eid", TEXT, AT(eid), "EID  32 digits (default: a random one of the EUM)" },
	{ "svn", TEXT, AT(svn), "X.Y.Z  version of SGP.22 that the card tells (2.2.2)" },
	{ "profile-version", TEXT, AT(profile_version), "X.Y.Z  profile package version (2.3.1)" },
	{ "memory", NUMBER, AT(memory), "OCTETS  room for profiles (1048576)" },
	{ "forbid", TEXT, AT(forbid), "ppr1|ppr2|both  policy rules that the card forbids" },
	{ "code", TEXT, AT(code), "CODE  activation code LPA:1$address$token[$oid[$1]]" },
	{ "cc", TEXT, AT(cc), "CODE  Confirmation Code" },
	{ "iccid", TEXT, AT(iccid), "DIGITS  of the profile" },
	{ "cancel", TEXT, AT(cancel),
		"REASON[@package]  cancel after the offer, or after the package: rejected, "
		"postponed, timeout, rules, metadata, load, undefined" },
	{ "break", FAULT, 0, "STEP:KIND  do one thing wrong (rspsim help breaks)" },
	{ "connect", CONNECT, 0, "HOST:PORT  reach every server there; repeated: try in order" },
	{ "binding", BINDING, AT(link.asn1), "json|asn1  how ES9+ is spoken (json)" },
	{ "keep-notification", FLAG, AT(keep_notification), "leave the result undelivered" },
	{ "trace", FLAG, AT(link.trace), "bodies of all calls to standard error" },
	{ "json", FLAG, AT(json), "machine-readable output" },
	{ "listen", TEXT, AT(listen), "HOST:PORT  where to serve" },
	{ "certificate", TEXT, AT(certificate), "FILE  of the server or operator, PEM" },
	{ "key", TEXT, AT(key), "FILE  its key, PEM" },
	{ "ca", TEXT, AT(ca), "FILE  what the peer's certificate must lead to, PEM" },
	{ "requester", TEXT, AT(requester), "ID  functionRequesterIdentifier (2.999.1)" },
	{ "call", TEXT, AT(call), "ID  functionCallIdentifier (a new one)" },
	{ "type", TEXT, AT(type), "NAME  profile type to order" },
	{ "matching-id", TEXT, AT(matching_id), "TEXT  of the order; may be empty" },
	{ "smds", TEXT, AT(smds),
		"ADDRESS  of the SM-DS: to ask, or where the order is announced" },
	{ "release", FLAG, AT(release), "release with the confirmation" },
	{ "final", TEXT, AT(final), "Available|Unavailable  after a cancel (Available)" },
	{ "record", TEXT, AT(record),
		"FILE  calls, one a line of JSON (standard output); of the SM-DS its events" },
	{ "fail", TEXT, AT(fail),
		"status:N|delay:MS|cut|lose[*CALLS]  fail so; lines on standard input change it" },
	{ "server", TEXT, AT(server), "NAME  address of the SM-DP+ for load" },
	{ "codes", TEXT, AT(codes), "FILE  matching ids for load, one a line" },
	{ "sessions", NUMBER, AT(sessions), "N  downloads in all" },
	{ "clients", NUMBER, AT(clients), "M  at the same time (1)" },
	{ "conn-per-call", FLAG, AT(link.connection_per_call), "a TLS connection for each call" },
	{ "resume", FLAG, AT(link.resume), "resume TLS sessions" },
	{ "trusting", FLAG, AT(trusting), "do not verify the server: the client costs less" },
	{ "eim-config", TEXT, AT(eim_config), "FILE  EimConfigurationData, DER or Base64" },
	{ "eim", TEXT, AT(eim), "NAME  which associated eIM is asked (the first)" },
	{ "transport", TRANSPORT, AT(transport),
		"https|json|coap|coap-json  how ESipa is spoken (https)" },
	{ "eim-connect", TEXT, AT(eim_connect), "HOST:PORT  reach the eIM there" },
	{ "connections", CONNECTIONS, AT(connections),
		"keep|new|resume  one (D)TLS session for all calls, or one for each (keep)" },
	{ "psk", TEXT, AT(psk), "IDENTITY:HEX  a pre-shared key instead of a certificate (DTLS)" },
	{ "lose", NUMBER, AT(lose), "PERCENT  datagrams that are lost on their way" },
	{ "v1.0", FLAG, AT(v10), "an IoT card of SGP.32 v1.0.1" },
	{ "features", TEXT, AT(features),
		"NAME,…  of the IPA: direct, indirect, download-data, context, metadata, compact" },
	{ "default-dp", TEXT, AT(default_dp), "ADDRESS  of the card's default SM-DP+" },
	{ "mark", TEXT, AT(mark),
		"fallback|emergency  what the profile --iccid may be, though its metadata say "
		"nothing" },
	{ "count", NUMBER, AT(count), "N  so many cards, into the folder --out" },
	{ "do", TEXT, AT(act),
		"fallback|return|emergency|emergency-over|reset|device  before the first poll" },
	{ "rounds", NUMBER, AT(rounds), "N  work on so many packages at most" },
	{ "interval", NUMBER, AT(interval), "SECONDS  run again after so long, for ever" },
	{ "lose-result", NUMBER, AT(lose_results), "N  the first N results are not sent" },
	{ "repeat-result", FLAG, AT(repeat_result), "each result is sent twice" },
	{ "resend", FLAG, AT(resend), "first send again what nobody has acknowledged" },
	{ "no-connectivity", FLAG, AT(no_connectivity),
		"a profile just enabled finds no network: the IPA rolls back" },
	{ "indirect", FLAG, AT(indirect), "download through the eIM though the IPA need not" },
	{ "ipa", FLAG, AT(ipa), "load: polls and packages at an eIM" },
	{ "eids", TEXT, AT(eids), "FILE  EIDs for load --ipa, one a line" },
	{ "cards", TEXT, AT(cards), "DIR  cards for load --ipa that work on packages" },
	{ "server-pid", NUMBER, AT(server_pid), "PID  whose CPU time is told" },
	{ "pg-pids", TEXT, AT(pg_pids), "PID,…  whose CPU time is summed apart" },
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

int
rspsim_complain(int code, const char *what, const char *wrong)
{
	fprintf(stderr, "rspsim: %s: %s\n", what, wrong);
	return code;
}

static int
help(const char *topic)
{
	if (topic && strcmp(topic, "breaks") == 0) {
		rspsim_break_print(stdout);
		return 0;
	}
	puts("usage: rspsim VERB [--option value]…\n\nverbs:");
	for (size_t i = 0; i < COUNT(verbs); i++)
		printf("  %-18s%s; needs: %s\n", verbs[i].name, verbs[i].words, verbs[i].needs);
	puts("  help breaks the faults that --break knows\n\noptions:");
	for (size_t i = 0; i < COUNT(options); i++)
		printf("  --%-19s%s\n", options[i].name, options[i].words);
	puts("\nexit codes: 0 done, 1 the server, the card or the LPA refused, 64 usage, 65 bad "
	     "data,\n            69 server not reached");
	return 0;
}

static const struct verb *
find_verb(char **argv, int argc, int *used)
{
	char two[64];

	for (size_t i = 0; i < COUNT(verbs); i++) {
		*used = 1;
		if (argc > 0 && strcmp(argv[0], verbs[i].name) == 0)
			return verbs + i;
		*used = 2;
		snprintf(
			two, sizeof two, "%s %s", argc > 1 ? argv[0] : "", argc > 1 ? argv[1] : "");
		if (strcmp(two, verbs[i].name) == 0)
			return verbs + i;
	}
	return NULL;
}

static bool
take_number(void *at, const char *value)
{
	uint64_t number;

	if (!slice_to_u64(slice_text(value), UINT32_MAX >> 1, &number))
		return false;
	*(uint32_t *)at = (uint32_t)number;
	return true;
}

/* The number of the word in a list that ends with NULL; the words are an enum's. */
static bool
take_choice(const char *value, const char *const *words, void *at)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(value, words[i]) == 0) {
			memcpy(at, &i, sizeof i);
			return true;
		}
	return false;
}

static bool
take_value(struct rspsim_options *o, const struct option *option, const char *value)
{
	char *at = (char *)o + option->at;

	switch (option->kind) {
	case TEXT:
		*(const char **)(void *)at = value;
		return true;
	case NUMBER:
		return take_number(at, value);
	case FLAG:
		*(bool *)at = true;
		return true;
	case FAULT:
		o->fault = rspsim_break_find(value);
		return o->fault != RSPSIM_BREAK_NONE;
	case CONNECT:
		if (o->link.connect_count == RSPSIM_CONNECT_MAX || !strchr(value, ':'))
			return false;
		o->link.connect[o->link.connect_count++] = value;
		return true;
	case BINDING:
		*(bool *)at = strcmp(value, "asn1") == 0;
		return *(bool *)at || strcmp(value, "json") == 0;
	case TRANSPORT:
		return take_choice(value,
			(const char *const[]){ "https", "json", "coap", "coap-json", NULL },
			&o->transport);
	case CONNECTIONS:
		return take_choice(value, (const char *const[]){ "keep", "new", "resume", NULL },
			&o->connections);
	}
	return false;
}

/* Notes in `given` which options there were; -1 for success, else the exit code. */
static int
take_options(struct rspsim_options *o, char **argv, int argc, bool *given)
{
	for (int i = 0; i < argc; i++) {
		size_t k = 0;
		const char *value = NULL;

		while (k < COUNT(options) &&
			(strncmp(argv[i], "--", 2) != 0 ||
				strcmp(argv[i] + 2, options[k].name) != 0))
			k++;
		if (k == COUNT(options))
			return rspsim_complain(EX_USAGE, argv[i], "no such option (rspsim help)");
		if (options[k].kind != FLAG && i + 1 == argc)
			return rspsim_complain(EX_USAGE, argv[i], "needs a value");
		if (options[k].kind != FLAG)
			value = argv[++i];
		if (!take_value(o, options + k, value))
			return rspsim_complain(
				EX_USAGE, argv[i - 1], "does not take this value (rspsim help)");
		given[k] = true;
	}
	return -1;
}

/* Every option that the verb needs was given. */
static bool
has_needed(const struct verb *verb, const bool *given)
{
	for (size_t k = 0; k < COUNT(options); k++) {
		const char *at = strstr(verb->needs, options[k].name);
		size_t n = strlen(options[k].name);

		if (!at || (at[n] && at[n] != ' ') || (at > verb->needs && at[-1] != ' '))
			continue;
		if (!given[k]) {
			fprintf(stderr, "rspsim: %s needs --%s %s\n", verb->name, options[k].name,
				options[k].words);
			return false;
		}
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct rspsim_options o = { .clients = 1 };
	const struct verb *verb;
	bool given[COUNT(options)] = { false };
	int used, code;

	if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
		help(argc > 2 ? argv[2] : NULL);
		return argc < 2 ? EX_USAGE : 0;
	}
	if (strcmp(argv[1], "--version") == 0)
		return printf("rspsim %s\n", RSPD_VERSION) < 0;
	verb = find_verb(argv + 1, argc - 1, &used);
	if (!verb)
		return rspsim_complain(EX_USAGE, argv[1], "no such verb (rspsim help)");
	code = take_options(&o, argv + 1 + used, argc - 1 - used, given);
	if (code >= 0)
		return code;
	if (!has_needed(verb, given))
		return EX_USAGE;
	signal(SIGPIPE, SIG_IGN); /* a server may hang up in the middle of a call */
	curl_global_init(CURL_GLOBAL_DEFAULT);
	code = verb->run(&o);
	curl_global_cleanup();
	return code;
}
