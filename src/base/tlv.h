#ifndef BASE_TLV_H
#define BASE_TLV_H
/*
 * One element of tag, length and value (X.690), taken off octets that somebody else owns. This is the only
 * place that reads tags and lengths: certificates (crypto/der.h) and messages (codec/der.h) ask it, each with
 * the rule that binds its octets. What no message of RSP needs is refused by both: indefinite lengths, lengths
 * of more than four octets or beyond the octets at hand, tags of more than three octets. It allocates nothing
 * and does not recurse.
 */
#include "base/slice.h"

struct tlv {
	uint32_t tag;        /* as it is written: 0x30, 0x5f37, 0xbf38 */
	struct slice octets; /* tag, length and value, as received */
	struct slice value;
};

/* DER wants the shortest length there is (X.690 §10.1); BER takes longer ones too. */
enum tlv_rule { TLV_BER, TLV_DER };

/* Takes the first element off `rest`. False, and `rest` unmoved, when none stands there. */
bool tlv_read(struct slice *rest, enum tlv_rule rule, struct tlv *out);

#endif
