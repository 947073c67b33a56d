/* ProfileDownloadTrigger (SGP.32 §3.2.3.1): what an IPA is told to download, and what became of it. */
#include "codec/int.h"
#include "codec/ipa_data.h"

#define TRIGGER 0xbf54
#define TRIGGER_MAX 2048u

/* ProfileDownloadData, a CHOICE. */
static void
data_put(struct buf *out, const struct codec_download_trigger *in)
{
	struct buf arm, smds;

	buf_init(&arm, out->mem, TRIGGER_MAX);
	switch (in->kind) {
	case CODEC_DOWNLOAD_UNSAID:
		return;
	case CODEC_DOWNLOAD_ACTIVATION_CODE:
		codec_der_put(&arm, 0x80, in->text);
		break;
	case CODEC_DOWNLOAD_DEFAULT_SMDP:
		codec_der_put(&arm, 0x81, SLICE_LIT(""));
		break;
	case CODEC_DOWNLOAD_SMDS:
		buf_init(&smds, out->mem, TRIGGER_MAX);
		codec_der_put_optional(&smds, 0x80, in->text);
		codec_der_put(&arm, 0xa2, buf_get(&smds));
		break;
	}
	codec_der_put(out, 0xa0, buf_get(&arm));
}

struct slice
codec_download_trigger_write(struct arena *mem, const struct codec_download_trigger *in)
{
	struct buf contents;

	buf_init(&contents, mem, TRIGGER_MAX);
	data_put(&contents, in);
	codec_der_put_optional(&contents, 0x82, in->eim_transaction_id);
	return codec_der_write(mem, TRIGGER, buf_get(&contents));
}

/* profileDownloadError. In v1.0 it had errorResponse alone, under 80; a reason has one octet or two. */
static void
error_read(struct slice contents, struct codec_download_result *out)
{
	struct slice reason = member_find(contents, 0x80, 1, MEMBER_MAX);

	out->error_response = member_find(contents, 0x04, 0, MEMBER_MAX);
	if (reason.n <= 2) {
		out->reason = member_number_read(reason);
	} else if (!out->error_response.p) {
		out->error_response = reason;
		out->leniencies |= CODEC_LENIENT_IOT_V1_0;
	}
}

bool
codec_download_result_read(
	struct arena *mem, struct slice octets, struct codec_download_result *out, const char **why)
{
	struct slice contents;
	struct codec_der tlv;

	*out = (struct codec_download_result){ 0 };
	if (!member_outer_read(
		    mem, "ProfileDownloadTriggerResult", octets, TRIGGER, &contents, why) ||
		!member_read(mem, contents, NULL, 0, why))
		return false;
	out->eim_transaction_id = member_find(contents, 0x82, 1, 16);
	if (codec_der_find(contents, 0xbf37, &tlv)) {
		out->installation_result = tlv.octets;
		return true;
	}
	if (codec_der_find(contents, 0x30, &tlv)) {
		error_read(tlv.value, out);
		return true;
	}
	*why = "ProfileDownloadTriggerResult: neither a result nor an error";
	return false;
}
