/*
 * Metadata of a profile (SGP.22 §5.5.3): what the package says, then what the operator says, then the
 * check that an eUICC and an LPA would make later, when it is too late to repair.
 */
#include "profile/metadata.h"

#include "base/text.h"

/* MCC and MNC of three octets with swapped digits (TS 24.008 §10.5.1.13); two-digit MNC: F between. */
static struct slice
mcc_mnc_write(struct arena *mem, struct slice digits)
{
	uint8_t *out = arena_alloc(mem, 3);
	uint8_t d[6] = { 0, 0, 0, 0, 0, 0x0f };

	for (size_t i = 0; i < digits.n; i++)
		d[i] = digits.p[i] - '0';
	out[0] = (uint8_t)(d[1] << 4 | d[0]);
	out[1] = (uint8_t)(d[5] << 4 | d[2]);
	out[2] = (uint8_t)(d[4] << 4 | d[3]);
	return slice_of(out, 3);
}

void
profile_metadata_init(struct arena *mem, const struct profile_upp *upp, struct slice own_address,
	struct codec_metadata *out)
{
	uint8_t *iccid = arena_alloc(mem, 10);

	memcpy(iccid, upp->ef_iccid.p, 10);
	*out = (struct codec_metadata){
		.iccid = slice_of(iccid, 10),
		.name = upp->type,
		.profile_class = upp->test_key ? CODEC_CLASS_TEST : CODEC_CLASS_OPERATIONAL,
	};
	if (out->name.n == 0 || out->name.n > 64)
		out->name = slice_text(
			arena_printf(mem, "Profile %s", upp->iccid + strlen(upp->iccid) - 4));
	out->provider = upp->spn;
	if (out->provider.n == 0)
		out->provider = out->name.n <= 32 ? out->name : SLICE_LIT("Profile");
	if (own_address.n > 0) {
		out->notify[0].events =
			1u << CODEC_ENABLE | 1u << CODEC_DISABLE | 1u << CODEC_DELETE;
		out->notify[0].address = own_address;
		out->notify_count = 1;
	}
}

/* The part of `rest` before the first `mark`, which is taken off. */
static struct slice
part_read(struct slice *rest, char mark)
{
	const uint8_t *at = rest->n ? memchr(rest->p, mark, rest->n) : NULL;
	struct slice part = *rest;

	if (at)
		part.n = (size_t)(at - rest->p);
	*rest = at ? slice_sub(*rest, part.n + 1, rest->n) : SLICE_NONE;
	return part;
}

bool
profile_metadata_owner_read(
	struct arena *mem, struct slice text, struct codec_metadata *out, const char **why)
{
	struct slice network = part_read(&text, ':');
	struct slice gid1 = part_read(&text, ':');
	struct slice none = SLICE_NONE;

	if (!slice_is_digits(network) || (network.n != 5 && network.n != 6)) {
		*why = "the owner's MCC and MNC are not 5 or 6 digits";
		return false;
	}
	out->gid1 = out->gid2 = none;
	if ((gid1.n > 0 && !text_unhex(mem, gid1, &out->gid1)) ||
		(text.n > 0 && !text_unhex(mem, text, &out->gid2))) {
		*why = "a group identifier of the owner is not hexadecimal";
		return false;
	}
	out->mcc_mnc = mcc_mnc_write(mem, network);
	return true;
}

static uint8_t
event_read(struct slice name)
{
	static const char *const event[] = {
		[CODEC_INSTALL] = "install",
		[CODEC_ENABLE] = "enable",
		[CODEC_DISABLE] = "disable",
		[CODEC_DELETE] = "delete",
	};

	for (unsigned i = 0; i < sizeof event / sizeof event[0]; i++)
		if (slice_eq(name, slice_text(event[i])))
			return (uint8_t)(1u << i);
	return 0;
}

/* The entry of an address, made when there is none; NULL when there are too many. */
static struct codec_notify *
notify_get(struct codec_metadata *md, struct slice address)
{
	for (size_t i = 0; i < md->notify_count; i++)
		if (slice_eq_nocase(md->notify[i].address, address))
			return &md->notify[i];
	if (md->notify_count == CODEC_NOTIFY_MAX)
		return NULL;
	md->notify[md->notify_count] = (struct codec_notify){ 0, address };
	return &md->notify[md->notify_count++];
}

