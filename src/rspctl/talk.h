#ifndef RSPCTL_TALK_H
#define RSPCTL_TALK_H
/* The conversation with the daemon: a request, its progress, its answer; and how it ends the program. */
#include <jansson.h>

/*
 * Sends one request on the connection (made at the first one) and waits for its answer: {"ok":…} or
 * {"error":…}, the caller's. Exits 69 with words when no daemon answers. `args` is borrowed.
 */
json_t *rspctl_ask(const char *verb, json_t *args);

/* 0 for ok; else tells the error on standard error and says with which code to exit. */
int rspctl_outcome(const json_t *answer);

/* Tells what is wrong and what to do; returns the code. */
int rspctl_fail(int code, const char *advice, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
