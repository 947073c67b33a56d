#ifndef RSPSIM_ACTIVATION_H
#define RSPSIM_ACTIVATION_H
/* What a user types: the activation code (SGP.22 §4.1) and the Confirmation Code. */
#include "base/arena.h"

struct rspsim_activation {
	const char *address;     /* of the SM-DP+, as written */
	const char *matching_id; /* AC token; may be empty */
	const char *oid;         /* dotted, "" when not given */
	bool cc_required;
};

/* NULL, or what is wrong with the code. Blanks around it and the prefix LPA: are taken off. */
const char *
rspsim_activation_read(struct arena *mem, struct slice code, struct rspsim_activation *out);

/* SHA-256(SHA-256(code) ‖ transactionId) (§3.1.3 step 8). */
void rspsim_hash_cc(const char *code, struct slice transaction_id, uint8_t out[32]);

#endif
