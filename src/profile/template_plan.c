/*
 * Where personal data stand in a template (TCA profile package §8.2 to §8.7), and the plan that follows: what is
 * copied, what is written anew, and which TLVs around it get new lengths.
 */
#include "profile/template_int.h"

#include "codec/asn1.h"
#include "codec/der.h"
#include "profile/upp_int.h"

enum { PLACES_MAX = 512, UST_SUCI_IN_USIM = 125 };

struct place {
	struct template_part part;
	struct slice at; /* the value that is replaced; an insertion: the TLV before it */
	bool inserted;
};

struct planner {
	struct upp_reader reader; /* for its refusals */
	struct arena *mem;
	struct profile_template *t;
	const struct profile_upp *upp;
	struct place place[PLACES_MAX];
	size_t place_count;
	struct template_part *part;
	size_t part_count, part_room;
};

/*
 * Files that take personal data: member of the element, and whether it may be put in where it lacks. Those of
 * one element stand in the order of its SEQUENCE, for they are put in in this order.
 */
static const struct {
	enum pe_tag pe;
	uint8_t member; /* its tag */
	enum profile_field field;
	bool insert;
	enum { ALWAYS, IN_USIM, IN_PHONE } suci; /* who calculates the SUCI */
} files[] = {
	{ PE_USIM, 0xa3, PERSONAL_IMSI, false, ALWAYS },
	{ PE_USIM, 0xab, PERSONAL_SMSC, true, ALWAYS },
	{ PE_USIM, 0xb2, PERSONAL_ACC, false, ALWAYS },
	{ PE_OPT_USIM, 0xa7, PERSONAL_MSISDN, true, ALWAYS },
	{ PE_DF_5GS, 0xa9, PERSONAL_SUCI_KEY, true, IN_PHONE },
	{ PE_DF_5GS, 0xac, PERSONAL_ROUTING_INDICATOR, true, ALWAYS },
	{ PE_DF_SAIP, 0xa3, PERSONAL_SUCI_KEY, true, IN_USIM },
	{ PE_IOT, 0xa9, PERSONAL_IMSI, false, ALWAYS },
	{ PE_IOT, 0xb2, PERSONAL_ACC, false, ALWAYS },
	{ PE_OPT_IOT, 0xa4, PERSONAL_SMSC, true, ALWAYS },
	{ PE_OPT_IOT, 0xb4, PERSONAL_SUCI_KEY, true, IN_PHONE },
	{ PE_OPT_IOT, 0xb7, PERSONAL_ROUTING_INDICATOR, true, ALWAYS },
	{ PE_OPT_IOT, 0xbb, PERSONAL_SUCI_KEY, true, IN_USIM },
	{ PE_ISIM, 0xa3, PERSONAL_IMPI, false, ALWAYS },
	{ PE_ISIM, 0xa4, PERSONAL_IMPU, false, ALWAYS },
};

/* PINs and PUKs by their references (TCA PINKeyReferenceValue, PUKKeyReferenceValue). */
static const struct {
	enum pe_tag pe;
	uint8_t reference;
	enum profile_field field;
} codes[] = {
	{ PE_PIN, 0x01, PERSONAL_PIN1 },
	{ PE_PIN, 0x81, PERSONAL_PIN2 },
	{ PE_PIN, 0x0a, PERSONAL_ADM1 },
	{ PE_PIN, 0x0b, PERSONAL_ADM2 },
	{ PE_PIN, 0x0c, PERSONAL_ADM3 },
	{ PE_PIN, 0x0d, PERSONAL_ADM4 },
	{ PE_PIN, 0x0e, PERSONAL_ADM5 },
	{ PE_PUK, 0x01, PERSONAL_PUK1 },
	{ PE_PUK, 0x81, PERSONAL_PUK2 },
};

