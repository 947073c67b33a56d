/* Verbs that the daemon does in parts: asked again with `next` until there is none. */
#include <stdio.h>
#include <sysexits.h>
#include "rspctl/progress.h"
#include "rspctl/talk.h"
#include "rspctl/verbs.h"

static long long
number_of(json_t *ok, const char *member)
{
	return json_integer_value(json_object_get(ok, member));
}

static void
print_json(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
}

static int
tell_verdict(json_t *ok)
{
	const json_t *broken = json_object_get(ok, "broken");

	if (rspctl_call.json)
		print_json(ok);
	if (broken)
		return rspctl_fail(1, "compare it with a backup: entries of this seal were changed",
			"the audit trail does not hold: seal %lld is the first that is broken",
			(long long)json_integer_value(broken));
	if (number_of(ok, "orphans"))
		return rspctl_fail(1, "compare it with a backup: seals were taken away",
			"the audit trail does not hold: %lld entries name seals that are gone",
			number_of(ok, "orphans"));
	if (!rspctl_call.json)
		printf("the audit trail holds: %lld entries under %lld seals, %lld not sealed "
		       "yet\n",
			number_of(ok, "entries"), number_of(ok, "seals"),
			number_of(ok, "unsealed"));
	return EX_OK;
}

int
rspctl_verify(const struct rspctl_verb *verb)
{
	long long entries = 0, seals = 0;
	json_t *answer, *ok, *next;
	int code;

	for (;;) {
		answer = rspctl_ask(verb->name, rspctl_call.args);
		code = rspctl_outcome(answer);
		ok = json_object_get(answer, "ok");
		next = json_object_get(ok, "next");
		entries += number_of(ok, "entries");
		seals += number_of(ok, "seals");
		if (code || !next)
			break;
		json_object_set(rspctl_call.args, "after", next);
		json_decref(answer);
	}
	if (!code) {
		json_object_set_new(ok, "entries", json_integer(entries));
		json_object_set_new(ok, "seals", json_integer(seals));
		code = tell_verdict(ok);
	}
	json_decref(answer);
	return code;
}

int
rspctl_rotate(const struct rspctl_verb *verb)
{
	long long done = 0, all = 0;
	json_t *answer, *ok, *next;
	int code;

	for (;;) {
		answer = rspctl_ask(verb->name, rspctl_call.args);
		code = rspctl_outcome(answer);
		ok = json_object_get(answer, "ok");
		next = json_object_get(ok, "next");
		done += number_of(ok, "done");
		if (json_object_get(ok, "left"))
			all = done + number_of(ok, "left");
		if (code || !next)
			break;
		rspctl_progress(done, all > done ? all : done);
		json_object_set(rspctl_call.args, "after", next);
		json_decref(answer);
	}
	rspctl_progress_clear();
	if (!code && rspctl_call.json)
		printf("{\"done\":%lld,\"left\":%lld}\n", done, all - done);
	else if (!code)
		printf("%lld values sealed anew, %lld left\n", done, all - done);
	json_decref(answer);
	return code;
}
