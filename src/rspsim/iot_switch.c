/*
 * Which profile is enabled, by other ways than a package's command (SGP.32 §3.4): rollback,
 * fallback and return, Emergency Profile, immediate enable, memory reset. All are the device's
 * own acts; the eIM hears of them by stateChangeCause.
 */
#include "rspsim/iot_int.h"

/* ---- what switching is made of ----------------------------------------------------------- */

void
rspsim_due_put(struct rspsim_due *due, struct arena *mem, enum rspsim_event event,
	const struct rspsim_profile *profile)
{
	struct rspsim_due_one **end = &due->first, *one = ARENA_NEW(mem, struct rspsim_due_one);

	while (*end)
		end = &(*end)->next;
	one->event = event;
	one->metadata = profile->metadata;
	*end = one;
}

void
rspsim_due_notify(const struct rspsim_due *due, struct rspsim_card *card)
{
	struct rspsim_metadata m;

	for (const struct rspsim_due_one *one = due->first; one; one = one->next)
		if (rspsim_metadata_read(one->metadata, &m))
			rspsim_euicc_notify(card, &m, one->event, SLICE_NONE);
}

struct rspsim_profile *
rspsim_iot_enabled(const struct rspsim_card *card)
{
	struct rspsim_profile *p = card->profiles;

	while (p && p->state != RSPSIM_ENABLED)
		p = p->next;
	return p;
}

/* The card wrote these metadata only after they had been read without fault. */
struct rspsim_metadata
rspsim_iot_metadata(const struct rspsim_profile *profile)
{
	struct rspsim_metadata m = { 0 };

	rspsim_metadata_read(profile->metadata, &m);
	m.fallback_allowed |= profile->marked_fallback;
	m.emergency |= profile->marked_emergency;
	return m;
}

struct rspsim_profile *
rspsim_iot_find(const struct rspsim_card *card, const struct rspsim_iccid *iccid)
{
	return iccid->known ? rspsim_card_find_profile(card, iccid->octets) : NULL;
}

struct rspsim_iccid
rspsim_iot_iccid(const struct rspsim_profile *profile)
{
	struct rspsim_iccid iccid = { .known = profile != NULL };

	if (profile)
		memcpy(iccid.octets, profile->iccid, sizeof iccid.octets);
	return iccid;
}

void
rspsim_iot_drop_profile(struct rspsim_card *card, struct rspsim_profile *profile)
{
	struct rspsim_profile **link = &card->profiles;

	while (*link != profile)
		link = &(*link)->next;
	*link = profile->next;
}

struct rspsim_profile *
rspsim_iot_fallback_profile(const struct rspsim_card *card)
{
	struct rspsim_profile *p = card->profiles;

	while (p && !p->fallback)
		p = p->next;
	return p;
}

void
rspsim_iot_switch(struct rspsim_card *card, struct arena *mem, struct rspsim_due *due,
	struct rspsim_profile *to)
{
	struct rspsim_profile *from = rspsim_iot_enabled(card);

	if (from) {
		from->state = RSPSIM_DISABLED;
		rspsim_due_put(due, mem, RSPSIM_DISABLE, from);
	}
	if (to) {
		to->state = RSPSIM_ENABLED;
		rspsim_due_put(due, mem, RSPSIM_ENABLE, to);
	}
}

/* Switches, and tells the SM-DP+s at once. */
static void
switch_now(struct rspsim_card *card, struct rspsim_profile *to)
{
	struct rspsim_due due = { 0 };

	rspsim_iot_switch(card, &card->state_mem, &due, to);
	rspsim_due_notify(&due, card);
}

/* Switches without a word. */
static void
switch_silently(struct rspsim_card *card, struct rspsim_profile *to)
{
	struct rspsim_due nobody = { 0 };

	rspsim_iot_switch(card, &card->state_mem, &nobody, to);
}

/* ---- rollback (BF58) --------------------------------------------------------------------- */

