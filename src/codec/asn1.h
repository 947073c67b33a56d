#ifndef CODEC_ASN1_H
#define CODEC_ASN1_H
/*
 * The way into the generated codecs, for profile/, which reads profile elements; nobody else sees a
 * generated type. What they allocate is tied to the arena, and what they may allocate is bounded beforehand:
 * octets must be TLVs with definite lengths, at most CODEC_ASN1_DEPTH deep and `count` in number.
 */
#include "base/arena.h"

struct asn_TYPE_descriptor_s;

#define CODEC_ASN1_DEPTH 16u

/*
 * The generated struct of that type, until arena_fini. NULL with a reason when the octets are not
 * exactly one such value or break a constraint of the module.
 */
void *codec_asn1_read(struct arena *mem, struct asn_TYPE_descriptor_s *type, struct slice octets,
	unsigned count, const char **why);

/* A generated OCTET STRING or UTF8String as a slice; present also when empty. */
#define CODEC_ASN1_SLICE(string) \
	slice_of((string).buf ? (const void *)(string).buf : "", (size_t)(string).size)
/* The same behind a pointer to an optional member. */
#define CODEC_ASN1_OPTIONAL(string) ((string) ? CODEC_ASN1_SLICE(*(string)) : SLICE_NONE)

#endif
