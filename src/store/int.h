#ifndef STORE_INT_H
#define STORE_INT_H
/* What the engine's files know of each other. Nothing here for wrappers: that is query.h. */
#include <event2/event.h>
#include <libpq-fe.h>
#include "loop/loop.h"
#include "store/query.h"

enum {
	QUERY_REPEATS = 1, /* after a lost connection or a deadlock */
	LISTEN_CHANNELS = 8,
};

/* ---- values: the binary forms of PostgreSQL ---- */

/* Parameters as libpq takes them, all binary; in an arena. */
struct values {
	const char **octets;
	int *lengths;
	int n;
};

unsigned kind_oid(enum kind kind);
const char *kind_name(enum kind kind);
void values_write(struct values *v, struct arena *mem, const struct param *params, size_t n);
/* Reads one value into the member of a row; false when its length or a NULL does not fit. */
bool value_read(const struct column *column, struct arena *mem, const PGresult *r, int row, int at,
	void *out);

/* ---- what the database's complaint means for us ---- */

enum remedy {
	REMEDY_NONE,      /* nothing was wrong */
	REMEDY_REPEAT,    /* it certainly did not happen: once more, here */
	REMEDY_RECONNECT, /* it certainly did not happen: once more, on a new connection */
	REMEDY_LOST,      /* the connection goes: whether it happened nobody knows */
	REMEDY_BUSY,      /* later */
	REMEDY_BROKEN,    /* never */
};
enum remedy remedy_of(const PGresult *r);
/* The message's first line without its detail, which may hold values. */
const char *result_words(const PGresult *r);

/* ---- one connection ---- */

struct conn;

/* Who uses a connection, told of what happens to it; from the loop, but for `down` in conn_send. */
struct conn_user {
	const char *name;
	void (*up)(struct conn *c);
	/* The answer, once; it is cleared afterwards. The connection is free already. */
	void (*answered)(struct conn *c, PGresult *r);
	/* It went down, or did not come up; what was in flight has no answer. It comes again by itself. */
	void (*down)(struct conn *c);
	void (*heard)(struct conn *c, const char *channel); /* NULL: it does not listen */
};

enum conn_state { CONN_DOWN, CONN_CONNECTING, CONN_PREPARING, CONN_FREE, CONN_BUSY };

struct conn {
	struct store *store;
	const struct conn_user *user;
	void *owner; /* the user's */
	void *asker; /* the user's, for what is in flight; the connection empties it at the end */
	enum conn_state state;
	PGconn *pg;
	struct event *readable, *writable, *timer;
	/* What every new connection does first: commands, then preparing. */
	const char *const *commands;
	size_t command_count;
	const struct statement *const *statements;
	size_t statement_count;
	size_t prepared;                   /* of both together */
	unsigned failures;                 /* in a row, for the back-off */
	uint32_t answer_ms;                /* how long an answer may take */
	const struct statement *statement; /* in flight; the user empties it */
	int64_t sent_us;
	PGresult *result;
};

void conn_init(struct conn *c, struct store *s, const struct conn_user *user, void *owner);
void conn_start(struct conn *c);
void conn_fini(struct conn *c);
/* Down, since something is wrong, and up again after a pause. */
void conn_restart(struct conn *c, const char *why);
/* Connects anew at once when its commands were said already: there are others now. */
void conn_renew(struct conn *c);
/* Sends on a free connection. When it turns out to be dead, `down` is called and the answer is false. */
bool
conn_send(struct conn *c, void *asker, const struct statement *statement, const struct values *v);
static inline bool
conn_is_up(const struct conn *c)
{
	return c->state >= CONN_FREE;
}
/* Sent when preparing, with what every connection of ours has in common. */
bool statement_prepare(PGconn *pg, const struct statement *statement);

/* libpq's keywords and values for connections of ours, NULL-terminated. */
struct conn_keywords {
	const char *keywords[5], *values[5];
};
struct conn_keywords conn_keywords_of(const char *conninfo);

/* ---- lanes ---- */

/* One statement on its way; lives in its task's arena. */
struct query {
	struct task *task;
	struct lane *lane;
	const struct statement *statement;
	struct want want;
	struct values values;
	unsigned sent;     /* how often it was handed to libpq */
	bool maybe_done;   /* a write whose connection died: it may have happened */
	struct conn *conn; /* in flight there; NULL: queued */
	struct query *prev, *next;
};

enum { LANE_COMMANDS = 3 };

struct lane {
	struct store *store;
	const char *name;
	struct conn *conns;
	unsigned conn_count;
	const struct statement **statements; /* those of the catalog that run here */
	size_t statement_count;
	char timeout[64]; /* the command that sets it */
	const char *commands[LANE_COMMANDS];
	struct query *first, *last;
	unsigned queued, queue_max, queue_peak;
	uint64_t refused, repeated, lost;
	int64_t down_since_us; /* no connection stands since then; 0: one does */
	struct event *kick;    /* active when something may be sent */
};