static void
drop_result(struct rspsim_card *card, uint32_t sequence)
{
	struct rspsim_kept **link = &card->iot.results;

	while (*link && (*link)->sequence != sequence)
		link = &(*link)->next;
	if (*link)
		*link = (*link)->next;
}

/*
 * The states from before the package; its result and the notifications it made, which nobody has
 * got, give way to one result that has the rollback's added.
 */
enum rspsim_rollback
rspsim_iot_rollback(struct rspsim_card *card, struct arena *mem, struct slice *result)
{
	struct rspsim_way_back *back = &card->iot.way_back, said = *back;
	struct rspsim_profile *former = rspsim_iot_find(card, &back->former);

	*result = SLICE_NONE;
	if (!back->open || !former)
		return RSPSIM_ROLLBACK_NOT_ALLOWED;
	switch_silently(card, former);
	drop_result(card, back->sequence);
	for (uint32_t i = back->sequence + 1; i <= back->last; i++)
		rspsim_euicc_remove_notification(card, i);
	said.results = RSPSIM_DER(mem, 0, back->results, rspsim_der_u32(mem, 0x8c, 0));
	*result = rspsim_iot_sign_result(
		card, mem, rspsim_iot_find_eim(card, slice_text(back->eim_id)), &said);
	back->open = false;
	return RSPSIM_ROLLBACK_OK;
}

/* ---- fallback (BF5D, BF5E) --------------------------------------------------------------- */

enum rspsim_fallback
rspsim_iot_fallback(struct rspsim_card *card)
{
	struct rspsim_profile *to = rspsim_iot_fallback_profile(card);
	const struct rspsim_profile *former = rspsim_iot_enabled(card);

	if (rspsim_iot_in_emergency(card))
		return RSPSIM_FALLBACK_ECALL;
	if (!to)
		return RSPSIM_FALLBACK_NOT_AVAILABLE;
	if (to->state != RSPSIM_DISABLED)
		return RSPSIM_FALLBACK_WRONG_STATE;
	if (former && rspsim_iot_metadata(former).rules & RSPSIM_PPR1)
		return RSPSIM_FALLBACK_COMMAND;
	card->iot.before_fallback = rspsim_iot_iccid(former);
	card->iot.way_back.open = false;
	switch_now(card, to);
	card->iot.cause = RSPSIM_CAUSE_FALLBACK;
	return RSPSIM_FALLBACK_OK;
}

enum rspsim_fallback
rspsim_iot_return(struct rspsim_card *card)
{
	struct rspsim_profile *to = rspsim_iot_find(card, &card->iot.before_fallback);

	if (!to || to->state == RSPSIM_ENABLED || rspsim_iot_in_emergency(card))
		return RSPSIM_FALLBACK_NOT_AVAILABLE;
	card->iot.before_fallback.known = false;
	switch_now(card, to);
	card->iot.cause = RSPSIM_CAUSE_FALLBACK;
	return RSPSIM_FALLBACK_OK;
}

/* ---- Emergency Profile (BF5B, BF5C) ------------------------------------------------------ */

static struct rspsim_profile *
emergency_profile(const struct rspsim_card *card)
{
	struct rspsim_profile *p = card->profiles;

	while (p && !rspsim_iot_metadata(p).emergency)
		p = p->next;
	return p;
}

bool
rspsim_iot_in_emergency(const struct rspsim_card *card)
{
	const struct rspsim_profile *p = emergency_profile(card);

	return p && p->state == RSPSIM_ENABLED;
}

/* An emergency call waits for nothing: no rule holds, and no notification is made. */
enum rspsim_emergency
rspsim_iot_emergency(struct rspsim_card *card)
{
	struct rspsim_profile *to = emergency_profile(card);

	if (!to)
		return RSPSIM_EMERGENCY_NOT_AVAILABLE;
	if (to->state != RSPSIM_DISABLED)
		return RSPSIM_EMERGENCY_WRONG_STATE;
	card->iot.before_emergency = rspsim_iot_iccid(rspsim_iot_enabled(card));
	card->iot.way_back.open = false;
	switch_silently(card, to);
	card->iot.cause = RSPSIM_CAUSE_EMERGENCY;
	return RSPSIM_EMERGENCY_OK;
}