/* The members of an element. */
static struct slice
members(const struct planner *p, size_t pe)
{
	struct slice rest = p->upp->pe[pe].octets;
	struct codec_der outer;

	codec_der_read(&rest, &outer);
	return outer.value;
}

static size_t
find(const struct planner *p, enum pe_tag tag, size_t from)
{
	return upp_find(&p->reader, tag, from);
}

static bool
place_put(struct planner *p, struct place place)
{
	if (p->place_count == PLACES_MAX)
		return upp_refuse_whole(
			&p->reader, "more than %d places for personal data", PLACES_MAX);
	p->place[p->place_count++] = place;
	if (place.part.target != TARGET_KEY)
		p->t->info.takes |= 1u << place.part.field;
	return true;
}

static bool
value_put(struct planner *p, enum template_target target, enum profile_field field, struct slice at)
{
	return place_put(p, (struct place){ { .target = target, .field = field }, at, false });
}

/* ---- files ---- */

static struct template_file *
file_new(struct planner *p, struct slice value)
{
	struct template_file *f = ARENA_NEW(&p->t->mem, struct template_file);

	template_file_read(&p->t->mem, value, f);
	return f;
}

/* The last member with a tag below that of the one to be put in: the SEQUENCE keeps its order. */
static struct slice
member_before(struct slice in, uint32_t tag)
{
	struct slice before = SLICE_NONE;
	struct codec_der member;

	while (codec_der_read(&in, &member) && member.tag < tag)
		before = member.octets;
	return before;
}

static bool
file_put(struct planner *p, size_t pe, size_t row)
{
	struct place place = { .part = { .target = TARGET_FILE,
				       .field = files[row].field,
				       .tag = files[row].member } };
	struct codec_der member;

	if (codec_der_find(members(p, pe), files[row].member, &member)) {
		place.at = member.value;
	} else {
		place.at = member_before(members(p, pe), files[row].member);
		place.inserted = true;
		if (!files[row].insert || !place.at.p)
			return true;
	}
	place.part.file = file_new(p, place.inserted ? SLICE_NONE : place.at);
	if (!template_file_takes(place.part.file, place.part.field))
		return true;
	return place_put(p, place);
}

/* Service 125 of EF.UST (TS 31.102 §4.2.8): who calculates the SUCI. */
static void
suci_read(struct planner *p)
{
	size_t usim = find(p, PE_USIM, 0), iot = find(p, PE_IOT, 0);
	bool has_usim = usim < p->upp->pe_count;
	struct template_file f;
	struct codec_der ust;

	if (!has_usim && iot == p->upp->pe_count)
		return;
	if (!codec_der_find(members(p, has_usim ? usim : iot), has_usim ? 0xa8 : 0xae, &ust))
		return;
	template_file_read(p->mem, ust.value, &f);
	if (f.content.n > (UST_SUCI_IN_USIM - 1) / 8)
		p->t->suci_in_usim =
			f.content.p[(UST_SUCI_IN_USIM - 1) / 8] >> (UST_SUCI_IN_USIM - 1) % 8 & 1;
}

static bool
files_find(struct planner *p)
{
	suci_read(p);
	for (size_t row = 0; row < sizeof files / sizeof files[0]; row++) {
		size_t pe = find(p, files[row].pe, 0);

		if (pe == p->upp->pe_count || (files[row].suci == IN_USIM && !p->t->suci_in_usim) ||
			(files[row].suci == IN_PHONE && p->t->suci_in_usim))
			continue;
		if (!file_put(p, pe, row))
			return false;
	}
	return true;
}

/* One subscriber has one IMSI: where two applications want one, nobody could tell which it is for. */
static bool
applications_are_single(struct planner *p)
{
	static const enum pe_tag single[] = { PE_USIM, PE_IOT, PE_ISIM };
	size_t networks = 0;

	for (size_t i = 0; i < p->upp->pe_count; i++) {
		uint32_t tag = p->upp->pe[i].tag;

		networks += tag == PE_USIM || tag == PE_IOT;
		for (size_t k = 0; k < sizeof single / sizeof single[0]; k++)
			if (tag == single[k] &&
				(find(p, single[k], 0) < i || (tag != PE_ISIM && networks > 1)))
				return upp_refuse(&p->reader, i,
					"a second one of its kind cannot be personalised");
	}
	return true;
}

