#ifndef RSPCTL_TALK_H
#define RSPCTL_TALK_H
/* The conversation with the daemon: a request, its progress, its answer; and how it ends the program. */
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Sends one request on the connection (made at the first one) and waits for its answer: {"ok":…} or
 * {"error":…}, the caller's. Exits with words: 69 when no daemon answers, 76 when what it says is no
 * answer. `args` is borrowed.
 */
json_t *rspctl_ask(const char *verb, json_t *args);

/* The next octets, at most so many: how many there are, 0 at the end, less when they cannot be read. */
typedef ssize_t rspctl_read(void *arg, char *piece, size_t most);

/*
 * As rspctl_ask, with octets behind the request: as many as `read` gives, `size` in all for the progress
 * (0: nobody knows). NULL with errno when they cannot be read; the daemon is told nothing then, and drops
 * what it has.
 */
json_t *rspctl_stream(const char *verb, json_t *args, rspctl_read *read, void *arg, long long size);

/* One line of the daemon's: how far it is, how much it takes, or its last word. */
struct rspctl_answer {
	json_t *last; /* an object with ok or error, an object each; the caller's. NULL: progress */
	long long done, of;
	long long go; /* octets that may follow the request, in all; 0: this is not about that */
};
/* False when the line is neither. */
bool rspctl_answer_read(const char *line, size_t n, struct rspctl_answer *out);

/* 0 for ok; else tells the error on standard error and says with which code to exit. */
int rspctl_outcome(const json_t *answer);

/* Tells what is wrong and what to do; returns the code. */
int rspctl_fail(int code, const char *advice, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
