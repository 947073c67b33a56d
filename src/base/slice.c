/* Slices: views of octets that belong to somebody else. */
#include "base/slice.h"

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool
slice_eq_nocase(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

struct slice
slice_sub(struct slice s, size_t from, size_t n)
{
	if (from > s.n)
		from = s.n;
	if (n > s.n - from)
		n = s.n - from;
	return slice_of(s.p ? s.p + from : NULL, n);
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice
slice_trim(struct slice s)
{
	while (s.n && is_blank(s.p[0]))
		s = slice_sub(s, 1, s.n);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool
slice_is_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

bool
slice_to_u64(struct slice s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!slice_is_digits(s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = s.p[i] - '0';

		if (v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

static bool
is_in_name(uint8_t c)
{
	uint8_t lower = c | 0x20;

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Labels with dots between; none is empty or begins with a hyphen. */
static bool
is_host(struct slice s)
{
	uint8_t before = '.';

	for (size_t i = 0; i < s.n; before = s.p[i++])
		if (s.p[i] == '.' || s.p[i] == '-' ? before == '.' : !is_in_name(s.p[i]))
			return false;
	return before != '.';
}

bool
slice_read_server(struct slice s, unsigned standard, struct slice *host, unsigned *port)
{
	const uint8_t *colon = s.n ? memchr(s.p, ':', s.n) : NULL;
	size_t n = colon ? (size_t)(colon - s.p) : s.n;
	uint64_t said = standard;

	if (colon && (!slice_to_u64(slice_sub(s, n + 1, s.n), 65535, &said) || !said))
		return false;
	*host = slice_sub(s, 0, n);
	*port = (unsigned)said;
	return is_host(*host);
}
