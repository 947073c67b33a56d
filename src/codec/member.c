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