struct lane_settings {
	enum lane_id id;
	unsigned connections, queue;
	uint32_t timeout_ms; /* of a statement */
};

void lane_init(struct lane *l, struct store *s, const struct lane_settings *settings);
void lane_fini(struct lane *l);
bool lane_is_idle(const struct lane *l);

/* ---- results ---- */

/* Copies what was asked for, while the task waits; says how its wait ends. */
enum trouble result_take(struct query *q, PGresult *r, enum got *got);

/* ---- the listening connection ---- */

struct channel {
	const char *name;
	char command[80];
	void (*heard)(void *arg);
	void *arg;
	bool pending;    /* to be notified */
	int64_t sent_us; /* when it last was */
};

struct listener {
	struct conn conn;
	struct channel channels[LISTEN_CHANNELS];
	const char *commands[LISTEN_CHANNELS + 1]; /* and the lock's */
	size_t channel_count;
	char lock[128]; /* the command that takes it */
	void (*held)(void *arg, bool is_held);
	void *held_arg;
	struct event *timer;
	bool draining; /* nothing is held back */
};

void listener_init(struct listener *l, struct store *s);
void listener_fini(struct listener *l);
bool listener_is_idle(const struct listener *l);

/* ---- the session of a bulk load ---- */

enum { COPY_ROWS = 256 * 1024 }; /* octets of rows that wait to be sent */

enum copy_state {
	COPY_NEW,
	COPY_CONNECTING,
	COPY_IDLE,
	COPY_ASKED,   /* a statement is in flight */
	COPY_OPENING, /* COPY was said */
	COPY_OPEN,    /* rows may be sent */
	COPY_ENDING,  /* the end of COPY was said */
	COPY_DEAD,
};

struct copy {
	struct store *store;
	enum copy_state state;
	PGconn *pg;
	struct event *readable, *writable, *timer;
	struct query query; /* the statement that is asked; its task is who waits, for whatever */
	PGresult *result;
	int64_t sent_us;
	char command[96]; /* COPY … */
	uint8_t *rows;    /* put and not sent yet */
	size_t n;
	size_t copied; /* octets in this COPY */
	bool ending;   /* the COPY ends with these rows */
	bool decides;  /* the statement makes it true: when its answer is lost, nobody knows */
};

/* It goes with the task's arena. */
struct copy *copy_new(struct task *t, struct store *s);
/* As query_start, on this session, which the first one connects. */
const struct step *
copy_ask(struct copy *c, struct task *t, unsigned query, const struct param *params, size_t n,
	struct want want, const struct step *then) MUST_RETURN;
/* The COPY command of all rows to come; copied. */
void copy_command_set(struct copy *c, const char *command);
/* The statement asked next is the one that counts. */
void copy_decides(struct copy *c, struct task *t);
/* A bigint, then columns of octets as binary COPY takes them (absent: NULL). */
void copy_row_put(struct copy *c, int64_t number, const struct slice *columns, size_t n);
/* There may be no room for another row of 16 KiB. */
static inline bool
copy_is_full(const struct copy *c)
{
	return c->n + 16 * 1024 > COPY_ROWS;
}
/* Waits until the server has taken what was put; with `end`, until it is committed. */
const struct step *
copy_flush(struct copy *c, struct task *t, bool end, const struct step *then) MUST_RETURN;

/* ---- the whole ---- */

struct statement_stats {
	uint64_t count, errors, us;
	bool checked; /* the wrapper's kinds were compared with the statement's */
	bool tells;   /* it may write events into the outbox */
};

struct store {
	struct loop *loop;
	struct event_base *base;
	char *conninfo;
	const struct catalog *catalog;
	struct statement_stats *stats;
	struct lane lanes[LANE_COUNT];
	struct listener listener;
	void (*told)(void *arg); /* see store_told_set; NULL: nobody */
	void *told_arg;
};

/* Tables that the program fills and nothing else writes: compared at the start, written by --migrate. */
struct seed {
	bool (*is_current)(PGconn *pg);
	bool (*write)(PGconn *pg);
};
/* profile_move, out of src/profile/moves.def. */
extern const struct seed moves_seed;

/* As store_new and its like, with other SQL: for the engine's own tests. */
struct store *
store_new_of(struct loop *l, const struct store_settings *settings, const struct catalog *catalog);
enum store_schema store_migrate_of(const struct store_settings *settings,
	const struct catalog *catalog, const struct seed *seed, char words[STORE_WORDS]);
enum store_schema store_schema_check_of(const struct store_settings *settings,
	const struct catalog *catalog, const struct seed *seed, char words[STORE_WORDS]);

#endif
