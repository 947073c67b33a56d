/*
 * What eUICCs send on ES9+: every member is found, signed parts keep their octets, unknown members
 * (those of SGP.22 v3 too) are skipped, what is broken is refused with a reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "codec/euicc.h"
#include "codec/metadata.h"
#include "codec/notification.h"
#include "codec_text.h"

#define TXID "80:000102030405060708090A0B0C0D0E0F "
#define CI1 "04:A1*20 "
#define CI2 "04:A2*20 "
#define INFO2                                                                                      \
	"81:020301 82:020500 83:010203 84:810102820400012345830203E8 85:067F3680 86:090000 "       \
	"87:020300 88:0390 A9{ " CI1 CI2 "} AA{ " CI2 "} 8B:02 99:0540 04:020101 0C:\"GI-BA-UP\" " \
	"AC{ 80:\"label\" 81:\"https://d\" } 8D:0640 8E:\"tre\" AF{ 04:020100 04:030301 } "
#define DEVICE "80:35290611 A1{ 80:0A0000 85:0B0000 } 82:1122334455667788 "
#define SIGNED1                                                                                    \
	TXID "83:\"smdp.example.com\" 84:C4*16 BF22{ " INFO2 "} A0{ 80:\"MATCHING-1\" A1{ " DEVICE \
	     "} } "
#define SIGNATURE "5F37:A5*64 "
#define CERTIFICATES "30{ 30:01 } 30{ 30:02 } "

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
assert_octets(struct slice got, const char *want)
{
	assert_true(slice_eq(got, der(&mem, "%s", want)));
}

static void
info1_lists_the_ci_keys(void **state)
{
	struct codec_euicc_info1 info;

	(void)state;
	assert_true(codec_euicc_info1_read(
		&mem, der(&mem, "BF20{ 82:020500 A9{ " CI1 CI2 "} AA{ " CI2 "} }"), &info, &why));
	assert_memory_equal(info.svn, "\2\5\0", 3);
	assert_int_equal(info.verify.n, 2);
	assert_int_equal(info.sign.n, 1);
	assert_int_equal(info.verify.id[0].n, 20);
	assert_int_equal(info.verify.id[0].p[0], 0xa1);
	assert_int_equal(info.verify.id[1].p[19], 0xa2);
	assert_int_equal(info.sign.id[0].p[0], 0xa2);
}

static void
info1_of_version_3_is_read(void **state)
{
	struct codec_euicc_info1 info;

	(void)state;
	assert_true(codec_euicc_info1_read(&mem,
		der(&mem,
			"BF20{ 82:020500 A9{ " CI1 "} AA{ " CI2 "} B1{ " CI1
			"} 88:0700 93:030100 }"),
		&info, &why));
	assert_int_equal(info.sign.n, 1);
	assert_memory_equal(info.highest_svn, "\3\1\0", 3);
	assert_true(codec_euicc_info1_read(&mem,
		der(&mem, "BF20{ 82:020500 88:0700 A9{ " CI1 "} BF55{ 80: } AA{ " CI2 "} }"), &info,
		&why));
	assert_int_equal(info.verify.n, 1);
	assert_int_equal(info.sign.n, 1);
	assert_memory_equal(info.highest_svn, "\2\5\0", 3);
}

/* A highest version that is lower than the lowest, or no version, says nothing. */
static void
info1_of_an_odd_range_has_one_version(void **state)
{
	static const char *const odd[] = { "93:0301", "93:03010000", "93:", "93:010900" };
	struct codec_euicc_info1 info;

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		assert_true(codec_euicc_info1_read(&mem,
			der(&mem, "BF20{ 82:020500 A9{ " CI1 "} AA{ " CI2 "} %s }", odd[i]), &info,
			&why));
		assert_memory_equal(info.highest_svn, "\2\5\0", 3);
	}
}

