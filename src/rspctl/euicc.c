/*
 * euicc …: what asks more than once, or brings files. With --wait a wish is followed until its signed result is in,
 * and the exit code tells how it ended; lists go page by page; eUICCs come in from CSV files; EimConfigurationData
 * goes into a file or onto the terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/text.h"
#include "rspctl/csv.h"
#include "rspctl/progress.h"
#include "rspctl/talk.h"
#include "rspctl/verbs.h"

enum { PAGE = 500, FAULTS_SHOWN = 50, LOOK_MS = 300, LOOK_MOST_MS = 3000, US = 1000000 };

static bool
wanted(const char *option)
{
	return json_is_true(json_object_get(rspctl_call.local, option));
}

static const char *
local_text(const char *option)
{
	return json_string_value(json_object_get(rspctl_call.local, option));
}

static const char *
text_of(json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

static void
print_json(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
}

/* ---- wishes ---- */

/* How a package ended, as an exit code; -1: it has not. */
static int
code_of(json_t *package)
{
	const char *state = text_of(package, "state");

	if (strcmp(state, "done") == 0)
		return EX_OK;
	return strcmp(state, "failed") == 0 || strcmp(state, "cancelled") == 0 ||
			strcmp(state, "expired") == 0
		? 1
		: -1;
}

static void
tell_state(json_t *package, char told[RSPCTL_CELL])
{
	char state[RSPCTL_CELL];

	rspctl_show_safe(text_of(package, "state"), state);
	if (strcmp(state, told) == 0)
		return;
	snprintf(told, RSPCTL_CELL, "%s", state);
	fprintf(stderr, "package %lld: %s%s\n",
		(long long)json_integer_value(json_object_get(package, "package")), state,
		strcmp(state, "waiting") == 0           ? " for the device to poll"
			: strcmp(state, "unknown") == 0 ? "; its stored results are asked for"
							: "");
}

static void
pause_ms(long ms)
{
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

static int
tell_end(json_t *package, int code)
{
	if (rspctl_call.json)
		print_json(package);
	else
		rspctl_show_package(package);
	if (code == EX_TEMPFAIL)
		return rspctl_fail(code,
			"it stays in the queue; look again with rspctl euicc result",
			"there is no result yet");
	return code;
}

/* Looks until the package has ended, or the time is over. */
static int
await_end(long long package)
{
	const json_t *seconds = json_object_get(rspctl_call.local, "timeout");
	int64_t until = clock_mono_us() + json_integer_value(seconds) * US;
	json_t *args = json_pack("{sI}", "package", (json_int_t)package), *answer;
	char told[RSPCTL_CELL] = "";
	long ms = LOOK_MS;
	int code;

	for (;;) {
		answer = rspctl_ask("euicc result", args);
		code = rspctl_outcome(answer);
		if (code)
			break;
		tell_state(json_object_get(answer, "ok"), told);
		code = code_of(json_object_get(answer, "ok"));
		if (code < 0 && seconds && clock_mono_us() >= until)
			code = EX_TEMPFAIL;
		if (code >= 0) {
			code = tell_end(json_object_get(answer, "ok"), code);
			break;
		}
		json_decref(answer);
		pause_ms(ms);
		ms = ms * 3 / 2 > LOOK_MOST_MS ? LOOK_MOST_MS : ms * 3 / 2;
	}
	json_decref(answer);
	json_decref(args);
	return code;
}

int
rspctl_euicc_want(const struct rspctl_verb *verb)
{
	json_t *answer = rspctl_ask(verb->name, rspctl_call.args);
	json_t *ok = json_object_get(answer, "ok");
	long long package = json_integer_value(json_object_get(ok, "package"));
	char what[RSPCTL_CELL];
	int code = rspctl_outcome(answer);

	if (!code && !wanted("wait") && rspctl_call.json)
		print_json(ok);
	else if (!code && !rspctl_call.json)
		printf("package %lld: %s\n", package, rspctl_show_safe(text_of(ok, "what"), what));
	json_decref(answer);
	fflush(stdout);
	return !code && wanted("wait") ? await_end(package) : code;
}

/* ---- euicc list ---- */

static const struct rspctl_column columns[] = { { "EID", "eid" }, { "OPERATOR", "operator" },
	{ "LAST SEEN", "lastSeen" }, { "ENABLED", "enabled" }, { "PROFILES", "profiles" },
	{ "WAITING", "waiting" }, { "UNKNOWN", "unknown" }, { "CLOSED", "closed" },
	{ "PROVEN", "proven" } };
static const struct rspctl_column csv_columns[] = { { "eid", "eid" }, { "operator", "operator" },
	{ "last_seen", "lastSeen" }, { "enabled", "enabled" }, { "profiles", "profiles" },
	{ "waiting", "waiting" }, { "unknown", "unknown" }, { "closed", "closed" },
	{ "proven", "proven" } };
enum { CSV_COLUMNS = sizeof csv_columns / sizeof *csv_columns };

static void
tell_list(json_t *all)
{
	json_t *ok, *row;
	size_t i;

	if (rspctl_call.json) {
		ok = json_pack("{sO}", "euiccs", all);
		print_json(ok);
		json_decref(ok);
	} else if (wanted("csv")) {
		rspctl_csv_head(csv_columns, CSV_COLUMNS, stdout);
		json_array_foreach(all, i, row)
			rspctl_csv_row(row, csv_columns, CSV_COLUMNS, stdout);
	} else {
		SHOW_TABLE(all, columns);
	}
}

int
rspctl_euicc_list(const struct rspctl_verb *verb)
{
	json_t *all = json_array(), *answer, *ok, *next = NULL;
	int code;

	if (wanted("all") && !json_object_get(rspctl_call.args, "limit"))
		json_object_set_new(rspctl_call.args, "limit", json_integer(PAGE));
	do {
		if (next)
			json_object_set_new(rspctl_call.args, "after", next);
		answer = rspctl_ask(verb->name, rspctl_call.args);
		ok = json_object_get(answer, "ok");
		code = rspctl_outcome(answer);
		if (!code)
			json_array_extend(all, json_object_get(ok, "euiccs"));
		next = json_incref(json_object_get(ok, "next"));
		json_decref(answer);
	} while (!code && next && wanted("all"));
	json_decref(next);
	if (!code)
		tell_list(all);
	json_decref(all);
	return code;
}

/* ---- euicc import ---- */

static ssize_t
read_piece(void *arg, char *piece, size_t most)
{
	ssize_t n;

	do
		n = read(*(int *)arg, piece, most);
	while (n < 0 && errno == EINTR);
	return n;
}

static int
tell_import(json_t *ok)
{
	long long refused = json_integer_value(json_object_get(ok, "refused"));
	json_t *faults = json_object_get(ok, "faults"), *fault;
	char column[RSPCTL_CELL], reason[RSPCTL_CELL];
	size_t i;

	if (rspctl_call.json) {
		print_json(ok);
		return refused ? 1 : EX_OK;
	}
	json_array_foreach(faults, i, fault)
	{
		if (i == FAULTS_SHOWN)
			break;
		fprintf(stderr, "line %lld: %s%s%s\n",
			(long long)json_integer_value(json_object_get(fault, "line")),
			rspctl_show_safe(text_of(fault, "column"), column), *column ? " " : "",
			rspctl_show_safe(text_of(fault, "reason"), reason));
	}
	if (refused > FAULTS_SHOWN)
		fprintf(stderr, "… and %lld more\n", refused - FAULTS_SHOWN);
	printf("%lld eUICCs added, %lld were here already\n",
		(long long)json_integer_value(json_object_get(ok, "added")),
		(long long)json_integer_value(json_object_get(ok, "same")));
	if (refused)
		return rspctl_fail(1, "mend the lines that are named and import the file again",
			"%lld lines are refused", refused);
	return EX_OK;
}

int
rspctl_euicc_import(const struct rspctl_verb *verb)
{
	const char *path = local_text("FILE");
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), code;
	struct stat st = { .st_size = 0 };
	json_t *answer;

	if (fd < 0 || fstat(fd, &st) < 0 || S_ISDIR(st.st_mode))
		return rspctl_fail(EX_NOINPUT, "check the path", "%s: %s", path,
			strerror(fd < 0 ? errno : EISDIR));
	answer = rspctl_stream(verb->name, rspctl_call.args, read_piece, &fd,
		S_ISREG(st.st_mode) ? (long long)st.st_size : 0);
	if (!standard)
		close(fd);
	rspctl_progress_clear();
	if (!answer)
		return rspctl_fail(EX_IOERR, "try again: what is in already stays", "%s: %s", path,
			strerror(errno));
	code = rspctl_outcome(answer);
	if (!code)
		code = tell_import(json_object_get(answer, "ok"));
	json_decref(answer);
	return code;
}

