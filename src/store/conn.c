/*
 * One connection to PostgreSQL in the loop: libpq without blocking, from connecting over preparing all
 * its statements to one statement in flight. It comes back by itself after every failure, with growing
 * pauses. What is to be sent and what an answer means is its user's business (lane.c, listen.c).
 */
#include <assert.h>
#include "base/clock.h"
#include "base/rand.h"
#include "store/int.h"

enum {
	CONNECT_MS = 10000, /* until all is prepared */
	PAUSE_MIN_MS = 100,
	PAUSE_MAX_MS = 5000,
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

struct conn_keywords
conn_keywords_of(const char *conninfo)
{
	return (struct conn_keywords){
		{ "dbname", "client_encoding", "application_name", NULL },
		{ conninfo, "UTF8", "rspd", NULL },
	};
}

static void
timer_set(struct conn *c, uint32_t ms)
{
	struct timeval wait = { ms / 1000, ms % 1000 * 1000 };

	event_add(c->timer, &wait);
}

/* The answer's timer is set for every statement: libevent keeps equal ones in a list, not a heap. */
static void
answer_timer_set(struct conn *c)
{
	struct timeval wait = { c->answer_ms / 1000, c->answer_ms % 1000 * 1000 };

	event_add(c->timer, event_base_init_common_timeout(c->store->base, &wait));
}

static uint32_t
next_pause(struct conn *c)
{
	uint32_t pause = PAUSE_MAX_MS, jitter;

	if (c->failures < 6)
		pause = PAUSE_MIN_MS << c->failures;
	rand_bytes(&jitter, sizeof jitter);
	return pause / 2 + jitter % (pause / 2);
}

static void
close_now(struct conn *c)
{
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	c->readable = c->writable = NULL;
	PQclear(c->result);
	c->result = NULL;
	PQfinish(c->pg);
	c->pg = NULL;
	event_del(c->timer);
	c->state = CONN_DOWN;
}

static void
fail(struct conn *c, const char *why)
{
	char words[512];

	/* Once until it is up again; the first line of what libpq says. */
	if (c->failures == 0 || log_wanted(LOG_store, LOG_DEBUG))
		LOG(store, WARNING, "lane=%s connection down: %s", c->user->name,
			log_value(slice_of(why, strcspn(why, "\n")), words));
	close_now(c);
	timer_set(c, next_pause(c));
	c->failures++;
	c->user->down(c);
	c->asker = NULL;
}

/* libpq may change its socket while it connects, so the events are made anew. */
static void
watch(struct conn *c, short what)
{
	if (c->readable)
		event_free(c->readable);
	c->readable = event_new(c->store->base, PQsocket(c->pg), what, on_readable, c);
	event_add(c->readable, NULL);
}

/* False when the connection is dead. What libpq could not send at once goes when the socket takes it. */
static bool
flush(struct conn *c)
{
	int rest = PQflush(c->pg);

	if (rest > 0)
		event_add(c->writable, NULL);
	return rest >= 0;
}

bool
statement_prepare(PGconn *pg, const struct statement *statement)
{
	Oid types[STATEMENT_PARAMS];

	for (size_t i = 0; i < statement->param_count; i++)
		types[i] = kind_oid(statement->params[i].kind);
	return PQsendPrepare(
		pg, statement->name, statement->text, (int)statement->param_count, types);
}

/* All in one go: a connection is ready after one round trip, however many statements there are. */
static bool
send_preparations(struct conn *c)
{
	if (PQsetnonblocking(c->pg, 1) < 0 || !PQenterPipelineMode(c->pg))
		return false;
	for (size_t i = 0; i < c->command_count; i++)
		if (!PQsendQueryParams(c->pg, c->commands[i], 0, NULL, NULL, NULL, NULL, 1))
			return false;
	for (size_t i = 0; i < c->statement_count; i++)
		if (!statement_prepare(c->pg, c->statements[i]))
			return false;
	return PQpipelineSync(c->pg) && flush(c);
}

static void
prepare(struct conn *c)
{
	c->state = CONN_PREPARING;
	c->prepared = 0;
	watch(c, EV_READ | EV_PERSIST);
	c->writable = event_new(c->store->base, PQsocket(c->pg), EV_WRITE, on_writable, c);
	if (!send_preparations(c))
		fail(c, PQerrorMessage(c->pg));
}

static void
come_up(struct conn *c)
{
	if (!PQexitPipelineMode(c->pg)) {
		fail(c, PQerrorMessage(c->pg));
		return;
	}
	event_del(c->timer);
	c->state = CONN_FREE;
	LOG(store, INFO, "lane=%s connection up prepared=%zu", c->user->name, c->prepared);
	c->failures = 0;
	c->user->up(c);
}

static void
log_refused(const struct conn *c, const PGresult *r)
{
	const char *name = c->prepared < c->command_count
		? c->commands[c->prepared]
		: c->statements[c->prepared - c->command_count]->name;

	LOG(store, ERROR, "statement=\"%s\" cannot be prepared: %s", name, result_words(r));
}

static void
receive_preparations(struct conn *c)
{
	while (!PQisBusy(c->pg)) {
		PGresult *r = PQgetResult(c->pg);
		ExecStatusType status = PQresultStatus(r);

		if (!r) /* the end of one of them */
			continue;
		if (status == PGRES_PIPELINE_SYNC) {
			PQclear(r);
			come_up(c);
			return;
		}
		if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
			if (remedy_of(r) == REMEDY_BROKEN)
				log_refused(c, r);
			PQclear(r);
			fail(c, "it could not be prepared");
			return;
		}
		PQclear(r);
		c->prepared++;
	}
}

