/*
 * SGP.32's messages against the ASN.1 module: each decodes with the codec that asn1c made of
 * asn1/SGP32Definitions.asn1 and is encoded again to the same octets, so that tags and order in both are one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <EPRAndNotifications.h>
#include <EimAcknowledgements.h>
#include <EimConfigurationData.h>
#include <EsipaMessageFromEimToIpa.h>
#include <EsipaMessageFromIpaToEim.h>
#include <EuiccPackageRequest.h>
#include <EuiccPackageResult.h>
#include <IpaEuiccDataRequest.h>
#include <IpaEuiccDataResponse.h>
#include <ProfileDownloadTriggerRequest.h>
#include <ProfileDownloadTriggerResult.h>
#include <SGP32-AuthenticateServerResponse.h>
#include <SGP32-CancelSessionResponse.h>
#include <SGP32-PendingNotification.h>
#include <SGP32-PrepareDownloadResponse.h>
#include "codec/asn1.h"
#include "codec/compact.h"
#include "codec/der.h"
#include "codec/ipa_data.h"
#include "codec_text.h"

#define TXID "80:000102030405060708090A0B0C0D0E0F "
#define SIGNATURE "5F37:A5*64 "
#define MEMBERS "30{ 02:01 } 30{ 06:2A } 03:0077 "
#define CERTIFICATE "30{ " MEMBERS "} "
#define ICCID "5A:98001032547698103214 "
#define EID "5A:89*16 "
#define META "BF2F{ 80:05 81:0640 0C:\"a\" " ICCID "} "
#define PIR                                                                                        \
	"BF37{ BF27{ " TXID "BF2F{ 80:05 81:0780 0C:\"a\" } 06:8837 A2{ A0{ 4F:A0*16 04:3000 } } " \
	"} " SIGNATURE "} "
#define OTHER "30{ " META SIGNATURE CERTIFICATE CERTIFICATE "} "
#define COMPACT_PIR "A0{ A0{ " TXID "02:2B A2{ A0{ 4F:1234 } } } " SIGNATURE "} "
#define COMPACT_FAILURE "A0{ A0{ " TXID "02:2B 01:00 A2{ A1{ 80:05 81:0C } } } " SIGNATURE "} "
#define COMPACT_OTHER "A1{ " EID META SIGNATURE "} "
#define IDS "80:\"eim\" 81:01 82:0102 "
#define RESULT "BF51{ A0{ 30{ " IDS "83:07 30{ 83:00 } } " SIGNATURE "} } "
#define INFO1 "BF20{ 82:020500 A9{ 04:A1*20 } AA{ 04:A1*20 } } "
#define INFO2                                                                                  \
	"BF22{ 81:020301 82:020500 83:010203 84:810102 85:067FC0 86:090000 87:020300 88:0490 " \
	"A9{ 04:A1*20 } AA{ 04:A1*20 } 99:0640 04:020101 0C:\"sas\" AF{ 04:020100 } 90:00 "    \
	"93:020600 B4{ A0{ 04:010200 } 81: 82: } } "
#define DEVICE "80:35290611 A1{ 80:0A0000 85:0B0000 } 82:11*8 "
#define CONTEXT "A0{ 80:\"M\" A1{ " DEVICE "} } "
#define SIGNED1 "30{ " TXID "83:\"a.b\" 84:C4*16 " INFO2 CONTEXT "} "
#define TRIGGER "BF54{ A0{ 80:\"1$a$b\" } 82:0102 } "

static struct arena mem;
static const char *why;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 8u << 20, NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_fini(&mem);
	return 0;
}

static int
octets_put(const void *p, size_t n, void *out)
{
	buf_put(out, slice_of(p, n));
	return 0;
}

static void *
assert_module(asn_TYPE_descriptor_t *type, struct slice octets)
{
	struct buf out;
	void *value = codec_asn1_read(&mem, type, octets, 1000, &why);

	if (!value)
		fail_msg("%s: %s", type->name, why);
	buf_init(&out, &mem, 65536);
	assert_true(der_encode(type, value, octets_put, &out).encoded > 0);
	if (!slice_eq(buf_get(&out), octets))
		fail_msg("%s comes out differently", type->name);
	return value;
}

/* Whatever a package may hold. */
static struct slice
package_of(const struct codec_eim_command *command, size_t n)
{
	struct codec_euicc_package package = {
		.eim_id = SLICE_LIT("eim"),
		.eid = SLICE_LIT("0123456789abcdef"),
		.counter = 200,
		.eim_transaction_id = SLICE_LIT("ab"),
	};
	uint8_t signature[64] = { 1 };

	assert_true(codec_eim_commands_write(
		&mem, command, n, CODEC_CERTIFICATE_IMPLICIT, &package.commands, &why));
	return codec_euicc_package_write(
		&mem, codec_euicc_package_signed_write(&mem, &package), SLICE_ARRAY(signature));
}

