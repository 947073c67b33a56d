/*
 * The simulated LPA's ASN.1 binding: requests octet for octet, and what it takes for an answer: DER of
 * the module and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "base/text.h"
#include "codec_text.h"
#include "rspsim/es9_asn1.h"

static struct arena mem;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 8u << 20, NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_fini(&mem);
	return 0;
}

/* ---- requests ------------------------------------------------------------------------ */

static const struct {
	const char *function, *body, *der;
} requests[] = {
	{ "initiateAuthentication",
		"{\"euiccChallenge\":\"AQI=\",\"euiccInfo1\":\"vyADggEC\",\"smdpAddress\":\"a.b\"}",
		"A2{ BF39{ 81:0102 83:\"a.b\" BF20{ 82:02 } } }" },
	{ "authenticateClient",
		"{\"authenticateServerResponse\":\"vzgCoAA=\",\"transactionId\":\"0AFF\"}",
		"A2{ BF3B{ 80:0AFF BF38{ A0: } } }" },
	{ "getBoundProfilePackage",
		"{\"transactionId\":\"0AFF\",\"prepareDownloadResponse\":\"vyECoAA=\"}",
		"A2{ BF3A{ 80:0AFF BF21{ A0: } } }" },
	{ "cancelSession", "{\"transactionId\":\"0AFF\",\"cancelSessionResponse\":\"v0ECoAA=\"}",
		"A2{ BF41{ 80:0AFF A1{ A0: } } }" },
	{ "handleNotification", "{\"pendingNotification\":\"MAIFAA==\"}",
		"A2{ BF3D{ A0{ 30{ 05: } } } }" },
	{ "handleNotification", "{}", "A2{ BF3D: }" },
};

static void
a_request_is_exactly_these_octets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct slice octets =
			rspsim_es9_asn1_write(&mem, requests[i].function, requests[i].body);

		if (!slice_eq(octets, der(&mem, "%s", requests[i].der)))
			fail_msg("%s: %s", requests[i].body, text_hex(&mem, octets).p);
	}
	assert_true(slice_eq(
		rspsim_es9_asn1_write(&mem, "cancelSession", "{ no JSON"), SLICE_LIT("{ no JSON")));
}

/* ---- answers ------------------------------------------------------------------------- */

#define INITIATED "80:0AFF 30{ 80:01 } 5F37:A5*64 04:A1*20 30{ 02:01 }"
#define AUTHENTICATED "80:0AFF BF25: 30{ 80:01 } 5F37:A5*64 30{ 02:01 }"

static void
members_come_by_their_json_names(void **state)
{
	static const char *const names[] = { "transactionId", "profileMetadata", "smdpSigned2",
		"smdpSignature2", "smdpCertificate" };
	struct rspsim_call call = { .function = "authenticateClient", .http = 200 };
	json_t *answer = NULL;
	struct slice octets;

	(void)state;
	rspsim_es9_asn1_read(
		&mem, der(&mem, "A2{ BF3B{ A0{ " AUTHENTICATED " } } }"), &call, &answer);
	assert_int_equal(call.outcome, RSPSIM_CALL_FINE);
	assert_int_equal(json_object_size(answer), 5);
	for (size_t i = 0; i < 5; i++)
		assert_non_null(json_object_get(answer, names[i]));
	assert_string_equal(json_string_value(json_object_get(answer, names[0])), "0AFF");
	assert_true(text_unbase64(
		&mem, slice_text(json_string_value(json_object_get(answer, names[2]))), &octets));
	assert_true(slice_eq(octets, SLICE_LIT("\x30\x03\x80\x01\x01")));
	json_decref(answer);
}

