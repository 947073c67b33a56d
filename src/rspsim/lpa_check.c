/*
 * What the LPA itself looks at (SGP.22 §3.0.1, §3.1.3): address, transaction, announced and
 * delivered metadata.
 */
#include "rspsim/der.h"
#include "rspsim/lpa.h"
#include "rspsim/metadata.h"

enum { SEGMENT_MAC = 8 };

const char *
rspsim_lpa_check_signed1(struct slice signed1, const char *address, struct slice transaction_id)
{
	struct rspsim_tlv all, id, named;

	if (!rspsim_der_read_only(signed1, 0x30, &all) || !rspsim_der_find(all.value, 0x80, &id) ||
		!rspsim_der_find(all.value, 0x83, &named))
		return "serverSigned1 cannot be read";
	if (!slice_eq(id.value, transaction_id))
		return "the transactionId in serverSigned1 is not the one beside it";
	if (!slice_eq(named.value, slice_text(address)))
		return "serverAddress in serverSigned1 is not the address called";
	return NULL;
}

struct rspsim_objection
rspsim_lpa_check_metadata(const struct rspsim_card *card, struct slice announced)
{
	struct rspsim_metadata m;

	if (!rspsim_metadata_read(announced, &m))
		return (struct rspsim_objection){ true, RSPSIM_CANCEL_UNDEFINED,
			"the profile metadata cannot be read" };
	if (m.rules & card->forbidden_rules)
		return (struct rspsim_objection){ true, RSPSIM_CANCEL_RULES,
			"the card forbids the profile's policy rules" };
	return (struct rspsim_objection){ 0 };
}

/* The 88 group is not encrypted: the LPA reads it without keys. */
static bool
read_bpp_metadata(struct arena *mem, struct slice bpp, struct slice *metadata)
{
	struct rspsim_tlv all, group, segment;

	*metadata = SLICE_NONE;
	if (!rspsim_der_read_only(bpp, 0xbf36, &all) || !rspsim_der_find(all.value, 0xa1, &group))
		return false;
	while (rspsim_der_read_tag(&group.value, 0x88, &segment) && segment.value.n >= SEGMENT_MAC)
		*metadata = RSPSIM_DER(mem, 0, *metadata,
			slice_sub(segment.value, 0, segment.value.n - SEGMENT_MAC));
	return true;
}

/*
 * serviceSpecificDataNotStoredInEuicc (BF23) is announced only, so it is left out of the
 * comparison.
 */
static struct slice
stored_part(struct arena *mem, struct slice metadata)
{
	struct rspsim_tlv all, member;
	struct slice out = SLICE_NONE;

	if (!rspsim_der_read_only(metadata, 0xbf25, &all))
		return metadata;
	while (rspsim_der_read(&all.value, &member))
		if (member.tag != 0xbf23)
			out = RSPSIM_DER(mem, 0, out, member.whole);
	return RSPSIM_DER(mem, 0, out, all.value);
}

struct rspsim_objection
rspsim_lpa_check_bpp(struct arena *mem, struct slice bpp, struct slice announced)
{
	struct rspsim_metadata before, now;
	struct slice delivered;

	if (!read_bpp_metadata(mem, bpp, &delivered))
		return (struct rspsim_objection){ true, RSPSIM_CANCEL_LOAD,
			"the bound profile package cannot be cut into segments" };
	if (slice_eq(stored_part(mem, announced), stored_part(mem, delivered)))
		return (struct rspsim_objection){ 0 };
	if (rspsim_metadata_read(announced, &before) && rspsim_metadata_read(delivered, &now) &&
		before.rules != now.rules)
		return (struct rspsim_objection){ true, RSPSIM_CANCEL_RULES,
			"the policy rules in the package are not those announced" };
	return (struct rspsim_objection){ true, RSPSIM_CANCEL_METADATA,
		"the metadata in the package are not those announced" };
}

