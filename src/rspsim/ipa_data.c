/*
 * eUICC data requests (SGP.32 §3.3, IpaEuiccDataRequest BF52): the IPA answers from the card and
 * from itself, each tag a row of a table. It refuses tags that IpaEuiccData has not.
 */
#include "rspsim/cert.h"
#include "rspsim/ipa_int.h"

enum { INCORRECT_TAGS = 1, CI_UNKNOWN = 5, ECALL = 104 };

struct wish {
	struct rspsim_ipa *ipa;
	const struct rspsim_ci *ci;
	struct rspsim_tlv tags, ci_id, notifications, results, transaction;
};

static bool
read_wish(struct slice request, struct wish *w)
{
	struct rspsim_tlv all;
	struct slice in;

	if (!rspsim_der_read_only(request, 0xbf52, &all))
		return false;
	in = all.value;
	if (!rspsim_der_read_tag(&in, 0x5c, &w->tags))
		return false;
	rspsim_der_read_optional(&in, 0x04, &w->ci_id);
	rspsim_der_read_optional(&in, 0xa1, &w->notifications);
	if (!w->ipa->card->iot.v10) {
		rspsim_der_read_optional(&in, 0xa2, &w->results);
		rspsim_der_read_optional(&in, 0x83, &w->transaction);
	}
	return in.n == 0;
}

/* ---- what each tag asks for -------------------------------------------------------------- */

/* searchCriteriaNotification: by number, or by the bits of NotificationEvent. */
static bool
is_wanted(const struct wish *w, const struct rspsim_notification *n)
{
	struct slice in = w->notifications.value;
	struct rspsim_tlv by;
	uint32_t number;
	uint8_t events;

	if (!w->notifications.whole.p || !rspsim_der_read(&in, &by))
		return true;
	if (by.tag == 0x80)
		return rspsim_der_to_u32(by.value, &number) && number == n->sequence;
	return by.tag == 0x81 && rspsim_der_to_bits(by.value, &events) && events & n->event;
}

static struct slice
notifications(const struct wish *w)
{
	struct arena *mem = w->ipa->mem;
	struct slice list = SLICE_NONE;

	for (const struct rspsim_notification *n = w->ipa->card->notifications; n; n = n->next)
		if (is_wanted(w, n))
			list = RSPSIM_DER(mem, 0, list, rspsim_ipa_notification(w->ipa, n->octets));
	return RSPSIM_DER(mem, 0xa0, list);
}

static struct slice
results(const struct wish *w)
{
	struct slice list = SLICE_NONE;
	struct rspsim_tlv by;
	uint32_t number = 0;
	bool one = rspsim_der_read_only(w->results.value, 0x80, &by) &&
		rspsim_der_to_u32(by.value, &number);

	for (const struct rspsim_kept *k = w->ipa->card->iot.results; k; k = k->next)
		if (!one || k->sequence == number)
			list = RSPSIM_DER(w->ipa->mem, 0, list, k->octets);
	return RSPSIM_DER(w->ipa->mem, 0xa2, list);
}

static struct slice
text(struct arena *mem, uint32_t tag, const char *value)
{
	return value ? RSPSIM_DER(mem, tag, slice_text(value)) : SLICE_NONE;
}

static struct slice
default_dp(const struct wish *w)
{
	return text(w->ipa->mem, w->ipa->card->iot.v10 ? 0x80 : 0x81, w->ipa->card->iot.default_dp);
}

static struct slice
root_ds(const struct wish *w)
{
	return text(w->ipa->mem, 0x83, w->ipa->card->iot.root_ds);
}

static struct slice
info1(const struct wish *w)
{
	return rspsim_euicc_info1(w->ipa->card, w->ipa->mem);
}

static struct slice
info2(const struct wish *w)
{
	return rspsim_euicc_info2(w->ipa->card, w->ipa->mem);
}

/* Of the eIM that asks. */
static struct slice
token(const struct wish *w)
{
	const struct rspsim_eim *eim = w->ipa->eim;

	if (!eim || !eim->has_token)
		return SLICE_NONE;
	return rspsim_der_u32(w->ipa->mem, 0x84, eim->token);
}

/* `[5]` and `[6]` take the place of the SEQUENCE's tag. */
static struct slice
certificate(const struct wish *w, uint32_t tag, struct slice der)
{
	struct rspsim_tlv whole;

	w->ipa->card->iot.told_certificates = true;
	return rspsim_der_read_only(der, 0x30, &whole) ? RSPSIM_DER(w->ipa->mem, tag, whole.value)
						       : SLICE_NONE;
}

static struct slice
eum(const struct wish *w)
{
	return certificate(w, 0xa5, w->ci->eum_der);
}

