/*
 * The JSON binding of ESipa as a client (SGP.32 §6.4): what each request becomes, what each answer means, that
 * status codes are the module's integers, and that nothing else passes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>
#include <cmocka.h>
#include "base/text.h"
#include "rspsim/esipa.h"

#define FINE "\"header\":{\"functionExecutionStatus\":{\"status\":\"Executed-Success\"}}"
#define FAILED(subject, reason)                                                                \
	"{\"header\":{\"functionExecutionStatus\":{\"status\":\"Failed\",\"statusCodeData\":{" \
	"\"subjectCode\":\"" subject "\",\"reasonCode\":\"" reason "\",\"message\":\"why\"}}}}"

static struct arena mem;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 1 << 20, NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_fini(&mem);
	return 0;
}

static struct slice
hex(const char *digits)
{
	struct slice out;

	assert_true(text_unhex(&mem, slice_text(digits), &out));
	return out;
}

static void
requests_become_members(void **state)
{
	static const struct {
		enum rspsim_esipa_function function;
		const char *der, *json;
	} rows[] = {
		{ RSPSIM_ESIPA_GET_PACKAGE, "bf4f125a1089049032123451234512345678901235",
			"{\"eidValue\":\"89049032123451234512345678901235\"}" },
		{ RSPSIM_ESIPA_GET_PACKAGE, "bf4f175a10890490321234512345123456789012358000810105",
			"{\"eidValue\":\"89049032123451234512345678901235\",\"notifyStateChange\":"
			"true,"
			"\"stateChangeCause\":5}" },
		{ RSPSIM_ESIPA_PROVIDE, "bf50155a1089049032123451234512345678901235bf5100",
			"{\"eidValue\":\"89049032123451234512345678901235\",\"eimPackageResult\":"
			"\"v1EA\"}" },
		{ RSPSIM_ESIPA_PROVIDE, "bf50023000", "{\"eimPackageResult\":\"MAA=\"}" },
		{ RSPSIM_ESIPA_NOTIFY, "bf3d05a003bf3700", "{\"pendingNotification\":\"vzcA\"}" },
		{ RSPSIM_ESIPA_NOTIFY, "bf3d03bf5000", "{\"provideEimPackageResult\":\"v1AA\"}" },
		{ RSPSIM_ESIPA_INITIATE, "bf39108102aabb830161bf2000820401020304",
			"{\"euiccChallenge\":\"qrs=\",\"smdpAddress\":\"a\",\"euiccInfo1\":"
			"\"vyAA\","
			"\"eimTransactionId\":\"01020304\"}" },
		{ RSPSIM_ESIPA_AUTHENTICATE, "bf3b068001abbf3800",
			"{\"transactionId\":\"AB\",\"authenticateServerResponse\":\"vzgA\"}" },
		{ RSPSIM_ESIPA_GET_BPP, "bf3a068001abbf2100",
			"{\"transactionId\":\"AB\",\"prepareDownloadResponse\":\"vyEA\"}" },
		/* the function's tag takes the response's place in DER, not in JSON */
		{ RSPSIM_ESIPA_CANCEL, "bf41078001aba102a000",
			"{\"transactionId\":\"AB\",\"cancelSessionResponse\":\"v0ECoAA=\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct slice got =
			rspsim_esipa_json_write(&mem, rows[i].function, hex(rows[i].der));

		assert_string_equal((const char *)got.p, rows[i].json);
	}
}

