/*
 * The three signed answers of an eUICC: AuthenticateServerResponse (SGP.22 §5.7.13), PrepareDownload-
 * Response (§5.7.5), CancelSessionResponse (§5.7.14).
 */
#include "codec/euicc.h"

#include "codec/int.h"

/*
 * The arm of a response's CHOICE: its contents, and whether it is the good one. Arms are A0 and A1;
 * some send the contents without the arm's tag (../spec: field notes), told by their first member.
 */
static bool
arm_read(struct slice contents, struct slice *arm, bool *ok, unsigned *leniencies)
{
	struct slice rest = contents;
	struct codec_der tlv;

	if (!codec_der_read(&rest, &tlv))
		return false;
	if (tlv.tag == 0x30 || tlv.tag == 0x80) {
		*arm = contents;
		*ok = tlv.tag == 0x30;
		*leniencies |= CODEC_LENIENT_ARM;
		return true;
	}
	if ((tlv.tag != 0xa0 && tlv.tag != 0xa1) || rest.n > 0)
		return false;
	*arm = tlv.value;
	*ok = tlv.tag == 0xa0;
	return true;
}

/* { 80 transactionId, 02 code }: AuthenticateResponseError and PrepareDownloadResponseError. */
static bool
error_read(struct arena *mem, struct slice contents, struct slice *transaction_id, int *code,
	const char **why)
{
	struct slice number;
	const struct member table[] = {
		{ 0x80, "transactionId", 1, 16, false, transaction_id, NULL },
		{ 0x02, "the error code", 1, 4, false, &number, NULL },
	};

	return MEMBER_READ(mem, contents, table, why) &&
		member_int_read(mem, "the error code", number, code, why);
}

/* The contents of CtxParamsForCommonAuthentication. */
static bool
context_read(struct arena *mem, struct slice contents, struct codec_authenticate_response *out,
	const char **why)
{
	struct slice device;
	const struct member table[] = {
		{ 0x80, "matchingId", 0, 1024, true, &out->matching_id, NULL },
		{ 0xa1, "deviceInfo", 0, MEMBER_MAX, false, &device, &out->device.octets },
	};

	if (!MEMBER_READ(mem, contents, table, why))
		return false;
	/* Kept for the operator, never judged. */
	out->device.tac = member_find(device, 0x80, 4, 4);
	out->device.imei = member_find(device, 0x82, 8, 8);
	return true;
}

static bool
signed1_read(struct arena *mem, struct slice contents, struct codec_authenticate_response *out,
	const char **why)
{
	struct slice info2, context;
	const struct member table[] = {
		{ 0x80, "transactionId", 1, 16, false, &out->transaction_id, NULL },
		{ 0x83, "serverAddress", 1, 1024, false, &out->server_address, NULL },
		{ 0x84, "serverChallenge", 16, 16, false, &out->server_challenge, NULL },
		{ 0xbf22, "euiccInfo2", 0, MEMBER_MAX, false, NULL, &info2 },
		/* the arm for common authentication, the only one of ES9+ */
		{ 0xa0, "ctxParams1", 0, MEMBER_MAX, false, &context, NULL },
	};

	return MEMBER_READ(mem, contents, table, why) &&
		codec_euicc_info2_read(mem, info2, &out->info2, why) &&
		context_read(mem, context, out, why);
}

bool
codec_authenticate_response_read(struct arena *mem, struct slice octets,
	struct codec_authenticate_response *out, const char **why)
{
	struct slice contents, arm, signed1, signature;
	const struct member table[] = {
		{ 0x30, "euiccSigned1", 1, MEMBER_MAX, false, &signed1, &out->signed1 },
		{ 0x5f37, "euiccSignature1", 8, 80, false, &signature, &out->signature_tlv },
		{ 0x30, "euiccCertificate", 1, MEMBER_MAX, false, NULL, &out->euicc_certificate },
		{ 0x30, "eumCertificate", 1, MEMBER_MAX, false, NULL, &out->eum_certificate },
	};