static void
info1_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"BF20{ }",
		"BF21{ 82:020500 A9{ " CI1 "} AA{ " CI2 "} }",
		"BF20{ A9{ " CI1 "} AA{ " CI2 "} }",
		"BF20{ 82:0205 A9{ " CI1 "} AA{ " CI2 "} }",
		"BF20{ 82:020500 A9{ " CI1 "} }",
		"BF20{ 82:020500 AA{ " CI1 "} }",
		"BF20{ 82:020500 A9{ 04:A1*19 } AA{ " CI2 "} }",
		"BF20{ 82:020500 A9{ 04:A1*21 } AA{ " CI2 "} }",
		"BF20{ 82:020500 A9{ " CI1 "} AA{ " CI2 "} } 05:",
		"BF20{ 82:020500 A9:FF AA{ " CI2 "} }",
	};
	struct codec_euicc_info1 info;
	char many[CODEC_CI_MAX * 10 + 20] = "";

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		if (codec_euicc_info1_read(&mem, der(&mem, "%s", bad[i]), &info, &why))
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
	for (int i = 0; i < CODEC_CI_MAX; i++)
		strcat(many, CI1);
	assert_true(codec_euicc_info1_read(
		&mem, der(&mem, "BF20{ 82:020500 A9{ %s} AA{ %s} }", many, many), &info, &why));
	assert_false(codec_euicc_info1_read(&mem,
		der(&mem, "BF20{ 82:020500 A9{ " CI1 "} AA{ %s" CI1 "} }", many), &info, &why));
}

static void
info2_says_what_the_card_can_do(void **state)
{
	struct codec_euicc_info2 info;
	struct slice octets = der(&mem, "BF22{ " INFO2 "}");

	(void)state;
	assert_true(codec_euicc_info2_read(&mem, octets, &info, &why));
	assert_ptr_equal(info.octets.p, octets.p);
	assert_memory_equal(info.profile_version, "\2\3\1", 3);
	assert_memory_equal(info.svn, "\2\5\0", 3);
	assert_memory_equal(info.firmware, "\1\2\3", 3);
	assert_memory_equal(info.pp_version, "\2\1\1", 3);
	assert_true(info.applications.known && info.applications.n == 2);
	assert_true(info.non_volatile.known && info.non_volatile.n == 0x12345);
	assert_true(info.volatile_.known && info.volatile_.n == 1000);
	/* 7F3680: bits 1 to 7, 10, 11, 13, 14, 16 */
	assert_int_equal(info.capability,
		0xfeu | 1u << CODEC_CAN_GBA_USIM | 1u << CODEC_CAN_GBA_ISIM | 1u << CODEC_CAN_EAP |
			1u << CODEC_CAN_JAVACARD | 1u << CODEC_CAN_MULTIPLE_USIM);
	assert_int_equal(info.more_profile_version_count, 2);
	assert_memory_equal(info.more_profile_versions[0], "\2\1\0", 3);
	assert_memory_equal(info.more_profile_versions[1], "\3\3\1", 3);
	assert_int_equal(info.forbidden_rules, CODEC_PPR_NO_DISABLE);
	assert_true(info.category.known && info.category.n == 2);
	assert_int_equal(info.verify.n, 2);
	assert_int_equal(info.sign.n, 1);
}

static void
info2_with_the_least_is_read(void **state)
{
	struct codec_euicc_info2 info;

	(void)state;
	assert_true(codec_euicc_info2_read(&mem,
		der(&mem,
			"BF22{ 81:020301 82:020500 83:010203 84: 85:06C0 88:0390 A9{ } AA{ } "
			"04:020101 0C: }"),
		&info, &why));
	assert_false(info.applications.known || info.non_volatile.known || info.volatile_.known);
	assert_false(info.category.known);
	assert_int_equal(info.capability, 3);
	assert_int_equal(info.forbidden_rules, 0);
	assert_int_equal(info.more_profile_version_count, 0);
	assert_int_equal(info.verify.n, 0);
}

