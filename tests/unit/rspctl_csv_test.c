/* Answers as CSV (RFC 4180): what a cell may hold, and that none begins as a formula does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "rspctl/csv.h"

static const struct rspctl_column columns[] = { { "Name", "name" }, { "a,b", "n" },
	{ "On", "on" } };

/* The row of these members, as JSON. */
static void
must_be(const char *json, const char *wanted)
{
	char *octets = NULL;
	size_t n;
	FILE *out = open_memstream(&octets, &n);
	json_t *row = json_loads(json, 0, NULL);

	assert_non_null(row);
	rspctl_csv_row(row, columns, 3, out);
	fclose(out);
	assert_string_equal(octets, wanted);
	free(octets);
	json_decref(row);
}

static void
the_head_has_the_titles(void **state)
{
	char *octets = NULL;
	size_t n;
	FILE *out = open_memstream(&octets, &n);

	(void)state;
	rspctl_csv_head(columns, 3, out);
	fclose(out);
	assert_string_equal(octets, "Name,\"a,b\",On\r\n");
	free(octets);
}

static void
cells_by_their_kind(void **state)
{
	(void)state;
	must_be("{\"name\":\"Gold\",\"n\":-7,\"on\":true}", "Gold,-7,yes\r\n");
	must_be("{\"on\":false,\"more\":\"x\"}", ",,no\r\n");
	must_be("{\"name\":\"\",\"n\":null,\"on\":[1]}", ",,\r\n");
}

static void
texts_are_quoted_when_they_must(void **state)
{
	(void)state;
	must_be("{\"name\":\"a,b\"}", "\"a,b\",,\r\n");
	must_be("{\"name\":\"say \\\"no\\\"\"}", "\"say \"\"no\"\"\",,\r\n");
	must_be("{\"name\":\"two\\nlines\"}", "\"two\nlines\",,\r\n");
	must_be("{\"name\":\"a;b\"}", "a;b,,\r\n");
}

static void
no_cell_is_a_formula(void **state)
{
	(void)state;
	must_be("{\"name\":\"=1+1\"}", "'=1+1,,\r\n");
	must_be("{\"name\":\"+1\"}", "'+1,,\r\n");
	must_be("{\"name\":\"-1\"}", "'-1,,\r\n");
	must_be("{\"name\":\"@a\"}", "'@a,,\r\n");
	must_be("{\"name\":\"\\t=1\"}", "'\t=1,,\r\n");
	must_be("{\"name\":\"=a,\\\"b\\\"\"}", "\"'=a,\"\"b\"\"\",,\r\n");
	must_be("{\"name\":\"a=1\"}", "a=1,,\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_has_the_titles),
		cmocka_unit_test(cells_by_their_kind),
		cmocka_unit_test(texts_are_quoted_when_they_must),
		cmocka_unit_test(no_cell_is_a_formula),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspctl_csv", tests, NULL, NULL);
}
