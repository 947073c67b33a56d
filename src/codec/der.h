#ifndef CODEC_DER_H
#define CODEC_DER_H
/*
 * Tags, lengths and values (X.690): a reader that slices its input, on base/tlv.h and its limits, and a
 * writer of definite, minimal lengths. The reader takes the longer lengths of BER too. It allocates nothing
 * and does not recurse; a caller nests as deep as his message does.
 */
#include "base/buf.h"

struct codec_der {
	uint32_t tag;        /* as it is written: 0x30, 0x5f37, 0xbf38 */
	struct slice octets; /* tag, length and value, as received */
	struct slice value;
};

/* Takes the first TLV off `rest`. False, and `rest` unmoved, when none stands there. */
bool codec_der_read(struct slice *rest, struct codec_der *out);

/* Takes the first TLV off `rest` when it has that tag; else false, and `rest` unmoved. */
bool codec_der_read_tag(struct slice *rest, uint32_t tag, struct codec_der *out);

/* True when `octets` are one TLV of that tag and nothing else. */
bool codec_der_read_whole(struct slice octets, uint32_t tag, struct codec_der *out);

/* The first TLV of that tag among those that stand one after the other in `in`. */
bool codec_der_find(struct slice in, uint32_t tag, struct codec_der *out);

/*
 * True when `in` is made of TLVs all through: constructed ones hold TLVs again, at most `depth` deep
 * and at most `count` in all. What is left of `count` is of no use to the caller. This is the bound on
 * what a generated decoder may allocate and how deep it may recurse.
 */
bool codec_der_check(struct slice in, unsigned depth, unsigned count);

/* The value of an INTEGER that fits; false when it is empty or longer than 8 octets. */
bool codec_der_int_read(struct slice value, int64_t *out);

/* The contents of an OBJECT IDENTIFIER as dotted text in the arena; false when they are none. */
bool codec_der_oid_read(struct arena *mem, struct slice value, struct slice *dotted);

/* Dotted text as the contents of an OBJECT IDENTIFIER in the arena; false when it is none. */
bool codec_der_oid_write(struct arena *mem, struct slice dotted, struct slice *value);

/* Octets of a TLV whose value has n octets, and of its tag and length alone. */
size_t codec_der_size(uint32_t tag, size_t n);
size_t codec_der_head_size(uint32_t tag, size_t n);

void codec_der_put_head(struct buf *out, uint32_t tag, size_t n);
void codec_der_put(struct buf *out, uint32_t tag, struct slice value);
/* Puts nothing when the value is absent. */
void codec_der_put_optional(struct buf *out, uint32_t tag, struct slice value);
/* One TLV alone, in the arena. */
struct slice codec_der_write(struct arena *mem, uint32_t tag, struct slice value);
void codec_der_put_int(struct buf *out, uint32_t tag, int64_t v);
/* A BIT STRING of named bits, trailing zero bits cut (X.690 §11.2.2): bit i of `bits` is named bit i. */
void codec_der_put_bits(struct buf *out, uint32_t tag, uint32_t bits);

#endif
