/* What the daemon says on its control socket, a line at a time, and how it ends the program. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include "rspctl/show.h"
#include "rspctl/talk.h"
#include "rspctl/verb.h"

enum { PROGRESS_MOST = 1000000000 };

/* What cannot be drawn is not told. */
static void
read_progress(const json_t *progress, struct rspctl_answer *out)
{
	long long done = json_integer_value(json_object_get(progress, "done"));
	long long of = json_integer_value(json_object_get(progress, "of"));

	if (done < 0 || done > of || of > PROGRESS_MOST)
		return;
	out->done = done;
	out->of = of;
}

bool
rspctl_answer_read(const char *line, size_t n, struct rspctl_answer *out)
{
	json_t *said = json_loadb(line, n, 0, NULL), *progress = json_object_get(said, "progress");
	bool in_progress = json_is_object(progress);

	*out = (struct rspctl_answer){ 0 };
	if (!in_progress &&
		(json_is_object(json_object_get(said, "ok")) ||
			json_is_object(json_object_get(said, "error")))) {
		out->last = said;
		return true;
	}
	if (in_progress)
		read_progress(progress, out);
	out->go = json_integer_value(json_object_get(said, "go"));
	json_decref(said);
	return in_progress || out->go > 0;
}

int
rspctl_fail(int code, const char *advice, const char *fmt, ...)
{
	va_list ap;

	fputs("rspctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	if (advice && *advice)
		fprintf(stderr, "        %s\n", advice);
	return code;
}

int
rspctl_outcome(const json_t *answer)
{
	static const char *const passing[] = { "busy", "late", "unsure", "too-many-connections" };
	const json_t *error = json_object_get(answer, "error");
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *words = json_string_value(json_object_get(error, "message"));
	const char *advice = json_string_value(json_object_get(error, "advice"));
	char safe[RSPCTL_CELL], safe_too[RSPCTL_CELL];

	if (!error)
		return EX_OK;
	if (rspctl_call.json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	}
	rspctl_fail(1, rspctl_show_safe(advice, safe_too), "%s",
		rspctl_show_safe(words ? words : "refused", safe));
	for (size_t i = 0; code && i < sizeof passing / sizeof *passing; i++)
		if (strcmp(code, passing[i]) == 0)
			return EX_TEMPFAIL;
	return 1;
}
