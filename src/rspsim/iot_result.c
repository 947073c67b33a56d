/*
 * Results of eUICC packages (SGP.32 §2.11.2): signed, numbered together with notifications, kept
 * until an eIM acknowledges them (BF30). The numbers are the card's own.
 */
#include "rspsim/crypto.h"
#include "rspsim/iot_int.h"

struct slice
rspsim_iot_token(struct arena *mem, const struct rspsim_eim *eim)
{
	return rspsim_der_u32(mem, 0x84, eim->has_token ? eim->token : 0);
}

const struct rspsim_ci *
rspsim_iot_ci(const struct rspsim_card *card, const struct rspsim_eim *eim)
{
	const struct rspsim_ci *ci = NULL;

	if (eim && eim->ci_key_id.n)
		ci = rspsim_card_find_ci(card, eim->ci_key_id);
	return ci ? ci : card->ci;
}

static void
keep(struct rspsim_card *card, uint32_t sequence, struct slice octets)
{
	struct rspsim_kept **end = &card->iot.results,
			   *k = ARENA_NEW(&card->state_mem, struct rspsim_kept);

	while (*end)
		end = &(*end)->next;
	k->sequence = sequence;
	k->octets = arena_copy(&card->state_mem, octets);
	*end = k;
}

/* Faults of the card's own making, by --break result:… */
static void
spoil(const struct rspsim_card *card, struct arena *mem, struct rspsim_way_back *what)
{
	if (card->fault == RSPSIM_BREAK_RESULT_COUNTER)
		what->counter = rspsim_break_flip(mem, what->counter, 1);
	if (card->fault == RSPSIM_BREAK_RESULT_TRANSACTION && what->transaction.n)
		what->transaction = rspsim_break_flip(mem, what->transaction, 1);
}

struct slice
rspsim_iot_sign_result(struct rspsim_card *card, struct arena *mem, const struct rspsim_eim *eim,
	const struct rspsim_way_back *what)
{
	struct rspsim_way_back said = *what;
	struct slice data, signature, octets;

	spoil(card, mem, &said);
	data = RSPSIM_DER(mem, 0x30, RSPSIM_DER(mem, 0x80, slice_text(said.eim_id)), said.counter,
		said.transaction, rspsim_der_u32(mem, 0x83, ++card->sequence),
		RSPSIM_DER(mem, 0x30, said.results));
	signature = rspsim_euicc_sign(
		mem, rspsim_iot_ci(card, eim), RSPSIM_DER(mem, 0, data, said.seal));
	if (card->fault == RSPSIM_BREAK_RESULT_SIGNATURE)
		signature = rspsim_break_flip(mem, signature, 1);
	if (card->fault == RSPSIM_BREAK_RESULT_SIGNED)
		data = rspsim_break_flip(mem, data, 1);
	octets = RSPSIM_DER(mem, 0xbf51, RSPSIM_DER(mem, 0xa0, data, signature));
	keep(card, card->sequence, octets);
	return octets;
}

bool
rspsim_iot_acknowledge(struct rspsim_card *card, uint32_t sequence)
{
	struct rspsim_kept **link = &card->iot.results;

	while (*link && (*link)->sequence != sequence)
		link = &(*link)->next;
	if (!*link)
		return rspsim_euicc_remove_notification(card, sequence);
	*link = (*link)->next;
	if (card->iot.way_back.sequence == sequence) /* told, so the new profile connects */
		card->iot.way_back.open = false;
	return true;
}
