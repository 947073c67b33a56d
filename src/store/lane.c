/*
 * A lane: some connections, the statements that run on them, and a bounded queue of those that wait.
 * Here is decided who is sent when, what is sent again after the world failed, and what the asker hears
 * of it. A read or a write that certainly did not happen is repeated once. So is a write whose
 * connection died, because every write recognises its own repetition; if that fails too, it is unsure.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "store/int.h"

/* So long askers wait for a connection to come back; then they hear that we are busy. */
#define PATIENCE_US INT64_C(1000000)

/* The server gives a statement up before we give up the connection. */
enum { ANSWER_GRACE_MS = 1000 };

static void
queue_put(struct query *q, bool front)
{
	struct lane *l = q->lane;

	q->conn = NULL;
	q->prev = front ? NULL : l->last;
	q->next = front ? l->first : NULL;
	if (q->prev)
		q->prev->next = q;
	else
		l->first = q;
	if (q->next)
		q->next->prev = q;
	else
		l->last = q;
	if (++l->queued > l->queue_peak)
		l->queue_peak = l->queued;
}

static void
queue_remove(struct query *q)
{
	struct lane *l = q->lane;

	if (q->prev)
		q->prev->next = q->next;
	else
		l->first = q->next;
	if (q->next)
		q->next->prev = q->prev;
	else
		l->last = q->prev;
	l->queued--;
}

static struct conn *
find_free(struct lane *l)
{
	for (unsigned i = 0; i < l->conn_count; i++)
		if (l->conns[i].state == CONN_FREE)
			return &l->conns[i];
	return NULL;
}

static bool
is_down(const struct lane *l)
{
	return l->down_since_us && clock_mono_us() - l->down_since_us > PATIENCE_US;
}

static void
dispatch(struct lane *l)
{
	struct conn *c;

	while (l->first && (c = find_free(l))) {
		struct query *q = l->first;

		queue_remove(q);
		q->conn = c;
		q->sent++;
		/* Also when sending failed: part of it may have left. */
		if (q->statement->writes)
			q->task->writing = true;
		conn_send(c, q, q->statement, &q->values);
	}
}

static void
wake(struct query *q, enum got got, enum trouble bad)
{
	/* Whatever happened later, the first sending may have been executed. */
	if (bad && q->maybe_done)
		bad = T_UNSURE;
	task_wake(q->task, got, bad);
}

static bool
may_repeat(const struct query *q)
{
	int64_t deadline_us = q->task->began_us + (int64_t)q->task->procedure->deadline_ms * 1000;

	return q->sent <= QUERY_REPEATS && clock_mono_us() < deadline_us;
}

static void
repeat(struct query *q)
{
	if (!may_repeat(q)) {
		wake(q, R_OK, T_BUSY);
		return;
	}
	q->lane->repeated++;
	queue_put(q, true);
	event_active(q->lane->kick, EV_TIMEOUT, 0);
}

static void
on_kick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	dispatch(arg);
}

static void
refuse_queued(struct lane *l)
{
	while (l->first) {
		struct query *q = l->first;

		queue_remove(q);
		l->refused++;
		wake(q, R_OK, T_BUSY);
	}
}

static struct statement_stats *
stats_of(const struct store *s, const struct statement *statement)
{
	return &s->stats[statement - s->catalog->statements];
}

static void
count(struct conn *c, bool error)
{
	struct statement_stats *stats = stats_of(c->store, c->statement);

	stats->count++;
	stats->errors += error;
	stats->us += (uint64_t)(clock_mono_us() - c->sent_us);
}

static void
on_up(struct conn *c)
{
	struct lane *l = c->owner;

	if (l->down_since_us)
		LOG(store, NOTICE, "lane=%s is up", l->name);
	l->down_since_us = 0;
	dispatch(l);
}

static bool
any_up(const struct lane *l)
{
	for (unsigned i = 0; i < l->conn_count; i++)
		if (conn_is_up(&l->conns[i]))
			return true;
	return false;
}

static void
on_down(struct conn *c)
{
	struct lane *l = c->owner;
	struct query *q = c->asker;

	if (!l->down_since_us && !any_up(l)) {
		l->down_since_us = clock_mono_us();
		LOG(store, ERROR, "lane=%s is down", l->name);
	}
	if (c->statement) {
		l->lost++;
		count(c, true);
		c->statement = NULL;
	}
	if (q) {
		q->maybe_done = q->maybe_done || q->statement->writes;
		repeat(q);
	}
	if (is_down(l))
		refuse_queued(l);
}

/* Without detail and parameters, which may be secret. */
static void
log_failure(const struct statement *statement, const PGresult *r, enum remedy remedy)
{
	enum log_level level = remedy == REMEDY_BROKEN ? LOG_ERROR : LOG_WARNING;
	char words[512];

	if (log_wanted(LOG_store, level))
		log_line(LOG_store, level, "statement=%s sqlstate=%s %s", statement->name,
			PQresultErrorField(r, PG_DIAG_SQLSTATE),
			log_value(slice_text(result_words(r)), words));
}

static void
answer(struct query *q, PGresult *r, enum remedy remedy)
{
	enum trouble bad;
	enum got got;

	switch (remedy) {
	case REMEDY_NONE:
		bad = result_take(q, r, &got);
		wake(q, got, bad);
		break;
	case REMEDY_REPEAT:
	case REMEDY_RECONNECT:
		repeat(q);
		break;
	case REMEDY_BUSY:
		wake(q, R_OK, T_BUSY);
		break;
	default:
		wake(q, R_OK, T_BROKEN);
	}
}

