/*
 * PendingNotification (SGP.22 §5.7.10). The frame is walked, so that the signed part keeps its octets;
 * what it means is read by the generated codecs.
 */
#include "codec/notification.h"

#include <NotificationMetadata.h>
#include <ProfileInstallationResultData.h>
#include "codec/asn1.h"
#include "codec/int.h"

static bool
metadata_read(const NotificationMetadata_t *in, struct codec_notification *out, const char **why)
{
	const NotificationEvent_t *event = in->profileManagementOperation;
	uint32_t bits;

	if (!event || !in->notificationAddress) {
		*why = "NotificationMetadata: a mandatory member is missing";
		return false;
	}
	bits = codec_asn1_bits(event->buf, (size_t)event->size, event->bits_unused);
	out->operation = CODEC_INSTALL;
	while (out->operation < CODEC_DELETE && bits != 1u << out->operation)
		out->operation++;
	if (bits != 1u << out->operation) {
		*why = "profileManagementOperation does not name one known operation";
		return false;
	}
	out->sequence = in->seqNumber;
	out->address = CODEC_ASN1_SLICE(*in->notificationAddress);
	out->iccid = CODEC_ASN1_OPTIONAL(in->iccid);
	return true;
}

static bool
final_result_read(const struct ProfileInstallationResultData__finalResult *in,
	struct codec_notification *out, const char **why)
{
	switch (in->present) {
	case ProfileInstallationResultData__finalResult_PR_successResult:
		out->installed = true;
		out->aid = CODEC_ASN1_SLICE(in->choice.successResult.aid);
		out->sima_response = CODEC_ASN1_SLICE(in->choice.successResult.simaResponse);
		return true;
	case ProfileInstallationResultData__finalResult_PR_errorResult:
		out->command = (int)in->choice.errorResult.bppCommandId;
		out->reason = (int)in->choice.errorResult.errorReason;
		out->sima_response = CODEC_ASN1_OPTIONAL(in->choice.errorResult.simaResponse);
		return true;
	default:
		*why = "finalResult says neither success nor error";
		return false;
	}
}

static bool
result_data_read(struct arena *mem, struct codec_notification *out, const char **why)
{
	const ProfileInstallationResultData_t *in = codec_asn1_read(mem,
		&asn_DEF_ProfileInstallationResultData, out->signed_part, OBJECT_VALUES_MAX, why);

	if (!in)
		return false;
	out->transaction_id = CODEC_ASN1_SLICE(in->transactionId);
	out->smdp_oid = CODEC_ASN1_SLICE(in->smdpOid);
	if (!codec_der_oid_read(mem, out->smdp_oid, &out->smdp_oid_text)) {
		*why = "smdpOid is no object identifier";
		return false;
	}
	return metadata_read(&in->notificationMetadata, out, why) &&
		final_result_read(&in->finalResult, out, why);
}

static bool
installation_result_read(
	struct arena *mem, struct slice contents, struct codec_notification *out, const char **why)
{
	struct slice signature;
	const struct member table[] = {
		{ 0xbf27, "profileInstallationResultData", 1, MEMBER_MAX, false, NULL,
			&out->signed_part },
		{ 0x5f37, "euiccSignPIR", 8, 80, false, &signature, NULL },
	};

	return MEMBER_READ(mem, contents, table, why) &&
		member_signature_read(mem, signature, &out->signature, why) &&
		result_data_read(mem, out, why);
}

static bool
other_read(
	struct arena *mem, struct slice contents, struct codec_notification *out, const char **why)
{
	struct slice signature;
	const NotificationMetadata_t *in;
	const struct member table[] = {
		{ 0xbf2f, "tbsOtherNotification", 1, MEMBER_MAX, false, NULL, &out->signed_part },
		{ 0x5f37, "euiccNotificationSignature", 8, 80, false, &signature, NULL },
		{ 0x30, "euiccCertificate", 1, MEMBER_MAX, false, NULL, &out->euicc_certificate },
		{ 0x30, "eumCertificate", 1, MEMBER_MAX, false, NULL, &out->eum_certificate },
	};

	if (!MEMBER_READ(mem, contents, table, why) ||
		!member_signature_read(mem, signature, &out->signature, why))
		return false;
	in = codec_asn1_read(
		mem, &asn_DEF_NotificationMetadata, out->signed_part, OBJECT_VALUES_MAX, why);
	return in && metadata_read(in, out, why);
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
