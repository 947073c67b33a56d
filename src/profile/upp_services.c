/*
 * What the header declares that an eUICC must be able to do, against what the package uses (TCA
 * profile package, eUICC-Mandatory-services), and the authentication parameters: lengths, and whether
 * they are the published ones of test profiles (TS.48; SGP.22 §2.4.5.3).
 */
#include "profile/upp_int.h"

#include <ProfileElement.h>
#include "base/secret.h"
#include "codec/asn1.h"

static const char *const service_name[PROFILE_SERVICE_COUNT] = {
	[PROFILE_CONTACTLESS] = "contactless",
	[PROFILE_USIM] = "usim",
	[PROFILE_ISIM] = "isim",
	[PROFILE_CSIM] = "csim",
	[PROFILE_MILENAGE] = "milenage",
	[PROFILE_TUAK128] = "tuak128",
	[PROFILE_CAVE] = "cave",
	[PROFILE_GBA_USIM] = "gba-usim",
	[PROFILE_GBA_ISIM] = "gba-isim",
	[PROFILE_MBMS] = "mbms",
	[PROFILE_EAP] = "eap",
	[PROFILE_JAVACARD] = "javacard",
	[PROFILE_MULTOS] = "multos",
	[PROFILE_MULTIPLE_USIM] = "multiple-usim",
	[PROFILE_MULTIPLE_ISIM] = "multiple-isim",
	[PROFILE_MULTIPLE_CSIM] = "multiple-csim",
	[PROFILE_TUAK256] = "tuak256",
	[PROFILE_USIM_TEST_ALGORITHM] = "usim-test-algorithm",
	[PROFILE_BER_TLV] = "ber-tlv",
	[PROFILE_DF_LINK] = "dfLink",
	[PROFILE_CAT_TP] = "cat-tp",
	[PROFILE_GET_IDENTITY] = "get-identity",
	[PROFILE_PROFILE_A] = "profile-a-x25519",
	[PROFILE_PROFILE_B] = "profile-b-p256",
	[PROFILE_SUCI_API] = "suciCalculatorApi",
	[PROFILE_DNS_RESOLUTION] = "dns-resolution",
	[PROFILE_SCP11AC] = "scp11ac",
	[PROFILE_SCP11C_AUTHORIZATION] = "scp11c-authorization-mechanism",
	[PROFILE_S16_MODE] = "s16mode",
	[PROFILE_EAKA] = "eaka",
};

const char *
profile_service_name(enum profile_service service)
{
	return service_name[service];
}

/* A service needs an element of one of these kinds. */
static const struct {
	enum profile_service service;
	enum pe_tag needs[2];
	bool declared; /* and such an element must be declared by it */
} by_element[] = {
	{ PROFILE_USIM, { PE_USIM, PE_IOT }, true },
	{ PROFILE_ISIM, { PE_ISIM }, true },
	{ PROFILE_CSIM, { PE_CSIM }, true },
	{ PROFILE_CAVE, { PE_CDMA }, false }, /* TS.48 has one and does not say so */
	{ PROFILE_GBA_USIM, { PE_USIM, PE_IOT }, false },
	{ PROFILE_MBMS, { PE_USIM, PE_IOT }, false },
	{ PROFILE_GET_IDENTITY, { PE_USIM, PE_IOT }, false },
	{ PROFILE_PROFILE_A, { PE_USIM, PE_IOT }, false },
	{ PROFILE_PROFILE_B, { PE_USIM, PE_IOT }, false },
	{ PROFILE_MULTIPLE_USIM, { PE_USIM }, false },
	{ PROFILE_GBA_ISIM, { PE_ISIM }, false },
	{ PROFILE_MULTIPLE_ISIM, { PE_ISIM }, false },
	{ PROFILE_MULTIPLE_CSIM, { PE_CSIM }, false },
};

