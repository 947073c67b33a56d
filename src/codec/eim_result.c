/*
 * EuiccPackageResult (SGP.32 §2.11.2): the three arms, and the results of single commands. Switching a profile
 * happens behind it, so that it is the eUICC's word on what it marked; §3.4.1.
 */
#include "codec/eim_result.h"

#include <limits.h>
#include "codec/int.h"

#define PACKAGE_RESULT 0xbf51

/* What is left of the bounds while one message is read. */
struct room {
	size_t profiles, eims;
};

/*
 * A list or an error code: A0 { … } or 81; some leave the list's tag away, then its first element tells.
 * Where neither stands the code is -1.
 */
static int
list_or_code_read(struct slice contents, uint32_t element, struct slice *list, unsigned *leniencies)
{
	struct slice rest = contents;
	struct codec_number code;
	struct codec_der tlv;

	*list = SLICE_NONE;
	if (codec_der_read_whole(contents, 0xa0, &tlv)) {
		*list = tlv.value;
		return 0;
	}
	if (contents.n == 0 || codec_der_read_tag(&rest, element, &tlv)) {
		*list = contents;
		*leniencies |= CODEC_LENIENT_ARM;
		return 0;
	}
	if (!codec_der_read_whole(contents, 0x81, &tlv)) {
		if (!codec_der_read_whole(contents, 0x02, &tlv))
			return -1;
		*leniencies |= CODEC_LENIENT_ARM;
	}
	code = member_number_read(tlv.value);
	return code.known && code.n > 0 && code.n <= INT_MAX ? (int)code.n : -1;
}

static size_t
elements_count(struct slice list, uint32_t tag)
{
	struct codec_der tlv;
	size_t n = 0;

	while (codec_der_read(&list, &tlv))
		n += tlv.tag == tag;
	return n;
}

/* Takes n from what is left. */
static bool
room_take(size_t *left, size_t n, const char *words, const char **why)
{
	if (n > *left) {
		*why = words;
		return false;
	}
	*left -= n;
	return true;
}

static bool
profiles_read(struct arena *mem, struct slice list, struct room *room,
	struct codec_command_result *out, const char **why)
{
	size_t n = elements_count(list, 0xe3);
	struct codec_profile_info *profile;
	struct codec_der tlv;

	if (!room_take(&room->profiles, n, "a result lists too many profiles", why))
		return false;
	profile = ARENA_ARRAY(mem, struct codec_profile_info, n);
	out->profile = profile;
	while (codec_der_read(&list, &tlv))
		if (tlv.tag == 0xe3)
			profile_info_read(mem, &tlv, &profile[out->profile_count++]);
	return true;
}

/* eimIdType is 82, in v1.0 84. */
static bool
eims_read(struct arena *mem, struct slice list, struct room *room, unsigned *leniencies,
	struct codec_command_result *out, const char **why)
{
	size_t n = elements_count(list, 0x30);
	struct codec_eim_info *eim;
	struct codec_der tlv;

	if (!room_take(&room->eims, n, "a result lists too many eIMs", why))
		return false;
	eim = ARENA_ARRAY(mem, struct codec_eim_info, n);
	out->eim = eim;
	while (codec_der_read(&list, &tlv)) {
		struct slice type;

		if (tlv.tag != 0x30)
			continue;
		type = member_find(tlv.value, 0x82, 1, 8);
		if (!type.p && (type = member_find(tlv.value, 0x84, 1, 8)).p)
			*leniencies |= CODEC_LENIENT_IOT_V1_0;
		eim[out->eim_count++] = (struct codec_eim_info){
			.eim_id = member_find(tlv.value, 0x80, 0, 512),
			.id_type = member_number_read(type),
		};
	}
	return true;
}

/* How the result of a command is written. */
enum shape { SHAPE_CODE, SHAPE_CODE_INSIDE, SHAPE_PROFILES, SHAPE_RAT, SHAPE_TOKEN, SHAPE_EIMS };

