#ifndef STORE_STORE_H
#define STORE_STORE_H
/*
 * PostgreSQL behind the loop: what the program starts and watches. The statements themselves are offered
 * one header per aggregate (store/order.h and its like); what those are made of is store/query.h.
 *
 * Connections are grouped in lanes: `online` for procedures that a peer waits for, `background` for
 * sweeps and reports, and one connection that listens. A lane has one statement in flight on each
 * connection and a bounded queue; when that is full the asker hears T_BUSY at once.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"

struct loop;
struct store;

/* How a NULL of SQL arrives in an int64_t: a bigint or a time that is not there. */
#define STORE_NULL INT64_MIN

/* A switch of a row that is to be changed, or left as it is. */
enum store_wish { STORE_KEEP, STORE_YES, STORE_NO };

/* Rows as they come back where several may: an array of the row's struct, in the task's arena. */
struct rows {
	const void *first; /* NULL when there is none */
	size_t n;
	bool more; /* the statement had further ones beyond the wrapper's maximum */
};

struct store_settings {
	const char *connection; /* libpq's conninfo; see store_settings_check */
	unsigned online_connections, background_connections;
	unsigned queue; /* statements that may wait in each lane */
};

enum { STORE_WORDS = 512 }; /* octets of a message for people, with its zero */

/*
 * False with words when the connection string does not parse, or names a host that would have to be
 * looked up (the loop never does): a socket's path in `host`, or `hostaddr`, is required.
 */
bool store_settings_check(const struct store_settings *settings, char words[STORE_WORDS]);

enum store_schema {
	STORE_CURRENT,
	STORE_BEHIND,      /* rspd --migrate is needed */
	STORE_AHEAD,       /* the database knows a version that this program does not */
	STORE_UNREACHABLE, /* no connection */
	STORE_UNWELL,      /* a migration or a statement failed */
};

/*
 * These two are for the start of the program: they block. The first compares the database's version
 * with what the program carries, and prepares every statement once. The second applies what is
 * missing, forward only, a transaction each, under an advisory lock. Both leave a sentence in words.
 */
enum store_schema
store_schema_check(const struct store_settings *settings, char words[STORE_WORDS]);
enum store_schema store_migrate(const struct store_settings *settings, char words[STORE_WORDS]);

/* Begins to connect and goes on by itself for ever. The settings' text is copied. */
struct store *store_new(struct loop *l, const struct store_settings *settings);
/* Only when no task waits for it any more. */
void store_free(struct store *s);

/* An online connection stands with all statements prepared. */
bool store_ready(const struct store *s);

/* Sends the notifications that were held back. For the end of the program; tasks may still ask. */
void store_drain(struct store *s);
/* Nothing waits, nothing is in flight, no notification is held back. */
bool store_idle(const struct store *s);

/*
 * Calls heard(arg) in the loop after another session, or this program, has notified the channel, and
 * once after each new connection, since something may have been missed. Channels are constants of
 * the program and live as long as it does; at most eight.
 */
void store_listen(struct store *s, const char *channel, void (*heard)(void *arg), void *arg);

/*
 * Holds a shared advisory lock, of the key outbox_owner_key(owner) of sql/schema, on the connection that listens:
 * who can take it knows that this program has died, or lost that connection and was told. `owner` is 16 octets.
 * held(arg, true) in the loop when it is held, held(arg, false) when it is lost; it is taken again by itself.
 */
void
store_hold(struct store *s, struct slice owner, void (*held)(void *arg, bool is_held), void *arg);

/* Notifies the channel, at most once per 100 ms however often it is called. */
void store_notify(struct store *s, const char *channel);

/* Calls told(arg) in the loop after a statement that may have written events was answered; NULL: nobody. */
void store_told_set(struct store *s, void (*told)(void *arg), void *arg);

struct store_statement_view {
	const char *name;
	uint64_t count, errors, us; /* us: from being sent to being answered, in all */
};
void store_statements_each(const struct store *s,
	void (*visit)(void *arg, const struct store_statement_view *v), void *arg);

struct store_lane_view {
	const char *name;
	unsigned connections, connected, busy;
	unsigned queued, queue_peak;
	uint64_t refused, repeated, lost; /* T_BUSY said, statements sent again, connections lost */
};
void store_lanes_each(const struct store *s,
	void (*visit)(void *arg, const struct store_lane_view *v), void *arg);

#endif
