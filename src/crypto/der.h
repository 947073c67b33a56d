#ifndef CRYPTO_DER_H
#define CRYPTO_DER_H
/*
 * A walk over DER for certificates and revocation lists, on base/tlv.h: minimal lengths, one-octet tags.
 * Each reader takes an element off the front of `in`; on false it is empty: at its end when it
 * still points somewhere, absent when what stood there was malformed or not what was asked for.
 */
#include "base/slice.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};

struct der {
	uint8_t tag;
	struct slice content;
	struct slice whole; /* with tag and length */
};

/* Any element. */
bool der_next(struct slice *in, struct der *out);

/* An element of this tag. */
bool der_read(struct slice *in, uint8_t tag, struct slice *content);

/* The same if the next element has this tag; absent and true if it has another or there is none. */
bool der_read_optional(struct slice *in, uint8_t tag, struct slice *content);

/* BIT STRING without unused bits: its octets. */
bool der_read_bits(struct slice *in, struct slice *octets);

/* UTCTime or GeneralizedTime in the forms of RFC 5280 §4.1.2.5, as seconds since 1970. */
bool der_read_time(struct slice *in, int64_t *seconds);

#endif
