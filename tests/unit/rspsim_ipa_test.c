/*
 * The IPA against an eIM in the same process: what it asks, what it makes of each package, what it
 * sends and forgets, in the forms of v1.2 and v1.0.1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>
#include <cmocka.h>
#pragma GCC diagnostic ignored "-Wunused-function"
#include "rspsim_desk.h"

/* ---- polls and packages ------------------------------------------------------------------ */

static void
an_empty_poll_is_eighteen_octets(void **state)
{
	struct rspsim_ipa_report r;

	(void)state;
	begin();
	r = run();
	assert_int_equal(r.outcome, RSPSIM_DONE);
	assert_int_equal(r.eim_error, 1);
	assert_int_equal(desk.count, 1);
	assert_hex(&eim, desk.requests[0], "bf4f125a10" EID);
	eim_fini(&eim);
}

static void
an_eim_may_refuse_a_poll(void **state)
{
	static const struct {
		const char *answer;
		enum rspsim_outcome outcome;
		unsigned error;
	} cases[] = { { "020102", RSPSIM_BY_SERVER, 2 }, { "020104", RSPSIM_BY_SERVER, 4 },
		{ "0201010500", RSPSIM_BY_CARD, 0 }, { "0200", RSPSIM_BY_CARD, 0 },
		{ "0201ff", RSPSIM_BY_CARD, 0 }, { "02", RSPSIM_BY_CARD, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rspsim_ipa_report r;

		begin();
		desk.packages[0] = cases[i].answer;
		r = run();
		assert_int_equal(r.outcome, cases[i].outcome);
		assert_int_equal(r.eim_error, cases[i].error);
		eim_fini(&eim);
	}
}

static void
a_result_goes_with_its_notifications(void **state)
{
	struct rspsim_tlv both, list;
	struct rspsim_ipa_report r;
	struct slice in;

	(void)state;
	begin();
	desk.built[0] = package(ENABLE(ICCID_B));
	r = run();
	assert_int_equal(r.outcome, RSPSIM_DONE);
	assert_int_equal(r.packages, 1);
	assert_int_equal(desk.count, 3); /* poll, result, poll */
	in = result_in(1);
	assert_true(rspsim_der_read_only(in, 0x30, &both));
	in = both.value;
	assert_true(rspsim_der_read(&in, &both));
	assert_hex(&eim, results_of(&eim, both.whole), "830100");
	assert_true(rspsim_der_read_only(in, 0xa0, &list));
	in = list.value;
	assert_true(rspsim_der_read_tag(&in, 0x30, &both)); /* disabled, enabled */
	assert_true(rspsim_der_read_tag(&in, 0x30, &both));
	assert_int_equal(in.n, 0);
	assert_null(eim.card->iot.results); /* all was acknowledged */
	assert_null(eim.card->notifications);
	eim_fini(&eim);
}

/* An IPA that reaches SM-DP+s itself sends the result alone. */
static void
a_result_goes_alone_otherwise(void **state)
{
	(void)state;
	begin();
	eim.card->iot.features = RSPSIM_IPA_DIRECT;
	desk.built[0] = package("a600");
	run();
	assert_hex(&eim, slice_sub(result_in(1), 0, 2), "bf51");
	eim_fini(&eim);
}

static void
what_is_not_acknowledged_is_kept(void **state)
{
	struct rspsim_ipa_report r;

	(void)state;
	begin();
	desk.built[0] = package("a600");
	desk.provided = "3000";
	r = run();
	assert_int_equal(r.outcome, RSPSIM_DONE);
	assert_int_equal(eim.card->iot.results->sequence, 1);
	desk.provided = NULL;
	r = run_with(&(struct rspsim_ipa_options){ .resend = true });
	assert_int_equal(r.outcome, RSPSIM_DONE);
	assert_null(eim.card->iot.results);
	eim_fini(&eim);
}

static void
a_strange_acknowledgement_is_an_error(void **state)
{
	static const char *const answers[] = { "bf5303800109", "bf53028000", "bf53038101", "020102",
		"300105", "" };
	struct rspsim_ipa_report r;

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		begin();
		desk.built[0] = package("a600");
		desk.provided = answers[i];
		r = run();
		assert_int_equal(r.outcome, i == 3 ? RSPSIM_BY_SERVER : RSPSIM_BY_CARD);
		assert_non_null(eim.card->iot.results);
		eim_fini(&eim);
	}
}

