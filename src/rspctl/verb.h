#ifndef RSPCTL_VERB_H
#define RSPCTL_VERB_H
/*
 * The operator's language: one table of verbs with their options, from which come parsing, help, usage
 * errors and the verbs' chapter of rspctl(1).
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum rspctl_kind {
	RSPCTL_TEXT,
	RSPCTL_NUMBER,
	RSPCTL_FLAG,     /* without a dash: the word itself, at its place */
	RSPCTL_LIST,     /* may be given several times */
	RSPCTL_FILE,     /* sent as Base64 of what is in it */
	RSPCTL_PACKAGES, /* profile packages, sent likewise; may be given several times */
};

struct rspctl_option {
	const char *name;   /* "--eid"; a place without dashes: "ICCID" */
	const char *value;  /* what stands for it in help: "EID"; NULL for flags and places */
	const char *member; /* of the request; NULL: for rspctl itself, under its name */
	enum rspctl_kind kind;
	bool must;
	const char *words;
};

struct rspctl_verb {
	const char *name;                    /* one to three words */
	const char *words;                   /* one line */
	const char *more;                    /* a paragraph, or NULL */
	const struct rspctl_option *options; /* ends with a NULL name */
	/* NULL: ask the daemon, show the answer */
	int (*run)(const struct rspctl_verb *verb);
	void (*show)(json_t *ok);
};

/* What the command line said. */
struct rspctl_call {
	const char *socket;
	bool json;     /* the answer goes out as it is */
	json_t *args;  /* of the request */
	json_t *local; /* options for rspctl itself, by name without dashes */
};
extern struct rspctl_call rspctl_call;

/* NULL past the last. */
const struct rspctl_verb *rspctl_verb_get(unsigned i);
/* By the words at the beginning of argv; *used of them. NULL: none. */
const struct rspctl_verb *rspctl_verb_find(int argc, char **argv, int *used);
/* The verb most like these words. */
const char *rspctl_verb_nearest(const char *words);

/* Reads a verb's options into rspctl_call; 0 or an exit code, after it told what is wrong. */
int rspctl_options_read(const struct rspctl_verb *verb, int argc, char **argv);

/* A file's octets as Base64; NULL after it told why not. At most `most` octets. */
json_t *rspctl_file_read(const char *path, size_t most);

void rspctl_help_all(FILE *out);
void rspctl_help_verb(const struct rspctl_verb *verb, FILE *out);
/* The verbs' chapter of rspctl(1), in mdoc(7). */
void rspctl_help_manual(FILE *out);

/* One-line options of a verb, as in "order show ICCID". */
void rspctl_synopsis(const struct rspctl_verb *verb, FILE *out);

#endif
