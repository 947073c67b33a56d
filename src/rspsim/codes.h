#ifndef RSPSIM_CODES_H
#define RSPSIM_CODES_H
/* The matching ids that rspsim load downloads. */
#include "base/arena.h"

struct rspsim_codes {
	const char **text;
	size_t count;
};

/* False when there is none, or no such file. Lines above 298 octets count as several. */
bool rspsim_codes_read(struct arena *mem, const char *path, struct rspsim_codes *out);

#endif
