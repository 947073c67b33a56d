/*
 * The eligibility check (SGP.22 §3.1.3 step 4, Annex F): the package's format version, the services that
 * it calls mandatory, its policy rules and its size against what the eUICC says of itself.
 */
#include "dp/eligibility.h"
#include "profile/upp.h"

/* Which capability a mandatory service asks for; services without a bit of their own are not listed. */
static const struct {
	enum profile_service service;
	enum codec_capability capability;
} wants[] = {
	{ PROFILE_CONTACTLESS, CODEC_CAN_CONTACTLESS },
	{ PROFILE_USIM, CODEC_CAN_USIM },
	{ PROFILE_ISIM, CODEC_CAN_ISIM },
	{ PROFILE_CSIM, CODEC_CAN_CSIM },
	{ PROFILE_MILENAGE, CODEC_CAN_MILENAGE },
	{ PROFILE_TUAK128, CODEC_CAN_TUAK128 },
	{ PROFILE_CAVE, CODEC_CAN_CAVE },
	{ PROFILE_GBA_USIM, CODEC_CAN_GBA_USIM },
	{ PROFILE_GBA_ISIM, CODEC_CAN_GBA_ISIM },
	{ PROFILE_MBMS, CODEC_CAN_MBMS },
	{ PROFILE_EAP, CODEC_CAN_EAP },
	{ PROFILE_JAVACARD, CODEC_CAN_JAVACARD },
	{ PROFILE_MULTOS, CODEC_CAN_MULTOS },
	{ PROFILE_MULTIPLE_USIM, CODEC_CAN_MULTIPLE_USIM },
	{ PROFILE_MULTIPLE_ISIM, CODEC_CAN_MULTIPLE_ISIM },
	{ PROFILE_MULTIPLE_CSIM, CODEC_CAN_MULTIPLE_CSIM },
	{ PROFILE_TUAK256, CODEC_CAN_TUAK256 },
	{ PROFILE_USIM_TEST_ALGORITHM, CODEC_CAN_TEST_ALGORITHM },
	{ PROFILE_BER_TLV, CODEC_CAN_BER_TLV },
	{ PROFILE_DF_LINK, CODEC_CAN_DF_LINK },
	{ PROFILE_CAT_TP, CODEC_CAN_CAT_TP },
	{ PROFILE_GET_IDENTITY, CODEC_CAN_GET_IDENTITY },
	{ PROFILE_PROFILE_A, CODEC_CAN_PROFILE_A },
	{ PROFILE_PROFILE_B, CODEC_CAN_PROFILE_B },
	{ PROFILE_SUCI_API, CODEC_CAN_SUCI_API },
	{ PROFILE_DNS_RESOLUTION, CODEC_CAN_DNS },
	{ PROFILE_SCP11AC, CODEC_CAN_SCP11AC },
	{ PROFILE_SCP11C_AUTHORIZATION, CODEC_CAN_SCP11C_AUTHORIZATION },
	{ PROFILE_S16_MODE, CODEC_CAN_S16 },
	{ PROFILE_EAKA, CODEC_CAN_EAKA },
};

static bool
version_covers(const uint8_t version[3], int32_t needed)
{
	return version[0] * 256 + version[1] >= needed;
}

/* The highest version, or one of the additional ones; each covers what is older than itself. */
static bool
format_known(const struct codec_euicc_info2 *euicc, int32_t needed)
{
	bool known = version_covers(euicc->profile_version, needed);

	for (size_t i = 0; i < euicc->more_profile_version_count && !known; i++)
		known = version_covers(euicc->more_profile_versions[i], needed);
	return known;
}

static const char *
service_missing(const struct dp_profile_needs *needs, const struct codec_euicc_info2 *euicc)
{
	for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++)
		if ((needs->services >> wants[i].service & 1) &&
			!(euicc->capability >> wants[i].capability & 1))
			return profile_service_name(wants[i].service);
	return NULL;
}

const struct dp_refusal *
dp_eligible(struct arena *mem, const struct dp_profile_needs *needs,
	const struct codec_euicc_info2 *euicc, const char **why)
{
	const char *service = service_missing(needs, euicc);

	if (!format_known(euicc, needs->saip_version)) {
		*why = arena_printf(mem,
			"the package has format %d.%d, the eUICC knows up to %d.%d",
			needs->saip_version / 256, needs->saip_version % 256,
			euicc->profile_version[0], euicc->profile_version[1]);
		return &DP_NOT_ELIGIBLE;
	}
	if (service) {
		*why = arena_printf(mem, "the eUICC lacks the service %s", service);
		return &DP_NOT_ELIGIBLE;
	}
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
