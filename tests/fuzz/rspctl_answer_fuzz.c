/*
 * What a daemon answers to rspctl. The first line names the verb; one that nobody has is "order show". Each
 * line of the rest is one of the daemon's; what is no answer is passed over. No control character of an answer
 * reaches the terminal.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rspctl/progress.h"
#include "rspctl/talk.h"
#include "rspctl/verbs.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static const char *rest;
static size_t rest_n;

static json_t *
nothing_left(void)
{
	return json_pack("{s{}}", "ok");
}

json_t *
rspctl_ask(const char *verb, json_t *args)
{
	struct rspctl_answer answer;

	(void)verb;
	(void)args;
	while (rest_n) {
		const char *end = memchr(rest, '\n', rest_n);
		size_t n = end ? (size_t)(end - rest) + 1 : rest_n;
		bool good = rspctl_answer_read(rest, n, &answer);

		rest += n;
		rest_n -= n;
		if (good && answer.last)
			return answer.last;
		if (good)
			rspctl_progress(answer.done, answer.of);
	}
	return nothing_left();
}

/* The lines that people are shown. */
static void
check_shown(const char *shown, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)shown[i] < ' ' && shown[i] != '\n') || shown[i] == 0x7f ||
			(i && shown[i - 1] == '\xc2' && (unsigned char)shown[i] < 0xa0))
			abort();
}

static void
play(const struct rspctl_verb *verb)
{
	json_t *answer;

	rspctl_call.args = json_object();
	rspctl_call.local = json_object();
	if (verb->run && !verb->show && verb->run != rspctl_import) {
		verb->run(verb);
	} else {
		answer = rspctl_ask(verb->name, rspctl_call.args);
		if (rspctl_outcome(answer) == 0 && verb->show)
			verb->show(json_object_get(answer, "ok"));
		json_decref(answer);
	}
	json_decref(rspctl_call.args);
	json_decref(rspctl_call.local);
}

static const struct rspctl_verb *
find_verb(const char *name, size_t n)
{
	const struct rspctl_verb *verb, *chosen = NULL;

	for (unsigned i = 0; (verb = rspctl_verb_get(i)) != NULL; i++)
		if (strcmp(verb->name, "order show") == 0 && !chosen)
			chosen = verb;
		else if (strlen(verb->name) == n && memcmp(verb->name, name, n) == 0)
			chosen = verb;
	return chosen;
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static FILE *terminal;
	const char *text = (const char *)octets, *end = n ? memchr(text, '\n', n) : NULL;
	char *shown = NULL;
	size_t shown_n = 0;

	if (!end)
		return 0;
	if (!terminal) {
		terminal = stdout;
		stderr = fopen("/dev/null", "w");
	}
	rest = end + 1;
	rest_n = n - (size_t)(rest - text);
	stdout = open_memstream(&shown, &shown_n);
	play(find_verb(text, (size_t)(end - text)));
	fclose(stdout);
	stdout = terminal;
	check_shown(shown, shown_n);
	free(shown);
	return 0;
}