/* Handed out again the package is refused, and a data request brings what was lost. */
static void
a_lost_result_is_asked_for(void **state)
{
	struct rspsim_tlv all, arm, list;
	struct slice in;

	(void)state;
	begin();
	desk.built[0] = desk.built[1] = package(ENABLE(ICCID_B));
	desk.packages[2] = "bf52035c01a2";
	run_with(&(struct rspsim_ipa_options){ .lose_results = 1, .keep_notifications = true });
	assert_int_equal(desk.count, 6); /* poll; poll, result; poll, data; poll */
	in = signed_content(&eim, result_in(2), 0xa1, hex(&eim, "840100"));
	assert_true(rspsim_der_find(in, 0x02, &arm));
	assert_hex(&eim, arm.value, "04");
	assert_true(rspsim_der_read_only(result_in(4), 0xbf52, &all));
	assert_true(rspsim_der_read_only(all.value, 0xa0, &arm));
	assert_true(rspsim_der_read_only(arm.value, 0xa2, &list));
	assert_hex(&eim, results_of(&eim, list.value), "830100");
	assert_null(eim.card->iot.results);
	eim_fini(&eim);
}

static void
a_result_may_come_twice(void **state)
{
	(void)state;
	begin();
	desk.built[0] = package("a600");
	run_with(&(struct rspsim_ipa_options){ .repeat_result = true });
	assert_int_equal(desk.count, 4);
	assert_true(slice_eq(desk.requests[1], desk.requests[2]));
	eim_fini(&eim);
}

static void
without_a_network_the_profile_is_rolled_back(void **state)
{
	const struct rspsim_ipa_options none = { .no_connectivity = true };
	struct rspsim_ipa_report r;

	(void)state;
	begin();
	desk.built[0] = package(ENABLE_BACK(ICCID_B));
	r = run_with(&none);
	assert_int_equal(r.outcome, RSPSIM_DONE);
	assert_hex(&eim, results_of(&eim, result_in(1)), "8301008c0100");
	assert_true(is_enabled(&eim, ICCID_A));
	assert_int_equal(desk.count, 3);
	eim_fini(&eim);
	/* without the flag there is no way back, and nobody to tell */
	begin();
	desk.built[0] = package(ENABLE(ICCID_B));
	r = run_with(&none);
	assert_int_equal(r.outcome, RSPSIM_UNREACHABLE);
	assert_int_equal(desk.count, 1);
	assert_true(is_enabled(&eim, ICCID_B));
	eim_fini(&eim);
	/* a package that switches nothing needs no network */
	begin();
	desk.built[0] = package("a600");
	r = run_with(&none);
	assert_int_equal(r.outcome, RSPSIM_DONE);
	eim_fini(&eim);
}

static void
a_cause_is_told_once(void **state)
{
	(void)state;
	begin();
	profile(&eim, ICCID_C)->fallback = true;
	rspsim_iot_fallback(eim.card);
	desk.built[0] = package("a600");
	run();
	assert_hex(&eim, desk.requests[0], "bf4f175a10" EID "8000810101");
	assert_hex(&eim, desk.requests[2], "bf4f125a10" EID);
	eim_fini(&eim);
}

static void
notifications_go_through_the_eim_at_the_end(void **state)
{
	struct rspsim_tlv all, arm;

	(void)state;
	begin();
	profile(&eim, ICCID_B)->fallback = true;
	profile(&eim, ICCID_B)->marked_fallback = true;
	rspsim_iot_fallback(eim.card);
	run();
	assert_int_equal(desk.count, 3);
	assert_true(rspsim_der_read_only(desk.requests[1], 0xbf3d, &all));
	assert_true(rspsim_der_read_only(all.value, 0xa0, &arm));
	assert_int_equal(arm.value.p[0], 0x30);
	assert_null(eim.card->notifications);
	eim_fini(&eim);
}

static void
what_is_no_package_is_told(void **state)
{
	static const struct {
		const char *package, *complaint;
	} cases[] = { { "bf5100", "a003020101" }, { "bf54038101ff", "a003020101" },
		{ "bf5406820301020302", "a0088003010203020101" }, { "bf5500", "a003020102" },
		{ "bf550583030102ff", "a00880030102ff020102" } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		begin();
		desk.packages[0] = cases[i].package;
		run();
		assert_hex(&eim, result_in(1), cases[i].complaint);
		eim_fini(&eim);
	}
}

/* ---- data requests ----------------------------------------------------------------------- */

