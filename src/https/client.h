#ifndef HTTPS_CLIENT_H
#define HTTPS_CLIENT_H
/*
 * Calls that we make: HTTPS POST over libcurl's multi interface on the one loop, as an awaitable of a
 * task. TLS 1.2 and above; the server's certificate must lead to the roots that the call names and bear
 * the name that it called; no redirects, no proxies, no other protocol than https. Connections are kept and
 * used again. Names are resolved in libcurl's own threads, so the loop never waits for them.
 */
#include "loop/task.h"

struct loop;
struct https_client;
struct https_keys;

/* At most `calls` at a time; beyond, https_client_post says T_BUSY. */
struct https_client *https_client_new(struct loop *l, unsigned calls);
void https_client_limit_set(struct https_client *c, unsigned calls);
/* Only when no task waits for it any more. Closes what idles. */
void https_client_free(struct https_client *c);

/* ---- certificates with which we show ourselves ----------------------------------------------------- */

/*
 * A set, counted by its holders and by the calls that use it. Of several the server is shown the one whose
 * issuer it names as acceptable, else one on the curve of its own certificate, else the first.
 */
enum { HTTPS_KEYS = 32 };
struct https_keys *https_keys_new(void);
/* PEM files: the chain, leaf first, and its key. False: `why` (HTTPS_WHY octets) says what is wrong. */
bool https_keys_add(struct https_keys *k, const char *certificate, const char *key, char *why);
struct https_keys *https_keys_hold(struct https_keys *k);
/* NULL is allowed. */
void https_keys_release(struct https_keys *k);

/* ---- a call ------------------------------------------------------------------------------------------ */

struct https_call {
	const char *url;            /* https://host[:port]/path */
	const char *const *headers; /* "Name: value" each, ends with NULL; or NULL */
	struct slice body;
	/* PEM: what the server's certificate must lead to. It may stand here itself. */
	struct slice roots;
	struct https_keys *keys; /* NULL: we show none */
	uint32_t connect_ms, total_ms;
	size_t answer_most; /* octets of the answer's body; a longer one is no answer */
};

struct https_reply {
	unsigned status; /* HTTP status; 0: no answer came */
	struct slice body;
	unsigned retry_after; /* seconds; 0: not said */
	const char *wrong;    /* why no answer came, for people */
};

/*
 * The awaitable: R_OK with a status, R_NONE without an answer. Everything in `call` but the keys is used
 * up when it returns or lives in the task's arena, as does the reply. A task that stops waiting takes the
 * call with it: the connection is closed.
 */
const struct step *
https_client_post(struct task *t, struct https_client *c, const struct https_call *call,
	struct https_reply *out, const struct step *then) MUST_RETURN;

#endif
