#ifndef WIRE_ASN1_H
#define WIRE_ASN1_H
/*
 * Messages in DER (SGP.22 §6.6): RemoteProfileProvisioningRequest and -Response around one function's
 * message, whose members are read and written by table. Parts keep the octets in which they came or were
 * signed. Reading is lenient in tags that encoders get wrong, and counts it; writing is exact.
 */
#include "base/buf.h"
#include "wire/message.h"

/* The tag of the one alternative that a request consists of; false when the octets are no request. */
bool wire_asn1_request_find(struct slice body, uint32_t *tag);

/*
 * Reads the members of that alternative into `state`; unknown ones are skipped, wherever they stand.
 * WIRE_UNREADABLE: the body is no request. Octets are copied into the arena. `*name` is what is wrong.
 */
enum wire_fault wire_asn1_read(struct arena *mem, struct slice body,
	const struct wire_message *message, void *state, const char **name);

/*
 * The same of members that stand one after the other, with nothing around them. WIRE_INVALID: the octets are no
 * TLVs.
 */
enum wire_fault wire_asn1_members_read(struct arena *mem, struct slice members,
	const struct wire_message *message, void *state, const char **name);

/* Members one after the other, absent ones left out. They are WIRE_VALUE or WIRE_WHOLE. */
struct slice
wire_asn1_members_write(struct arena *mem, const struct wire_message *message, const void *state);

/* A TLV of that tag; an INTEGER under it. */
struct slice wire_asn1_tagged_write(struct arena *mem, uint32_t tag, struct slice value);
struct slice wire_asn1_number_write(struct arena *mem, uint32_t tag, unsigned number);

/* The tag of the first TLV of what stands there. */
bool wire_asn1_tag_find(struct slice octets, uint32_t *tag);

/* The first TLV of a body that is nothing else: its tag, and what is in it. */
bool wire_asn1_whole_read(struct slice body, uint32_t *tag, struct slice *value);

/*
 * The whole answer of the function of that tag: the members out of `state`, or the error unless it is 0.
 * Members of answers are WIRE_VALUE or WIRE_WHOLE.
 */
struct slice wire_asn1_answer_write(struct arena *mem, uint32_t tag, unsigned error,
	const struct wire_message *message, const void *state);

#endif
