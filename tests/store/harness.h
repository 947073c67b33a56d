#ifndef TESTS_STORE_HARNESS_H
#define TESTS_STORE_HARNESS_H
/*
 * A private PostgreSQL for a test program, and tasks that ask one thing. The cluster lives in a folder
 * of its own below /tmp, listens on a Unix socket there, and goes with the program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/clock.h"
#include "store/int.h"

#define MAYBE_UNUSED __attribute__((unused))

static char cluster[64];
static struct loop *loop;
static FILE *guard;

/* A command line, which must succeed; its output's first line when `line` is given. */
static void
shell(char *line, size_t room, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void
shell(char *line, size_t room, const char *fmt, ...)
{
	char command[1024], rest[256];
	va_list ap;
	FILE *pipe;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	if (line) {
		assert_non_null(fgets(line, (int)room, pipe));
		line[strcspn(line, "\n")] = '\0';
	}
	while (fgets(rest, sizeof rest, pipe))
		;
	if (pclose(pipe) != 0)
		fail_msg("failed: %s", command);
}

MAYBE_UNUSED static void
cluster_start(void)
{
	char line[256];

	shell(line, sizeof line, "tests/dev/pg start --fast %s/pg </dev/null", cluster);
}

MAYBE_UNUSED static void
cluster_stop(void)
{
	shell(NULL, 0, "tests/dev/pg stop %s/pg </dev/null", cluster);
}

/* A shell that waits for our end, however we come to it, and then removes the cluster. */
static void
guard_start(void)
{
	char command[256];

	snprintf(command, sizeof command,
		"trap '' INT TERM; cat; tests/dev/pg stop %s/pg; rm -rf %s", cluster, cluster);
	guard = popen(command, "we");
	assert_non_null(guard);
}

/* Group set-up: the cluster and a loop. */
MAYBE_UNUSED static int
harness_start(void **state)
{
	(void)state;
	snprintf(cluster, sizeof cluster, "/tmp/rspd-store-XXXXXX");
	assert_non_null(mkdtemp(cluster));
	shell(NULL, 0, "chmod 0755 %s", cluster);
	guard_start();
	cluster_start();
	loop = loop_new(&(struct loop_limits){ .tasks = 4000 });
	return 0;
}

MAYBE_UNUSED static int
harness_stop(void **state)
{
	(void)state;
	loop_free(loop);
	pclose(guard);
	return 0;
}

/* The connection string of a database of the cluster. Valid until the next call. */
static const char *
conninfo_of(const char *database)
{
	static char conninfo[256];

	snprintf(conninfo, sizeof conninfo, "host=%s/pg user=rspd dbname=%s", cluster, database);
	return conninfo;
}

/* One statement in a session of its own; the first value, or "", in `out` when that is given. */
static void
sql_into(const char *database, const char *sql, char *out, size_t room)
{
	PGconn *pg = PQconnectdb(conninfo_of(database));
	PGresult *r = PQexec(pg, sql);

	if (remedy_of(r) != REMEDY_NONE)
		fail_msg("%s: %s", sql, PQerrorMessage(pg));
	if (out)
		snprintf(out, room, "%s", PQntuples(r) && PQnfields(r) ? PQgetvalue(r, 0, 0) : "");
	PQclear(r);
	PQfinish(pg);
}

MAYBE_UNUSED static void
sql(const char *database, const char *text)
{
	sql_into(database, text, NULL, 0);
}

MAYBE_UNUSED static long
sql_number(const char *database, const char *text)
{
	char out[64];

	sql_into(database, text, out, sizeof out);
	return strtol(out, NULL, 10);
}

/* An empty database of that name, whatever there was. */
MAYBE_UNUSED static void
database_new(const char *name)
{
	char text[160];

	snprintf(text, sizeof text, "drop database if exists %s with (force)", name);
	sql("postgres", text);
	snprintf(text, sizeof text, "create database %s", name);
	sql("postgres", text);
}

/* Turns the loop until it is done, at most half a minute. */
static void
run_until(bool (*done)(void *arg), void *arg)
{
	int64_t until = clock_mono_us() + 30000000;
	struct timeval tick = { 0, 5000 };

	while (!done(arg)) {
		if (clock_mono_us() > until)
			fail_msg("it takes too long");
		event_base_loopexit(loop_base_get(loop), &tick);
		event_base_loop(loop_base_get(loop), 0);
	}
}

MAYBE_UNUSED static bool
is_ready(void *arg)
{
	return store_ready(arg);
}

MAYBE_UNUSED static bool
is_idle(void *arg)
{
	return store_idle(arg) && loop_tasks_get(loop) == 0;
}

/* A task that asks one thing and keeps how it ended; rows are looked at before the task goes. */
struct call {
	const struct step *(*send)(struct call *call, struct task *t, const struct step *then);
	void (*look)(struct call *call);
	struct store *store;
	int64_t number, number2; /* whatever `send` needs */
	struct slice octets;
	void *out;
	struct rows rows;
	enum got got;
	enum trouble bad;
	bool done;
	unsigned order; /* how many were done before */
	struct task *task;
};

static unsigned calls_done;

#define CALL_STEPS(S) S(ask) S(look) S(say_trouble)
CALL_STEPS(DECLARE_STEP)

static struct call *
call_of(struct task *t)
{
	return *(struct call **)t->state;
}

static const struct step *
ask(struct task *t)
{
	return call_of(t)->send(call_of(t), t, THEN(look));
}

static const struct step *
look(struct task *t)
{
	struct call *call = call_of(t);

	call->got = t->got;
	if (call->look)
		call->look(call);
	FINISH;
}

static const struct step *
say_trouble(struct task *t)
{
	(void)t;
	FINISH;
}

static void
call_end(struct task *t)
{
	call_of(t)->bad = t->bad;
	call_of(t)->order = calls_done++;
	call_of(t)->done = true;
}

static const struct step *const call_steps[] = { CALL_STEPS(STEP_REF) NULL };

#define CALL_PROCEDURE(name, ms, cap)                                                            \
	MAYBE_UNUSED static const struct procedure name = { #name, THEN(ask), THEN(say_trouble), \
		call_steps, ms, cap, sizeof(struct call *) }
CALL_PROCEDURE(patient, 20000, 1024 * 1024);
CALL_PROCEDURE(hasty, 150, 1024 * 1024);
CALL_PROCEDURE(narrow, 20000, 8192);

MAYBE_UNUSED static void
call_start(struct call *call, const struct procedure *procedure)
{
	call->done = false;
	call->task = task_new(loop, procedure, NULL, call_end);
	assert_non_null(call->task);
	*(struct call **)call->task->state = call;
	task_start(call->task, procedure->first);
}

MAYBE_UNUSED static bool
call_is_done(void *arg)
{
	return ((struct call *)arg)->done;
}

/* Starts it and waits for its end. */
MAYBE_UNUSED static void
call_run(struct call *call)
{
	call_start(call, &patient);
	run_until(call_is_done, call);
}

#endif
