/*
 * Notifications (SGP.22 §3.5, §5.7.9 to §5.7.11): numbered, signed, kept until the LPA says they
 * were delivered.
 */
#include "rspsim/crypto.h"
#include "rspsim/euicc_int.h"

struct slice
rspsim_euicc_sign(struct arena *mem, const struct rspsim_ci *ci, struct slice a)
{
	return RSPSIM_DER(mem, 0x5f37, rspsim_sign(mem, ci->key, a));
}

struct slice
rspsim_euicc_notification_head(struct rspsim_card *card, struct arena *mem, enum rspsim_event event,
	struct slice address, struct slice iccid)
{
	struct slice number = SLICE_NONE;

	if (iccid.n)
		number = RSPSIM_DER(mem, 0x5a, iccid);
	return RSPSIM_DER(mem, 0xbf2f, rspsim_der_u32(mem, 0x80, ++card->sequence),
		rspsim_der_bits(mem, 0x81, event), RSPSIM_DER(mem, 0x0c, address), number);
}

void
rspsim_euicc_keep_notification(struct rspsim_card *card, enum rspsim_event event,
	struct slice address, struct slice octets)
{
	struct rspsim_notification **end = &card->notifications,
				   *n = ARENA_NEW(&card->state_mem, struct rspsim_notification);

	while (*end)
		end = &(*end)->next;
	n->sequence = card->sequence;
	n->event = event;
	n->address = arena_string(&card->state_mem, address);
	n->octets = arena_copy(&card->state_mem, octets);
	*end = n;
}

/* OtherSignedNotification carries the chain, since its receiver may never have met this card. */
static void
notify_one(
	struct rspsim_card *card, enum rspsim_event event, struct slice address, struct slice iccid)
{
	const struct rspsim_ci *ci = card->session.own ? card->session.own : card->ci;
	struct arena *mem = &card->state_mem;
	struct slice head = rspsim_euicc_notification_head(card, mem, event, address, iccid);
	struct slice signature = rspsim_euicc_sign(mem, ci, head);

	if (card->fault == RSPSIM_BREAK_NOTIFY_SIGNATURE)
		signature = rspsim_break_flip(mem, signature, 1);
	rspsim_euicc_keep_notification(card, event, address,
		RSPSIM_DER(mem, 0x30, head, signature, ci->certificate_der, ci->eum_der));
}

void
rspsim_euicc_notify(struct rspsim_card *card, const struct rspsim_metadata *metadata,
	enum rspsim_event event, struct slice except)
{
	struct slice rest = metadata->notifications, address;
	uint8_t events;

	while (rspsim_metadata_next(&rest, &events, &address))
		if (events & event && !slice_eq_nocase(address, except))
			notify_one(card, event, address, metadata->iccid);
}

bool
rspsim_euicc_remove_notification(struct rspsim_card *card, uint32_t sequence)
{
	struct rspsim_notification **link = &card->notifications;

	while (*link && (*link)->sequence != sequence)
		link = &(*link)->next;
	if (!*link)
		return false;
	*link = (*link)->next;
	return true;
}
