/* DER bodies (SGP.22 §6.6): one alternative in and out, its members by table. */
#include "wire/asn1.h"

#include "codec/der.h"
#include "stats/stats.h"

/*
 * Tags of RemoteProfileProvisioningRequest and -Response, and what some take for the second; the arms of
 * a function's response: its members, an error.
 */
enum { REQUEST = 0xa2, NO_REQUEST = 0xa3, RESPONSE = 0xa2, OK = 0xa0, ERROR = 0x81 };

enum { ANSWER_MAX = 4 * 1024 * 1024 };

static bool
request_read(struct slice body, struct codec_der *request, struct codec_der *alternative)
{
	struct slice rest;

	if (!codec_der_read(&body, request) || body.n > 0)
		return false;
	if (request->tag != REQUEST && request->tag != NO_REQUEST)
		return false;
	rest = request->value;
	return codec_der_read(&rest, alternative) && rest.n == 0;
}

bool
wire_asn1_request_find(struct slice body, uint32_t *tag)
{
	struct codec_der request, alternative;

	if (!request_read(body, &request, &alternative))
		return false;
	*tag = alternative.tag;
	return true;
}

struct slice
wire_asn1_tagged_write(struct arena *mem, uint32_t tag, struct slice value)
{
	struct buf out;

	buf_init(&out, mem, codec_der_size(tag, value.n));
	codec_der_put(&out, tag, value);
	return buf_get(&out);
}

bool
wire_asn1_tag_find(struct slice octets, uint32_t *tag)
{
	struct codec_der tlv;

	if (!codec_der_read(&octets, &tlv))
		return false;
	*tag = tlv.tag;
	return true;
}

bool
wire_asn1_whole_read(struct slice body, uint32_t *tag, struct slice *value)
{
	struct codec_der tlv;

	if (!codec_der_read(&body, &tlv) || body.n > 0)
		return false;
	*tag = tlv.tag;
	*value = tlv.value;
	return true;
}

/* The member's octets when this is it; absent when it is another. */
static struct slice
octets_read(struct arena *mem, const struct wire_member *m, const struct codec_der *tlv)
{
	struct codec_der inner;
	bool named = tlv->tag == m->tag;

	switch (m->asn1) {
	case WIRE_VALUE:
		return named ? arena_copy(mem, tlv->value) : SLICE_NONE;
	case WIRE_WHOLE:
		return named ? arena_copy(mem, tlv->octets) : SLICE_NONE;
	case WIRE_IMPLICIT:
		if (named && !codec_der_read_whole(tlv->value, m->own, &inner))
			return wire_asn1_tagged_write(mem, m->own, tlv->value);
		if (!named && tlv->tag != m->own)
			return SLICE_NONE;
		stats_add(STATS_lenient_asn1_tag);
		return arena_copy(mem, named ? tlv->value : tlv->octets);
	case WIRE_EXPLICIT:
		if (!named)
			stats_add(STATS_lenient_asn1_tag);
		return arena_copy(mem, named ? tlv->value : tlv->octets);
	case WIRE_ANY:
		return arena_copy(mem, tlv->octets);
	}
	return SLICE_NONE;
}

/* The next member that this TLV is, from `at` on; what may be left out is passed over. */
static bool
member_take(struct arena *mem, const struct wire_message *message, size_t *at,
	const struct codec_der *tlv, void *state)
{
	for (size_t i = *at; i < message->n; i++) {
		struct slice octets = octets_read(mem, &message->members[i], tlv);

		if (octets.p) {
			*wire_member_find(&message->members[i], state) = octets;
			*at = i + 1;
			return true;
		}
		if (!message->members[i].optional)
			break;
	}
	return false;
}

enum wire_fault
wire_asn1_members_read(struct arena *mem, struct slice members, const struct wire_message *message,
	void *state, const char **name)
{
	struct codec_der tlv;
	size_t at = 0; /* the member that comes next */

	*name = "octets that are no TLV";
	while (members.n > 0) {
		if (!codec_der_read(&members, &tlv))
			return WIRE_INVALID;
		if (!member_take(mem, message, &at, &tlv, state))
			stats_add(STATS_lenient_unknown_member);
	}
	while (at < message->n && message->members[at].optional)
		at++;
	if (at == message->n)
		return WIRE_FINE;
	*name = message->members[at].name;
	return WIRE_MISSING;
}

enum wire_fault
wire_asn1_read(struct arena *mem, struct slice body, const struct wire_message *message,
	void *state, const char **name)
{
	struct codec_der request, function;

	*name = "octets that are no TLV";
	if (!request_read(body, &request, &function))
		return WIRE_UNREADABLE;
	if (request.tag == NO_REQUEST)
		stats_add(STATS_lenient_asn1_tag);
	return wire_asn1_members_read(mem, function.value, message, state, name);
}

static size_t
member_size(const struct wire_member *m, struct slice octets)
{
	if (!octets.p)
		return 0;
	return m->asn1 == WIRE_WHOLE ? octets.n : codec_der_size(m->tag, octets.n);
}

static void
member_put(struct buf *out, const struct wire_member *m, struct slice octets)
{
	if (m->asn1 == WIRE_WHOLE)
		buf_put(out, octets);
	else
		codec_der_put_optional(out, m->tag, octets);
}

struct slice
wire_asn1_members_write(struct arena *mem, const struct wire_message *message, const void *state)
{
	struct buf out;

	buf_init(&out, mem, ANSWER_MAX);
	for (size_t i = 0; i < message->n; i++)
		member_put(
			&out, &message->members[i], *wire_member_get(&message->members[i], state));
	return buf_get(&out);
}

struct slice
wire_asn1_number_write(struct arena *mem, uint32_t tag, unsigned number)
{
	struct buf out;

	buf_init(&out, mem, ANSWER_MAX);
	codec_der_put_int(&out, tag, number);
	return buf_get(&out);
}

static struct slice
error_write(struct arena *mem, uint32_t tag, unsigned error)
{
	return wire_asn1_tagged_write(mem, RESPONSE,
		wire_asn1_tagged_write(mem, tag, wire_asn1_number_write(mem, ERROR, error)));
}

struct slice
wire_asn1_answer_write(struct arena *mem, uint32_t tag, unsigned error,
	const struct wire_message *message, const void *state)
{
	size_t members = 0, ok;
	struct buf out;

	if (error)
		return error_write(mem, tag, error);
	for (size_t i = 0; i < message->n; i++)
		members += member_size(
			&message->members[i], *wire_member_get(&message->members[i], state));
	ok = codec_der_size(OK, members);
	buf_init(&out, mem, ANSWER_MAX);
	buf_expect(&out, codec_der_size(RESPONSE, codec_der_size(tag, ok)));
	codec_der_put_head(&out, RESPONSE, codec_der_size(tag, ok));
	codec_der_put_head(&out, tag, ok);
	codec_der_put_head(&out, OK, members);
	for (size_t i = 0; i < message->n; i++)
		member_put(
			&out, &message->members[i], *wire_member_get(&message->members[i], state));
	return buf_get(&out);
}