bool
profile_metadata_notify_read(
	struct arena *mem, struct slice text, struct codec_metadata *out, const char **why)
{
	struct slice address = part_read(&text, '=');
	struct codec_notify *entry;
	uint8_t events = 0;

	if (address.n == 0 || address.n > 255 || text.n == 0 || text.p[text.n - 1] == '+') {
		*why = "a notification is not ADDRESS=EVENT+EVENT";
		return false;
	}
	while (text.n > 0) {
		struct slice name = part_read(&text, '+');
		uint8_t event = event_read(name);

		if (!event) {
			*why = arena_printf(mem,
				"no notification event \"%.*s\": use install, enable, disable, "
				"delete",
				SLICE_FMT(name));
			return false;
		}
		events |= event;
	}
	entry = notify_get(out, address);
	if (!entry) {
		*why = "too many notification addresses";
		return false;
	}
	entry->events |= events;
	return true;
}

bool
profile_metadata_icon_read(struct slice octets, struct codec_metadata *out, const char **why)
{
	if (octets.n > 1024) {
		*why = "the icon has more than 1024 octets";
		return false;
	}
	if (slice_eq(slice_sub(octets, 0, 4), SLICE_LIT("\x89PNG"))) {
		out->icon_type = CODEC_ICON_PNG;
	} else if (slice_eq(slice_sub(octets, 0, 3), SLICE_LIT("\xff\xd8\xff"))) {
		out->icon_type = CODEC_ICON_JPG;
	} else {
		*why = "the icon is neither PNG nor JPEG";
		return false;
	}
	out->icon = octets;
	return true;
}

/*
 * MCC and MNC by the IMSI, or absent when it does not tell. Where EF.AD does not say how long the MNC
 * is, it is taken as long as the owner's, when there is one.
 */
static struct slice
imsi_network(struct arena *mem, const struct profile_upp *upp, struct slice owner)
{
	size_t mnc_digits = (size_t)upp->mnc_digits;

	if (!mnc_digits && owner.n == 3)
		mnc_digits = owner.p[1] >> 4 == 0x0f ? 2 : 3;
	if (!upp->imsi[0] || !mnc_digits)
		return SLICE_NONE;
	return mcc_mnc_write(mem, slice_of(upp->imsi, 3 + mnc_digits));
}

/*
 * Class: an eUICC takes a test profile only with the published key and refuses others that have it
 * (SGP.22 §2.4.5.3). Owner: policy rules are judged by it (§2.9.3), so it must be the IMSI's network.
 */
static const char *
contradiction(const struct profile_upp *upp, const struct codec_metadata *in, struct slice network)
{
	if (!slice_eq(in->iccid, upp->ef_iccid))
		return "the metadata's ICCID is not the package's";
	if (in->profile_class == CODEC_CLASS_TEST && !upp->test_key)
		return "class test needs the published test key, which this package does not have";
	if (in->profile_class != CODEC_CLASS_TEST && upp->test_key)
		return "the package has the published test key, so its class must be test";
	if (in->rules && !in->mcc_mnc.p)
		return "policy rules need the owner's MCC and MNC, and the IMSI does not tell them";
	if (in->mcc_mnc.p && network.p && !slice_eq(in->mcc_mnc, network))
		return "the owner is not the network of the package's IMSI";
	return NULL;
}

bool
profile_metadata_write(struct arena *mem, const struct profile_upp *upp,
	const struct codec_metadata *in, struct slice *out, const char **why)
{
	struct codec_metadata filled = *in;
	struct slice network = imsi_network(mem, upp, in->mcc_mnc);

	if (filled.rules && !filled.mcc_mnc.p)
		filled.mcc_mnc = network;
	*why = contradiction(upp, &filled, network);
	if (*why)
		return false;
	return codec_store_metadata_write(mem, &filled, out, why);
}
