#ifndef DP_ELIGIBILITY_H
#define DP_ELIGIBILITY_H
/* Whether an eUICC can take a profile (SGP.22 §3.1.3 step 4, Annex F). Pure. */
#include "codec/euicc.h"
#include "dp/refusal.h"

struct dp_profile_needs {
	int32_t saip_version; /* major * 256 + minor of the interoperable format */
	int64_t services;     /* 1 << enum profile_service */
	int32_t upp_octets;
	uint8_t rules; /* CODEC_PPR_* of its metadata */
};

/* NULL when it can. Else the refusal, and in `*why` (in the arena) what is missing, for the operator. */
const struct dp_refusal *dp_eligible(struct arena *mem, const struct dp_profile_needs *needs,
	const struct codec_euicc_info2 *euicc, const char **why);

#endif