static void
packages_are_what_the_module_says(void **state)
{
	const struct slice iccid = SLICE_LIT("0123456789"), iccid_2 = SLICE_LIT("9876543210");
	const struct slice certificate = der(&mem, CERTIFICATE), oid = SLICE_LIT("\x88\x37");
	const struct codec_eim_configuration eim = {
		.eim_id = SLICE_LIT("other"),
		.fqdn = SLICE_LIT("a.b"),
		.id_type = CODEC_EIM_ID_FQDN,
		.counter = { true, 1 },
		.association_token = { true, -1 },
		.key = { .certificate = certificate },
		.tls = { .public_key = der(&mem, "30{ 30{ 06:2A } 03:0004 }") },
		.protocols_known = true,
		.protocols = CODEC_RETRIEVE_COAPS,
		.ci_pkid = SLICE_LIT("01234567890123456789"),
		.indirect_download = true,
	};
	const struct codec_eim_command psmo[] = {
		{ CODEC_PSMO_ENABLE, .iccid = iccid, .rollback = true },
		{ CODEC_PSMO_DISABLE, .iccid = iccid_2 },
		{ CODEC_PSMO_DELETE, .iccid = iccid },
		{ CODEC_PSMO_LIST_PROFILE_INFO,
			.list = { CODEC_PROFILES_CLASS, .search_class = CODEC_CLASS_TEST,
				.tags = CODEC_PROFILE_TAGS } },
		{ CODEC_PSMO_LIST_PROFILE_INFO, .list = { CODEC_PROFILES_ICCID, .key = iccid } },
		{ CODEC_PSMO_LIST_PROFILE_INFO, .list = { CODEC_PROFILES_AID, .key = iccid } },
		{ .kind = CODEC_PSMO_GET_RAT },
		{ CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE,
			.immediate = { true, oid, SLICE_LIT("a") } },
		{ CODEC_PSMO_SET_FALLBACK_ATTRIBUTE, .iccid = iccid },
		{ .kind = CODEC_PSMO_UNSET_FALLBACK_ATTRIBUTE },
		{ CODEC_PSMO_SET_DEFAULT_DP_ADDRESS, .dp_address = SLICE_LIT("a") },
	};
	const struct codec_eim_command eco[] = {
		{ CODEC_ECO_ADD_EIM, .eim = &eim },
		{ CODEC_ECO_DELETE_EIM, .eim_id = SLICE_LIT("other") },
		{ CODEC_ECO_UPDATE_EIM, .eim = &eim },
		{ .kind = CODEC_ECO_LIST_EIM },
	};
	EuiccPackageRequest_t *p;
	struct slice octets;

	(void)state;
	p = assert_module(&asn_DEF_EuiccPackageRequest, package_of(psmo, 11));
	assert_int_equal(p->euiccPackageSigned.euiccPackage.present, EuiccPackage_PR_psmoList);
	assert_int_equal(p->euiccPackageSigned.euiccPackage.choice.psmoList.list.count, 11);
	p = assert_module(&asn_DEF_EuiccPackageRequest, package_of(eco, 4));
	assert_int_equal(p->euiccPackageSigned.euiccPackage.choice.ecoList.list.count, 4);
	assert_true(codec_eim_configuration_write(
		&mem, &eim, CODEC_CERTIFICATE_IMPLICIT, &octets, &why));
	assert_module(&asn_DEF_EimConfigurationData, octets);
	assert_module(
		&asn_DEF_EimAcknowledgements, codec_eim_acknowledgements_write(&mem, &oid, 1));
}

