/*
 * Packages against eUICCs (SGP.22 Annex F): versions of the interoperable format, and mandatory services
 * (TCA profile package, ServicesList) against the bits of UICCCapability.
 */
#include "profile/fit.h"

#include "base/buf.h"

/* The capability that a service asks for. */
static const uint8_t capability[PROFILE_SERVICE_COUNT] = {
	[PROFILE_CONTACTLESS] = CODEC_CAN_CONTACTLESS,
	[PROFILE_USIM] = CODEC_CAN_USIM,
	[PROFILE_ISIM] = CODEC_CAN_ISIM,
	[PROFILE_CSIM] = CODEC_CAN_CSIM,
	[PROFILE_MILENAGE] = CODEC_CAN_MILENAGE,
	[PROFILE_TUAK128] = CODEC_CAN_TUAK128,
	[PROFILE_CAVE] = CODEC_CAN_CAVE,
	[PROFILE_GBA_USIM] = CODEC_CAN_GBA_USIM,
	[PROFILE_GBA_ISIM] = CODEC_CAN_GBA_ISIM,
	[PROFILE_MBMS] = CODEC_CAN_MBMS,
	[PROFILE_EAP] = CODEC_CAN_EAP,
	[PROFILE_JAVACARD] = CODEC_CAN_JAVACARD,
	[PROFILE_MULTOS] = CODEC_CAN_MULTOS,
	[PROFILE_MULTIPLE_USIM] = CODEC_CAN_MULTIPLE_USIM,
	[PROFILE_MULTIPLE_ISIM] = CODEC_CAN_MULTIPLE_ISIM,
	[PROFILE_MULTIPLE_CSIM] = CODEC_CAN_MULTIPLE_CSIM,
	[PROFILE_TUAK256] = CODEC_CAN_TUAK256,
	[PROFILE_USIM_TEST_ALGORITHM] = CODEC_CAN_TEST_ALGORITHM,
	[PROFILE_BER_TLV] = CODEC_CAN_BER_TLV,
	[PROFILE_DF_LINK] = CODEC_CAN_DF_LINK,
	[PROFILE_CAT_TP] = CODEC_CAN_CAT_TP,
	[PROFILE_GET_IDENTITY] = CODEC_CAN_GET_IDENTITY,
	[PROFILE_PROFILE_A] = CODEC_CAN_PROFILE_A,
	[PROFILE_PROFILE_B] = CODEC_CAN_PROFILE_B,
	[PROFILE_SUCI_API] = CODEC_CAN_SUCI_API,
	[PROFILE_DNS_RESOLUTION] = CODEC_CAN_DNS,
	[PROFILE_SCP11AC] = CODEC_CAN_SCP11AC,
	[PROFILE_SCP11C_AUTHORIZATION] = CODEC_CAN_SCP11C_AUTHORIZATION,
	[PROFILE_S16_MODE] = CODEC_CAN_S16,
	[PROFILE_EAKA] = CODEC_CAN_EAKA,
};

static int32_t
number(const uint8_t version[3])
{
	return version[0] * 256 + version[1];
}

/* The highest version that it knows, the additional ones with it; each covers those before. */
static int32_t
highest(const struct codec_euicc_info2 *euicc)
{
	int32_t most = number(euicc->profile_version);

	for (size_t i = 0; i < euicc->more_profile_version_count; i++)
		if (number(euicc->more_profile_versions[i]) > most)
			most = number(euicc->more_profile_versions[i]);
	return most;
}

uint32_t
profile_services_missing(const struct profile_need *need, const struct codec_euicc_info2 *euicc)
{
	uint32_t missing = 0;

	for (unsigned i = 0; i < PROFILE_SERVICE_COUNT; i++)
		if ((need->services >> i & 1) && !(euicc->capability >> capability[i] & 1))
			missing |= 1u << i;
	return missing;
}

/* "the eUICC lacks the services isim, csim and ber-tlv" */
static void
services_put(struct buf *out, uint32_t missing)
{
	size_t left = (size_t)__builtin_popcount(missing);

	buf_printf(out, "the eUICC lacks the service%s", left > 1 ? "s" : "");
	for (unsigned i = 0; i < PROFILE_SERVICE_COUNT; i++)
		if (missing >> i & 1) {
			buf_printf(out, " %s", profile_service_name((enum profile_service)i));
			left--;
			buf_put_text(out, left > 1 ? "," : left == 1 ? " and" : "");
		}
}

bool
profile_fits(struct arena *mem, const struct profile_need *need,
	const struct codec_euicc_info2 *euicc, const char **why)
{
	int32_t known = highest(euicc);
	uint32_t missing = profile_services_missing(need, euicc);
	bool old = known < need->saip_version;
	struct buf out;

	if (!old && !missing)
		return true;
	buf_init(&out, mem, 1024);
	if (old)
		buf_printf(&out, "the package has format %d.%d, the eUICC knows up to %d.%d%s",
			need->saip_version / 256, need->saip_version % 256, known / 256,
			known % 256, missing ? "; " : "");
	if (missing)
		services_put(&out, missing);
	*why = arena_string(mem, buf_get(&out));
	return false;
}
