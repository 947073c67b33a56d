/*
 * Personal data as the card holds them: digits swapped (TS 102 221, TS 31.102), records of numbers, the
 * identities of the IMS (TS 31.103), the home network's key for the SUCI. One function for each kind of file.
 */
#include "profile/template_int.h"

#include "base/text.h"
#include "codec/der.h"

enum {
	NUMBER_SIZE = 12,   /* length, type, ten octets of digits */
	MSISDN_RECORD = 14, /* … and two identifiers, behind a name (TS 31.102 §4.2.26) */
	SMSP_RECORD = 28,   /* behind a name (TS 31.102 §4.2.27) */
	SMSP_CENTRE = 13,   /* where the service centre begins in it */
	SMSP_NO_CENTRE = 0x02
};

static struct slice
padded(struct arena *mem, struct slice s, size_t size)
{
	uint8_t *p;

	if (s.n >= size)
		return s;
	p = arena_alloc(mem, size);
	memset(p, 0xff, size);
	memcpy(p, s.p, s.n);
	return slice_of(p, size);
}

/* Digits, swapped in each octet, over what is FF; `from` digits of it are taken already. */
static void
swapped_put(uint8_t *out, size_t from, struct slice digits)
{
	for (size_t i = 0; i < digits.n; i++) {
		size_t at = from + i;
		uint8_t digit = digits.p[i] - '0';

		out[at / 2] = at % 2 ? (uint8_t)((out[at / 2] & 0x0f) | digit << 4)
				     : (uint8_t)((out[at / 2] & 0xf0) | digit);
	}
}

static struct slice
iccid_value(struct arena *mem, struct slice digits, bool swapped)
{
	uint8_t *bcd = arena_alloc(mem, 10);

	text_iccid_to_bcd(digits, bcd);
	for (size_t i = 0; i < 10 && !swapped; i++)
		bcd[i] = (uint8_t)(bcd[i] << 4 | bcd[i] >> 4);
	return slice_of(bcd, 10);
}

/* ---- transparent files ---- */

/* EF.IMSI (TS 31.102 §4.2.2): octets in use, then parity and digits, swapped. */
static struct slice
imsi_content(struct arena *mem, struct slice digits)
{
	uint8_t *p = arena_alloc(mem, 9);

	memset(p, 0xff, 9);
	p[0] = (uint8_t)(digits.n / 2 + 1);
	p[1] = (uint8_t)(0xf0 | (digits.n % 2 ? 9 : 1));
	swapped_put(p + 1, 1, digits);
	return slice_of(p, 9);
}

/* EF.ACC (§4.2.15): a bit for each class, 0 to 9 by the last digit of the IMSI (TS 22.011 §4.2). */
static struct slice
acc_content(struct arena *mem, const struct profile_personal *in)
{
	struct slice imsi = in->value[PERSONAL_IMSI];
	unsigned class;
	uint8_t *p;

	if (in->value[PERSONAL_ACC].p || !imsi.p)
		return in->value[PERSONAL_ACC];
	class = imsi.p[imsi.n - 1] - '0';
	p = arena_alloc(mem, 2);
	p[0] = (uint8_t)(1u << class >> 8);
	p[1] = (uint8_t)(1u << class);
	return slice_of(p, 2);
}

/* EF.Routing_Indicator (§4.4.11.11): two octets of digits, two reserved. */
static struct slice
routing_content(struct arena *mem, struct slice digits)
{
	uint8_t *p = arena_alloc(mem, 4);

	memset(p, 0xff, 4);
	swapped_put(p, 0, digits);
	return slice_of(p, 4);
}

/* EF.SUCI_Calc_Info (§4.4.11.8) with one scheme and its key, or as it was given. */
static struct slice
suci_content(struct arena *mem, const struct profile_personal *in)
{
	struct slice key = in->value[PERSONAL_SUCI_KEY];
	uint8_t scheme[2] = { key.n == 32 ? 1 : 2, 1 }; /* profile A or B; the first key */
	struct buf keys, out;

	if (!key.p)
		return in->value[PERSONAL_SUCI_CALC_INFO];
	buf_init(&keys, mem, 256);
	codec_der_put(&keys, 0x80, in->value[PERSONAL_SUCI_KEY_ID]);
	codec_der_put(&keys, 0x81, key);
	buf_init(&out, mem, 512);
	codec_der_put(&out, 0xa0, SLICE_ARRAY(scheme));
	codec_der_put(&out, 0xa1, buf_get(&keys));
	return buf_get(&out);
}

/* TLV 80 around a text (TS 31.103 §4.2.2, §4.2.4). */
static struct slice
identity_tlv(struct arena *mem, struct slice text)
{
	struct buf out;

	buf_init(&out, mem, 512);
	codec_der_put(&out, 0x80, text);
	return buf_get(&out);
}

/* EF.IMSI, EF.ACC and EF.Routing_Indicator have a size of their own, the others need one. */
static struct slice
transparent_value(
	struct arena *mem, const struct template_part *part, struct slice content, bool sized)
{
	const struct template_file *f = part->file;
	uint32_t size = f->size;

	if (!content.p)
		return SLICE_NONE;
	if (content.n > size && (size > 0 || !sized))
		size = (uint32_t)content.n;
	if (f->patterned)
		content = padded(mem, content, size);
	return template_file_write(mem, f, content, size, f->record);
}

/* ---- files of records ---- */

