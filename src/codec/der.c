/*
 * Tags, lengths and values of X.690. The messages of ES9+ are walked with these, so that every signed
 * part keeps the octets in which it came.
 */
#include "codec/der.h"
#include "base/tlv.h"

/* Deepest nesting that codec_der_check follows, whatever its caller allows. */
#define DEPTH_MAX 32u

bool
codec_der_read(struct slice *rest, struct codec_der *out)
{
	struct tlv tlv;

	if (!tlv_read(rest, TLV_BER, &tlv))
		return false;
	*out = (struct codec_der){ tlv.tag, tlv.octets, tlv.value };
	return true;
}

bool
codec_der_read_tag(struct slice *rest, uint32_t tag, struct codec_der *out)
{
	struct slice after = *rest;

	if (!codec_der_read(&after, out) || out->tag != tag)
		return false;
	*rest = after;
	return true;
}

bool
codec_der_read_whole(struct slice octets, uint32_t tag, struct codec_der *out)
{
	return codec_der_read_tag(&octets, tag, out) && octets.n == 0;
}

bool
codec_der_find(struct slice in, uint32_t tag, struct codec_der *out)
{
	while (codec_der_read(&in, out))
		if (out->tag == tag)
			return true;
	return false;
}

bool
codec_der_check(struct slice in, unsigned depth, unsigned count)
{
	struct slice open[DEPTH_MAX]; /* what is left of each TLV that is being read */
	unsigned top = 0;

	open[0] = in;
	for (;;) {
		struct codec_der tlv;

		while (open[top].n == 0) {
			if (top == 0)
				return true;
			top--;
		}
		if (count-- == 0 || !codec_der_read(&open[top], &tlv))
			return false;
		if (!(tlv.octets.p[0] & 0x20))
			continue;
		if (++top >= depth || top >= DEPTH_MAX)
			return false;
		open[top] = tlv.value;
	}
}

bool
codec_der_int_read(struct slice value, int64_t *out)
{
	uint64_t v;

	if (value.n < 1 || value.n > 8)
		return false;
	v = value.p[0] & 0x80 ? UINT64_MAX : 0;
	for (size_t i = 0; i < value.n; i++)
		v = v << 8 | value.p[i];
	*out = (int64_t)v;
	return true;
}

bool
codec_der_oid_read(struct arena *mem, struct slice value, struct slice *dotted)
{
	struct buf text;
	uint64_t arc = 0;
	bool first = true;

	if (value.n == 0 || value.n > 128 || value.p[value.n - 1] & 0x80)
		return false;
	buf_init(&text, mem, 1024);
	for (size_t i = 0; i < value.n; i++) {
		if (arc > UINT64_MAX >> 7)
			return false;
		arc = arc << 7 | (value.p[i] & 0x7f);
		if (value.p[i] & 0x80)
			continue;
		if (first) { /* two arcs in one (X.690 §8.19.4) */
			unsigned root = arc < 40 ? 0 : arc < 80 ? 1 : 2;

			buf_printf(&text, "%u", root);
			arc -= 40 * root;
		}
		buf_printf(&text, ".%llu", (unsigned long long)arc);
		first = false;
		arc = 0;
	}
	*dotted = buf_get(&text);
	return dotted->p;
}

static void
arc_put(struct buf *out, uint64_t arc)
{
	int shift = 63;

	while (shift > 0 && arc >> shift == 0)
		shift -= 7;
	for (; shift > 0; shift -= 7)
		buf_put_u8(out, (uint8_t)(0x80 | (arc >> shift & 0x7f)));
	buf_put_u8(out, arc & 0x7f);
}

/* Takes the digits up to the next dot. */
static bool
arc_read(struct slice *rest, uint64_t *arc)
{
	const uint8_t *dot = rest->n ? memchr(rest->p, '.', rest->n) : NULL;
	struct slice digits = *rest;

	if (dot)
		digits.n = (size_t)(dot - rest->p);
	*rest = dot ? slice_sub(*rest, digits.n + 1, rest->n) : SLICE_NONE;
	if (dot && rest->n == 0)
		return false;
	return slice_to_u64(digits, UINT64_MAX >> 1, arc);
}

bool
codec_der_oid_write(struct arena *mem, struct slice dotted, struct slice *value)
{
	struct buf out;
	uint64_t root, arc;

	if (!arc_read(&dotted, &root) || !arc_read(&dotted, &arc) || root > 2)
		return false;
	if ((root < 2 && arc >= 40) || arc > UINT64_MAX >> 2)
		return false;
	buf_init(&out, mem, 128);
	arc_put(&out, root * 40 + arc);
	while (dotted.n > 0) {
		if (!arc_read(&dotted, &arc))
			return false;
		arc_put(&out, arc);
	}
	*value = buf_get(&out);
	return value->p;
}

static size_t
tag_size(uint32_t tag)
{
	return tag > 0xffff ? 3 : tag > 0xff ? 2 : 1;
}

size_t
codec_der_head_size(uint32_t tag, size_t n)
{
	size_t size = tag_size(tag) + 1;

	if (n >= 0x80)
		for (; n > 0; n >>= 8)
			size++;
	return size;
}

size_t
codec_der_size(uint32_t tag, size_t n)
{
	return codec_der_head_size(tag, n) + n;
}

void
codec_der_put_head(struct buf *out, uint32_t tag, size_t n)
{
	size_t octets = 0;

	for (size_t i = tag_size(tag); i-- > 0;)
		buf_put_u8(out, (uint8_t)(tag >> 8 * i));
	if (n < 0x80) {
		buf_put_u8(out, (uint8_t)n);
		return;
	}
	while (n >> 8 * octets > 0)
		octets++;
	buf_put_u8(out, (uint8_t)(0x80 | octets));
	while (octets-- > 0)
		buf_put_u8(out, (uint8_t)(n >> 8 * octets));
}

void
codec_der_put(struct buf *out, uint32_t tag, struct slice value)
{
	codec_der_put_head(out, tag, value.n);
	buf_put(out, value);
}

void
codec_der_put_optional(struct buf *out, uint32_t tag, struct slice value)
{
	if (value.p)
		codec_der_put(out, tag, value);
}

struct slice
codec_der_write(struct arena *mem, uint32_t tag, struct slice value)
{
	struct buf out;

	buf_init(&out, mem, codec_der_size(tag, value.n));
	codec_der_put(&out, tag, value);
	return buf_get(&out);
}

void
codec_der_put_int(struct buf *out, uint32_t tag, int64_t v)
{
	uint8_t octet[8];
	size_t from = 0;

	for (size_t i = 0; i < 8; i++)
		octet[i] = (uint8_t)((uint64_t)v >> 8 * (7 - i));
	/* Leading octets that only repeat the sign are left out (X.690 §8.3.2). */
	while (from < 7 && octet[from] == (v < 0 ? 0xff : 0) &&
		(octet[from] & 0x80) == (octet[from + 1] & 0x80))
		from++;
	codec_der_put(out, tag, slice_of(octet + from, 8 - from));
}

void
codec_der_put_bits(struct buf *out, uint32_t tag, uint32_t bits)
{
	uint8_t octet[5] = { 0 };
	unsigned last = 0; /* bits up to the last one that is set */

	for (unsigned i = 0; i < 32; i++)
		if (bits >> i & 1) {
			octet[1 + i / 8] |= (uint8_t)(0x80 >> i % 8);
			last = i + 1;
		}
	octet[0] = (uint8_t)((8 - last % 8) % 8);
	codec_der_put(out, tag, slice_of(octet, 1 + (last + 7) / 8));
}