static bool
elements_match(struct upp_reader *r)
{
	for (size_t i = 0; i < sizeof by_element / sizeof by_element[0]; i++) {
		const char *name = service_name[by_element[i].service];
		bool has = false;

		for (size_t k = 0; k < 2 && by_element[i].needs[k]; k++)
			has = has || upp_has(r, by_element[i].needs[k]);
		if (upp_declares(r, by_element[i].service) && !has)
			return upp_refuse(
				r, 0, "service %s is declared, but nothing uses it", name);
		if (by_element[i].declared && has && !upp_declares(r, by_element[i].service))
			return upp_refuse(r, 0, "service %s is used, but not declared", name);
	}
	return true;
}

/* Algorithms: the service that stands for each, by identifier and length of the key. */
static const struct {
	long id;
	int key; /* octets */
	enum profile_service service;
} algorithm[] = {
	{ AlgoParameter__algorithmID_milenage, 16, PROFILE_MILENAGE },
	{ AlgoParameter__algorithmID_tuak, 16, PROFILE_TUAK128 },
	{ AlgoParameter__algorithmID_tuak, 32, PROFILE_TUAK256 },
	{ AlgoParameter__algorithmID_usim_test_algorithm, 16, PROFILE_USIM_TEST_ALGORITHM },
};

#define ALGORITHM_COUNT (sizeof algorithm / sizeof algorithm[0])

/* OPc is as long as K; TOPc always has 32 octets (TS 35.231). Some write it with 16 for TUAK-128. */
static bool
opc_fits(const AlgoParameter_t *in)
{
	if (in->algorithmID == AlgoParameter__algorithmID_tuak)
		return in->opc.size == 32 || in->opc.size == in->key.size;
	return in->opc.size == 16;
}

static bool
algorithm_read(struct upp_reader *r, size_t pe, const AlgoParameter_t *in, uint32_t *used)
{
	for (size_t i = 0; i < ALGORITHM_COUNT; i++) {
		if (algorithm[i].id != in->algorithmID || algorithm[i].key != in->key.size)
			continue;
		if (!opc_fits(in))
			return upp_refuse(r, pe, "OPc or TOPc has %d octets", in->opc.size);
		if (!upp_declares(r, algorithm[i].service))
			return upp_refuse(r, pe, "service %s is used, but not declared",
				service_name[algorithm[i].service]);
		*used |= 1u << algorithm[i].service;
		return true;
	}
	return upp_refuse(r, pe, "algorithm %ld with a key of %d octets is unknown",
		in->algorithmID, in->key.size);
}

bool
upp_is_test_key(struct slice k)
{
	static const uint8_t published[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
		15 };

	return secret_eq(k, SLICE_ARRAY(published));
}

static bool
keys_hold(struct upp_reader *r, uint32_t *used)
{
	size_t keys = 0, test = 0;

	for (size_t i = upp_find(r, PE_AKA, 0); i < r->out->pe_count;
		i = upp_find(r, PE_AKA, i + 1)) {
		const struct PE_AKAParameter__algoConfiguration *in =
			&r->decoded[i]->choice.akaParameter.algoConfiguration;

		if (in->present != PE_AKAParameter__algoConfiguration_PR_algoParameter)
			continue;
		if (!algorithm_read(r, i, &in->choice.algoParameter, used))
			return false;
		keys++;
		test += upp_is_test_key(CODEC_ASN1_SLICE(in->choice.algoParameter.key));
		if (test > 0 && test < keys)
			return upp_refuse(r, i, "the published test key stands beside another one");
	}
	r->out->test_key = test > 0;
	return true;
}

static bool
algorithms_match(struct upp_reader *r, uint32_t used)
{
	for (size_t i = 0; i < ALGORITHM_COUNT; i++)
		if (upp_declares(r, algorithm[i].service) && !(used >> algorithm[i].service & 1))
			return upp_refuse(r, 0,
				"service %s is declared, but no akaParameter uses it",
				service_name[algorithm[i].service]);
	if (upp_has(r, PE_APPLICATION) && !upp_declares(r, PROFILE_JAVACARD) &&
		!upp_declares(r, PROFILE_MULTOS))
		return upp_refuse(r, upp_find(r, PE_APPLICATION, 0),
			"neither service javacard nor multos is declared");
	return true;
}

bool
upp_services_hold(struct upp_reader *r)
{
	uint32_t used = 0;

	return elements_match(r) && keys_hold(r, &used) && algorithms_match(r, used);
}