int
rspsim_lpa_card_error(struct slice response, uint32_t tag)
{
	struct rspsim_tlv all, alternative, code;
	uint32_t value = 0;

	if (rspsim_der_read_only(response, tag, &all) &&
		rspsim_der_read_only(all.value, 0xa1, &alternative) &&
		rspsim_der_find(alternative.value, 0x02, &code))
		rspsim_der_to_u32(code.value, &value);
	return (int)value;
}

bool
rspsim_lpa_read_result(struct slice result, int *command, int *reason)
{
	struct rspsim_tlv all, data, final, error, number;
	uint32_t value = 0;

	if (!rspsim_der_read_only(result, 0xbf37, &all) ||
		!rspsim_der_find(all.value, 0xbf27, &data) ||
		!rspsim_der_find(data.value, 0xa2, &final) ||
		!rspsim_der_find(final.value, 0xa1, &error))
		return true;
	if (rspsim_der_find(error.value, 0x80, &number) && rspsim_der_to_u32(number.value, &value))
		*command = (int)value;
	if (rspsim_der_find(error.value, 0x81, &number) && rspsim_der_to_u32(number.value, &value))
		*reason = (int)value;
	return false;
}

struct slice
rspsim_lpa_device(struct arena *mem, uint32_t tag)
{
	static const uint8_t tac[] = { 0x80, 4, 0x35, 0x29, 0x09, 0x16 };
	static const uint8_t capabilities[] = { 0xa1, 10, 0x80, 3, 15, 0, 0, 0x85, 3, 15, 0, 0 };

	return RSPSIM_DER(mem, tag, SLICE_ARRAY(tac), SLICE_ARRAY(capabilities));
}

struct slice
rspsim_lpa_context(struct arena *mem, struct slice matching_id)
{
	struct slice matching = SLICE_NONE;

	if (matching_id.n)
		matching = RSPSIM_DER(mem, 0x80, matching_id);
	return RSPSIM_DER(mem, 0xa0, matching, rspsim_lpa_device(mem, 0xa1));
}

struct name {
	int code;
	const char *text;
};

static const char *
name_of(const struct name *names, int code)
{
	while (names->text && names->code != code)
		names++;
	return names->text ? names->text : "undefinedError(127)";
}

const char *
rspsim_authenticate_error_name(int code)
{
	static const struct name names[] = { { 1, "invalidCertificate(1)" },
		{ 2, "invalidSignature(2)" }, { 3, "unsupportedCurve(3)" },
		{ 4, "noSessionContext(4)" }, { 5, "invalidOid(5)" },
		{ 6, "euiccChallengeMismatch(6)" }, { 7, "ciPKUnknown(7)" }, { 0, NULL } };

	return name_of(names, code);
}

const char *
rspsim_download_error_name(int code)
{
	static const struct name names[] = { { 1, "invalidCertificate(1)" },
		{ 2, "invalidSignature(2)" }, { 3, "unsupportedCurve(3)" },
		{ 4, "noSessionContext(4)" }, { 5, "invalidTransactionId(5)" }, { 0, NULL } };

	return name_of(names, code);
}

const char *
rspsim_install_error_name(int code)
{
	static const struct name names[] = { { 1, "incorrectInputValues(1)" },
		{ 2, "invalidSignature(2)" }, { 3, "invalidTransactionId(3)" },
		{ 4, "unsupportedCrtValues(4)" }, { 5, "unsupportedRemoteOperationType(5)" },
		{ 6, "unsupportedProfileClass(6)" }, { 7, "scp03tStructureError(7)" },
		{ 8, "scp03tSecurityError(8)" },
		{ 9, "installFailedDueToIccidAlreadyExistsOnEuicc(9)" },
		{ 10, "installFailedDueToInsufficientMemoryForProfile(10)" },
		{ 11, "installFailedDueToInterruption(11)" },
		{ 12, "installFailedDueToPEProcessingError(12)" },
		{ 13, "installFailedDueToDataMismatch(13)" },
		{ 14, "testProfileInstallFailedDueToInvalidNaaKey(14)" },
		{ 15, "pprNotAllowed(15)" }, { 0, NULL } };

	return name_of(names, code);
}
