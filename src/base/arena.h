#ifndef BASE_ARENA_H
#define BASE_ARENA_H
/*
 * Memory of one request. It grows in blocks up to a cap and is given back whole. Nothing taken from it
 * is freed singly. Allocation never returns NULL: past the cap (or without memory) the arena jumps to
 * its `full` handler, which does not return; the task runner uses that to end the task with T_NOMEM.
 * Foreign memory (asn1c, jansson, OpenSSL) is tied to it at birth with arena_defer.
 */
#include <stdarg.h>
#include "base/slice.h"

struct arena_block;
struct arena_defer;

struct arena {
	struct arena_block *blocks;
	struct arena_defer *defers; /* run last first by arena_fini */
	size_t used, cap;           /* octets, block heads included */
	void (*full)(void *);       /* does not return; NULL: abort */
	void *full_arg;
};

/* `cap` in octets. The first block comes with the first allocation. */
void arena_init(struct arena *a, size_t cap, void (*full)(void *), void *arg);

/* Runs what was deferred, wipes and frees all. The arena may be initialised again afterwards. */
void arena_fini(struct arena *a);

/* Makes the first block, of n octets or more; false without memory or beyond the cap. Only before any use. */
bool arena_reserve(struct arena *a, size_t n);

/* Zeroed, aligned for any type, valid until arena_fini. n may be 0. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((malloc, returns_nonnull));
#define ARENA_NEW(a, type) ((type *)arena_alloc(a, sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc(a, sizeof(type) * (n)))

/* A copy; one zero octet follows it, so text may be used as a C string. An absent slice stays absent. */
struct slice arena_copy(struct arena *a, struct slice s);
const char *arena_string(struct arena *a, struct slice s) __attribute__((returns_nonnull));
const char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));

/* Calls drop(p) in arena_fini. If the note itself finds no room, drop(p) is called before the jump. */
void arena_defer(struct arena *a, void (*drop)(void *), void *p);

#endif