static void
authentication_is_read(void **state)
{
	struct codec_authenticate_response r;
	struct slice octets = der(&mem, "BF38{ A0{ 30{ " SIGNED1 "} " SIGNATURE CERTIFICATES "} }");

	(void)state;
	assert_true(codec_authenticate_response_read(&mem, octets, &r, &why));
	assert_true(r.ok);
	assert_octets(r.signed1, "30{ " SIGNED1 "}");
	assert_true(r.signed1.p > octets.p && r.signed1.p < octets.p + octets.n);
	assert_octets(r.signature_tlv, SIGNATURE);
	assert_int_equal(r.signature.n, 64);
	assert_octets(r.euicc_certificate, "30{ 30:01 }");
	assert_octets(r.eum_certificate, "30{ 30:02 }");
	assert_int_equal(r.transaction_id.n, 16);
	assert_true(slice_eq(r.server_address, SLICE_LIT("smdp.example.com")));
	assert_int_equal(r.server_challenge.n, 16);
	assert_int_equal(r.server_challenge.p[0], 0xc4);
	assert_octets(r.info2.octets, "BF22{ " INFO2 "}");
	assert_true(slice_eq(r.matching_id, SLICE_LIT("MATCHING-1")));
	assert_octets(r.device.octets, "A1{ " DEVICE "}");
	assert_true(slice_eq(r.device.tac, SLICE_LIT("\x35\x29\x06\x11")));
	assert_true(slice_eq(r.device.imei, SLICE_LIT("\x11\x22\x33\x44\x55\x66\x77\x88")));
}

/* A response whose ctxParams1 holds this. */
static bool
authentication_with_context(const char *context, struct codec_authenticate_response *r)
{
	return codec_authenticate_response_read(&mem,
		der(&mem,
			"BF38{ A0{ 30{ " TXID "83:\"a\" 84:C4*16 BF22{ " INFO2
			"} %s } " SIGNATURE CERTIFICATES "} }",
			context),
		r, &why);
}

static void
matching_id_has_three_cases(void **state)
{
	struct codec_authenticate_response r;

	(void)state;
	assert_true(authentication_with_context("A0{ A1{ 80:35290611 A1{ } } }", &r));
	assert_null(r.matching_id.p);
	assert_null(r.device.imei.p);
	assert_true(authentication_with_context("A0{ 80: A1{ 80:35290611 A1{ } } }", &r));
	assert_non_null(r.matching_id.p);
	assert_int_equal(r.matching_id.n, 0);
	assert_true(authentication_with_context("A0{ 80:\"X\" A1{ 80:35290611 A1{ } } }", &r));
	assert_true(slice_eq(r.matching_id, SLICE_LIT("X")));
	assert_false(authentication_with_context("", &r));
	assert_false(authentication_with_context("A0{ }", &r));
	assert_false(authentication_with_context("A1{ A1{ 80:35290611 A1{ } } }", &r));
}

/* Nobody judges deviceInfo: what is not well-formed in it is absent, and the download goes on. */
static void
device_information_never_refuses(void **state)
{
	static const struct {
		const char *device;
		bool tac, imei;
	} row[] = {
		{ "80:35290611 A1{ } 82:11*8", true, true },
		{ "80:35290611 82:11*8", true, true },
		{ "80:35290611 A1{ } 82:11*7", true, false },
		{ "80:35290611 A1{ } 82:11*9", true, false },
		{ "80:35290611 A1{ } 82:", true, false },
		{ "80:35*8 A1{ } 82:11*8", false, true },
		{ "80:352906 A1{ }", false, false },
		{ "A1{ } 82:11*8", false, true },
		{ "", false, false },
	};
	struct codec_authenticate_response r;
	char context[128];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		snprintf(context, sizeof context, "A0{ 80:\"X\" A1{ %s } }", row[i].device);
		if (!authentication_with_context(context, &r))
			fail_msg("refused: %s: %s", row[i].device, why);
		assert_true(slice_eq(r.matching_id, SLICE_LIT("X")));
		assert_int_equal(r.device.tac.n, row[i].tac ? 4 : 0);
		assert_int_equal(r.device.tac.p != NULL, row[i].tac);
		assert_int_equal(r.device.imei.n, row[i].imei ? 8 : 0);
		assert_int_equal(r.device.imei.p != NULL, row[i].imei);
	}
}