static struct slice
data_of(const char *request)
{
	begin();
	eim.card->iot.default_dp = "dp.test";
	eim.card->iot.root_ds = "ds.test";
	eim.card->iot.eims->has_token = true;
	eim.card->iot.eims->token = 0x81;
	desk.packages[0] = request;
	run();
	return result_in(1);
}

static void
all_data_come_in_their_order(void **state)
{
	static const uint32_t order[] = { 0xa0, 0x81, 0xa2, 0xbf20, 0xbf22, 0x83, 0x84, 0xa5, 0xa6,
		0x87, 0xa8, 0xa9 };
	struct rspsim_tlv all, arm, one;
	struct slice in;

	(void)state;
	in = data_of("bf52135c0da9a8a6a58483bf22bf20a281a083020304");
	assert_true(rspsim_der_read_only(in, 0xbf52, &all));
	assert_true(rspsim_der_read_only(all.value, 0xa0, &arm));
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		assert_true(rspsim_der_read(&arm.value, &one));
		assert_int_equal(one.tag, order[i]);
		if (one.tag == 0x84)
			assert_hex(&eim, one.whole, "84020081");
		if (one.tag == 0x81)
			assert_true(slice_eq(one.value, SLICE_LIT("dp.test")));
		if (one.tag == 0x83)
			assert_true(slice_eq(one.value, SLICE_LIT("ds.test")));
		if (one.tag == 0x87)
			assert_hex(&eim, one.value, "0304");
		if (one.tag == 0xa8)
			assert_hex(&eim, one.value, "800205e0810206c0");
		if (one.tag == 0xa6) /* a certificate's members */
			assert_true(slice_eq(RSPSIM_DER(&eim.server.mem, 0x30, one.value),
				eim.card->ci->certificate_der));
	}
	assert_int_equal(arm.value.n, 0);
	eim_fini(&eim);
}

static void
data_requests_are_refused_with_their_codes(void **state)
{
	static const struct {
		const char *request, *answer;
	} cases[] = { { "bf52035c015a", "bf5205a103020101" },
		{ "bf52045c02bf2d", "bf5205a103020101" }, { "bf52035c01bf", "bf5205a103020101" },
		{ "bf52025c00", "bf5205a103020101" }, { "bf5200", "bf5205a103020101" },
		{ "bf52075c01878302aabb", "bf5209a1078002aabb020101" },
		{ "bf52085c0184040301"
		  "0203",
			"bf5205a103020105" } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_hex(&eim, data_of(cases[i].request), cases[i].answer);
		eim_fini(&eim);
	}
	begin();
	rspsim_iot_emergency(eim.card);
	desk.packages[0] = "bf52035c0184";
	run();
	assert_hex(&eim, result_in(1), "bf5205a103020168");
	eim_fini(&eim);
}

static void
notifications_are_found_by_number_and_event(void **state)
{
	static const struct {
		const char *criterion;
		const char *found; /* numbers */
	} cases[] = { { "", "23" }, { "a103800102", "2" }, { "a103800109", "" },
		{ "a10481020640", "3" }, { "a10481020520", "2" }, { "a10481020780", "" } };
	struct rspsim_tlv all, arm, list, one, head, number;
	char found[8];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t n = 0;

		begin();
		send_package(&eim, 0xa0, ENABLE(ICCID_B));
		desk.built[0] = RSPSIM_DER(&eim.server.mem, 0xbf52, hex(&eim, "5c01a0"),
			hex(&eim, cases[i].criterion));
		run_with(&(struct rspsim_ipa_options){ .keep_notifications = true });
		assert_true(rspsim_der_read_only(result_in(1), 0xbf52, &all));
		assert_true(rspsim_der_read_only(all.value, 0xa0, &arm));
		assert_true(rspsim_der_read_only(arm.value, 0xa0, &list));
		while (rspsim_der_read(&list.value, &one)) {
			assert_true(rspsim_der_read(&one.value, &head));
			assert_true(rspsim_der_read(&head.value, &number));
			found[n++] = (char)('0' + number.value.p[0]);
		}
		found[n] = 0;
		assert_string_equal(found, cases[i].found);
		eim_fini(&eim);
	}
}

/* ---- v1.0.1 ------------------------------------------------------------------------------ */

