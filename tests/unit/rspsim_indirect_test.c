/*
 * Downloads through the eIM (SGP.32 §3.2.3.2), with what the eIM may leave out or add, refusals, and
 * the compact forms of what the card has signed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>
#include <cmocka.h>
#pragma GCC diagnostic ignored "-Wunused-function"
#include "rspsim_desk.h"

/* ---- downloads --------------------------------------------------------------------------- */

static struct slice
trigger_result(size_t i)
{
	struct rspsim_tlv all;

	assert_true(rspsim_der_read_only(result_in(i), 0xbf54, &all));
	return all.value;
}

static void
an_indirect_download_installs(void **state)
{
	struct rspsim_tlv id, pir, all;
	struct rspsim_ipa_report r;
	struct slice in;

	(void)state;
	for (int how = 0; how < 4; how++) {
		begin();
		desk.drop_ids = how == 1;
		desk.no_metadata = how == 2;
		desk.packages[0] = how == 3
			? "bf541aa01480123124736d64702e746573743124544f4b454e82020a0b"
			: "bf540482020a0b";
		r = run_with(&(struct rspsim_ipa_options){ .indirect = true });
		if (r.outcome != RSPSIM_DONE)
			fail_msg("%d: %s", how, r.words);
		assert_int_equal(r.downloads, 1);
		assert_non_null(rspsim_card_find_profile(eim.card, test_iccid));
		/* the eIM keeps the code, so the IPA names no address */
		assert_true(rspsim_der_read_only(desk.requests[1], 0xbf39, &all));
		assert_int_equal(rspsim_der_find(all.value, 0x83, &id), how == 3);
		assert_true(rspsim_der_find(all.value, 0x82, &id));
		assert_hex(&eim, id.value, "0a0b");
		in = trigger_result(4);
		assert_true(rspsim_der_read_tag(&in, 0x82, &id));
		assert_hex(&eim, id.value, "0a0b");
		assert_true(rspsim_der_read_only(in, 0xbf37, &pir));
		eim_fini(&eim);
	}
}

static void
a_download_may_be_refused(void **state)
{
	static const struct {
		const char *trigger, *refuse, *result;
	} cases[] = {
		{ "bf540482020a0b", "810133", "82020a0b300d80017f0408bf3903810133" },
		{ "bf540482020a0b", "810134", "82020a0b300d80017f0408bf3903810134" },
		{ "bf5404a0028100", NULL, NULL },
		{ "bf5404a002a200", NULL, NULL },
		{ "bf5405a003800141", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rspsim_tlv error, reason;
		struct slice in;

		begin();
		desk.packages[0] = cases[i].trigger;
		desk.refuse = cases[i].refuse;
		assert_int_equal(run_with(&(struct rspsim_ipa_options){ .indirect = true }).outcome,
			RSPSIM_DONE);
		in = trigger_result(desk.count - 2);
		if (cases[i].result)
			in = slice_sub(in, 4, in.n);
		assert_true(rspsim_der_read_only(in, 0x30, &error));
		assert_true(rspsim_der_read_tag(&error.value, 0x80, &reason));
		assert_hex(&eim, reason.value, "7f");
		assert_true(rspsim_der_read_only(error.value, 0x04, &reason));
		if (cases[i].refuse)
			assert_hex(&eim, reason.value, i == 0 ? "bf3903810133" : "bf3903810134");
		eim_fini(&eim);
	}
	begin();
	rspsim_iot_emergency(eim.card);
	desk.packages[0] = "bf540482020a0b";
	run();
	assert_hex(&eim, trigger_result(1), "82020a0b3003800168");
	eim_fini(&eim);
}

/* Certificates are left out once they were told; the signed octets are what they would be. */
static void
compact_forms_leave_out_what_is_known(void **state)
{
	struct rspsim_tlv all, response, arm, signed1, signature, cert, pir, data;
	struct slice in;

	(void)state;
	for (int told = 0; told < 2; told++) {
		begin();
		eim.card->iot.features |= RSPSIM_IPA_COMPACT;
		eim.card->iot.told_certificates = told;
		desk.packages[0] = "bf540482020a0b";
		/* this eIM cannot rebuild: the download ends after AuthenticateClient */
		desk.deny = "82010a";
		run();
		assert_true(rspsim_der_read_only(desk.requests[1], 0xbf39, &all));
		assert_false(rspsim_der_find(all.value, 0xbf20, &arm));
		assert_true(rspsim_der_read_only(desk.requests[2], 0xbf3b, &all));
		assert_true(rspsim_der_find(all.value, 0xbf38, &response));
		assert_true(rspsim_der_read_only(response.value, 0xa2, &arm));
		in = arm.value;
		assert_true(rspsim_der_read_tag(&in, 0xa0, &signed1));
		assert_true(rspsim_der_read_tag(&in, 0x5f37, &signature));
		assert_int_equal(rspsim_der_read_tag(&in, 0xa1, &cert), !told);
		assert_int_equal(rspsim_der_read_tag(&in, 0xa2, &cert), !told);
		assert_int_equal(in.n, 0);
		in = signed1.value;
		assert_true(rspsim_der_read_tag(&in, 0x84, &cert));
		assert_true(rspsim_der_read_only(in, 0xa2, &cert)); /* ctxParams1 */
		assert_int_equal(cert.value.p[0], 0xa0);
		eim_fini(&eim);
	}
	begin();
	eim.card->iot.features |= RSPSIM_IPA_COMPACT;
	desk.built[0] = package(ENABLE(ICCID_B));
	run();
	in = result_in(1);
	assert_true(rspsim_der_read_only(in, 0x30, &all));
	assert_true(rspsim_der_find(all.value, 0xa0, &arm));
	assert_true(rspsim_der_read(&arm.value, &pir));
	assert_int_equal(pir.tag, 0xa1);
	assert_true(rspsim_der_read_tag(&pir.value, 0x5a, &data));
	assert_hex(&eim, data.value, EID);
	assert_true(rspsim_der_read_tag(&pir.value, 0xbf2f, &data));
	assert_true(rspsim_der_read_tag(&pir.value, 0x5f37, &data));
	assert_int_equal(pir.value.n, 0);
	eim_fini(&eim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_indirect_download_installs),
		cmocka_unit_test(a_download_may_be_refused),
		cmocka_unit_test(compact_forms_leave_out_what_is_known),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspsim_indirect", tests, NULL, NULL);
}
