/*
 * Data that an eIM asks of an IPA (SGP.32 §2.11, IpaEuiccDataRequest and -Response). No member of the answer is
 * demanded: an IPA leaves out what it does not have, and one odd member must not cost the others.
 */
#include "codec/ipa_data.h"

#include <limits.h>
#include "codec/int.h"

#define IPA_DATA 0xbf52
#define REQUEST_MAX 1024u

/* In v1.0 notifications and results are one member, asked for once. */
static const struct {
	uint32_t want, tag, tag_v1_0;
} wants[] = {
	{ CODEC_WANT_NOTIFICATIONS, 0xa0, 0 },
	{ CODEC_WANT_DEFAULT_SMDP, 0x81, 0x80 },
	{ CODEC_WANT_PACKAGE_RESULTS, 0xa2, 0 },
	{ CODEC_WANT_NOTIFICATIONS | CODEC_WANT_PACKAGE_RESULTS, 0, 0xbf2b },
	{ CODEC_WANT_INFO1, 0xbf20, 0xbf20 },
	{ CODEC_WANT_INFO2, 0xbf22, 0xbf22 },
	{ CODEC_WANT_ROOT_SMDS, 0x83, 0x83 },
	{ CODEC_WANT_ASSOCIATION_TOKEN, 0x84, 0x84 },
	{ CODEC_WANT_EUM_CERTIFICATE, 0xa5, 0xa5 },
	{ CODEC_WANT_EUICC_CERTIFICATE, 0xa6, 0xa6 },
	{ CODEC_WANT_IPA_CAPABILITIES, 0xa8, 0xa8 },
	{ CODEC_WANT_DEVICE_INFO, 0xa9, 0xa9 },
};

static void
tag_list_put(struct buf *out, uint32_t want, enum codec_iot_version version)
{
	struct buf list;

	buf_init(&list, out->mem, REQUEST_MAX);
	for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++) {
		uint32_t tag = version == CODEC_IOT_V1_0 ? wants[i].tag_v1_0 : wants[i].tag;

		if (!(wants[i].want & want) || !tag)
			continue;
		if (tag > 0xff)
			buf_put_u8(&list, (uint8_t)(tag >> 8));
		buf_put_u8(&list, (uint8_t)tag);
	}
	codec_der_put(out, 0x5c, buf_get(&list));
}

/* searchCriteriaNotification, a CHOICE; in v1.0 with one arm more. */
static void
criteria_put(struct buf *out, const struct codec_ipa_data_request *in, bool results_alone)
{
	struct buf arm;

	buf_init(&arm, out->mem, REQUEST_MAX);
	if (results_alone)
		codec_der_put(&arm, 0x82, SLICE_LIT(""));
	else if (in->notification_sequence.known)
		codec_der_put_int(&arm, 0x80, in->notification_sequence.n);
	else if (in->notification_events)
		codec_der_put_bits(&arm, 0x81, in->notification_events);
	if (arm.n > 0)
		codec_der_put(out, 0xa1, buf_get(&arm));
}

static void
result_criteria_put(struct buf *out, struct codec_number sequence)
{
	struct buf arm;

	if (!sequence.known)
		return;
	buf_init(&arm, out->mem, REQUEST_MAX);
	codec_der_put_int(&arm, 0x80, sequence.n);
	codec_der_put(out, 0xa2, buf_get(&arm));
}

struct slice
codec_ipa_data_request_write(
	struct arena *mem, const struct codec_ipa_data_request *in, enum codec_iot_version version)
{
	bool old = version == CODEC_IOT_V1_0;
	struct buf contents;

	buf_init(&contents, mem, REQUEST_MAX);
	tag_list_put(&contents, in->want, version);
	codec_der_put_optional(&contents, 0x04, in->ci_pkid);
	criteria_put(&contents, in,
		old && (in->want & CODEC_WANT_PACKAGE_RESULTS) &&
			!(in->want & CODEC_WANT_NOTIFICATIONS));
	if (!old) {
		result_criteria_put(&contents, in->result_sequence);
		codec_der_put_optional(&contents, 0x83, in->eim_transaction_id);
	}
	return codec_der_write(mem, IPA_DATA, buf_get(&contents));
}

/*
 * What A0 holds when it stands alone: notifications of data that came without their arm's tag, or the data. A
 * compact installation result has its signature behind its own A0, where a list has none.
 */
static bool
is_notification_list(struct slice contents)
{
	struct codec_der first, signature;

	if (!codec_der_read(&contents, &first))
		return false;
	if (first.tag == 0xbf37 || first.tag == 0x30 || first.tag == 0xa1)
		return true;
	return first.tag == 0xa0 && codec_der_find(first.value, 0x5f37, &signature);
}

/* The arm of the CHOICE: A0 data, A1 error, in v1.0 81 error; or without its tag. */
static void
arm_read(struct slice contents, struct slice *arm, struct codec_ipa_data *out)
{
	struct codec_der tlv;

	out->ok = codec_der_read_whole(contents, 0xa0, &tlv) && !is_notification_list(tlv.value);
	if (out->ok || codec_der_read_whole(contents, 0xa1, &tlv)) {
		*arm = tlv.value;
		return;
	}
	*arm = contents;
	if (codec_der_read_whole(contents, 0x81, &tlv) && tlv.value.n <= 2) {
		out->leniencies |= CODEC_LENIENT_IOT_V1_0;
		return;
	}
	out->ok = !codec_der_find(contents, 0x02, &tlv);
	out->leniencies |= CODEC_LENIENT_ARM;
}

