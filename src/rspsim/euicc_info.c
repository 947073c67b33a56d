/*
 * What the card tells about itself: EUICCInfo1 and EUICCInfo2 (SGP.22 §5.7.8), and the challenge
 * (§5.7.7).
 */
#include "base/rand.h"
#include "rspsim/euicc_int.h"
#include "rspsim/iot_euicc.h"

/* All but the CI lists that EUICCInfo2 says and that never changes. */
static const uint8_t firmware[] = { 0x83, 3, 1, 0, 0 };
/* UICCCapability: every service of the format's version 3.3 (bits 0 to 31, no reserved bit 9). */
static const uint8_t capability[] = { 0x85, 5, 0, 0xff, 0xbf, 0xff, 0xff };
static const uint8_t platform[] = { 0x86, 3, 15, 0, 0, 0x87, 3, 2, 3, 0 };
/* RspCapability: additionalProfile, testProfileSupport. */
static const uint8_t rsp_capability[] = { 0x88, 2, 4, 0x90 };
static const uint8_t category[] = { 0x8b, 1, 2 };
static const uint8_t pp_version[] = { 4, 3, 1, 0, 0 };
static const uint8_t accreditation[] = { 0x0c, 8, 's', 'i', 'm', '-', '0', '0', '0', '1' };

static struct slice
ci_list(const struct rspsim_card *card, struct arena *mem, uint32_t tag)
{
	struct slice ids[RSPSIM_CI_MAX];

	for (size_t i = 0; i < card->ci_count; i++) {
		struct slice id = card->ci[i].key_id;

		if (card->fault == RSPSIM_BREAK_INITIATE_CI)
			id = rspsim_break_flip(mem, id, id.n);
		ids[i] = RSPSIM_DER(mem, 4, id);
	}
	return rspsim_der_join(mem, tag, ids, card->ci_count);
}

struct slice
rspsim_euicc_info1(const struct rspsim_card *card, struct arena *mem)
{
	uint8_t svn[3];

	memcpy(svn, card->svn, sizeof svn);
	if (card->fault == RSPSIM_BREAK_INITIATE_SVN_LOW)
		memcpy(svn, (const uint8_t[]){ 1, 0, 0 }, 3);
	if (card->fault == RSPSIM_BREAK_INITIATE_SVN_HIGH)
		memcpy(svn, (const uint8_t[]){ 99, 0, 0 }, 3);
	return RSPSIM_DER(mem, 0xbf20, RSPSIM_DER(mem, 0x82, SLICE_ARRAY(svn)),
		ci_list(card, mem, 0xa9), ci_list(card, mem, 0xaa));
}

/* ExtCardResource as TS 102 226 codes it: applications, free non-volatile, free volatile memory. */
static struct slice
card_resource(const struct rspsim_card *card, struct arena *mem)
{
	uint32_t applications = 0;

	for (const struct rspsim_profile *p = card->profiles; p; p = p->next)
		applications++;
	return RSPSIM_DER(mem, 0x84, rspsim_der_u32(mem, 0x81, applications),
		rspsim_der_u32(mem, 0x82, rspsim_card_free_memory(card)),
		rspsim_der_u32(mem, 0x83, 16384));
}

struct slice
rspsim_euicc_info2(const struct rspsim_card *card, struct arena *mem)
{
	struct slice rules = SLICE_NONE;
	uint8_t svn[3];

	memcpy(svn, card->svn, sizeof svn);
	if (card->fault == RSPSIM_BREAK_AUTHENTICATE_SVN)
		svn[2]++;
	if (card->forbidden_rules)
		rules = rspsim_der_bits(mem, 0x99, card->forbidden_rules);
	return RSPSIM_DER(mem, 0xbf22, RSPSIM_DER(mem, 0x81, SLICE_ARRAY(card->profile_version)),
		RSPSIM_DER(mem, 0x82, SLICE_ARRAY(svn)), SLICE_ARRAY(firmware),
		card_resource(card, mem), SLICE_ARRAY(capability), SLICE_ARRAY(platform),
		SLICE_ARRAY(rsp_capability), ci_list(card, mem, 0xa9), ci_list(card, mem, 0xaa),
		SLICE_ARRAY(category), rules, SLICE_ARRAY(pp_version), SLICE_ARRAY(accreditation),
		rspsim_iot_info(card, mem));
}

struct slice
rspsim_euicc_challenge(struct rspsim_card *card, struct arena *mem)
{
	rspsim_card_end_session(card);
	rand_bytes(card->session.challenge, sizeof card->session.challenge);
	card->session.state = RSPSIM_SESSION_CHALLENGED;
	return arena_copy(mem, SLICE_ARRAY(card->session.challenge));
}
