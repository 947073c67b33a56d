/* Activation codes as users paste them, and those that must not be taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "rspsim/activation.h"

static struct arena mem;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 1 << 16, NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_fini(&mem);
	return 0;
}

static void
codes_are_cut_into_their_fields(void **state)
{
	static const struct {
		const char *code;
		struct rspsim_activation want;
	} row[] = {
		{ "1$SMDP.GSMA.COM$04386-AGYFT-A74Y8-3F815",
			{ "SMDP.GSMA.COM", "04386-AGYFT-A74Y8-3F815", "", false } },
		{ "LPA:1$smdp.test$X", { "smdp.test", "X", "", false } },
		{ "  lpa:1$smdp.test$X \r\n", { "smdp.test", "X", "", false } },
		{ "LPA:1$smdp.test$", { "smdp.test", "", "", false } },
		{ "1$smdp.test:8443$X$1.3.6.1", { "smdp.test:8443", "X", "1.3.6.1", false } },
		{ "1$smdp.test$X$1.3.6.1$1", { "smdp.test", "X", "1.3.6.1", true } },
		{ "1$smdp.test$X$$1", { "smdp.test", "X", "", true } },
		{ "1$smdp.test$X$$1$later$fields", { "smdp.test", "X", "", true } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct rspsim_activation got;

		assert_null(rspsim_activation_read(&mem, slice_text(row[i].code), &got));
		assert_string_equal(got.address, row[i].want.address);
		assert_string_equal(got.matching_id, row[i].want.matching_id);
		assert_string_equal(got.oid, row[i].want.oid);
		assert_int_equal(got.cc_required, row[i].want.cc_required);
	}
}

static void
other_texts_are_refused(void **state)
{
	static const char *const codes[] = { "", "LPA:", "2$smdp.test$X", "1$smdp.test", "1$$X",
		"1$smdp.test$X$not-an-oid", "1$smdp.test/path$X", "1$user@smdp.test$X",
		"smdp.test$X" };
	struct rspsim_activation got;
	char text[300] = "1$smdp.test$";

	(void)state;
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		assert_non_null(rspsim_activation_read(&mem, slice_text(codes[i]), &got));
	memset(text + 12, 'x', 255 - 12);
	assert_null(rspsim_activation_read(&mem, slice_text(text), &got));
	text[255] = 'x';
	assert_non_null(rspsim_activation_read(&mem, slice_text(text), &got));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_cut_into_their_fields),
		cmocka_unit_test(other_texts_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspsim_activation", tests, setup, teardown);
}