static const struct result_tag {
	uint32_t tag;
	enum codec_result_kind kind;
	enum codec_eim_command_kind command;
	enum shape shape;
} result_tags[] = {
	{ 0x83, CODEC_RESULT_COMMAND, CODEC_PSMO_ENABLE, SHAPE_CODE },
	{ 0x84, CODEC_RESULT_COMMAND, CODEC_PSMO_DISABLE, SHAPE_CODE },
	{ 0x85, CODEC_RESULT_COMMAND, CODEC_PSMO_DELETE, SHAPE_CODE },
	{ 0xbf2d, CODEC_RESULT_COMMAND, CODEC_PSMO_LIST_PROFILE_INFO, SHAPE_PROFILES },
	{ 0xa6, CODEC_RESULT_COMMAND, CODEC_PSMO_GET_RAT, SHAPE_RAT },
	{ 0x87, CODEC_RESULT_COMMAND, CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE, SHAPE_CODE },
	{ 0x8d, CODEC_RESULT_COMMAND, CODEC_PSMO_SET_FALLBACK_ATTRIBUTE, SHAPE_CODE },
	{ 0x8e, CODEC_RESULT_COMMAND, CODEC_PSMO_UNSET_FALLBACK_ATTRIBUTE, SHAPE_CODE },
	{ 0xbf65, CODEC_RESULT_COMMAND, CODEC_PSMO_SET_DEFAULT_DP_ADDRESS, SHAPE_CODE_INSIDE },
	{ 0xa8, CODEC_RESULT_COMMAND, CODEC_ECO_ADD_EIM, SHAPE_TOKEN },
	{ 0x89, CODEC_RESULT_COMMAND, CODEC_ECO_DELETE_EIM, SHAPE_CODE },
	{ 0x8a, CODEC_RESULT_COMMAND, CODEC_ECO_UPDATE_EIM, SHAPE_CODE },
	{ 0xab, CODEC_RESULT_COMMAND, CODEC_ECO_LIST_EIM, SHAPE_EIMS },
	{ 0x8c, CODEC_RESULT_ROLLBACK, 0, SHAPE_CODE },
	{ 0x02, CODEC_RESULT_TERMINATED, 0, SHAPE_CODE },
};

static int
code_read(struct slice value)
{
	struct codec_number code = member_number_read(value);

	return code.known && code.n >= 0 && code.n <= INT_MAX ? (int)code.n : -1;
}

/* One result by the shape of its kind. False only when it goes beyond the bounds. */
static bool
shape_read(struct arena *mem, enum shape shape, struct slice value, struct room *room,
	unsigned *leniencies, struct codec_command_result *out, const char **why)
{
	struct slice list;

	switch (shape) {
	case SHAPE_CODE:
		out->code = code_read(value);
		return true;
	case SHAPE_CODE_INSIDE:
		out->code = code_read(member_find(value, 0x80, 1, 4));
		return true;
	case SHAPE_RAT:
		out->code = 0;
		out->rat = value;
		return true;
	case SHAPE_TOKEN:
		out->association_token = member_number_read(member_find(value, 0x84, 1, 8));
		out->code = out->association_token.known
			? 0
			: code_read(member_find(value, 0x02, 1, 4));
		return true;
	case SHAPE_PROFILES:
		value = member_once(value, 0xbf2d, leniencies);
		out->code = list_or_code_read(value, 0xe3, &list, leniencies);
		return profiles_read(mem, list, room, out, why);
	case SHAPE_EIMS:
		out->code = list_or_code_read(value, 0x30, &list, leniencies);
		return eims_read(mem, list, room, leniencies, out, why);
	}
	return false;
}

static bool
results_read(struct arena *mem, struct slice list, struct codec_euicc_package_result *out,
	const char **why)
{
	struct room room = { CODEC_PROFILE_MAX, CODEC_EIM_MAX };
	struct codec_command_result *result;
	struct slice rest = list;
	struct codec_der tlv;
	size_t n = 0;

	while (codec_der_read(&rest, &tlv))
		n++;
	if (rest.n > 0 || n > CODEC_RESULT_MAX) {
		*why = "euiccResult: too many results, or octets that are no TLV";
		return false;
	}
	result = ARENA_ARRAY(mem, struct codec_command_result, n);
	out->result = result;
	while (codec_der_read(&list, &tlv)) {
		struct codec_command_result *r = &result[out->n++];

		*r = (struct codec_command_result){
			.kind = CODEC_RESULT_UNKNOWN, .octets = tlv.octets, .code = -1
		};
		for (size_t i = 0; i < sizeof result_tags / sizeof result_tags[0]; i++) {
			const struct result_tag *row = &result_tags[i];

			if (row->tag != tlv.tag)
				continue;
			r->kind = row->kind;
			r->command = row->command;
			if (!shape_read(
				    mem, row->shape, tlv.value, &room, &out->leniencies, r, why))
				return false;
		}
	}
	return true;
}

/* counterValue comes back as the eIM sent it: never negative. */
static bool
counter_read(struct slice value, int64_t *out, const char **why)
{
	if (codec_der_int_read(value, out) && *out >= 0)
		return true;
	*why = "counterValue is no counter";
	return false;
}

