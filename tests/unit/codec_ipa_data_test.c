/*
 * Data of the IPA and downloads: requests octet for octet in both versions, every member of an answer found with
 * and without its arm's tag, odd members absent, the answer's lists bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"
#include "codec/der.h"
#include "codec/ipa_data.h"
#include "codec/notification.h"
#include "codec_broken.h"

#define SIGNATURE "5F37:A5*64 "
#define OTHER "30{ BF2F{ 80:05 81:0640 0C:\"a\" } " SIGNATURE "30{ 30:01 } 30{ 30:02 } } "
#define COMPACT_PIR "A0{ A0{ 80:0102 02:2B A2{ A0{ 4F:1234 } } } " SIGNATURE "} "
#define RESULT "BF51{ A2{ 80:\"e\" } } "
#define CERTIFICATE_MEMBERS "30{ 02:01 } 30{ 06:2A8648CE3D040302 } 03:0077 "
#define INFO1 "BF20{ 82:020500 A9{ 04:A1*20 } AA{ 04:A1*20 } } "
#define INFO2 "BF22{ 81:020301 B4{ A0{ 04:010200 } } } "

static struct arena mem;
static const char *why;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 32u << 20, NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_fini(&mem);
	return 0;
}

static void
assert_octets(struct slice got, const char *text)
{
	struct slice want = der(&mem, "%s", text);

	if (!slice_eq(got, want))
		fail_msg("%s\nis not\n%s", (const char *)text_hex(&mem, got).p,
			(const char *)text_hex(&mem, want).p);
}

static struct codec_ipa_data
data(const char *text)
{
	struct codec_ipa_data out;

	if (!codec_ipa_data_read(&mem, der(&mem, "%s", text), &out, &why))
		fail_msg("refused: %s: %s", why, text);
	return out;
}

static void
requests_are_exact(void **state)
{
	const struct slice txid = SLICE_LIT("\x01\x02"), ci = SLICE_LIT("aaaaaaaaaaaaaaaaaaaa");
	const struct {
		struct codec_ipa_data_request in;
		const char *text, *text_v1_0;
	} row[] = {
		{ { .want = CODEC_WANT_ALL }, "BF52{ 5C:A081A2BF20BF228384A5A6A8A9 }",
			"BF52{ 5C:80BF2BBF20BF228384A5A6A8A9 }" },
		{ { .want = CODEC_WANT_INFO2 | CODEC_WANT_ASSOCIATION_TOKEN,
			  .ci_pkid = ci,
			  .eim_transaction_id = txid },
			"BF52{ 5C:BF2284 04:61*20 83:0102 }", "BF52{ 5C:BF2284 04:61*20 }" },
		{ { .want = CODEC_WANT_NOTIFICATIONS, .notification_sequence = { true, 128 } },
			"BF52{ 5C:A0 A1{ 80:0080 } }", "BF52{ 5C:BF2B A1{ 80:0080 } }" },
		{ { .want = CODEC_WANT_NOTIFICATIONS,
			  .notification_events = 1u << CODEC_ENABLE | 1u << CODEC_DISABLE },
			"BF52{ 5C:A0 A1{ 81:0560 } }", "BF52{ 5C:BF2B A1{ 81:0560 } }" },
		{ { .want = CODEC_WANT_PACKAGE_RESULTS,
			  .result_sequence = { true, 7 },
			  .eim_transaction_id = txid },
			"BF52{ 5C:A2 A2{ 80:07 } 83:0102 }", "BF52{ 5C:BF2B A1{ 82: } }" },
		{ { .want = CODEC_WANT_PACKAGE_RESULTS | CODEC_WANT_NOTIFICATIONS },
			"BF52{ 5C:A0A2 }", "BF52{ 5C:BF2B }" },
		{ { .want = CODEC_WANT_DEFAULT_SMDP | 1u << 30 }, "BF52{ 5C:81 }",
			"BF52{ 5C:80 }" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_octets(codec_ipa_data_request_write(&mem, &row[i].in, CODEC_IOT_V1_2),
			row[i].text);
		assert_octets(codec_ipa_data_request_write(&mem, &row[i].in, CODEC_IOT_V1_0),
			row[i].text_v1_0);
	}
}

#define ALL_MEMBERS                                                                              \
	"A0{ " OTHER COMPACT_PIR "} 81:\"smdp.example.com\" A2{ " RESULT RESULT "} " INFO1 INFO2 \
	"83:\"smds.example.com\" 84:1234 A5{ " CERTIFICATE_MEMBERS "} A6{ " CERTIFICATE_MEMBERS  \
	"} 87:0102 A8{ 80:0204 81:04F0 } A9{ 80:35290611 A1{ 80:0A0000 } 82:11*8 } "

static void
every_member_is_read(void **state)
{
	static const char *const form[] = { "BF52{ A0{ " ALL_MEMBERS "} }",
		"BF52{ " ALL_MEMBERS "}", "BF52{ BF52{ A0{ " ALL_MEMBERS "} } }" };
	static const unsigned leniencies[] = { 0, CODEC_LENIENT_ARM, CODEC_LENIENT_TAG_TWICE };

	(void)state;
	for (size_t i = 0; i < sizeof form / sizeof form[0]; i++) {
		struct codec_ipa_data d = data(form[i]);

		assert_true(d.ok);
		assert_int_equal(d.leniencies, leniencies[i]);
		assert_true(d.notifications_sent && d.results_sent);
		assert_int_equal(d.notifications.n, 2);
		assert_octets(d.notifications.pending[0].octets, OTHER);
		assert_true(d.notifications.pending[1].compact);
		assert_int_equal(d.results.n, 2);
		assert_octets(d.results.result[1], RESULT);
		assert_true(slice_eq(d.default_smdp, SLICE_LIT("smdp.example.com")));
		assert_true(slice_eq(d.root_smds, SLICE_LIT("smds.example.com")));
		assert_octets(d.info1, INFO1);
		assert_octets(d.info2, INFO2);
		assert_true(d.association_token.known && d.association_token.n == 0x1234);
		assert_octets(d.eum_certificate, "30{ " CERTIFICATE_MEMBERS "}");
		assert_octets(d.euicc_certificate, "30{ " CERTIFICATE_MEMBERS "}");
		assert_true(slice_eq(d.eim_transaction_id, SLICE_LIT("\x01\x02")));
		assert_octets(d.capabilities.octets, "A8{ 80:0204 81:04F0 }");
		assert_int_equal(d.capabilities.features, CODEC_IPA_MINIMIZE);
		assert_true(d.capabilities.protocols_known);
		assert_int_equal(d.capabilities.protocols, 15);
		assert_octets(d.device_info, "80:35290611 A1{ 80:0A0000 } 82:11*8");
		assert_int_equal(d.tac.n, 4);
		assert_int_equal(d.imei.n, 8);
	}
}

static void
members_may_be_missing(void **state)
{
	struct codec_ipa_data d = data("BF52{ A0{ } }");

	(void)state;
	assert_true(d.ok);
	assert_int_equal(d.leniencies, 0);
	assert_false(d.notifications_sent || d.results_sent);
	assert_true(!d.default_smdp.p && !d.root_smds.p && !d.info1.p && !d.info2.p);
	assert_true(!d.eum_certificate.p && !d.euicc_certificate.p && !d.capabilities.octets.p);
	assert_true(!d.device_info.p && !d.tac.p && !d.imei.p && !d.eim_transaction_id.p);
	assert_false(d.association_token.known);
	d = data("BF52{ A0{ A0{ } A2{ } } }");
	assert_true(d.notifications_sent && d.results_sent);
	assert_int_equal(d.notifications.n + d.results.n, 0);
}

/* One odd member costs nothing but itself. */
static void
odd_members_are_absent(void **state)
{
	static const char *const odd[] = {
		"84:",
		"84:010203040506070809",
		"A5{ " CERTIFICATE_MEMBERS "04: }",
		"A5{ 30{ } 30{ } }",
		"A5{ 30{ 30{ } } }",
		"A5:30",
		"A6{ 04: 30{ } 03:00 }",
		"A6{ }",
		"87:01*17",
		"87:",
		"A8{ 81:04F0 }",
		"A8{ 80:09 }",
		"A9{ 80:352906 82:11*7 }",
	};

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		struct codec_ipa_data d =
			data(arena_printf(&mem, "BF52{ A0{ 81:\"a\" %s 83:\"b\" } }", odd[i]));

		assert_true(d.ok && d.default_smdp.n == 1 && d.root_smds.n == 1);
		assert_true(!d.eum_certificate.p && !d.euicc_certificate.p);
		assert_true(!d.eim_transaction_id.p && !d.capabilities.octets.p);
		assert_true(!d.association_token.known && !d.tac.p && !d.imei.p);
	}
	assert_false(data("BF52{ A0{ A8{ 80:0780 81:09 } } }").capabilities.protocols_known);
}

