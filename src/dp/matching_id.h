#ifndef DP_MATCHING_ID_H
#define DP_MATCHING_ID_H
/* MatchingIDs and the activation codes that carry them (SGP.22 §4.1). */
#include "base/arena.h"

enum { DP_MATCHING_ID_MAX = 128, DP_ACTIVATION_CODE_MAX = 255 };

/*
 * A new one: 140 bits of randomness in digits, capital letters and hyphens, so that it fits the
 * alphanumeric mode of QR codes; groups of four, without letters that look like digits.
 */
struct slice dp_matching_id_new(struct arena *mem);

/* True when a given one may be used: printable, without blanks and `$`, not too long; or empty. */
bool dp_matching_id_usable(struct slice matching_id);

/*
 * "1$ADDRESS$MATCHING-ID[$OID][$1]", §4.1; without the "LPA:" of QR codes. An absent OID is left out.
 * False when it would be longer than 255 characters.
 */
bool dp_activation_code_write(struct arena *mem, struct slice address, struct slice matching_id,
	struct slice oid, bool code_required, struct slice *out);

#endif
