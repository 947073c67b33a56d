/*
 * The control socket without a database: who may speak, what a line must be, arguments held against the
 * verbs' table and the schemas, and what happens to the socket's file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "ctl/int.h"
#include "eim/eim.h"
#include "loop/loop.h"

enum { SAID = 64 * 1024 };

static char path[64], said[SAID];
static struct loop *loop;
static struct dp dp;
static struct eim eim;
static struct ctl *ctl;
static unsigned reloads, drains;
static bool reload_fails;
static int64_t ahead_us; /* of the system's clock */

static int64_t
clock_us(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + ahead_us;
}

/* This program's clock. */
int64_t
clock_mono_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t
clock_wall_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

static bool
reload(void *arg, char words[512])
{
	(void)arg;
	reloads++;
	if (reload_fails)
		snprintf(words, 512, "the key does not fit");
	return !reload_fails;
}

static void
drain(void *arg)
{
	(void)arg;
	drains++;
}

static struct ctl *
start(char words[CTL_WORDS])
{
	struct ctl_settings settings = { .path = path };
	struct ctl_hooks hooks = { .reload = reload, .drain = drain };

	return ctl_start(loop, &dp, &eim, &settings, &hooks, words);
}

static int
setup(void **state)
{
	struct store_settings settings = { "host=/nonexistent", 1, 1, 10 };
	char words[CTL_WORDS];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	log_level_set("all", "error");
	snprintf(path, sizeof path, "/tmp/ctl-test-%d", (int)getpid());
	loop = loop_new(&(struct loop_limits){ 100 });
	dp = (struct dp){ .loop = loop, .store = store_new(loop, &settings) };
	ctl = start(words);
	assert_non_null(ctl);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ctl_stop(ctl);
	assert_int_equal(access(path, F_OK), -1);
	return 0;
}

static void
stop_loop(void *arg)
{
	loop_stop(arg);
}

static int
connect_here(void)
{
	struct sockaddr_un where = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(where.sun_path, sizeof where.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&where, sizeof where) < 0)
		_exit(1);
	return fd;
}

/* The client is a process of its own: what it sends goes through the real socket. */
static void
be_client(const char *lines, size_t n, uid_t uid, int out)
{
	static char got[SAID];
	ssize_t length;
	size_t total = 0;
	int fd;

	if (uid && (setgid(uid) < 0 || setuid(uid) < 0))
		_exit(1);
	fd = connect_here();
	if (write(fd, lines, n) != (ssize_t)n)
		_exit(2);
	shutdown(fd, SHUT_WR);
	while (total < sizeof got && (length = read(fd, got + total, sizeof got - total)) > 0)
		total += (size_t)length;
	if (write(out, got, total) != (ssize_t)total)
		_exit(3);
	_exit(0);
}

/* Runs the loop until the client has left; what it was told is in `said`. */
static void
talk_as(const char *lines, size_t n, uid_t uid)
{
	struct loop_signal *ended = loop_signal_new(loop, SIGCHLD, stop_loop, loop);
	int pipes[2], status;
	ssize_t got;
	pid_t client;

	assert_int_equal(pipe(pipes), 0);
	client = fork();
	if (client == 0)
		be_client(lines, n, uid, pipes[1]);
	close(pipes[1]);
	loop_run(loop);
	assert_int_equal(waitpid(client, &status, 0), client);
	assert_int_equal(status, 0);
	got = read(pipes[0], said, sizeof said - 1);
	said[got > 0 ? got : 0] = 0;
	close(pipes[0]);
	loop_signal_free(ended);
}

static void
talk(const char *lines)
{
	talk_as(lines, strlen(lines), 0);
}