/* EuiccPackageResultDataSigned. */
static bool
done_read(struct arena *mem, struct slice contents, struct codec_euicc_package_result *out,
	const char **why)
{
	struct slice counter, results;
	const struct member table[] = {
		{ 0x80, "eimId", 1, 512, false, &out->eim_id, NULL },
		{ 0x81, "counterValue", 1, 8, false, &counter, NULL },
		{ 0x82, "eimTransactionId", 1, 16, true, &out->eim_transaction_id, NULL },
		{ 0x83, "seqNumber", 1, 16, false, &out->sequence, NULL },
		{ 0x30, "euiccResult", 0, MEMBER_MAX, false, &results, NULL },
	};

	return MEMBER_READ(mem, contents, table, why) &&
		counter_read(counter, &out->counter, why) && results_read(mem, results, out, why);
}

/* EuiccPackageErrorDataSigned. */
static bool
error_read(struct arena *mem, struct slice contents, struct codec_euicc_package_result *out,
	const char **why)
{
	struct slice counter, code;
	const struct member table[] = {
		{ 0x80, "eimId", 1, 512, false, &out->eim_id, NULL },
		{ 0x81, "counterValue", 1, 8, false, &counter, NULL },
		{ 0x82, "eimTransactionId", 1, 16, true, &out->eim_transaction_id, NULL },
		{ 0x02, "euiccPackageErrorCode", 1, 4, false, &code, NULL },
	};

	return MEMBER_READ(mem, contents, table, why) &&
		counter_read(counter, &out->counter, why) &&
		member_int_read(mem, "euiccPackageErrorCode", code, &out->error, why);
}

/* EuiccPackageErrorUnsigned. */
static bool
unsigned_read(struct arena *mem, struct slice contents, struct codec_euicc_package_result *out,
	const char **why)
{
	struct slice token;
	const struct member table[] = {
		{ 0x80, "eimId", 1, 512, false, &out->eim_id, NULL },
		{ 0x82, "eimTransactionId", 1, 16, true, &out->eim_transaction_id, NULL },
		{ 0x84, "associationToken", 1, 8, true, &token, NULL },
	};

	if (!MEMBER_READ(mem, contents, table, why))
		return false;
	out->association_token = member_number_read(token);
	return true;
}

static bool
signed_read(struct arena *mem, struct slice arm, struct codec_euicc_package_result *out,
	const char **why)
{
	struct slice data, signature;
	const struct member table[] = {
		{ 0x30, "the signed data", 1, MEMBER_MAX, false, &data, &out->signed_part },
		{ 0x5f37, "the eUICC's signature", 8, 80, false, &signature, NULL },
	};

	if (!MEMBER_READ(mem, arm, table, why) ||
		!member_signature_read(mem, signature, &out->signature, &out->leniencies, why))
		return false;
	return out->arm == CODEC_PACKAGE_DONE ? done_read(mem, data, out, why)
					      : error_read(mem, data, out, why);
}

/*
 * The arm of the CHOICE. Without its tag the members tell: unsigned begins with the eimId, and of the signed
 * ones the list of results is what an error has not.
 */
static bool
arm_read(struct slice contents, struct slice *arm, struct codec_euicc_package_result *out)
{
	struct codec_der tlv, member;

	for (uint32_t i = CODEC_PACKAGE_DONE; i <= CODEC_PACKAGE_ERROR_UNSIGNED; i++)
		if (codec_der_read_whole(contents, 0xa0 | i, &tlv)) {
			out->arm = (enum codec_package_arm)i;
			*arm = tlv.value;
			return true;
		}
	*arm = contents;
	out->leniencies |= CODEC_LENIENT_ARM;
	if (!codec_der_read(&contents, &tlv) || (tlv.tag != 0x30 && tlv.tag != 0x80))
		return false;
	if (tlv.tag == 0x80)
		out->arm = CODEC_PACKAGE_ERROR_UNSIGNED;
	else if (codec_der_find(tlv.value, 0x30, &member))
		out->arm = CODEC_PACKAGE_DONE;
	else
		out->arm = CODEC_PACKAGE_ERROR_SIGNED;
	return true;
}

bool
codec_euicc_package_result_read(struct arena *mem, struct slice octets,
	struct codec_euicc_package_result *out, const char **why)
{
	struct slice contents, arm;

	*out = (struct codec_euicc_package_result){ .octets = octets };
	if (!member_outer_read(mem, "EuiccPackageResult", octets, PACKAGE_RESULT, &contents, why))
		return false;
	contents = member_once(contents, PACKAGE_RESULT, &out->leniencies);
	if (!arm_read(contents, &arm, out)) {
		*why = "EuiccPackageResult: neither a result nor an error";
		return false;
	}
	if (out->arm == CODEC_PACKAGE_ERROR_UNSIGNED)
		return unsigned_read(mem, arm, out, why);
	return signed_read(mem, arm, out, why);
}
