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

/* Takes part of the work into account, as `ok` tells it. */
typedef void take_part(json_t *ok, void *sums);

/* Asks until nothing is left or something is wrong. The last answer, for the caller to release. */
static json_t *
ask_all(const struct rspctl_verb *verb, take_part *take, void *sums, int *code)
{
	json_t *answer, *ok, *next;

	for (;;) {
		answer = rspctl_ask(verb->name, rspctl_call.args);
		*code = rspctl_outcome(answer);
		ok = json_object_get(answer, "ok");
		next = json_object_get(ok, "next");
		take(ok, sums);
		if (*code || !next)
			return answer;
		json_object_set(rspctl_call.args, "after", next);
		json_decref(answer);
	}
}

struct verified {
	long long entries, seals;
};

static void
take_verified(json_t *ok, void *sums)
{
	struct verified *all = sums;

	all->entries += number_of(ok, "entries");
	all->seals += number_of(ok, "seals");
}

int
rspctl_verify(const struct rspctl_verb *verb)
{
	struct verified all = { 0, 0 };
	json_t *answer, *ok;
	int code;

	answer = ask_all(verb, take_verified, &all, &code);
	ok = json_object_get(answer, "ok");
	if (!code) {
		json_object_set_new(ok, "entries", json_integer(all.entries));
		json_object_set_new(ok, "seals", json_integer(all.seals));
		code = tell_verdict(ok);
	}
	json_decref(answer);
	return code;
}

struct rotated {
	long long done, all;
};

static void
take_rotated(json_t *ok, void *sums)
{
	struct rotated *r = sums;

	r->done += number_of(ok, "done");
	if (json_object_get(ok, "left"))
		r->all = r->done + number_of(ok, "left");
	if (json_object_get(ok, "next"))
		rspctl_progress(r->done, r->all > r->done ? r->all : r->done);
}

int
rspctl_rotate(const struct rspctl_verb *verb)
{
	struct rotated r = { 0, 0 };
	json_t *answer;
	int code;

	answer = ask_all(verb, take_rotated, &r, &code);
	rspctl_progress_clear();
	if (!code && rspctl_call.json)
		printf("{\"done\":%lld,\"left\":%lld}\n", r.done, r.all - r.done);
	else if (!code)
		printf("%lld values sealed anew, %lld left\n", r.done, r.all - r.done);
	json_decref(answer);
	return code;
}
