/*
 * The storm over ESipa as an IPA sees it: whatever happens to a request, it hears exactly one answer (SGP.32 §6.1.1):
 * 200 with a message of its function, 204 for a notification, 503 when we are unwell. Polls go by a task of their own
 * that several wait for, and that may fail or be late for all of them.
 */
#include "storm/eim_stage.h"
#include "storm/storm.h"

#define ASN1 "/gsma/rsp2/asn1"

static void
on_answer(const struct answer *answer)
{
	if (answer->status == 503) {
		assert_in_range(answer->retry_after, 2, 5);
		assert_null(answer->body.p);
		storm_end(UNWELL, "503");
		return;
	}
	if (answer->status == 204) {
		assert_null(answer->body.p);
		storm_end(SUCCEEDED, "204");
		return;
	}
	assert_int_equal(answer->status, 200);
	if (answer->body.n < 5 || answer->body.p[0] != 0xbf)
		fail_msg("answered %s", (const char *)text_hex(&stage.mem, answer->body).p);
	storm_end(SUCCEEDED, (const char *)text_hex(&stage.mem, answer->body).p);
}

static struct slice
eid(void)
{
	return TLV(0x5a, stage_hex(STAGE_EID));
}

static void
poll(enum head head, const char *change)
{
	stage.head = head;
	stage.turned = false;
	eim_peer_ask(
		ASN1, TLV(0xbf4f, eid(), *change ? stage_hex(change) : SLICE_LIT("")), on_answer);
}

#define POLL(name, head, change)                \
	static void name(const struct scene *s) \
	{                                       \
		(void)s;                        \
		poll(head, change);             \
	}
POLL(ask_package, HEAD_PACKAGE, "")
POLL(ask_data, HEAD_DATA, "")
POLL(ask_trigger, HEAD_TRIGGER, "")
POLL(ask_again, HEAD_OUT, "")
POLL(ask_spent, HEAD_SPENT, "")
POLL(ask_unlearnt, HEAD_UNLEARNT, "")
POLL(ask_changed, HEAD_PACKAGE, "8000810101")

static void
provide(const char *kind, struct slice result)
{
	stage.kind = kind;
	eim_peer_ask(ASN1, TLV(0xbf50, eid(), result), on_answer);
}

#define PROVIDE(name, kind, result)             \
	static void name(const struct scene *s) \
	{                                       \
		(void)s;                        \
		provide(kind, result);          \
	}
PROVIDE(give_result, "package", card_result())
PROVIDE(give_both, "package", TLV(0x30, card_result(), TLV(0xa0, card_notification())))
PROVIDE(give_unsigned, "package", card_unsigned_error())
PROVIDE(give_stranger, "data", card_result())
PROVIDE(give_data, "data", card_data(false))
PROVIDE(give_all_data, "data", card_data(true))
PROVIDE(give_installation, "trigger",
	TLV(0xbf54, TLV(0x82, SLICE_LIT(STAGE_TRANSACTION)), card_installation()))
PROVIDE(give_error, "trigger",
	TLV(0xa0, TLV(0x80, SLICE_LIT(STAGE_TRANSACTION)), stage_hex("02017f")))

static void
notify(const struct scene *s)
{
	(void)s;
	eim_peer_ask(ASN1, TLV(0xbf3d, TLV(0xa0, card_notification())), on_answer);
}

