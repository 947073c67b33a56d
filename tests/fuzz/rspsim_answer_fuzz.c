/*
 * What a server answers to the simulated LPA, from the HTTP status to the members. The first octet chooses the
 * call, the second the form: the rest is the body as it is, under this status, or the octets of one member of
 * an answer that is right otherwise. The transport is left out: rspsim_es9_post is this file's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#pragma GCC diagnostic ignored "-Wunused-function"
#include "rspsim/lpa.h"
#include "unit/rspsim_answers.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static const char *const calls[] = { "initiateAuthentication", "authenticateClient",
	"getBoundProfilePackage", "cancelSession", "handleNotification" };
enum { CALLS = sizeof calls / sizeof *calls, CANCEL = 3 };

/* NULL: the whole body. */
static const struct {
	long status;
	const char *member;
} forms[] = { { 200, NULL }, { 204, NULL }, { 503, NULL }, { 200, "serverSigned1" },
	{ 200, "serverSignature1" }, { 200, "euiccCiPKIdToBeUsed" }, { 200, "serverCertificate" },
	{ 200, "profileMetadata" }, { 200, "smdpSigned2" }, { 200, "smdpSignature2" },
	{ 200, "smdpCertificate" }, { 200, "boundProfilePackage" } };
enum { FORMS = sizeof forms / sizeof *forms };

static struct server server;
static struct {
	unsigned call, form;
	struct slice octets;
} strange;

/* The right answer, but for the strange member. */
static struct slice
right_answer(const char *function, json_t *request)
{
	json_t *answer = server_answer(&server, function, request, SLICE_LIT(TEST_METADATA));
	const char *member = forms[strange.form].member;
	struct slice copy;
	char *text;

	if (member && json_object_get(answer, member))
		put_octets(&server, answer, member, strange.octets);
	json_object_set_new(answer, "header",
		json_pack("{s:{s:s}}", "functionExecutionStatus", "status", "Executed-Success"));
	text = json_dumps(answer, JSON_COMPACT);
	copy = slice_text(arena_string(&server.mem, slice_text(text)));
	free(text);
	json_decref(answer);
	return copy;
}

void
rspsim_es9_post(struct rspsim_es9 *es9, const char *address, const char *function, const char *body,
	struct rspsim_call *call, json_t **answer)
{
	json_t *request = json_loads(body, 0, NULL);
	struct slice octets;

	(void)es9;
	(void)address;
	*call = (struct rspsim_call){ .function = function, .http = 200 };
	*answer = NULL;
	if (strcmp(function, calls[strange.call]) == 0 && !forms[strange.form].member) {
		call->http = forms[strange.form].status;
		octets = strange.octets;
	} else {
		octets = right_answer(function, request);
	}
	rspsim_es9_answer_read(octets, call, answer);
	json_decref(request);
}

static void
play(struct rspsim_card *card)
{
	struct rspsim_download what = {
		.code = { "smdp.test1", "TOKEN", "2.999.10", false },
		.cancel = strange.call == CANCEL,
		.cancel_reason = RSPSIM_CANCEL_TIMEOUT,
	};
	struct rspsim_report report;

	rspsim_lpa_download(card, NULL, &what, &report);
	/* Installed is what was right to its end, and told as it is. */
	if (report.outcome == RSPSIM_DONE && !what.cancel && !card->profiles)
		abort();
	if (card->profiles &&
		(what.cancel || (strange.call < CANCEL && !forms[strange.form].member)))
		abort();
	rspsim_card_reset(card);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static struct rspsim_card *card;

	if (n < 2)
		return 0;
	if (!card) {
		server_init(&server, NID_X9_62_prime256v1, NULL);
		card = server_card(&server);
	}
	strange.call = octets[0] % CALLS;
	strange.form = octets[1] % FORMS;
	strange.octets = slice_of(octets + 2, n - 2);
	arena_fini(&server.mem);
	arena_init(&server.mem, 1 << 24, NULL, NULL);
	play(card);
	return 0;
}
