/*
 * A session for a bulk load: a connection of its own, so that a load of minutes holds up no lane, and goes
 * as soon as the load does. It runs the statements of LANE_LOAD, and between them COPY in PostgreSQL's
 * binary form, some megabytes a transaction. It is never connected again: what it had staged is a rest
 * then, which the sweep finds (sql/schema/0005-personalisation.sql).
 */
#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include "base/clock.h"
#include "store/int.h"

enum {
	TRANSACTION = 16 * 1024 * 1024, /* octets of one COPY */
	CONNECT_SECONDS = 10,
	SEND_SECONDS = 120, /* until the server has taken what was put */
	ASK_SECONDS = 3600, /* the longest statement: millions of rows become profiles */
};

/* COPY's binary form begins with a signature, flags and the length of an extension that is not there. */
static const char copy_head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
enum { COPY_HEAD = 19 };
static const uint8_t copy_tail[] = { 0xff, 0xff };

static void
timer_set(struct copy *c, long seconds)
{
	struct timeval wait = { seconds, 0 };

	event_add(c->timer, &wait);
}

/* The task that waits goes on; nobody when it has given up. */
static void
wake(struct copy *c, enum got got, enum trouble bad)
{
	struct task *t = c->query.task;

	event_del(c->timer);
	c->query.task = NULL;
	if (t)
		task_wake(t, got, bad);
}

static void
die(struct copy *c, const char *why)
{
	enum trouble bad = c->state == COPY_ASKED && c->decides ? T_UNSURE : T_BUSY;
	char words[512];

	LOG(store, WARNING, "lane=load connection down: %s",
		log_value(slice_of(why, strcspn(why, "\n")), words));
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	c->readable = c->writable = NULL;
	PQclear(c->result);
	c->result = NULL;
	PQfinish(c->pg);
	c->pg = NULL;
	c->state = COPY_DEAD;
	wake(c, R_OK, bad);
}

/* False when the connection died. */
static bool
flush(struct copy *c)
{
	int rest = PQflush(c->pg);

	if (rest > 0)
		event_add(c->writable, NULL);
	else if (rest < 0)
		die(c, PQerrorMessage(c->pg));
	return rest >= 0;
}

static bool
send_statement(struct copy *c)
{
	static const int binary[STATEMENT_PARAMS] = { [0 ... STATEMENT_PARAMS - 1] = 1 };
	const struct statement *s = c->query.statement;
	const struct values *v = &c->query.values;
	Oid types[STATEMENT_PARAMS];

	for (size_t i = 0; i < s->param_count; i++)
		types[i] = kind_oid(s->params[i].kind);
	c->state = COPY_ASKED;
	c->query.sent++;
	c->sent_us = clock_mono_us();
	timer_set(c, ASK_SECONDS);
	if (!PQsendQueryParams(c->pg, s->text, v->n, types, v->octets, v->lengths, binary, 1)) {
		die(c, PQerrorMessage(c->pg));
		return false;
	}
	return flush(c);
}

static void
end_transaction(struct copy *c)
{
	c->state = COPY_ENDING;
	if (PQputCopyData(c->pg, (const char *)copy_tail, sizeof copy_tail) < 0 ||
		PQputCopyEnd(c->pg, NULL) < 0)
		die(c, PQerrorMessage(c->pg));
	else
		flush(c);
}

/* All that was put has left: the task may put more, or hears that it is stored. */
static void
on_sent(struct copy *c)
{
	if (c->ending || c->copied >= TRANSACTION)
		end_transaction(c);
	else
		wake(c, R_OK, T_NONE);
}

static void
send_rows(struct copy *c)
{
	bool fine = PQputCopyData(c->pg, (const char *)c->rows, (int)c->n) >= 0;

	c->copied += c->n;
	explicit_bzero(c->rows, c->n);
	c->n = 0;
	c->state = COPY_OPEN;
	if (!fine)
		die(c, PQerrorMessage(c->pg));
	else if (flush(c) && !event_pending(c->writable, EV_WRITE, NULL))
		on_sent(c);
}

