/* PendingNotification (SGP.22 §5.7.10): an installation's result, or what became of a profile. */
#include "codec/notification.h"

#include "codec/int.h"

/* An INTEGER from 0 on as far as int64_t goes; 0 says nothing of order, and so do all others. */
static int64_t
sequence_read(struct slice value)
{
	int64_t v;

	while (value.n > 8 && value.p[0] == 0)
		value = slice_sub(value, 1, value.n);
	return codec_der_int_read(value, &v) && v > 0 ? v : 0;
}

/* The contents of NotificationMetadata, all but the event. */
static void
metadata_read(struct slice contents, struct codec_notification *out)
{
	out->sequence = sequence_read(member_find(contents, 0x80, 1, MEMBER_MAX));
	out->address = member_find(contents, 0x0c, 0, 1024);
	if (!out->address.p)
		out->address = SLICE_LIT("");
	out->iccid = member_find(contents, 0x5a, 10, 10);
}

/* profileManagementOperation: exactly one bit, a known one. */
static bool
operation_read(struct slice contents, enum codec_operation *out, const char **why)
{
	uint32_t bits;

	if (!member_bits_read(member_find(contents, 0x81, 1, 8), &bits))
		bits = 0;
	for (*out = CODEC_INSTALL; *out <= CODEC_DELETE; (*out)++)
		if (bits == 1u << *out)
			return true;
	*why = "profileManagementOperation does not name one known operation";
	return false;
}

static void
success_read(struct slice contents, struct codec_notification *out)
{
	out->installed = true;
	out->aid = member_find(contents, 0x4f, 5, 16);
	out->sima_response = member_find(contents, 0x04, 0, MEMBER_MAX);
}

static int
int_or(struct slice value, int otherwise)
{
	int64_t v;

	return codec_der_int_read(value, &v) ? (int)v : otherwise;
}

static void
failure_read(struct slice contents, struct codec_notification *out)
{
	out->command = int_or(member_find(contents, 0x80, 1, 4), -1);
	out->reason = int_or(member_find(contents, 0x81, 1, 4), CODEC_REASON_UNDEFINED);
	out->sima_response = member_find(contents, 0x82, 0, MEMBER_MAX);
}

/* The contents of ProfileInstallationResultData. */
static bool
result_data_read(
	struct arena *mem, struct slice contents, struct codec_notification *out, const char **why)
{
	struct slice metadata, result;
	struct codec_der arm;
	const struct member table[] = {
		{ 0x80, "transactionId", 1, 16, false, &out->transaction_id, NULL },
		{ 0xbf2f, "notificationMetadata", 0, MEMBER_MAX, true, &metadata, NULL },
		{ 0x06, "smdpOid", 1, 128, false, &out->smdp_oid, NULL },
		{ 0xa2, "finalResult", 0, MEMBER_MAX, false, &result, NULL },
	};

	if (!MEMBER_READ(mem, contents, table, why) ||
		!member_oid_read(mem, "smdpOid", out->smdp_oid, &out->smdp_oid_text, why))
		return false;
	metadata_read(metadata, out);
	out->operation = CODEC_INSTALL;
	if (codec_der_read_whole(result, 0xa0, &arm)) {
		success_read(arm.value, out);
	} else if (codec_der_read_whole(result, 0xa1, &arm)) {
		failure_read(arm.value, out);
	} else {
		*why = "finalResult says neither success nor error";
		return false;
	}
	return true;
}

static bool
installation_result_read(
	struct arena *mem, struct slice contents, struct codec_notification *out, const char **why)
{
	struct slice data, signature;
	const struct member table[] = {
		{ 0xbf27, "profileInstallationResultData", 1, MEMBER_MAX, false, &data,
			&out->signed_part },
		{ 0x5f37, "euiccSignPIR", 8, 80, false, &signature, NULL },
	};

	return MEMBER_READ(mem, contents, table, why) &&
		member_signature_read(mem, signature, &out->signature, &out->leniencies, why) &&
		result_data_read(mem, data, out, why);
}

static bool
other_read(
	struct arena *mem, struct slice contents, struct codec_notification *out, const char **why)
{
	struct slice metadata, signature;
	const struct member table[] = {
		{ 0xbf2f, "tbsOtherNotification", 1, MEMBER_MAX, false, &metadata,
			&out->signed_part },
		{ 0x5f37, "euiccNotificationSignature", 8, 80, false, &signature, NULL },
		{ 0x30, "euiccCertificate", 1, MEMBER_MAX, false, NULL, &out->euicc_certificate },
		{ 0x30, "eumCertificate", 1, MEMBER_MAX, false, NULL, &out->eum_certificate },
	};

	if (!MEMBER_READ(mem, contents, table, why) ||
		!member_signature_read(mem, signature, &out->signature, &out->leniencies, why))
		return false;
	metadata_read(metadata, out);
	return operation_read(metadata, &out->operation, why);
}

bool
codec_pending_notification_read(
	struct arena *mem, struct slice octets, struct codec_notification *out, const char **why)
{
	struct codec_der tlv;

	*out = (struct codec_notification){ 0 };
	if (codec_der_read_whole(octets, 0xbf37, &tlv)) {
		out->kind = CODEC_INSTALLATION_RESULT;
		return installation_result_read(mem, tlv.value, out, why);
	}
	if (codec_der_read_whole(octets, 0x30, &tlv)) {
		out->kind = CODEC_OTHER_NOTIFICATION;
		return other_read(mem, tlv.value, out, why);
	}
	*why = "PendingNotification: not one TLV of tag BF37 or 30";
	return false;
}
