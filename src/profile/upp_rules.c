/*
 * Order and presence of profile elements (TCA profile package, §3.2 and the comments of its module):
 * what an eUICC would stumble over in the middle of an installation is refused before an operator
 * offers it.
 */
#include "profile/upp_int.h"

#include <ProfileElement.h>
#include "codec/der.h"

/* What holds for the elements of one kind. */
struct kind {
	enum pe_tag tag;
	bool single;                  /* at most one … */
	enum profile_service several; /* … unless this service is declared; COUNT: never */
	enum pe_tag after[3];         /* one of these must come before; 0: nothing */
};

#define NEVER PROFILE_SERVICE_COUNT

static const struct kind kind[] = {
	{ PE_HEADER, true, NEVER, { 0 } },
	{ PE_END, true, NEVER, { 0 } },
	{ PE_MF, true, NEVER, { 0 } },
	{ PE_CD, true, NEVER, { 0 } },
	{ PE_TELECOM, true, NEVER, { 0 } },
	{ PE_USIM, true, PROFILE_MULTIPLE_USIM, { 0 } },
	{ PE_OPT_USIM, true, PROFILE_MULTIPLE_USIM, { PE_USIM } },
	{ PE_DF_5GS, true, PROFILE_MULTIPLE_USIM, { PE_USIM, PE_IOT } },
	{ PE_DF_SAIP, true, PROFILE_MULTIPLE_USIM, { PE_USIM, PE_IOT } },
	{ PE_DF_SNPN, true, PROFILE_MULTIPLE_USIM, { PE_USIM, PE_IOT } },
	{ PE_DF_5GPROSE, true, PROFILE_MULTIPLE_USIM, { PE_USIM, PE_IOT } },
	{ PE_GSM_ACCESS, false, NEVER, { PE_USIM } },
	{ PE_PHONEBOOK, false, NEVER, { PE_USIM } },
	{ PE_ISIM, true, PROFILE_MULTIPLE_ISIM, { 0 } },
	{ PE_OPT_ISIM, true, PROFILE_MULTIPLE_ISIM, { PE_ISIM } },
	{ PE_CSIM, true, PROFILE_MULTIPLE_CSIM, { 0 } },
	{ PE_OPT_CSIM, true, PROFILE_MULTIPLE_CSIM, { PE_CSIM } },
	{ PE_IOT, true, NEVER, { 0 } },
	{ PE_OPT_IOT, true, NEVER, { PE_IOT } },
	{ PE_AKA, false, NEVER, { PE_USIM, PE_ISIM, PE_IOT } },
	{ PE_CDMA, false, NEVER, { PE_CSIM } },
	{ PE_RFM, false, NEVER, { PE_SD } },
	{ PE_APPLICATION, false, NEVER, { PE_SD } },
};

static const struct kind *
kind_find(uint32_t tag)
{
	for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++)
		if (kind[i].tag == tag)
			return &kind[i];
	return NULL;
}

static bool
predecessor_is_there(struct upp_reader *r, size_t pe, const struct kind *k)
{
	if (!k->after[0])
		return true;
	for (size_t i = 0; i < 3 && k->after[i]; i++)
		if (upp_find(r, k->after[i], 0) < pe)
			return true;
	return false;
}

static bool
kinds_hold(struct upp_reader *r)
{
	for (size_t i = 0; i < r->out->pe_count; i++) {
		const struct kind *k = kind_find(r->pe[i].tag);

		if (!k)
			continue;
		if (k->single && upp_find(r, k->tag, 0) < i &&
			(k->several == NEVER || !upp_declares(r, k->several)))
			return upp_refuse(
				r, i, "there is one before it (PE %zu)", upp_find(r, k->tag, 0));
		if (!predecessor_is_there(r, i, k))
			return upp_refuse(r, i,
				"the element that it belongs to does not come "
				"before it");
	}
	return true;
}

