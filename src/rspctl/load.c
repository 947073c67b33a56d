/*
 * profile load: rows of personal data out of a file or a pipe, sent as they are while the daemon takes
 * them (docs/control-socket.md, octets behind a request), and what became of them: all are loaded, or the
 * rows that were refused are named by line, column and reason. The file is read here: the daemon may
 * run as another user. It holds keys, so nothing of it stays in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>
#include "rspctl/progress.h"
#include "rspctl/show.h"
#include "rspctl/talk.h"
#include "rspctl/verbs.h"

enum { PIECE = 64 * 1024, FAULTS_SHOWN = 50 };

static const char *
path_of(void)
{
	return json_string_value(json_object_get(rspctl_call.local, "FILE"));
}

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

/* By the option, else by the name. */
static const char *
format_of(const char *path)
{
	const char *given = json_string_value(json_object_get(rspctl_call.args, "format"));

	if (given)
		return given;
	return ends_with(path, ".jsonl") || ends_with(path, ".ndjson") || ends_with(path, ".json")
		? "json"
		: "csv";
}

/* 0 at the end; less than 0 when the file cannot be read. */
static ssize_t
read_piece(void *arg, char *piece, size_t most)
{
	ssize_t n;

	do
		n = read(*(int *)arg, piece, most);
	while (n < 0 && errno == EINTR);
	return n;
}

/* A terminal is spared; into a file or a pipe goes all that was told. */
static size_t
faults_shown(json_t *ok)
{
	size_t told = json_array_size(json_object_get(ok, "faults"));

	return told > FAULTS_SHOWN && isatty(STDERR_FILENO) ? FAULTS_SHOWN : told;
}

static void
show_faults(json_t *ok, size_t most)
{
	json_t *faults = json_object_get(ok, "faults"), *fault;
	char column[RSPCTL_CELL], reason[RSPCTL_CELL];
	size_t i;

	json_array_foreach(faults, i, fault)
	{
		const char *name = json_string_value(json_object_get(fault, "column"));
		const char *why = json_string_value(json_object_get(fault, "reason"));

		if (i == most)
			break;
		fprintf(stderr, "line %lld%s%s: %s\n",
			(long long)json_integer_value(json_object_get(fault, "line")),
			name ? ", " : "", name ? rspctl_show_safe(name, column) : "",
			rspctl_show_safe(why ? why : "refused", reason));
	}
}

static int
tell(json_t *ok)
{
	long long rows = json_integer_value(json_object_get(ok, "rows"));
	long long loaded = json_integer_value(json_object_get(ok, "loaded"));
	long long refused = json_integer_value(json_object_get(ok, "refused"));
	size_t shown = faults_shown(ok);

	if (rspctl_call.json) {
		json_dumpf(ok, stdout, JSON_COMPACT);
		putchar('\n');
		return refused ? 1 : EX_OK;
	}
	show_faults(ok, shown);
	if (refused > (long long)shown)
		fprintf(stderr, "… and %lld more\n", refused - (long long)shown);
	if (json_is_true(json_object_get(ok, "fileRefused")))
		return rspctl_fail(1, "mend what is named, then load the file again",
			"nothing is loaded: the file is refused, no row was looked at");
	if (refused)
		return rspctl_fail(1,
			"mend the rows that are named, then load the whole file again",
			"nothing is loaded: %lld of %lld rows are refused", refused, rows);
	if (json_is_true(json_object_get(ok, "dryRun")))
		printf("%lld rows could be loaded\n", rows);
	else
		printf("%lld profiles loaded\n", loaded);
	return EX_OK;
}

int
rspctl_load(const struct rspctl_verb *verb)
{
	const char *path = path_of(), *name;
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), code;
	struct stat st = { .st_size = 0 };
	json_t *answer;

	if (fd < 0 || fstat(fd, &st) < 0 || S_ISDIR(st.st_mode))
		return rspctl_fail(EX_NOINPUT, "check the path", "%s: %s", path,
			strerror(fd < 0 ? errno : EISDIR));
	name = strrchr(path, '/');
	json_object_set_new(rspctl_call.args, "source", json_string(name ? name + 1 : path));
	json_object_set_new(rspctl_call.args, "format", json_string(format_of(path)));
	answer = rspctl_stream(verb->name, rspctl_call.args, read_piece, &fd,
		S_ISREG(st.st_mode) ? (long long)st.st_size : 0);
	if (!standard)
		close(fd);
	rspctl_progress_clear();
	if (!answer)
		return rspctl_fail(
			EX_IOERR, "nothing was loaded; try again", "%s: %s", path, strerror(errno));
	code = rspctl_outcome(answer);
	if (!code)
		code = tell(json_object_get(answer, "ok"));
	json_decref(answer);
	return code;
}
