/*
 * One request of the control socket: the line becomes a verb and its arguments, each held against the
 * verb's table before anything starts; then a task; then one answer. What the procedures refuse comes
 * out as code, message and advice, what is unwell as an error that may be tried again.
 */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "base/text.h"
#include "ctl/int.h"
#include "dp/tell_refused.h"
#include "eim/eim.h"

static const struct refusal ARGUMENTS_WRONG = { "ARGUMENTS_WRONG", LOG_INFO,
	"the arguments do not fit together; see rspctl help" };

/* Every verb's first step: the arguments become the procedure's own struct. */
#define STEPS(S) S(read_arguments)
STEPS(DECLARE_STEP)

static const struct step *
read_arguments(struct task *t)
{
	struct ctl_call *call = ctl_call_get(t);
	struct dp_call *common = call->verb->of_eim ? NULL : t->state;
	const struct refusal *no;

	if (common) {
		common->dp = call->ctl->dp;
		common->iccid = ctl_text_get(t, "iccid");
		common->eid = ctl_text_get(t, "eid");
	} else {
		((struct eim_call *)t->state)->eim = call->ctl->eim;
	}
	no = call->verb->read ? call->verb->read(t) : NULL;
	if (common) /* what only does not fit together is no call */
		common->proved = call->verb->acts && !no;
	return no ? task_refuse(t, no) : t->procedure->first;
}

/* One more thing worth a word, wherever the procedure keeps it. */
static const char **
note_of(struct task *t)
{
	return ctl_call_get(t)->verb->of_eim ? &((struct eim_call *)t->state)->note
					     : &((struct dp_call *)t->state)->note;
}

/* ORDER_UNKNOWN as order-unknown. */
static void
code_of(const char *name, char code[64])
{
	size_t i;

	for (i = 0; name[i] && i < 63; i++)
		code[i] = name[i] == '_' ? '-' : (char)tolower((unsigned char)name[i]);
	code[i] = 0;
}

json_t *
ctl_error_new(const char *code, const char *words, const char *advice)
{
	const char *split = advice ? NULL : strstr(words, "; ");
	int n = split ? (int)(split - words) : (int)strlen(words);
	json_t *error = json_object();

	json_object_set_new(error, "code", json_string(code));
	json_object_set_new(error, "message", json_stringn(words, (size_t)n));
	json_object_set_new(error, "advice",
		json_string(advice      ? advice
				: split ? split + 2
					: "see rspctl help"));
	return json_pack("{so}", "error", error);
}

static json_t *
trouble_answer(enum trouble bad)
{
	static const struct {
		const char *code, *words;
	} told[] = {
		[T_BUSY] = { "busy", "the database's queue is full; try again in a moment" },
		[T_UNSURE] = { "unsure",
			"the database went away while it wrote; look whether it was done, then try "
			"again" },
		[T_BROKEN] = { "broken",
			"the database refused a statement; read the daemon's log" },
		[T_NOMEM] = { "too-large",
			"the request needs more memory than one may have; send less" },
		[T_LATE] = { "late",
			"the request was not done in time; look at it again in a moment" },
	};

	return ctl_error_new(told[bad].code, told[bad].words, NULL);
}

static json_t *
refusal_answer(struct task *t)
{
	const char *note = *note_of(t);
	char code[64], words[1024];
	const char *advice = strstr(t->no->words, "; ");
	int n = advice ? (int)(advice - t->no->words) : (int)strlen(t->no->words);

	code_of(t->no->name, code);
	if (t->no == &ARGUMENTS_WRONG && note)
		return ctl_error_new("arguments", note, NULL);
	snprintf(words, sizeof words, "%.*s%s%s", n, t->no->words, note ? ": " : "",
		note ? note : "");
	return ctl_error_new(code, words, advice ? advice + 2 : "see rspctl help");
}

static void
log_end(struct task *t, const struct ctl_call *call)
{
	const struct dp_call *common = call->verb->of_eim ? NULL : t->state;
	const char *noted = *note_of(t);
	enum log_level level = t->no ? t->no->level : t->bad ? LOG_WARNING : LOG_NOTICE;
	struct slice words = slice_text(noted ? noted : "");
	char note[512], iccid[LOG_MASKED], iccid_too[LOG_MASKED];

	if (!log_wanted(LOG_ctl, level))
		return;
	log_line(LOG_ctl, level, "did=\"%s\" actor=%s iccid=%s outcome=%s note=%s us=%lld",
		call->verb->name, call->actor,
		log_masked(common ? common->iccid : SLICE_NONE, iccid),
		t->bad          ? trouble_name(t->bad)
			: t->no ? t->no->name
				: "ok",
		slice_is_digits(words) ? log_masked(words, iccid_too) : log_value(words, note),
		(long long)(clock_mono_us() - t->began_us));
}

