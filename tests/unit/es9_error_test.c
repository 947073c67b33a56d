/*
 * Each refusal that a function of ES9+ may give has its row of error integers, once; and no row is there for
 * what nobody is refused with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "dp/refusal.h"

static const struct {
	const char *subject, *reason;
} rows[] = {
#define ERROR(subject, reason, ...) { subject, reason },
#include "wire/es9_errors.def"
};
enum { ROWS = sizeof rows / sizeof *rows };

static unsigned found[ROWS];

/* The file begins with the refusals of ES9+, of which OID_MISMATCH is the last. */
static void
visit(void *arg, const struct dp_refusal *no, uint64_t count)
{
	unsigned here = 0;

	(void)arg;
	(void)count;
	if (no->index > DP_OID_MISMATCH.index)
		return;
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].subject, no->subject) == 0 &&
			strcmp(rows[i].reason, no->reason) == 0) {
			found[i]++;
			here++;
		}
	if (here != 1)
		fail_msg("%s has %u rows in wire/es9_errors.def", no->base.name, here);
}

static void
each_refusal_has_its_row(void **state)
{
	(void)state;
	dp_refusal_each(visit, NULL);
	for (size_t i = 0; i < ROWS; i++)
		if (!found[i])
			fail_msg("nothing is refused with %s/%s", rows[i].subject, rows[i].reason);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_refusal_has_its_row) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("es9_error", tests, NULL, NULL);
}