/* Length, type of number, digits: as in EF.MSISDN and as an address of a service centre. */
static void
number_put(uint8_t out[NUMBER_SIZE], struct slice number)
{
	bool international = number.p[0] == '+';
	struct slice digits = slice_sub(number, international, number.n);

	memset(out, 0xff, NUMBER_SIZE);
	out[0] = (uint8_t)(1 + (digits.n + 1) / 2);
	out[1] = international ? 0x91 : 0x81;
	swapped_put(out + 2, 0, digits);
}

/* The first record with a number in it; a name before, and the other records, stay as they are. */
static struct slice
number_value(struct arena *mem, const struct template_part *part, struct slice number)
{
	const struct template_file *f = part->file;
	bool centre = part->field == PERSONAL_SMSC;
	uint16_t needs = centre ? SMSP_RECORD : MSISDN_RECORD;
	uint16_t record = f->record ? f->record : needs;
	struct slice content;
	uint8_t *p;

	if (!number.p)
		return SLICE_NONE;
	content = f->record ? arena_copy(mem, f->content) : padded(mem, slice_of("", 0), needs);
	p = arena_alloc(mem, content.n);
	memcpy(p, content.p, content.n);
	content.p = p;
	p += record - needs;
	if (centre) {
		p[0] &= (uint8_t)~SMSP_NO_CENTRE;
		number_put(p + SMSP_CENTRE, number);
	} else {
		number_put(p, number);
		p[NUMBER_SIZE] = p[NUMBER_SIZE + 1] = 0xff; /* no further record, no extension */
	}
	return template_file_write(mem, f, content, f->record ? f->size : record, record);
}

/* EF.IMPU: one record an identity; what the template had there goes. */
static struct slice
identities_value(
	struct arena *mem, const struct template_file *f, const struct profile_personal *in)
{
	struct slice tlv[3];
	size_t n = 0, record = f->record, count = record ? f->size / record : 0;
	struct buf out;

	for (int i = PERSONAL_IMPU; i <= PERSONAL_IMPU3 && in->value[i].p; i++) {
		tlv[n] = identity_tlv(mem, in->value[i]);
		if (tlv[n].n > record)
			record = tlv[n].n;
		n++;
	}
	if (count < n)
		count = n;
	buf_init(&out, mem, record * count);
	for (size_t i = 0; i < (f->patterned ? count : n); i++)
		buf_put(&out, padded(mem, i < n ? tlv[i] : slice_of("", 0), record));
	if (record == f->record && count * record <= f->size)
		return template_file_write(mem, f, buf_get(&out), f->size, f->record);
	return template_file_write(
		mem, f, buf_get(&out), (uint32_t)(record * count), (uint16_t)record);
}

/* The File as it is, with the profile's IMSI wherever the template's own stands in ASCII. */
static struct slice
imsi_replace(struct arena *mem, struct slice file, const char *was, struct slice imsi)
{
	size_t n = strlen(was);
	uint8_t *p = arena_alloc(mem, file.n), *at = p;

	memcpy(p, file.p, file.n);
	while ((at = memmem(at, file.n - (size_t)(at - p), was, n)) != NULL) {
		memcpy(at, imsi.p, n);
		at += n;
	}
	return slice_of(p, file.n);
}

static struct slice
file_value(struct arena *mem, const struct profile_template *t, const struct template_part *part,
	const struct profile_personal *in)
{
	struct slice value = in->value[part->field];

	switch (part->field) {
	case PERSONAL_IMSI:
		return transparent_value(
			mem, part, value.p ? imsi_content(mem, value) : value, true);
	case PERSONAL_ACC:
		return transparent_value(mem, part, acc_content(mem, in), true);
	case PERSONAL_ROUTING_INDICATOR:
		return transparent_value(
			mem, part, value.p ? routing_content(mem, value) : value, true);
	case PERSONAL_SUCI_KEY:
		return transparent_value(mem, part, suci_content(mem, in), false);
	case PERSONAL_MSISDN:
	case PERSONAL_SMSC:
		return number_value(mem, part, value);
	default: /* PERSONAL_IMPI, PERSONAL_IMPU */
		break;
	}
	if (!value.p)
		return t->names_imsi && in->value[PERSONAL_IMSI].p
			? imsi_replace(
				  mem, part->file->value, t->upp.imsi, in->value[PERSONAL_IMSI])
			: SLICE_NONE;
	if (part->field == PERSONAL_IMPI)
		return transparent_value(mem, part, identity_tlv(mem, value), false);
	return identities_value(mem, part->file, in);
}

bool
template_file_takes(const struct template_file *file, enum profile_field field)
{
	size_t needs = field == PERSONAL_SMSC ? SMSP_RECORD
		: field == PERSONAL_MSISDN    ? MSISDN_RECORD
					      : 0;

	if (file->fixed)
		return false;
	return !needs || (file->record ? file->record >= needs : file->content.n == 0);
}

struct slice
template_value(struct arena *mem, const struct profile_template *t,
	const struct template_part *part, const struct profile_personal *in)
{
	const struct template_key *key;

	switch (part->target) {
	case TARGET_DIGITS:
	case TARGET_SWAPPED:
		return iccid_value(mem, in->value[PERSONAL_ICCID], part->target == TARGET_SWAPPED);
	case TARGET_PIN:
		return in->value[part->field].p ? padded(mem, in->value[part->field], 8)
						: SLICE_NONE;
	case TARGET_KEY:
		key = &t->key[part->key];
		for (size_t i = 0; i < in->key_count; i++)
			if (in->key[i].version == key->version && in->key[i].id == key->id)
				return in->key[i].octets;
		return SLICE_NONE;
	case TARGET_FILE:
		return file_value(mem, t, part, in);
	default:
		return in->value[part->field];
	}
}
