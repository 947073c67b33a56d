#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H
/*
 * A message of GSMA's interfaces as a table of its members: under which JSON name and which ASN.1 tag
 * each stands, and where its octets lie in the struct of who reads or writes it. JSON (wire/json.h) and
 * DER (wire/asn1.h) read and write by the same table.
 */
#include <stddef.h>
#include "base/slice.h"

enum wire_json {
	WIRE_BASE64,
	WIRE_HEX,
	WIRE_TEXT,
	WIRE_NUMBER, /* the octets are the contents of an INTEGER; not negative */
	WIRE_FLAG    /* true: there, and empty; false: absent */
};

enum wire_asn1 {
	WIRE_VALUE,    /* the octets are what stands under the tag */
	WIRE_WHOLE,    /* the octets are tag, length and value */
	WIRE_IMPLICIT, /* the tag stands in place of `own`, with which the octets begin */
	WIRE_EXPLICIT, /* the octets are one TLV, which stands under the tag */
	WIRE_ANY       /* the octets are one TLV of whatever tag: a CHOICE in its place */
};

struct wire_member {
	const char *name;
	enum wire_json json;
	enum wire_asn1 asn1;
	uint32_t tag, own;
	size_t offset; /* of a struct slice */
	bool optional; /* may be left out: absent */
};

/* In the order of the ASN.1 module. */
struct wire_message {
	const struct wire_member *members;
	size_t n;
};

/* A message without members. */
#define WIRE_NOTHING ((struct wire_message){ NULL, 0 })

/* What a body was that could not be read. */
enum wire_fault { WIRE_FINE, WIRE_UNREADABLE, WIRE_MISSING, WIRE_INVALID };

static inline struct slice *
wire_member_find(const struct wire_member *member, void *state)
{
	return (struct slice *)((uint8_t *)state + member->offset);
}

static inline const struct slice *
wire_member_get(const struct wire_member *member, const void *state)
{
	return (const struct slice *)((const uint8_t *)state + member->offset);
}

#endif
