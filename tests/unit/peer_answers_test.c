/* What answers of other servers mean: ES12's by the function that was called, ES2+'s callback, an SM-DS's names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "peer/es12.h"
#include "peer/es2_callback.h"
#include "peer/int.h"

static struct arena mem;
static struct task task = { .mem = &mem };

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

#define STATUS(text) "{\"header\": {\"functionExecutionStatus\": {\"status\": \"" text "\""
#define FINE(text) STATUS(text) "}}}"
#define FAILED(subject, reason)                                                              \
	STATUS("Failed")                                                                     \
	", \"statusCodeData\": {\"subjectCode\": \"" subject "\", \"reasonCode\": \"" reason \
	"\", \"message\": \"words\"}}}}"

#define DONE PEER_ES12_DONE
#define REFUSED PEER_ES12_REFUSED
#define AWAY PEER_ES12_UNREACHABLE

static const struct {
	unsigned status;
	const char *body;
	enum peer_es12_outcome registered, deleted;
} answers[] = {
	{ 200, FINE("Executed-Success"), DONE, DONE },
	{ 200, FINE("Executed-WithWarning"), DONE, DONE },
	{ 200, FAILED("8.9.5", "3.3"), DONE, REFUSED },
	{ 200, FAILED("8.9.5", "3.9"), REFUSED, DONE },
	{ 200, FAILED("8.9.5", "3.30"), REFUSED, REFUSED },
	{ 200, FAILED("8.9", "3.3"), REFUSED, REFUSED },
	{ 200, FAILED("8.9", "4.2"), REFUSED, REFUSED },
	{ 200, STATUS("Failed") "}}}", REFUSED, REFUSED },
	{ 200, FINE("Expired"), REFUSED, REFUSED },
	{ 200, "{\"header\": {}}", AWAY, AWAY },
	{ 200, "{\"header\": {\"functionExecutionStatus\": {\"status\": 1}}}", AWAY, AWAY },
	{ 200, "[]", AWAY, AWAY },
	{ 200, "{", AWAY, AWAY },
	{ 200, "", AWAY, AWAY },
	{ 201, FINE("Executed-Success"), AWAY, AWAY },
	{ 500, FINE("Executed-Success"), AWAY, AWAY },
	{ 0, "", AWAY, AWAY },
};

static struct https_reply
reply_of(size_t i)
{
	return (struct https_reply){ .status = answers[i].status,
		.body = slice_text(answers[i].body),
		.wrong = answers[i].status ? NULL : "nobody is there" };
}

static void
each_function_of_es12_has_its_own_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct https_reply reply = reply_of(i);
		const char *wrong = NULL;

		if (peer_es12_register_judge(&task, &reply, &wrong) != answers[i].registered)
			fail_msg("RegisterEvent: %u %s", answers[i].status, answers[i].body);
		assert_int_equal(wrong == NULL, answers[i].registered == PEER_ES12_DONE);
		wrong = NULL;
		if (peer_es12_delete_judge(&task, &reply, &wrong) != answers[i].deleted)
			fail_msg("DeleteEvent: %u %s", answers[i].status, answers[i].body);
		assert_int_equal(wrong == NULL, answers[i].deleted == PEER_ES12_DONE);
	}
}

static void
events_are_judged_by_their_type(void **state)
{
	const struct peer_delivery registering = { .type = SLICE_LIT("es12.register") },
				   deleting = { .type = SLICE_LIT("es12.delete") };

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct https_reply reply = reply_of(i);

		assert_int_equal(peer_es12_send_judge(&task, &registering, &reply) == NULL,
			answers[i].registered == PEER_ES12_DONE);
		assert_int_equal(peer_es12_send_judge(&task, &deleting, &reply) == NULL,
			answers[i].deleted == PEER_ES12_DONE);
	}
}

static void
an_operator_says_204_and_nothing_else(void **state)
{
	static const unsigned others[] = { 200, 202, 205, 302, 400, 503 };
	struct https_reply reply = { .status = 204 };

	(void)state;
	assert_null(peer_es2_progress_judge(&task, NULL, &reply));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		reply.status = others[i];
		assert_non_null(peer_es2_progress_judge(&task, NULL, &reply));
	}
	reply = (struct https_reply){ .wrong = "nobody is there" };
	assert_string_equal(peer_es2_progress_judge(&task, NULL, &reply), "nobody is there");
}

static void
an_sm_ds_is_known_by_name_and_port(void **state)
{
	static const struct {
		const char *named, *known;
	} rows[] = {
		{ "ds.example.org", "ds.example.org" },
		{ "DS.Example.ORG:443", "ds.example.org" },
		{ "ds.example.org:00443", "ds.example.org" },
		{ "ds.example.org:444", NULL },
		{ "other.example.org:8443", "Other.example.org:8443" },
		{ "other.example.org", NULL },
		{ "ds.example.org.", NULL },
		{ "ds.example.org:", NULL },
		{ "x@ds.example.org", NULL },
		{ "", NULL },
	};
	const struct peer p = { .settings = { .smds = { { .address = "ds.example.org" },
						      { .address = "Other.example.org:8443" } },
					.smds_n = 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct slice known = peer_es12_known(&task, &p, slice_text(rows[i].named));

		if (!slice_eq(known, slice_text(rows[i].known)) || !known.p != !rows[i].known)
			fail_msg("%s: %.*s", rows[i].named, SLICE_FMT(known));
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_function_of_es12_has_its_own_codes),
		TEST(events_are_judged_by_their_type),
		TEST(an_operator_says_204_and_nothing_else),
		TEST(an_sm_ds_is_known_by_name_and_port),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("peer_answers", tests, NULL, NULL);
}
