/*
 * The IPA's loop (SGP.32 §3.1.1.1, §3.3): ask the eIM for a package, have it worked on, report the
 * result, forget what the eIM acknowledges; again until nothing waits. Losing results, repeating
 * them and finding no network are at the tester's wish.
 */
#include <stdarg.h>
#include <stdio.h>
#include "base/text.h"
#include "rspsim/ipa_int.h"

enum { ARENA_CAP = 64 << 20, NOTHING_WAITS = 1, ROUNDS_MAX = 1000 };

/* ---- what the files share ---------------------------------------------------------------- */

bool
rspsim_ipa_stop(struct rspsim_ipa *ipa, enum rspsim_outcome outcome, const char *words)
{
	ipa->report->outcome = outcome;
	snprintf(ipa->report->words, sizeof ipa->report->words, "%s", words);
	return false;
}

void
rspsim_ipa_note(struct rspsim_ipa *ipa, const char *fmt, ...)
{
	struct rspsim_ipa_report *r = ipa->report;
	va_list args;

	if (r->act_count == RSPSIM_ACTS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(r->acts[r->act_count++], sizeof r->acts[0], fmt, args);
	va_end(args);
}

void
rspsim_ipa_save(struct rspsim_ipa *ipa)
{
	const char *path = ipa->options->card_file;
	const char *wrong = path ? rspsim_card_write(ipa->card, path) : NULL;

	if (wrong)
		fprintf(stderr, "rspsim: %s: %s\n", path, wrong);
}

bool
rspsim_ipa_post(struct rspsim_ipa *ipa, enum rspsim_esipa_function function, struct slice request,
	struct slice *answer)
{
	struct rspsim_ipa_report *r = ipa->report;
	struct rspsim_call *call = r->calls + (r->count < RSPSIM_CALLS_MAX ? r->count++ : 0);

	rspsim_esipa_post(ipa->esipa, ipa->mem, function, request, call, answer);
	if (call->outcome == RSPSIM_CALL_FINE)
		return true;
	return rspsim_ipa_stop(ipa, call->http ? RSPSIM_BY_CARD : RSPSIM_UNREACHABLE,
		arena_printf(ipa->mem, "%s: %s", call->function, call->message));
}

const struct rspsim_eim *
rspsim_ipa_find_eim(const struct rspsim_card *card, const char *name)
{
	const struct rspsim_eim *eim = card->iot.eims;

	while (name && eim && strcmp(eim->id, name) != 0 &&
		!(eim->fqdn && strcmp(eim->fqdn, name) == 0))
		eim = eim->next;
	return eim;
}

/* ---- notifications (§3.7) ---------------------------------------------------------------- */

static void
notify_through_eim(struct rspsim_ipa *ipa)
{
	const struct rspsim_notification *n = ipa->card->notifications, *next;
	struct slice answer;

	for (; n; n = next) {
		next = n->next;
		if (!rspsim_ipa_post(ipa, RSPSIM_ESIPA_NOTIFY,
			    RSPSIM_DER(ipa->mem, 0xbf3d,
				    RSPSIM_DER(ipa->mem, 0xa0,
					    rspsim_ipa_notification(ipa, n->octets))),
			    &answer))
			return;
		rspsim_iot_acknowledge(ipa->card, n->sequence);
		rspsim_ipa_save(ipa);
	}
}

static bool
sends_through_eim(const struct rspsim_ipa *ipa)
{
	return ipa->card->iot.features & RSPSIM_IPA_INDIRECT;
}

static void
notify_directly(struct rspsim_ipa *ipa)
{
	struct rspsim_report *report = ARENA_NEW(ipa->mem, struct rspsim_report);
	struct rspsim_es9 *es9 = rspsim_es9_new(ipa->card, &ipa->options->link);

	rspsim_lpa_notify(ipa->card, es9, ipa->options->card_file, report);
	rspsim_es9_free(es9);
	rspsim_ipa_note(ipa, "%.100s", report->words);
}

void
rspsim_ipa_notify(struct rspsim_ipa *ipa)
{
	if (ipa->options->keep_notifications || !ipa->card->notifications)
		return;
	if (sends_through_eim(ipa))
		notify_through_eim(ipa);
	else
		notify_directly(ipa);
}

/* ---- results (§5.14.6) ------------------------------------------------------------------- */

bool
rspsim_ipa_take_acknowledgements(struct rspsim_ipa *ipa, struct slice list)
{
	struct rspsim_tlv one;
	uint32_t number;

	while (list.n) {
		if (!rspsim_der_read_tag(&list, 0x80, &one) ||
			!rspsim_der_to_u32(one.value, &number))
			return rspsim_ipa_stop(
				ipa, RSPSIM_BY_CARD, "EimAcknowledgements cannot be read");
		if (!rspsim_iot_acknowledge(ipa->card, number))
			return rspsim_ipa_stop(ipa, RSPSIM_BY_CARD,
				arena_printf(ipa->mem,
					"the eIM acknowledges %u, which the card does not have",
					number));
		rspsim_ipa_note(ipa, "acknowledged: %u", number);
	}
	rspsim_ipa_save(ipa);
	return true;
}

/* Acknowledgements, emptyResponse, or an error; v1.0.1 may leave the message empty. */
static bool
read_provided(struct rspsim_ipa *ipa, struct slice answer)
{
	struct rspsim_tlv all, arm;
	uint32_t error;

	if (!rspsim_der_read_only(answer, 0xbf50, &all))
		return rspsim_ipa_stop(ipa, RSPSIM_BY_CARD, "the eIM's answer cannot be read");
	if (ipa->card->iot.v10 && !all.value.n)
		return true;
	if (rspsim_der_read_only(all.value, 0xbf53, &arm))
		return rspsim_ipa_take_acknowledgements(ipa, arm.value);
	if (rspsim_der_read_only(all.value, 0x30, &arm) && !arm.value.n)
		return true;
	if (!rspsim_der_read_only(all.value, 0x02, &arm) || !rspsim_der_to_u32(arm.value, &error))
		return rspsim_ipa_stop(ipa, RSPSIM_BY_CARD, "the eIM's answer cannot be read");
	ipa->report->eim_error = error;
	return rspsim_ipa_stop(ipa, RSPSIM_BY_SERVER,
		arena_printf(ipa->mem, "the eIM refuses the result with %u", error));
}

/* ProvideEimPackageResult: v1.0.1 has no EID there. */
static struct slice
provide_request(struct rspsim_ipa *ipa, struct slice result)
{
	struct slice eid = slice_of(ipa->card->eid_octets, sizeof ipa->card->eid_octets);
	enum rspsim_break fault = ipa->card->fault;

	if (fault == RSPSIM_BREAK_RESULT_CUT)
		result = rspsim_break_cut(result);
	if (fault == RSPSIM_BREAK_RESULT_EID)
		eid = rspsim_break_flip(ipa->mem, eid, 1);
	if (ipa->card->iot.v10 || fault == RSPSIM_BREAK_RESULT_NO_EID)
		return RSPSIM_DER(ipa->mem, 0xbf50, result);
	return RSPSIM_DER(ipa->mem, 0xbf50, RSPSIM_DER(ipa->mem, 0x5a, eid), result);
}

bool
rspsim_ipa_provide(struct rspsim_ipa *ipa, struct slice result, unsigned *lost)
{
	struct slice answer, request = provide_request(ipa, result);

	if (*lost < ipa->options->lose_results) {
		(*lost)++;
		rspsim_ipa_note(ipa, "the result is lost on its way");
		return true;
	}
	if (!rspsim_ipa_post(ipa, RSPSIM_ESIPA_PROVIDE, request, &answer) ||
		!read_provided(ipa, answer))
		return false;
	if (!ipa->options->repeat_result)
		return true;
	/* the first answer has had the card forget what the second names again */
	return rspsim_ipa_post(ipa, RSPSIM_ESIPA_PROVIDE, request, &answer);
}

/* Results that no eIM has acknowledged, each as a message of its own. */
static bool
resend(struct rspsim_ipa *ipa)
{
	const struct rspsim_kept *k = ipa->card->iot.results, *next;
	unsigned none = UINT32_MAX;

	for (; k; k = next) {
		next = k->next;
		if (!rspsim_ipa_provide(ipa, k->octets, &none))
			return false;
	}
	return true;
}

/* ---- packages (§3.3.1) ------------------------------------------------------------------- */

static const char *
result_words(struct slice result)
{
	struct rspsim_tlv all;

	if (!rspsim_der_read_only(result, 0xbf51, &all) || !all.value.n)
		return "no result";
	switch (all.value.p[0]) {
	case 0xa0:
		return "package executed";
	case 0xa1:
		return "package refused, signed";
	default:
		return "package refused, unsigned";
	}
}

static const struct rspsim_profile *
enabled(const struct rspsim_card *card)
{
	const struct rspsim_profile *p = card->profiles;

	while (p && p->state != RSPSIM_ENABLED)
		p = p->next;
	return p;
}

/* §3.4.3: without a network under the new profile the IPA rolls back, where the package allows it. */
static bool
try_network(struct rspsim_ipa *ipa, const struct rspsim_profile *before, struct slice *result)
{
	struct slice second;

	if (!ipa->options->no_connectivity || enabled(ipa->card) == before)
		return true;
	if (rspsim_iot_rollback(ipa->card, ipa->mem, &second) != RSPSIM_ROLLBACK_OK)
		return rspsim_ipa_stop(ipa, RSPSIM_UNREACHABLE,
			"no network under the new profile, and no way back: rollbackNotAllowed(1)");
	rspsim_ipa_note(ipa, "no network: rolled back");
	*result = second;
	return true;
}

/* With what it has to tell SM-DP+s beside the result, when the eIM is to forward that. */
static struct slice
with_notifications(struct rspsim_ipa *ipa, struct slice result)
{
	struct slice list = SLICE_NONE;

	if (!sends_through_eim(ipa) || ipa->options->keep_notifications ||
		!ipa->card->notifications)
		return result;
	for (const struct rspsim_notification *n = ipa->card->notifications; n; n = n->next)
		list = RSPSIM_DER(ipa->mem, 0, list, rspsim_ipa_notification(ipa, n->octets));
	list = RSPSIM_DER(ipa->mem, 0xa0, list);
	if (ipa->card->iot.v10)
		list = RSPSIM_DER(ipa->mem, 0xbf2b, list);
	return RSPSIM_DER(ipa->mem, 0x30, result, list);
}

/* eimPackageResultResponseError: nothing that a card could work on. */
static struct slice
complaint(struct rspsim_ipa *ipa, struct slice package, uint32_t code)
{
	struct slice number = rspsim_der_u32(ipa->mem, 0x02, code), id = SLICE_NONE;
	struct rspsim_tlv all, found;

	rspsim_ipa_note(ipa, "the package cannot be read");
	if (ipa->card->iot.v10)
		return number;
	if (rspsim_der_read(&package, &all) &&
		(rspsim_der_find(all.value, 0x83, &found) ||
			rspsim_der_find(all.value, 0x82, &found)))
		id = RSPSIM_DER(ipa->mem, 0x80, found.value);
	return RSPSIM_DER(ipa->mem, 0xa0, id, number);
}

struct slice
rspsim_ipa_work(struct rspsim_ipa *ipa, const struct rspsim_tlv *package)
{
	const struct rspsim_profile *before = enabled(ipa->card);
	struct slice result = SLICE_NONE;

	switch (package->tag) {
	case 0xbf51:
		ipa->report->packages++;
		result = rspsim_iot_load_package(ipa->card, ipa->mem, package->whole);
		if (!result.n)
			break;
		rspsim_ipa_note(ipa, "%s", result_words(result));
		rspsim_ipa_save(ipa);
		if (!try_network(ipa, before, &result))
			return SLICE_NONE;
		rspsim_ipa_save(ipa);
		return with_notifications(ipa, result);
	case 0xbf52:
		ipa->report->data_requests++;
		result = rspsim_ipa_data(ipa, package->whole);
		rspsim_ipa_note(ipa, "data request answered");
		return result;
	case 0xbf54:
		ipa->report->downloads++;
		result = rspsim_ipa_trigger(ipa, package->whole);
		break;
	default:
		return complaint(ipa, package->whole, RSPSIM_UNKNOWN_PACKAGE);
	}
	return result.n ? result : complaint(ipa, package->whole, RSPSIM_INVALID_FORMAT);
}

/* ---- the loop ---------------------------------------------------------------------------- */

/* GetEimPackageRequest: what switched without the eIM's doing is told with it. */
static struct slice
poll_request(struct rspsim_ipa *ipa)
{
	enum rspsim_cause cause = ipa->card->iot.cause;
	struct slice eid = slice_of(ipa->card->eid_octets, sizeof ipa->card->eid_octets);
	struct slice flag = SLICE_NONE, why = SLICE_NONE, request;

	if (ipa->card->fault == RSPSIM_BREAK_POLL_EID)
		eid = rspsim_break_flip(ipa->mem, eid, 1);
	if (cause != RSPSIM_CAUSE_NONE) {
		flag = SLICE_LIT("\x80\x00");
		if (!ipa->card->iot.v10)
			why = rspsim_der_u32(ipa->mem, 0x81, cause);
	}
	request = RSPSIM_DER(ipa->mem, 0xbf4f, RSPSIM_DER(ipa->mem, 0x5a, eid), flag, why);
	return ipa->card->fault == RSPSIM_BREAK_POLL_CUT ? rspsim_break_cut(request) : request;
}

/* One poll; false at the end, by an error of the eIM too. */
static bool
poll(struct rspsim_ipa *ipa, struct rspsim_tlv *package)
{
	struct rspsim_tlv all;
	struct slice answer;
	uint32_t error;

	if (!rspsim_ipa_post(ipa, RSPSIM_ESIPA_GET_PACKAGE, poll_request(ipa), &answer))
		return false;
	ipa->card->iot.cause = RSPSIM_CAUSE_NONE;
	if (!rspsim_der_read_only(answer, 0xbf4f, &all) || !rspsim_der_read(&all.value, package) ||
		all.value.n)
		return rspsim_ipa_stop(ipa, RSPSIM_BY_CARD, "the eIM's answer cannot be read");
	if (package->tag != 0x02)
		return true;
	if (!rspsim_der_to_u32(package->value, &error))
		return rspsim_ipa_stop(ipa, RSPSIM_BY_CARD, "the eIM's answer cannot be read");
	ipa->report->eim_error = error;
	if (error == NOTHING_WAITS)
		return rspsim_ipa_stop(ipa, RSPSIM_DONE, "nothing waits");
	return rspsim_ipa_stop(
		ipa, RSPSIM_BY_SERVER, arena_printf(ipa->mem, "the eIM refuses with %u", error));
}

static void
run(struct rspsim_ipa *ipa)
{
	unsigned rounds = ipa->options->rounds ? ipa->options->rounds : ROUNDS_MAX, lost = 0;
	struct rspsim_tlv package;
	struct slice result;

	rspsim_ipa_stop(ipa, RSPSIM_DONE, "done");
	if (ipa->options->resend && !resend(ipa))
		return;
	for (unsigned i = 0; i < rounds; i++) {
		if (!poll(ipa, &package))
			break;
		result = rspsim_ipa_work(ipa, &package);
		if (!result.n || !rspsim_ipa_provide(ipa, result, &lost))
			return;
		/* refusals inside a download were told; the loop goes on */
		rspsim_ipa_stop(ipa, RSPSIM_DONE, "done");
	}
	if (ipa->report->outcome == RSPSIM_DONE)
		rspsim_ipa_notify(ipa);
}

void
rspsim_ipa_run(struct rspsim_card *card, struct rspsim_esipa *esipa,
	const struct rspsim_ipa_options *options, struct rspsim_ipa_report *report)
{
	struct rspsim_ipa ipa = { .card = card,
		.eim = rspsim_ipa_find_eim(card, options->eim),
		.esipa = esipa,
		.options = options,
		.report = report };
	struct arena mem;

	*report = (struct rspsim_ipa_report){ 0 };
	arena_init(&mem, ARENA_CAP, NULL, NULL);
	ipa.mem = &mem;
	run(&ipa);
	rspsim_ipa_save(&ipa);
	arena_fini(&mem);
}