static void
requests_are_what_the_module_says(void **state)
{
	const struct slice txid = SLICE_LIT("ab");
	const struct codec_ipa_data_request all = { CODEC_WANT_ALL,
		SLICE_LIT("01234567890123456789"), { true, 5 }, 0, { true, 6 }, txid };
	const struct codec_ipa_data_request events = { .want = CODEC_WANT_NOTIFICATIONS,
		.notification_events = 3 };
	IpaEuiccDataRequest_t *r;

	(void)state;
	r = assert_module(&asn_DEF_IpaEuiccDataRequest,
		codec_ipa_data_request_write(&mem, &all, CODEC_IOT_V1_2));
	assert_non_null(r->searchCriteriaEuiccPackageResult);
	assert_module(&asn_DEF_IpaEuiccDataRequest,
		codec_ipa_data_request_write(&mem, &events, CODEC_IOT_V1_2));
	for (int kind = CODEC_DOWNLOAD_UNSAID; kind <= CODEC_DOWNLOAD_SMDS; kind++) {
		const struct codec_download_trigger trigger = { (enum codec_download_kind)kind,
			SLICE_LIT("text"), txid };
		ProfileDownloadTriggerRequest_t *t =
			assert_module(&asn_DEF_ProfileDownloadTriggerRequest,
				codec_download_trigger_write(&mem, &trigger));

		assert_int_equal(t->profileDownloadData != NULL, kind != CODEC_DOWNLOAD_UNSAID);
	}
}

static void
results_are_what_the_module_says(void **state)
{
	static const char *const text[] = {
		"BF51{ A0{ 30{ " IDS "83:07 30{ 83:00 84:02 85:15 A6{ 30{ 80:0560 A1{ 30{ "
		"80:EEEEEE } } 82:0780 } } 87:00 A8{ 84:05 } A8{ 02:02 } 89:02 8A:06 AB{ A0{ 30{ "
		"80:\"one\" 82:01 } 30{ 80:\"two\" } } } AB{ 81:7F } 8C:00 8D:03 8E:02 BF2D{ A0{ "
		"E3{ " ICCID
		"4F:A0*16 9F70:01 90:\"n\" 91:\"p\" 92:\"m\" 93:01 94:FF 95:01 B6{ 30{ "
		"80:0780 81:\"a\" } } B7{ 80:26F201 } 99:0560 9F7B:FF 9F26:FF 9F67:FF } E3{ } } } "
		"BF2D{ 81:0B } BF65{ 80:00 } 02:02 } } " SIGNATURE "} }",
		"BF51{ A1{ 30{ " IDS "02:68 } " SIGNATURE "} }",
		"BF51{ A2{ 80:\"eim\" 82:0102 84:1234 } }",
	};
	struct codec_euicc_package_result r;
	const struct codec_profile_info *p;
	struct slice octets;

	(void)state;
	for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
		octets = der(&mem, "%s", text[i]);
		assert_module(&asn_DEF_EuiccPackageResult, octets);
		assert_true(codec_euicc_package_result_read(&mem, octets, &r, &why));
		assert_int_equal(r.arm, i);
		assert_int_equal(r.leniencies, 0);
	}
	assert_true(codec_euicc_package_result_read(&mem, der(&mem, "%s", text[0]), &r, &why));
	assert_int_equal(r.n, 18);
	for (size_t i = 0; i < r.n; i++)
		assert_true(r.result[i].kind != CODEC_RESULT_UNKNOWN && r.result[i].code >= 0);
	p = r.result[14].profile;
	assert_true(p->iccid.p && p->aid.p && p->nickname.p && p->provider.p && p->name.p);
	assert_true(p->mcc_mnc.p && p->rules_known && p->profile_class.known);
	assert_int_equal(p->notify_count, 1);
	assert_int_equal(p->state, CODEC_PROFILE_ENABLED);
	assert_true(p->ecall == CODEC_YES && p->fallback == CODEC_YES &&
		p->fallback_allowed == CODEC_YES);
}