/* The IMS identities of the template may name its own IMSI: then they follow the profile's. */
static void
identities_read(struct planner *p)
{
	const char *imsi = p->upp->imsi;

	for (size_t i = 0; i < p->place_count && imsi[0]; i++) {
		const struct template_part *part = &p->place[i].part;

		if (part->target == TARGET_FILE &&
			(part->field == PERSONAL_IMPI || part->field == PERSONAL_IMPU) &&
			memmem(part->file->value.p, part->file->value.n, imsi, strlen(imsi)))
			p->t->names_imsi = true;
	}
}

/* ---- values ---- */

static bool
iccid_find(struct planner *p)
{
	return value_put(p, TARGET_DIGITS, PERSONAL_ICCID, p->upp->header_iccid) &&
		value_put(p, TARGET_SWAPPED, PERSONAL_ICCID, p->upp->ef_iccid);
}

/* algoParameter { 80 algorithm, 82 key, 83 opc } of an akaParameter that is no mapping. */
static bool
aka_find(struct planner *p, size_t pe)
{
	struct codec_der choice, parameter, id, k, opc;
	int64_t algorithm;

	if (!codec_der_find(members(p, pe), 0xa1, &choice) ||
		!codec_der_find(choice.value, 0xa1, &parameter))
		return true;
	if (!codec_der_find(parameter.value, 0x80, &id) ||
		!codec_der_int_read(id.value, &algorithm) ||
		!codec_der_find(parameter.value, 0x82, &k) ||
		!codec_der_find(parameter.value, 0x83, &opc))
		return upp_refuse(&p->reader, pe, "its algorithm cannot be read");
	if (p->t->k_octets && (p->t->k_octets != k.value.n || p->t->opc_octets != opc.value.n))
		return upp_refuse(
			&p->reader, pe, "its key or OPc is not as long as those before it");
	p->t->k_octets = k.value.n;
	p->t->opc_octets = opc.value.n;
	if (algorithm != 3) /* the test algorithm has a key that is the same for all */
		p->t->info.needs |= 1u << PERSONAL_K | 1u << PERSONAL_OPC;
	return value_put(p, TARGET_VALUE, PERSONAL_K, k.value) &&
		value_put(p, TARGET_VALUE, PERSONAL_OPC, opc.value);
}

/* Configurations { 80 reference, 81 value } in a list. */
static bool
codes_find(struct planner *p, enum pe_tag tag, struct slice list)
{
	struct codec_der one, reference, value;
	int64_t number;

	while (codec_der_read_tag(&list, 0x30, &one)) {
		if (!codec_der_find(one.value, 0x80, &reference) ||
			!codec_der_int_read(reference.value, &number) ||
			!codec_der_find(one.value, 0x81, &value))
			continue;
		for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
			bool adm =
				codes[i].field >= PERSONAL_ADM1 && codes[i].field <= PERSONAL_ADM5;

			if (codes[i].pe != tag || codes[i].reference != number)
				continue;
			if (!value_put(p, adm ? TARGET_VALUE : TARGET_PIN, codes[i].field,
				    value.value))
				return false;
		}
	}
	return true;
}

static bool
pins_find(struct planner *p, size_t pe)
{
	enum pe_tag tag = (enum pe_tag)p->upp->pe[pe].tag;
	struct codec_der list;

	if (!codec_der_find(members(p, pe), 0xa1, &list))
		return true;
	if (tag == PE_PIN && !codec_der_find(list.value, 0xa0, &list))
		return true; /* the PINs of another directory, by its path */
	return codes_find(p, tag, list.value);
}

