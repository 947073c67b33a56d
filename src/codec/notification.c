/* PendingNotification (SGP.22 §5.7.10): an installation's result, or what became of a profile. */
#include "codec/notification.h"

#include "codec/int.h"

/* The contents of NotificationMetadata. */
static bool
metadata_read(
	struct arena *mem, struct slice contents, struct codec_notification *out, const char **why)
{
	struct slice sequence, operation;
	uint32_t bits;
	const struct member table[] = {
		{ 0x80, "seqNumber", 1, 8, false, &sequence, NULL },
		{ 0x81, "profileManagementOperation", 1, 8, false, &operation, NULL },
		{ 0x0c, "notificationAddress", 0, 1024, false, &out->address, NULL },
		{ 0x5a, "iccid", 10, 10, true, &out->iccid, NULL },
	};

	if (!MEMBER_READ(mem, contents, table, why))
		return false;
	codec_der_int_read(sequence, &out->sequence);
	if (!member_bits_read(operation, &bits))
		bits = 0;
	for (out->operation = CODEC_INSTALL; out->operation <= CODEC_DELETE; out->operation++)
		if (bits == 1u << out->operation)
			return true;
	*why = "profileManagementOperation does not name one known operation";
	return false;
}

static bool
success_read(
	struct arena *mem, struct slice contents, struct codec_notification *out, const char **why)
{
	const struct member table[] = {
		{ 0x4f, "aid", 5, 16, false, &out->aid, NULL },
		{ 0x04, "simaResponse", 0, MEMBER_MAX, false, &out->sima_response, NULL },
	};

	out->installed = true;
	return MEMBER_READ(mem, contents, table, why);
}

static bool
failure_read(
	struct arena *mem, struct slice contents, struct codec_notification *out, const char **why)
{
	struct slice command, reason;
	const struct member table[] = {
		{ 0x80, "bppCommandId", 1, 4, false, &command, NULL },
		{ 0x81, "errorReason", 1, 4, false, &reason, NULL },
		{ 0x82, "simaResponse", 0, MEMBER_MAX, true, &out->sima_response, NULL },
	};

	return MEMBER_READ(mem, contents, table, why) &&
		member_int_read(mem, "bppCommandId", command, &out->command, why) &&
		member_int_read(mem, "errorReason", reason, &out->reason, why);
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
		{ 0xbf2f, "notificationMetadata", 0, MEMBER_MAX, false, &metadata, NULL },
		{ 0x06, "smdpOid", 1, 128, false, &out->smdp_oid, NULL },
		{ 0xa2, "finalResult", 0, MEMBER_MAX, false, &result, NULL },
	};

	if (!MEMBER_READ(mem, contents, table, why) ||
		!member_oid_read(mem, "smdpOid", out->smdp_oid, &out->smdp_oid_text, why) ||
		!metadata_read(mem, metadata, out, why))
		return false;
	if (codec_der_read_whole(result, 0xa0, &arm))
		return success_read(mem, arm.value, out, why);
	if (codec_der_read_whole(result, 0xa1, &arm))
		return failure_read(mem, arm.value, out, why);
	*why = "finalResult says neither success nor error";
	return false;
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
		member_signature_read(mem, signature, &out->signature, why) &&
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

	return MEMBER_READ(mem, contents, table, why) &&
		member_signature_read(mem, signature, &out->signature, why) &&
		metadata_read(mem, metadata, out, why);
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