static void
errors_are_read(void **state)
{
	static const struct {
		const char *text;
		int error;
		bool transaction;
		unsigned leniencies;
	} row[] = {
		{ "BF52{ A1{ 80:0102 02:68 } }", CODEC_IPA_DATA_ECALL_ACTIVE, true, 0 },
		{ "BF52{ A1{ 02:01 } }", CODEC_IPA_DATA_INCORRECT_TAG_LIST, false, 0 },
		{ "BF52{ 80:0102 02:05 }", CODEC_IPA_DATA_CI_NOT_FOUND, true, CODEC_LENIENT_ARM },
		{ "BF52{ 02:7F }", CODEC_IPA_DATA_UNDEFINED, false, CODEC_LENIENT_ARM },
		{ "BF52{ 81:01 }", CODEC_IPA_DATA_INCORRECT_TAG_LIST, false,
			CODEC_LENIENT_IOT_V1_0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct codec_ipa_data d = data(row[i].text);

		assert_false(d.ok);
		assert_int_equal(d.error, row[i].error);
		assert_int_equal(d.eim_transaction_id.p != NULL, row[i].transaction);
		assert_int_equal(d.leniencies, row[i].leniencies);
	}
}

/* A0 may be the arm, or the first member of data without it. */
static void
an_arm_is_told_from_a_list(void **state)
{
	static const struct {
		const char *text;
		size_t notifications;
		unsigned leniencies;
	} row[] = {
		{ "BF52{ A0{ A0{ " OTHER "} } }", 1, 0 },
		{ "BF52{ A0{ A0{ " COMPACT_PIR "} } }", 1, 0 },
		{ "BF52{ A0{ A0{ " COMPACT_PIR COMPACT_PIR "} } }", 2, 0 },
		{ "BF52{ A0{ A0{ } } }", 0, 0 },
		{ "BF52{ A0{ " OTHER "} }", 1, CODEC_LENIENT_ARM },
		{ "BF52{ A0{ " COMPACT_PIR "} }", 1, CODEC_LENIENT_ARM },
		{ "BF52{ A0{ " OTHER COMPACT_PIR "} 81:\"abc\" }", 2, CODEC_LENIENT_ARM },
		{ "BF52{ 81:\"abc\" }", 0, CODEC_LENIENT_ARM },
		{ "BF52{ }", 0, CODEC_LENIENT_ARM },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct codec_ipa_data d = data(row[i].text);

		if (!d.ok || d.notifications.n != row[i].notifications ||
			d.leniencies != row[i].leniencies)
			fail_msg("%zu, %#x: %s", d.notifications.n, d.leniencies, row[i].text);
	}
}

/* SGP.32 v1.0: one list of notifications and results, another tag for the address. */
static void
data_of_version_1_0_are_read(void **state)
{
	static const struct {
		const char *text;
		size_t notifications, results;
	} row[] = {
		{ "BF52{ A0{ 80:\"a.b\" BF2B{ A0{ " OTHER "} } } }", 1, 0 },
		{ "BF52{ A0{ 80:\"a.b\" BF2B{ A2{ " RESULT "} } } }", 0, 1 },
		{ "BF52{ A0{ 80:\"a.b\" BF2B{ A3{ A0{ " OTHER OTHER "} A1{ " RESULT "} } } } }", 2,
			1 },
		{ "BF52{ A0{ 80:\"a.b\" BF2B{ 81:7F } } }", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct codec_ipa_data d = data(row[i].text);

		assert_true(d.ok);
		assert_int_equal(d.leniencies, CODEC_LENIENT_IOT_V1_0);
		assert_true(slice_eq(d.default_smdp, SLICE_LIT("a.b")));
		assert_int_equal(d.notifications.n, row[i].notifications);
		assert_int_equal(d.results.n, row[i].results);
		assert_int_equal(d.notifications_sent, row[i].notifications > 0);
	}
}

static void
certificates_may_be_whole(void **state)
{
	struct codec_ipa_data d = data(
		"BF52{ A0{ A5{ 30{ " CERTIFICATE_MEMBERS "} } A6{ " CERTIFICATE_MEMBERS "} } }");

	(void)state;
	assert_int_equal(d.leniencies, CODEC_LENIENT_CERTIFICATE);
	assert_octets(d.eum_certificate, "30{ " CERTIFICATE_MEMBERS "}");
	assert_octets(d.euicc_certificate, "30{ " CERTIFICATE_MEMBERS "}");
}

static void
data_are_refused(void **state)
{
	static const char *const bad[] = { "BF51{ }", "BF52{ A1{ } }", "BF52{ A1{ 02: } }",
		"BF52{ A1{ 02:0102030405 } }", "BF52:A0", "BF52{ A0:81 }", "BF52{ 80:01 02: }",
		"BF52{ A0{ A0:30 } }", "BF52{ A0{ A2:BF51 } }" };
	struct codec_ipa_data d;
	struct buf list;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		if (codec_ipa_data_read(&mem, der(&mem, "%s", bad[i]), &d, &why))
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
	for (uint32_t tag = 0xa0; tag <= 0xa2; tag += 2)
		for (size_t n = CODEC_PENDING_MAX; n <= CODEC_PENDING_MAX + 1; n++) {
			buf_init(&list, &mem, 2 * n);
			for (size_t i = 0; i < n; i++)
				buf_put_u16(&list, 0x3000);
			assert_int_equal(codec_ipa_data_read(&mem,
						 codec_der_write(&mem, 0xbf52,
							 codec_der_write(&mem, 0xa0,
								 codec_der_write(&mem, tag,
									 buf_get(&list)))),
						 &d, &why),
				n == CODEC_PENDING_MAX);
		}
}

static void
versions_are_told_by_info2(void **state)
{
	static const struct {
		const char *text;
		struct codec_iot_info info;
	} row[] = {
		{ INFO2, { .known = true, .version = { 1, 2, 0 } } },
		{ "BF22{ 90:01 B4{ A0{ 04:010001 04:010200 04:010100 04:09 } 81: 82: } }",
			{ true, { 1, 2, 0 }, true, true, { true, 1 } } },
		{ "BF22{ 90:00 }", { .ipa_mode = { true, 0 } } },
		{ "BF22{ B4{ A0:04 81:00 } }", { .known = true } },
		{ "BF22{ B4:A0 }", { .known = true } },
		{ "BF20{ B4{ 81: } }", { 0 } },
		{ "", { 0 } },
	};
	struct codec_iot_info info;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		memset(&info, 0xff, sizeof info);
		codec_iot_info_read(der(&mem, "%s", row[i].text), &info);
		assert_int_equal(info.known, row[i].info.known);
		assert_memory_equal(info.version, row[i].info.version, 3);
		assert_int_equal(info.ecall, row[i].info.ecall);
		assert_int_equal(info.fallback, row[i].info.fallback);
		assert_int_equal(info.ipa_mode.known, row[i].info.ipa_mode.known);
		assert_int_equal(info.ipa_mode.n, row[i].info.ipa_mode.n);
	}
}

static void
triggers_are_exact(void **state)
{
	const struct slice txid = SLICE_LIT("\x01\x02"), code = SLICE_LIT("1$a.b$M");
	const struct {
		struct codec_download_trigger in;
		const char *text;
	} row[] = {
		{ { CODEC_DOWNLOAD_UNSAID, SLICE_NONE, txid }, "BF54{ 82:0102 }" },
		{ { CODEC_DOWNLOAD_ACTIVATION_CODE, code, txid },
			"BF54{ A0{ 80:\"1$a.b$M\" } 82:0102 }" },
		{ { CODEC_DOWNLOAD_ACTIVATION_CODE, code, SLICE_NONE },
			"BF54{ A0{ 80:\"1$a.b$M\" } }" },
		{ { CODEC_DOWNLOAD_DEFAULT_SMDP, SLICE_NONE, txid }, "BF54{ A0{ 81: } 82:0102 }" },
		{ { CODEC_DOWNLOAD_SMDS, SLICE_NONE, txid }, "BF54{ A0{ A2{ } } 82:0102 }" },
		{ { CODEC_DOWNLOAD_SMDS, SLICE_LIT("smds"), txid },
			"BF54{ A0{ A2{ 80:\"smds\" } } 82:0102 }" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_octets(codec_download_trigger_write(&mem, &row[i].in), row[i].text);
}

#define PIR "BF37{ BF27{ 80:0102 06:8837 A2{ A0{ } } } " SIGNATURE "} "

static void
download_results_are_read(void **state)
{
	struct codec_download_result r;

	(void)state;
	assert_true(
		codec_download_result_read(&mem, der(&mem, "BF54{ 82:0102 " PIR "}"), &r, &why));
	assert_true(slice_eq(r.eim_transaction_id, SLICE_LIT("\x01\x02")));
	assert_octets(r.installation_result, PIR);
	assert_false(r.reason.known);
	assert_true(codec_download_result_read(
		&mem, der(&mem, "BF54{ 30{ 80:68 04:A1020304 } }"), &r, &why));
	assert_null(r.eim_transaction_id.p);
	assert_null(r.installation_result.p);
	assert_true(r.reason.known && r.reason.n == 104);
	assert_true(slice_eq(r.error_response, SLICE_LIT("\xa1\x02\x03\x04")));
	assert_int_equal(r.leniencies, 0);
	assert_true(codec_download_result_read(&mem, der(&mem, "BF54{ 30{ } }"), &r, &why));
	assert_true(!r.reason.known && !r.error_response.p);
	assert_true(
		codec_download_result_read(&mem, der(&mem, "BF54{ 30{ 80:A1020304 } }"), &r, &why));
	assert_false(r.reason.known);
	assert_true(slice_eq(r.error_response, SLICE_LIT("\xa1\x02\x03\x04")));
	assert_int_equal(r.leniencies, CODEC_LENIENT_IOT_V1_0);
}

static void
download_results_are_refused(void **state)
{
	static const char *const bad[] = { "BF55{ }", "BF54{ }", "BF54{ 82:0102 }", "BF54{ A0{ } }",
		"BF54:BF37" };
	struct codec_download_result r;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		if (codec_download_result_read(&mem, der(&mem, "%s", bad[i]), &r, &why))
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
}

static bool
read_data(struct arena *arena, struct slice octets)
{
	struct codec_ipa_data d;
	struct codec_iot_info info;

	if (!codec_ipa_data_read(arena, octets, &d, &why))
		return false;
	codec_iot_info_read(d.info2, &info);
	return true;
}

static bool
read_download(struct arena *arena, struct slice octets)
{
	struct codec_download_result r;

	return codec_download_result_read(arena, octets, &r, &why);
}

static void
broken_octets_do_no_harm(void **state)
{
	(void)state;
	assert_broken_refused(der(&mem, "BF52{ A0{ " ALL_MEMBERS "} }"), read_data);
	assert_broken_refused(
		der(&mem, "BF52{ A0{ 80:\"a\" BF2B{ A3{ A0{ " OTHER "} A1{ " RESULT "} } } } }"),
		read_data);
	assert_broken_refused(der(&mem, "BF54{ 82:0102 " PIR "}"), read_download);
	assert_broken_refused(der(&mem, "BF54{ 82:0102 30{ 80:68 04:00 } }"), read_download);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_exact),
		cmocka_unit_test(every_member_is_read),
		cmocka_unit_test(members_may_be_missing),
		cmocka_unit_test(odd_members_are_absent),
		cmocka_unit_test(errors_are_read),
		cmocka_unit_test(an_arm_is_told_from_a_list),
		cmocka_unit_test(data_of_version_1_0_are_read),
		cmocka_unit_test(certificates_may_be_whole),
		cmocka_unit_test(data_are_refused),
		cmocka_unit_test(versions_are_told_by_info2),
		cmocka_unit_test(triggers_are_exact),
		cmocka_unit_test(download_results_are_read),
		cmocka_unit_test(download_results_are_refused),
		cmocka_unit_test(broken_octets_do_no_harm),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("codec_ipa_data", tests, setup, teardown);
}
