/*
 * Full forms out of compact ones (SGP.32 §3.2.3.2, minimizeEsipaBytes). What was left out is put back in its
 * place; what was sent goes in as it came, signatures and numbers too.
 */
#include "codec/compact.h"

#include "codec/int.h"

/* Besides what is copied. */
#define FRAME_MAX 4096u

/* False with a reason when a fact is needed and not there. */
static bool
fact_check(struct arena *mem, const char *name, struct slice fact, const char **why)
{
	if (fact.p)
		return true;
	*why = arena_printf(mem, "the full form needs the %s, which is not known", name);
	return false;
}

/* The TLV around an answer: the arm A2 and nothing else, or it is none of ours and goes on as it is. */
static bool
compact_arm_read(struct arena *mem, const char *name, uint32_t tag, struct slice octets,
	struct slice *arm, struct codec_full *out, const char **why)
{
	struct slice contents;
	struct codec_der tlv;

	*out = (struct codec_full){ .octets = octets };
	*arm = SLICE_NONE;
	if (!member_outer_read(mem, name, octets, tag, &contents, why))
		return false;
	out->compact = codec_der_read_whole(contents, 0xa2, &tlv);
	if (out->compact)
		*arm = tlv.value;
	return true;
}

/* tag { A0 { contents } } */
static struct slice
answer_write(struct arena *mem, uint32_t tag, struct buf *contents)
{
	return codec_der_write(mem, tag, codec_der_write(mem, 0xa0, buf_get(contents)));
}

/* The members of a compact installation result; `data` are the contents of the inner A0. */
struct installation {
	struct slice transaction_id, sequence, iccid_present, result;
	struct slice signature; /* the 5F37 TLV */
};

static bool
installation_read(
	struct arena *mem, struct slice contents, struct installation *out, const char **why)
{
	struct slice data;
	const struct member frame[] = {
		{ 0xa0, "compactProfileInstallationResultData", 1, MEMBER_MAX, false, &data, NULL },
		{ 0x5f37, "euiccSignPIR", 8, 80, false, NULL, &out->signature },
	};
	const struct member table[] = {
		{ 0x80, "transactionId", 1, 16, false, &out->transaction_id, NULL },
		{ 0x02, "seqNumber", 1, 16, false, &out->sequence, NULL },
		{ 0x01, "iccidPresent", 1, 1, true, &out->iccid_present, NULL },
		{ 0xa2, "compactFinalResult", 1, MEMBER_MAX, false, &out->result, NULL },
	};

	return MEMBER_READ(mem, contents, frame, why) && MEMBER_READ(mem, data, table, why);
}

/* DEFAULT TRUE */
static bool
has_iccid(const struct installation *in)
{
	return !in->iccid_present.p || in->iccid_present.p[0];
}

bool
codec_compact_notification_read(struct arena *mem, struct slice octets,
	struct codec_compact_notification *out, const char **why)
{
	struct installation in;
	struct codec_der tlv;

	*out = (struct codec_compact_notification){ 0 };
	if (codec_der_read_whole(octets, 0xa0, &tlv)) {
		if (!installation_read(mem, tlv.value, &in, why))
			return false;
		out->installation_result = true;
		out->transaction_id = in.transaction_id;
		out->iccid_present = has_iccid(&in);
	} else if (codec_der_read_whole(octets, 0xa1, &tlv)) {
		out->eid = member_find(tlv.value, 0x5a, 16, 16);
	} else if (codec_der_read_whole(octets, 0xbf37, &tlv) ||
		codec_der_read_whole(octets, 0x30, &tlv)) {
		return true;
	} else {
		*why = "PendingNotification: not one TLV of tag BF37, 30, A0 or A1";
		return false;
	}
	out->compact = true;
	return true;
}

