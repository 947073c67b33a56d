#ifndef RSPSIM_BREAK_H
#define RSPSIM_BREAK_H
/* Deliberate faults of card and LPA, by name (break.def); at most one in a run. */
#include <stdio.h>
#include "base/arena.h"

enum rspsim_break {
	RSPSIM_BREAK_NONE,
#define BREAK(name, step, kind, words) RSPSIM_BREAK_##name,
#include "rspsim/break.def"
#undef BREAK
	RSPSIM_BREAK_COUNT
};

/* By "step:kind"; RSPSIM_BREAK_NONE when there is no such fault. */
enum rspsim_break rspsim_break_find(const char *name);
void rspsim_break_print(FILE *out); /* a line for each */

/* A copy in `mem` with the lowest bit of one octet flipped; `from_end` 1 is the last octet. */
struct slice rspsim_break_flip(struct arena *mem, struct slice octets, size_t from_end);
struct slice rspsim_break_cut(struct slice octets); /* without the last octet */

#endif
