#ifndef RSPD_INT_H
#define RSPD_INT_H
/* What the files that read the world (world.c, lists.c, dates.c) know of each other. */
#include <sys/stat.h>
#include "base/arena.h"
#include "rspd/world.h"

/* A file of revocation lists, as it was when it was read. */
struct list_file {
	const char *path;
	struct slice name; /* of its section: "ci nist" */
	struct stat seen;  /* all zero: it could not be opened */
};

enum { WORLD_LISTS = 256 };

/* What a world lives in. */
struct owner {
	struct dp_world world;
	struct arena mem;
	uint8_t (*test_cis)[CRYPTO_KEY_ID_SIZE];
	struct list_file *lists;
	unsigned list_count;
	unsigned list_from[WORLD_LISTS]; /* which file each list of the trust came from */
	size_t fixed; /* certificates of the world that are no revocation lists */
};

/* "FILE: what"; false. */
bool world_complain(char words[WORLD_WORDS], const char *file, const char *what);

/* A small file that holds PEM, never waiting for a pipe; how it was goes to `seen` unless NULL. */
bool world_file_read(struct arena *mem, const char *path, struct slice *out, struct stat *seen,
	char words[WORLD_WORDS]);

/* Takes every list that the configuration names into the world's trust, and remembers the files. */
bool lists_read(struct owner *o, const struct conf *conf, char words[WORLD_WORDS]);

/* Notes a certificate (DER) of ours with its dates; `name` lives as long as the world. */
void dates_add(struct owner *o, const char *what, struct slice name, struct slice der);
/* The lists that the trust holds now, in place of those that were noted. */
void dates_set_lists(struct owner *o);
/* What listeners, clients and [coap] sections show, and the eIM's certificate, file by file. */
bool dates_read(struct owner *o, const struct conf *conf, char words[WORLD_WORDS]);

#endif
