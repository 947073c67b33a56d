/*
 * Calls the code that asn1c made, with three fences around it: the input is walked first, so that the
 * decoder meets no indefinite length, no deep nesting and no more values than its caller allows; its
 * stack is bounded; and what it allocates is wiped and given back with the arena, also when the arena
 * is full: profile packages hold keys.
 */
#include "codec/asn1.h"

#include <asn_application.h>
#include <malloc.h>
#include <stdlib.h>
#include "codec/der.h"

#define STACK_MAX (256u * 1024u) /* octets of the decoder's own recursion */

/* The generated code is compiled to call these (asn1.mk): nothing it frees can be read afterwards. */
void codec_asn1_free(void *p);
void *codec_asn1_realloc(void *p, size_t n);

void
codec_asn1_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void *
codec_asn1_realloc(void *p, size_t n)
{
	size_t had = p ? malloc_usable_size(p) : 0;
	void *moved = malloc(n);

	if (!moved)
		return NULL;
	if (p)
		memcpy(moved, p, had < n ? had : n);
	codec_asn1_free(p);
	return moved;
}

struct held {
	asn_TYPE_descriptor_t *type;
	void *value;
};

static void
held_drop(void *p)
{
	struct held *h = p;

	if (h->value)
		ASN_STRUCT_FREE(*h->type, h->value);
}

void *
codec_asn1_read(struct arena *mem, struct asn_TYPE_descriptor_s *type, struct slice octets,
	unsigned count, const char **why)
{
	asn_codec_ctx_t limits = { .max_stack_size = STACK_MAX };
	struct held *h = ARENA_NEW(mem, struct held);
	char words[128] = "";
	size_t words_size = sizeof words;
	asn_dec_rval_t did;

	if (!codec_der_check(octets, CODEC_ASN1_DEPTH, count)) {
		*why = arena_printf(mem, "%s: no well-formed TLVs, or too many", type->name);
		return NULL;
	}
	h->type = type;
	arena_defer(mem, held_drop, h);
	did = ber_decode(&limits, type, &h->value, octets.p, octets.n);
	if (did.code != RC_OK || did.consumed != octets.n) {
		*why = arena_printf(mem, "%s: does not decode (octet %zu of %zu)", type->name,
			did.consumed, octets.n);
		return NULL;
	}
	if (asn_check_constraints(type, h->value, words, &words_size)) {
		*why = arena_printf(mem, "%s: a value is out of its bounds", type->name);
		return NULL;
	}
	return h->value;
}
