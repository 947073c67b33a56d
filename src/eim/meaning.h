#ifndef EIM_MEANING_H
#define EIM_MEANING_H
/*
 * What a verified answer means (SGP.32 §2.11.2, RULES 5): how the package ends, what is believed of the eUICC from
 * now on, what is wanted next. Pure: octets and what we know in, what is to be recorded out.
 */
#include "eim/functions.h"

/*
 * Fills outcome, meaning, profiles, eims and what follows from the result of `found`'s package into `out`; the
 * result is verified. `fence_step` is how far a counter that is behind is lifted.
 */
void eim_meaning_of_result(struct arena *mem, const struct codec_euicc_package_result *result,
	const struct store_eim_found *found, int fence_step, struct store_eim_result *out);

/* … from an IPA's answer to a data request, which is unsigned. */
void eim_meaning_of_data(
	struct arena *mem, const struct codec_ipa_data *data, struct store_eim_result *out);

/* … from the verified result of an installation, or (NULL) from the error of a trigger. */
void eim_meaning_of_trigger(struct arena *mem, const struct codec_download_result *result,
	const struct codec_notification *installation, struct store_eim_result *out);

/* … from an IPA's word that it could do nothing with what it was given (§5.14.6). */
void eim_meaning_of_error(struct arena *mem, int code, struct store_eim_result *out);

#endif
