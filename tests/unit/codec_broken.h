#ifndef CODEC_BROKEN_H
#define CODEC_BROKEN_H
/*
 * Messages cut anywhere, with any octet changed, or with a length of 4 GiB: each is refused or read, and the
 * sanitizer watches. What is cut must be refused.
 */
#include <stdlib.h>
#include "codec_text.h"

/* Reads the octets into whatever struct, with that arena. */
typedef bool broken_reader(struct arena *mem, struct slice octets);

/* Of its own size, so that one octet beyond is seen. */
static inline bool
broken_read(broken_reader *read, const uint8_t *p, size_t n, size_t at, uint8_t mask)
{
	uint8_t *exact = malloc(n ? n : 1);
	struct arena mem;
	bool taken;

	memcpy(exact, p, n);
	if (mask)
		exact[at] ^= mask;
	arena_init(&mem, 32u << 20, NULL, NULL);
	taken = read(&mem, slice_of(exact, n));
	arena_fini(&mem);
	free(exact);
	return taken;
}

static inline void
assert_broken_refused(struct slice octets, broken_reader *read)
{
	static const uint8_t mask[] = { 0x01, 0x20, 0x80, 0xff };
	uint8_t huge[16] = { 0 };
	size_t tag = octets.p[0] == 0xbf ? 2 : 1;

	assert_true(broken_read(read, octets.p, octets.n, 0, 0));
	for (size_t cut = 0; cut < octets.n; cut++)
		assert_false(broken_read(read, octets.p, cut, 0, 0));
	for (size_t at = 0; at < octets.n; at++)
		for (size_t m = 0; m < sizeof mask; m++)
			broken_read(read, octets.p, octets.n, at, mask[m]);
	memcpy(huge, octets.p, tag);
	memset(huge + tag, 0xff, 5);
	for (uint8_t length = 0x84; length <= 0x88; length++) {
		huge[tag] = length;
		assert_false(broken_read(read, huge, sizeof huge, 0, 0));
	}
}

#endif
