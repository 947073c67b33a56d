/*
 * Reads an unprotected profile package (TCA Interoperable Profile Package): cuts it into profile
 * elements, has each decoded by the generated codec, takes out who the subscriber is, and has the rest
 * judged (upp_rules.c, upp_services.c). Elements stay the octets they were: a package goes to an eUICC
 * exactly as its maker wrote it, but for the ICCID when that is asked for.
 */
#include "profile/upp_int.h"

#include <ProfileElement.h>
#include "base/text.h"
#include "codec/asn1.h"
#include "codec/der.h"

/* Values in one package: what a decoder may be made to allocate. TS.48 has about 1500. */
#define VALUES_MAX 200000u

static const struct {
	uint32_t tag;
	const char *name;
} pe_name[] = {
	{ PE_HEADER, "header" },
	{ PE_GFM, "genericFileManagement" },
	{ PE_PIN, "pinCodes" },
	{ PE_PUK, "pukCodes" },
	{ PE_AKA, "akaParameter" },
	{ PE_CDMA, "cdmaParameter" },
	{ PE_SD, "securityDomain" },
	{ PE_RFM, "rfm" },
	{ PE_APPLICATION, "application" },
	{ 0xa9, "nonStandard" },
	{ PE_END, "end" },
	{ PE_RFU1, "rfu1" },
	{ 0xac, "rfu2" },
	{ 0xad, "rfu3" },
	{ 0xae, "rfu4" },
	{ PE_RFU5, "rfu5" },
	{ PE_MF, "mf" },
	{ PE_CD, "cd" },
	{ PE_TELECOM, "telecom" },
	{ PE_USIM, "usim" },
	{ PE_OPT_USIM, "opt-usim" },
	{ PE_ISIM, "isim" },
	{ PE_OPT_ISIM, "opt-isim" },
	{ PE_PHONEBOOK, "phonebook" },
	{ PE_GSM_ACCESS, "gsm-access" },
	{ PE_CSIM, "csim" },
	{ PE_OPT_CSIM, "opt-csim" },
	{ PE_EAP, "eap" },
	{ PE_DF_5GS, "df-5gs" },
	{ PE_DF_SAIP, "df-saip" },
	{ PE_DF_SNPN, "df-snpn" },
	{ PE_DF_5GPROSE, "df-5gprose" },
	{ PE_IOT, "iot" },
	{ PE_OPT_IOT, "opt-iot" },
};

static const char unknown[] = "unknown";

static const char *
name_of(uint32_t tag)
{
	for (size_t i = 0; i < sizeof pe_name / sizeof pe_name[0]; i++)
		if (pe_name[i].tag == tag)
			return pe_name[i].name;
	return unknown;
}

bool
upp_refuse(struct upp_reader *r, size_t pe, const char *fmt, ...)
{
	char words[256], number[32] = "";
	const struct profile_pe *at = &r->pe[pe];
	va_list args;

	va_start(args, fmt);
	vsnprintf(words, sizeof words, fmt, args);
	va_end(args);
	if (at->identification >= 0)
		snprintf(number, sizeof number, ", identification %d", at->identification);
	r->fault->pe = pe;
	r->fault->identification = at->identification;
	r->fault->reason = arena_printf(r->mem, "PE %zu (%s%s): %s", pe, at->name, number, words);
	return false;
}

