/* rspctl(1): the administrator's command line. Finds the verb, reads its options, asks, shows. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include "rspctl/pki.h"
#include "rspctl/talk.h"
#include "rspctl/verb.h"

/* All verbs that begin with a word, as in `help order`; false when there is none. */
static bool
help_group(const char *word)
{
	const struct rspctl_verb *verb;
	size_t n = strlen(word);
	bool found = false;

	for (unsigned i = 0; (verb = rspctl_verb_get(i)) != NULL; i++)
		if (strncmp(verb->name, word, n) == 0 && verb->name[n] == ' ') {
			if (found)
				putchar('\n');
			rspctl_help_verb(verb, stdout);
			found = true;
		}
	return found;
}

/* The first two words of a command line, for messages. */
static const char *
words_of(int argc, char **argv)
{
	static char words[128];

	snprintf(words, sizeof words, "%s%s%s", argv[0], argc > 1 ? " " : "",
		argc > 1 ? argv[1] : "");
	return words;
}

static int
verb_unknown(int argc, char **argv)
{
	const char *words = words_of(argc, argv);

	return rspctl_fail(EX_USAGE, "rspctl help lists them all",
		"there is no verb %s; the nearest is %s", words, rspctl_verb_nearest(words));
}

static int
help(int argc, char **argv)
{
	const struct rspctl_verb *verb;
	int used;

	if (argc == 0) {
		rspctl_help_all(stdout);
		return EX_OK;
	}
	if (strcmp(argv[0], "--manual") == 0) {
		rspctl_help_manual(stdout);
		return EX_OK;
	}
	if (argc == 1 && help_group(argv[0]))
		return EX_OK;
	verb = rspctl_verb_find(argc, argv, &used);
	if (!verb)
		return verb_unknown(argc, argv);
	rspctl_help_verb(verb, stdout);
	return EX_OK;
}

static int
ask_and_show(const struct rspctl_verb *verb)
{
	json_t *answer = rspctl_ask(verb->name, rspctl_call.args);
	json_t *ok = json_object_get(answer, "ok");
	int code = rspctl_outcome(answer);

	if (!code && rspctl_call.json) {
		json_dumpf(ok, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (!code && verb->show) {
		verb->show(ok);
	}
	json_decref(answer);
	return code;
}

static int
run(int argc, char **argv)
{
	const struct rspctl_verb *verb;
	int code, used;

	if (strcmp(argv[0], "help") == 0)
		return help(argc - 1, argv + 1);
	if (strcmp(argv[0], "pki") == 0) /* it talks to nobody and reads its own options */
		return rspctl_pki(argc - 1, argv + 1);
	verb = rspctl_verb_find(argc, argv, &used);
	if (!verb)
		return verb_unknown(argc, argv);
	for (int i = used; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0) {
			rspctl_help_verb(verb, stdout);
			return EX_OK;
		}
	code = rspctl_options_read(verb, argc - used, argv + used);
	if (code)
		return code;
	return verb->run ? verb->run(verb) : ask_and_show(verb);
}

int
main(int argc, char **argv)
{
	int at = 1, code;

	signal(SIGPIPE, SIG_IGN);
	if (getenv("RSPD_CONTROL"))
		rspctl_call.socket = getenv("RSPD_CONTROL");
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "-s") == 0 && at + 1 < argc) {
			rspctl_call.socket = argv[++at];
		} else if (strcmp(argv[at], "--json") == 0) {
			rspctl_call.json = true;
		} else if (strcmp(argv[at], "--version") == 0) {
			puts("rspctl " RSPD_VERSION);
			return EX_OK;
		} else if (strcmp(argv[at], "--help") == 0) {
			rspctl_help_all(stdout);
			return EX_OK;
		} else {
			return rspctl_fail(EX_USAGE, "rspctl help lists them all",
				"there is no option %s here", argv[at]);
		}
	}
	if (at == argc) {
		rspctl_help_all(stderr);
		return EX_USAGE;
	}
	rspctl_call.args = json_object();
	rspctl_call.local = json_object();
	code = run(argc - at, argv + at);
	json_decref(rspctl_call.args);
	json_decref(rspctl_call.local);
	if (fflush(stdout) == EOF && !code)
		code = rspctl_fail(EX_IOERR, NULL, "standard output cannot be written");
	return code;
}