static void
members_of_version_3_are_skipped(void **state)
{
	struct codec_authenticate_response r;

	(void)state;
	assert_true(codec_authenticate_response_read(&mem,
		der(&mem,
			"BF38{ A0{ 30{ " TXID "83:\"a\" 84:C4*16 BF22{ " INFO2 "90:01 B1{ " CI1
			"} 92:00 93:030100 } A0{ 80:\"X\" A1{ " DEVICE
			"A3{ 0C:\"en\" } 84: 85:0700 } 82:0780 83:00 A4{ } } BF55:01 } " SIGNATURE
				CERTIFICATES "A0{ 30{ 30:03 } } } }"),
		&r, &why));
	assert_true(slice_eq(r.matching_id, SLICE_LIT("X")));
	assert_int_equal(r.device.imei.n, 8);
	assert_int_equal(r.info2.more_profile_version_count, 2);
	assert_octets(r.eum_certificate, "30{ 30:02 }");
}

static void
a_long_capability_and_an_early_stranger_do_no_harm(void **state)
{
	struct codec_euicc_info2 info;

	(void)state;
	assert_true(codec_euicc_info2_read(&mem,
		der(&mem,
			"BF22{ 81:020301 82:020500 9F55:77 83:010203 84: 85:00FFFFFFFFFF 88:0390 "
			"A9{ } 9F56: AA{ } 04:020101 0C: }"),
		&info, &why));
	assert_int_equal(info.capability, 0xffffffffu);
	assert_memory_equal(info.firmware, "\1\2\3", 3);
}

static void
arms_may_come_without_their_tag(void **state)
{
	struct codec_authenticate_response a;
	struct codec_prepare_response p;

	(void)state;
	assert_true(codec_authenticate_response_read(
		&mem, der(&mem, "BF38{ 30{ " SIGNED1 "} " SIGNATURE CERTIFICATES "}"), &a, &why));
	assert_true(a.ok);
	assert_true(
		codec_prepare_response_read(&mem, der(&mem, "BF21{ " TXID "02:05 }"), &p, &why));
	assert_false(p.ok);
	assert_int_equal(p.error, 5);
}

#define SEQUENCE_SIGNATURE "5F37{ 30{ 02:11*32 02:22*31 } } "
#define SIGNED2 "30{ " TXID "5F49:04*65 } "
#define CANCEL "30{ " TXID "81:88370A 82:10 } "
#define OTHER "BF2F{ 80:01 81:0780 0C:\"a\" } "

/* What each reader notes of one message. */
static unsigned
leniencies_of(const char *text)
{
	struct slice octets = der(&mem, "%s", text);
	struct codec_authenticate_response a;
	struct codec_prepare_response p;
	struct codec_cancel_response c;
	struct codec_notification n;

	if (codec_authenticate_response_read(&mem, octets, &a, &why))
		return a.leniencies;
	if (codec_prepare_response_read(&mem, octets, &p, &why))
		return p.leniencies;
	if (codec_cancel_response_read(&mem, octets, &c, &why))
		return c.leniencies;
	if (!codec_pending_notification_read(&mem, octets, &n, &why))
		fail_msg("refused: %s: %s", text, why);
	return n.leniencies;
}

