/* StoreMetadataRequest (SGP.22 §5.5.3), both ways. */
#include "codec/metadata.h"

#include "base/text.h"
#include "codec/int.h"
#include "codec/notification.h"

#define METADATA_MAX 8192u

/* Why it cannot be written, or NULL. */
static const char *
fault(const struct codec_metadata *in)
{
	if (in->iccid.n != 10)
		return "the ICCID has not 10 octets";
	if (text_characters(in->provider) > 32)
		return "the service provider name is no UTF-8 text of at most 32 characters";
	if (text_characters(in->name) > 64)
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

bool
member_notify_read(struct arena *mem, struct slice contents, struct codec_notify *notify, size_t *n,
	const char **why)
{
	struct slice operation, address;
	struct codec_der entry;
	uint32_t bits;
	const struct member table[] = {
		{ 0x80, "profileManagementOperation", 1, 8, false, &operation, NULL },
		{ 0x81, "notificationAddress", 0, 1024, false, &address, NULL },
	};

	*n = 0;
	while (codec_der_read_tag(&contents, 0x30, &entry)) {
		size_t i = 0;

		if (!MEMBER_READ(mem, entry.value, table, why))
			return false;
		while (i < *n && !slice_eq(notify[i].address, address))
			i++;
		if (i == CODEC_NOTIFY_MAX || !member_bits_read(operation, &bits)) {
			*why = "too many notification addresses, or one without its events";
			return false;
		}
		if (i == *n)
			notify[(*n)++] = (struct codec_notify){ 0, address };
		notify[i].events |= bits & 0x0f;
	}
	if (contents.n > 0)
		*why = "notificationConfigurationInfo holds something else than entries";
	return contents.n == 0;
}

static bool
owner_read(struct arena *mem, struct slice contents, struct codec_metadata *out, const char **why)
{
	const struct member table[] = {
		{ 0x80, "mccMnc", 3, 3, false, &out->mcc_mnc, NULL },
		{ 0x81, "gid1", 0, 255, true, &out->gid1, NULL },
		{ 0x82, "gid2", 0, 255, true, &out->gid2, NULL },
	};

	return MEMBER_READ(mem, contents, table, why);
}

/* Members that are numbers or bits. */
static bool
numbers_read(
	struct slice icon_type, struct slice class, struct slice rules, struct codec_metadata *out)
{
	int64_t number = CODEC_CLASS_OPERATIONAL;
	uint32_t bits = 0;

	if (class.p)
		codec_der_int_read(class, &number);
	if (number < CODEC_CLASS_TEST || number > CODEC_CLASS_OPERATIONAL)
		return false;
	out->profile_class = (enum codec_class)number;
	number = CODEC_ICON_JPG;
	if (icon_type.p)
		codec_der_int_read(icon_type, &number);
	out->icon_type = number == CODEC_ICON_PNG ? CODEC_ICON_PNG : CODEC_ICON_JPG;
	if (rules.p && !member_bits_read(rules, &bits))
		return false;
	out->rules = (uint8_t)bits;
	return true;
}

bool
codec_store_metadata_read(
	struct arena *mem, struct slice octets, struct codec_metadata *out, const char **why)
{
	struct slice icon_type, class, notify, owner, rules;
	struct codec_der tlv;
	const struct member table[] = {
		{ 0x5a, "iccid", 10, 10, false, &out->iccid, NULL },
		{ 0x91, "serviceProviderName", 0, 128, false, &out->provider, NULL },
		{ 0x92, "profileName", 0, 256, false, &out->name, NULL },
		{ 0x93, "iconType", 1, 4, true, &icon_type, NULL },
		{ 0x94, "icon", 0, 1024, true, &out->icon, NULL },
		{ 0x95, "profileClass", 1, 4, true, &class, NULL },
		{ 0xb6, "notificationConfigurationInfo", 0, MEMBER_MAX, true, &notify, NULL },
		{ 0xb7, "profileOwner", 0, MEMBER_MAX, true, &owner, NULL },
		{ 0x99, "profilePolicyRules", 1, 8, true, &rules, NULL },
	};

	*out = (struct codec_metadata){ 0 };
	if (!codec_der_read_whole(octets, 0xbf25, &tlv)) {
		*why = "StoreMetadataRequest: not one TLV of tag BF25";
		return false;
	}
	if (!MEMBER_READ(mem, tlv.value, table, why))
		return false;
	if (!numbers_read(icon_type, class, rules, out)) {
		*why = "StoreMetadataRequest: profileClass or profilePolicyRules is not known";
		return false;
	}
	return member_notify_read(mem, notify, out->notify, &out->notify_count, why) &&
		(!owner.p || owner_read(mem, owner, out, why));
}
