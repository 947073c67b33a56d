#ifndef RSPSIM_DER_H
#define RSPSIM_DER_H
/*
 * The card's own reader and writer of DER, apart from the generated codecs: a mistake there must
 * not cancel out here. Tags are numbers of up to three octets as they stand in the data (0x30,
 * 0x5F37).
 */
#include "base/buf.h"

struct rspsim_tlv {
	uint32_t tag;
	struct slice value,
		whole; /* whole: tag and length too, as received; absent when not there */
};

/*
 * Takes one element off the front of `in`; false when there is none or its length is not minimal.
 */
bool rspsim_der_read(struct slice *in, struct rspsim_tlv *out);
/* The same, when it has this tag; on false `in` is unmoved. */
bool rspsim_der_read_tag(struct slice *in, uint32_t tag, struct rspsim_tlv *out);
/* The same for an element that may be missing: `out` is then absent. */
void rspsim_der_read_optional(struct slice *in, uint32_t tag, struct rspsim_tlv *out);
/* The one element that `in` consists of. */
bool rspsim_der_read_only(struct slice in, uint32_t tag, struct rspsim_tlv *out);
/* The first element with this tag among those in `in`. */
bool rspsim_der_find(struct slice in, uint32_t tag, struct rspsim_tlv *out);
/* A non-negative INTEGER of at most four octets of value. */
bool rspsim_der_to_u32(struct slice value, uint32_t *out);
/* The first eight named bits; false when it is no BIT STRING. */
bool rspsim_der_to_bits(struct slice value, uint8_t *bits);

/* One element of the parts joined; with tag 0 only the parts. Absent parts are left out. */
struct slice
rspsim_der_join(struct arena *mem, uint32_t tag, const struct slice *parts, size_t count);
#define RSPSIM_DER(mem, tag, ...)                                        \
	rspsim_der_join(mem, tag, (const struct slice[]){ __VA_ARGS__ }, \
		sizeof((const struct slice[]){ __VA_ARGS__ }) / sizeof(struct slice))
struct slice rspsim_der_u32(struct arena *mem, uint32_t tag, uint32_t value);
/*
 * A BIT STRING of up to eight named bits, bit 0 the highest; trailing zeros are cut (X.690
 * §11.2.2).
 */
struct slice rspsim_der_bits(struct arena *mem, uint32_t tag, uint8_t bits);

#endif
