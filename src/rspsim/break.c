/* The table of deliberate faults, and the octet tricks that several of them share. */
#include <string.h>
#include "rspsim/break.h"

static const struct {
	const char *step, *kind, *words;
} breaks[RSPSIM_BREAK_COUNT] = {
#define BREAK(name, step, kind, words) [RSPSIM_BREAK_##name] = { step, kind, words },
#include "rspsim/break.def"
#undef BREAK
};

enum rspsim_break
rspsim_break_find(const char *name)
{
	for (int i = 1; i < RSPSIM_BREAK_COUNT; i++) {
		size_t n = strlen(breaks[i].step);

		if (strncmp(name, breaks[i].step, n) == 0 && name[n] == ':' &&
			strcmp(name + n + 1, breaks[i].kind) == 0)
			return (enum rspsim_break)i;
	}
	return RSPSIM_BREAK_NONE;
}

void
rspsim_break_print(FILE *out)
{
	for (int i = 1; i < RSPSIM_BREAK_COUNT; i++) {
		int used = fprintf(out, "%s:%s", breaks[i].step, breaks[i].kind);

		fprintf(out, "%*s%s\n", used < 32 ? 32 - used : 1, "", breaks[i].words);
	}
}

struct slice
rspsim_break_flip(struct arena *mem, struct slice octets, size_t from_end)
{
	uint8_t *p = arena_alloc(mem, octets.n + 1);

	memcpy(p, octets.p, octets.n);
	p[octets.n - from_end] ^= 1;
	return slice_of(p, octets.n);
}

struct slice
rspsim_break_cut(struct slice octets)
{
	return slice_of(octets.p, octets.n - 1);
}