static bool
key_is_known(const struct planner *p, uint8_t version, uint8_t id)
{
	for (size_t i = 0; i < p->t->info.key_count; i++)
		if (p->t->key[i].version == version && p->t->key[i].id == id)
			return true;
	return false;
}

/* KeyObject { 82 identifier, 83 version, components } with one component { 80 type, 86 data }. */
static bool
key_find(struct planner *p, struct slice object)
{
	struct place place = { .part = { .target = TARGET_KEY } };
	struct codec_der id, version, list, component, type, data;
	size_t n = p->t->info.key_count;

	if (!codec_der_find(object, 0x82, &id) || !codec_der_find(object, 0x83, &version) ||
		!codec_der_find(object, 0x30, &list) ||
		!codec_der_read_whole(list.value, 0x30, &component) ||
		!codec_der_find(component.value, 0x80, &type) ||
		!codec_der_find(component.value, 0x86, &data) || type.value.n != 1 ||
		n == PERSONAL_KEYS_MAX || key_is_known(p, version.value.p[0], id.value.p[0]))
		return true;
	p->t->key[n] = (struct template_key){ version.value.p[0], id.value.p[0], type.value.p[0],
		(uint16_t)data.value.n };
	p->t->info.key_count++;
	place.part.key = (uint32_t)n;
	place.at = data.value;
	return place_put(p, place);
}

static bool
keys_find(struct planner *p, size_t pe)
{
	struct codec_der list, object;

	if (!codec_der_find(members(p, pe), 0xa2, &list))
		return true;
	while (codec_der_read_tag(&list.value, 0x30, &object))
		if (!key_find(p, object.value))
			return false;
	return true;
}

static bool
values_find(struct planner *p)
{
	for (size_t i = 0; i < p->upp->pe_count; i++) {
		uint32_t tag = p->upp->pe[i].tag;

		if ((tag == PE_AKA && !aka_find(p, i)) ||
			((tag == PE_PIN || tag == PE_PUK) && !pins_find(p, i)) ||
			(tag == PE_SD && !keys_find(p, i)))
			return false;
	}
	return true;
}

/* ---- the plan ---- */

static struct template_part *
part_put(struct planner *p, struct template_part part)
{
	if (p->part_count == p->part_room) {
		size_t room = p->part_room ? p->part_room * 2 : 64;
		struct template_part *more = ARENA_ARRAY(p->mem, struct template_part, room);

		if (p->part_count)
			memcpy(more, p->part, p->part_count * sizeof *more);
		p->part = more;
		p->part_room = room;
	}
	p->part[p->part_count] = part;
	return &p->part[p->part_count++];
}

/* What is copied grows as long as it is one piece. */
static void
copy_put(struct planner *p, struct slice octets)
{
	struct template_part *last = p->part_count ? &p->part[p->part_count - 1] : NULL;

	if (last && last->target == TARGET_COPY && last->octets.p + last->octets.n == octets.p)
		last->octets.n += octets.n;
	else
		part_put(p, (struct template_part){ .target = TARGET_COPY, .octets = octets });
}

static const struct place *
place_find(const struct planner *p, const struct codec_der *tlv)
{
	for (size_t i = 0; i < p->place_count; i++)
		if (!p->place[i].inserted && p->place[i].at.p == tlv->value.p &&
			p->place[i].at.n == tlv->value.n)
			return &p->place[i];
	return NULL;
}

static bool
place_is_inside(const struct planner *p, const struct codec_der *tlv)
{
	const uint8_t *end = tlv->octets.p + tlv->octets.n;

	for (size_t i = 0; i < p->place_count; i++)
		if (p->place[i].at.p > tlv->octets.p && p->place[i].at.p + p->place[i].at.n <= end)
			return true;
	return false;
}