static struct slice
euicc(const struct wish *w)
{
	return certificate(w, 0xa6, w->ci->certificate_der);
}

static struct slice
capabilities(const struct wish *w)
{
	const struct rspsim_iot *iot = &w->ipa->card->iot;

	return RSPSIM_DER(w->ipa->mem, 0xa8, rspsim_der_bits(w->ipa->mem, 0x80, iot->features),
		rspsim_der_bits(w->ipa->mem, 0x81, iot->protocols));
}

static struct slice
device(const struct wish *w)
{
	return rspsim_lpa_device(w->ipa->mem, 0xa9);
}

/* In the order of IpaEuiccData; the id of the request stands between certificate and capabilities. */
static const struct {
	uint32_t tag;
	struct slice (*give)(const struct wish *w);
} tags[] = { { 0xa0, notifications }, { 0x81, default_dp }, { 0xa2, results }, { 0xbf20, info1 },
	{ 0xbf22, info2 }, { 0x83, root_ds }, { 0x84, token }, { 0xa5, eum }, { 0xa6, euicc },
	{ 0xa8, capabilities }, { 0xa9, device } };
enum { TAGS = sizeof tags / sizeof tags[0], BEFORE_ID = 9 };

/* v1.0.1: BF2B for notifications and results both, and the SM-DP+ under 80. */
static uint32_t
modern_tag(const struct wish *w, uint32_t tag)
{
	if (!w->ipa->card->iot.v10)
		return tag;
	return tag == 0xbf2b ? 0xa0 : tag == 0x80 ? 0x81 : tag;
}

/* Which rows are asked for; false for a tag without a row. */
static bool
read_tags(const struct wish *w, bool asked[TAGS])
{
	struct slice list = w->tags.value;

	for (size_t i = 0; i < list.n;) {
		uint32_t tag = list.p[i++];
		size_t k = 0;

		if ((tag & 0x1f) == 0x1f) {
			if (i == list.n)
				return false;
			tag = tag << 8 | list.p[i++];
		}
		while (k < TAGS && tags[k].tag != modern_tag(w, tag))
			k++;
		if (k == TAGS)
			return false;
		asked[k] = true;
	}
	return list.n > 0;
}

/* ---- the answer -------------------------------------------------------------------------- */

static struct slice
refuse(const struct wish *w, uint32_t error)
{
	struct arena *mem = w->ipa->mem;
	struct slice id = SLICE_NONE;

	if (w->ipa->card->iot.v10)
		return RSPSIM_DER(mem, 0xbf52, rspsim_der_u32(mem, 0x81, error));
	if (w->transaction.whole.p)
		id = RSPSIM_DER(mem, 0x80, w->transaction.value);
	return RSPSIM_DER(mem, 0xbf52, RSPSIM_DER(mem, 0xa1, id, rspsim_der_u32(mem, 0x02, error)));
}

/*
 * RetrieveNotificationsListResponse of v1.0.1: notifications, or results when these were asked
 * for.
 */
static struct slice
old_lists(const struct wish *w)
{
	struct rspsim_tlv by;
	bool wants_results = rspsim_der_find(w->notifications.value, 0x82, &by);

	return RSPSIM_DER(w->ipa->mem, 0xbf2b, wants_results ? results(w) : notifications(w));
}

static struct slice
give(const struct wish *w, const bool asked[TAGS])
{
	struct arena *mem = w->ipa->mem;
	bool v10 = w->ipa->card->iot.v10;
	struct slice out = SLICE_NONE;

	for (size_t k = 0; k < TAGS; k++) {
		if (k == BEFORE_ID && w->transaction.whole.p)
			out = RSPSIM_DER(mem, 0, out, RSPSIM_DER(mem, 0x87, w->transaction.value));
		if (asked[k] && !(v10 && k == 0))
			out = RSPSIM_DER(mem, 0, out, tags[k].give(w));
	}
	if (v10 && asked[0]) /* the last member there */
		out = RSPSIM_DER(mem, 0, out, old_lists(w));
	return RSPSIM_DER(mem, 0xbf52, RSPSIM_DER(mem, 0xa0, out));
}

struct slice
rspsim_ipa_data(struct rspsim_ipa *ipa, struct slice request)
{
	struct wish w = { .ipa = ipa, .ci = ipa->card->ci };
	bool asked[TAGS] = { false };

	if (!read_wish(request, &w) || !read_tags(&w, asked))
		return refuse(&w, INCORRECT_TAGS);
	if (rspsim_iot_in_emergency(ipa->card))
		return refuse(&w, ECALL);
	if (w.ci_id.whole.p)
		w.ci = rspsim_card_find_ci(ipa->card, w.ci_id.value);
	if (!w.ci)
		return refuse(&w, CI_UNKNOWN);
	return give(&w, asked);
}
