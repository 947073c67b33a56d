/*
 * Templates of profile packages: one package per subscriber out of a plan that was made once. The parts
 * whose octets change are made first, then the lengths around them from the inside out, then all is put
 * into one piece of memory; nothing is decoded on the way.
 */
#include "profile/template_int.h"

#include <stdlib.h>
#include "base/text.h"
#include "codec/der.h"
#include "profile/upp_int.h"

/* A template of 1 MiB, its plan and the contents of its files stay below this. */
enum { TEMPLATE_ARENA = 8 << 20 };

/* Octets of the element and its length around a package of PROFILE_UPP_MAX. */
enum { PACKAGE_MAX = PROFILE_UPP_MAX + (1 << 20) };

static const char *const no_place[PERSONAL_FIELDS] = {
	[PERSONAL_IMSI] = "has no place: the template has no USIM",
	[PERSONAL_K] = "has no place: the template has no akaParameter with a key of its own",
	[PERSONAL_OPC] = "has no place: the template has no akaParameter with a key of its own",
	[PERSONAL_OP] = "has no place: the template has no akaParameter with a key of its own",
	[PERSONAL_PIN1] = "has no place: the template's pinCodes have no reference 01",
	[PERSONAL_PIN2] = "has no place: the template's pinCodes have no reference 81",
	[PERSONAL_PUK1] = "has no place: the template's pukCodes have no reference 01",
	[PERSONAL_PUK2] = "has no place: the template's pukCodes have no reference 81",
	[PERSONAL_ADM1] = "has no place: the template's pinCodes have no reference 0A",
	[PERSONAL_ADM2] = "has no place: the template's pinCodes have no reference 0B",
	[PERSONAL_ADM3] = "has no place: the template's pinCodes have no reference 0C",
	[PERSONAL_ADM4] = "has no place: the template's pinCodes have no reference 0D",
	[PERSONAL_ADM5] = "has no place: the template's pinCodes have no reference 0E",
	[PERSONAL_ACC] = "has no place: the template has no EF.ACC that can be written",
	[PERSONAL_MSISDN] = "has no place: the template has no opt-usim, or an EF.MSISDN whose "
			    "records are too short or of unknown length",
	[PERSONAL_SMSC] = "has no place: the template has no USIM, or an EF.SMSP whose records are "
			  "too short or of unknown length",
	[PERSONAL_IMPI] = "has no place: the template has no ISIM",
	[PERSONAL_IMPU] = "has no place: the template has no ISIM",
	[PERSONAL_IMPU2] = "has no place: the template has no ISIM",
	[PERSONAL_IMPU3] = "has no place: the template has no ISIM",
	[PERSONAL_ROUTING_INDICATOR] = "has no place: the template has no DF 5GS",
	[PERSONAL_SUCI_KEY_ID] = "has no place: the template has no DF 5GS, or no DF SAIP though "
				 "its USIM calculates the SUCI (service 125)",
	[PERSONAL_SUCI_KEY] = "has no place: the template has no DF 5GS, or no DF SAIP though its "
			      "USIM calculates the SUCI (service 125)",
	[PERSONAL_SUCI_CALC_INFO] =
		"has no place: the template has no DF 5GS, or no DF SAIP though "
		"its USIM calculates the SUCI (service 125)",
};

static const char *const is_needed[PERSONAL_FIELDS] = {
	[PERSONAL_ICCID] = "is missing",
	[PERSONAL_IMSI] = "is missing; the template's USIM needs it",
	[PERSONAL_K] = "is missing; the template's akaParameter needs it",
	[PERSONAL_OPC] = "is missing, and op too; the template's akaParameter needs it",
};

static void
drop(void *p)
{
	struct profile_template **t = p;

	profile_template_free(*t);
}

struct profile_template *
profile_template_new(struct arena *mem, struct slice upp, struct profile_fault *fault)
{
	struct profile_template **held = ARENA_NEW(mem, struct profile_template *), *t;
	struct profile_upp read;

	arena_defer(mem, drop, held); /* should `mem` be full on the way */
	*held = t = calloc(1, sizeof *t);
	if (!t)
		abort();
	arena_init(&t->mem, TEMPLATE_ARENA, NULL, NULL);
	if (!profile_upp_read(
		    mem, upp.n <= PROFILE_UPP_MAX ? arena_copy(&t->mem, upp) : upp, &read, fault) ||
		!template_plan(mem, t, &read, fault))
		return NULL;
	t->upp.spn = arena_copy(&t->mem, read.spn);
	t->upp.gfste = NULL;
	t->upp.pe = NULL;
	t->upp.gfste_count = t->upp.pe_count = 0;
	*held = NULL;
	return t;
}