/* compactSuccessResult: of the ISD-P's AID octets 14 and 15 are sent, the others are the same everywhere. */
static bool
success_put(struct arena *mem, struct buf *out, struct slice contents, const char **why)
{
	static const uint8_t aid_head[] = { 0xa0, 0x00, 0x00, 0x05, 0x59, 0x10, 0x10, 0xff, 0xff,
		0xff, 0xff, 0x89, 0x00 };
	static const uint8_t sima_ok[] = { 0x30, 0x07, 0xa0, 0x05, 0x30, 0x03, 0x80, 0x01, 0x00 };
	struct slice aid, sima;
	struct buf full, whole_aid;
	const struct member table[] = {
		{ 0x4f, "compactAid", 2, 2, false, &aid, NULL },
		{ 0x04, "simaResponse", 0, MEMBER_MAX, true, &sima, NULL },
	};

	if (!MEMBER_READ(mem, contents, table, why))
		return false;
	buf_init(&whole_aid, mem, 16);
	buf_put(&whole_aid, SLICE_ARRAY(aid_head));
	buf_put(&whole_aid, aid);
	buf_put_u8(&whole_aid, 0x00);
	buf_init(&full, mem, FRAME_MAX + sima.n);
	codec_der_put(&full, 0x4f, buf_get(&whole_aid));
	codec_der_put(&full, 0x04, sima.p ? sima : SLICE_ARRAY(sima_ok));
	codec_der_put(out, 0xa2, codec_der_write(mem, 0xa0, buf_get(&full)));
	return true;
}

static void
metadata_put(struct buf *out, const struct installation *in,
	const struct codec_notification_facts *facts)
{
	struct buf metadata;

	buf_init(&metadata, out->mem, FRAME_MAX + facts->address.n);
	codec_der_put(&metadata, 0x80, in->sequence);
	codec_der_put_bits(&metadata, 0x81, 1u); /* notificationInstall */
	codec_der_put(&metadata, 0x0c, facts->address);
	if (has_iccid(in))
		codec_der_put(&metadata, 0x5a, facts->iccid);
	codec_der_put(out, 0xbf2f, buf_get(&metadata));
}

/* ProfileInstallationResult out of the contents of A0. */
static bool
installation_write(struct arena *mem, struct slice contents,
	const struct codec_notification_facts *facts, struct slice *out, const char **why)
{
	struct installation in;
	struct buf data, whole;
	struct codec_der arm;

	if (!installation_read(mem, contents, &in, why) ||
		!fact_check(mem, "notificationAddress", facts->address, why) ||
		!fact_check(mem, "SM-DP+'s OID", facts->smdp_oid, why) ||
		(has_iccid(&in) && !fact_check(mem, "ICCID", facts->iccid, why)))
		return false;
	buf_init(&data, mem, FRAME_MAX + contents.n + facts->address.n);
	codec_der_put(&data, 0x80, in.transaction_id);
	metadata_put(&data, &in, facts);
	codec_der_put(&data, 0x06, facts->smdp_oid);
	if (codec_der_read_whole(in.result, 0xa1, &arm)) {
		codec_der_put(&data, 0xa2, arm.octets);
	} else if (!codec_der_read_whole(in.result, 0xa0, &arm)) {
		*why = "compactFinalResult says neither success nor error";
		return false;
	} else if (!success_put(mem, &data, arm.value, why)) {
		return false;
	}
	buf_init(&whole, mem, data.max + FRAME_MAX);
	codec_der_put(&whole, 0xbf27, buf_get(&data));
	buf_put(&whole, in.signature);
	*out = codec_der_write(mem, 0xbf37, buf_get(&whole));
	return true;
}

/* OtherSignedNotification out of the contents of A1. */
static bool
other_write(struct arena *mem, struct slice contents, const struct codec_notification_facts *facts,
	struct slice *out, const char **why)
{
	struct slice eid, metadata, signature;
	struct buf whole;
	const struct member table[] = {
		{ 0x5a, "eidValue", 16, 16, true, &eid, NULL },
		{ 0xbf2f, "tbsOtherNotification", 1, MEMBER_MAX, false, NULL, &metadata },
		{ 0x5f37, "euiccNotificationSignature", 8, 80, false, NULL, &signature },
	};

	if (!MEMBER_READ(mem, contents, table, why) ||
		!fact_check(mem, "eUICC's certificate", facts->euicc_certificate, why) ||
		!fact_check(mem, "EUM's certificate", facts->eum_certificate, why))
		return false;
	buf_init(&whole, mem, contents.n + facts->euicc_certificate.n + facts->eum_certificate.n);
	buf_put(&whole, metadata);
	buf_put(&whole, signature);
	buf_put(&whole, facts->euicc_certificate);
	buf_put(&whole, facts->eum_certificate);
	*out = codec_der_write(mem, 0x30, buf_get(&whole));
	return true;
}