enum rspsim_emergency
rspsim_iot_emergency_over(struct rspsim_card *card)
{
	if (!rspsim_iot_in_emergency(card))
		return RSPSIM_EMERGENCY_WRONG_STATE;
	switch_silently(card, rspsim_iot_find(card, &card->iot.before_emergency));
	card->iot.before_emergency.known = false;
	card->iot.way_back.open = false;
	card->iot.cause = RSPSIM_CAUSE_EMERGENCY;
	return RSPSIM_EMERGENCY_OK;
}

/* ---- immediate enable (BF5A) ------------------------------------------------------------- */

/* The profile came from the SM-DP+ that was configured, or else from the default one. */
static bool
is_from_configured(const struct rspsim_iot *iot)
{
	const char *wanted = iot->immediate_address;

	if (iot->immediate_oid.n && !slice_eq(iot->immediate_oid, iot->fresh.oid))
		return false;
	if (!wanted && !iot->immediate_oid.n)
		wanted = iot->default_dp;
	if (!wanted)
		return iot->immediate_oid.n > 0;
	return iot->fresh.address &&
		slice_eq_nocase(slice_text(wanted), slice_text(iot->fresh.address));
}

enum rspsim_immediate
rspsim_iot_immediate_enable(struct rspsim_card *card)
{
	struct rspsim_profile *to = rspsim_iot_find(card, &card->iot.fresh.iccid);
	const struct rspsim_profile *former = rspsim_iot_enabled(card);

	if (!to)
		return RSPSIM_IMMEDIATE_NO_SESSION;
	if (!card->iot.immediate || !is_from_configured(&card->iot) ||
		to->state != RSPSIM_DISABLED || rspsim_iot_in_emergency(card) ||
		(former && rspsim_iot_metadata(former).rules & RSPSIM_PPR1))
		return RSPSIM_IMMEDIATE_NOT_AVAILABLE;
	card->iot.fresh.iccid.known = false;
	card->iot.way_back.open = false;
	switch_now(card, to);
	card->iot.cause = RSPSIM_CAUSE_IMMEDIATE;
	return RSPSIM_IMMEDIATE_OK;
}

/* ---- memory reset (BF64) ----------------------------------------------------------------- */

static bool
reset_profiles(struct rspsim_card *card, uint8_t options)
{
	struct rspsim_due due = { 0 };
	struct rspsim_profile *p, *next;

	for (p = card->profiles; p; p = next) {
		enum rspsim_profile_class class = rspsim_iot_metadata(p).class;

		next = p->next;
		if (!(class == RSPSIM_OPERATIONAL && options & RSPSIM_RESET_OPERATIONAL) &&
			!(class == RSPSIM_TEST && options & RSPSIM_RESET_TEST))
			continue;
		rspsim_due_put(&due, &card->state_mem, RSPSIM_DELETE, p);
		rspsim_iot_drop_profile(card, p);
	}
	rspsim_due_notify(&due, card);
	return due.first != NULL;
}

enum rspsim_reset
rspsim_iot_reset(struct rspsim_card *card, uint8_t options)
{
	struct rspsim_iot *iot = &card->iot;
	bool done;

	if (rspsim_iot_in_emergency(card))
		return RSPSIM_RESET_ECALL;
	done = reset_profiles(card, options);
	if (options & RSPSIM_RESET_DEFAULT_DP && iot->default_dp) {
		iot->default_dp = NULL;
		done = true;
	}
	if (options & RSPSIM_RESET_EIMS && iot->eims) {
		iot->eims = NULL;
		done = true;
	}
	if (options & RSPSIM_RESET_IMMEDIATE && iot->immediate) {
		iot->immediate = false;
		done = true;
	}
	if (!done)
		return RSPSIM_RESET_NOTHING;
	iot->way_back.open = false;
	iot->cause = RSPSIM_CAUSE_RESET;
	return RSPSIM_RESET_OK;
}
