/*
 * profile import: a file, or every package in a directory, one request each. The files are read here:
 * the daemon may run as another user. A file of a directory that is refused is told and counted; the
 * others go on.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include "rspctl/progress.h"
#include "rspctl/show.h"
#include "rspctl/talk.h"
#include "rspctl/verbs.h"

enum { PACKAGE_MAX = 1024 * 1024 };

/* One file's request; the answer is the caller's. NULL when the file cannot be read. */
static json_t *
send_file(const struct rspctl_verb *verb, const char *path)
{
	json_t *package = rspctl_file_read(path, PACKAGE_MAX), *answer;

	if (!package)
		return NULL;
	json_object_set_new(rspctl_call.args, "package", package);
	answer = rspctl_ask(verb->name, rspctl_call.args);
	json_object_del(rspctl_call.args, "package");
	return answer;
}

static int
import_file(const struct rspctl_verb *verb, const char *path)
{
	json_t *answer = send_file(verb, path);
	json_t *ok = json_object_get(answer, "ok");
	int code = answer ? rspctl_outcome(answer) : EX_NOINPUT;

	if (!code && rspctl_call.json) {
		json_dumpf(ok, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (!code) {
		rspctl_show_facts(ok);
	}
	json_decref(answer);
	return code;
}

static int
is_package(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot != entry->d_name &&
		(strcmp(dot, ".der") == 0 || strcmp(dot, ".upp") == 0);
}

/* 0 when it was imported. What must be given up at once, because no later file can succeed, ends here. */
static int
import_one(const struct rspctl_verb *verb, const char *path)
{
	json_t *answer = send_file(verb, path);
	const json_t *error = json_object_get(answer, "error");

	if (error) {
		const char *advice = json_string_value(json_object_get(error, "advice"));
		const char *words = json_string_value(json_object_get(error, "message"));
		char safe[RSPCTL_CELL], safe_too[RSPCTL_CELL];

		rspctl_progress_clear();
		rspctl_fail(1, rspctl_show_safe(advice, safe_too), "%s: %s", path,
			rspctl_show_safe(words, safe));
	}
	json_decref(answer);
	return error || !answer;
}

static int
tell_sum(long long done, long long refused)
{
	if (rspctl_call.json)
		printf("{\"imported\":%lld,\"refused\":%lld}\n", done, refused);
	else
		printf("%lld imported, %lld refused\n", done, refused);
	return refused ? 1 : EX_OK;
}

static int
import_directory(const struct rspctl_verb *verb, const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, is_package, alphasort);
	long long refused = 0;

	if (n < 0)
		return rspctl_fail(EX_NOINPUT, "check the path", "%s: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		char *file;

		if (asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0)
			abort();
		refused += import_one(verb, file);
		rspctl_progress(i + 1, n);
		free(file);
		free(entries[i]);
	}
	free(entries);
	rspctl_progress_clear();
	return tell_sum(n - refused, refused);
}

int
rspctl_import(const struct rspctl_verb *verb)
{
	const char *path = json_string_value(json_object_get(rspctl_call.local, "PATH"));
	struct stat st;

	if (stat(path, &st) < 0)
		return rspctl_fail(EX_NOINPUT, "check the path", "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return import_file(verb, path);
	if (json_object_get(rspctl_call.args, "iccid"))
		return rspctl_fail(EX_USAGE, "import the files one by one",
			"one ICCID cannot be given to a whole directory");
	return import_directory(verb, path);
}