bool
upp_refuse_whole(struct upp_reader *r, const char *fmt, ...)
{
	char words[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(words, sizeof words, fmt, args);
	va_end(args);
	r->fault->pe = r->out->pe_count;
	r->fault->identification = -1;
	r->fault->reason = arena_printf(r->mem, "the package: %s", words);
	return false;
}

size_t
upp_find(const struct upp_reader *r, enum pe_tag tag, size_t from)
{
	while (from < r->out->pe_count && r->pe[from].tag != tag)
		from++;
	return from;
}

/* ---- elements ---- */

/* The PEHeader, A0 in all elements but the header and the reserved ones. */
static void
pe_header_read(struct profile_pe *pe)
{
	struct slice rest = pe->octets;
	struct codec_der outer, header, member;
	int64_t number;

	pe->identification = -1;
	if (pe->tag == PE_HEADER || !codec_der_read(&rest, &outer) ||
		!codec_der_read_tag(&outer.value, 0xa0, &header))
		return;
	pe->mandated = codec_der_find(header.value, 0x80, &member);
	if (codec_der_find(header.value, 0x81, &member) &&
		codec_der_int_read(member.value, &number) && number >= 0 && number <= 32767)
		pe->identification = (int)number;
}

/* Cuts the package; also counts, so that what follows is bounded. */
static bool
elements_cut(struct upp_reader *r)
{
	struct slice rest = r->out->octets;
	struct profile_pe *pe = NULL;
	struct codec_der tlv;
	size_t n = 0, room = 0;

	while (rest.n > 0) {
		if (n == room) {
			struct profile_pe *more =
				ARENA_ARRAY(r->mem, struct profile_pe, room ? room * 2 : 64);

			if (n > 0)
				memcpy(more, pe, n * sizeof *pe);
			pe = more;
			room = room ? room * 2 : 64;
		}
		if (n == PROFILE_PE_MAX)
			return upp_refuse_whole(r, "more than %u elements", PROFILE_PE_MAX);
		if (!codec_der_read(&rest, &tlv))
			return upp_refuse_whole(r, "what follows element %zu is no element", n);
		pe[n] = (struct profile_pe){
			.tag = tlv.tag, .name = name_of(tlv.tag), .octets = tlv.octets
		};
		pe_header_read(&pe[n++]);
	}
	r->pe = pe;
	r->out->pe = pe;
	r->out->pe_count = n;
	if (!codec_der_check(r->out->octets, CODEC_ASN1_DEPTH, VALUES_MAX))
		return upp_refuse_whole(r, "TLVs are malformed, too deep, or too many");
	return true;
}

/* Elements of later versions have context tags above those known and a PEHeader as all have. */
static bool
element_is_later(const struct profile_pe *pe)
{
	return pe->tag > PE_OPT_IOT && pe->tag >> 8 == 0xbf && pe->identification >= 0;
}

static bool
elements_decode(struct upp_reader *r)
{
	const char *why = NULL;

	r->decoded = arena_alloc(r->mem, r->out->pe_count * sizeof r->decoded[0]);
	for (size_t i = 0; i < r->out->pe_count; i++) {
		if (r->pe[i].name == unknown) {
			if (!element_is_later(&r->pe[i]))
				return upp_refuse(
					r, i, "tag %X is no profile element", r->pe[i].tag);
			continue;
		}
		r->decoded[i] = codec_asn1_read(
			r->mem, &asn_DEF_ProfileElement, r->pe[i].octets, VALUES_MAX, &why);
		if (!r->decoded[i])
			return upp_refuse(r, i, "%s", why);
	}
	return true;
}

/* ---- files ---- */

/* The first octets of a file as its fills leave them, FF between; false when there are no fills. */
static bool
file_read(const File_t *file, uint8_t *out, size_t room, size_t *n)
{
	size_t at = 0;

	*n = 0;
	memset(out, 0xff, room);
	for (int i = 0; i < file->list.count; i++) {
		const struct File__Member *m = file->list.array[i];

		if (m->present == File__Member_PR_fillFileOffset) {
			at += (size_t)m->choice.fillFileOffset;
		} else if (m->present == File__Member_PR_fillFileContent) {
			size_t size = (size_t)m->choice.fillFileContent.size;

			if (at < room)
				memcpy(out + at, m->choice.fillFileContent.buf,
					size < room - at ? size : room - at);
			at += size;
			*n = at;
		}
	}
	return *n > 0;
}

/* A File that is one fill of ten octets: where these stand in the package. */
static bool
iccid_file_find(struct slice file, struct slice *at)
{
	struct codec_der member;
	size_t fills = 0;

	while (codec_der_read(&file, &member)) {
		if (member.tag == 0x82)
			return false;
		if (member.tag == 0x83) {
			*at = member.value;
			fills++;
		}
	}
	return fills == 1 && at->n == 10;
}

/* EF.ICCID made by file management commands: 2FE2 created, then filled at once. */
static bool
iccid_command_find(struct slice gfm, struct slice *at)
{
	struct codec_der lists, list, command, id;

	if (!codec_der_find(gfm, 0xa1, &lists))
		return false;
	while (codec_der_read(&lists.value, &list)) {
		bool here = false;

		while (codec_der_read(&list.value, &command)) {
			if (command.tag == 0x62)
				here = codec_der_find(command.value, 0x83, &id) &&
					slice_eq(id.value, SLICE_LIT("\x2f\xe2"));
			else if (here && command.tag == 0x81) {
				*at = command.value;
				return at->n == 10;
			}
		}
	}
	return false;
}

static bool
ef_iccid_find(struct upp_reader *r, size_t *pe)
{
	struct slice rest;
	struct codec_der outer, file;

	for (*pe = 0; *pe < r->out->pe_count; ++*pe) {
		uint32_t tag = r->pe[*pe].tag;

		if (tag != PE_MF && tag != PE_IOT && tag != PE_GFM)
			continue;
		rest = r->pe[*pe].octets;
		codec_der_read(&rest, &outer);
		if (tag == PE_GFM ? iccid_command_find(outer.value, &r->out->ef_iccid)
				  : codec_der_find(outer.value, 0xa4, &file) &&
					iccid_file_find(file.value, &r->out->ef_iccid))
			return true;
	}
	return upp_refuse_whole(r, "no EF.ICCID that is written as one piece of 10 octets");
}

/* ---- who it is for ---- */

/* Header digits stand in reading order, EF.ICCID's are swapped (§8.2 against TS 102 221 §13.2). */
static bool
iccid_read(struct upp_reader *r)
{
	uint8_t swapped[10];
	char digits[21];
	size_t pe;

	if (!ef_iccid_find(r, &pe))
		return false;
	for (size_t i = 0; i < 10; i++)
		swapped[i] =
			(uint8_t)(r->out->header_iccid.p[i] << 4 | r->out->header_iccid.p[i] >> 4);
	if (!text_bcd_to_iccid(SLICE_ARRAY(swapped), r->out->iccid))
		return upp_refuse(r, 0, "the ICCID holds something else than digits");
	if (!text_bcd_to_iccid(r->out->ef_iccid, digits) || strcmp(digits, r->out->iccid) != 0)
		return upp_refuse(r, pe, "EF.ICCID differs from the header's ICCID");
	if (!text_iccid_luhn(slice_text(digits)))
		return upp_refuse(r, 0, "the last digit of the ICCID %s is wrong", digits);
	return true;
}

static bool
header_read(struct upp_reader *r)
{
	const ProfileHeader_t *header;
	struct slice rest = r->pe[0].octets;
	struct codec_der outer, member, list;
	struct slice *oid;

	if (r->pe[0].tag != PE_HEADER)
		return upp_refuse(r, 0, "the first element is not the header");
	header = &r->decoded[0]->choice.header;
	r->out->major = (uint8_t)header->major_version;
	r->out->minor = (uint8_t)header->minor_version;
	codec_der_read(&rest, &outer);
	if (codec_der_find(outer.value, 0x82, &member))
		r->out->type = member.value;
	if (codec_der_find(outer.value, 0x83, &member))
		r->out->header_iccid = member.value;
	if (codec_der_find(outer.value, 0xa5, &list))
		while (codec_der_read(&list.value, &member))
			if (member.tag >= 0x80 && member.tag < 0x80 + PROFILE_SERVICE_COUNT)
				r->out->services |= 1u << (member.tag - 0x80);
	oid = ARENA_ARRAY(
		r->mem, struct slice, (size_t)header->eUICC_Mandatory_GFSTEList.list.count);
	r->out->gfste = oid;
	if (codec_der_find(outer.value, 0xa6, &list))
		while (codec_der_read_tag(&list.value, 0x06, &member))
			oid[r->out->gfste_count++] = member.value;
	return true;
}

/* EF.IMSI: length, then parity and fifteen digits, swapped (TS 31.102 §4.2.2). */
static bool
imsi_read(struct upp_reader *r, size_t pe, const File_t *file, char imsi[16])
{
	uint8_t content[9];
	size_t n, digits = 0;

	if (!file_read(file, content, sizeof content, &n))
		return upp_refuse(r, pe, "EF.IMSI is not written");
	if (n != 9 || content[0] < 1 || content[0] > 8)
		return upp_refuse(r, pe, "EF.IMSI has %zu octets, or a wrong length in it", n);
	for (size_t i = 1; i < (size_t)content[0] * 2; i++) {
		uint8_t digit = i % 2 ? content[1 + i / 2] >> 4 : content[1 + i / 2] & 0x0f;

		if (digit == 0x0f && i == (size_t)content[0] * 2 - 1)
			break;
		if (digit > 9)
			return upp_refuse(r, pe, "EF.IMSI holds something else than digits");
		imsi[digits++] = (char)('0' + digit);
	}
	imsi[digits] = 0;
	if (digits < 6)
		return upp_refuse(r, pe, "the IMSI has %zu digits", digits);
	return true;
}

/* EF.AD's last octet counts the digits of the MNC (TS 31.102 §4.2.18). */
static int
mnc_digits_read(const File_t *file)
{
	uint8_t content[4];
	size_t n;

	if (!file || !file_read(file, content, sizeof content, &n) || n < 4)
		return 0;
	content[3] &= 0x0f;
	return content[3] == 2 || content[3] == 3 ? content[3] : 0;
}

/* EF.SPN: how to show it, then the name, padded with FF (TS 31.102 §4.2.12). ASCII ones only. */
static struct slice
spn_read(struct arena *mem, const File_t *file)
{
	uint8_t content[17];
	size_t n;
	struct slice name;

	if (!file_read(file, content, sizeof content, &n) || n < 2)
		return SLICE_NONE;
	name = slice_of(content + 1, (n < 17 ? n : 17) - 1);
	while (name.n > 0 && name.p[name.n - 1] == 0xff)
		name.n--;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < 0x20 || name.p[i] > 0x7e)
			return SLICE_NONE;
	name = slice_trim(name);
	return name.n > 0 ? arena_copy(mem, name) : SLICE_NONE;
}

