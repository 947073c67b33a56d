#ifndef CONF_CONF_H
#define CONF_CONF_H
/*
 * The configuration: rspd.conf read through one table (options.def) into an immutable snapshot. A
 * snapshot is counted: each task holds the one that it began under, reload makes another.
 */
#include <stdbool.h>
#include "base/log.h"
#include "base/slice.h"

struct conf_list {
	const char *const *at;
	unsigned n;
};

struct conf_version {
	uint8_t major, minor, patch;
};

/* The C types behind the table's. Text is NULL where an option that may be left out was. */
#define CONF_TEXT const char *
#define CONF_FILE const char * /* absolute, or relative to where rspd was started */
#define CONF_NAMES struct conf_list
#define CONF_FILES struct conf_list
#define CONF_NUMBER unsigned
#define CONF_SECONDS unsigned
#define CONF_OCTETS unsigned
#define CONF_LEVEL const char * /* a name that log_level_set knows */
#define CONF_ROLE const char *  /* "es9", "es2" or "esipa" */
#define CONF_VERSION struct conf_version
#define CONF_IP const char *     /* numeric */
#define CONF_SERVER const char * /* "host" or "host:port" */
#define CONF_FLAG bool

/* struct conf_listener { const char *name; unsigned line; const char *address; … } and so on. */
#define SECTION(kind, COUNT, help)                                              \
	struct conf_##kind {                                                    \
		const char *name; /* "nist" of [listener nist]; NULL for ONE */ \
		unsigned line;    /* where it begins; 0: it is not in the file */
#define OPTION(kind, member, TYPE, least, most, unit, NEED, value, WHEN, help) CONF_##TYPE member;
#define END(kind) \
	}         \
	;
#include "conf/options.def"

/* The snapshot: conf->limits.tasks, conf->listeners[i].port with i < conf->listener_n, and so on. */
struct conf {
	const char *path;
#define CONF_ONE(kind) struct conf_##kind kind;
#define CONF_SOME(kind)                    \
	const struct conf_##kind *kind##s; \
	unsigned kind##_n;
#define CONF_MAYBE CONF_ONE
#define CONF_ANY CONF_SOME
#define SECTION(kind, COUNT, help) CONF_##COUNT(kind)
#define OPTION(...)
#define END(kind)
#include "conf/options.def"
#undef CONF_ONE
#undef CONF_SOME
#undef CONF_MAYBE
#undef CONF_ANY
};

/* What is wrong, a line of text each: "rspd.conf:12: [listener nist] port: …, do this". */
enum { CONF_ERRORS = 20, CONF_ERROR_LENGTH = 320 };
struct conf_errors {
	unsigned n; /* found in all; only the first CONF_ERRORS are kept */
	char text[CONF_ERRORS][CONF_ERROR_LENGTH];
};

/*
 * Reads a file. NULL when anything is wrong; every error is in `errors`, which is emptied first.
 * The caller releases the snapshot.
 */
const struct conf *conf_read(const char *path, struct conf_errors *errors);
/* The same from memory; `path` stands in messages, and its folder is where relative paths begin. */
const struct conf *conf_read_text(struct slice text, const char *path, struct conf_errors *errors);

/* One more holder; returns the same. */
const struct conf *conf_hold(const struct conf *c);
/* NULL is allowed. With its last holder the snapshot is gone. */
void conf_release(const struct conf *c);

/*
 * True when a running daemon may go from one snapshot to the other. Else `errors` names each option
 * that changed and needs a restart.
 */
bool
conf_reloadable(const struct conf *running, const struct conf *wanted, struct conf_errors *errors);

/* Sets the level of each log area. */
void conf_log_apply(const struct conf *c);

#endif