/* ---- eim config ---- */

static bool
chosen(json_t *form, const char *member, const char *option)
{
	const char *want = local_text(option);

	return !want || strcmp(want, text_of(form, member)) == 0;
}

static int
write_der(const char *path, const char *base64)
{
	struct slice der = SLICE_NONE;
	struct arena mem;
	FILE *file = fopen(path, "wb");
	bool fine;

	arena_init(&mem, 1 << 20, NULL, NULL);
	fine = file && text_unbase64(&mem, slice_text(base64), &der) &&
		fwrite(der.p, 1, der.n, file) == der.n;
	if (file && fclose(file) != 0)
		fine = false;
	arena_fini(&mem);
	return fine ? EX_OK
		    : rspctl_fail(EX_CANTCREAT, "check the path", "%s: %s", path, strerror(errno));
}

static void
print_form(json_t *form)
{
	char key[RSPCTL_CELL], name[RSPCTL_CELL];

	printf("%s, %s\n%s\n", rspctl_show_safe(text_of(form, "key"), key),
		rspctl_show_safe(text_of(form, "form"), name), text_of(form, "octets"));
}

/* Those forms that were chosen; into the file goes the first of them. */
static int
tell_config(json_t *ok)
{
	json_t *forms = json_object_get(ok, "forms"), *form;
	const char *path = local_text("out");
	size_t i, n = 0;

	json_array_foreach(forms, i, form)
	{
		if (!chosen(form, "key", "key") || !chosen(form, "form", "form"))
			continue;
		if (path)
			return write_der(path, text_of(form, "octets"));
		if (n++)
			putchar('\n');
		print_form(form);
	}
	if (n)
		return EX_OK;
	return rspctl_fail(EX_USAGE,
		"--key is certificate or public-key, --form implicit or whole; without "
		"[eim] certificate there is only the public key",
		"there is no such form");
}

int
rspctl_eim_config(const struct rspctl_verb *verb)
{
	json_t *answer = rspctl_ask(verb->name, rspctl_call.args);
	json_t *ok = json_object_get(answer, "ok");
	int code = rspctl_outcome(answer);

	if (!code && rspctl_call.json)
		print_json(ok);
	if (!code && (!rspctl_call.json || local_text("out")))
		code = tell_config(ok);
	json_decref(answer);
	return code;
}
