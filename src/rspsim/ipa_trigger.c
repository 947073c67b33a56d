/*
 * ProfileDownloadTriggerRequest (SGP.32 §3.2.3, BF54): where the profile is to come from, directly
 * by the LPA's procedure or through the eIM, and the result that the eIM is told.
 */
#include "rspsim/ipa_int.h"

enum { ECALL = 104, UNDEFINED = 127, DEPTH = 2 };

struct trigger {
	struct rspsim_ipa *ipa;
	struct rspsim_tlv transaction, data, way; /* way: the arm of profileDownloadData */
	struct slice pir;                         /* BF37 */
	struct slice refusal;                     /* errorResponse */
};

static bool
read_trigger(struct slice request, struct trigger *t)
{
	struct rspsim_tlv all;
	struct slice in, inner;

	if (!rspsim_der_read_only(request, 0xbf54, &all))
		return false;
	in = all.value;
	rspsim_der_read_optional(&in, 0xa0, &t->data);
	rspsim_der_read_optional(&in, 0x82, &t->transaction);
	inner = t->data.value;
	if (t->data.whole.p && (!rspsim_der_read(&inner, &t->way) || inner.n))
		return false;
	return in.n == 0 &&
		(!t->data.whole.p || t->way.tag == 0x80 || t->way.tag == 0x81 ||
			t->way.tag == 0xa2);
}

static bool
goes_direct(const struct rspsim_ipa *ipa)
{
	return ipa->card->iot.features & RSPSIM_IPA_DIRECT && !ipa->options->indirect;
}

/* ---- directly ---------------------------------------------------------------------------- */

/* The calls of the LPA join those of the IPA in the report. */
static void
join_report(struct rspsim_ipa *ipa, const struct rspsim_report *r)
{
	struct rspsim_ipa_report *to = ipa->report;

	for (size_t i = 0; i < r->count && to->count < RSPSIM_CALLS_MAX; i++)
		to->calls[to->count++] = r->calls[i];
	rspsim_ipa_note(ipa, "%.100s", r->words);
}

/* The latest ProfileInstallationResult that waits: the one that the download made. */
static struct slice
latest_pir(const struct rspsim_card *card, uint32_t after)
{
	struct slice found = SLICE_NONE;

	for (const struct rspsim_notification *n = card->notifications; n; n = n->next)
		if (n->sequence > after && n->octets.n > 1 && n->octets.p[0] == 0xbf)
			found = n->octets;
	return found;
}

static void
download_directly(struct trigger *t, const struct rspsim_activation *code)
{
	struct rspsim_ipa *ipa = t->ipa;
	struct rspsim_download what = { .code = *code,
		.cc = ipa->options->cc,
		.card_file = ipa->options->card_file,
		.keep_notification = true };
	struct rspsim_report *report = ARENA_NEW(ipa->mem, struct rspsim_report);
	struct rspsim_es9 *es9 = rspsim_es9_new(ipa->card, &ipa->options->link);
	uint32_t before = ipa->card->sequence;

	rspsim_lpa_download(ipa->card, es9, &what, report);
	rspsim_es9_free(es9);
	join_report(ipa, report);
	t->pir = latest_pir(ipa->card, before);
	if (!t->pir.n)
		t->refusal = arena_copy(ipa->mem, slice_text(report->words));
}

/* ---- through the eIM --------------------------------------------------------------------- */

static void
download_through_eim(struct trigger *t, const struct rspsim_activation *code)
{
	struct rspsim_indirect what = { .eim_transaction = t->transaction.whole };

	if (code) {
		what.address = code->address;
		what.matching_id = slice_text(code->matching_id);
		what.oid = code->oid;
	}
	rspsim_ipa_download(t->ipa, &what);
	t->pir = what.result;
	t->refusal = what.refusal;
}

static void
download(struct trigger *t, const struct rspsim_activation *code)
{
	if (code && goes_direct(t->ipa))
		download_directly(t, code);
	else
		download_through_eim(t, code);
}

/* ---- the ways of the trigger ------------------------------------------------------------- */

static void
refuse(struct trigger *t, const char *words)
{
	rspsim_ipa_note(t->ipa, "%s", words);
	t->refusal = arena_copy(t->ipa->mem, slice_text(words));
}

static void
by_code(struct trigger *t, struct slice text)
{
	struct rspsim_activation code;
	const char *wrong = rspsim_activation_read(t->ipa->mem, text, &code);

	if (wrong)
		refuse(t, wrong);
	else
		download(t, &code);
}

static void
at_address(struct trigger *t, const char *address, const char *event)
{
	download(t,
		&(struct rspsim_activation){ .address = address, .matching_id = event, .oid = "" });
}

