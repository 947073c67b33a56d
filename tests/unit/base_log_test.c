/* Values and identifiers as they may stand in a line of log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/log.h"

static void
identifiers_are_masked(void **state)
{
	char out[LOG_MASKED];

	(void)state;
	assert_string_equal(
		log_masked(SLICE_LIT("89049032123451234512345678901235"), out), "890490...1235");
	assert_string_equal(log_masked(SLICE_LIT("89000123456789012341"), out), "890001...2341");
	assert_string_equal(log_masked(SLICE_LIT("8900012345678"), out), "...");
	assert_string_equal(log_masked(SLICE_NONE, out), "");
}

static void
values_cannot_break_the_line(void **state)
{
	char out[512];

	(void)state;
	assert_string_equal(log_value(SLICE_LIT("plain-1.2:3"), out), "plain-1.2:3");
	assert_string_equal(log_value(SLICE_LIT("two words"), out), "\"two words\"");
	assert_string_equal(log_value(SLICE_LIT("a\nlevel=error b"), out), "\"a?level=error b\"");
	assert_string_equal(log_value(SLICE_LIT("say \"x\\\""), out), "\"say \\\"x\\\\\\\"\"");
	assert_string_equal(log_value(SLICE_LIT(""), out), "\"\"");
	/* Nor the terminal: DEL, a C1 control (CSI) in UTF-8 and alone, octets that are no UTF-8. */
	assert_string_equal(log_value(SLICE_LIT("a\x7f\xc2\x9b\x9b\xff~"), out), "a?????~");
}

static void
long_values_are_cut(void **state)
{
	char out[512], quotes[300];

	(void)state;
	memset(quotes, '"', sizeof quotes);
	assert_int_equal(strlen(log_value(SLICE_ARRAY(quotes), out)), 402);
}

static void
levels_belong_to_areas(void **state)
{
	(void)state;
	assert_true(log_level_set("dp", "debug"));
	assert_true(log_wanted(LOG_dp, LOG_DEBUG));
	assert_false(log_wanted(LOG_es9, LOG_DEBUG));
	assert_true(log_level_set("all", "error"));
	assert_false(log_wanted(LOG_dp, LOG_WARNING));
	assert_false(log_level_set("nobody", "error"));
	assert_false(log_level_set("dp", "loud"));
}

static void
traces_are_by_eid(void **state)
{
	static const char eid[] = "89049032123451234512345678901235";

	(void)state;
	assert_false(log_traced(slice_text(eid)));
	assert_true(log_trace_add(eid));
	assert_true(log_traced(slice_text(eid)));
	assert_false(log_traced(SLICE_LIT("89049032123451234512345678901236")));
	assert_true(log_trace_remove(eid));
	assert_false(log_trace_remove(eid));
	assert_false(log_trace_add("8904"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identifiers_are_masked),
		cmocka_unit_test(values_cannot_break_the_line),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(levels_belong_to_areas),
		cmocka_unit_test(traces_are_by_eid),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("base_log", tests, NULL, NULL);
}