static void
v10_messages_have_the_old_forms(void **state)
{
	struct rspsim_tlv all, both, list;
	struct slice in;

	(void)state;
	begin();
	eim.card->iot.v10 = true;
	eim.card->iot.cause = RSPSIM_CAUSE_LOCAL;
	desk.built[0] = package(ENABLE(ICCID_B));
	desk.provided = "";
	assert_int_equal(
		run_with(&(struct rspsim_ipa_options){ .rounds = 1 }).outcome, RSPSIM_DONE);
	assert_hex(&eim, desk.requests[0], "bf4f145a10" EID "8000");
	assert_true(rspsim_der_read_only(desk.requests[1], 0xbf50, &all));
	assert_true(rspsim_der_read_only(all.value, 0x30, &both));
	in = both.value;
	assert_true(rspsim_der_read_tag(&in, 0xbf51, &both));
	assert_true(rspsim_der_read_only(in, 0xbf2b, &list));
	assert_true(rspsim_der_read_only(list.value, 0xa0, &both));
	eim_fini(&eim);
	begin();
	eim.card->iot.v10 = true;
	eim.card->iot.default_dp = "dp";
	send_package(&eim, 0xa0, "a600");
	desk.packages[0] = "bf52095c0380bf2ba1028200";
	run();
	assert_true(rspsim_der_read_only(desk.requests[1], 0xbf50, &all));
	assert_true(rspsim_der_read_only(all.value, 0xbf52, &both));
	assert_true(rspsim_der_read_only(both.value, 0xa0, &list));
	in = list.value;
	assert_true(rspsim_der_read_tag(&in, 0x80, &all));
	assert_true(rspsim_der_read_only(in, 0xbf2b, &all));
	assert_true(rspsim_der_read_only(all.value, 0xa2, &both));
	assert_hex(&eim, slice_sub(both.value, 0, 2), "bf51");
	eim_fini(&eim);
	begin();
	eim.card->iot.v10 = true;
	desk.packages[0] = "bf52035c015a";
	run();
	assert_true(rspsim_der_read_only(desk.requests[1], 0xbf50, &all));
	assert_hex(&eim, all.value, "bf5203810101");
	eim_fini(&eim);
}

/* ---- injection --------------------------------------------------------------------------- */

static struct slice
inject(const char *request, struct slice package_octets)
{
	static const struct rspsim_ipa_options options;
	static struct rspsim_ipa_report report;
	struct arena *mem = &eim.server.mem;

	return rspsim_ipa_transfer(eim.card, NULL, &options, mem,
		package_octets.p ? RSPSIM_DER(mem, 0xbf4e, package_octets) : hex(&eim, request),
		&report);
}

static void
packages_may_be_pushed(void **state)
{
	struct rspsim_tlv all;

	(void)state;
	begin();
	assert_true(rspsim_der_read_only(inject("", package("a600")), 0xbf4e, &all));
	assert_hex(&eim, results_of(&eim, all.value), "a612301080020560a10730058003eeeeee820100");
	assert_hex(&eim, inject("bf4e06bf5303800101", SLICE_NONE), "bf4e020500");
	assert_null(eim.card->iot.results);
	assert_hex(&eim, inject("bf4e06bf52035c015a", SLICE_NONE), "bf4e08bf5205a103020101");
	assert_hex(&eim, inject("bf4e00", SLICE_NONE), "bf4e03020101");
	assert_hex(&eim, inject("bf4e03bf5100", SLICE_NONE), "bf4e03020101");
	assert_hex(&eim, inject("bf4e03bf5500", SLICE_NONE), "bf4e03020102");
	eim_fini(&eim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_poll_is_eighteen_octets),
		cmocka_unit_test(an_eim_may_refuse_a_poll),
		cmocka_unit_test(a_result_goes_with_its_notifications),
		cmocka_unit_test(a_result_goes_alone_otherwise),
		cmocka_unit_test(what_is_not_acknowledged_is_kept),
		cmocka_unit_test(a_strange_acknowledgement_is_an_error),
		cmocka_unit_test(a_lost_result_is_asked_for),
		cmocka_unit_test(a_result_may_come_twice),
		cmocka_unit_test(without_a_network_the_profile_is_rolled_back),
		cmocka_unit_test(a_cause_is_told_once),
		cmocka_unit_test(notifications_go_through_the_eim_at_the_end),
		cmocka_unit_test(what_is_no_package_is_told),
		cmocka_unit_test(all_data_come_in_their_order),
		cmocka_unit_test(data_requests_are_refused_with_their_codes),
		cmocka_unit_test(notifications_are_found_by_number_and_event),
		cmocka_unit_test(v10_messages_have_the_old_forms),
		cmocka_unit_test(packages_may_be_pushed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspsim_ipa", tests, NULL, NULL);
}