static const struct {
	const char *function;
	long http;
	const char *der;
	enum rspsim_call_outcome outcome;
	const char *words;
} answers[] = {
	{ "initiateAuthentication", 200, "A2{ BF39{ A0{ " INITIATED " } } }", RSPSIM_CALL_FINE,
		"" },
	{ "cancelSession", 200, "A2{ BF41{ A0: } }", RSPSIM_CALL_FINE, "" },
	{ "handleNotification", 204, "", RSPSIM_CALL_FINE, "" },
	{ "cancelSession", 503, "", RSPSIM_CALL_TRANSPORT, "HTTP status 503" },
	{ "handleNotification", 204, "A2:", RSPSIM_CALL_TRANSPORT, "HTTP status 204" },
	/* errors by name */
	{ "initiateAuthentication", 200, "A2{ BF39{ 81:02 } }", RSPSIM_CALL_REFUSED,
		"euiccVersionNotSupportedByDp(2)" },
	{ "authenticateClient", 200, "A2{ BF3B{ 81:0B } }", RSPSIM_CALL_REFUSED,
		"insufficientMemory(11)" },
	{ "getBoundProfilePackage", 200, "A2{ BF3A{ 81:5F } }", RSPSIM_CALL_REFUSED,
		"invalidTransactionId(95)" },
	{ "cancelSession", 200, "A2{ BF41{ 81:7F } }", RSPSIM_CALL_REFUSED, "undefinedError(127)" },
/* errors that are none */
#define NO_NUMBER "the answer's error is no number above zero"
	{ "cancelSession", 200, "A2{ BF41{ 81:00 } }", RSPSIM_CALL_TRANSPORT, NO_NUMBER },
	{ "cancelSession", 200, "A2{ BF41{ 81:0001 } }", RSPSIM_CALL_TRANSPORT, NO_NUMBER },
	{ "cancelSession", 200, "A2{ BF41{ 81:FF } }", RSPSIM_CALL_TRANSPORT, NO_NUMBER },
	{ "cancelSession", 200, "A2{ BF41{ 81: } }", RSPSIM_CALL_TRANSPORT, NO_NUMBER },
#define NO_ERROR "the answer's error is none of this function"
	{ "cancelSession", 200, "A2{ BF41{ 81:03 } }", RSPSIM_CALL_TRANSPORT, NO_ERROR },
	{ "initiateAuthentication", 200, "A2{ BF39{ 81:7C } }", RSPSIM_CALL_TRANSPORT, NO_ERROR },
/* frames */
#define NO_ANSWER "the answer is no RemoteProfileProvisioningResponse of this function"
	{ "cancelSession", 200, "", RSPSIM_CALL_TRANSPORT, NO_ANSWER },
	{ "cancelSession", 200, "A3{ BF41{ A0: } }", RSPSIM_CALL_TRANSPORT, NO_ANSWER },
	{ "cancelSession", 200, "BF41{ A0: }", RSPSIM_CALL_TRANSPORT, NO_ANSWER },
	{ "cancelSession", 200, "A2{ BF3B{ 81:01 } }", RSPSIM_CALL_TRANSPORT, NO_ANSWER },
	{ "cancelSession", 200, "A2{ BF41{ A0: } BF41{ A0: } }", RSPSIM_CALL_TRANSPORT, NO_ANSWER },
	{ "cancelSession", 200, "A2{ BF41{ A0: } } 05:", RSPSIM_CALL_TRANSPORT, NO_ANSWER },
/* members */
#define NO_MEMBERS "the answer's members are not those of the function"
	{ "cancelSession", 200, "A2{ BF41: }", RSPSIM_CALL_TRANSPORT, NO_MEMBERS },
	{ "cancelSession", 200, "A2{ BF41{ A0{ 80:01 } } }", RSPSIM_CALL_TRANSPORT, NO_MEMBERS },
	{ "cancelSession", 200, "A2{ BF41{ A0: 81:01 } }", RSPSIM_CALL_TRANSPORT, NO_MEMBERS },
	{ "cancelSession", 200, "A2{ BF41{ 30: } }", RSPSIM_CALL_TRANSPORT, NO_MEMBERS },
	{ "initiateAuthentication", 200, "A2{ BF39{ A0{ " INITIATED " A1: } } }",
		RSPSIM_CALL_TRANSPORT, NO_MEMBERS },
	{ "initiateAuthentication", 200,
		"A2{ BF39{ A0{ 80:0AFF 30{ 80:01 } 5F37:A5*64 04:A1*20 } } }",
		RSPSIM_CALL_TRANSPORT, NO_MEMBERS },
	{ "getBoundProfilePackage", 200, "A2{ BF3A{ A0{ 80: BF36: } } }", RSPSIM_CALL_TRANSPORT,
		NO_MEMBERS },
	{ "getBoundProfilePackage", 200, "A2{ BF3A{ A0{ 80:00*17 BF36: } } }",
		RSPSIM_CALL_TRANSPORT, NO_MEMBERS },
	{ "getBoundProfilePackage", 200, "A2{ BF3A{ A0{ BF36: 80:01 } } }", RSPSIM_CALL_TRANSPORT,
		NO_MEMBERS },
};

static void
an_answer_is_of_the_module_or_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct rspsim_call call = { .function = answers[i].function,
			.http = answers[i].http };
		json_t *answer = NULL;

		rspsim_es9_asn1_read(&mem, der(&mem, "%s", answers[i].der), &call, &answer);
		if (call.outcome != answers[i].outcome ||
			strcmp(call.message, answers[i].words) != 0)
			fail_msg("%s %s: %d %s", answers[i].function, answers[i].der, call.outcome,
				call.message);
		assert_int_equal(call.error != 0, call.outcome == RSPSIM_CALL_REFUSED);
		json_decref(answer);
	}
}

/* Lengths that are not minimal are no DER; a cut or a bit anywhere in the frame is noticed. */
static void
nothing_but_der_is_taken(void **state)
{
	struct slice right = der(&mem, "A2{ BF39{ A0{ " INITIATED " } } }");
	static const uint8_t loose[] = { 0xa2, 0x81, 0x05, 0xbf, 0x41, 0x02, 0xa0, 0x00 };

	(void)state;
	for (size_t n = 0; n <= right.n; n++) {
		struct rspsim_call call = { .function = "initiateAuthentication", .http = 200 };
		json_t *answer = NULL;

		rspsim_es9_asn1_read(&mem, slice_sub(right, 0, n), &call, &answer);
		assert_int_equal(call.outcome == RSPSIM_CALL_FINE, n == right.n);
		json_decref(answer);
	}
	for (int i = 0; i < 2; i++) {
		struct rspsim_call call = { .function = "cancelSession", .http = 200 };
		json_t *answer = NULL;

		rspsim_es9_asn1_read(&mem, i ? SLICE_ARRAY(loose) : der(&mem, "A2{ BF41{ A0: } }"),
			&call, &answer);
		assert_int_equal(call.outcome, i ? RSPSIM_CALL_TRANSPORT : RSPSIM_CALL_FINE);
		json_decref(answer);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_exactly_these_octets),
		cmocka_unit_test(members_come_by_their_json_names),
		cmocka_unit_test(an_answer_is_of_the_module_or_none),
		cmocka_unit_test(nothing_but_der_is_taken),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspsim_asn1", tests, setup, teardown);
}
