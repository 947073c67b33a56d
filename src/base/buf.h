#ifndef BASE_BUF_H
#define BASE_BUF_H
/*
 * A growing run of octets in an arena, with a maximum that is set at birth. Past the maximum it takes
 * nothing more and remembers that it overflowed; the writer asks once, at the end.
 */
#include "base/arena.h"

struct buf {
	struct arena *mem;
	uint8_t *p;
	size_t n, room, max; /* octets */
	bool overflow;
};

void buf_init(struct buf *b, struct arena *mem, size_t max);
void buf_put(struct buf *b, struct slice s);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16(struct buf *b, uint16_t v); /* big-endian, as all of these */
void buf_put_u32(struct buf *b, uint32_t v);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_text(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for n more octets, so that many small puts do not copy what is there again and again. */
void buf_expect(struct buf *b, size_t n);

/* Room for n octets that the caller fills at once; NULL when it does not fit below the maximum. */
uint8_t *buf_reserve(struct buf *b, size_t n);

/* What was put so far; valid until the next put. A zero octet follows it. Absent after an overflow. */
struct slice buf_get(struct buf *b);

#endif