static bool
subscriber_read(struct upp_reader *r)
{
	for (size_t i = 0; i < r->out->pe_count; i++) {
		const ProfileElement_t *pe = r->decoded[i];
		const File_t *imsi, *acc, *ad;
		char digits[16];
		uint8_t class[2];
		size_t n;

		if (r->pe[i].tag == PE_USIM) {
			imsi = &pe->choice.usim.ef_imsi;
			acc = &pe->choice.usim.ef_acc;
			ad = pe->choice.usim.ef_ad;
		} else if (r->pe[i].tag == PE_IOT) {
			imsi = &pe->choice.iot.ef_imsi;
			acc = &pe->choice.iot.ef_acc;
			ad = pe->choice.iot.ef_ad;
		} else {
			continue;
		}
		if (!imsi_read(r, i, imsi, digits))
			return false;
		if (!file_read(acc, class, sizeof class, &n) || n != 2)
			return upp_refuse(r, i, "EF.ACC has not 2 octets");
		if (r->out->imsi[0])
			continue;
		memcpy(r->out->imsi, digits, sizeof digits);
		r->out->mnc_digits = mnc_digits_read(ad);
		if (r->pe[i].tag == PE_USIM)
			r->out->spn = spn_read(r->mem, &pe->choice.usim.ef_spn);
	}
	return true;
}

