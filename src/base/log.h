#ifndef BASE_LOG_H
#define BASE_LOG_H
/*
 * One line per fact on standard error, key=value. Each area has its own level. Octets appear only in
 * traces, secrets never. Under systemd lines carry the priority prefix that the journal understands.
 */
#include <stdbool.h>
#include "base/slice.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* The areas; a folder logs in its own. */
/* clang-format off */
#define LOG_AREAS(A) \
	A(rspd) A(conf) A(loop) A(https) A(coap) A(es9) A(es2) A(esipa) A(ctl) A(dp) A(eim) A(store) \
	A(keys) A(audit) A(outbox) A(peer)
/* clang-format on */
#define LOG_AREA_ENUM(name) LOG_##name,
enum log_area { LOG_AREAS(LOG_AREA_ENUM) LOG_AREA_COUNT };
#undef LOG_AREA_ENUM

/* LOG(dp, NOTICE, "eid=%s did=%s", …): the format is the rest of the line. */
#define LOG(area, level, ...)                                           \
	do {                                                            \
		if (log_wanted(LOG_##area, LOG_##level))                \
			log_line(LOG_##area, LOG_##level, __VA_ARGS__); \
	} while (0)

bool log_wanted(enum log_area area, enum log_level level);
void log_line(enum log_area area, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Level of one area by name, or of all when the area is "all"; false when a name is unknown. */
bool log_level_set(const char *area, const char *level);
const char *log_area_name(enum log_area area);
const char *log_level_name(enum log_level level);
enum log_level log_level_get(enum log_area area);

/* Traces: everything about one EID (32 digits) is logged at NOTICE, whatever the area's level. */
bool log_trace_add(const char *eid);    /* false when eight are traced already */
bool log_trace_remove(const char *eid); /* false when it was not traced */
bool log_traced(struct slice eid);

/*
 * A value as it may stand in a line, for a terminal as for the journal: quoted when it holds blanks or
 * quotes, quotes escaped, what is no printable ASCII shown as '?', cut at 200 octets. Writes into `out` and returns it.
 */
const char *log_value(struct slice value, char out[512]);

/*
 * An identifier that tells whose line it is to who knows it, and nobody else: its first six and last four
 * characters ("890490...5030"). What is too short for that is only dots. In `out`, which is returned.
 */
enum { LOG_MASKED = 16 };
const char *log_masked(struct slice identifier, char out[LOG_MASKED]);

#endif