static void
answers_are_what_the_module_says(void **state)
{
	struct codec_result_and_notifications both;
	struct codec_download_result download;
	struct codec_iot_info iot;
	struct codec_ipa_data d;
	struct slice octets;

	(void)state;
	octets = der(&mem,
		"BF52{ A0{ A0{ " PIR OTHER COMPACT_PIR COMPACT_OTHER "} 81:\"a\" A2{ " RESULT
		"} " INFO1 INFO2 "83:\"b\" 84:05 A5{ " MEMBERS "} A6{ " MEMBERS
		"} 87:0102 A8{ 80:0204 81:04F0 } A9{ " DEVICE "} } }");
	assert_module(&asn_DEF_IpaEuiccDataResponse, octets);
	assert_true(codec_ipa_data_read(&mem, octets, &d, &why));
	assert_int_equal(d.leniencies, 0);
	assert_int_equal(d.notifications.n, 4);
	assert_int_equal(d.results.n, 1);
	assert_true(d.info1.p && d.info2.p && d.root_smds.p && d.default_smdp.p && d.tac.p);
	assert_true(slice_eq(d.euicc_certificate, der(&mem, CERTIFICATE)));
	codec_iot_info_read(d.info2, &iot);
	assert_true(iot.known && iot.ecall && iot.fallback && iot.ipa_mode.known);
	octets = der(&mem, "BF52{ A1{ 80:0102 02:05 } }");
	assert_module(&asn_DEF_IpaEuiccDataResponse, octets);
	assert_true(codec_ipa_data_read(&mem, octets, &d, &why));
	assert_int_equal(d.leniencies, 0);
	octets = der(&mem, "30{ " RESULT "A0{ " OTHER "} }");
	assert_module(&asn_DEF_EPRAndNotifications, octets);
	assert_true(codec_result_and_notifications_read(&mem, octets, &both, &why));
	assert_int_equal(both.notifications.n, 1);
	octets = der(&mem, "BF54{ 82:0102 " PIR "}");
	assert_module(&asn_DEF_ProfileDownloadTriggerResult, octets);
	assert_true(codec_download_result_read(&mem, octets, &download, &why));
	octets = der(&mem, "BF54{ 82:0102 30{ 80:68 04:00 } }");
	assert_module(&asn_DEF_ProfileDownloadTriggerResult, octets);
	assert_true(codec_download_result_read(&mem, octets, &download, &why));
	assert_true(download.reason.known && download.error_response.p);
}

/* The compact form, the facts, and the full form that is made of both. */
static void
compact_forms_are_what_the_module_says(void **state)
{
	static const struct {
		asn_TYPE_descriptor_t *type;
		const char *text;
	} row[] = {
		{ &asn_DEF_SGP32_PendingNotification, COMPACT_PIR },
		{ &asn_DEF_SGP32_PendingNotification, COMPACT_FAILURE },
		{ &asn_DEF_SGP32_PendingNotification, COMPACT_OTHER },
		{ &asn_DEF_SGP32_AuthenticateServerResponse,
			"BF38{ A2{ A0{ 84:810102 A2{ " CONTEXT "} } " SIGNATURE "A1{ " MEMBERS
			"} A2{ " MEMBERS "} } }" },
		{ &asn_DEF_SGP32_AuthenticateServerResponse,
			"BF38{ A2{ A0{ 84:810102 } " SIGNATURE "} }" },
		{ &asn_DEF_SGP32_AuthenticateServerResponse, "BF38{ A2{ " SIGNED1 SIGNATURE "} }" },
		{ &asn_DEF_SGP32_PrepareDownloadResponse,
			"BF21{ A2{ 30{ 5F49:04*65 04:CC*32 } " SIGNATURE "} }" },
		{ &asn_DEF_SGP32_PrepareDownloadResponse, "BF21{ A2{ 30{ } " SIGNATURE "} }" },
		{ &asn_DEF_SGP32_CancelSessionResponse, "BF41{ A2{ 30{ 80:01 } " SIGNATURE "} }" },
		{ &asn_DEF_SGP32_CancelSessionResponse, "BF41{ A2{ 30{ } " SIGNATURE "} }" },
	};
	static const uint8_t key[65] = { 4 };
	const struct slice oid = SLICE_LIT("\x88\x37"), txid = SLICE_LIT("0123456789abcdef");
	const struct slice certificate = der(&mem, CERTIFICATE);
	const struct codec_notification_facts n = { SLICE_LIT("a"), SLICE_LIT("0123456789"), oid,
		certificate, certificate };
	const struct codec_authenticate_facts a = { txid, SLICE_LIT("a.b"), txid, der(&mem, INFO2),
		der(&mem, CONTEXT), certificate, certificate };
	const struct codec_prepare_facts p = { txid, SLICE_ARRAY(key), SLICE_NONE };
	const struct codec_cancel_facts c = { txid, oid, { true, 127 } };
	struct codec_full full;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct slice octets = der(&mem, "%s", row[i].text);

		assert_module(row[i].type, octets);
		assert_true(codec_full_notification_write(&mem, octets, &n, &full, &why) ||
			codec_full_authenticate_response_write(&mem, octets, &a, &full, &why) ||
			codec_full_prepare_response_write(&mem, octets, &p, &full, &why) ||
			codec_full_cancel_response_write(&mem, octets, &c, &full, &why));
		assert_true(full.compact);
		assert_module(row[i].type, full.octets);
	}
}

