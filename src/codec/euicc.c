/*
 * EUICCInfo1 and EUICCInfo2 (SGP.22 §5.7.8). What a server does not judge (certification, TRE) stays
 * in the octets.
 */
#include "codec/euicc.h"

#include "codec/int.h"

static bool
ci_list_read(struct arena *mem, struct slice contents, struct codec_ci_list *out, const char **why)
{
	struct slice *id = ARENA_ARRAY(mem, struct slice, CODEC_CI_MAX);
	struct codec_der tlv;

	*out = (struct codec_ci_list){ .id = id };
	while (contents.n > 0) {
		if (out->n == CODEC_CI_MAX) {
			*why = "too many CI key identifiers";
			return false;
		}
		if (!codec_der_read_tag(&contents, 0x04, &tlv) || tlv.value.n != 20) {
			*why = "a CI key identifier is no OCTET STRING of 20 octets";
			return false;
		}
		id[out->n++] = tlv.value;
	}
	return true;
}

bool
codec_euicc_info1_read(
	struct arena *mem, struct slice octets, struct codec_euicc_info1 *out, const char **why)
{
	struct slice svn, highest, verify, sign;
	struct codec_der tlv;
	const struct member table[] = {
		{ 0x82, "svn", 3, 3, false, &svn, NULL },
		{ 0xa9, "euiccCiPKIdListForVerification", 0, MEMBER_MAX, false, &verify, NULL },
		{ 0xaa, "euiccCiPKIdListForSigning", 0, MEMBER_MAX, false, &sign, NULL },
	};

	if (!codec_der_read_whole(octets, 0xbf20, &tlv)) {
		*why = "EUICCInfo1: not one TLV of tag BF20";
		return false;
	}
	if (!MEMBER_READ(mem, tlv.value, table, why))
		return false;
	memcpy(out->svn, svn.p, 3);
	highest = member_find(tlv.value, 0x93, 3, 3);
	if (!highest.p || memcmp(highest.p, svn.p, 3) < 0)
		highest = svn;
	memcpy(out->highest_svn, highest.p, 3);
	return ci_list_read(mem, verify, &out->verify, why) &&
		ci_list_read(mem, sign, &out->sign, why);
}

/* A number as many octets long as the card likes. */
static struct codec_count
count_read(struct slice value)
{
	struct codec_count count = { .known = value.n >= 1 && value.n <= 4 };

	for (size_t i = 0; count.known && i < value.n; i++)
		count.n = count.n << 8 | value.p[i];
	return count;
}

/* extCardResource: TLVs of TS 102 226 §8.2.1.7.2; a card may leave each out. */
static void
resource_read(struct slice contents, struct codec_euicc_info2 *out)
{
	struct codec_der tlv;

	while (codec_der_read(&contents, &tlv)) {
		if (tlv.tag == 0x81)
			out->applications = count_read(tlv.value);
		else if (tlv.tag == 0x82)
			out->non_volatile = count_read(tlv.value);
		else if (tlv.tag == 0x83)
			out->volatile_ = count_read(tlv.value);
	}
}

static bool
more_versions_read(
	struct arena *mem, struct slice contents, struct codec_euicc_info2 *out, const char **why)
{
	uint8_t(*version)[3] = arena_alloc(mem, contents.n); /* each takes 5 octets there */
	struct codec_der tlv;

	out->more_profile_versions = (const uint8_t(*)[3])version;
	while (contents.n > 0) {
		if (!codec_der_read_tag(&contents, 0x04, &tlv) || tlv.value.n != 3) {
			*why = "additionalEuiccProfilePackageVersions: no OCTET STRING of 3 octets";
			return false;
		}
		memcpy(version[out->more_profile_version_count++], tlv.value.p, 3);
	}
	return true;
}

/* The members that are judged, out of the BF22's contents. */
struct info2 {
	struct slice profile_version, svn, firmware, resource, capability, verify, sign;
	struct slice category, forbidden, pp_version, more_versions;
};

static bool
info2_read(struct arena *mem, struct slice contents, struct info2 *in, const char **why)
{
	const struct member table[] = {
		{ 0x81, "profileVersion", 3, 3, false, &in->profile_version, NULL },
		{ 0x82, "svn", 3, 3, false, &in->svn, NULL },
		{ 0x83, "euiccFirmwareVer", 3, 3, false, &in->firmware, NULL },
		{ 0x84, "extCardResource", 0, MEMBER_MAX, false, &in->resource, NULL },
		{ 0x85, "uiccCapability", 1, MEMBER_MAX, false, &in->capability, NULL },
		{ 0xa9, "euiccCiPKIdListForVerification", 0, MEMBER_MAX, false, &in->verify, NULL },
		{ 0xaa, "euiccCiPKIdListForSigning", 0, MEMBER_MAX, false, &in->sign, NULL },
		{ 0x8b, "euiccCategory", 1, 4, true, &in->category, NULL },
		{ 0x99, "forbiddenProfilePolicyRules", 1, MEMBER_MAX, true, &in->forbidden, NULL },
		{ 0x04, "ppVersion", 3, 3, false, &in->pp_version, NULL },
		{ 0xaf, "additionalEuiccProfilePackageVersions", 0, MEMBER_MAX, true,
			&in->more_versions, NULL },
	};

	return MEMBER_READ(mem, contents, table, why);
}

bool
codec_euicc_info2_read(
	struct arena *mem, struct slice octets, struct codec_euicc_info2 *out, const char **why)
{
	struct codec_der tlv;
	struct info2 in;
	uint32_t forbidden = 0;

	*out = (struct codec_euicc_info2){ .octets = octets };
	if (!codec_der_read_whole(octets, 0xbf22, &tlv)) {
		*why = "EUICCInfo2: not one TLV of tag BF22";
		return false;
	}
	if (!info2_read(mem, tlv.value, &in, why))
		return false;
	if (!member_bits_read(in.capability, &out->capability) ||
		(in.forbidden.p && !member_bits_read(in.forbidden, &forbidden))) {
		*why = "EUICCInfo2: a BIT STRING is none";
		return false;
	}
	out->forbidden_rules = (uint8_t)forbidden;
	out->category = count_read(in.category);
	resource_read(in.resource, out);
	memcpy(out->profile_version, in.profile_version.p, 3);
	memcpy(out->svn, in.svn.p, 3);
	memcpy(out->firmware, in.firmware.p, 3);
	memcpy(out->pp_version, in.pp_version.p, 3);
	return more_versions_read(mem, in.more_versions, out, why) &&
		ci_list_read(mem, in.verify, &out->verify, why) &&
		ci_list_read(mem, in.sign, &out->sign, why);
}
