/*
 * CancelSession (SGP.22 §5.7.14): the card signs that, and why, a session ends without a profile.
 */
#include "rspsim/euicc_int.h"

enum { INVALID_TRANSACTION = 5, UNDEFINED = 127 };

static struct slice
refuse(struct arena *mem, uint32_t error)
{
	return RSPSIM_DER(mem, 0xbf41, rspsim_der_u32(mem, 0x81, error));
}

struct slice
rspsim_euicc_cancel_session(struct rspsim_card *card, struct arena *mem, struct slice request)
{
	const struct rspsim_session *s = &card->session;
	struct rspsim_tlv all, id, reason;
	struct slice in, transaction, oid, data, signature;

	if (!rspsim_der_read_only(request, 0xbf41, &all))
		return refuse(mem, UNDEFINED);
	in = all.value;
	if (!rspsim_der_read_tag(&in, 0x80, &id) || !rspsim_der_read_tag(&in, 0x81, &reason))
		return refuse(mem, UNDEFINED);
	if (s->state < RSPSIM_SESSION_AUTHENTICATED || !slice_eq(id.value, s->transaction_id))
		return refuse(mem, INVALID_TRANSACTION);
	transaction = s->transaction_id;
	oid = s->dp_oid;
	if (card->fault == RSPSIM_BREAK_CANCEL_INNER)
		transaction = rspsim_break_flip(mem, transaction, 1);
	if (card->fault == RSPSIM_BREAK_CANCEL_OID)
		oid = rspsim_break_flip(mem, oid, 1);
	data = RSPSIM_DER(mem, 0x30, RSPSIM_DER(mem, 0x80, transaction), RSPSIM_DER(mem, 0x81, oid),
		RSPSIM_DER(mem, 0x82, reason.value));
	signature = rspsim_euicc_sign(mem, s->own, data);
	if (card->fault == RSPSIM_BREAK_CANCEL_SIGNATURE)
		signature = rspsim_break_flip(mem, signature, 1);
	rspsim_card_end_session(card);
	return RSPSIM_DER(mem, 0xbf41, RSPSIM_DER(mem, 0xa0, data, signature));
}
