/*
 * What an IoT eUICC tells of its profiles and of itself: ProfileInfoListResponse (SGP.32 §5.9.3,
 * after SGP.22 §5.7.15) and the members that make EUICCInfo2 an IoT card's.
 */
#include "rspsim/iot_int.h"

/* §5.7.15: what is told when no tagList says what is wanted. */
static const uint32_t usual[] = { 0x5a, 0x4f, 0x9f70, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x9f26 };
/* All that ProfileInfo has, in its order; 0xBF22 and others stand in the metadata as here. */
static const uint32_t members[] = { 0x5a, 0x4f, 0x9f70, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0xb6,
	0xb7, 0xb8, 0x99, 0xbf22, 0x9f7b, 0x9f26, 0x9f67 };
enum { MEMBERS = sizeof members / sizeof members[0], WANTED_MAX = 32 };

struct wanted {
	uint32_t tags[WANTED_MAX];
	size_t count;
	struct rspsim_tlv criterion; /* 4F, 5A or 95; or absent */
};

/* Tags of one or two octets, one behind the other, all of ProfileInfo. */
static bool
read_tags(struct slice list, struct wanted *w)
{
	for (size_t i = 0; i < list.n;) {
		uint32_t tag = list.p[i++];
		size_t k = 0;

		if ((tag & 0x1f) == 0x1f) {
			if (i == list.n)
				return false;
			tag = tag << 8 | list.p[i++];
		}
		while (k < MEMBERS && members[k] != tag)
			k++;
		if (k == MEMBERS || w->count == WANTED_MAX)
			return false;
		w->tags[w->count++] = tag;
	}
	return true;
}

static bool
read_request(struct slice request, struct wanted *w)
{
	struct rspsim_tlv all, criteria, tags;
	struct slice in, inner;

	*w = (struct wanted){ 0 };
	if (!rspsim_der_read_only(request, 0xbf2d, &all))
		return false;
	in = all.value;
	rspsim_der_read_optional(&in, 0xa0, &criteria);
	rspsim_der_read_optional(&in, 0x5c, &tags);
	if (in.n)
		return false;
	inner = criteria.value;
	if (criteria.whole.p && (!rspsim_der_read(&inner, &w->criterion) || inner.n))
		return false;
	if (tags.whole.p)
		return read_tags(tags.value, w);
	memcpy(w->tags, usual, sizeof usual);
	w->count = sizeof usual / sizeof usual[0];
	return true;
}

/* ISD-P AID of SGP.02 Annex H: the running number is the octet before the last zero. */
static struct slice
aid_of(struct arena *mem, const struct rspsim_profile *p)
{
	uint8_t aid[16] = { 0xa0, 0, 0, 5, 0x59, 0x10, 0x10, 0xff, 0xff, 0xff, 0xff, 0x89, 0,
		(uint8_t)(p->aid >> 8), (uint8_t)p->aid, 0 };

	return arena_copy(mem, SLICE_ARRAY(aid));
}

static struct slice
boolean(struct arena *mem, uint32_t tag, bool value)
{
	return value ? RSPSIM_DER(mem, tag, SLICE_LIT("\xff")) : SLICE_NONE;
}

/* One member, or nothing when the profile has none. */
static struct slice
member_of(struct arena *mem, const struct rspsim_profile *p, uint32_t tag)
{
	struct rspsim_metadata m = rspsim_iot_metadata(p);
	struct rspsim_tlv all, found;

	switch (tag) {
	case 0x4f:
		return RSPSIM_DER(mem, tag, aid_of(mem, p));
	case 0x9f70:
		return rspsim_der_u32(mem, tag, p->state == RSPSIM_ENABLED);
	case 0x95:
		return rspsim_der_u32(mem, tag, m.class_number);
	case 0x9f7b:
		return boolean(mem, tag, m.emergency);
	case 0x9f26:
		return boolean(mem, tag, p->fallback);
	case 0x9f67:
		return boolean(mem, tag, m.fallback_allowed);
	default:
		if (rspsim_der_read_only(p->metadata, 0xbf25, &all) &&
			rspsim_der_find(all.value, tag, &found))
			return found.whole;
		return SLICE_NONE;
	}
}

static bool
meets(struct arena *mem, const struct rspsim_profile *p, const struct rspsim_tlv *criterion)
{
	uint32_t number;

	switch (criterion->tag) {
	case 0x5a:
		return slice_eq(criterion->value, SLICE_ARRAY(p->iccid));
	case 0x4f:
		return slice_eq(criterion->value, aid_of(mem, p));
	default:
		return rspsim_der_to_u32(criterion->value, &number) &&
			number == rspsim_iot_metadata(p).class_number;
	}
}

static struct slice
information(struct arena *mem, const struct rspsim_profile *p, const struct wanted *w)
{
	struct slice out = SLICE_NONE;

	for (size_t k = 0; k < MEMBERS; k++)
		for (size_t i = 0; i < w->count; i++)
			if (w->tags[i] == members[k]) {
				out = RSPSIM_DER(mem, 0, out, member_of(mem, p, members[k]));
				break;
			}
	return RSPSIM_DER(mem, 0xe3, out);
}

static bool
is_criterion(uint32_t tag)
{
	return tag == 0x5a || tag == 0x4f || tag == 0x95;
}

struct slice
rspsim_iot_profiles(struct rspsim_card *card, struct arena *mem, struct slice request)
{
	enum { INCORRECT_INPUT = 1 };
	struct slice list = SLICE_NONE;
	struct wanted w;

	if (!read_request(request, &w) || (w.criterion.whole.p && !is_criterion(w.criterion.tag)))
		return RSPSIM_DER(mem, 0xbf2d, rspsim_der_u32(mem, 0x81, INCORRECT_INPUT));
	for (const struct rspsim_profile *p = card->profiles; p; p = p->next)
		if (!w.criterion.whole.p || meets(mem, p, &w.criterion))
			list = RSPSIM_DER(mem, 0, list, information(mem, p, &w));
	return RSPSIM_DER(mem, 0xbf2d, RSPSIM_DER(mem, 0xa0, list));
}

/* ipaMode ipad, and IotSpecificInfo: the version, and what a v1.2 card can do beside. */
struct slice
rspsim_iot_info(const struct rspsim_card *card, struct arena *mem)
{
	static const uint8_t v12[] = { 0x90, 1, 0, 0xb4, 11, 0xa0, 5, 4, 3, 1, 2, 0, 0x81, 0, 0x82,
		0 };
	static const uint8_t v10[] = { 0x90, 1, 0, 0xb4, 7, 0xa0, 5, 4, 3, 1, 0, 1 };

	if (!card->iot.on)
		return SLICE_NONE;
	return arena_copy(mem, card->iot.v10 ? SLICE_ARRAY(v10) : SLICE_ARRAY(v12));
}
