/*
 * EUICCInfo1 and EUICCInfo2 (SGP.22 §5.7.8) by the generated codecs. What a server does not judge
 * (certification, TRE) is left in the octets.
 */
#include "codec/euicc.h"

#include <EUICCInfo1.h>
#include <EUICCInfo2.h>
#include "codec/asn1.h"
#include "codec/int.h"

static bool
version_read(const VersionType_t *in, uint8_t out[3])
{
	if (in->size != 3)
		return false;
	memcpy(out, in->buf, 3);
	return true;
}

/* The two lists of both types are distinct C types of one shape, hence the parts. */
static bool
ci_list_read(struct arena *mem, SubjectKeyIdentifier_t *const *id, int n, struct codec_ci_list *out,
	const char **why)
{
	struct slice *list;

	if (n > CODEC_CI_MAX) {
		*why = "too many CI key identifiers";
		return false;
	}
	list = ARENA_ARRAY(mem, struct slice, (size_t)n);
	for (int i = 0; i < n; i++) {
		list[i] = CODEC_ASN1_SLICE(*id[i]);
		if (list[i].n != 20) {
			*why = "a CI key identifier has not 20 octets";
			return false;
		}
	}
	out->id = list;
	out->n = (size_t)n;
	return true;
}

#define CI_LIST_READ(mem, list_of, out, why) \
	ci_list_read(mem, (list_of)->list.array, (list_of)->list.count, out, why)

bool
codec_euicc_info1_read(
	struct arena *mem, struct slice octets, struct codec_euicc_info1 *out, const char **why)
{
	const EUICCInfo1_t *in =
		codec_asn1_read(mem, &asn_DEF_EUICCInfo1, octets, OBJECT_VALUES_MAX, why);

	if (!in)
		return false;
	if (!version_read(&in->svn, out->svn) || !in->euiccCiPKIdListForVerification ||
		!in->euiccCiPKIdListForSigning) {
		*why = "EUICCInfo1: a mandatory member is missing";
		return false;
	}
	return CI_LIST_READ(mem, in->euiccCiPKIdListForVerification, &out->verify, why) &&
		CI_LIST_READ(mem, in->euiccCiPKIdListForSigning, &out->sign, why);
}

/* One number of extCardResource: big-endian, as many octets as the card likes. */
static struct codec_count
count_read(struct slice resource, uint32_t tag)
{
	struct codec_count count = { 0 };
	struct codec_der tlv;

	if (!codec_der_find(resource, tag, &tlv) || tlv.value.n < 1 || tlv.value.n > 4)
		return count;
	count.known = true;
	for (size_t i = 0; i < tlv.value.n; i++)
		count.n = count.n << 8 | tlv.value.p[i];
	return count;
}

static bool
more_versions_read(struct arena *mem, const EUICCInfo2_t *in, struct codec_euicc_info2 *out)
{
	const struct EUICCInfo2__additionalEuiccProfilePackageVersions *more =
		in->additionalEuiccProfilePackageVersions;
	uint8_t(*version)[3];

	if (!more)
		return true;
	version = arena_alloc(mem, (size_t)more->list.count * sizeof version[0]);
	for (int i = 0; i < more->list.count; i++)
		if (!version_read(more->list.array[i], version[i]))
			return false;
	out->more_profile_versions = (const uint8_t(*)[3])version;
	out->more_profile_version_count = (size_t)more->list.count;
	return true;
}

bool
codec_euicc_info2_read(
	struct arena *mem, struct slice octets, struct codec_euicc_info2 *out, const char **why)
{
	const EUICCInfo2_t *in =
		codec_asn1_read(mem, &asn_DEF_EUICCInfo2, octets, OBJECT_VALUES_MAX, why);
	struct slice resource;

	if (!in)
		return false;
	*out = (struct codec_euicc_info2){ .octets = octets };
	if (!in->svn || !in->euiccFirmwareVer || !in->extCardResource || !in->uiccCapability ||
		!in->euiccCiPKIdListForVerification || !in->euiccCiPKIdListForSigning ||
		!in->ppVersion || !version_read(&in->profileVersion, out->profile_version) ||
		!version_read(in->svn, out->svn) ||
		!version_read(in->euiccFirmwareVer, out->firmware) ||
		!version_read(in->ppVersion, out->pp_version) ||
		!more_versions_read(mem, in, out)) {
		*why = "EUICCInfo2: a mandatory member is missing";
		return false;
	}
	resource = CODEC_ASN1_SLICE(*in->extCardResource);
	out->applications = count_read(resource, 0x81);
	out->non_volatile = count_read(resource, 0x82);
	out->volatile_ = count_read(resource, 0x83);
	out->capability = codec_asn1_bits(in->uiccCapability->buf, (size_t)in->uiccCapability->size,
		in->uiccCapability->bits_unused);
	if (in->forbiddenProfilePolicyRules)
		out->forbidden_rules =
			(uint8_t)codec_asn1_bits(in->forbiddenProfilePolicyRules->buf,
				(size_t)in->forbiddenProfilePolicyRules->size,
				in->forbiddenProfilePolicyRules->bits_unused);
	if (in->euiccCategory && *in->euiccCategory >= 0)
		out->category = (struct codec_count){ true, (uint32_t)*in->euiccCategory };
	return CI_LIST_READ(mem, in->euiccCiPKIdListForVerification, &out->verify, why) &&
		CI_LIST_READ(mem, in->euiccCiPKIdListForSigning, &out->sign, why);
}