static void
by_default_dp(struct trigger *t)
{
	if (!t->ipa->card->iot.default_dp)
		refuse(t, "the card has no default SM-DP+");
	else
		at_address(t, t->ipa->card->iot.default_dp, "");
}

/* ES11 as an LPA speaks it, then the first event. */
static void
by_ds_directly(struct trigger *t, const char *address)
{
	struct rspsim_ipa *ipa = t->ipa;
	const struct rspsim_download what = {
		.code = { .address = address, .matching_id = "", .oid = "" }
	};
	struct rspsim_report *report = ARENA_NEW(ipa->mem, struct rspsim_report);
	struct rspsim_events *events = ARENA_NEW(ipa->mem, struct rspsim_events);
	struct rspsim_es9_options link = ipa->options->link;
	struct rspsim_es9 *es9;

	link.sm_ds = true;
	es9 = rspsim_es9_new(ipa->card, &link);
	rspsim_lpa_discover(ipa->card, es9, &what, report, events);
	rspsim_es9_free(es9);
	join_report(ipa, report);
	if (events->count)
		at_address(t, events->address[0], events->id[0]);
	else
		refuse(t, report->words);
}

static void run(struct trigger *t, unsigned depth);

/* §3.9.2.2: the eIM makes a trigger of the event records. */
static void
by_ds_through_eim(struct trigger *t, const char *address, unsigned depth)
{
	struct rspsim_indirect what = { .eim_transaction = t->transaction.whole,
		.address = address };
	struct trigger next = { .ipa = t->ipa };
	struct rspsim_tlv id, found;
	struct slice in;

	rspsim_ipa_download(t->ipa, &what);
	t->refusal = what.refusal;
	in = what.trigger;
	if (!in.p || !rspsim_der_read_tag(&in, 0x80, &id))
		return;
	rspsim_der_read_optional(&in, 0xbf54, &found);
	if (depth == DEPTH || !read_trigger(found.whole, &next)) {
		refuse(t, "the SM-DS leads to no download");
		return;
	}
	if (!next.transaction.whole.p)
		next.transaction = t->transaction;
	run(&next, depth + 1);
	t->pir = next.pir;
	t->refusal = next.refusal;
}

static void
by_ds(struct trigger *t, unsigned depth)
{
	const char *address = t->ipa->card->iot.root_ds;
	struct rspsim_tlv given;

	if (rspsim_der_read_only(t->way.value, 0x80, &given))
		address = arena_string(t->ipa->mem, given.value);
	if (!address)
		refuse(t, "the card knows no SM-DS");
	else if (goes_direct(t->ipa))
		by_ds_directly(t, address);
	else
		by_ds_through_eim(t, address, depth);
}

static void
run(struct trigger *t, unsigned depth)
{
	switch (t->way.tag) {
	case 0x80:
		by_code(t, t->way.value);
		break;
	case 0x81:
		by_default_dp(t);
		break;
	case 0xa2:
		by_ds(t, depth);
		break;
	default: /* eimDownloadDataHandling: the eIM has the code */
		download_through_eim(t, NULL);
	}
}

/* ---- what the eIM is told ---------------------------------------------------------------- */

static struct slice
failure(const struct trigger *t, uint32_t reason)
{
	struct arena *mem = t->ipa->mem;
	struct slice response = SLICE_NONE, number = SLICE_NONE;

	if (t->refusal.n)
		response = RSPSIM_DER(mem, 0x04, t->refusal);
	if (!t->ipa->card->iot.v10)
		number = rspsim_der_u32(mem, 0x80, reason);
	return RSPSIM_DER(mem, 0x30, number, response);
}

/* §3.4.4: a profile just installed may be enabled at once, when the card is configured so. */
static void
enable_at_once(struct rspsim_ipa *ipa)
{
	if (ipa->card->iot.immediate &&
		rspsim_iot_immediate_enable(ipa->card) == RSPSIM_IMMEDIATE_OK)
		rspsim_ipa_note(ipa, "enabled at once (immediate enable)");
	ipa->card->iot.fresh.iccid.known = false; /* the session is over */
	rspsim_ipa_save(ipa);
}

struct slice
rspsim_ipa_trigger(struct rspsim_ipa *ipa, struct slice request)
{
	struct trigger t = { .ipa = ipa };
	struct slice result;

	if (!read_trigger(request, &t))
		return SLICE_NONE;
	if (rspsim_iot_in_emergency(ipa->card)) {
		result = failure(&t, ECALL);
	} else {
		run(&t, 0);
		result = t.pir.n ? t.pir : failure(&t, UNDEFINED);
		enable_at_once(ipa);
	}
	return RSPSIM_DER(ipa->mem, 0xbf54, t.transaction.whole, result);
}