/* Commands that make the master file, 3F00. */
static bool
commands_make_mf(const PE_GenericFileManagement_t *gfm)
{
	for (int i = 0; i < gfm->fileManagementCMD.list.count; i++) {
		const FileManagement_t *list = gfm->fileManagementCMD.list.array[i];

		for (int k = 0; k < list->list.count; k++) {
			const struct FileManagement__Member *m = list->list.array[k];
			const OCTET_STRING_t *id;

			if (m->present != FileManagement__Member_PR_createFCP)
				continue;
			id = m->choice.createFCP.fileID;
			return id && id->size == 2 && id->buf[0] == 0x3f && id->buf[1] == 0;
		}
	}
	return false;
}

static bool
ends_hold(struct upp_reader *r)
{
	size_t last = r->out->pe_count - 1;

	if (r->pe[last].tag != PE_END)
		return upp_refuse(r, last, "the last element is not the end");
	if (r->pe[1].tag == PE_MF || r->pe[1].tag == PE_IOT)
		return true;
	if (r->pe[1].tag == PE_GFM &&
		commands_make_mf(&r->decoded[1]->choice.genericFileManagement))
		return true;
	return upp_refuse(r, 1, "the master file is not made right after the header");
}

static bool
identifications_hold(struct upp_reader *r)
{
	uint8_t *seen = arena_alloc(r->mem, 32768 / 8);

	for (size_t i = 1; i < r->out->pe_count; i++) {
		int id = r->pe[i].identification;

		if (r->pe[i].tag >= PE_RFU1 && r->pe[i].tag <= PE_RFU5)
			continue;
		if (id < 0)
			return upp_refuse(r, i, "it has no identification");
		if (seen[id / 8] & 1 << id % 8)
			return upp_refuse(r, i, "its identification is not unique");
		seen[id / 8] |= (uint8_t)(1 << id % 8);
	}
	return true;
}

/* What a network needs at the least. An IoT minimal profile may do without PINs and OTA. */
static bool
minimum_is_there(struct upp_reader *r)
{
	if (!upp_has(r, PE_USIM) && !upp_has(r, PE_ISIM) && !upp_has(r, PE_CSIM) &&
		!upp_has(r, PE_IOT))
		return upp_refuse_whole(r, "no network access application (usim, isim, csim)");
	if (!upp_has(r, PE_AKA) && !upp_has(r, PE_CDMA))
		return upp_refuse_whole(r, "no akaParameter: nobody could authenticate");
	if (upp_has(r, PE_IOT))
		return true;
	if (!upp_has(r, PE_PIN))
		return upp_refuse_whole(r, "no pinCodes");
	if (!upp_has(r, PE_PUK))
		return upp_refuse_whole(r, "no pukCodes");
	if (!upp_has(r, PE_SD))
		return upp_refuse_whole(r, "no securityDomain: the operator could not reach it");
	return true;
}

/* ---- PINs ---- */

/* Files made from templates; the directory that PINs after them belong to. */
static bool
is_directory(uint32_t tag)
{
	return tag == PE_MF || tag == PE_IOT || tag == PE_GFM || tag == PE_TELECOM ||
		tag == PE_CD || tag == PE_USIM || tag == PE_ISIM || tag == PE_CSIM ||
		tag == PE_EAP || tag == PE_PHONEBOOK || tag == PE_GSM_ACCESS || tag == PE_DF_5GS ||
		tag == PE_DF_SAIP || tag == PE_DF_SNPN || tag == PE_DF_5GPROSE;
}

/* Application PINs and ADM 1 to 5 are global, second PINs and ADM 6 to 10 local to an application. */
static bool
reference_is_global(long reference)
{
	return (reference >= 1 && reference <= 8) || (reference >= 10 && reference <= 14);
}

static bool
reference_is_local(long reference)
{
	return (reference >= 129 && reference <= 136) || (reference >= 138 && reference <= 142);
}

