/* Reading tags and lengths of X.690 §8.1. */
#include "base/tlv.h"

enum { TAG_OCTETS = 3, LENGTH_OCTETS = 4 };

static bool
read_tag(struct slice in, size_t *at, uint32_t *tag)
{
	uint8_t octet;

	if (*at >= in.n)
		return false;
	*tag = in.p[(*at)++];
	if ((*tag & 0x1f) != 0x1f)
		return true;
	for (int more = 1; more < TAG_OCTETS; more++) {
		if (*at >= in.n)
			return false;
		octet = in.p[(*at)++];
		*tag = *tag << 8 | octet;
		if (!(octet & 0x80))
			return true;
	}
	return false;
}

static bool
read_length(struct slice in, size_t *at, enum tlv_rule rule, size_t *length)
{
	size_t octets, first;

	if (*at >= in.n)
		return false;
	*length = in.p[(*at)++];
	if (*length < 0x80)
		return true;
	octets = *length & 0x7f; /* none: the indefinite form */
	if (octets < 1 || octets > LENGTH_OCTETS || octets > in.n - *at)
		return false;
	first = in.p[*at];
	for (*length = 0; octets > 0; octets--)
		*length = *length << 8 | in.p[(*at)++];
	return rule == TLV_BER || (first && *length >= 0x80);
}

bool
tlv_read(struct slice *rest, enum tlv_rule rule, struct tlv *out)
{
	size_t at = 0, length;

	if (!read_tag(*rest, &at, &out->tag) || !read_length(*rest, &at, rule, &length) ||
		length > rest->n - at)
		return false;
	out->octets = slice_of(rest->p, at + length);
	out->value = slice_of(rest->p + at, length);
	*rest = slice_of(rest->p + at + length, rest->n - at - length);
	return true;
}
