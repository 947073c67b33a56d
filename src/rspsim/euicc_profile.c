/*
 * Enabling, disabling and deleting profiles (SGP.22 §5.7.16 to §5.7.18), under their policy rules
 * (§2.9).
 */
#include "rspsim/euicc_int.h"

/* The card wrote these metadata only after they had been read without fault. */
static struct rspsim_metadata
metadata_of(const struct rspsim_profile *p)
{
	struct rspsim_metadata m = { 0 };

	rspsim_metadata_read(p->metadata, &m);
	return m;
}

static struct rspsim_profile *
find_enabled(const struct rspsim_card *card)
{
	struct rspsim_profile *p = card->profiles;

	while (p && p->state != RSPSIM_ENABLED)
		p = p->next;
	return p;
}

static void
disable(struct rspsim_card *card, struct rspsim_profile *p)
{
	struct rspsim_metadata m = metadata_of(p);

	p->state = RSPSIM_DISABLED;
	rspsim_euicc_notify(card, &m, RSPSIM_DISABLE, SLICE_NONE);
}

enum rspsim_switch_result
rspsim_euicc_enable(struct rspsim_card *card, const uint8_t iccid[10])
{
	struct rspsim_profile *p = rspsim_card_find_profile(card, iccid);
	struct rspsim_profile *former = find_enabled(card);
	struct rspsim_metadata m;

	if (!p)
		return RSPSIM_SWITCH_NOT_FOUND;
	if (p->state != RSPSIM_DISABLED)
		return RSPSIM_SWITCH_WRONG_STATE;
	if (former && metadata_of(former).rules & RSPSIM_PPR1)
		return RSPSIM_SWITCH_POLICY;
	if (former)
		disable(card, former);
	m = metadata_of(p);
	p->state = RSPSIM_ENABLED;
	rspsim_euicc_notify(card, &m, RSPSIM_ENABLE, SLICE_NONE);
	return RSPSIM_SWITCH_OK;
}

enum rspsim_switch_result
rspsim_euicc_disable(struct rspsim_card *card, const uint8_t iccid[10])
{
	struct rspsim_profile *p = rspsim_card_find_profile(card, iccid);

	if (!p)
		return RSPSIM_SWITCH_NOT_FOUND;
	if (p->state != RSPSIM_ENABLED)
		return RSPSIM_SWITCH_WRONG_STATE;
	if (metadata_of(p).rules & RSPSIM_PPR1)
		return RSPSIM_SWITCH_POLICY;
	disable(card, p);
	return RSPSIM_SWITCH_OK;
}

enum rspsim_switch_result
rspsim_euicc_delete(struct rspsim_card *card, const uint8_t iccid[10])
{
	struct rspsim_profile *p = rspsim_card_find_profile(card, iccid), **link = &card->profiles;
	struct rspsim_metadata m;

	if (!p)
		return RSPSIM_SWITCH_NOT_FOUND;
	if (p->state != RSPSIM_DISABLED)
		return RSPSIM_SWITCH_WRONG_STATE;
	m = metadata_of(p);
	if (m.rules & RSPSIM_PPR2)
		return RSPSIM_SWITCH_POLICY;
	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	rspsim_euicc_notify(card, &m, RSPSIM_DELETE, SLICE_NONE);
	return RSPSIM_SWITCH_OK;
}