void
profile_template_free(struct profile_template *t)
{
	if (!t)
		return;
	arena_fini(&t->mem);
	free(t);
}

const struct profile_template_info *
profile_template_get(const struct profile_template *t)
{
	return &t->info;
}

/* ---- what fits ---- */

const struct template_key *
template_key_find(const struct profile_template *t, uint8_t version, uint8_t id)
{
	for (size_t i = 0; i < t->info.key_count; i++)
		if (t->key[i].version == version && t->key[i].id == id)
			return &t->key[i];
	return NULL;
}

static bool
key_has_place(const struct profile_template *t, struct arena *mem, uint8_t version, uint8_t id,
	struct profile_row_fault *fault)
{
	const struct profile_column column = { PERSONAL_KEY, version, id };

	return template_key_find(t, version, id) ||
		personal_refuse(fault, WHY_PLACE, profile_column_name(mem, &column),
			arena_printf(mem,
				"has no place: no security domain of the template has a key of "
				"version %02X with identifier %02X",
				version, id));
}

bool
template_needs_hold(
	const struct profile_template *t, uint32_t given, struct profile_row_fault *fault)
{
	for (int f = 0; f < PERSONAL_FIELDS; f++)
		if (t->info.needs & ~given & 1u << f)
			return personal_refuse(fault, WHY_MISSING,
				profile_field_name((enum profile_field)f), is_needed[f]);
	return true;
}

bool
template_place_holds(
	const struct profile_template *t, enum profile_field field, struct profile_row_fault *fault)
{
	return (t->info.takes >> field & 1) ||
		personal_refuse(fault, WHY_PLACE, profile_field_name(field), no_place[field]);
}

bool
profile_template_columns_hold(const struct profile_template *t, struct arena *mem,
	const struct profile_column *columns, size_t n, struct profile_row_fault *fault)
{
	uint32_t given = 0;

	for (size_t i = 0; i < n; i++) {
		enum profile_field field = columns[i].field;

		fault->column = i;
		if (field == PERSONAL_SKIPPED)
			continue;
		if (field == PERSONAL_KEY
				? !key_has_place(t, mem, columns[i].version, columns[i].id, fault)
				: !template_place_holds(t, field, fault))
			return false;
		if (field < PERSONAL_FIELDS)
			given |= 1u << field;
	}
	if (given >> PERSONAL_OP & 1)
		given |= 1u << PERSONAL_OPC;
	fault->column = PROFILE_NO_COLUMN;
	return template_needs_hold(t, given, fault);
}

/* Keys of SCP80 and of the GlobalPlatform channels (types of GP Card Specification, table 11-16). */
static bool
key_length_holds(const struct template_key *key, size_t n)
{
	switch (key->type) {
	case 0x80: /* DES */
		return n == 16 || n == 24;
	case 0x85: /* pre-shared key of TLS */
		return n >= 16;
	case 0x88: /* AES */
		return n == 16 || n == 24 || n == 32;
	default:
		return n == key->octets;
	}
}

bool
template_keys_hold(const struct profile_template *t, struct arena *mem,
	const struct profile_personal *in, struct profile_row_fault *fault)
{
	for (size_t i = 0; i < in->key_count; i++) {
		const struct profile_key *key = &in->key[i];
		const struct profile_column column = { PERSONAL_KEY, key->version, key->id };

		if (!key_has_place(t, mem, key->version, key->id, fault))
			return false;
		if (!key_length_holds(template_key_find(t, key->version, key->id), key->octets.n))
			return personal_refuse(fault, WHY_LENGTH, profile_column_name(mem, &column),
				arena_printf(mem,
					"has %zu octets, which a key of type %02X has not",
					key->octets.n,
					template_key_find(t, key->version, key->id)->type));
	}
	return true;
}

bool
template_lengths_hold(const struct profile_template *t, struct arena *mem,
	const struct profile_personal *in, struct profile_row_fault *fault)
{
	struct slice imsi = in->value[PERSONAL_IMSI], k = in->value[PERSONAL_K],
		     opc = in->value[PERSONAL_OPC];

	if (k.p && k.n != t->k_octets)
		return personal_refuse(fault, WHY_LENGTH, "k",
			arena_printf(mem, "has %zu octets, the template's algorithm wants %zu", k.n,
				t->k_octets));
	if (opc.p && opc.n != t->opc_octets)
		return personal_refuse(fault, WHY_LENGTH, "opc",
			arena_printf(mem, "has %zu octets, the template's algorithm wants %zu",
				opc.n, t->opc_octets));
	if (imsi.p && t->names_imsi && imsi.n != strlen(t->upp.imsi) &&
		(!personal_has(in, PERSONAL_IMPI) || !personal_has(in, PERSONAL_IMPU)))
		return personal_refuse(fault, WHY_LENGTH, "imsi",
			arena_printf(mem,
				"has %zu digits, the one that the template's ISIM names has %zu; "
				"give impi and impu",
				imsi.n, strlen(t->upp.imsi)));
	return true;
}