static void
bad_lines_are_answered_and_told(void **state)
{
	static const char *const cases[][2] = {
		{ "x", "not-a-request" },
		{ "[]", "not-a-request" },
		{ "{}", "not-a-request" },
		{ "{\"verb\":5}", "not-a-request" },
		{ "{\"verb\":\"log\",\"verb\":\"log\"}", "not-a-request" },
		{ "{\"verb\":\"log\",\"more\":1}", "not-a-request" },
		{ "{\"verb\":\"order shwo\"}", "verb-unknown" },
		{ "{\"verb\":\"log\",\"args\":[]}", "arguments" },
		{ "{\"verb\":\"log\",\"args\":{\"foo\":1}}", "log takes no argument foo" },
		{ "{\"verb\":\"order release\"}", "order release needs iccid" },
		{ "{\"verb\":\"order show\",\"args\":{\"iccid\":5}}",
			"iccid must be 18 to 20 digits" },
		{ "{\"verb\":\"order show\",\"args\":{\"iccid\":\"89\"}}", "iccid must be" },
		{ "{\"verb\":\"order list\",\"args\":{\"eid\":\"1\"}}", "eid must be 32 digits" },
		{ "{\"verb\":\"order list\",\"args\":{\"limit\":-1}}", "limit must be" },
		{ "{\"verb\":\"order list\",\"args\":{\"limit\":\"9\"}}", "limit must be" },
		{ "{\"verb\":\"trace eid\",\"args\":{\"eid\":\"89049032000000000000000000000001\","
		  "\"off\":1}}",
			"off must be true or false" },
		{ "{\"verb\":\"profile import\",\"args\":{\"package\":\"\",\"notify\":[1]}}",
			"notify must be an array of texts" },
		{ "{\"verb\":\"log\",\"args\":{\"area\":\"es9\"}}", "area and level go together" },
		{ "{\"verb\":\"log\",\"args\":{\"area\":\"es9\",\"level\":\"loud\"}}",
			"no such area or level" },
		{ "{\"verb\":\"profile import\",\"args\":{\"package\":\"AQ*\"}}",
			"package is not Base64" },
		{ "{\"verb\":\"profile import\",\"args\":{\"package\":\"AQID\",\"icon\":\"AQ*\"}}",
			"icon is not Base64" },
		{ "{\"verb\":\"profile import\",\"args\":{\"package\":\"AQID\",\"notify\":["
		  "\"a=\",\"a=\",\"a=\",\"a=\",\"a=\",\"a=\",\"a=\",\"a=\",\"a=\",\"a=\",\"a=\","
		  "\"a=\","
		  "\"a=\",\"a=\",\"a=\",\"a=\",\"a=\"]}}",
			"notify has more than 16 entries" },
		{ "{\"verb\":\"profile-type create\",\"args\":{\"name\":\"a\\u001b[31m\"}}",
			"name has control characters" },
		{ "{\"verb\":\"profile-type create\",\"args\":{\"name\":\"a\\u007f\"}}",
			"name has control characters" },
		{ "{\"verb\":\"profile-type create\",\"args\":{\"name\":\"a\\u009b\"}}",
			"name has control characters" },
		{ "{\"verb\":\"order create\",\"args\":{\"type\":\"a\",\"expiresDays\":36501}}",
			"expiresDays is more than 36500" },
	};
	char line[512];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(line, sizeof line, "%s\n", cases[i][0]);
		talk(line);
		assert_ptr_equal(strstr(said, "{\"error\":{\"code\":"), said);
		assert_non_null(strstr(said, cases[i][1]));
		assert_non_null(strstr(said, "\"advice\":\""));
	}
}

static void
lines_are_answered_in_order(void **state)
{
	const char *first, *second;

	(void)state;
	talk("{\"verb\":\"log\"}\nx\n{\"verb\":\"tasks\"}\n");
	first = strstr(said, "\"areas\"");
	second = strstr(said, "not-a-request");
	assert_true(first && second && first < second);
	assert_true(strstr(second, "\"peak\"") > second);
}

static void
thousands_of_bad_lines_do_no_harm(void **state)
{
	enum { LINES = 2000 };
	static char lines[LINES * 2 + 1];

	(void)state;
	for (int i = 0; i < LINES; i++)
		memcpy(lines + 2 * i, "x\n", 2);
	talk(lines);
	assert_non_null(strstr(said, "not-a-request"));
}