static const struct scene scenes[] = {
	{ "a package", ask_package, 3, NULL, NULL, false },
	{ "a data request", ask_data, 3, NULL, NULL, false },
	{ "a trigger", ask_trigger, 3, NULL, NULL, false },
	{ "the same again", ask_again, 3, NULL, NULL, false },
	{ "a budget that is spent", ask_spent, 5, NULL, NULL, false },
	{ "facts before the first package", ask_unlearnt, 5, NULL, NULL, false },
	{ "a state change", ask_changed, 4, NULL, NULL, false },
	{ "a result", give_result, 2, NULL, NULL, false },
	{ "a result with notifications", give_both, 3, NULL, NULL, false },
	{ "an unsigned error", give_unsigned, 2, NULL, NULL, false },
	{ "a result of no package", give_stranger, 2, NULL, NULL, false },
	{ "data", give_data, 3, NULL, NULL, false },
	{ "data with notifications", give_all_data, 4, NULL, NULL, false },
	{ "an installation", give_installation, 2, NULL, NULL, false },
	{ "an error of the IPA", give_error, 2, NULL, NULL, false },
	{ "a notification", notify, 2, NULL, NULL, false },
};

STORM_TESTS(stage.loop, scenes)

/* ---- several polls, one statement --------------------------------------------------------------------- */

static unsigned heard, given, unwell;

static void
count_answer(const struct answer *answer)
{
	heard++;
	given += answer->status == 200;
	unwell += answer->status == 503;
}

static void
poll_at_once(unsigned n)
{
	heard = given = unwell = 0;
	script.waits = 0;
	stage.head = HEAD_DATA;
	for (unsigned i = 0; i < n; i++)
		eim_peer_ask(ASN1, TLV(0xbf4f, eid()), count_answer);
	script_play(stage.loop);
	assert_int_equal(heard, n);
	assert_int_equal(loop_tasks_get(stage.loop), 0);
}

static void
polls_that_come_together_are_one_statement(void **state)
{
	(void)state;
	script_clear();
	poll_at_once(8);
	assert_int_equal(given, 8);
	/* One look for all; then each its head and its hand-out. */
	assert_int_equal(script.waits, 1 + 8 * 2);
}

static void
trouble_of_a_batch_is_told_to_each(void **state)
{
	(void)state;
	for (enum outcome o = BUSY; o < OUTCOMES; o++) {
		script_clear();
		script.outcomes[1] = o;
		poll_at_once(8);
		assert_int_equal(unwell, 8);
	}
}

static void
nobody_waits_until_it_is_written_that_he_was_seen(void **state)
{
	(void)state;
	stage.stale = true;
	for (enum outcome o = AS_WRITTEN; o < OUTCOMES; o++) {
		script_clear();
		script.outcomes[2] = o;
		poll_at_once(4);
		assert_int_equal(given, 4);
		assert_int_equal(script.waits, 2 + 4 * 2);
	}
}

static void
without_room_for_the_batch_all_hear_it(void **state)
{
	(void)state;
	script_clear();
	poll_at_once(10); /* as many tasks as there may be */
	assert_int_equal(unwell, 10);
}

/* ---- pace --------------------------------------------------------------------------------------------- */

static void
a_tight_loop_is_seen_and_forgiven(void **state)
{
	struct eim_pace *p = eim_pace_new();
	struct slice one = SLICE_LIT(STAGE_EID),
		     other = SLICE_LIT("89049032000000000000000000000001");

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		assert_false(eim_pace_exceeded(p, one, 5));
		eim_pace_count(p, one, 5);
	}
	eim_pace_count(p, one, 5);
	assert_true(eim_pace_exceeded(p, one, 5));
	assert_false(eim_pace_exceeded(p, one, 0));
	assert_false(eim_pace_exceeded(p, other, 5));
	eim_pace_forget(p, one);
	assert_false(eim_pace_exceeded(p, one, 5));
	eim_pace_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORM_RUN,
		STORM_TEST(polls_that_come_together_are_one_statement),
		STORM_TEST(trouble_of_a_batch_is_told_to_each),
		STORM_TEST(nobody_waits_until_it_is_written_that_he_was_seen),
		STORM_TEST(without_room_for_the_batch_all_hear_it),
		STORM_TEST(a_tight_loop_is_seen_and_forgiven),
	};

	log_level_set("all", "error");
	return cmocka_run_group_tests_name("esipa_storm", tests, NULL, NULL);
}
