/* The request arena: blocks that double up to 64 KiB, a cap, and disposers for foreign memory. */
#include <stdio.h>
#include <stdlib.h>
#include "base/arena.h"

struct arena_block {
	struct arena_block *next;
	size_t size, used; /* of data */
	max_align_t data[];
};

struct arena_defer {
	struct arena_defer *next;
	void (*drop)(void *);
	void *p;
};

enum { FIRST_BLOCK = 4096 - sizeof(struct arena_block), LAST_DOUBLING = 65536 };

void
arena_init(struct arena *a, size_t cap, void (*full)(void *), void *arg)
{
	*a = (struct arena){ .cap = cap, .full = full, .full_arg = arg };
}

void
arena_fini(struct arena *a)
{
	struct arena_block *next;

	for (struct arena_defer *d = a->defers; d; d = d->next)
		d->drop(d->p);
	for (struct arena_block *b = a->blocks; b; b = next) {
		next = b->next;
		explicit_bzero(b->data, b->used);
		free(b);
	}
	a->blocks = NULL;
	a->defers = NULL;
	a->used = 0;
}

static void
overflow(struct arena *a)
{
	if (a->full)
		a->full(a->full_arg);
	abort();
}

static struct arena_block *
grow(struct arena *a, size_t n)
{
	size_t size = a->blocks ? a->blocks->size * 2 : FIRST_BLOCK;
	struct arena_block *b;

	if (size > LAST_DOUBLING)
		size = LAST_DOUBLING;
	if (size < n)
		size = n;
	if (a->used + sizeof *b + size > a->cap)
		size = n;
	if (n > a->cap || a->used + sizeof *b + size > a->cap)
		return NULL;
	b = malloc(sizeof *b + size);
	if (!b)
		return NULL;
	*b = (struct arena_block){ .next = a->blocks, .size = size };
	a->used += sizeof *b + size;
	return a->blocks = b;
}

bool
arena_reserve(struct arena *a, size_t n)
{
	return grow(a, n);
}

static void *
take(struct arena *a, size_t n)
{
	struct arena_block *b = a->blocks;
	size_t rounded = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	void *p;

	if (rounded < n)
		return NULL;
	if (!b || b->size - b->used < rounded) {
		b = grow(a, rounded);
		if (!b)
			return NULL;
	}
	p = (uint8_t *)b->data + b->used;
	b->used += rounded;
	memset(p, 0, rounded);
	return p;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	void *p = take(a, n ? n : 1);

	if (!p)
		overflow(a);
	return p;
}

struct slice
arena_copy(struct arena *a, struct slice s)
{
	uint8_t *p;

	if (!s.p)
		return SLICE_NONE;
	p = arena_alloc(a, s.n + 1);
	memcpy(p, s.p, s.n);
	return slice_of(p, s.n);
}

const char *
arena_string(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

const char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args, again;
	int n;
	char *p;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	p = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
	vsnprintf(p, (size_t)(n < 0 ? 0 : n) + 1, fmt, again);
	va_end(again);
	return p;
}

void
arena_defer(struct arena *a, void (*drop)(void *), void *p)
{
	struct arena_defer *d = take(a, sizeof *d);

	if (!d) {
		drop(p);
		overflow(a);
	}
	*d = (struct arena_defer){ .next = a->defers, .drop = drop, .p = p };
	a->defers = d;
}