static void
open_transaction(struct copy *c)
{
	c->state = COPY_OPENING;
	c->copied = 0;
	if (!PQsendQuery(c->pg, c->command))
		die(c, PQerrorMessage(c->pg));
	else
		flush(c);
}

/* The server said no. Nothing of the load has become a profile. */
static void
refused(struct copy *c, PGresult *r)
{
	enum remedy remedy = remedy_of(r);
	enum log_level level = remedy == REMEDY_BROKEN ? LOG_ERROR : LOG_WARNING;
	bool copying = c->state != COPY_ASKED;
	char words[512];

	if (log_wanted(LOG_store, level))
		log_line(LOG_store, level, "statement=%s sqlstate=%s %s",
			copying ? "copy" : c->query.statement->name,
			PQresultErrorField(r, PG_DIAG_SQLSTATE),
			log_value(slice_text(result_words(r)), words));
	if (remedy == REMEDY_REPEAT && !copying && c->query.sent <= QUERY_REPEATS) {
		send_statement(c);
		return;
	}
	c->state = COPY_IDLE;
	wake(c, R_OK, remedy == REMEDY_BROKEN ? T_BROKEN : T_BUSY);
}

static void
count(struct copy *c, bool error)
{
	struct store *s = c->store;
	struct statement_stats *stats = &s->stats[c->query.statement - s->catalog->statements];

	stats->count++;
	stats->errors += error;
	stats->us += (uint64_t)(clock_mono_us() - c->sent_us);
}

static void
answered(struct copy *c, PGresult *r)
{
	enum copy_state was = c->state;
	enum got got = R_OK;
	enum trouble bad;

	if (was == COPY_ASKED)
		count(c, remedy_of(r) != REMEDY_NONE);
	if (!r || remedy_of(r) == REMEDY_LOST) {
		die(c, r ? result_words(r) : PQerrorMessage(c->pg));
		return;
	}
	if (remedy_of(r) != REMEDY_NONE) {
		refused(c, r);
		return;
	}
	c->state = COPY_IDLE;
	if (was != COPY_ASKED) {
		wake(c, R_OK, T_NONE);
	} else if (c->query.task) {
		bad = result_take(&c->query, r, &got);
		wake(c, got, bad);
	} else {
		wake(c, R_OK, T_NONE);
	}
}

