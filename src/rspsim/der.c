/* DER, read strictly and written minimally (X.690): what the simulated card signs and verifies. */
#include "rspsim/der.h"

static bool
read_tag(struct slice *in, uint32_t *tag)
{
	size_t n = 0;

	if (in->n == 0)
		return false;
	*tag = in->p[n++];
	if ((*tag & 31) == 31) {
		do {
			if (n >= in->n || n >= 3)
				return false;
			*tag = *tag << 8 | in->p[n];
		} while (in->p[n++] & 0x80);
	}
	*in = slice_sub(*in, n, in->n);
	return true;
}

static bool
read_length(struct slice *in, size_t *length)
{
	size_t octets;

	if (in->n == 0)
		return false;
	*length = in->p[0];
	*in = slice_sub(*in, 1, in->n);
	if (*length < 0x80)
		return true;
	octets = *length & 0x7f;
	if (octets == 0 || octets > 4 || octets > in->n || in->p[0] == 0)
		return false;
	*length = 0;
	for (size_t i = 0; i < octets; i++)
		*length = *length << 8 | in->p[i];
	*in = slice_sub(*in, octets, in->n);
	return *length >= 0x80;
}

bool
rspsim_der_read(struct slice *in, struct rspsim_tlv *out)
{
	struct slice rest = *in;
	size_t length;

	if (!read_tag(&rest, &out->tag) || !read_length(&rest, &length) || length > rest.n)
		return false;
	out->value = slice_of(rest.p, length);
	out->whole = slice_of(in->p, (size_t)(rest.p - in->p) + length);
	*in = slice_of(rest.p + length, rest.n - length);
	return true;
}

bool
rspsim_der_read_tag(struct slice *in, uint32_t tag, struct rspsim_tlv *out)
{
	struct slice rest = *in;

	if (!rspsim_der_read(&rest, out) || out->tag != tag)
		return false;
	*in = rest;
	return true;
}

void
rspsim_der_read_optional(struct slice *in, uint32_t tag, struct rspsim_tlv *out)
{
	if (!rspsim_der_read_tag(in, tag, out))
		*out = (struct rspsim_tlv){ 0 };
}

bool
rspsim_der_read_only(struct slice in, uint32_t tag, struct rspsim_tlv *out)
{
	return rspsim_der_read_tag(&in, tag, out) && in.n == 0;
}

bool
rspsim_der_find(struct slice in, uint32_t tag, struct rspsim_tlv *out)
{
	while (rspsim_der_read(&in, out))
		if (out->tag == tag)
			return true;
	*out = (struct rspsim_tlv){ 0 };
	return false;
}

bool
rspsim_der_to_u32(struct slice value, uint32_t *out)
{
	if (value.n == 0 || value.n > 4 || value.p[0] & 0x80)
		return false;
	*out = 0;
	for (size_t i = 0; i < value.n; i++)
		*out = *out << 8 | value.p[i];
	return true;
}

bool
rspsim_der_to_bits(struct slice value, uint8_t *bits)
{
	if (value.n == 0 || value.p[0] > 7 || (value.n == 1 && value.p[0]))
		return false;
	*bits = value.n > 1 ? value.p[1] : 0;
	return true;
}

static void
put_head(struct buf *b, uint32_t tag, size_t length)
{
	if (tag > 0xffff)
		buf_put_u8(b, (uint8_t)(tag >> 16));
	if (tag > 0xff)
		buf_put_u8(b, (uint8_t)(tag >> 8));
	buf_put_u8(b, (uint8_t)tag);
	if (length > 0xffff) {
		buf_put_u8(b, 0x83);
		buf_put_u8(b, (uint8_t)(length >> 16));
		buf_put_u16(b, (uint16_t)length);
	} else if (length > 0xff) {
		buf_put_u8(b, 0x82);
		buf_put_u16(b, (uint16_t)length);
	} else {
		if (length > 0x7f)
			buf_put_u8(b, 0x81);
		buf_put_u8(b, (uint8_t)length);
	}
}

struct slice
rspsim_der_join(struct arena *mem, uint32_t tag, const struct slice *parts, size_t count)
{
	struct buf b;
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
		length += parts[i].n;
	buf_init(&b, mem, length + 8);
	if (tag)
		put_head(&b, tag, length);
	for (size_t i = 0; i < count; i++)
		buf_put(&b, parts[i]);
	return buf_get(&b);
}

struct slice
rspsim_der_u32(struct arena *mem, uint32_t tag, uint32_t value)
{
	uint8_t octets[5] = { 0, (uint8_t)(value >> 24), (uint8_t)(value >> 16),
		(uint8_t)(value >> 8), (uint8_t)value };
	size_t from = 0;

	while (from < 4 && octets[from] == 0 && !(octets[from + 1] & 0x80))
		from++;
	return RSPSIM_DER(mem, tag, slice_of(octets + from, 5 - from));
}

struct slice
rspsim_der_bits(struct arena *mem, uint32_t tag, uint8_t bits)
{
	uint8_t octets[2] = { 0, bits };

	while (bits && !(bits >> octets[0] & 1))
		octets[0]++;
	return RSPSIM_DER(mem, tag, slice_of(octets, bits ? 2 : 1));
}