/* PUK references as bits 0 to 15. */
static int
puk_bit(long reference)
{
	if (reference >= 1 && reference <= 8)
		return (int)reference - 1;
	return reference >= 129 && reference <= 136 ? (int)reference - 121 : -1;
}

static bool
puks_hold(struct upp_reader *r, size_t pe, uint32_t *puks)
{
	const PE_PUKCodes_t *in = &r->decoded[pe]->choice.pukCodes;

	for (int i = 0; i < in->pukCodes.list.count; i++) {
		int bit = puk_bit(in->pukCodes.list.array[i]->keyReference);

		if (bit < 0 || *puks >> bit & 1)
			return upp_refuse(r, pe, "PUK reference %ld is unknown or not unique",
				in->pukCodes.list.array[i]->keyReference);
		*puks |= 1u << bit;
	}
	return true;
}

static bool
pins_hold(struct upp_reader *r, size_t pe, uint32_t directory, uint32_t puks)
{
	const struct PE_PINCodes__pinCodes *in = &r->decoded[pe]->choice.pinCodes.pinCodes;
	uint8_t seen[256] = { 0 };

	if (in->present != PE_PINCodes__pinCodes_PR_pinconfig)
		return true;
	for (int i = 0; i < in->choice.pinconfig.list.count; i++) {
		const PINConfiguration_t *pin = in->choice.pinconfig.list.array[i];
		long reference = pin->keyReference;

		if (!reference_is_global(reference) && !reference_is_local(reference))
			return upp_refuse(r, pe, "PIN reference %ld is unknown", reference);
		if (seen[reference]++)
			return upp_refuse(r, pe, "PIN reference %ld is not unique", reference);
		if (directory == PE_MF && !reference_is_global(reference))
			return upp_refuse(r, pe,
				"PIN reference %ld is local to an application, "
				"but belongs to the MF",
				reference);
		if (pin->unblockingPINReference &&
			(puk_bit(*pin->unblockingPINReference) < 0 ||
				!(puks >> puk_bit(*pin->unblockingPINReference) & 1)))
			return upp_refuse(r, pe, "PUK %ld for PIN %ld does not come before it",
				*pin->unblockingPINReference, reference);
	}
	return true;
}

static bool
codes_hold(struct upp_reader *r)
{
	uint32_t directory = 0, puks = 0;

	for (size_t i = 0; i < r->out->pe_count; i++) {
		uint32_t tag = r->pe[i].tag;

		if (is_directory(tag))
			directory = tag;
		else if (tag == PE_PUK && !puks_hold(r, i, &puks))
			return false;
		else if (tag == PE_PIN && !pins_hold(r, i, directory, puks))
			return false;
	}
	return true;
}

/* ---- templates ---- */

static bool
template_is_declared(struct upp_reader *r, struct slice oid)
{
	for (size_t i = 0; i < r->out->gfste_count; i++)
		if (slice_eq(r->out->gfste[i], oid))
			return true;
	return false;
}

/* Elements B0 and up have their template's OID as second member, 81. */
static bool
templates_hold(struct upp_reader *r)
{
	for (size_t i = 0; i < r->out->pe_count; i++) {
		struct slice rest = r->pe[i].octets;
		struct codec_der outer, oid;

		if (!r->decoded[i] || r->pe[i].tag < PE_MF)
			continue;
		codec_der_read(&rest, &outer);
		if (codec_der_find(outer.value, 0x81, &oid) && !template_is_declared(r, oid.value))
			return upp_refuse(r, i,
				"its template is not in the header's "
				"eUICC-Mandatory-GFSTEList");
	}
	return true;
}

bool
upp_rules_hold(struct upp_reader *r)
{
	if (r->out->pe_count < 3)
		return upp_refuse_whole(r, "%zu elements are too few", r->out->pe_count);
	return kinds_hold(r) && ends_hold(r) && identifications_hold(r) && minimum_is_there(r) &&
		codes_hold(r) && templates_hold(r);
}
