/*
 * Profile state management operations of a package (SGP.32 §2.11.1.1, §3.4): each a row of a
 * table, from the command to its result with the codes of the standard.
 */
#include "rspsim/iot_int.h"

enum { FOUND_NOT = 1, WRONG_STATE = 2, POLICY = 3, CAT_BUSY = 5, NO_ROLLBACK = 20, RETURNS = 21 };
enum { FALLBACK_FORBIDDEN = 2, NO_FALLBACK = 2, FALLBACK_ENABLED = 3, UNDEFINED = 127 };

/* The ICCID that the command begins with; false when there is none. */
static bool
read_iccid(struct slice *in, struct rspsim_iccid *out)
{
	struct rspsim_tlv iccid;

	if (!rspsim_der_read_tag(in, 0x5a, &iccid) || iccid.value.n != sizeof out->octets)
		return false;
	out->known = true;
	memcpy(out->octets, iccid.value.p, sizeof out->octets);
	return true;
}

/* v1.0.1 has no code beyond a wrong state. */
static struct slice
result(struct rspsim_package *p, uint32_t tag, uint32_t code)
{
	if (p->card->iot.v10 && code > WRONG_STATE)
		code = UNDEFINED;
	return rspsim_der_u32(p->mem, tag, code);
}

/* ---- enable, disable, delete ------------------------------------------------------------- */

static uint32_t
judge_enable(const struct rspsim_package *p, const struct rspsim_profile *profile, bool rollback)
{
	const struct rspsim_profile *former = rspsim_iot_enabled(p->card);

	if (!profile)
		return FOUND_NOT;
	if (profile->state != RSPSIM_DISABLED)
		return WRONG_STATE;
	if ((former && rspsim_iot_metadata(former).rules & RSPSIM_PPR1) ||
		rspsim_iot_metadata(profile).emergency)
		return POLICY;
	if (p->card->fault == RSPSIM_BREAK_PACKAGE_CAT_BUSY)
		return CAT_BUSY;
	if (p->enabled) /* §3.4.1: one in a package */
		return UNDEFINED;
	return rollback && !former ? NO_ROLLBACK : 0;
}

static struct slice
enable(struct rspsim_package *p, struct slice in)
{
	struct rspsim_profile *profile, *former = rspsim_iot_enabled(p->card);
	struct rspsim_iccid iccid;
	struct rspsim_tlv flag;
	uint32_t code;

	if (!read_iccid(&in, &iccid))
		return SLICE_NONE;
	rspsim_der_read_optional(&in, 0x05, &flag);
	if (in.n || flag.value.n)
		return SLICE_NONE;
	profile = rspsim_iot_find(p->card, &iccid);
	code = judge_enable(p, profile, flag.whole.p != NULL);
	if (code)
		return result(p, 0x83, code);
	p->enabled = true;
	p->rollback = flag.whole.p != NULL;
	p->former = rspsim_iot_iccid(former);
	p->now = iccid;
	rspsim_iot_switch(p->card, p->mem, &p->due, profile);
	p->card->iot.before_fallback.known = false;
	return result(p, 0x83, 0);
}

static struct slice
disable(struct rspsim_package *p, struct slice in)
{
	struct rspsim_profile *profile;
	struct rspsim_iccid iccid;
	uint32_t code = 0;

	if (!read_iccid(&in, &iccid) || in.n)
		return SLICE_NONE;
	profile = rspsim_iot_find(p->card, &iccid);
	if (!profile)
		code = FOUND_NOT;
	else if (profile->state != RSPSIM_ENABLED)
		code = WRONG_STATE;
	else if (rspsim_iot_metadata(profile).rules & RSPSIM_PPR1)
		code = POLICY;
	else if (p->card->fault == RSPSIM_BREAK_PACKAGE_CAT_BUSY)
		code = CAT_BUSY;
	if (!code)
		rspsim_iot_switch(p->card, p->mem, &p->due, NULL);
	return result(p, 0x84, code);
}