static void
insertions_put(struct planner *p, const struct codec_der *tlv)
{
	for (size_t i = 0; i < p->place_count; i++)
		if (p->place[i].inserted && p->place[i].at.p == tlv->octets.p &&
			p->place[i].at.n == tlv->octets.n)
			part_put(p, p->place[i].part);
}

/* Copies of one element are not joined with what stands around it: lengths belong to one TLV. */
static void
region_put(struct planner *p, struct slice region)
{
	struct codec_der tlv;
	size_t begin = p->part_count, outer;

	while (codec_der_read(&region, &tlv)) {
		const struct place *place = place_find(p, &tlv);

		if (place) {
			struct template_part *part = part_put(p, place->part);

			part->tag = tlv.tag;
			part->octets = tlv.octets;
		} else if ((tlv.octets.p[0] & 0x20) && place_is_inside(p, &tlv)) {
			outer = p->part_count;
			part_put(p, (struct template_part){ .target = TARGET_TLV, .tag = tlv.tag });
			region_put(p, tlv.value);
			p->part[outer].end = (uint32_t)p->part_count;
			begin = p->part_count;
		} else if (p->part_count > begin) {
			copy_put(p, tlv.octets);
		} else {
			part_put(p,
				(struct template_part){
					.target = TARGET_COPY, .octets = tlv.octets });
		}
		insertions_put(p, &tlv);
	}
}

static void
info_fill(struct profile_template *t, const struct profile_upp *upp)
{
	struct profile_key *keys = ARENA_ARRAY(&t->mem, struct profile_key, t->info.key_count);

	for (size_t i = 0; i < t->info.key_count; i++)
		keys[i] = (struct profile_key){ t->key[i].version, t->key[i].id, SLICE_NONE };
	t->info.keys = keys;
	t->info.saip_version = upp->major * 256 + upp->minor;
	t->info.services = upp->services;
	t->info.octets = upp->octets.n;
	t->info.test_key = upp->test_key;
	t->info.needs |= 1u << PERSONAL_ICCID;
	if (t->info.takes >> PERSONAL_IMSI & 1)
		t->info.needs |= 1u << PERSONAL_IMSI;
}

/* What follows from other fields, or has other names. */
static void
takes_complete(struct profile_template_info *info)
{
	if (info->takes >> PERSONAL_OPC & 1)
		info->takes |= 1u << PERSONAL_OP;
	if (info->takes >> PERSONAL_IMPU & 1)
		info->takes |= 1u << PERSONAL_IMPU2 | 1u << PERSONAL_IMPU3;
	if (info->takes >> PERSONAL_SUCI_KEY & 1)
		info->takes |= 1u << PERSONAL_SUCI_KEY_ID | 1u << PERSONAL_SUCI_CALC_INFO;
}

bool
template_plan(struct arena *mem, struct profile_template *t, const struct profile_upp *upp,
	struct profile_fault *fault)
{
	struct planner *p = ARENA_NEW(mem, struct planner);

	p->reader =
		(struct upp_reader){ .mem = mem, .out = &t->upp, .fault = fault, .pe = upp->pe };
	p->mem = mem;
	p->t = t;
	p->upp = upp;
	t->upp = *upp;
	t->key = ARENA_ARRAY(&t->mem, struct template_key, PERSONAL_KEYS_MAX);
	if (!applications_are_single(p) || !iccid_find(p) || !files_find(p) || !values_find(p))
		return false;
	if (!(t->info.takes >> PERSONAL_IMSI & 1) &&
		(find(p, PE_USIM, 0) < upp->pe_count || find(p, PE_IOT, 0) < upp->pe_count))
		return upp_refuse_whole(&p->reader, "its EF.IMSI cannot be written");
	identities_read(p);
	takes_complete(&t->info);
	info_fill(t, upp);
	region_put(p, upp->octets);
	t->part = ARENA_ARRAY(&t->mem, struct template_part, p->part_count);
	memcpy(t->part, p->part, p->part_count * sizeof *t->part);
	t->part_count = p->part_count;
	return true;
}
