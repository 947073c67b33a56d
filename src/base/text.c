/* Octets as text: hexadecimal, Base64, ICCID digits. */
#include "base/text.h"

static const char hex_digits[] = "0123456789ABCDEF";
static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct slice
text_hex(struct arena *a, struct slice octets)
{
	uint8_t *p = arena_alloc(a, octets.n * 2 + 1);

	for (size_t i = 0; i < octets.n; i++) {
		p[2 * i] = (uint8_t)hex_digits[octets.p[i] >> 4];
		p[2 * i + 1] = (uint8_t)hex_digits[octets.p[i] & 15];
	}
	return slice_of(p, octets.n * 2);
}

/* Of a hexadecimal digit, one more than it is worth; 0 of everything else. Bulk loads live on it. */
static const uint8_t hex_worth[256] = {
	['0'] = 1,
	['1'] = 2,
	['2'] = 3,
	['3'] = 4,
	['4'] = 5,
	['5'] = 6,
	['6'] = 7,
	['7'] = 8,
	['8'] = 9,
	['9'] = 10,
	['A'] = 11,
	['B'] = 12,
	['C'] = 13,
	['D'] = 14,
	['E'] = 15,
	['F'] = 16,
	['a'] = 11,
	['b'] = 12,
	['c'] = 13,
	['d'] = 14,
	['e'] = 15,
	['f'] = 16,
};

bool
text_unhex(struct arena *a, struct slice hex, struct slice *octets)
{
	uint8_t *p;

	if (hex.n % 2)
		return false;
	p = arena_alloc(a, hex.n / 2 + 1);
	for (size_t i = 0; i < hex.n / 2; i++) {
		uint8_t high = hex_worth[hex.p[2 * i]], low = hex_worth[hex.p[2 * i + 1]];

		if (!high || !low)
			return false;
		p[i] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	*octets = slice_of(p, hex.n / 2);
	return true;
}

static size_t
base64_size(size_t n)
{
	return (n + 2) / 3 * 4;
}

static void
base64_write(uint8_t *q, struct slice octets)
{
	for (size_t i = 0; i < octets.n; i += 3) {
		size_t left = octets.n - i;
		uint32_t v = (uint32_t)octets.p[i] << 16 |
			(left > 1 ? (uint32_t)octets.p[i + 1] << 8 : 0) |
			(left > 2 ? octets.p[i + 2] : 0);

		*q++ = (uint8_t)base64_digits[v >> 18];
		*q++ = (uint8_t)base64_digits[v >> 12 & 63];
		*q++ = left > 1 ? (uint8_t)base64_digits[v >> 6 & 63] : '=';
		*q++ = left > 2 ? (uint8_t)base64_digits[v & 63] : '=';
	}
}

struct slice
text_base64(struct arena *a, struct slice octets)
{
	size_t n = base64_size(octets.n);
	uint8_t *p = arena_alloc(a, n + 1);

	base64_write(p, octets);
	return slice_of(p, n);
}

void
text_base64_put(struct buf *out, struct slice octets)
{
	uint8_t *p = buf_reserve(out, base64_size(octets.n));

	if (p)
		base64_write(p, octets);
}

/* Value of each octet: 0–63 a digit, 64 padding, 65 a blank, 255 nothing of the sort. */
static const uint8_t *
base64_values(void)
{
	static _Thread_local uint8_t table[256];

	if (table['A'] == 0 && table[0] == 255)
		return table;
	memset(table, 255, sizeof table);
	for (uint8_t i = 0; i < 64; i++)
		table[(uint8_t)base64_digits[i]] = i;
	table['='] = 64;
	table[' '] = table['\t'] = table['\r'] = table['\n'] = 65;
	return table;
}

bool
text_unbase64(struct arena *a, struct slice base64, struct slice *octets)
{
	const uint8_t *value = base64_values();
	uint8_t *p = arena_alloc(a, base64.n / 4 * 3 + 4), *q = p;
	size_t digits = 0, pads = 0;
	uint32_t v = 0;

	for (size_t i = 0; i < base64.n; i++) {
		uint8_t c = value[base64.p[i]];

		if (c == 65)
			continue;
		if (c == 64) {
			pads++;
			continue;
		}
		if (c == 255 || pads)
			return false;
		v = v << 6 | c;
		if (++digits % 4 == 0) {
			*q++ = (uint8_t)(v >> 16);
			*q++ = (uint8_t)(v >> 8);
			*q++ = (uint8_t)v;
		}
	}
	if (digits % 4 == 1 || pads > 2 || (pads && (digits + pads) % 4))
		return false;
	if (digits % 4 >= 2)
		*q++ = (uint8_t)(digits % 4 == 2 ? v >> 4 : v >> 10);
	if (digits % 4 == 3)
		*q++ = (uint8_t)(v >> 2);
	*octets = slice_of(p, (size_t)(q - p));
	return true;
}

/* What follows `word` in `in`; absent when it does not stand there. */
static struct slice
after(struct slice in, const char *word)
{
	const uint8_t *at = in.n ? memmem(in.p, in.n, word, strlen(word)) : NULL;

	return at ? slice_sub(in, (size_t)(at - in.p) + strlen(word), in.n) : SLICE_NONE;
}

bool
text_unpem(struct arena *a, struct slice *pem, const char *label, struct slice *octets)
{
	const char *begin = arena_printf(a, "-----BEGIN %s-----", label);
	const char *end = arena_printf(a, "-----END %s-----", label);
	struct slice body = after(*pem, begin), rest = after(body, end);

	if (!rest.p)
		return false;
	body.n -= rest.n + strlen(end);
	*pem = rest;
	return text_unbase64(a, body, octets);
}

bool
text_is_printable(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] > '~')
			return false;
	return true;
}

