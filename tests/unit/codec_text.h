#ifndef CODEC_TEXT_H
#define CODEC_TEXT_H
/*
 * DER as text, for tests: "BF38{ A0{ 30{ 80:0102 } 5F37:A5*64 } }". A tag in hexadecimal is followed by
 * braces around what it holds, or by a colon and its value: hexadecimal octets, an octet*count, or
 * "text" in quotes. It shares no code with codec/der.h, against which it is held.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/arena.h"

struct text_der {
	uint8_t p[65536];
	size_t n;
};

static inline int
text_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : toupper((unsigned char)c) - 'A' + 10;
}

static inline void
text_octets(const char **at, struct text_der *out)
{
	while (isxdigit((unsigned char)(*at)[0]) && isxdigit((unsigned char)(*at)[1])) {
		out->p[out->n++] = (uint8_t)(text_digit((*at)[0]) << 4 | text_digit((*at)[1]));
		*at += 2;
	}
}

static inline void
text_value(const char **at, struct text_der *out)
{
	if (**at == '"') {
		for (++*at; **at != '"'; ++*at)
			out->p[out->n++] = (uint8_t) * *at;
		++*at;
		return;
	}
	text_octets(at, out);
	if (**at == '*') {
		size_t times = strtoul(*at + 1, NULL, 10);
		uint8_t octet = out->p[--out->n];

		while (times-- > 0)
			out->p[out->n++] = octet;
		for (++*at; isdigit((unsigned char)**at); ++*at)
			;
	}
}

static inline void
text_tlvs(const char **at, struct text_der *out)
{
	for (;;) {
		struct text_der *value;

		while (isspace((unsigned char)**at))
			++*at;
		if (!isxdigit((unsigned char)**at))
			return;
		value = calloc(1, sizeof *value);
		text_octets(at, out);
		if (**at == '{') {
			++*at;
			text_tlvs(at, value);
			++*at;
		} else if (**at == ':') {
			++*at;
			text_value(at, value);
		}
		if (value->n > 0xffff)
			abort();
		if (value->n > 0xff) {
			out->p[out->n++] = 0x82;
			out->p[out->n++] = (uint8_t)(value->n >> 8);
		} else if (value->n > 0x7f) {
			out->p[out->n++] = 0x81;
		}
		out->p[out->n++] = (uint8_t)value->n;
		memcpy(out->p + out->n, value->p, value->n);
		out->n += value->n;
		free(value);
	}
}

/* The octets of such a text, in the arena. Printf's conversions are filled in first. */
static inline struct slice __attribute__((format(printf, 2, 3)))
der(struct arena *mem, const char *fmt, ...)
{
	struct text_der *out = calloc(1, sizeof *out);
	char text[32768];
	const char *at = text;
	struct slice copy;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	text_tlvs(&at, out);
	copy = arena_copy(mem, slice_of(out->p, out->n));
	free(out);
	return copy;
}

#endif