bool
codec_full_notification_write(struct arena *mem, struct slice octets,
	const struct codec_notification_facts *facts, struct codec_full *out, const char **why)
{
	struct codec_der tlv;

	*out = (struct codec_full){ .octets = octets };
	if (codec_der_read_whole(octets, 0xbf37, &tlv) || codec_der_read_whole(octets, 0x30, &tlv))
		return true;
	out->compact = true;
	if (codec_der_read_whole(octets, 0xa0, &tlv))
		return installation_write(mem, tlv.value, facts, &out->octets, why);
	if (codec_der_read_whole(octets, 0xa1, &tlv))
		return other_write(mem, tlv.value, facts, &out->octets, why);
	*why = "PendingNotification: not one TLV of tag BF37, 30, A0 or A1";
	return false;
}

/* The cached EUICCInfo2 with another extCardResource, at the place of the old one. */
static bool
info2_put(struct buf *out, struct slice info2, struct slice resource, const char **why)
{
	struct codec_der whole, tlv;
	struct buf contents;
	bool replaced = false;

	if (codec_der_read_whole(info2, 0xbf22, &whole)) {
		buf_init(&contents, out->mem, FRAME_MAX + info2.n + resource.n);
		while (codec_der_read(&whole.value, &tlv)) {
			if (tlv.tag == 0x84) {
				codec_der_put(&contents, 0x84, resource);
				replaced = true;
			} else {
				buf_put(&contents, tlv.octets);
			}
		}
		codec_der_put(out, 0xbf22, buf_get(&contents));
	}
	if (!replaced)
		*why = "the EUICCInfo2 that is known has no extCardResource";
	return replaced;
}

/* euiccSigned1 out of the contents of compactEuiccSigned1. */
static bool
signed1_put(struct buf *out, struct slice contents, const struct codec_authenticate_facts *facts,
	const char **why)
{
	struct arena *mem = out->mem;
	struct slice resource, context;
	struct buf full;
	const struct member table[] = {
		{ 0x84, "extCardResource", 0, MEMBER_MAX, false, &resource, NULL },
		{ 0xa2, "ctxParams1", 1, MEMBER_MAX, true, &context, NULL },
	};

	if (!MEMBER_READ(mem, contents, table, why))
		return false;
	if (!context.p)
		context = facts->ctx_params1;
	if (!fact_check(mem, "transactionId", facts->transaction_id, why) ||
		!fact_check(mem, "serverAddress", facts->server_address, why) ||
		!fact_check(mem, "serverChallenge", facts->server_challenge, why) ||
		!fact_check(mem, "EUICCInfo2", facts->info2, why) ||
		!fact_check(mem, "ctxParams1", context, why))
		return false;
	buf_init(&full, mem, 2 * FRAME_MAX + contents.n + context.n + facts->info2.n);
	codec_der_put(&full, 0x80, facts->transaction_id);
	codec_der_put(&full, 0x83, facts->server_address);
	codec_der_put(&full, 0x84, facts->server_challenge);
	if (!info2_put(&full, facts->info2, resource, why))
		return false;
	buf_put(&full, context);
	codec_der_put(out, 0x30, buf_get(&full));
	return true;
}

/* A certificate as it came, or as it is known. */
static bool
certificate_put(struct buf *out, struct slice sent, struct slice known, const char *name,
	unsigned *leniencies, const char **why)
{
	struct slice octets = sent.p ? member_sequence_read(out->mem, sent, 3, leniencies) : known;

	if (!fact_check(out->mem, name, octets, why))
		return false;
	buf_put(out, octets);
	return true;
}

bool
codec_full_authenticate_response_write(struct arena *mem, struct slice octets,
	const struct codec_authenticate_facts *facts, struct codec_full *out, const char **why)
{
	struct slice arm, compact, signature, euicc, eum;
	struct codec_der first;
	struct buf full;
	const struct member table[] = {
		{ 0xa0, "compactEuiccSigned1", 1, MEMBER_MAX, true, &compact, NULL },
		{ 0x5f37, "euiccSignature1", 8, 80, false, NULL, &signature },
		{ 0xa1, "euiccCertificate", 1, MEMBER_MAX, true, &euicc, NULL },
		{ 0xa2, "eumCertificate", 1, MEMBER_MAX, true, &eum, NULL },
	};

	if (!compact_arm_read(mem, "AuthenticateServerResponse", 0xbf38, octets, &arm, out, why))
		return false;
	if (!out->compact)
		return true;
	if (!MEMBER_READ(mem, arm, table, why))
		return false;
	buf_init(&full, mem,
		3 * FRAME_MAX + arm.n + facts->server_address.n + facts->info2.n +
			facts->ctx_params1.n + facts->euicc_certificate.n +
			facts->eum_certificate.n);
	if (compact.p) {
		if (!signed1_put(&full, compact, facts, why))
			return false;
	} else if (codec_der_read_tag(&arm, 0x30, &first)) {
		buf_put(&full, first.octets);
	} else {
		*why = "CompactAuthenticateResponseOk: signedData is missing";
		return false;
	}
	buf_put(&full, signature);
	if (!certificate_put(&full, euicc, facts->euicc_certificate, "eUICC's certificate",
		    &out->leniencies, why) ||
		!certificate_put(&full, eum, facts->eum_certificate, "EUM's certificate",
			&out->leniencies, why))
		return false;
	out->octets = answer_write(mem, 0xbf38, &full);
	return true;
}

