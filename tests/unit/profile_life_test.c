/* The life of a profile, every state against every event, held against a picture drawn by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "profile/life.h"

/* A letter is the state that the event leads to; a dot: refused. */
enum {
	AVAILABLE = 'a',
	ALLOCATED = 'A',
	LINKED = 'L',
	CONFIRMED = 'C',
	RELEASED = 'r',
	DOWNLOADED = 'd',
	INSTALLED = 'i',
	ERROR = 'e',
	UNAVAILABLE = 'u'
};
static const char letter_of[STATE_COUNT] = { AVAILABLE, ALLOCATED, LINKED, CONFIRMED, RELEASED,
	DOWNLOADED, INSTALLED, ERROR, UNAVAILABLE };

/* clang-format off */
static const struct {
	enum profile_event event;
	char to[STATE_COUNT + 1]; /* from: aALCrdieu */
} picture[] = {
	{ EVENT_download_order,            "A........" },
	{ EVENT_download_order_eid,        "L........" },
	{ EVENT_confirm_order,             ".CC......" },
	{ EVENT_confirm_order_release,     ".rr......" },
	{ EVENT_release_profile,           "...r....." },
	{ EVENT_bind,                      "....dd..." },
	{ EVENT_bind_reusable,             "....r...." },
	{ EVENT_install_reusable,          "....r..eu" },
	{ EVENT_fail_reusable,             "....r...." },
	{ EVENT_fail_eligibility,          "....ee..." },
	{ EVENT_exceed_attempts,           "....ee..." },
	{ EVENT_exceed_confirmation_code,  "....ee..." },
	{ EVENT_postpone,                  ".....r..." },
	{ EVENT_reject,                    "....ee..." },
	{ EVENT_install,                   "iiiiii.ii" },
	{ EVENT_fail_install_retry,        ".....r..." },
	{ EVENT_fail_install,              ".....e..." },
	{ EVENT_cancel_order_available,    ".aaaa..a." },
	{ EVENT_cancel_order_unavailable,  ".uuuu..u." },
	{ EVENT_force_unavailable,         ".....u..." },
	{ EVENT_expire,                    ".eeee...." },
	{ EVENT_reset,                     ".....r.r." },
	{ EVENT_reissue,                   "......r.." },
	{ EVENT_restock,                   "......a.." },
};
/* clang-format on */

static void
every_state_takes_every_event_as_drawn(void **state)
{
	(void)state;
	assert_int_equal(sizeof picture / sizeof *picture, EVENT_COUNT);
	for (unsigned e = 0; e < EVENT_COUNT; e++)
		for (unsigned s = 0; s < STATE_COUNT; s++) {
			enum profile_state to;
			bool moves =
				profile_move_find((enum profile_state)s, picture[e].event, &to);

			if (moves != (picture[e].to[s] != '.'))
				fail_msg("%s + %s", profile_state_name((enum profile_state)s),
					profile_event_name(picture[e].event));
			if (moves)
				assert_int_equal(letter_of[to], picture[e].to[s]);
		}
}

static void
no_pair_stands_twice(void **state)
{
	unsigned n;
	const struct profile_move *m = profile_moves_get(&n);

	(void)state;
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < i; j++)
			assert_false(m[i].from == m[j].from && m[i].event == m[j].event);
}

static void
names_lead_back_to_their_state(void **state)
{
	(void)state;
	for (unsigned s = 0; s < STATE_COUNT; s++) {
		enum profile_state found;

		assert_true(profile_state_find(
			slice_text(profile_state_name((enum profile_state)s)), &found));
		assert_int_equal(found, s);
	}
	assert_false(profile_state_find(SLICE_LIT("Released"), &(enum profile_state){ 0 }));
	assert_false(profile_state_find(SLICE_NONE, &(enum profile_state){ 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_takes_every_event_as_drawn),
		cmocka_unit_test(no_pair_stands_twice),
		cmocka_unit_test(names_lead_back_to_their_state),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("profile_life", tests, NULL, NULL);
}
