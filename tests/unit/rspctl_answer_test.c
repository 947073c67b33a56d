/*
 * What the daemon says on its socket: progress and last words are told from what is neither, and nothing that
 * a terminal obeys is shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "rspctl/show.h"
#include "rspctl/talk.h"

static void
lines_are_told_apart(void **state)
{
	static const struct {
		const char *line;
		bool good, last;
		long long done, of;
	} cases[] = {
		{ "{\"ok\":{}}\n", true, true, 0, 0 },
		{ "{\"error\":{\"code\":\"busy\"}}\n", true, true, 0, 0 },
		{ "{\"progress\":{\"done\":2,\"of\":3}}\n", true, false, 2, 3 },
		{ "{\"progress\":{\"done\":4,\"of\":3}}\n", true, false, 0, 0 },
		{ "{\"progress\":{\"done\":-1,\"of\":3}}\n", true, false, 0, 0 },
		{ "{\"progress\":{\"done\":1,\"of\":9223372036854775807}}\n", true, false, 0, 0 },
		{ "{\"ok\":[]}\n", false, false, 0, 0 },
		{ "{\"error\":\"busy\"}\n", false, false, 0, 0 },
		{ "{}\n", false, false, 0, 0 },
		{ "[]\n", false, false, 0, 0 },
		{ "SSH-2.0-x\n", false, false, 0, 0 },
		{ "", false, false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rspctl_answer answer;

		assert_int_equal(rspctl_answer_read(cases[i].line, strlen(cases[i].line), &answer),
			cases[i].good);
		assert_int_equal(answer.last != NULL, cases[i].last);
		assert_int_equal(answer.done, cases[i].done);
		assert_int_equal(answer.of, cases[i].of);
		json_decref(answer.last);
	}
}

static void
nothing_shown_moves_the_terminal(void **state)
{
	char safe[RSPCTL_CELL];

	(void)state;
	assert_string_equal(rspctl_show_safe("a\033[2J\r\n\x7f", safe), "a?[2J???");
	assert_string_equal(rspctl_show_safe("\xc2\x9b"
					     "1m\xc3\xa9",
				    safe),
		"?1m\xc3\xa9");
	assert_string_equal(rspctl_show_safe(NULL, safe), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_told_apart),
		cmocka_unit_test(nothing_shown_moves_the_terminal),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspctl_answer", tests, NULL, NULL);
}
