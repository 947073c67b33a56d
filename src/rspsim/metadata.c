/*
 * Reads profile metadata as the card stores it (SGP.22 §5.5.3); unknown members at the end are
 * skipped.
 */
#include "base/text.h"
#include "rspsim/der.h"
#include "rspsim/metadata.h"

enum { PROVIDER_CHARACTERS = 32, NAME_CHARACTERS = 64, ICON_MAX = 1024, ICON_TYPES = 2 };

static bool
read_icon(struct slice *in)
{
	struct rspsim_tlv type, icon;
	uint32_t number;

	rspsim_der_read_optional(in, 0x93, &type);
	rspsim_der_read_optional(in, 0x94, &icon);
	if (type.whole.p && (!rspsim_der_to_u32(type.value, &number) || number >= ICON_TYPES))
		return false;
	return !type.whole.p == !icon.whole.p && icon.value.n <= ICON_MAX;
}

/* OperatorId: MCC and MNC, and perhaps group identifiers. */
static bool
read_owner(const struct rspsim_tlv *owner)
{
	struct rspsim_tlv mcc_mnc, gid;
	struct slice in = owner->value;

	if (!owner->whole.p)
		return true;
	if (!rspsim_der_read_tag(&in, 0x80, &mcc_mnc) || mcc_mnc.value.n != 3)
		return false;
	rspsim_der_read_optional(&in, 0x81, &gid);
	rspsim_der_read_optional(&in, 0x82, &gid);
	return in.n == 0;
}

/* Each entry is whole. */
static bool
read_notifications(struct slice notifications)
{
	struct slice address;
	uint8_t events;

	while (notifications.n)
		if (!rspsim_metadata_next(&notifications, &events, &address))
			return false;
	return true;
}

/* A BOOLEAN among the members that only IoT profiles have (SGP.32, SGP32-StoreMetadataRequest). */
static bool
is_true(struct slice in, uint32_t tag)
{
	struct rspsim_tlv found;

	return rspsim_der_find(in, tag, &found) && found.value.n == 1 && found.value.p[0] == 0xff;
}

bool
rspsim_metadata_read(struct slice tlv, struct rspsim_metadata *out)
{
	struct rspsim_tlv all, iccid, provider, name, class, notify, owner, rules;
	struct slice in;

	if (!rspsim_der_read_only(tlv, 0xbf25, &all))
		return false;
	in = all.value;
	if (!rspsim_der_read_tag(&in, 0x5a, &iccid) || !rspsim_der_read_tag(&in, 0x91, &provider) ||
		!rspsim_der_read_tag(&in, 0x92, &name) || !read_icon(&in))
		return false;
	if (iccid.value.n != 10 || text_characters(provider.value) > PROVIDER_CHARACTERS ||
		text_characters(name.value) > NAME_CHARACTERS)
		return false;
	rspsim_der_read_optional(&in, 0x95, &class);
	rspsim_der_read_optional(&in, 0xb6, &notify);
	rspsim_der_read_optional(&in, 0xb7, &owner);
	rspsim_der_read_optional(&in, 0x99, &rules);
	*out = (struct rspsim_metadata){ .iccid = iccid.value,
		.provider = provider.value,
		.name = name.value,
		.class_number = RSPSIM_OPERATIONAL,
		.has_owner = owner.whole.p != NULL,
		.notifications = notify.value };
	if (class.whole.p && !rspsim_der_to_u32(class.value, &out->class_number))
		return false;
	out->fallback_allowed = is_true(in, 0x9f67);
	out->emergency = is_true(in, 0x9f7b);
	out->class = (enum rspsim_profile_class)(out->class_number & 3);
	return read_notifications(notify.value) && read_owner(&owner) &&
		(!rules.whole.p || rspsim_der_to_bits(rules.value, &out->rules));
}

bool
rspsim_metadata_next(struct slice *notifications, uint8_t *events, struct slice *address)
{
	struct rspsim_tlv entry, bits, text;
	struct slice in;

	if (!rspsim_der_read_tag(notifications, 0x30, &entry))
		return false;
	in = entry.value;
	if (!rspsim_der_read_tag(&in, 0x80, &bits) || !rspsim_der_to_bits(bits.value, events) ||
		!rspsim_der_read_tag(&in, 0x81, &text))
		return false;
	*address = text.value;
	return true;
}
