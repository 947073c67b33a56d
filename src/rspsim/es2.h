#ifndef RSPSIM_ES2_H
#define RSPSIM_ES2_H
/*
 * ES2+ as a client: an operator that orders (SGP.22 §5.3), over mutual TLS. A client belongs to one thread
 * and keeps its connection.
 */
#include "rspsim/es9.h"

struct rspsim_es2_options {
	const char *server;  /* name of the SM-DP+ */
	const char *connect; /* HOST:PORT; NULL: the name's own */
	const char *ca;      /* what the server's certificate leads to, PEM; NULL: the system's */
	const char *certificate, *key; /* the operator's, PEM */
	const char *requester;         /* functionRequesterIdentifier */
	bool trusting;                 /* do not verify the server */
	bool trace;                    /* bodies to standard error */
};

struct rspsim_es2;

/* The options live as long. One process-wide curl_global_init must have been made. */
struct rspsim_es2 *rspsim_es2_new(const struct rspsim_es2_options *options);
void rspsim_es2_free(struct rspsim_es2 *es2);

/*
 * Calls "downloadOrder" and its like; `members` (taken over) gets its header here, with this
 * functionCallIdentifier or, when it is NULL, a new one. The answer is a new reference, or NULL.
 */
void rspsim_es2_post(struct rspsim_es2 *es2, const char *function, json_t *members,
	const char *identifier, struct rspsim_call *call, json_t **answer);

#endif
