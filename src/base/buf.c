/* Buffers with a maximum, growing by doubling inside an arena. */
#include <stdio.h>
#include "base/buf.h"

void
buf_init(struct buf *b, struct arena *mem, size_t max)
{
	*b = (struct buf){ .mem = mem, .max = max };
}

static bool
make_room(struct buf *b, size_t n)
{
	size_t room = b->room ? b->room : 256;
	uint8_t *p;

	if (b->overflow || n > b->max - b->n) {
		b->overflow = true;
		return false;
	}
	if (b->n + n < b->room)
		return true;
	while (room <= b->n + n)
		room *= 2;
	if (!b->room && n >= 256)
		room = n + 1; /* what is said at the start is what is wanted */
	if (room > b->max + 1)
		room = b->max + 1;
	p = arena_alloc(b->mem, room);
	if (b->n)
		memcpy(p, b->p, b->n);
	b->p = p;
	b->room = room;
	return true;
}

void
buf_expect(struct buf *b, size_t n)
{
	make_room(b, n);
}

uint8_t *
buf_reserve(struct buf *b, size_t n)
{
	uint8_t *p;

	if (!make_room(b, n))
		return NULL;
	p = b->p + b->n;
	b->n += n;
	return p;
}

void
buf_put(struct buf *b, struct slice s)
{
	uint8_t *p = buf_reserve(b, s.n);

	if (p && s.n)
		memcpy(p, s.p, s.n);
}

void
buf_put_u8(struct buf *b, uint8_t v)
{
	buf_put(b, slice_of(&v, 1));
}

void
buf_put_u16(struct buf *b, uint16_t v)
{
	uint8_t p[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	buf_put(b, SLICE_ARRAY(p));
}

void
buf_put_u32(struct buf *b, uint32_t v)
{
	buf_put_u16(b, (uint16_t)(v >> 16));
	buf_put_u16(b, (uint16_t)v);
}

void
buf_put_u64(struct buf *b, uint64_t v)
{
	buf_put_u32(b, (uint32_t)(v >> 32));
	buf_put_u32(b, (uint32_t)v);
}

void
buf_put_text(struct buf *b, const char *s)
{
	buf_put(b, slice_text(s));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args, again;
	int n;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n > 0 && make_room(b, (size_t)n)) {
		vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

struct slice
buf_get(struct buf *b)
{
	if (b->overflow || !make_room(b, 0))
		return SLICE_NONE;
	b->p[b->n] = 0;
	return slice_of(b->p, b->n);
}
