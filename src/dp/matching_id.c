/*
 * MatchingIDs and activation codes (SGP.22 §4.1). A MatchingID of an order without EID is a bearer
 * secret: whoever has it gets the profile. So those made here are long and random.
 */
#include "base/buf.h"
#include "base/rand.h"
#include "dp/matching_id.h"

/* 32 signs, five bits each: no I, L, O, U. */
static const char signs[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum { GROUPS = 7, GROUP = 4 };

struct slice
dp_matching_id_new(struct arena *mem)
{
	uint8_t random[GROUPS * GROUP];
	uint8_t *text = arena_alloc(mem, GROUPS * (GROUP + 1)), *p = text;

	rand_bytes(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++) {
		if (i && i % GROUP == 0)
			*p++ = '-';
		*p++ = (uint8_t)signs[random[i] & 31];
	}
	return slice_of(text, (size_t)(p - text));
}

bool
dp_matching_id_usable(struct slice matching_id)
{
	for (size_t i = 0; i < matching_id.n; i++)
		if (matching_id.p[i] <= ' ' || matching_id.p[i] > '~' || matching_id.p[i] == '$')
			return false;
	return matching_id.n <= DP_MATCHING_ID_MAX;
}

bool
dp_activation_code_write(struct arena *mem, struct slice address, struct slice matching_id,
	struct slice oid, bool code_required, struct slice *out)
{
	struct buf b;

	buf_init(&b, mem, DP_ACTIVATION_CODE_MAX);
	buf_printf(&b, "1$%.*s$%.*s", SLICE_FMT(address), SLICE_FMT(matching_id));
	if (oid.n || code_required)
		buf_printf(&b, "$%.*s", SLICE_FMT(oid));
	if (code_required)
		buf_put_text(&b, "$1");
	*out = buf_get(&b);
	return out->p != NULL;
}
