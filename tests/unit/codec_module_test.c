/*
 * The tables of members against the ASN.1 module: each message decodes with the codec that asn1c made
 * of asn1/RSPDefinitions.asn1 and is encoded again to the same octets, so that tags and order in both
 * are one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <AuthenticateServerResponse.h>
#include <CancelSessionResponse.h>
#include <ConfigureISDPRequest.h>
#include <EUICCInfo1.h>
#include <InitialiseSecureChannelRequest.h>
#include <PendingNotification.h>
#include <PrepareDownloadResponse.h>
#include <ReplaceSessionKeysRequest.h>
#include <ServerSigned1.h>
#include <SmdpSigned2.h>
#include <StoreMetadataRequest.h>
#include "codec/asn1.h"
#include "codec/der.h"
#include "codec/euicc.h"
#include "codec/metadata.h"
#include "codec/notification.h"
#include "codec/package.h"
#include "codec/server.h"
#include "codec_text.h"

#define TXID "80:000102030405060708090A0B0C0D0E0F "
#define CI "04:A1*20 "
#define SIGNATURE "5F37:A5*64 "
#define CERTIFICATES "30{ 30{ 02:01 } 30{ 06:2A } 03:0077 } 30{ 30{ 02:02 } 30{ 06:2A } 03:0077 } "

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

static void
what_we_write_is_what_the_module_says(void **state)
{
	uint8_t key[65] = { 4 }, signature[64] = { 1 };
	struct slice id = slice_of(key, 16);
	const struct codec_server_signed1 signed1 = { id, id, SLICE_LIT("a.b"), id };
	const struct codec_smdp_signed2 signed2 = { id, true, SLICE_ARRAY(key) };
	const struct codec_channel channel = { id, SLICE_LIT("host"), SLICE_ARRAY(key),
		SLICE_ARRAY(signature) };
	const struct codec_metadata metadata = {
		.iccid = slice_of(key, 10),
		.provider = SLICE_LIT("p"),
		.name = SLICE_LIT("n"),
		.icon = SLICE_LIT("icon"),
		.notify = { { 0x0f, SLICE_LIT("a.b") } },
		.notify_count = 1,
		.mcc_mnc = slice_of(key, 3),
		.gid1 = SLICE_LIT("1"),
		.rules = CODEC_PPR_NO_DELETE,
	};
	struct slice octets;
	ServerSigned1_t *s1;
	StoreMetadataRequest_t *md;

	(void)state;
	s1 = assert_module(&asn_DEF_ServerSigned1, codec_server_signed1_write(&mem, &signed1));
	assert_int_equal(s1->serverAddress.size, 3);
	assert_module(&asn_DEF_SmdpSigned2, codec_smdp_signed2_write(&mem, &signed2));
	assert_module(&asn_DEF_InitialiseSecureChannelRequest, codec_channel_write(&mem, &channel));
	assert_module(&asn_DEF_ConfigureISDPRequest, codec_configure_isdp_write(&mem));
	assert_module(&asn_DEF_ReplaceSessionKeysRequest,
		codec_replace_session_keys_write(&mem, id, id, id));
	assert_true(codec_store_metadata_write(&mem, &metadata, &octets, &why));
	md = assert_module(&asn_DEF_StoreMetadataRequest, octets);
	assert_int_equal(md->notificationConfigurationInfo->list.count, 4);
	assert_int_equal(*md->profileClass, 0);
}

static void
what_we_read_is_what_the_module_says(void **state)
{
	struct codec_euicc_info1 info1;
	struct codec_authenticate_response a;
	struct codec_prepare_response p;
	struct codec_cancel_response c;
	struct codec_notification n;
	struct slice octets;

	(void)state;
	octets = der(&mem, "BF20{ 82:020500 A9{ " CI CI "} AA{ " CI "} }");
	assert_module(&asn_DEF_EUICCInfo1, octets);
	assert_true(codec_euicc_info1_read(&mem, octets, &info1, &why));
	octets = der(&mem,
		"BF38{ A0{ 30{ " TXID "83:\"a.b\" 84:C4*16 BF22{ 81:020301 82:020500 83:010203 "
		"84:810102 85:067FC0 86:090000 87:020300 88:0490 A9{ " CI "} AA{ " CI
		"} 8B:02 99:0640 04:020101 0C:\"sas\" AC{ 80:\"l\" 81:\"d\" } 8D:0640 8E:\"t\" "
		"AF{ 04:020100 } } A0{ 80:\"M\" A1{ 80:35290611 A1{ 80:0A0000 85:0B0000 } "
		"82:11*8 } } } " SIGNATURE CERTIFICATES "} }");
	assert_module(&asn_DEF_AuthenticateServerResponse, octets);
	assert_true(codec_authenticate_response_read(&mem, octets, &a, &why));
	assert_true(a.info2.category.known && a.info2.more_profile_version_count == 1);
	octets = der(&mem, "BF38{ A1{ " TXID "02:7F } }");
	assert_module(&asn_DEF_AuthenticateServerResponse, octets);
	assert_true(codec_authenticate_response_read(&mem, octets, &a, &why));
	octets = der(&mem, "BF21{ A0{ 30{ " TXID "5F49:04*65 04:CC*32 } " SIGNATURE "} }");
	assert_module(&asn_DEF_PrepareDownloadResponse, octets);
	assert_true(codec_prepare_response_read(&mem, octets, &p, &why));
	octets = der(&mem, "BF41{ A0{ 30{ " TXID "81:8837 82:03 } " SIGNATURE "} }");
	assert_module(&asn_DEF_CancelSessionResponse, octets);
	assert_true(codec_cancel_response_read(&mem, octets, &c, &why));
	octets = der(&mem, "BF41{ 81:05 }");
	assert_module(&asn_DEF_CancelSessionResponse, octets);
	assert_true(codec_cancel_response_read(&mem, octets, &c, &why));
	octets = der(&mem,
		"BF37{ BF27{ " TXID "BF2F{ 80:01 81:0780 0C:\"a.b\" 5A:98*10 } 06:8837 A2{ A0{ "
		"4F:A0*16 04:3000 } } } " SIGNATURE "}");
	assert_module(&asn_DEF_PendingNotification, octets);
	assert_true(codec_pending_notification_read(&mem, octets, &n, &why));
	octets = der(&mem,
		"BF37{ BF27{ " TXID "BF2F{ 80:01 81:0780 0C:\"a.b\" } 06:8837 A2{ A1{ 80:05 81:0C "
		"82:3000 } } } " SIGNATURE "}");
	assert_module(&asn_DEF_PendingNotification, octets);
	assert_true(codec_pending_notification_read(&mem, octets, &n, &why));
	octets = der(
		&mem, "30{ BF2F{ 80:01 81:0410 0C:\"a.b\" 5A:98*10 } " SIGNATURE CERTIFICATES "}");
	assert_module(&asn_DEF_PendingNotification, octets);
	assert_true(codec_pending_notification_read(&mem, octets, &n, &why));
}

/* What the generated codecs may be given, and what becomes of what they refuse. */
static void
the_fence_holds(void **state)
{
	(void)state;
	assert_null(codec_asn1_read(&mem, &asn_DEF_EUICCInfo1,
		der(&mem, "BF20{ 82:020500 A9{ " CI CI "} AA{ " CI "} }"), 6, &why));
	assert_non_null(strstr(why, "too many"));
	assert_null(codec_asn1_read(&mem, &asn_DEF_EUICCInfo1,
		SLICE_LIT("\xbf\x20\x80\x82\x03\x02\x05\x00\x00\x00"), 100, &why));
	assert_null(codec_asn1_read(
		&mem, &asn_DEF_SuccessResult, der(&mem, "30{ 4F:A0*4 04: }"), 100, &why));
	assert_non_null(strstr(why, "out of its bounds"));
	assert_null(codec_asn1_read(&mem, &asn_DEF_EUICCInfo1,
		der(&mem, "BF20{ 82:020500 A9{ } AA{ } } 05:"), 100, &why));
	assert_non_null(strstr(why, "does not decode"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_write_is_what_the_module_says),
		cmocka_unit_test(what_we_read_is_what_the_module_says),
		cmocka_unit_test(the_fence_holds),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("codec_module", tests, setup, teardown);
}
