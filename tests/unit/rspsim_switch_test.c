/*
 * Profile switches that no package commands (SGP.32 §3.4): rollback, fallback and return, the
 * Emergency Profile, immediate enable, memory reset; what each leaves behind and when it is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>
#include <cmocka.h>
#pragma GCC diagnostic ignored "-Wunused-function"
#include "rspsim_eim.h"

#define ENABLE(i) "a30c5a0a" i
#define ENABLE_BACK(i) "a30e5a0a" i "0500"

static void
a_rollback_supersedes_the_result(void **state)
{
	struct slice result;
	struct eim e;

	(void)state;
	eim_init(&e);
	assert_int_equal(
		rspsim_iot_rollback(e.card, &e.server.mem, &result), RSPSIM_ROLLBACK_NOT_ALLOWED);
	send_package(&e, 0xa0, ENABLE_BACK(ICCID_B) "a600");
	assert_true(is_enabled(&e, ICCID_B));
	assert_int_equal(e.card->iot.results->sequence, 1);
	assert_int_equal(rspsim_iot_rollback(e.card, &e.server.mem, &result), RSPSIM_ROLLBACK_OK);
	/* the same package, its results and one more, under a number of its own */
	assert_hex(
		&e, results_of(&e, result), "830100a612301080020560a10730058003eeeeee8201008c0100");
	assert_true(is_enabled(&e, ICCID_A));
	assert_false(is_enabled(&e, ICCID_B));
	assert_int_equal(e.card->iot.results->sequence, 4);
	assert_null(e.card->iot.results->next);
	assert_null(e.card->notifications);
	assert_int_equal(
		rspsim_iot_rollback(e.card, &e.server.mem, &result), RSPSIM_ROLLBACK_NOT_ALLOWED);
	eim_fini(&e);
}

/* By a package without the flag, by the next package, by its acknowledgement, by an emergency. */
static void
the_way_back_ends(void **state)
{
	struct slice result;
	struct eim e;

	(void)state;
	for (int how = 0; how < 5; how++) {
		eim_init(&e);
		send_package(&e, 0xa0, how == 0 ? ENABLE(ICCID_B) : ENABLE_BACK(ICCID_B));
		if (how == 1)
			send_package(&e, 0xa0, "a600");
		if (how == 2)
			rspsim_iot_acknowledge(e.card, 1);
		if (how == 3)
			rspsim_iot_emergency(e.card);
		assert_int_equal(rspsim_iot_rollback(e.card, &e.server.mem, &result),
			how == 4 ? RSPSIM_ROLLBACK_OK : RSPSIM_ROLLBACK_NOT_ALLOWED);
		eim_fini(&e);
	}
}

/* A notification that was there before the package is not the package's. */
static void
a_rollback_leaves_what_is_older(void **state)
{
	struct slice result;
	struct eim e;

	(void)state;
	eim_init(&e);
	send_package(&e, 0xa0, ENABLE(ICCID_B)); /* 1, with 2 and 3 */
	send_package(&e, 0xa0, ENABLE_BACK(ICCID_A));
	assert_int_equal(rspsim_iot_rollback(e.card, &e.server.mem, &result), RSPSIM_ROLLBACK_OK);
	assert_true(is_enabled(&e, ICCID_B));
	assert_int_equal(e.card->iot.results->sequence, 1);
	assert_int_equal(e.card->notifications->sequence, 2);
	assert_int_equal(e.card->notifications->next->sequence, 3);
	assert_null(e.card->notifications->next->next);
	eim_fini(&e);
}

static void
fallback_and_return(void **state)
{
	struct eim e;

	(void)state;
	eim_init(&e);
	assert_int_equal(rspsim_iot_fallback(e.card), RSPSIM_FALLBACK_NOT_AVAILABLE);
	assert_int_equal(rspsim_iot_return(e.card), RSPSIM_FALLBACK_NOT_AVAILABLE);
	assert_int_equal(e.card->iot.cause, RSPSIM_CAUSE_NONE);
	profile(&e, ICCID_C)->fallback = true;
	assert_int_equal(rspsim_iot_fallback(e.card), RSPSIM_FALLBACK_OK);
	assert_true(is_enabled(&e, ICCID_C));
	assert_int_equal(e.card->iot.cause, RSPSIM_CAUSE_FALLBACK);
	assert_int_equal(e.card->notifications->event, RSPSIM_DISABLE);
	assert_int_equal(rspsim_iot_fallback(e.card), RSPSIM_FALLBACK_WRONG_STATE);
	assert_int_equal(rspsim_iot_return(e.card), RSPSIM_FALLBACK_OK);
	assert_true(is_enabled(&e, ICCID_A));
	assert_int_equal(rspsim_iot_return(e.card), RSPSIM_FALLBACK_NOT_AVAILABLE);
	/* after a package has enabled another there is nothing to return to */
	rspsim_iot_fallback(e.card);
	send_package(&e, 0xa0, ENABLE(ICCID_B));
	assert_int_equal(rspsim_iot_return(e.card), RSPSIM_FALLBACK_NOT_AVAILABLE);
	eim_fini(&e);
}