/* Asks for as long as it is let, reads nothing, and leaves. */
static void
be_deaf_client(unsigned lines)
{
	static const char line[] = "{\"verb\":\"reload\"}\n";
	struct pollfd wait = { .fd = connect_here(), .events = POLLOUT };

	fcntl(wait.fd, F_SETFL, O_NONBLOCK);
	for (unsigned i = 0; i < lines && poll(&wait, 1, 500) == 1;)
		i += write(wait.fd, line, sizeof line - 1) == sizeof line - 1;
	usleep(500000);
	_exit(0);
}

static void
who_reads_no_answers_is_asked_for_none(void **state)
{
	enum { LINES = 50000 };
	struct loop_signal *ended = loop_signal_new(loop, SIGCHLD, stop_loop, loop);
	unsigned before = reloads;
	pid_t client = fork();

	(void)state;
	if (client == 0)
		be_deaf_client(LINES);
	loop_run(loop);
	assert_int_equal(waitpid(client, NULL, 0), client);
	loop_signal_free(ended);
	/* As many answers as two sockets' buffers take. */
	assert_in_range(reloads - before, 1, LINES / 5);
	reloads = before;
}

static void
a_line_without_end_is_refused(void **state)
{
	size_t n = CTL_LINE_MAX + 100000;
	char *line = malloc(n);

	(void)state;
	memset(line, 'a', n);
	talk_as(line, n, 0);
	assert_non_null(strstr(said, "line-too-long"));
	free(line);
}

static void
levels_and_traces_are_set(void **state)
{
	(void)state;
	talk("{\"verb\":\"log\",\"args\":{\"area\":\"es9\",\"level\":\"warning\"}}\n");
	assert_non_null(strstr(said, "\"es9\":\"warning\""));
	assert_int_equal(log_level_get(LOG_es9), LOG_WARNING);
	talk("{\"verb\":\"trace eid\",\"args\":{\"eid\":\"89049032000000000000000000000001\"}}\n");
	assert_true(log_traced(SLICE_LIT("89049032000000000000000000000001")));
	talk("{\"verb\":\"trace eid\",\"args\":{\"eid\":\"89049032000000000000000000000001\","
	     "\"off\":true}}\n");
	assert_false(log_traced(SLICE_LIT("89049032000000000000000000000001")));
	talk("{\"verb\":\"trace eid\",\"args\":{\"eid\":\"89049032000000000000000000000001\","
	     "\"off\":true}}\n");
	assert_non_null(strstr(said, "is not traced"));
}

static void
reload_and_drain_reach_the_program(void **state)
{
	(void)state;
	talk("{\"verb\":\"reload\"}\n");
	assert_string_equal(said, "{\"ok\":{}}\n");
	assert_int_equal(reloads, 1);
	reload_fails = true;
	talk("{\"verb\":\"reload\"}\n");
	assert_non_null(strstr(said, "reload-refused"));
	assert_non_null(strstr(said, "the key does not fit"));
	talk("{\"verb\":\"drain\"}\n");
	assert_string_equal(said, "{\"ok\":{}}\n");
	assert_int_equal(drains, 1);
}

static void
strangers_are_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(path, 0666), 0);
	talk_as("", 0, 65534);
	assert_non_null(strstr(said, "not-permitted"));
	assert_int_equal(chmod(path, 0660), 0);
}

/* How often the audit trail was told, of so many tries of a user. */
static unsigned
notes_of(unsigned tries, uid_t uid)
{
	FILE *log = tmpfile();
	char line[4096];
	int kept = dup(STDERR_FILENO);
	unsigned n = 0;

	assert_true(log && dup2(fileno(log), STDERR_FILENO) >= 0);
	while (tries--)
		talk_as("", 0, uid);
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(log);
	while (fgets(line, sizeof line, log))
		n += strstr(line, "act=ctl.refused why=") != NULL;
	fclose(log);
	return n;
}

