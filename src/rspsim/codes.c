/* The file of matching ids for rspsim load: one a line. */
#include <stdio.h>
#include "base/text.h"
#include "rspsim/codes.h"

bool
rspsim_codes_read(struct arena *mem, const char *path, struct rspsim_codes *out)
{
	FILE *f = fopen(path, "r");
	size_t room = 0;
	char line[300];

	*out = (struct rspsim_codes){ 0 };
	while (f && fgets(line, sizeof line, f)) {
		struct slice code = slice_trim(slice_text(line));

		if (!code.n)
			continue;
		if (out->count == room) {
			const char **more;

			room = room ? 2 * room : 1024;
			more = ARENA_ARRAY(mem, const char *, room);
			if (out->count)
				memcpy(more, out->text, out->count * sizeof *more);
			out->text = more;
		}
		out->text[out->count++] = arena_string(mem, code);
	}
	if (f)
		fclose(f);
	return out->count > 0;
}
