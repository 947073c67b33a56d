/* Flat structures by a table of their members: how the frames of ES9+ are read. */
#include "codec/int.h"

#include <limits.h>
#include "codec/leniency.h"
#include "codec/server.h"

bool
member_read(struct arena *mem, struct slice contents, const struct member *table, size_t n,
	const char **why)
{
	struct codec_der tlv;
	size_t at = 0; /* the first member that may still come */

	for (size_t i = 0; i < n; i++) {
		if (table[i].value)
			*table[i].value = SLICE_NONE;
		if (table[i].octets)
			*table[i].octets = SLICE_NONE;
	}
	while (at < n) {
		size_t i = at;

		if (!codec_der_read(&contents, &tlv))
			break;
		while (i < n && table[i].tag != tlv.tag && table[i].optional)
			i++;
		if (i == n || table[i].tag != tlv.tag)
			continue;
		if (tlv.value.n < table[i].min || tlv.value.n > table[i].max) {
			*why = arena_printf(mem, "%s has %zu octets", table[i].name, tlv.value.n);
			return false;
		}
		if (table[i].value)
			*table[i].value = tlv.value;
		if (table[i].octets)
			*table[i].octets = tlv.octets;
		at = i + 1;
	}
	for (; at < n; at++)
		if (!table[at].optional) {
			*why = arena_printf(mem, "%s is missing", table[at].name);
			return false;
		}
	while (contents.n > 0)
		if (!codec_der_read(&contents, &tlv)) {
			*why = "octets that are no TLV";
			return false;
		}
	return true;
}

struct slice
member_find(struct slice contents, uint32_t tag, size_t min, size_t max)
{
	struct codec_der tlv;

	if (!codec_der_find(contents, tag, &tlv) || tlv.value.n < min || tlv.value.n > max)
		return SLICE_NONE;
	return tlv.value;
}

bool
member_int_read(struct arena *mem, const char *name, struct slice value, int *out, const char **why)
{
	int64_t v;

	if (!codec_der_int_read(value, &v) || v < INT_MIN || v > INT_MAX) {
		*why = arena_printf(mem, "%s is no small number", name);
		return false;
	}
	*out = (int)v;
	return true;
}

bool
member_bits_read(struct slice value, uint32_t *bits)
{
	uint8_t unused;

	if (value.n == 0 || value.p[0] > 7 || (value.n == 1 && value.p[0] > 0))
		return false;
	unused = value.p[0];
	*bits = 0;
	for (size_t i = 0; i < 32 && i + unused < (value.n - 1) * 8; i++)
		if (value.p[1 + i / 8] & 0x80 >> i % 8)
			*bits |= 1u << i;
	return true;
}

bool
member_oid_read(struct arena *mem, const char *name, struct slice value, struct slice *dotted,
	const char **why)
{
	if (codec_der_oid_read(mem, value, dotted))
		return true;
	*why = arena_printf(mem, "%s is no object identifier", name);
	return false;
}

bool
member_signature_read(struct arena *mem, struct slice value, struct slice *out,
	unsigned *leniencies, const char **why)
{
	if (!codec_signature_read(mem, value, out)) {
		*why = "a signature is neither r and s nor an ECDSA SEQUENCE";
		return false;
	}
	if (out->p != value.p)
		*leniencies |= CODEC_LENIENT_DER_SIGNATURE;
	return true;
}

struct codec_number
member_number_read(struct slice value)
{
	struct codec_number number = { 0 };

	number.known = codec_der_int_read(value, &number.n);
	return number;
}

bool
member_outer_read(struct arena *mem, const char *name, struct slice octets, uint32_t tag,
	struct slice *contents, const char **why)
{
	struct codec_der tlv;

	if (!codec_der_read_whole(octets, tag, &tlv)) {
		*why = arena_printf(mem, "%s: not one TLV of tag %X", name, tag);
		return false;
	}
	*contents = tlv.value;
	return true;
}

struct slice
member_once(struct slice contents, uint32_t tag, unsigned *leniencies)
{
	struct codec_der tlv;

	if (!codec_der_read_whole(contents, tag, &tlv))
		return contents;
	*leniencies |= CODEC_LENIENT_TAG_TWICE;
	return tlv.value;
}

/* SEQUENCEs, and at their end a BIT STRING: the signature or the key. */
static bool
is_signed_object(struct slice contents, size_t members)
{
	struct codec_der tlv;

	while (members-- > 1)
		if (!codec_der_read_tag(&contents, 0x30, &tlv))
			return false;
	return codec_der_read_whole(contents, 0x03, &tlv);
}

struct slice
member_sequence_read(struct arena *mem, struct slice contents, size_t members, unsigned *leniencies)
{
	struct codec_der whole;

	if (is_signed_object(contents, members))
		return codec_der_write(mem, 0x30, contents);
	if (!codec_der_read_whole(contents, 0x30, &whole) ||
		!is_signed_object(whole.value, members))
		return SLICE_NONE;
	*leniencies |= CODEC_LENIENT_CERTIFICATE;
	return contents;
}
