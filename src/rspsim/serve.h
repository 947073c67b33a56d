#ifndef RSPSIM_SERVE_H
#define RSPSIM_SERVE_H
/*
 * Small HTTPS servers for tests and demonstrations: a thread a connection, HTTP/1.1 with keep-alive, POST
 * alone. Handlers run one at a time. And what makes such a server fail when it is told to.
 */
#include <openssl/ssl.h>
#include "base/arena.h"

struct rspsim_answer {
	unsigned status;     /* HTTP */
	const char *body;    /* JSON in the arena, or NULL */
	struct slice octets; /* otherwise, of this media type */
	const char *type;
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
	const char *fail;           /* how it fails from the start, or NULL */
	rspsim_serve_handler *handler;
	void *arg;
};

/*
 * Serves until the process ends; says "listening on HOST:PORT" once it does. Returns an exit code when it
 * cannot. Each line of standard input says how it fails from then on; "as you say" is the answer.
 */
int rspsim_serve(const struct rspsim_serve *s);

/* ---- failing as told ---------------------------------------------------------------------------------- */

/* FAILURE(NAME, "name", has a value, does what it is asked) */
#define RSPSIM_FAILURES(FAILURE)                                                   \
	FAILURE(NOT, "no", false, true)                                            \
	FAILURE(STATUS, "status", true, false) /* answers with it */               \
	FAILURE(RETRY, "retry", true, false)   /* 503, Retry-After: seconds */     \
	FAILURE(REDIRECT, "redirect", false, false)                                \
	FAILURE(GARBAGE, "garbage", false, false) /* answers no HTTP */            \
	FAILURE(HANG, "hang", false, false)       /* never answers */              \
	FAILURE(CUT, "cut", false, false)         /* ends the connection */        \
	FAILURE(LOSE, "lose", false, true)        /* ends it when all is done */   \
	FAILURE(DELAY, "delay", true, true)       /* answers after milliseconds */ \
	FAILURE(LATE, "late", true, true)         /* does it after milliseconds */ \
	FAILURE(DRIP, "drip", true, true)         /* milliseconds for each octet */
#define RSPSIM_FAIL_ENUM(NAME, ...) RSPSIM_FAIL_##NAME,
enum rspsim_failure { RSPSIM_FAILURES(RSPSIM_FAIL_ENUM) };
#undef RSPSIM_FAIL_ENUM

struct rspsim_failing {
	enum rspsim_failure what;
	unsigned value;
	unsigned calls; /* how many are left to fail */
};

/* "status:500*3", "delay:2000*1", "cut*2", "no"; without *N for ever. NULL or what is wrong. */
const char *rspsim_failing_read(const char *text, struct rspsim_failing *out);

#endif