/* 30 around what was signed, and the signature, as an answer. */
static struct slice
signed_answer_write(struct arena *mem, uint32_t tag, struct buf *part, struct slice signature)
{
	struct buf full;

	buf_init(&full, mem, FRAME_MAX + part->n + signature.n);
	codec_der_put(&full, 0x30, buf_get(part));
	buf_put(&full, signature);
	return answer_write(mem, tag, &full);
}

bool
codec_full_prepare_response_write(struct arena *mem, struct slice octets,
	const struct codec_prepare_facts *facts, struct codec_full *out, const char **why)
{
	struct slice arm, compact, signature, otpk, hash_cc;
	struct buf part;
	const struct member frame[] = {
		{ 0x30, "compactEuiccSigned2", 0, MEMBER_MAX, false, &compact, NULL },
		{ 0x5f37, "euiccSignature2", 8, 80, false, NULL, &signature },
	};
	const struct member table[] = {
		{ 0x5f49, "euiccOtpk", 65, 65, true, &otpk, NULL },
		{ 0x04, "hashCc", 32, 32, true, &hash_cc, NULL },
	};

	if (!compact_arm_read(mem, "PrepareDownloadResponse", 0xbf21, octets, &arm, out, why))
		return false;
	if (!out->compact)
		return true;
	if (!MEMBER_READ(mem, arm, frame, why) || !MEMBER_READ(mem, compact, table, why))
		return false;
	if (!otpk.p)
		otpk = facts->otpk;
	if (!fact_check(mem, "transactionId", facts->transaction_id, why) ||
		!fact_check(mem, "eUICC's one-time key", otpk, why))
		return false;
	buf_init(&part, mem, FRAME_MAX);
	codec_der_put(&part, 0x80, facts->transaction_id);
	codec_der_put(&part, 0x5f49, otpk);
	codec_der_put_optional(&part, 0x04, hash_cc.p ? hash_cc : facts->hash_cc);
	out->octets = signed_answer_write(mem, 0xbf21, &part, signature);
	return true;
}

bool
codec_full_cancel_response_write(struct arena *mem, struct slice octets,
	const struct codec_cancel_facts *facts, struct codec_full *out, const char **why)
{
	struct slice arm, compact, signature, reason;
	struct buf part;
	const struct member frame[] = {
		{ 0x30, "compactEuiccCancelSessionSigned", 0, MEMBER_MAX, false, &compact, NULL },
		{ 0x5f37, "euiccCancelSessionSignature", 8, 80, false, NULL, &signature },
	};
	const struct member table[] = {
		{ 0x80, "reason", 1, 4, true, &reason, NULL },
	};

	if (!compact_arm_read(mem, "CancelSessionResponse", 0xbf41, octets, &arm, out, why))
		return false;
	if (!out->compact)
		return true;
	if (!MEMBER_READ(mem, arm, frame, why) || !MEMBER_READ(mem, compact, table, why))
		return false;
	if (!fact_check(mem, "transactionId", facts->transaction_id, why) ||
		!fact_check(mem, "SM-DP+'s OID", facts->smdp_oid, why))
		return false;
	if (!reason.p && !facts->reason.known) {
		*why = "the full form needs the reason, which is not known";
		return false;
	}
	buf_init(&part, mem, FRAME_MAX);
	codec_der_put(&part, 0x80, facts->transaction_id);
	codec_der_put(&part, 0x81, facts->smdp_oid);
	if (reason.p)
		codec_der_put(&part, 0x82, reason);
	else
		codec_der_put_int(&part, 0x82, facts->reason.n);
	out->octets = signed_answer_write(mem, 0xbf41, &part, signature);
	return true;
}
