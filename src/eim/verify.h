#ifndef EIM_VERIFY_H
#define EIM_VERIFY_H
/* Whether an eUICC has signed what came (SGP.32 §2.11.1.2, §5.14). Pure. */
#include "eim/functions.h"

/*
 * Is the result signed by the key of `found`, and over which token? Tried are the token that the package was signed
 * with, the one in use, the candidate, and none; and the form of v1.0, over the eimSignature in the token's place.
 * The form that was right before is tried first. Fills form and token of `out`.
 */
bool eim_result_verify(struct arena *mem, const struct codec_euicc_package_result *result,
	const struct store_eim_found *found, struct store_eim_result *out);

/*
 * The certificates of an eUICC with this EID (32 digits; absent: any) down from a CI that is trusted, and not denied.
 * NULL and what they tell, or what is wrong.
 */
const char *eim_chain_verify(const struct eim_call *call, struct slice eum_certificate,
	struct slice euicc_certificate, struct slice eid, struct crypto_euicc *out);

/*
 * Is a notification of this eUICC (EID absent: of the one in its certificates) signed? An installation's result by
 * `key`, any other by its own certificates. NULL when it is, else what is wrong.
 */
const char *eim_notification_verify(const struct eim_call *call, const struct codec_notification *n,
	const struct crypto_public *key, struct slice eid, struct crypto_euicc *out);

/* The key of what was found; false when it is not known. */
bool eim_key_find(const struct store_eim_found *found, struct crypto_public *out);

#endif
