/*
 * An operator's ES2+ server as far as it is called: HandleDownloadProgressInfo (SGP.22 §5.3.5). Each call
 * that it takes note of is a line of JSON in the record; it says of each whether it came before, and whether it
 * came in order: what is told of one profile never goes back in time, but for what was told already.
 */
#include <jansson.h>
#include <stdlib.h>
#include <sysexits.h>
#include "base/text.h"
#include "rspsim/serve.h"
#include "rspsim/verbs.h"

#define PATH "/gsma/rsp2/es2plus/handleDownloadProgressInfo"

struct operator_server {
	json_t *known; /* functionCallIdentifier → how often it came */
	json_t *last;  /* ICCID → timestamp of its newest */
	FILE *record;
};

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* What is mandatory (§6.5.2.5) and missing; NULL when nothing is. */
static const char *
missing(const json_t *call)
{
	static const char *const texts[] = { "iccid", "profileType", "timestamp" };
	const json_t *status = json_object_get(call, "notificationPointStatus");

	if (!*text_of(json_object_get(call, "header"), "functionCallIdentifier") ||
		!*text_of(json_object_get(call, "header"), "functionRequesterIdentifier"))
		return "header";
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!*text_of(call, texts[i]))
			return texts[i];
	if (strlen(text_of(call, "iccid")) < 20)
		return "iccid of 20 characters";
	if (!json_is_integer(json_object_get(call, "notificationPointId")))
		return "notificationPointId";
	return *text_of(status, "status") ? NULL : "notificationPointStatus";
}

/* "new", "again", or "disorder": news that are older than what was told of the profile before. */
static const char *
judge(struct operator_server *s, const json_t *call)
{
	const char *id = text_of(json_object_get(call, "header"), "functionCallIdentifier");
	const char *iccid = text_of(call, "iccid"), *at = text_of(call, "timestamp");
	json_int_t times = json_integer_value(json_object_get(s->known, id));
	bool back = strcmp(at, text_of(s->last, iccid)) < 0;

	json_object_set_new(s->known, id, json_integer(times + 1));
	if (times)
		return "again";
	json_object_set_new(s->last, iccid, json_string(at));
	return back ? "disorder" : "new";
}

static void
note(struct operator_server *s, json_t *call)
{
	json_t *line = json_pack("{s:s, s:O}", "is", judge(s, call), "call", call);

	json_dumpf(line, s->record, JSON_COMPACT);
	fputc('\n', s->record);
	fflush(s->record);
	json_decref(line);
}

static struct rspsim_answer
take(void *arg, struct arena *mem, const char *path, struct slice body, X509 *client)
{
	struct operator_server *s = arg;
	json_t *call = json_loadb((const char *)body.p, body.n, 0, NULL);
	const char *lacks = call ? missing(call) : "JSON";
	struct rspsim_answer answer = { .status = 204 };

	(void)client;
	if (strcmp(path, PATH) != 0) {
		answer.status = 404;
	} else if (lacks) {
		answer.status = 400;
		answer.body = arena_printf(mem, "{\"missing\":\"%s\"}", lacks);
	} else {
		note(s, call);
	}
	json_decref(call);
	return answer;
}

/* What an earlier one recorded: it forgets nothing by a restart. */
static void
remember(struct operator_server *s, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		json_t *one = json_loads(line, 0, NULL);

		if (one)
			judge(s, json_object_get(one, "call"));
		json_decref(one);
	}
	free(line);
	if (f)
		fclose(f);
}

int
rspsim_verb_operator_serve(const struct rspsim_options *o)
{
	struct operator_server s = {
		.known = json_object(), .last = json_object(), .record = stdout
	};
	const struct rspsim_serve set = { .listen = o->listen,
		.certificate = { o->certificate },
		.key = { o->key },
		.roots = { o->ca },
		.only = o->ca != NULL,
		.fail = o->fail,
		.handler = take,
		.arg = &s };

	if (o->record) {
		remember(&s, o->record);
		s.record = fopen(o->record, "a");
	}
	if (!s.record)
		return rspsim_complain(EX_CANTCREAT, o->record, "cannot be written");
	return rspsim_serve(&set);
}
