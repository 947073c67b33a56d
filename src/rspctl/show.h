#ifndef RSPCTL_SHOW_H
#define RSPCTL_SHOW_H
/*
 * Answers for people: tables and lists of facts. Whatever the daemon sent is printed without its control
 * characters: names in profiles come from outside.
 */
#include <jansson.h>
#include <stddef.h>

struct rspctl_column {
	const char *title, *member;
};

#define RSPCTL_CELL 512
/* Text without what a terminal would obey, cut to the room; absent is empty. Returns `out`. */
const char *rspctl_show_safe(const char *from, char out[RSPCTL_CELL]);

/* A table of the objects in an array. */
void rspctl_show_table(json_t *rows, const struct rspctl_column *columns, size_t n);
#define SHOW_TABLE(rows, columns) \
	rspctl_show_table(rows, columns, sizeof(columns) / sizeof *(columns))

/* Every plain member of an object, one a line. */
void rspctl_show_facts(json_t *object);

/* The verbs' own. */
void rspctl_show_profiles(json_t *ok);
void rspctl_show_types(json_t *ok);
void rspctl_show_type(json_t *ok);
void rspctl_show_operators(json_t *ok);
void rspctl_show_clients(json_t *ok);
void rspctl_show_order(json_t *ok);
void rspctl_show_sessions(json_t *ok);
void rspctl_show_events(json_t *ok);
void rspctl_show_subscribers(json_t *ok);
void rspctl_show_audit(json_t *ok);
void rspctl_show_keys(json_t *ok);
void rspctl_show_stats(json_t *ok);
void rspctl_show_tasks(json_t *ok);
void rspctl_show_log(json_t *ok);
void rspctl_show_history(json_t *ok);
void rspctl_show_denied(json_t *ok);
void rspctl_show_euicc(json_t *ok);
void rspctl_show_queue(json_t *ok);
void rspctl_show_package(json_t *ok);
void rspctl_show_done(json_t *ok);

#endif
