/* How many days a certificate has left, and when it is due to be told of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dp/dp.h"

enum { DAY = 86400, END = 2000000000 };

static struct dp_certificate
lasting(int64_t days)
{
	return (struct dp_certificate){ .not_before = END - days * DAY, .not_after = END };
}

static void
days_are_rounded_down(void **state)
{
	static const struct {
		int64_t left, days;
	} rows[] = { { 398 * DAY, 398 }, { DAY, 1 }, { DAY - 1, 0 }, { 0, 0 }, { -1, -1 },
		{ -DAY, -1 }, { -DAY - 1, -2 } };
	struct dp_certificate c = lasting(398);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(dp_certificate_days(&c, END - rows[i].left), rows[i].days);
}

static void
each_threshold_has_its_time(void **state)
{
	static const struct {
		int64_t life, left; /* days, seconds */
		int ahead;
	} rows[] = {
		{ 398, 31 * DAY, -1 },
		{ 398, 30 * DAY + 1, -1 },
		{ 398, 30 * DAY, 30 },
		{ 398, 7 * DAY + 1, 30 },
		{ 398, 7 * DAY, 7 },
		{ 398, DAY + 1, 7 },
		{ 398, DAY, 1 },
		{ 398, 1, 1 },
		{ 398, 0, 0 },
		{ 398, -100 * DAY, 0 },
		/* lists: a month's, a week's, a day's */
		{ 31, 30 * DAY, -1 },
		{ 31, 7 * DAY, 7 },
		{ 7, 6 * DAY, -1 },
		{ 7, DAY, 1 },
		{ 1, DAY, -1 },
		{ 1, 1, -1 },
		{ 1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct dp_certificate c = lasting(rows[i].life);
		int got = dp_certificate_ahead(&c, END - rows[i].left);

		if (got != rows[i].ahead)
			fail_msg("row %zu: %d, not %d", i, got, rows[i].ahead);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_rounded_down),
		cmocka_unit_test(each_threshold_has_its_time),
	};

	return cmocka_run_group_tests_name("dp_certificates", tests, NULL, NULL);
}
