/*
 * A line of the control socket from its octets to its answer: verb, arguments, the procedure, with statements that
 * find nothing. Every line that is read has exactly one answer: {"ok":{…}}, or {"error":{…}} with a code,
 * words and advice.
 */
#include <stdlib.h>
#include "ctl/int.h"
#include "storm/dp_stage.h"
#include "storm/store_views.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static unsigned answers;

/* In place of the connection (ctl/connection.c): nobody is connected. */
void
ctl_connection_answer(struct ctl_connection *connection, json_t *answer)
{
	const char *code, *message, *advice;
	json_t *ok;

	(void)connection;
	answers++;
	if (json_unpack(answer, "{so!}", "ok", &ok) < 0 &&
		json_unpack(answer, "{s{ssssss!}!}", "error", "code", &code, "message", &message,
			"advice", &advice) < 0)
		abort();
	json_decref(answer);
}

static bool
on_reload(void *arg, char words[512])
{
	(void)arg;
	snprintf(words, 512, "nothing to read");
	return false;
}

static void
on_drain(void *arg)
{
	(void)arg;
}

/* Rows that would be JSON objects or sealed values are not there. */
static void
find_nothing(unsigned query, const struct want *want)
{
	(void)query;
	(void)want;
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct ctl ctl = { .hooks = { NULL, on_reload, on_drain } };

	if (!stage.loop)
		stage_init();
	log_level_set("ctl", "error");
	log_level_set("audit", "error");
	script.write = find_nothing;
	script_clear();
	script.outcomes[1] = n && octets[n - 1] == ' ' ? CONFLICTING : NO_ROW;
	ctl.loop = stage.loop;
	ctl.dp = &stage.dp;
	answers = 0;
	ctl_call_start(&ctl, NULL, "ctl:uid=0(root)",
		json_loadb((const char *)octets, n, JSON_REJECT_DUPLICATES, NULL));
	script_play(stage.loop);
	if (answers != 1 || loop_tasks_get(stage.loop))
		abort();
	return 0;
}
