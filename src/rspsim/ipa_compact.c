/*
 * Compact forms of what a card has signed (SGP.32, minimizeEsipaBytes): what the eIM knows already
 * is left out on the way to it, and put back there, since the signature covers the full form.
 * An IPA without that feature, and errors, pass as they are.
 */
#include "rspsim/ipa_int.h"

enum { AID_FROM = 13, AID_OCTETS = 2 };

static bool
is_compact(const struct rspsim_ipa *ipa)
{
	return ipa->card->iot.features & RSPSIM_IPA_COMPACT && !ipa->card->iot.v10;
}

/* ---- notifications ----------------------------------------------------------------------- */

/* simaResponse is left out when it says what it says after every success. */
static struct slice
success(struct arena *mem, struct slice in)
{
	static const uint8_t usual[] = { 0x30, 7, 0xa0, 5, 0x30, 3, 0x80, 1, 0 };
	struct rspsim_tlv aid, sima;

	if (!rspsim_der_read_tag(&in, 0x4f, &aid) || !rspsim_der_read_tag(&in, 0x04, &sima))
		return SLICE_NONE;
	return RSPSIM_DER(mem, 0xa0,
		RSPSIM_DER(mem, 0x4f, slice_sub(aid.value, AID_FROM, AID_OCTETS)),
		slice_eq(sima.value, SLICE_ARRAY(usual)) ? SLICE_NONE : sima.whole);
}

/* BF37 { BF27 { 80, BF2F { 80, 81, 0C, 5A? }, 06, A2 { A0 | A1 } }, 5F37 } */
static struct slice
installation(struct arena *mem, struct slice in)
{
	struct rspsim_tlv data, signature, id, head, sequence, iccid, final, arm;
	struct slice kept;

	if (!rspsim_der_read_tag(&in, 0xbf27, &data) ||
		!rspsim_der_read_tag(&in, 0x5f37, &signature) ||
		!rspsim_der_find(data.value, 0x80, &id) ||
		!rspsim_der_find(data.value, 0xbf2f, &head) ||
		!rspsim_der_find(data.value, 0xa2, &final) ||
		!rspsim_der_find(head.value, 0x80, &sequence))
		return SLICE_NONE;
	kept = final.value;
	if (rspsim_der_read_only(final.value, 0xa0, &arm))
		kept = success(mem, arm.value);
	return RSPSIM_DER(mem, 0xa0,
		RSPSIM_DER(mem, 0xa0, id.whole, RSPSIM_DER(mem, 0x02, sequence.value),
			rspsim_der_find(head.value, 0x5a, &iccid) ? SLICE_NONE
								  : SLICE_LIT("\x01\x01\x00"),
			RSPSIM_DER(mem, 0xa2, kept)),
		signature.whole);
}

/* 30 { BF2F, 5F37, certificates } */
static struct slice
other(struct rspsim_ipa *ipa, struct slice in)
{
	struct rspsim_tlv head, signature;

	if (!rspsim_der_read_tag(&in, 0xbf2f, &head) ||
		!rspsim_der_read_tag(&in, 0x5f37, &signature))
		return SLICE_NONE;
	return RSPSIM_DER(ipa->mem, 0xa1,
		RSPSIM_DER(ipa->mem, 0x5a, SLICE_ARRAY(ipa->card->eid_octets)), head.whole,
		signature.whole);
}

struct slice
rspsim_ipa_notification(struct rspsim_ipa *ipa, struct slice octets)
{
	struct slice short_form = SLICE_NONE;
	struct rspsim_tlv all;

	if (!is_compact(ipa))
		return octets;
	if (rspsim_der_read_only(octets, 0xbf37, &all))
		short_form = installation(ipa->mem, all.value);
	else if (rspsim_der_read_only(octets, 0x30, &all))
		short_form = other(ipa, all.value);
	return short_form.p ? short_form : octets;
}

/* ---- responses --------------------------------------------------------------------------- */

/* The certificate's members under the context tag (it is IMPLICIT). */
static struct slice
certificate(struct rspsim_ipa *ipa, uint32_t tag, const struct rspsim_tlv *cert)
{
	if (ipa->card->iot.told_certificates)
		return SLICE_NONE;
	return RSPSIM_DER(ipa->mem, tag, cert->value);
}

struct slice
rspsim_ipa_authenticate_response(struct rspsim_ipa *ipa, struct slice octets, bool context_from_eim)
{
	struct rspsim_tlv all, ok, signed1, signature, euicc, eum, info, resource, context;
	struct slice in, asked = SLICE_NONE;

	if (!is_compact(ipa) || !rspsim_der_read_only(octets, 0xbf38, &all) ||
		!rspsim_der_read_only(all.value, 0xa0, &ok))
		return octets;
	in = ok.value;
	if (!rspsim_der_read_tag(&in, 0x30, &signed1) ||
		!rspsim_der_read_tag(&in, 0x5f37, &signature) ||
		!rspsim_der_read_tag(&in, 0x30, &euicc) || !rspsim_der_read_tag(&in, 0x30, &eum) ||
		!rspsim_der_find(signed1.value, 0xbf22, &info) ||
		!rspsim_der_find(info.value, 0x84, &resource) ||
		!rspsim_der_find(signed1.value, 0xa0, &context))
		return octets;
	if (!context_from_eim)
		asked = RSPSIM_DER(ipa->mem, 0xa2, context.whole);
	return RSPSIM_DER(ipa->mem, 0xbf38,
		RSPSIM_DER(ipa->mem, 0xa2, RSPSIM_DER(ipa->mem, 0xa0, resource.whole, asked),
			signature.whole, certificate(ipa, 0xa1, &euicc),
			certificate(ipa, 0xa2, &eum)));
}

struct slice
rspsim_ipa_prepare_response(struct rspsim_ipa *ipa, struct slice octets, bool hash_from_eim)
{
	struct rspsim_tlv all, ok, signed2, signature, point, hash;
	struct slice in;

	if (!is_compact(ipa) || !rspsim_der_read_only(octets, 0xbf21, &all) ||
		!rspsim_der_read_only(all.value, 0xa0, &ok))
		return octets;
	in = ok.value;
	if (!rspsim_der_read_tag(&in, 0x30, &signed2) ||
		!rspsim_der_read_tag(&in, 0x5f37, &signature) ||
		!rspsim_der_find(signed2.value, 0x5f49, &point))
		return octets;
	rspsim_der_find(signed2.value, 0x04, &hash);
	return RSPSIM_DER(ipa->mem, 0xbf21,
		RSPSIM_DER(ipa->mem, 0xa2,
			RSPSIM_DER(ipa->mem, 0x30, point.whole,
				hash_from_eim ? SLICE_NONE : hash.whole),
			signature.whole));
}

struct slice
rspsim_ipa_cancel_response(struct rspsim_ipa *ipa, struct slice octets)
{
	struct rspsim_tlv all, ok, data, signature, reason;
	struct slice in;

	if (!is_compact(ipa) || !rspsim_der_read_only(octets, 0xbf41, &all) ||
		!rspsim_der_read_only(all.value, 0xa0, &ok))
		return octets;
	in = ok.value;
	if (!rspsim_der_read_tag(&in, 0x30, &data) ||
		!rspsim_der_read_tag(&in, 0x5f37, &signature) ||
		!rspsim_der_find(data.value, 0x82, &reason))
		return octets;
	return RSPSIM_DER(ipa->mem, 0xbf41,
		RSPSIM_DER(ipa->mem, 0xa2,
			RSPSIM_DER(ipa->mem, 0x30, RSPSIM_DER(ipa->mem, 0x80, reason.value)),
			signature.whole));
}