static void
strangers_are_noted_once_a_minute(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	log_level_set("audit", "notice");
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(notes_of(3, 65533), 1);
	assert_int_equal(notes_of(3, 65532), 1);
	ahead_us += 61000000;
	assert_int_equal(notes_of(3, 65533), 1);
	assert_int_equal(chmod(path, 0660), 0);
	log_level_set("audit", "error");
}

static void
the_file_is_ours_alone(void **state)
{
	char words[CTL_WORDS] = "";
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	/* Another daemon that answers there keeps it. */
	assert_null(start(words));
	assert_non_null(strstr(words, "another daemon answers"));
	assert_int_equal(stat(path, &st), 0);
}

static void
an_orphan_is_replaced_and_a_file_is_not(void **state)
{
	struct sockaddr_un where = { .sun_family = AF_UNIX };
	char kept[sizeof path], words[CTL_WORDS] = "";
	struct ctl *second;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	memcpy(kept, path, sizeof path);
	snprintf(path, sizeof path, "%.50s.2", kept);
	snprintf(where.sun_path, sizeof where.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&where, sizeof where), 0);
	close(fd);
	second = start(words);
	assert_non_null(second);
	ctl_stop(second);
	assert_int_equal(access(path, F_OK), -1);
	fclose(fopen(path, "w"));
	assert_null(start(words));
	assert_non_null(strstr(words, "is no socket"));
	unlink(path);
	memcpy(path, kept, sizeof path);
}

static const char *
schema_type(enum ctl_kind kind)
{
	switch (kind) {
	case CTL_NUMBER:
	case CTL_COUNT:
		return "integer";
	case CTL_FLAG:
		return "boolean";
	case CTL_TEXTS:
		return "array";
	case CTL_TEXT:
	case CTL_ICCID:
	case CTL_EID:
	case CTL_OCTETS:
		return "string";
	}
	return NULL;
}

static bool
is_required(const json_t *args, const char *name)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(args, "required"), i,
		v) if (strcmp(json_string_value(v), name) == 0) return true;
	return false;
}

/* The table and schemas/ctl tell the same of every verb's arguments. */
static void
arguments_are_those_of_the_schemas(void **state)
{
	const struct ctl_verb *verb;
	char file[128], *blank;

	(void)state;
	for (unsigned i = 0; (verb = ctl_verb_get(i)) != NULL; i++) {
		json_t *schema, *args, *known;
		size_t n = 0;

		snprintf(file, sizeof file, "schemas/ctl/%s.json", verb->name);
		while ((blank = strchr(file, ' ')) != NULL)
			*blank = '-';
		schema = json_load_file(file, 0, NULL);
		if (!schema)
			fail_msg("%s is missing or no JSON", file);
		args = json_object_get(json_object_get(schema, "properties"), "args");
		known = json_object_get(args, "properties");
		for (const struct ctl_arg *a = verb->args; a->name; a++, n++) {
			json_t *property = json_object_get(known, a->name);
			const char *type = json_string_value(json_object_get(property, "type"));

			if (!property)
				fail_msg("%s has no %s", file, a->name);
			assert_string_equal(type ? type : "string", schema_type(a->kind));
			assert_int_equal(a->kind == CTL_COUNT,
				json_integer_value(json_object_get(property, "maximum")) ==
					INT32_MAX);
			assert_int_equal(is_required(args, a->name), a->mandatory);
		}
		assert_int_equal(json_object_size(known), n);
		json_decref(schema);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_lines_are_answered_and_told),
		cmocka_unit_test(lines_are_answered_in_order),
		cmocka_unit_test(thousands_of_bad_lines_do_no_harm),
		cmocka_unit_test(who_reads_no_answers_is_asked_for_none),
		cmocka_unit_test(a_line_without_end_is_refused),
		cmocka_unit_test(levels_and_traces_are_set),
		cmocka_unit_test(reload_and_drain_reach_the_program),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(strangers_are_noted_once_a_minute),
		cmocka_unit_test(the_file_is_ours_alone),
		cmocka_unit_test(an_orphan_is_replaced_and_a_file_is_not),
		cmocka_unit_test(arguments_are_those_of_the_schemas),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
