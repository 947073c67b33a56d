#ifndef RSPSIM_SERVE_H
#define RSPSIM_SERVE_H
/*
 * Small HTTPS servers for tests and demonstrations: a thread a connection, HTTP/1.1 with keep-alive, POST
 * alone. Handlers run one at a time. And what makes such a server fail when it is told to.
 */
#include <openssl/ssl.h>
#include "base/arena.h"

struct rspsim_answer {
	unsigned status;  /* HTTP; 0: the connection is cut without an answer */
	const char *body; /* JSON in the arena, or NULL */
	unsigned delay_ms;
};

/* `client` is the certificate that the client showed, or NULL. */
typedef struct rspsim_answer rspsim_serve_handler(
	void *arg, struct arena *mem, const char *path, struct slice body, X509 *client);

struct rspsim_serve {
	const char *listen;         /* HOST:PORT, numeric */
	const char *certificate[2]; /* PEM chains and keys; the second may be NULL */
	const char *key[2];         /* one of each curve: the client's groups decide */
	const char *roots[2];       /* PEM files: whose clients are let in; none: anybody */
	bool only;                  /* nobody without a certificate */
	rspsim_serve_handler *handler;
	void *arg;
};

/*
 * Serves until the process ends; says "listening on HOST:PORT" once it does. Returns an exit code when it
 * cannot. Lines of standard input are given to `command`, when there is one, under the handlers' lock.
 */
int rspsim_serve(const struct rspsim_serve *s, void (*command)(void *arg, const char *line));

/* ---- failing as told ---------------------------------------------------------------------------------- */

enum rspsim_failure {
	RSPSIM_FAIL_NOT,
	RSPSIM_FAIL_STATUS, /* answers with it, and takes no note of the call */
	RSPSIM_FAIL_DELAY,  /* answers rightly after so many milliseconds */
	RSPSIM_FAIL_CUT,    /* cuts the connection, and takes no note */
	RSPSIM_FAIL_LOSE,   /* takes note, then cuts the connection */
};

struct rspsim_failing {
	enum rspsim_failure what;
	unsigned value;
	unsigned calls; /* how many are left to fail */
};

/* "status:500*3", "delay:2000*1", "cut*2", "lose*1", "no"; without *N for ever. NULL or what is wrong. */
const char *rspsim_failing_read(const char *text, struct rspsim_failing *out);
/* What the next call meets; one less is left. */
struct rspsim_failing rspsim_failing_next(struct rspsim_failing *f);

#endif
