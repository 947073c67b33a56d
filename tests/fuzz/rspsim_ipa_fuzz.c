/*
 * What an eIM sends to the simulated IPA and its card. The first octet chooses: answers to one call after the
 * other, in ASN.1 or JSON, each behind its length in two octets; the commands of a package that is duly signed
 * around them; a whole package; an AddInitialEimRequest; a TransferEimPackageRequest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>
#include <cmocka.h>
#pragma GCC diagnostic ignored "-Wunused-function"
#include "unit/rspsim_eim.h"
#include "rspsim/ipa.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

enum { IN_ASN1, IN_JSON, PSMOS, ECOS, WHOLE, FIRST_EIM, PUSHED, WAYS };

static struct eim eim;
static struct slice answers; /* those still to be given */

/* ---- the eIM in the place of the transports ---------------------------------------------- */

static void *
start(const struct rspsim_esipa_options *options, const char **wrong)
{
	(void)options;
	(void)wrong;
	return &answers;
}

static void
stop(void *carrier)
{
	(void)carrier;
}

static void
post(void *carrier, struct arena *mem, struct rspsim_exchange *x)
{
	size_t n;

	(void)carrier;
	(void)mem;
	if (answers.n < 2) {
		snprintf(x->fault, sizeof x->fault, "the eIM has no more to say");
		return;
	}
	n = (size_t)answers.p[0] << 8 | answers.p[1];
	x->answer = slice_sub(answers, 2, n);
	answers = slice_sub(answers, 2 + x->answer.n, answers.n);
	x->status = x->answer.n ? 200 : 204;
	snprintf(x->answer_type, sizeof x->answer_type, "%s", x->type);
}

const struct rspsim_carrier rspsim_carrier_https = { start, post, stop };
const struct rspsim_carrier rspsim_carrier_coap = { start, post, stop };

/* ---- the card, made once, as new for each input ------------------------------------------ */

static void
renew(void)
{
	if (!eim.card) {
		eim_init(&eim);
		return;
	}
	arena_fini(&eim.server.mem);
	arena_init(&eim.server.mem, 1 << 24, NULL, NULL);
	rspsim_card_reset(eim.card);
	eim.card->sequence = 0;
	eim.counter = 0;
	rspsim_iot_start(eim.card, false);
	add_profile(&eim, ICCID_A, "b612301080020470810a736d64702e7465737431", RSPSIM_ENABLED);
	add_profile(&eim, ICCID_B, "b612301080020470810a736d64702e7465737431", RSPSIM_DISABLED);
	add_profile(&eim, ICCID_C, "9f6701ff", RSPSIM_DISABLED);
	add_profile(&eim, ICCID_E, "9f7b01ff", RSPSIM_DISABLED);
	add_initial(&eim, eim_configuration(&eim, ""));
}

static void
run(enum rspsim_transport transport, struct slice in)
{
	struct rspsim_esipa_options link = { .transport = transport, .server = "eim.test" };
	const struct rspsim_ipa_options options = { .indirect = true, .rounds = 8 };
	static struct rspsim_ipa_report report;
	const char *wrong = NULL;
	struct rspsim_esipa *esipa = rspsim_esipa_new(&link, &wrong);

	answers = in;
	rspsim_ipa_run(eim.card, esipa, &options, &report);
	rspsim_esipa_free(esipa);
}

/* Whatever the commands are, the card answers with a signed result that it keeps. */
static void
execute(uint32_t tag, struct slice commands)
{
	struct slice result;

	if (!commands.n)
		return;
	result = load(&eim, package_of(&eim, hex(&eim, "810101"), tag, commands));
	if (!result.n || !eim.card->iot.results || eim.card->iot.results->octets.n != result.n)
		abort();
}

static void
transfer(struct slice in)
{
	static const struct rspsim_ipa_options options;
	static struct rspsim_ipa_report report;
	struct rspsim_tlv all;

	if (!rspsim_der_read_only(
		    rspsim_ipa_transfer(eim.card, NULL, &options, &eim.server.mem, in, &report),
		    0xbf4e, &all))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct slice in = slice_of(octets + 1, n ? n - 1 : 0);

	if (n < 1 || n > 32768)
		return 0;
	renew();
	switch (octets[0] % WAYS) {
	case IN_ASN1:
		run(RSPSIM_HTTPS, in);
		break;
	case IN_JSON:
		run(RSPSIM_JSON, in);
		break;
	case PSMOS:
		execute(0xa0, in);
		break;
	case ECOS:
		execute(0xa1, in);
		break;
	case WHOLE:
		load(&eim, in);
		break;
	case FIRST_EIM:
		eim.card->iot.eims = NULL;
		rspsim_iot_add_initial_eim(eim.card, &eim.server.mem, in);
		break;
	default:
		transfer(in);
	}
	return 0;
}