static void
connect_on(struct conn *c)
{
	switch (PQconnectPoll(c->pg)) {
	case PGRES_POLLING_READING:
		watch(c, EV_READ);
		break;
	case PGRES_POLLING_WRITING:
		watch(c, EV_WRITE);
		break;
	case PGRES_POLLING_OK:
		prepare(c);
		break;
	default:
		fail(c, PQerrorMessage(c->pg));
	}
}

static void
answer(struct conn *c)
{
	PGresult *r = c->result;

	c->result = NULL;
	if (!r || remedy_of(r) == REMEDY_LOST) {
		fail(c, r ? result_words(r) : PQerrorMessage(c->pg));
		PQclear(r);
		return;
	}
	event_del(c->timer);
	c->state = CONN_FREE;
	c->user->answered(c, r);
	PQclear(r);
}

static void
receive(struct conn *c)
{
	PGnotify *notice;

	while ((notice = PQnotifies(c->pg))) {
		if (c->user->heard)
			c->user->heard(c, notice->relname);
		PQfreemem(notice);
	}
	while (c->state == CONN_BUSY && !PQisBusy(c->pg)) {
		PGresult *r = PQgetResult(c->pg);

		if (!r) {
			answer(c);
			return;
		}
		PQclear(c->result);
		c->result = r;
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	if (c->state == CONN_CONNECTING)
		connect_on(c);
	else if (!PQconsumeInput(c->pg))
		fail(c, PQerrorMessage(c->pg));
	else if (c->state == CONN_PREPARING)
		receive_preparations(c);
	else
		receive(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	if (!flush(c))
		fail(c, PQerrorMessage(c->pg));
}

/* Notices of the server may quote values: they are not for the log. */
static void
on_notice(void *arg, const PGresult *r)
{
	(void)arg;
	(void)r;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	if (c->state == CONN_DOWN)
		conn_start(c);
	else
		fail(c, "the server does not answer");
}

void
conn_init(struct conn *c, struct store *s, const struct conn_user *user, void *owner)
{
	c->store = s;
	c->user = user;
	c->owner = owner;
	c->timer = evtimer_new(s->base, on_timer, c);
}

void
conn_start(struct conn *c)
{
	struct conn_keywords k = conn_keywords_of(c->store->conninfo);

	c->pg = PQconnectStartParams(k.keywords, k.values, 1);
	if (PQstatus(c->pg) == CONNECTION_BAD) {
		fail(c, c->pg ? PQerrorMessage(c->pg) : "no memory");
		return;
	}
	PQsetNoticeReceiver(c->pg, on_notice, NULL);
	c->state = CONN_CONNECTING;
	timer_set(c, CONNECT_MS);
	watch(c, EV_WRITE);
}

void
conn_fini(struct conn *c)
{
	close_now(c);
	event_free(c->timer);
}

void
conn_restart(struct conn *c, const char *why)
{
	if (c->state != CONN_DOWN)
		fail(c, why);
}

void
conn_renew(struct conn *c)
{
	if (c->state < CONN_PREPARING)
		return;
	close_now(c);
	c->user->down(c);
	c->asker = NULL;
	conn_start(c);
}

bool
conn_send(struct conn *c, void *asker, const struct statement *statement, const struct values *v)
{
	static const int binary[STATEMENT_PARAMS] = { [0 ... STATEMENT_PARAMS - 1] = 1 };

	assert(c->state == CONN_FREE);
	c->state = CONN_BUSY;
	c->asker = asker;
	c->statement = statement;
	c->sent_us = clock_mono_us();
	if (PQsendQueryPrepared(c->pg, statement->name, v->n, v->octets, v->lengths, binary, 1) &&
		flush(c)) {
		answer_timer_set(c);
		return true;
	}
	fail(c, PQerrorMessage(c->pg));
	return false;
}