static void
leniencies_are_noted(void **state)
{
	static const struct {
		unsigned leniencies;
		const char *text;
	} row[] = {
		{ 0, "BF38{ A0{ 30{ " SIGNED1 "} " SIGNATURE CERTIFICATES "} }" },
		{ CODEC_LENIENT_ARM, "BF38{ 30{ " SIGNED1 "} " SIGNATURE CERTIFICATES "}" },
		{ CODEC_LENIENT_DER_SIGNATURE,
			"BF38{ A0{ 30{ " SIGNED1 "} " SEQUENCE_SIGNATURE CERTIFICATES "} }" },
		{ CODEC_LENIENT_DER_SIGNATURE | CODEC_LENIENT_ARM,
			"BF38{ 30{ " SIGNED1 "} " SEQUENCE_SIGNATURE CERTIFICATES "}" },
		{ 0, "BF38{ A1{ " TXID "02:7F } }" },
		{ CODEC_LENIENT_ARM, "BF38{ " TXID "02:7F }" },
		{ 0, "BF21{ A0{ " SIGNED2 SIGNATURE "} }" },
		{ CODEC_LENIENT_ARM, "BF21{ " SIGNED2 SIGNATURE "}" },
		{ CODEC_LENIENT_DER_SIGNATURE, "BF21{ A0{ " SIGNED2 SEQUENCE_SIGNATURE "} }" },
		{ CODEC_LENIENT_ARM, "BF21{ " TXID "02:05 }" },
		{ 0, "BF41{ A0{ " CANCEL SIGNATURE "} }" },
		{ CODEC_LENIENT_ARM, "BF41{ " CANCEL SIGNATURE "}" },
		{ CODEC_LENIENT_DER_SIGNATURE, "BF41{ A0{ " CANCEL SEQUENCE_SIGNATURE "} }" },
		{ 0, "BF41{ 81:05 }" },
		{ 0, "BF37{ BF27{ " TXID "06:8837 A2{ A0{ } } } " SIGNATURE "}" },
		{ CODEC_LENIENT_DER_SIGNATURE,
			"BF37{ BF27{ " TXID "06:8837 A2{ A0{ } } } " SEQUENCE_SIGNATURE "}" },
		{ 0, "30{ " OTHER SIGNATURE CERTIFICATES "}" },
		{ CODEC_LENIENT_DER_SIGNATURE, "30{ " OTHER SEQUENCE_SIGNATURE CERTIFICATES "}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		if (leniencies_of(row[i].text) != row[i].leniencies)
			fail_msg("%#x noted: %s", leniencies_of(row[i].text), row[i].text);
}

static void
authentication_errors_are_read(void **state)
{
	struct codec_authenticate_response r;

	(void)state;
	assert_true(codec_authenticate_response_read(
		&mem, der(&mem, "BF38{ A1{ " TXID "02:7F } }"), &r, &why));
	assert_false(r.ok);
	assert_int_equal(r.error, 127);
	assert_int_equal(r.transaction_id.n, 16);
}

static void
a_signature_as_sequence_keeps_its_tlv(void **state)
{
	struct codec_prepare_response r;

	(void)state;
	assert_true(codec_prepare_response_read(&mem,
		der(&mem, "BF21{ A0{ 30{ " TXID "5F49:04*65 } 5F37{ 30{ 02:11*32 02:22*31 } } } }"),
		&r, &why));
	assert_int_equal(r.signature.n, 64);
	assert_int_equal(r.signature.p[0], 0x11);
	assert_int_equal(r.signature.p[32], 0);
	assert_int_equal(r.signature.p[63], 0x22);
}

static void
download_answer_is_read(void **state)
{
	struct codec_prepare_response r;

	(void)state;
	assert_true(codec_prepare_response_read(&mem,
		der(&mem, "BF21{ A0{ 30{ " TXID "5F49:04*65 04:CC*32 } " SIGNATURE "} }"), &r,
		&why));
	assert_true(r.ok);
	assert_octets(r.signed2, "30{ " TXID "5F49:04*65 04:CC*32 }");
	assert_int_equal(r.otpk.n, 65);
	assert_int_equal(r.hash_cc.n, 32);
	assert_int_equal(r.transaction_id.n, 16);
	assert_int_equal(r.signature.p[63], 0xa5);
	assert_true(codec_prepare_response_read(&mem,
		der(&mem, "BF21{ A0{ 30{ " TXID "5F49:04*65 30{ A0: } } " SIGNATURE "} }"), &r,
		&why));
	assert_null(r.hash_cc.p);
}

static void
cancellation_is_read(void **state)
{
	struct codec_cancel_response r;

	(void)state;
	assert_true(codec_cancel_response_read(&mem,
		der(&mem, "BF41{ A0{ 30{ " TXID "81:88370A 82:10 } " SIGNATURE "} }"), &r, &why));
	assert_true(r.ok);
	assert_octets(r.signed_part, "30{ " TXID "81:88370A 82:10 }");
	assert_true(slice_eq(r.smdp_oid, SLICE_LIT("\x88\x37\x0a")));
	assert_true(slice_eq(r.smdp_oid_text, SLICE_LIT("2.999.10")));
	assert_int_equal(r.reason, 16);
	assert_true(codec_cancel_response_read(&mem, der(&mem, "BF41{ 81:05 }"), &r, &why));
	assert_false(r.ok);
	assert_int_equal(r.error, 5);
}

static void
answers_are_refused(void **state)
{
	static const char *const download[] = {
		"BF21{ }",
		"BF21{ A2{ } }",
		"BF21{ A0{ } }",
		"BF21{ A0{ 30{ " TXID "5F49:04*65 } } }",
		"BF21{ A0{ 30{ " TXID "5F49:04*64 } " SIGNATURE "} }",
		"BF21{ A0{ 30{ " TXID "} " SIGNATURE "} }",
		"BF21{ A0{ 30{ 5F49:04*65 } " SIGNATURE "} }",
		"BF21{ A0{ 30{ 80: 5F49:04*65 } " SIGNATURE "} }",
		"BF21{ A0{ 30{ 80:01*17 5F49:04*65 } " SIGNATURE "} }",
		"BF21{ A0{ 30{ " TXID "5F49:04*65 04:CC*31 } " SIGNATURE "} }",
		"BF21{ A0{ 30{ " TXID "5F49:04*65 } 5F37:A5*63 } }",
		"BF21{ A0{ 30{ " TXID "5F49:04*65 } " SIGNATURE "} A1{ } }",
		"BF21{ A1{ " TXID "} }",
		"BF21{ A1{ " TXID "02: } }",
		"BF21{ A1{ " TXID "02:0102030405 } }",
	};
	static const char *const cancel[] = {
		"BF41{ }",
		"BF41{ 81: }",
		"BF41{ A1{ " TXID "02:01 } }",
		"BF41{ A0{ 30{ " TXID "81:8837 } " SIGNATURE "} }",
		"BF41{ A0{ 30{ " TXID "81:8883 82:00 } " SIGNATURE "} }",
		"BF41{ A0{ 30{ " TXID "81: 82:00 } " SIGNATURE "} }",
		"BF41{ A0{ 30{ 81:8837 82:00 } " SIGNATURE "} }",
		"BF41{ A0{ 30{ " TXID "81:8837 82:00 } } }",
	};
	struct codec_prepare_response p;
	struct codec_cancel_response c;

	(void)state;
	for (size_t i = 0; i < sizeof download / sizeof download[0]; i++) {
		why = NULL;
		if (codec_prepare_response_read(&mem, der(&mem, "%s", download[i]), &p, &why))
			fail_msg("taken: %s", download[i]);
		assert_non_null(why);
	}
	for (size_t i = 0; i < sizeof cancel / sizeof cancel[0]; i++) {
		why = NULL;
		if (codec_cancel_response_read(&mem, der(&mem, "%s", cancel[i]), &c, &why))
			fail_msg("taken: %s", cancel[i]);
		assert_non_null(why);
	}
}

#define META "80:0102 81:0780 0C:\"smdp.example.com\" 5A:98001032547698103214 "
#define RESULT TXID "BF2F{ " META "} 06:88370A "

/* A reader of whatever struct, for the tests below. */
static bool
read_any(int reader, struct slice octets)
{
	union {
		struct codec_euicc_info1 info1;
		struct codec_authenticate_response authenticate;
		struct codec_prepare_response prepare;
		struct codec_cancel_response cancel;
		struct codec_notification notification;
		struct codec_metadata metadata;
	} out;

	switch (reader) {
	case 0:
		return codec_euicc_info1_read(&mem, octets, &out.info1, &why);
	case 1:
		return codec_authenticate_response_read(&mem, octets, &out.authenticate, &why);
	case 2:
		return codec_prepare_response_read(&mem, octets, &out.prepare, &why);
	case 3:
		return codec_cancel_response_read(&mem, octets, &out.cancel, &why);
	case 4:
	case 5:
		return codec_pending_notification_read(&mem, octets, &out.notification, &why);
	default:
		return codec_store_metadata_read(&mem, octets, &out.metadata, &why);
	}
}

static const char *const whole[] = {
	"BF20{ 82:020500 A9{ " CI1 CI2 "} AA{ " CI2 "} }",
	"BF38{ A0{ 30{ " SIGNED1 "} " SIGNATURE CERTIFICATES "} }",
	"BF21{ A0{ 30{ " TXID "5F49:04*65 04:CC*32 } " SIGNATURE "} }",
	"BF41{ A0{ 30{ " TXID "81:88370A 82:10 } " SIGNATURE "} }",
	"BF37{ BF27{ " RESULT "A2{ A0{ 4F:A0*16 04:30 } } } " SIGNATURE "}",
	"30{ BF2F{ " META "} " SIGNATURE CERTIFICATES "}",
	"BF25{ 5A:98001032547698103214 91:\"p\" 92:\"n\" B6{ 30{ 80:0640 81:\"a\" } } }",
};

/* Cut anywhere, or with any octet changed, each message is refused or read; the sanitizer watches. */
static void
broken_messages_do_no_harm(void **state)
{
	(void)state;
	for (int reader = 0; reader < (int)(sizeof whole / sizeof whole[0]); reader++) {
		struct slice octets = der(&mem, "%s", whole[reader]);

		assert_true(read_any(reader, octets));
		for (size_t cut = 0; cut < octets.n; cut++) {
			uint8_t *exact = malloc(cut ? cut : 1); /* so that one octet more is seen */

			memcpy(exact, octets.p, cut);
			assert_false(read_any(reader, slice_of(exact, cut)));
			teardown(NULL);
			free(exact);
			setup(NULL);
			octets = der(&mem, "%s", whole[reader]);
		}
		for (size_t at = 0; at < octets.n; at++) {
			static const uint8_t mask[] = { 0x01, 0x20, 0x80, 0xff };

			for (size_t m = 0; m < sizeof mask; m++) {
				uint8_t *changed = malloc(octets.n);

				memcpy(changed, octets.p, octets.n);
				changed[at] ^= mask[m];
				read_any(reader, slice_of(changed, octets.n));
				teardown(NULL);
				free(changed);
				setup(NULL);
				octets = der(&mem, "%s", whole[reader]);
			}
		}
	}
}

/* Deep nesting and floods of small values cost neither stack nor memory. */
static void
nesting_and_floods_are_refused(void **state)
{
	static uint8_t deep[4000], flood[8000];
	struct codec_euicc_info2 info;
	size_t n = sizeof deep, used;

	(void)state;
	while (n >= 5) { /* BF22 82 length, as deep as it goes */
		size_t left = sizeof deep - n;

		n -= 5;
		memcpy(deep + n,
			(uint8_t[]){ 0xbf, 0x22, 0x82, (uint8_t)(left >> 8), (uint8_t)left }, 5);
	}
	used = mem.used;
	assert_false(codec_euicc_info2_read(&mem, SLICE_ARRAY(deep), &info, &why));
	assert_string_equal(why, "profileVersion is missing");
	memset(flood, 0, sizeof flood); /* 0000…: thousands of empty TLVs */
	memcpy(flood, (uint8_t[]){ 0xbf, 0x22, 0x82, 0x1f, 0x3b }, 5);
	assert_false(codec_euicc_info2_read(&mem, SLICE_ARRAY(flood), &info, &why));
	assert_string_equal(why, "profileVersion is missing");
	assert_true(mem.used - used < 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info1_lists_the_ci_keys),
		cmocka_unit_test(info1_of_version_3_is_read),
		cmocka_unit_test(info1_of_an_odd_range_has_one_version),
		cmocka_unit_test(info1_is_refused),
		cmocka_unit_test(info2_says_what_the_card_can_do),
		cmocka_unit_test(info2_with_the_least_is_read),
		cmocka_unit_test(a_long_capability_and_an_early_stranger_do_no_harm),
		cmocka_unit_test(authentication_is_read),
		cmocka_unit_test(matching_id_has_three_cases),
		cmocka_unit_test(device_information_never_refuses),
		cmocka_unit_test(members_of_version_3_are_skipped),
		cmocka_unit_test(arms_may_come_without_their_tag),
		cmocka_unit_test(leniencies_are_noted),
		cmocka_unit_test(authentication_errors_are_read),
		cmocka_unit_test(a_signature_as_sequence_keeps_its_tlv),
		cmocka_unit_test(download_answer_is_read),
		cmocka_unit_test(cancellation_is_read),
		cmocka_unit_test(answers_are_refused),
		cmocka_unit_test(broken_messages_do_no_harm),
		cmocka_unit_test(nesting_and_floods_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("codec_messages", tests, setup, teardown);
}