/* IpaEuiccDataResponseError, or the INTEGER of v1.0. */
static bool
error_read(struct arena *mem, struct slice contents, struct codec_ipa_data *out, const char **why)
{
	struct slice code = member_find(contents, 0x02, 1, 4);

	if (out->leniencies & CODEC_LENIENT_IOT_V1_0)
		code = member_find(contents, 0x81, 1, 2);
	out->eim_transaction_id = member_find(contents, 0x80, 1, 16);
	return member_int_read(mem, "ipaEuiccDataErrorCode", code, &out->error, why);
}

/* Both lists; in v1.0 both inside BF2B. */
static bool
lists_read(struct arena *mem, struct slice contents, struct codec_ipa_data *out, const char **why)
{
	struct slice old = member_find(contents, 0xbf2b, 0, MEMBER_MAX);
	struct retrieved lists = {
		.notifications = member_find(contents, 0xa0, 0, MEMBER_MAX),
		.results = member_find(contents, 0xa2, 0, MEMBER_MAX),
	};

	if (old.p && !lists.notifications.p && !lists.results.p) {
		out->leniencies |= CODEC_LENIENT_IOT_V1_0;
		retrieved_read(old, &lists);
	}
	out->notifications_sent = lists.notifications.p;
	out->results_sent = lists.results.p;
	return pending_list_read(mem, lists.notifications, &out->notifications, why) &&
		result_list_read(mem, lists.results, &out->results, why);
}

static void
capabilities_read(struct slice contents, struct codec_ipa_capabilities *out)
{
	struct codec_der tlv;

	*out = (struct codec_ipa_capabilities){ 0 };
	if (!codec_der_find(contents, 0xa8, &tlv) ||
		!member_bits_read(member_find(tlv.value, 0x80, 1, 8), &out->features))
		return;
	out->octets = tlv.octets;
	out->protocols_known =
		member_bits_read(member_find(tlv.value, 0x81, 1, 8), &out->protocols);
}

static struct slice
tlv_find(struct slice contents, uint32_t tag)
{
	struct codec_der tlv;

	return codec_der_find(contents, tag, &tlv) ? tlv.octets : SLICE_NONE;
}

static bool
data_read(struct arena *mem, struct slice contents, struct codec_ipa_data *out, const char **why)
{
	out->eim_transaction_id = member_find(contents, 0x87, 1, 16);
	out->default_smdp = member_find(contents, 0x81, 0, 1024);
	if (!out->default_smdp.p) {
		out->default_smdp = member_find(contents, 0x80, 0, 1024);
		if (out->default_smdp.p)
			out->leniencies |= CODEC_LENIENT_IOT_V1_0;
	}
	out->root_smds = member_find(contents, 0x83, 0, 1024);
	out->info1 = tlv_find(contents, 0xbf20);
	out->info2 = tlv_find(contents, 0xbf22);
	out->association_token = member_number_read(member_find(contents, 0x84, 1, 8));
	out->eum_certificate = member_sequence_read(
		mem, member_find(contents, 0xa5, 1, MEMBER_MAX), 3, &out->leniencies);
	out->euicc_certificate = member_sequence_read(
		mem, member_find(contents, 0xa6, 1, MEMBER_MAX), 3, &out->leniencies);
	capabilities_read(contents, &out->capabilities);
	out->device_info = member_find(contents, 0xa9, 0, MEMBER_MAX);
	out->tac = member_find(out->device_info, 0x80, 4, 4);
	out->imei = member_find(out->device_info, 0x82, 8, 8);
	return lists_read(mem, contents, out, why);
}

bool
codec_ipa_data_read(
	struct arena *mem, struct slice octets, struct codec_ipa_data *out, const char **why)
{
	struct slice contents, arm;

	*out = (struct codec_ipa_data){ 0 };
	if (!member_outer_read(mem, "IpaEuiccDataResponse", octets, IPA_DATA, &contents, why))
		return false;
	contents = member_once(contents, IPA_DATA, &out->leniencies);
	arm_read(contents, &arm, out);
	if (!member_read(mem, arm, NULL, 0, why)) /* TLVs to the end */
		return false;
	return out->ok ? data_read(mem, arm, out, why) : error_read(mem, arm, out, why);
}

void
codec_iot_info_read(struct slice info2, struct codec_iot_info *out)
{
	struct slice specific, versions;
	struct codec_der tlv, version;

	*out = (struct codec_iot_info){ 0 };
	if (!codec_der_read_whole(info2, 0xbf22, &tlv))
		return;
	out->ipa_mode = member_number_read(member_find(tlv.value, 0x90, 1, 4));
	specific = member_find(tlv.value, 0xb4, 0, MEMBER_MAX);
	out->known = specific.p;
	out->ecall = member_find(specific, 0x81, 0, 0).p;
	out->fallback = member_find(specific, 0x82, 0, 0).p;
	versions = member_find(specific, 0xa0, 0, MEMBER_MAX);
	while (codec_der_read_tag(&versions, 0x04, &version))
		if (version.value.n == 3 && memcmp(version.value.p, out->version, 3) > 0)
			memcpy(out->version, version.value.p, 3);
}
