/*
 * Activation codes `[LPA:]1$address$token[$oid[$1]]` (SGP.22 §4.1); fields after the fifth are of
 * later versions.
 */
#include "rspsim/activation.h"
#include "rspsim/crypto.h"

enum { FIELDS = 5, CODE_MAX = 255 };

/* Cuts `code` at each dollar sign; returns how many fields there were, further ones not kept. */
static size_t
split(struct slice code, struct slice field[FIELDS])
{
	size_t count = 0, from = 0;

	for (size_t i = 0; i <= code.n; i++) {
		if (i < code.n && code.p[i] != '$')
			continue;
		if (count < FIELDS)
			field[count] = slice_of(code.p + from, i - from);
		count++;
		from = i + 1;
	}
	return count;
}

static bool
is_oid(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '.' && (s.p[i] < '0' || s.p[i] > '9'))
			return false;
	return true;
}

/* A host name, perhaps with a port: it becomes part of a URL. */
static bool
is_address(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:",
			    s.p[i]) ||
			!s.p[i])
			return false;
	return s.n > 0;
}

const char *
rspsim_activation_read(struct arena *mem, struct slice code, struct rspsim_activation *out)
{
	struct slice field[FIELDS] = { { 0 } };
	size_t count;

	code = slice_trim(code);
	if (slice_eq_nocase(slice_sub(code, 0, 4), SLICE_LIT("LPA:")))
		code = slice_sub(code, 4, code.n);
	if (code.n > CODE_MAX)
		return "the activation code is longer than 255 characters";
	count = split(code, field);
	if (!slice_eq(field[0], SLICE_LIT("1")))
		return "the activation code does not begin with 1$: no other format is known";
	if (count < 3)
		return "the activation code needs an address and a token: LPA:1$address$token";
	field[1] = slice_trim(field[1]);
	if (!is_address(field[1]))
		return "the address in the activation code is no host name";
	if (!is_oid(field[3]))
		return "the fourth field of the activation code is no object identifier";
	out->address = arena_string(mem, field[1]);
	out->matching_id = arena_string(mem, slice_trim(field[2]));
	out->oid = arena_string(mem, field[3]);
	out->cc_required = slice_eq(field[4], SLICE_LIT("1"));
	return NULL;
}

void
rspsim_hash_cc(const char *code, struct slice transaction_id, uint8_t out[32])
{
	uint8_t inner[32];

	rspsim_sha256(slice_text(code), SLICE_NONE, inner);
	rspsim_sha256(SLICE_ARRAY(inner), transaction_id, out);
}