bool
profile_template_row_holds(const struct profile_template *t, struct arena *mem,
	const struct profile_personal *in, struct profile_row_fault *fault)
{
	uint32_t given = 0;

	fault->column = PROFILE_NO_COLUMN;
	for (int f = 0; f < PERSONAL_FIELDS; f++)
		if (personal_has(in, (enum profile_field)f)) {
			given |= 1u << f;
			if (!template_place_holds(t, (enum profile_field)f, fault))
				return false;
		}
	return template_needs_hold(t, given, fault) && template_keys_hold(t, mem, in, fault) &&
		template_lengths_hold(t, mem, in, fault);
}

/* ---- the package ---- */

/* A part while a package is made. */
struct piece {
	struct slice value; /* of the new TLV; absent: the template's octets are copied */
	size_t inside;      /* octets of the value */
	size_t all;         /* … with tag and length */
};

/* Lengths from the inside out: parts of a TLV stand behind it. */
static void
pieces_measure(const struct profile_template *t, struct piece *piece)
{
	for (size_t i = t->part_count; i-- > 0;) {
		const struct template_part *part = &t->part[i];

		if (part->target == TARGET_TLV) {
			size_t k = i + 1;

			while (k < part->end) {
				piece[i].inside += piece[k].all;
				k = t->part[k].target == TARGET_TLV ? t->part[k].end : k + 1;
			}
		} else {
			piece[i].inside = piece[i].value.n;
		}
		if (part->target != TARGET_TLV && !piece[i].value.p)
			piece[i].all = part->octets.n;
		else
			piece[i].all = codec_der_size(part->tag, piece[i].inside);
	}
}

/* All outermost parts together. */
static size_t
package_size(const struct profile_template *t, const struct piece *piece)
{
	size_t sum = 0, i = 0;

	while (i < t->part_count) {
		sum += piece[i].all;
		i = t->part[i].target == TARGET_TLV ? t->part[i].end : i + 1;
	}
	return sum;
}

bool
profile_template_personalise(const struct profile_template *t, struct arena *mem,
	const struct profile_personal *in, struct slice *upp, struct profile_row_fault *fault)
{
	struct piece *piece;
	struct buf out;

	if (!profile_template_row_holds(t, mem, in, fault))
		return false;
	piece = ARENA_ARRAY(mem, struct piece, t->part_count);
	for (size_t i = 0; i < t->part_count; i++)
		if (t->part[i].target > TARGET_TLV)
			piece[i].value = template_value(mem, t, &t->part[i], in);
	pieces_measure(t, piece);
	buf_init(&out, mem, PACKAGE_MAX);
	buf_expect(&out, package_size(t, piece));
	for (size_t i = 0; i < t->part_count; i++) {
		const struct template_part *part = &t->part[i];

		if (part->target == TARGET_TLV || piece[i].value.p)
			codec_der_put_head(&out, part->tag, piece[i].inside);
		if (piece[i].value.p)
			buf_put(&out, piece[i].value);
		else
			buf_put(&out, part->octets);
	}
	*upp = buf_get(&out);
	return true;
}

void
profile_template_describe(const struct profile_template *t, struct arena *mem,
	const struct profile_personal *in, struct profile_upp *out)
{
	uint8_t *bcd = arena_alloc(mem, 10), *digits = arena_alloc(mem, 10);
	struct slice imsi = in->value[PERSONAL_IMSI];

	*out = t->upp;
	out->octets = SLICE_NONE;
	text_iccid_to_bcd(in->value[PERSONAL_ICCID], bcd);
	text_bcd_to_iccid(slice_of(bcd, 10), out->iccid);
	for (size_t i = 0; i < 10; i++)
		digits[i] = (uint8_t)(bcd[i] << 4 | bcd[i] >> 4);
	out->ef_iccid = slice_of(bcd, 10);
	out->header_iccid = slice_of(digits, 10);
	if (imsi.p) {
		memcpy(out->imsi, imsi.p, imsi.n);
		out->imsi[imsi.n] = 0;
	}
	if (personal_has(in, PERSONAL_K))
		out->test_key = upp_is_test_key(in->value[PERSONAL_K]);
}