/* The messages around all of it, which esipa/ reads and writes: the wire forms that devices speak. */
static void
esipa_is_what_the_module_says(void **state)
{
	static const char *const from_ipa[] = {
		"BF39{ 81:C4*16 83:\"a\" " INFO1 "82:0102 }",
		"BF39{ 81:C4*16 }",
		"BF3B{ " TXID "BF38{ A2{ A0{ 84:810102 } " SIGNATURE "} } }",
		"BF3A{ " TXID "BF21{ A2{ 30{ } " SIGNATURE "} } }",
		"BF41{ " TXID "A1{ A2{ 30{ 80:01 } " SIGNATURE "} } }",
		"BF41{ " TXID "A1{ 81:05 } }",
		"BF3D{ A0{ " PIR "} }",
		"BF3D{ A0{ " COMPACT_OTHER "} }",
		"BF3D{ BF50{ " EID RESULT "} }",
		"BF4E{ " RESULT "}",
		"BF4E{ 05: }",
		"BF4E{ 02:01 }",
		"BF4F{ " EID "}",
		"BF4F{ " EID "80: 81:05 82:26F201 }",
		"BF50{ " EID RESULT "}",
		"BF50{ " RESULT "}",
		"BF50{ 30{ " RESULT "A0{ " PIR "} } }",
		"BF50{ " EID "BF52{ A1{ 02:01 } } }",
		"BF50{ BF54{ " PIR "} }",
		"BF50{ A0{ 80:0102 02:02 } }",
	};
	static const char *const from_eim[] = {
		"BF39{ A0{ " TXID "30{ " TXID "81:C4*16 83:\"a\" 84:C5*16 } " SIGNATURE
		"04:A1*20 " CERTIFICATE "0C:\"M\" A2{ " CONTEXT "} } }",
		"BF39{ 81:34 }",
		"BF3B{ A0{ " TXID "BF25{ " ICCID "91:\"p\" 92:\"n\" 9F67:FF } 30{ " TXID
		"01:00 } " SIGNATURE CERTIFICATE "04:CC*32 } }",
		"BF3B{ A1{ " TXID TRIGGER "} }",
		"BF3B{ 82:38 }",
		"BF3A{ 81:32 }",
		"BF41{ A0{ } }",
		"BF41{ 81:01 }",
		"BF4E{ BF53{ 80:07 } }",
		"BF4F{ 02:01 }",
		"BF4F{ " TRIGGER "}",
		"BF4F{ BF52{ 5C:BF22 83:0102 } }",
		"BF50{ BF53{ 80:07 80:08 } }",
		"BF50{ 30{ } }",
		"BF50{ 02:02 }",
	};

	(void)state;
	for (size_t i = 0; i < sizeof from_ipa / sizeof from_ipa[0]; i++)
		assert_module(&asn_DEF_EsipaMessageFromIpaToEim, der(&mem, "%s", from_ipa[i]));
	for (size_t i = 0; i < sizeof from_eim / sizeof from_eim[0]; i++)
		assert_module(&asn_DEF_EsipaMessageFromEimToIpa, der(&mem, "%s", from_eim[i]));
	/* the messages of a probe */
	assert_module(&asn_DEF_EsipaMessageFromEimToIpa, SLICE_LIT("\xbf\x4f\x03\x02\x01\x01"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packages_are_what_the_module_says),
		cmocka_unit_test(requests_are_what_the_module_says),
		cmocka_unit_test(results_are_what_the_module_says),
		cmocka_unit_test(answers_are_what_the_module_says),
		cmocka_unit_test(compact_forms_are_what_the_module_says),
		cmocka_unit_test(esipa_is_what_the_module_says),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("codec_eim_module", tests, setup, teardown);
}