static void
an_emergency_shuts_everything_else_out(void **state)
{
	struct eim e;

	(void)state;
	eim_init(&e);
	assert_int_equal(rspsim_iot_emergency_over(e.card), RSPSIM_EMERGENCY_WRONG_STATE);
	profile(&e, ICCID_C)->fallback = true;
	assert_int_equal(rspsim_iot_emergency(e.card), RSPSIM_EMERGENCY_OK);
	assert_int_equal(rspsim_iot_emergency(e.card), RSPSIM_EMERGENCY_WRONG_STATE);
	assert_true(is_enabled(&e, ICCID_E));
	assert_null(e.card->notifications);
	assert_int_equal(e.card->iot.cause, RSPSIM_CAUSE_EMERGENCY);
	assert_int_equal(rspsim_iot_fallback(e.card), RSPSIM_FALLBACK_ECALL);
	assert_int_equal(rspsim_iot_return(e.card), RSPSIM_FALLBACK_NOT_AVAILABLE);
	assert_int_equal(rspsim_iot_reset(e.card, 0xff), RSPSIM_RESET_ECALL);
	assert_int_equal(rspsim_iot_emergency_over(e.card), RSPSIM_EMERGENCY_OK);
	assert_true(is_enabled(&e, ICCID_A));
	rspsim_iot_drop_profile(e.card, profile(&e, ICCID_E));
	assert_int_equal(rspsim_iot_emergency(e.card), RSPSIM_EMERGENCY_NOT_AVAILABLE);
	eim_fini(&e);
}

static void
install(struct eim *e, const char *iccid, const char *oid, const char *address)
{
	e->card->iot.fresh = (struct rspsim_fresh){
		.iccid.known = true, .oid = hex(e, oid), .address = address
	};
	memcpy(e->card->iot.fresh.iccid.octets, hex(e, iccid).p, 10);
}

/* Only the profile just installed, only from the SM-DP+ that was configured. */
static void
a_new_profile_may_be_enabled_at_once(void **state)
{
	static const struct {
		const char *configured, *default_dp, *oid, *address;
		enum rspsim_immediate want;
	} cases[] = { { "a700", "dp.test", "88370a", "dp.test", RSPSIM_IMMEDIATE_NOT_AVAILABLE },
		{ "a7028000", "dp.test", "88370a", "DP.test", RSPSIM_IMMEDIATE_OK },
		{ "a7028000", "dp.test", "88370a", "x.test", RSPSIM_IMMEDIATE_NOT_AVAILABLE },
		{ "a7028000", NULL, "88370a", "dp.test", RSPSIM_IMMEDIATE_NOT_AVAILABLE },
		{ "a7078000810388370a", NULL, "88370a", "dp.test", RSPSIM_IMMEDIATE_OK },
		{ "a7078000810388370a", NULL, "88370b", "dp.test", RSPSIM_IMMEDIATE_NOT_AVAILABLE },
		{ "a7058000820161", NULL, "88370b", "a", RSPSIM_IMMEDIATE_OK },
		{ "a7058000820161", "b", "88370b", "b", RSPSIM_IMMEDIATE_NOT_AVAILABLE } };
	struct eim e;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		eim_init(&e);
		e.card->iot.default_dp = cases[i].default_dp;
		assert_hex(
			&e, results_of(&e, send_package(&e, 0xa0, cases[i].configured)), "870100");
		assert_int_equal(rspsim_iot_immediate_enable(e.card), RSPSIM_IMMEDIATE_NO_SESSION);
		install(&e, ICCID_B, cases[i].oid, cases[i].address);
		assert_int_equal(rspsim_iot_immediate_enable(e.card), cases[i].want);
		assert_int_equal(is_enabled(&e, ICCID_B), cases[i].want == RSPSIM_IMMEDIATE_OK);
		assert_int_equal(e.card->iot.cause,
			cases[i].want == RSPSIM_IMMEDIATE_OK ? RSPSIM_CAUSE_IMMEDIATE
							     : RSPSIM_CAUSE_NONE);
		eim_fini(&e);
	}
}

static void
a_reset_takes_what_it_names(void **state)
{
	struct eim e;

	(void)state;
	eim_init(&e);
	assert_int_equal(
		rspsim_iot_reset(e.card,
			RSPSIM_RESET_TEST | RSPSIM_RESET_DEFAULT_DP | RSPSIM_RESET_IMMEDIATE),
		RSPSIM_RESET_NOTHING);
	assert_int_equal(e.card->iot.cause, RSPSIM_CAUSE_NONE);
	e.card->iot.default_dp = "dp.test";
	e.card->iot.immediate = true;
	assert_int_equal(rspsim_iot_reset(e.card, RSPSIM_RESET_DEFAULT_DP), RSPSIM_RESET_OK);
	assert_null(e.card->iot.default_dp);
	assert_true(e.card->iot.immediate);
	assert_int_equal(rspsim_iot_reset(e.card, RSPSIM_RESET_IMMEDIATE), RSPSIM_RESET_OK);
	assert_false(e.card->iot.immediate);
	assert_int_equal(rspsim_iot_reset(e.card, RSPSIM_RESET_EIMS), RSPSIM_RESET_OK);
	assert_null(e.card->iot.eims);
	assert_non_null(e.card->profiles);
	assert_int_equal(rspsim_iot_reset(e.card, RSPSIM_RESET_OPERATIONAL), RSPSIM_RESET_OK);
	assert_null(e.card->profiles);
	assert_int_equal(e.card->iot.cause, RSPSIM_CAUSE_RESET);
	eim_fini(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rollback_supersedes_the_result),
		cmocka_unit_test(the_way_back_ends),
		cmocka_unit_test(a_rollback_leaves_what_is_older),
		cmocka_unit_test(fallback_and_return),
		cmocka_unit_test(an_emergency_shuts_everything_else_out),
		cmocka_unit_test(a_new_profile_may_be_enabled_at_once),
		cmocka_unit_test(a_reset_takes_what_it_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspsim_switch", tests, NULL, NULL);
}