static void
drop_json(void *json)
{
	json_decref(json);
}

static void
end_call(struct task *t)
{
	struct ctl_call *call = ctl_call_get(t);
	json_t *answer, *ok;

	if (t->bad) {
		answer = trouble_answer(t->bad);
	} else if (t->no) {
		answer = refusal_answer(t);
	} else {
		/* The arena's, for there may be no memory to write it all. */
		ok = json_object();
		arena_defer(t->mem, drop_json, ok);
		if (call->verb->write)
			call->verb->write(t, ok);
		answer = json_pack("{sO}", "ok", ok);
	}
	log_end(t, call);
	if (t->no && !call->verb->of_eim)
		dp_refused_put(t, slice_text(call->actor), SLICE_NONE, ctl_text_get(t, "why"));
	ctl_connection_answer(call->connection, answer);
	json_decref(call->args);
	free(call);
}

static const struct ctl_arg *
find_arg(const struct ctl_verb *verb, const char *name)
{
	for (const struct ctl_arg *a = verb->args; a->name; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

static bool
texts_fit(const json_t *array)
{
	size_t i;
	json_t *v;

	if (!json_is_array(array))
		return false;
	json_array_foreach(array, i, v) if (!json_is_string(v)) return false;
	return true;
}

/* What the value should have been; NULL when it is that. */
static const char *
misfit(enum ctl_kind kind, const json_t *v)
{
	struct slice text = slice_of(json_string_value(v), json_string_length(v));

	switch (kind) {
	case CTL_TEXT:
	case CTL_OCTETS:
		return json_is_string(v) ? NULL : "text";
	case CTL_ICCID:
		if (text.n == 20 && (text.p[19] == 'F' || text.p[19] == 'f'))
			text.n--;
		return text.n >= 18 && text.n <= 20 && slice_is_digits(text) ? NULL
									     : "18 to 20 digits";
	case CTL_EID:
		return text.n == 32 && slice_is_digits(text) ? NULL : "32 digits";
	case CTL_NUMBER:
		return json_is_integer(v) && json_integer_value(v) >= 0 ? NULL
									: "a number of 0 or more";
	case CTL_COUNT:
		return json_is_integer(v) && json_integer_value(v) >= 0 &&
				json_integer_value(v) <= INT32_MAX
			? NULL
			: "a number from 0 to 2147483647";
	case CTL_FLAG:
		return json_is_boolean(v) ? NULL : "true or false";
	case CTL_TEXTS:
		return texts_fit(v) ? NULL : "an array of texts";
	}
	return NULL;
}

/* How many octets of what a peer wrote a message has room for. */
static int
shown(const char *name)
{
	return (int)text_beginning(slice_text(name), 64).n;
}

/* NULL when the arguments fit the verb's table. */
static json_t *
check_arguments(const struct ctl_verb *verb, json_t *args)
{
	const char *name, *want;
	char words[256];
	json_t *v;

	json_object_foreach(args, name, v)
	{
		const struct ctl_arg *a = find_arg(verb, name);

		want = a ? misfit(a->kind, v) : NULL;
		if (!a)
			snprintf(words, sizeof words,
				"%s takes no argument %.*s; see rspctl help %s", verb->name,
				shown(name), name, verb->name);
		else if (want)
			snprintf(words, sizeof words, "%s must be %s; see rspctl help %s", name,
				want, verb->name);
		else
			continue;
		return ctl_error_new("arguments", words, NULL);
	}
	for (const struct ctl_arg *a = verb->args; a->name; a++)
		if (a->mandatory && !json_object_get(args, a->name)) {
			snprintf(words, sizeof words, "%s needs %s; see rspctl help %s", verb->name,
				a->name, verb->name);
			return ctl_error_new("arguments", words, NULL);
		}
	return NULL;
}

json_t *
ctl_request_check(json_t *request, const struct ctl_verb **verb, json_t **args)
{
	const char *name = json_string_value(json_object_get(request, "verb")), *member;
	char words[256];
	json_t *v;

	if (!json_is_object(request) || !name)
		return ctl_error_new("not-a-request",
			"the line is no JSON object with a verb; send {\"verb\":…,\"args\":{…}}",
			NULL);
	json_object_foreach(request, member, v) if (strcmp(member, "verb") != 0 &&
		strcmp(member, "args") != 0) return ctl_error_new("not-a-request",
		"a request has only verb and args; leave the rest out", NULL);
	*verb = ctl_verb_find(name);
	if (!*verb) {
		snprintf(words, sizeof words, "there is no verb %.*s; rspctl help lists them",
			shown(name), name);
		return ctl_error_new("verb-unknown", words, NULL);
	}
	*args = json_object_get(request, "args");
	if (*args && !json_is_object(*args))
		return ctl_error_new("arguments", "args must be an object; see rspctl help", NULL);
	return check_arguments(*verb, *args);
}

void
ctl_call_start(struct ctl *c, struct ctl_connection *connection, const char *actor, json_t *request)
{
	const struct ctl_verb *verb = NULL;
	json_t *args = NULL, *error = ctl_request_check(request, &verb, &args);
	struct ctl_call *call = error ? NULL : calloc(1, sizeof *call);
	struct task *t = NULL;

	if (call) {
		call->ctl = c;
		call->connection = connection;
		call->verb = verb;
		call->request.route = slice_text(verb->name);
		snprintf(call->actor, sizeof call->actor, "%s", actor);
		call->request.peer = slice_text(call->actor);
		t = task_new(c->loop, verb->procedure, &call->request, end_call);
	}
	if (t) {
		assert(verb->procedure->state_size >= sizeof(struct dp_call));
		call->args = args ? json_incref(args) : json_object();
		if (verb->stream)
			ctl_stream_start(connection);
		task_start(t, THEN(read_arguments));
	} else {
		free(call);
		ctl_connection_answer(connection, error ? error : trouble_answer(T_BUSY));
	}
	json_decref(request);
}

static json_t *
argument(struct task *t, const char *name)
{
	return json_object_get(ctl_call_get(t)->args, name);
}

struct slice
ctl_text_get(struct task *t, const char *name)
{
	const json_t *v = argument(t, name);
	const struct ctl_arg *a = find_arg(ctl_call_get(t)->verb, name);
	struct slice text = slice_of(json_string_value(v), json_string_length(v));

	if (!v)
		return SLICE_NONE;
	if (a->kind == CTL_ICCID && text.n == 20 && !slice_is_digits(text))
		text.n--;
	return arena_copy(t->mem, text);
}

int64_t
ctl_number_get(struct task *t, const char *name)
{
	const json_t *v = argument(t, name);

	return v ? json_integer_value(v) : -1;
}

bool
ctl_flag_get(struct task *t, const char *name)
{
	return json_is_true(argument(t, name));
}

size_t
ctl_texts_get(struct task *t, const char *name, struct slice *out, size_t max)
{
	size_t i, n = 0;
	json_t *v;

	json_array_foreach(argument(t, name), i, v) if (n < max) out[n++] =
		arena_copy(t->mem, slice_of(json_string_value(v), json_string_length(v)));
	return json_array_size(argument(t, name));
}

bool
ctl_octets_get(struct task *t, const char *name, struct slice *out)
{
	const json_t *v = argument(t, name);

	*out = SLICE_NONE;
	return !v ||
		text_unbase64(t->mem, slice_of(json_string_value(v), json_string_length(v)), out);
}

bool
ctl_time_get(struct task *t, const char *name, int64_t *us)
{
	struct slice text = ctl_text_get(t, name);
	struct tm tm = { .tm_mday = 1 };
	char room[40], *rest;

	*us = STORE_NULL;
	if (!text.p)
		return true;
	if (text.n >= sizeof room)
		return false;
	snprintf(room, sizeof room, "%.*s", SLICE_FMT(text));
	rest = strptime(room, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (!rest)
		rest = strptime(room, "%Y-%m-%d", &tm);
	if (!rest || *rest)
		return false;
	*us = (int64_t)timegm(&tm) * 1000000;
	return true;
}

struct dp_actor
ctl_actor_get(struct task *t)
{
	struct slice why = ctl_text_get(t, "why");

	return (struct dp_actor){ arena_copy(t->mem, slice_text(ctl_call_get(t)->actor)),
		why.p ? why : SLICE_LIT(""), { 0 } };
}

struct slice
ctl_operator_get(struct task *t)
{
	struct slice name = ctl_text_get(t, "operator");

	return name.p ? name : SLICE_LIT("default");
}

const struct refusal *
ctl_refuse(struct task *t, const char *words)
{
	*note_of(t) = words;
	return &ARGUMENTS_WRONG;
}

void
ctl_put_text(json_t *object, const char *name, struct slice text)
{
	if (text.p)
		json_object_set_new(object, name, json_stringn((const char *)text.p, text.n));
}