static void
receive(struct copy *c)
{
	while (c->pg && c->state != COPY_IDLE && !PQisBusy(c->pg)) {
		PGresult *r = PQgetResult(c->pg), *whole;

		if (PQresultStatus(r) == PGRES_COPY_IN) {
			PQclear(r);
			if (c->state != COPY_OPENING)
				return; /* rows go on */
			PQputCopyData(c->pg, copy_head, COPY_HEAD);
			send_rows(c);
		} else if (r) {
			PQclear(c->result);
			c->result = r;
		} else {
			whole = c->result;
			c->result = NULL;
			answered(c, whole);
			PQclear(whole);
		}
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg);

static void
watch(struct copy *c, short what)
{
	if (c->readable)
		event_free(c->readable);
	c->readable = event_new(c->store->base, PQsocket(c->pg), what, on_readable, c);
	event_add(c->readable, NULL);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct copy *c = arg;

	(void)fd;
	(void)what;
	if (flush(c) && !event_pending(c->writable, EV_WRITE, NULL) && c->state == COPY_OPEN)
		on_sent(c);
}

static void
come_up(struct copy *c)
{
	watch(c, EV_READ | EV_PERSIST);
	c->writable = event_new(c->store->base, PQsocket(c->pg), EV_WRITE, on_writable, c);
	if (PQsetnonblocking(c->pg, 1) < 0)
		die(c, PQerrorMessage(c->pg));
	else
		send_statement(c);
}

static void
connect_on(struct copy *c)
{
	switch (PQconnectPoll(c->pg)) {
	case PGRES_POLLING_READING:
		watch(c, EV_READ);
		break;
	case PGRES_POLLING_WRITING:
		watch(c, EV_WRITE);
		break;
	case PGRES_POLLING_OK:
		come_up(c);
		break;
	default:
		die(c, PQerrorMessage(c->pg));
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct copy *c = arg;

	(void)fd;
	(void)what;
	if (c->state == COPY_CONNECTING)
		connect_on(c);
	else if (!PQconsumeInput(c->pg))
		die(c, PQerrorMessage(c->pg));
	else
		receive(c);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	die(arg, "the server does not answer");
}

/* Notices of the server may quote values: they are not for the log. */
static void
on_notice(void *arg, const PGresult *r)
{
	(void)arg;
	(void)r;
}

static void
copy_free(void *arg)
{
	struct copy *c = arg;

	c->query.task = NULL;
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	event_free(c->timer);
	PQclear(c->result);
	PQfinish(c->pg);
	explicit_bzero(c->rows, COPY_ROWS);
	free(c->rows);
	free(c);
}

/* The task's deadline came: what is in flight has no asker any more. */
static void
abandon(void *arg)
{
	struct copy *c = arg;

	c->query.task = NULL;
}

struct copy *
copy_new(struct task *t, struct store *s)
{
	struct copy *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	c->store = s;
	c->rows = malloc(COPY_ROWS);
	c->timer = evtimer_new(s->base, on_timer, c);
	if (!c->rows || !c->timer)
		abort();
	arena_defer(t->mem, copy_free, c);
	return c;
}

static void
start(struct copy *c)
{
	struct conn_keywords k = conn_keywords_of(c->store->conninfo);

	c->pg = PQconnectStartParams(k.keywords, k.values, 1);
	timer_set(c, CONNECT_SECONDS);
	if (PQstatus(c->pg) == CONNECTION_BAD) {
		die(c, c->pg ? PQerrorMessage(c->pg) : "no memory");
		return;
	}
	PQsetNoticeReceiver(c->pg, on_notice, NULL);
	c->state = COPY_CONNECTING;
	watch(c, EV_WRITE);
}

const struct step *
copy_ask(struct copy *c, struct task *t, unsigned query, const struct param *params, size_t n,
	struct want want, const struct step *then)
{
	const struct step *wait;

	assert(!c->query.task && !c->n);
	c->query = (struct query){
		.task = t, .statement = &c->store->catalog->statements[query], .want = want
	};
	values_write(&c->query.values, t->mem, params, n);
	if (c->state == COPY_DEAD)
		return task_trouble(t, T_BUSY);
	wait = task_wait(t, then, abandon, c);
	if (c->state == COPY_NEW)
		start(c);
	else
		send_statement(c);
	return wait;
}

void
copy_command_set(struct copy *c, const char *command)
{
	snprintf(c->command, sizeof c->command, "%s", command);
}

void
copy_decides(struct copy *c, struct task *t)
{
	c->decides = true;
	t->writing = true;
}

static uint8_t *
put_u32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof v);
	return p + sizeof v;
}

void
copy_row_put(struct copy *c, int64_t number, const struct slice *columns, size_t n)
{
	size_t need = 2 + 12 + 4 * n;
	uint64_t big = htobe64((uint64_t)number);
	uint8_t *p = c->rows + c->n;

	for (size_t i = 0; i < n; i++)
		need += columns[i].n;
	assert(c->n + need <= COPY_ROWS);
	*p++ = 0;
	*p++ = (uint8_t)(n + 1);
	p = put_u32(p, 8);
	memcpy(p, &big, 8);
	p += 8;
	for (size_t i = 0; i < n; i++) {
		p = put_u32(p, columns[i].p ? (uint32_t)columns[i].n : UINT32_MAX);
		if (columns[i].n)
			memcpy(p, columns[i].p, columns[i].n);
		p += columns[i].n;
	}
	c->n = (size_t)(p - c->rows);
}

const struct step *
copy_flush(struct copy *c, struct task *t, bool end, const struct step *then)
{
	const struct step *wait;

	if (c->state == COPY_DEAD)
		return task_trouble(t, T_BUSY);
	if (!c->n && (!end || c->state == COPY_IDLE))
		return then;
	c->query.task = t;
	c->ending = end;
	wait = task_wait(t, then, abandon, c);
	timer_set(c, SEND_SECONDS);
	if (c->state == COPY_IDLE)
		open_transaction(c);
	else
		send_rows(c);
	return wait;
}