size_t
text_characters(struct slice s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.n; count++) {
		uint8_t lead = s.p[i++];
		int more = lead < 0x80 ? 0 : lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
		uint32_t point = more ? lead & (0x3fu >> more) : lead;
		static const uint32_t lowest[] = { 0, 0x80, 0x800, 0x10000 };

		if ((lead >= 0x80 && lead < 0xc0) || lead >= 0xf8)
			return SIZE_MAX;
		for (int k = 0; k < more; k++) {
			if (i == s.n || (s.p[i] & 0xc0) != 0x80)
				return SIZE_MAX;
			point = point << 6 | (s.p[i++] & 0x3f);
		}
		if (point < lowest[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
			return SIZE_MAX;
	}
	return count;
}

static struct slice
without_pad(struct slice digits)
{
	if (digits.n == 20 && (digits.p[19] == 'F' || digits.p[19] == 'f'))
		digits.n--;
	return digits;
}

struct slice
text_beginning(struct slice text, size_t n)
{
	if (text.n <= n)
		return text;
	while (n && (text.p[n] & 0xC0) == 0x80)
		n--;
	return slice_sub(text, 0, n);
}

bool
text_iccid_to_bcd(struct slice digits, uint8_t bcd[10])
{
	digits = without_pad(digits);
	if (digits.n < 18 || digits.n > 20 || !slice_is_digits(digits))
		return false;
	for (size_t i = 0; i < 10; i++) {
		unsigned low = 2 * i < digits.n ? digits.p[2 * i] - '0' : 15;
		unsigned high = 2 * i + 1 < digits.n ? digits.p[2 * i + 1] - '0' : 15;

		bcd[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool
text_bcd_to_iccid(struct slice bcd, char digits[21])
{
	size_t n = 0;
	bool ended = false;

	if (bcd.n != 10)
		return false;
	for (size_t i = 0; i < 20; i++) {
		unsigned v = i % 2 ? bcd.p[i / 2] >> 4 : bcd.p[i / 2] & 15;

		if (v == 15) {
			ended = true;
			continue;
		}
		if (v > 9 || ended)
			return false;
		digits[n++] = (char)('0' + v);
	}
	digits[n] = 0;
	return n >= 18;
}

bool
text_iccid_luhn(struct slice digits)
{
	unsigned sum = 0;

	digits = without_pad(digits);
	if (digits.n < 18 || digits.n > 20 || !slice_is_digits(digits))
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		unsigned v = digits.p[digits.n - 1 - i] - '0';

		if (i % 2)
			v = v * 2 > 9 ? v * 2 - 9 : v * 2;
		sum += v;
	}
	return sum % 10 == 0;
}
