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
 * The whole answer of the function of that tag: the members out of `state`, or the error unless it is 0.
 * Members of answers are WIRE_VALUE or WIRE_WHOLE.
 */
struct slice wire_asn1_answer_write(struct arena *mem, uint32_t tag, unsigned error,
	const struct wire_message *message, const void *state);

#endif