bool
profile_upp_read(
	struct arena *mem, struct slice upp, struct profile_upp *out, struct profile_fault *fault)
{
	struct upp_reader r = { .mem = mem, .out = out, .fault = fault };

	*out = (struct profile_upp){ .octets = upp };
	*fault = (struct profile_fault){ .identification = -1 };
	if (upp.n == 0 || upp.n > PROFILE_UPP_MAX)
		return upp_refuse_whole(
			&r, "%zu octets; 1 to %u are possible", upp.n, PROFILE_UPP_MAX);
	return elements_cut(&r) && elements_decode(&r) && header_read(&r) && upp_rules_hold(&r) &&
		iccid_read(&r) && subscriber_read(&r) && upp_services_hold(&r);
}

bool
profile_upp_rewrite_iccid(
	struct arena *mem, const struct profile_upp *upp, struct slice digits, struct slice *out)
{
	uint8_t bcd[10], *copy;
	char plain[21];

	if (!text_iccid_luhn(digits) || !text_iccid_to_bcd(digits, bcd) ||
		!text_bcd_to_iccid(SLICE_ARRAY(bcd), plain))
		return false;
	copy = arena_alloc(mem, upp->octets.n);
	memcpy(copy, upp->octets.p, upp->octets.n);
	memcpy(copy + (upp->ef_iccid.p - upp->octets.p), bcd, sizeof bcd);
	for (size_t i = 0; i < sizeof bcd; i++)
		bcd[i] = (uint8_t)(bcd[i] << 4 | bcd[i] >> 4);
	memcpy(copy + (upp->header_iccid.p - upp->octets.p), bcd, sizeof bcd);
	*out = slice_of(copy, upp->octets.n);
	return true;
}
