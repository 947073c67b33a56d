/*
 * The eligibility check (SGP.22 §3.1.3 step 4, Annex F): the package's format version and the services that
 * it calls mandatory (profile/fit.c), its policy rules and its size against what the eUICC says of itself.
 */
#include "dp/eligibility.h"
#include "profile/fit.h"

const struct dp_refusal *
dp_eligible(struct arena *mem, const struct dp_profile_needs *needs,
	const struct codec_euicc_info2 *euicc, const char **why)
{
	const struct profile_need need = { needs->saip_version, needs->services };

	if (!profile_fits(mem, &need, euicc, why))
		return &DP_NOT_ELIGIBLE;
	if (needs->rules & euicc->forbidden_rules) {
		*why = "the eUICC forbids the profile's policy rules";
		return &DP_NOT_ELIGIBLE;
	}
	if (euicc->non_volatile.known && euicc->non_volatile.n < (uint32_t)needs->upp_octets) {
		*why = arena_printf(mem, "the package has %d octets, the eUICC %u free",
			needs->upp_octets, euicc->non_volatile.n);
		return &DP_MEMORY_INSUFFICIENT;
	}
	return NULL;
}