static void
on_answered(struct conn *c, PGresult *r)
{
	struct lane *l = c->owner;
	struct query *q = c->asker;
	const struct statement *statement = c->statement;
	enum remedy remedy = remedy_of(r);

	count(c, remedy != REMEDY_NONE);
	c->asker = NULL;
	c->statement = NULL;
	if (remedy != REMEDY_NONE)
		log_failure(statement, r, remedy);
	if (remedy == REMEDY_RECONNECT)
		conn_restart(c, "the server is not what it was");
	dispatch(l);
	if (remedy == REMEDY_NONE && c->store->told && stats_of(c->store, statement)->tells)
		c->store->told(c->store->told_arg);
	if (q)
		answer(q, r, remedy);
}

static const struct conn_user lane_users[LANE_COUNT] = {
	[LANE_ONLINE] = { "online", on_up, on_answered, on_down, NULL },
	[LANE_BACKGROUND] = { "background", on_up, on_answered, on_down, NULL },
};

/*
 * Online statements are planned once a connection, for whatever values come: where a value decides which
 * branch of a statement runs, the server would else think each time anew that a plan for it alone is worth
 * its making, which takes as long as the rest. A statement is planned when its table may still be empty:
 * what reads all of a small table would go on to do so while it grows. They are all written for an index,
 * whatever the values (tests/store), so they get one. Reports may read all.
 */
static const char *const plan_commands[LANE_COUNT] = {
	[LANE_ONLINE] = "select set_config('plan_cache_mode', 'force_generic_plan', false), "
			"set_config('enable_seqscan', 'off', false)",
	[LANE_BACKGROUND] = "set enable_seqscan = on",
};

static void
pick_statements(struct lane *l, const struct catalog *catalog, enum lane_id id)
{
	l->statements = calloc(catalog->statement_count + 1, sizeof(const struct statement *));
	if (!l->statements)
		abort();
	for (size_t i = 0; i < catalog->statement_count; i++)
		if (catalog->statements[i].lane == id)
			l->statements[l->statement_count++] = &catalog->statements[i];
}

void
lane_init(struct lane *l, struct store *s, const struct lane_settings *settings)
{
	l->store = s;
	l->name = lane_users[settings->id].name;
	l->queue_max = settings->queue;
	l->conn_count = settings->connections;
	l->conns = calloc(settings->connections, sizeof *l->conns);
	l->down_since_us = clock_mono_us();
	l->kick = event_new(s->base, -1, 0, on_kick, l);
	if (!l->conns || !l->kick)
		abort();
	snprintf(l->timeout, sizeof l->timeout, "set statement_timeout = %u",
		(unsigned)settings->timeout_ms);
	l->commands[0] = l->timeout;
	l->commands[1] = plan_commands[settings->id];
	l->commands[2] = "set jit = off"; /* compiling takes longer than any statement of ours */
	pick_statements(l, s->catalog, settings->id);
	for (unsigned i = 0; i < l->conn_count; i++) {
		struct conn *c = &l->conns[i];

		conn_init(c, s, &lane_users[settings->id], l);
		c->commands = l->commands;
		c->command_count = LANE_COMMANDS;
		c->statements = l->statements;
		c->statement_count = l->statement_count;
		c->answer_ms = settings->timeout_ms + ANSWER_GRACE_MS;
		conn_start(c);
	}
}

void
lane_fini(struct lane *l)
{
	assert(!l->first);
	for (unsigned i = 0; i < l->conn_count; i++)
		conn_fini(&l->conns[i]);
	event_free(l->kick);
	free(l->conns);
	free(l->statements);
}

bool
lane_is_idle(const struct lane *l)
{
	for (unsigned i = 0; i < l->conn_count; i++)
		if (l->conns[i].state == CONN_BUSY)
			return false;
	return !l->first;
}

/* The task stops waiting: what is queued never leaves, what is in flight has no asker any more. */
static void
abandon(void *arg)
{
	struct query *q = arg;

	if (q->conn)
		q->conn->asker = NULL;
	else
		queue_remove(q);
}

/* The member's name behind the last dot is the column's. */
static bool
is_called(const struct column *column, const char *name)
{
	const char *dot = strrchr(column->name, '.');

	return !strcmp(dot ? dot + 1 : column->name, name);
}

/* Wrapper and statement are written in two languages; where they differ, one of them is wrong. */
static void
check_wrapper(const struct statement *statement, const struct param *params, size_t n,
	const struct want *want)
{
	assert(n == statement->param_count);
	for (size_t i = 0; i < n; i++)
		assert(params[i].kind == statement->params[i].kind);
	if (!want->columns)
		return;
	assert(want->column_count == statement->column_count);
	for (size_t i = 0; i < want->column_count; i++) {
		assert(want->columns[i].kind == statement->columns[i].kind);
		assert(is_called(&want->columns[i], statement->columns[i].name));
	}
}

const struct step *
query_start(struct task *t, struct store *s, unsigned query, const struct param *params, size_t n,
	struct want want, const struct step *then)
{
	const struct statement *statement = &s->catalog->statements[query];
	struct statement_stats *stats = stats_of(s, statement);
	struct lane *l = &s->lanes[statement->lane];
	const struct step *wait;
	struct query *q;

	if (!stats->checked)
		check_wrapper(statement, params, n, &want);
	stats->checked = true;
	if (l->queued >= l->queue_max || is_down(l)) {
		l->refused++;
		return task_trouble(t, T_BUSY);
	}
	q = ARENA_NEW(t->mem, struct query);
	*q = (struct query){ .task = t, .lane = l, .statement = statement, .want = want };
	values_write(&q->values, t->mem, params, n);
	queue_put(q, false);
	wait = task_wait(t, then, abandon, q);
	dispatch(l);
	return wait;
}