	*out = (struct codec_authenticate_response){ 0 };
	if (!member_outer_read(mem, "AuthenticateServerResponse", octets, 0xbf38, &contents, why))
		return false;
	if (!arm_read(contents, &arm, &out->ok, &out->leniencies)) {
		*why = "AuthenticateServerResponse: neither an answer nor an error";
		return false;
	}
	if (!out->ok)
		return error_read(mem, arm, &out->transaction_id, &out->error, why);
	return MEMBER_READ(mem, arm, table, why) &&
		member_signature_read(mem, signature, &out->signature, &out->leniencies, why) &&
		signed1_read(mem, signed1, out, why);
}

static bool
signed2_read(struct arena *mem, struct slice contents, struct codec_prepare_response *out,
	const char **why)
{
	const struct member table[] = {
		{ 0x80, "transactionId", 1, 16, false, &out->transaction_id, NULL },
		{ 0x5f49, "euiccOtpk", 65, 65, false, &out->otpk, NULL },
		{ 0x04, "hashCc", 32, 32, true, &out->hash_cc, NULL },
	};

	return MEMBER_READ(mem, contents, table, why);
}

bool
codec_prepare_response_read(struct arena *mem, struct slice octets,
	struct codec_prepare_response *out, const char **why)
{
	struct slice contents, arm, signed2, signature;
	const struct member table[] = {
		{ 0x30, "euiccSigned2", 1, MEMBER_MAX, false, &signed2, &out->signed2 },
		{ 0x5f37, "euiccSignature2", 8, 80, false, &signature, NULL },
	};

	*out = (struct codec_prepare_response){ 0 };
	if (!member_outer_read(mem, "PrepareDownloadResponse", octets, 0xbf21, &contents, why))
		return false;
	if (!arm_read(contents, &arm, &out->ok, &out->leniencies)) {
		*why = "PrepareDownloadResponse: neither an answer nor an error";
		return false;
	}
	if (!out->ok)
		return error_read(mem, arm, &out->transaction_id, &out->error, why);
	return MEMBER_READ(mem, arm, table, why) &&
		member_signature_read(mem, signature, &out->signature, &out->leniencies, why) &&
		signed2_read(mem, signed2, out, why);
}

static bool
cancel_signed_read(struct arena *mem, struct slice contents, struct codec_cancel_response *out,
	const char **why)
{
	struct slice reason;
	const struct member table[] = {
		{ 0x80, "transactionId", 1, 16, false, &out->transaction_id, NULL },
		{ 0x81, "smdpOid", 1, 128, false, &out->smdp_oid, NULL },
		{ 0x82, "reason", 1, 4, false, &reason, NULL },
	};

	return MEMBER_READ(mem, contents, table, why) &&
		member_oid_read(mem, "smdpOid", out->smdp_oid, &out->smdp_oid_text, why) &&
		member_int_read(mem, "reason", reason, &out->reason, why);
}

bool
codec_cancel_response_read(
	struct arena *mem, struct slice octets, struct codec_cancel_response *out, const char **why)
{
	struct slice contents, arm, signed_part, signature;
	struct codec_der code;
	const struct member table[] = {
		{ 0x30, "euiccCancelSessionSigned", 1, MEMBER_MAX, false, &signed_part,
			&out->signed_part },
		{ 0x5f37, "euiccCancelSessionSignature", 8, 80, false, &signature, NULL },
	};

	*out = (struct codec_cancel_response){ 0 };
	if (!member_outer_read(mem, "CancelSessionResponse", octets, 0xbf41, &contents, why))
		return false;
	if (codec_der_read_whole(contents, 0x81, &code))
		return member_int_read(mem, "the error code", code.value, &out->error, why);
	if (!arm_read(contents, &arm, &out->ok, &out->leniencies) || !out->ok) {
		*why = "CancelSessionResponse: neither an answer nor an error";
		return false;
	}
	return MEMBER_READ(mem, arm, table, why) &&
		member_signature_read(mem, signature, &out->signature, &out->leniencies, why) &&
		cancel_signed_read(mem, signed_part, out, why);
}