/* NULL: no message, and words. */
static const struct row {
	enum rspsim_esipa_function function;
	const char *json, *der;
} answers[] = {
	{ RSPSIM_ESIPA_GET_PACKAGE, "{" FINE ",\"euiccPackageRequest\":\"v1EA\"}", "bf4f03bf5100" },
	{ RSPSIM_ESIPA_GET_PACKAGE, "{" FINE ",\"ipaEuiccDataRequest\":\"v1IA\"}", "bf4f03bf5200" },
	{ RSPSIM_ESIPA_GET_PACKAGE, "{" FINE ",\"profileDownloadTriggerRequest\":\"v1QA\"}",
		"bf4f03bf5400" },
	{ RSPSIM_ESIPA_GET_PACKAGE, "{" FINE ",\"eimPackageError\":1}", "bf4f03020101" },
	{ RSPSIM_ESIPA_GET_PACKAGE, FAILED("8.1.1", "3.7"), "bf4f03020101" },
	{ RSPSIM_ESIPA_GET_PACKAGE, FAILED("8.1.1", "3.9"), "bf4f03020102" },
	{ RSPSIM_ESIPA_GET_PACKAGE, FAILED("8.1.1", "2.1"), "bf4f03020103" },
	{ RSPSIM_ESIPA_GET_PACKAGE, FAILED("8.1.1", "2.2"), "bf4f03020104" },
	{ RSPSIM_ESIPA_GET_PACKAGE, FAILED("1.2", "3.4"), "bf4f0302017f" },
	{ RSPSIM_ESIPA_GET_PACKAGE, "{" FINE ",\"euiccPackageRequest\":\"v1IA\"}", NULL },
	{ RSPSIM_ESIPA_GET_PACKAGE, "{" FINE ",\"euiccPackageRequest\":\"v1EAAA==\"}", NULL },
	{ RSPSIM_ESIPA_GET_PACKAGE, "{" FINE ",\"euiccPackageRequest\":5}", NULL },
	{ RSPSIM_ESIPA_GET_PACKAGE, "{" FINE ",\"eimPackageError\":-1}", NULL },
	{ RSPSIM_ESIPA_GET_PACKAGE, "{" FINE ",\"eimPackageError\":1,\"more\":1}", NULL },
	{ RSPSIM_ESIPA_GET_PACKAGE, "{\"euiccPackageRequest\":\"v1EA\"}", NULL },
	{ RSPSIM_ESIPA_GET_PACKAGE, "[]", NULL },
	{ RSPSIM_ESIPA_GET_PACKAGE, "{", NULL },
	{ RSPSIM_ESIPA_PROVIDE, "{" FINE ",\"eimAcknowledgements\":\"v1MDgAEB\"}",
		"bf5006bf5303800101" },
	{ RSPSIM_ESIPA_PROVIDE, "{" FINE "}", "bf50023000" },
	{ RSPSIM_ESIPA_PROVIDE, FAILED("8.1.1", "3.9"), "bf5003020102" },
	{ RSPSIM_ESIPA_INITIATE,
		"{" FINE
		",\"transactionId\":\"ab\",\"serverSigned1\":\"MAA=\",\"serverSignature1\":"
		"\"XzcA\",\"euiccCiPKIdentifierToBeUsed\":\"BAA=\",\"serverCertificate\":\"MAA=\","
		"\"matchingId\":\"x\",\"ctxParams1\":\"oAA=\"}",
		"bf3915a0138001ab30005f370004003000"
		"0c0178a202a000" },
	{ RSPSIM_ESIPA_INITIATE,
		"{" FINE ",\"serverSigned1\":\"MAA=\",\"serverSignature1\":\"XzcA\","
		"\"euiccCiPKIdentifierToBeUsed\":\"BAA=\",\"serverCertificate\":\"MAA=\"}",
		"bf390ba00930005f370004003000" },
	{ RSPSIM_ESIPA_INITIATE,
		"{" FINE ",\"serverSigned1\":\"MAA=\",\"serverSignature1\":\"XzcA\","
		"\"serverCertificate\":\"MAA=\"}",
		NULL },
	{ RSPSIM_ESIPA_INITIATE, FAILED("8.8.1", "3.8"), "bf3903810101" },
	{ RSPSIM_ESIPA_INITIATE, FAILED("8.9.1", "3.8"), "bf3903810101" },
	{ RSPSIM_ESIPA_INITIATE, FAILED("8.8.3", "3.1"), "bf3903810102" },
	{ RSPSIM_ESIPA_INITIATE, FAILED("8.8.4", "3.7"), "bf3903810103" },
	{ RSPSIM_ESIPA_INITIATE, FAILED("8.8.1", "3.10"), "bf3903810132" },
	{ RSPSIM_ESIPA_INITIATE, FAILED("8.8", "3.10"), "bf3903810133" },
	{ RSPSIM_ESIPA_INITIATE, FAILED("8.31.2", "3.10"), "bf3903810134" },
	{ RSPSIM_ESIPA_AUTHENTICATE,
		"{" FINE
		",\"smdpSigned2\":\"MAA=\",\"smdpSignature2\":\"XzcA\",\"smdpCertificate\":"
		"\"MAA=\",\"hashCc\":\"AAE=\",\"profileMetadata\":\"vyUA\"}",
		"bf3b10a00ebf250030005f3700300004020001" },
	/* hashCc as DER, as some write it */
	{ RSPSIM_ESIPA_AUTHENTICATE,
		"{" FINE
		",\"smdpSigned2\":\"MAA=\",\"smdpSignature2\":\"XzcA\",\"smdpCertificate\":"
		"\"MAA=\",\"hashCc\":\"BAIAAQ==\"}",
		"bf3b0da00b30005f3700300004020001" },
	{ RSPSIM_ESIPA_AUTHENTICATE,
		"{" FINE ",\"transactionId\":\"AB\",\"profileDownloadTrigger\":\"v1QA\"}",
		"bf3b08a1068001abbf5400" },
	{ RSPSIM_ESIPA_AUTHENTICATE, FAILED("8.2.8", "1.2"), "bf3b03820132" },
	{ RSPSIM_ESIPA_AUTHENTICATE, FAILED("8.9.5", "3.9"), "bf3b03820138" },
	{ RSPSIM_ESIPA_GET_BPP, "{" FINE ",\"boundProfilePackage\":\"vzYA\"}", "bf3a05a003bf3600" },
	{ RSPSIM_ESIPA_GET_BPP, "{" FINE "}", NULL },
	{ RSPSIM_ESIPA_GET_BPP, FAILED("8.2.9", "3.11"), "bf3a03810132" },
	{ RSPSIM_ESIPA_CANCEL, "{" FINE "}", "bf4102a000" },
	{ RSPSIM_ESIPA_CANCEL, FAILED("8.1", "6.1"), "bf4103810102" },
};

static void
answers_become_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		const struct row *r = answers + i;
		struct rspsim_call call = { .function = rspsim_esipa_name(r->function) };
		struct slice got =
			rspsim_esipa_json_read(&mem, r->function, slice_text(r->json), &call);

		if (!r->der && (got.n || !call.message[0]))
			fail_msg("taken: %s", r->json);
		if (r->der && !slice_eq(got, hex(r->der)))
			fail_msg("%s: %s", r->json, (const char *)text_hex(&mem, got).p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_become_members),
		cmocka_unit_test(answers_become_messages),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspsim_esipa_json", tests, setup, teardown);
}
