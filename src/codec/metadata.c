/*
 * StoreMetadataRequest (SGP.22 §5.5.3). Written member by member and read by the generated codec, so
 * that each is a check on the other.
 */
#include "codec/metadata.h"

#include <StoreMetadataRequest.h>
#include "codec/asn1.h"
#include "codec/int.h"
#include "codec/notification.h"

#define METADATA_MAX 8192u

/* Characters of well-formed UTF-8 (no surrogates, no overlong forms), or SIZE_MAX. */
static size_t
characters(struct slice s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.n; count++) {
		uint8_t lead = s.p[i++];
		int more = lead < 0x80 ? 0 : lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
		uint32_t point = more ? lead & (0x3fu >> more) : lead;
		static const uint32_t lowest[] = { 0, 0x80, 0x800, 0x10000 };

		if ((lead >= 0x80 && lead < 0xc0) || lead >= 0xf8)
			return SIZE_MAX;
		for (int k = 0; k < more; k++) {
			if (i == s.n || (s.p[i] & 0xc0) != 0x80)
				return SIZE_MAX;
			point = point << 6 | (s.p[i++] & 0x3f);
		}
		if (point < lowest[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
			return SIZE_MAX;
	}
	return count;
}

/* Why it cannot be written, or NULL. */
static const char *
fault(const struct codec_metadata *in)
{
	if (in->iccid.n != 10)
		return "the ICCID has not 10 octets";
	if (characters(in->provider) > 32)
		return "the service provider name is no UTF-8 text of at most 32 characters";
	if (characters(in->name) > 64)
		return "the profile name is no UTF-8 text of at most 64 characters";
	if (in->icon.n > 1024)
		return "the icon has more than 1024 octets";
	if (in->notify_count > CODEC_NOTIFY_MAX)
		return "too many notification addresses";
	for (size_t i = 0; i < in->notify_count; i++)
		if (in->notify[i].address.n == 0 || in->notify[i].address.n > 255 ||
			in->notify[i].events == 0 || in->notify[i].events > 0x0f)
			return "a notification has no address, a long one, or no event";
	if (in->mcc_mnc.p && in->mcc_mnc.n != 3)
		return "the owner's MCC and MNC have not 3 octets";
	if (in->gid1.n > 255 || in->gid2.n > 255)
		return "a group identifier of the owner has more than 255 octets";
	if (!in->mcc_mnc.p && (in->gid1.p || in->gid2.p))
		return "the owner has group identifiers but no MCC and MNC";
	return NULL;
}

/* An entry for each event of each address, one bit in each (§5.5.3). */
static void
notify_put(struct buf *out, const struct codec_metadata *in)
{
	struct buf list, entry;

	if (in->notify_count == 0)
		return;
	buf_init(&list, out->mem, METADATA_MAX * 4);
	for (size_t i = 0; i < in->notify_count; i++)
		for (unsigned event = 0; event <= CODEC_DELETE; event++) {
			if (!(in->notify[i].events >> event & 1))
				continue;
			buf_init(&entry, out->mem, METADATA_MAX);
			codec_der_put_bits(&entry, 0x80, 1u << event);
			codec_der_put(&entry, 0x81, in->notify[i].address);
			codec_der_put(&list, 0x30, buf_get(&entry));
		}
	codec_der_put(out, 0xb6, buf_get(&list));
}

static void
owner_put(struct buf *out, const struct codec_metadata *in)
{
	struct buf owner;

	if (!in->mcc_mnc.p)
		return;
	buf_init(&owner, out->mem, METADATA_MAX);
	codec_der_put(&owner, 0x80, in->mcc_mnc);
	codec_der_put_optional(&owner, 0x81, in->gid1);
	codec_der_put_optional(&owner, 0x82, in->gid2);
	codec_der_put(out, 0xb7, buf_get(&owner));
}

bool
codec_store_metadata_write(
	struct arena *mem, const struct codec_metadata *in, struct slice *out, const char **why)
{
	struct buf contents, whole;

	*why = fault(in);
	if (*why)
		return false;
	buf_init(&contents, mem, METADATA_MAX * 4);
	codec_der_put(&contents, 0x5a, in->iccid);
	codec_der_put(&contents, 0x91, in->provider);
	codec_der_put(&contents, 0x92, in->name);
	if (in->icon.p)
		codec_der_put_int(&contents, 0x93, in->icon_type);
	codec_der_put_optional(&contents, 0x94, in->icon);
	if (in->profile_class != CODEC_CLASS_OPERATIONAL) /* the default is not sent (DER) */
		codec_der_put_int(&contents, 0x95, in->profile_class);
	notify_put(&contents, in);
	owner_put(&contents, in);
	if (in->rules)
		codec_der_put_bits(&contents, 0x99, in->rules);
	buf_init(&whole, mem, METADATA_MAX * 5);
	codec_der_put(&whole, 0xbf25, buf_get(&contents));
	*out = buf_get(&whole);
	return true;
}

/* Entries of one address become one again. */
static bool
notify_read(const struct StoreMetadataRequest__notificationConfigurationInfo *in,
	struct codec_metadata *out)
{
	for (int i = 0; in && i < in->list.count; i++) {
		const NotificationConfigurationInformation_t *entry = in->list.array[i];
		struct slice address = CODEC_ASN1_SLICE(entry->notificationAddress);
		size_t k = 0;

		while (k < out->notify_count && !slice_eq(out->notify[k].address, address))
			k++;
		if (k == CODEC_NOTIFY_MAX)
			return false;
		out->notify[k].address = address;
		out->notify[k].events |=
			(uint8_t)(codec_asn1_bits(entry->profileManagementOperation.buf,
					  (size_t)entry->profileManagementOperation.size,
					  entry->profileManagementOperation.bits_unused) &
				0x0f);
		if (k == out->notify_count)
			out->notify_count++;
	}
	return true;
}

bool
codec_store_metadata_read(
	struct arena *mem, struct slice octets, struct codec_metadata *out, const char **why)
{
	const StoreMetadataRequest_t *in =
		codec_asn1_read(mem, &asn_DEF_StoreMetadataRequest, octets, OBJECT_VALUES_MAX, why);

	if (!in)
		return false;
	*out = (struct codec_metadata){
		.iccid = CODEC_ASN1_SLICE(in->iccid),
		.provider = CODEC_ASN1_SLICE(in->serviceProviderName),
		.name = CODEC_ASN1_SLICE(in->profileName),
		.icon = CODEC_ASN1_OPTIONAL(in->icon),
		.profile_class = CODEC_CLASS_OPERATIONAL,
	};
	if (in->iconType)
		out->icon_type = *in->iconType == 1 ? CODEC_ICON_PNG : CODEC_ICON_JPG;
	if (in->profileClass) {
		if (*in->profileClass < CODEC_CLASS_TEST ||
			*in->profileClass > CODEC_CLASS_OPERATIONAL) {
			*why = "profileClass is not known";
			return false;
		}
		out->profile_class = (enum codec_class) * in->profileClass;
	}
	if (in->profileOwner) {
		out->mcc_mnc = CODEC_ASN1_SLICE(in->profileOwner->mccMnc);
		out->gid1 = CODEC_ASN1_OPTIONAL(in->profileOwner->gid1);
		out->gid2 = CODEC_ASN1_OPTIONAL(in->profileOwner->gid2);
	}
	if (in->profilePolicyRules)
		out->rules = (uint8_t)codec_asn1_bits(in->profilePolicyRules->buf,
			(size_t)in->profilePolicyRules->size, in->profilePolicyRules->bits_unused);
	if (!notify_read(in->notificationConfigurationInfo, out)) {
		*why = "too many notification addresses";
		return false;
	}
	return true;
}