static bool
is(const struct rspsim_iccid *a, const struct rspsim_iccid *b)
{
	return a->known && memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

static struct slice delete (struct rspsim_package *p, struct slice in)
{
	struct rspsim_profile *profile;
	struct rspsim_iccid iccid;
	uint32_t code = 0;

	if (!read_iccid(&in, &iccid) || in.n)
		return SLICE_NONE;
	profile = rspsim_iot_find(p->card, &iccid);
	if (!profile)
		code = FOUND_NOT;
	else if (profile->state != RSPSIM_DISABLED)
		code = WRONG_STATE;
	else if (rspsim_iot_metadata(profile).rules & RSPSIM_PPR2)
		code = POLICY;
	else if (p->rollback && is(&p->former, &iccid))
		code = NO_ROLLBACK;
	else if (is(&p->card->iot.before_fallback, &iccid))
		code = RETURNS;
	if (!code) {
		rspsim_due_put(&p->due, p->mem, RSPSIM_DELETE, profile);
		rspsim_iot_drop_profile(p->card, profile);
	}
	return result(p, 0x85, code);
}

/* ---- what the card has and allows -------------------------------------------------------- */

static struct slice
list_profiles(struct rspsim_package *p, struct slice in)
{
	return rspsim_iot_profiles(p->card, p->mem, RSPSIM_DER(p->mem, 0xbf2d, in));
}

/* One rule: every operator may set what the card does not forbid, without asking. */
static struct slice
get_rat(struct rspsim_package *p, struct slice in)
{
	static const uint8_t anybody[] = { 0x30, 5, 0x80, 3, 0xee, 0xee, 0xee };
	uint8_t allowed = (RSPSIM_PPR1 | RSPSIM_PPR2) & ~p->card->forbidden_rules;

	if (in.n)
		return SLICE_NONE;
	if (!allowed)
		return RSPSIM_DER(p->mem, 0xa6, SLICE_NONE);
	return RSPSIM_DER(p->mem, 0xa6,
		RSPSIM_DER(p->mem, 0x30, rspsim_der_bits(p->mem, 0x80, allowed),
			RSPSIM_DER(p->mem, 0xa1, SLICE_ARRAY(anybody)),
			rspsim_der_bits(p->mem, 0x82, 0)));
}

/* ---- configuration (§3.4.4, §5.9.18) ----------------------------------------------------- */

static struct slice
configure_immediate(struct rspsim_package *p, struct slice in)
{
	struct rspsim_iot *iot = &p->card->iot;
	struct rspsim_tlv flag, oid, address;

	rspsim_der_read_optional(&in, 0x80, &flag);
	rspsim_der_read_optional(&in, 0x81, &oid);
	rspsim_der_read_optional(&in, 0x82, &address);
	if (in.n || flag.value.n)
		return SLICE_NONE;
	iot->immediate = flag.whole.p != NULL;
	iot->immediate_oid = arena_copy(&p->card->state_mem, oid.value);
	iot->immediate_address = NULL;
	if (address.whole.p)
		iot->immediate_address = arena_string(&p->card->state_mem, address.value);
	return result(p, 0x87, 0);
}

/* The attribute moves only while its holder is disabled, or a return would lead nowhere. */
static bool
fallback_is_enabled(const struct rspsim_package *p)
{
	const struct rspsim_profile *holder = rspsim_iot_fallback_profile(p->card);

	return holder && holder->state == RSPSIM_ENABLED;
}

static struct slice
set_fallback(struct rspsim_package *p, struct slice in)
{
	struct rspsim_profile *profile, *holder = rspsim_iot_fallback_profile(p->card);
	struct rspsim_iccid iccid;
	uint32_t code = 0;

	if (!read_iccid(&in, &iccid) || in.n)
		return SLICE_NONE;
	profile = rspsim_iot_find(p->card, &iccid);
	if (!profile)
		code = FOUND_NOT;
	else if (!rspsim_iot_metadata(profile).fallback_allowed)
		code = FALLBACK_FORBIDDEN;
	else if (fallback_is_enabled(p))
		code = FALLBACK_ENABLED;
	if (!code && holder)
		holder->fallback = false;
	if (!code)
		profile->fallback = true;
	return result(p, 0x8d, code);
}

static struct slice
unset_fallback(struct rspsim_package *p, struct slice in)
{
	struct rspsim_profile *holder = rspsim_iot_fallback_profile(p->card);
	uint32_t code = 0;

	if (in.n)
		return SLICE_NONE;
	if (!holder)
		code = NO_FALLBACK;
	else if (fallback_is_enabled(p))
		code = FALLBACK_ENABLED;
	else
		holder->fallback = false;
	return result(p, 0x8e, code);
}

static struct slice
set_default_dp(struct rspsim_package *p, struct slice in)
{
	struct rspsim_tlv address;

	if (!rspsim_der_read_only(in, 0x80, &address))
		return SLICE_NONE;
	p->card->iot.default_dp =
		address.value.n ? arena_string(&p->card->state_mem, address.value) : NULL;
	return RSPSIM_DER(p->mem, 0xbf65, result(p, 0x80, 0));
}

static const struct {
	uint32_t tag;
	bool since_v12; /* unknown to a card of v1.0.1 */
	struct slice (*run)(struct rspsim_package *p, struct slice in);
} psmos[] = {
	{ 0xa3, false, enable },
	{ 0xa4, false, disable },
	{ 0xa5, false, delete },
	{ 0xbf2d, false, list_profiles },
	{ 0xa6, false, get_rat },
	{ 0xa7, false, configure_immediate },
	{ 0xa8, true, set_fallback },
	{ 0xa9, true, unset_fallback },
	{ 0xbf65, true, set_default_dp },
};

struct slice
rspsim_iot_psmo(struct rspsim_package *p, const struct rspsim_tlv *command)
{
	for (size_t i = 0; i < sizeof psmos / sizeof psmos[0]; i++)
		if (psmos[i].tag == command->tag && !(psmos[i].since_v12 && p->card->iot.v10))
			return psmos[i].run(p, command->value);
	return SLICE_NONE;
}
