/* Header fields of GSMA's functions over HTTP (SGP.22 §6.2), read as leniently as real clients need. */
#include <string.h>
#include "base/rand.h"
#include "stats/stats.h"
#include "wire/http.h"

bool
wire_media_type_fits(struct slice content_type, const char *media_type)
{
	const uint8_t *semicolon =
		content_type.p ? memchr(content_type.p, ';', content_type.n) : NULL;
	struct slice type = content_type;

	if (semicolon)
		type.n = (size_t)(semicolon - content_type.p);
	if (semicolon &&
		!slice_eq_nocase(slice_trim(slice_sub(content_type, type.n + 1, content_type.n)),
			SLICE_LIT("charset=utf-8")))
		stats_add(STATS_lenient_media_type);
	/* Nothing said, or said to be nothing: the path tells. */
	return !slice_trim(content_type).n ||
		slice_eq_nocase(slice_trim(type), slice_text(media_type));
}

void
wire_protocol_count(struct slice value)
{
	if (value.n < 12 || memcmp(value.p, "gsma/rsp/v", 10) != 0 || value.p[10] < '2' ||
		value.p[10] > '3' || value.p[11] != '.')
		stats_add(STATS_lenient_admin_protocol);
}

unsigned
wire_retry_after(void)
{
	uint8_t random;

	rand_bytes(&random, 1);
	return 2 + random % 4;
}
