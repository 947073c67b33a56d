#ifndef CTL_INT_H
#define CTL_INT_H
/* What the files of the control socket know of each other: calls, verbs and their arguments. */
#include <jansson.h>
#include "ctl/ctl.h"
#include "dp/orders.h"
#include "loop/request.h"
#include "loop/task.h"
#include "store/store.h"

enum {
	CTL_LINE_MAX = 2 * 1024 * 1024, /* octets of one request */
	CTL_CONNECTIONS = 16,
	CTL_DEADLINE_MS = 60000,
	CTL_ARENA = 4 * 1024 * 1024,
	CTL_ACTOR = 96,
	CTL_STRANGERS = 64,
};

/* What an argument may hold. */
enum ctl_kind {
	CTL_TEXT,
	CTL_ICCID,  /* 18 to 20 digits; the pad F of the 20th is left out */
	CTL_EID,    /* 32 digits */
	CTL_NUMBER, /* 0 and above, 63 bits: a row's number too */
	CTL_COUNT,  /* 0 to 2^31 - 1 */
	CTL_FLAG,
	CTL_TEXTS,  /* an array */
	CTL_OCTETS, /* Base64 */
};

struct ctl_arg {
	const char *name;
	enum ctl_kind kind;
	bool mandatory;
};

struct ctl_connection;

/*
 * A verb: which arguments it takes, which procedure does it, how its state is filled (`read`, a refusal
 * when the arguments contradict each other) and told (`write`). The state of every procedure here begins
 * with a struct dp_call, or (`of_eim`) with a struct eim_call.
 */
struct ctl_verb {
	const char *name;
	const struct ctl_arg *args; /* ends with a NULL name */
	const struct procedure *procedure;
	const struct refusal *(*read)(struct task *t);
	void (*write)(struct task *t, json_t *ok);
	/* for the procedures `view` and `control` of this folder: what is particular to this verb */
	const struct step *(*ask)(struct task *t, struct rows *out, const struct step *then);
	const char *list; /* the member that holds the rows; NULL: the one row is the answer … */
	const struct refusal *none; /* … and this, when there is none */
	const struct refusal *(*act)(struct task *t);
	bool stream; /* octets follow the request (connection.c) */
	bool acts;   /* on the profile that it names: what is refused is told in its history */
	bool of_eim; /* the state of its procedure begins with a struct eim_call */
};

/* One request from its line to its answer; the task's `request` is its first member. */
struct ctl_call {
	struct request request;
	struct ctl *ctl;
	struct ctl_connection *connection;
	const struct ctl_verb *verb;
	json_t *args;
	char actor[CTL_ACTOR];
};

/* A user who was refused, so that the audit trail tells it once a minute and not at every try. */
struct ctl_stranger {
	uid_t uid;
	int64_t told_us; /* 0: nobody */
};

struct ctl {
	struct loop *loop;
	struct dp *dp;
	struct eim *eim;
	struct ctl_hooks hooks;
	char *path;
	long group; /* -1: none */
	dev_t device;
	ino_t inode; /* of the socket's file, so that only our own is removed */
	struct evconnlistener *listener;
	struct ctl_connection *connections;
	unsigned count;
	struct ctl_stranger strangers[CTL_STRANGERS];
};

/* NULL past a deadline that came after a write: nobody waits for the answer any more. */
static inline struct ctl_call *
ctl_call_get(struct task *t)
{
	return (struct ctl_call *)t->request;
}

/* The arguments of a task's call, copied into its arena; absent, -1, false or 0 when not given. */
struct slice ctl_text_get(struct task *t, const char *name);
int64_t ctl_number_get(struct task *t, const char *name);
bool ctl_flag_get(struct task *t, const char *name);
/* Writes no more than `max`; returns how many there are. */
size_t ctl_texts_get(struct task *t, const char *name, struct slice *out, size_t max);
/*
 * "2026-11-22" or "2026-11-22T21:00:00Z" in microseconds since 1970; STORE_NULL when it was not given, false
 * when it is none.
 */
bool ctl_time_get(struct task *t, const char *name, int64_t *us);
/* Decoded; false when it was given and is no Base64. */
bool ctl_octets_get(struct task *t, const char *name, struct slice *out);
/* Who asks, and the argument `why` when the verb has it. */
struct dp_actor ctl_actor_get(struct task *t);
/* The argument `operator`: whose type is meant; "default" when it is left out. */
struct slice ctl_operator_get(struct task *t);

/* Says what is wrong with the arguments; words may be made in the task's arena. */
const struct refusal *ctl_refuse(struct task *t, const char *words);

/* The arguments about metadata; `name` is the one that holds the profile's. */
const struct refusal *ctl_wishes_get(struct task *t, const char *name, struct dp_wishes *out);

/* Rows out of the octets that follow the task's request: CSV, or a JSON object a line. In the arena. */
struct dp_rows *ctl_rows_new(struct task *t, bool json_lines);

/* Adds text to an object; nothing when it is absent. */
void ctl_put_text(json_t *object, const char *name, struct slice text);

/*
 * NULL when it is a request of a known verb with fitting arguments (*args, borrowed from it, NULL when
 * there are none); else the error to be answered.
 */
json_t *ctl_request_check(json_t *request, const struct ctl_verb **verb, json_t **args);

/* Takes a request (NULL: the line was no JSON); it is answered through `connection`. */
void ctl_call_start(
	struct ctl *c, struct ctl_connection *connection, const char *actor, json_t *request);
/* The connection's next answer line, one per request. */
void ctl_connection_answer(struct ctl_connection *connection, json_t *answer);
void ctl_connection_new(struct ctl *c, int fd, const char *actor);
void ctl_connection_refuse(
	struct ctl *c, int fd, const char *code, const char *words, const char *advice);
void ctl_connections_free(struct ctl *c);
/* The streams that are open end: their calls are told that the rest will not come. */
void ctl_connections_drain(struct ctl *c);

/*
 * Octets behind a request, for verbs that stream: frames of "LENGTH\n" and so many octets, "0\n" at the
 * end. The peer may send as many as {"go":N} lines have allowed in all.
 */
enum ctl_stream_got { STREAM_PIECE, STREAM_WAIT, STREAM_END, STREAM_GONE };
void ctl_stream_start(struct ctl_connection *connection);
/* A piece that lives until the next call; the one before is used up then. */
enum ctl_stream_got ctl_stream_read(struct ctl_connection *connection, struct slice *piece);
const struct step *ctl_stream_wait(
	struct ctl_connection *connection, struct task *t, const struct step *then) MUST_RETURN;
/* Nothing more is taken of what follows: who waits goes on and reads STREAM_GONE. */
void ctl_stream_stop(struct ctl_connection *connection);

/* {"error":{…}}; words may hold "what is wrong; what to do", and then advice is NULL. */
json_t *ctl_error_new(const char *code, const char *words, const char *advice);

/* Writes an audit row beside whatever else happens; a database that is away is logged, no more. */
void ctl_note(struct ctl *c, const char *actor, const char *act, const char *why);

const struct ctl_verb *ctl_verb_find(const char *name);
/* In the table's order; NULL past the last. */
const struct ctl_verb *ctl_verb_get(unsigned i);

#endif
