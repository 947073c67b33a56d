/*
 * Full forms out of compact ones: each comes out octet for octet as the eUICC signed it, whatever was left out; a
 * fact that is needed and not known is named; what is not compact stays as it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"
#include "codec/compact.h"
#include "codec/euicc.h"
#include "codec/notification.h"
#include "codec_broken.h"

#define TXID "80:000102030405060708090A0B0C0D0E0F "
#define SIGNATURE "5F37:A5*64 "
#define SEQUENCE_SIGNATURE "5F37{ 30{ 02:11*32 02:22*31 } } "
#define EUICC_MEMBERS "30{ 02:01 } 30{ 06:2A } 03:0077 "
#define EUM_MEMBERS "30{ 02:02 } 30{ 06:2A } 03:0077 "
#define CERTIFICATES "30{ " EUICC_MEMBERS "} 30{ " EUM_MEMBERS "} "
#define CONTEXT "A0{ 80:\"M-1\" A1{ 80:35290611 A1{ 80:0A0000 } } } "
#define AID "A0000005591010FFFFFFFF8900120A00"
#define INFO2_HEAD "81:020301 82:020500 83:010203 "
#define INFO2_TAIL                                                                                \
	"85:067F36 88:0390 A9{ 04:A1*20 } AA{ 04:A1*20 } 04:020101 0C:\"sas\" B4{ A0{ 04:010200 " \
	"} } "

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
assert_full(const struct codec_full *got, const char *text, bool compact)
{
	struct slice want = der(&mem, "%s", text);

	if (!slice_eq(got->octets, want))
		fail_msg("%s\nis not\n%s", (const char *)text_hex(&mem, got->octets).p,
			(const char *)text_hex(&mem, want).p);
	assert_int_equal(got->compact, compact);
}

static struct codec_notification_facts
notification_facts(void)
{
	return (struct codec_notification_facts){
		.address = SLICE_LIT("smdp.example.com"),
		.iccid = SLICE_LIT("\x98\x00\x10\x32\x54\x76\x98\x10\x32\x14"),
		.smdp_oid = SLICE_LIT("\x88\x37\x0a"),
		.euicc_certificate = der(&mem, "30{ " EUICC_MEMBERS "}"),
		.eum_certificate = der(&mem, "30{ " EUM_MEMBERS "}"),
	};
}

#define META(SEQUENCE) "BF2F{ 80:" SEQUENCE " 81:0780 0C:\"smdp.example.com\" "
#define ICCID "5A:98001032547698103214 "
#define OTHER_META "BF2F{ 80:05 81:0640 0C:\"a\" } "

static void
notifications_come_out_full(void **state)
{
	static const struct {
		const char *compact, *full;
	} row[] = {
		{ "A0{ A0{ " TXID "02:2A A2{ A0{ 4F:120A } } } " SIGNATURE "} ",
			"BF37{ BF27{ " TXID META("2A") ICCID
			"} 06:88370A A2{ A0{ 4F:" AID " 04:3007A0053003800100 } } } " SIGNATURE
			"}" },
		{ "A0{ A0{ " TXID "02:0080 01:FF A2{ A0{ 4F:120A 04:3000 } } } " SIGNATURE "} ",
			"BF37{ BF27{ " TXID META("0080") ICCID "} 06:88370A A2{ A0{ 4F:" AID
							       " 04:3000 } } } " SIGNATURE "}" },
		{ "A0{ A0{ " TXID "02:2A 01:00 A2{ A1{ 80:05 81:0C 82:3000 } } } " SIGNATURE "} ",
			"BF37{ BF27{ " TXID META("2A") "} 06:88370A A2{ A1{ 80:05 81:0C 82:3000 "
						       "} } } " SIGNATURE "}" },
		{ "A0{ A0{ " TXID "02:2A A2{ A1{ 80:00 81:01 } } } " SEQUENCE_SIGNATURE "} ",
			"BF37{ BF27{ " TXID META("2A") ICCID
			"} 06:88370A A2{ A1{ 80:00 81:01 } } } " SEQUENCE_SIGNATURE "}" },
		{ "A1{ 5A:89*16 " OTHER_META SIGNATURE "}",
			"30{ " OTHER_META SIGNATURE CERTIFICATES "}" },
		{ "A1{ " OTHER_META SIGNATURE "}", "30{ " OTHER_META SIGNATURE CERTIFICATES "}" },
	};
	struct codec_notification_facts facts = notification_facts();
	struct codec_notification n;
	struct codec_full full;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		if (!codec_full_notification_write(
			    &mem, der(&mem, "%s", row[i].compact), &facts, &full, &why))
			fail_msg("%s: %s", why, row[i].compact);
		assert_full(&full, row[i].full, true);
		assert_true(codec_pending_notification_read(&mem, full.octets, &n, &why));
	}
	assert_true(
		codec_full_notification_write(&mem, der(&mem, "BF37{ 01: }"), &facts, &full, &why));
	assert_full(&full, "BF37{ 01: }", false);
	assert_true(
		codec_full_notification_write(&mem, der(&mem, "30{ 01: }"), &facts, &full, &why));
	assert_full(&full, "30{ 01: }", false);
}

static void
a_compact_notification_says_what_finds_its_facts(void **state)
{
	struct codec_compact_notification n;

	(void)state;
	assert_true(codec_compact_notification_read(&mem,
		der(&mem, "A0{ A0{ " TXID "02:2A A2{ A0{ 4F:120A } } } " SIGNATURE "} "), &n,
		&why));
	assert_true(n.compact && n.installation_result && n.iccid_present);
	assert_int_equal(n.transaction_id.n, 16);
	assert_true(codec_compact_notification_read(&mem,
		der(&mem, "A0{ A0{ " TXID "02:2A 01:00 A2{ A1{ } } } " SIGNATURE "} "), &n, &why));
	assert_true(n.compact && n.installation_result && !n.iccid_present);
	assert_true(codec_compact_notification_read(
		&mem, der(&mem, "A1{ 5A:89*16 " OTHER_META SIGNATURE "}"), &n, &why));
	assert_true(n.compact && !n.installation_result);
	assert_int_equal(n.eid.n, 16);
	assert_null(n.transaction_id.p);
	assert_true(codec_compact_notification_read(
		&mem, der(&mem, "A1{ " OTHER_META SIGNATURE "}"), &n, &why));
	assert_null(n.eid.p);
	assert_true(codec_compact_notification_read(&mem, der(&mem, "BF37{ }"), &n, &why));
	assert_false(n.compact || n.transaction_id.p);
	assert_true(codec_compact_notification_read(&mem, der(&mem, "30{ }"), &n, &why));
	assert_false(n.compact);
	assert_false(codec_compact_notification_read(&mem, der(&mem, "A2{ }"), &n, &why));
	assert_false(codec_compact_notification_read(
		&mem, der(&mem, "A0{ A0{ 02:2A A2{ A0{ } } } " SIGNATURE "} "), &n, &why));
}

#define SIGNED1(RESOURCE)                                                               \
	"30{ " TXID "83:\"SMDP.example.com\" 84:C4*16 BF22{ " INFO2_HEAD "84:" RESOURCE \
	" " INFO2_TAIL "} " CONTEXT "} "
#define FULL_AUTHENTICATION \
	"BF38{ A0{ " SIGNED1("810104820400012345830203E8") SIGNATURE CERTIFICATES "} }"
#define RESOURCE "84:810104820400012345830203E8 "

static struct codec_authenticate_facts
authenticate_facts(void)
{
	static const uint8_t transaction_id[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
		15 };

	return (struct codec_authenticate_facts){
		.transaction_id = SLICE_ARRAY(transaction_id),
		.server_address = SLICE_LIT("SMDP.example.com"),
		.server_challenge = SLICE_LIT("\xc4\xc4\xc4\xc4\xc4\xc4\xc4\xc4"
					      "\xc4\xc4\xc4\xc4\xc4\xc4\xc4\xc4"),
		.info2 = der(&mem, "BF22{ " INFO2_HEAD "84:810102 " INFO2_TAIL "}"),
		.ctx_params1 = der(&mem, CONTEXT),
		.euicc_certificate = der(&mem, "30{ " EUICC_MEMBERS "}"),
		.eum_certificate = der(&mem, "30{ " EUM_MEMBERS "}"),
	};
}

static void
authentications_come_out_full(void **state)
{
	static const struct {
		const char *compact;
		unsigned leniencies;
	} row[] = {
		{ "BF38{ A2{ A0{ " RESOURCE "} " SIGNATURE "} }", 0 },
		{ "BF38{ A2{ A0{ " RESOURCE "A2{ " CONTEXT "} } " SIGNATURE "} }", 0 },
		{ "BF38{ A2{ A0{ " RESOURCE "} " SIGNATURE "A1{ " EUICC_MEMBERS "} A2{ " EUM_MEMBERS
		  "} } }",
			0 },
		{ "BF38{ A2{ A0{ " RESOURCE "} " SIGNATURE "A1{ 30{ " EUICC_MEMBERS "} } } }",
			CODEC_LENIENT_CERTIFICATE },
		{ "BF38{ A2{ " SIGNED1("810104820400012345830203E8") SIGNATURE "} }", 0 },
	};
	struct codec_authenticate_facts facts = authenticate_facts();
	struct codec_authenticate_response r;
	struct codec_full full;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		if (!codec_full_authenticate_response_write(
			    &mem, der(&mem, "%s", row[i].compact), &facts, &full, &why))
			fail_msg("%s: %s", why, row[i].compact);
		assert_full(&full, FULL_AUTHENTICATION, true);
		assert_int_equal(full.leniencies, row[i].leniencies);
		assert_true(codec_authenticate_response_read(&mem, full.octets, &r, &why));
		assert_int_equal(r.info2.applications.n, 4);
	}
	/* what the answer has goes before what is known */
	facts.ctx_params1 = der(&mem, "A0{ A1{ } }");
	facts.eum_certificate = facts.euicc_certificate;
	assert_true(codec_full_authenticate_response_write(&mem,
		der(&mem,
			"BF38{ A2{ A0{ " RESOURCE "A2{ " CONTEXT "} } " SIGNATURE "A2{ " EUM_MEMBERS
			"} } }"),
		&facts, &full, &why));
	assert_full(&full, FULL_AUTHENTICATION, true);
}

static void
other_answers_stay_as_they_are(void **state)
{
	static const char *const authentication[] = { FULL_AUTHENTICATION,
		"BF38{ A1{ " TXID "02:7F } }", "BF38{ 30{ } }", "BF38{ }" };
	static const char *const download[] = { "BF21{ A0{ 30{ } " SIGNATURE "} }",
		"BF21{ A1{ " TXID "02:05 } }" };
	static const char *const cancel[] = { "BF41{ A0{ 30{ } " SIGNATURE "} }", "BF41{ 81:05 }" };
	struct codec_authenticate_facts a = { 0 };
	struct codec_prepare_facts p = { 0 };
	struct codec_cancel_facts c = { 0 };
	struct codec_full full;

	(void)state;
	for (size_t i = 0; i < sizeof authentication / sizeof authentication[0]; i++) {
		assert_true(codec_full_authenticate_response_write(
			&mem, der(&mem, "%s", authentication[i]), &a, &full, &why));
		assert_full(&full, authentication[i], false);
	}
	for (size_t i = 0; i < 2; i++) {
		assert_true(codec_full_prepare_response_write(
			&mem, der(&mem, "%s", download[i]), &p, &full, &why));
		assert_full(&full, download[i], false);
		assert_true(codec_full_cancel_response_write(
			&mem, der(&mem, "%s", cancel[i]), &c, &full, &why));
		assert_full(&full, cancel[i], false);
	}
}

static void
downloads_come_out_full(void **state)
{
	static uint8_t key[65] = { 4 }, hash[32] = { 0xcc };
	const struct slice txid = SLICE_LIT("\x01\x02"), otpk = SLICE_ARRAY(key);
	const struct {
		const char *compact;
		struct codec_prepare_facts facts;
		const char *full;
	} row[] = {
		{ "30{ 5F49:05*65 }", { txid, SLICE_NONE, SLICE_NONE },
			"30{ 80:0102 5F49:05*65 }" },
		{ "30{ 5F49:05*65 04:DD*32 }", { txid, otpk, SLICE_ARRAY(hash) },
			"30{ 80:0102 5F49:05*65 04:DD*32 }" },
		{ "30{ }",
			{ txid, slice_of(memset(arena_alloc(&mem, 65), 6, 65), 65),
				slice_of(memset(arena_alloc(&mem, 32), 7, 32), 32) },
			"30{ 80:0102 5F49:06*65 04:07*32 }" },
	};
	struct codec_prepare_response r;
	struct codec_full full;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_true(codec_full_prepare_response_write(&mem,
			der(&mem, "BF21{ A2{ %s " SIGNATURE "} }", row[i].compact), &row[i].facts,
			&full, &why));
		assert_full(&full, arena_printf(&mem, "BF21{ A0{ %s " SIGNATURE "} }", row[i].full),
			true);
		assert_true(codec_prepare_response_read(&mem, full.octets, &r, &why));
	}
}

static void
cancellations_come_out_full(void **state)
{
	struct codec_cancel_facts facts = { SLICE_LIT("\x01\x02"), SLICE_LIT("\x88\x37\x0a"),
		{ true, 127 } };
	struct codec_cancel_response r;
	struct codec_full full;

	(void)state;
	assert_true(codec_full_cancel_response_write(
		&mem, der(&mem, "BF41{ A2{ 30{ 80:01 } " SIGNATURE "} }"), &facts, &full, &why));
	assert_full(&full, "BF41{ A0{ 30{ 80:0102 81:88370A 82:01 } " SIGNATURE "} }", true);
	assert_true(codec_cancel_response_read(&mem, full.octets, &r, &why));
	assert_true(codec_full_cancel_response_write(
		&mem, der(&mem, "BF41{ A2{ 30{ } " SIGNATURE "} }"), &facts, &full, &why));
	assert_full(&full, "BF41{ A0{ 30{ 80:0102 81:88370A 82:7F } " SIGNATURE "} }", true);
	assert_true(codec_cancel_response_read(&mem, full.octets, &r, &why));
}

#define NEEDS(what) "the full form needs the " what ", which is not known"

/* Without the one fact the form cannot be whole; the reason names it. */
static void
missing_facts_are_named(void **state)
{
	struct codec_notification_facts n;
	struct codec_authenticate_facts a;
	struct codec_prepare_facts p = { SLICE_LIT("\x01"), SLICE_NONE, SLICE_NONE };
	struct codec_cancel_facts c = { SLICE_LIT("\x01"), SLICE_LIT("\x88\x37"), { 0 } };
	const struct {
		struct slice *fact;
		const char *compact, *why;
	} row[] = {
		{ &n.address, "A0{ A0{ " TXID "02:2A A2{ A1{ } } } " SIGNATURE "} ",
			NEEDS("notificationAddress") },
		{ &n.smdp_oid, "A0{ A0{ " TXID "02:2A A2{ A1{ } } } " SIGNATURE "} ",
			NEEDS("SM-DP+'s OID") },
		{ &n.iccid, "A0{ A0{ " TXID "02:2A A2{ A1{ } } } " SIGNATURE "} ", NEEDS("ICCID") },
		{ &n.euicc_certificate, "A1{ " OTHER_META SIGNATURE "}",
			NEEDS("eUICC's certificate") },
		{ &n.eum_certificate, "A1{ " OTHER_META SIGNATURE "}", NEEDS("EUM's certificate") },
		{ &a.transaction_id, NULL, NEEDS("transactionId") },
		{ &a.server_address, NULL, NEEDS("serverAddress") },
		{ &a.server_challenge, NULL, NEEDS("serverChallenge") },
		{ &a.info2, NULL, NEEDS("EUICCInfo2") },
		{ &a.ctx_params1, NULL, NEEDS("ctxParams1") },
		{ &a.euicc_certificate, NULL, NEEDS("eUICC's certificate") },
		{ &a.eum_certificate, NULL, NEEDS("EUM's certificate") },
	};
	struct codec_full full;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		n = notification_facts();
		a = authenticate_facts();
		*row[i].fact = SLICE_NONE;
		if (row[i].compact)
			assert_false(codec_full_notification_write(
				&mem, der(&mem, "%s", row[i].compact), &n, &full, &why));
		else
			assert_false(codec_full_authenticate_response_write(&mem,
				der(&mem, "BF38{ A2{ A0{ " RESOURCE "} " SIGNATURE "} }"), &a,
				&full, &why));
		assert_string_equal(why, row[i].why);
	}
	a = authenticate_facts();
	a.info2 = der(&mem, "BF22{ " INFO2_HEAD INFO2_TAIL "}");
	assert_false(codec_full_authenticate_response_write(
		&mem, der(&mem, "BF38{ A2{ A0{ " RESOURCE "} " SIGNATURE "} }"), &a, &full, &why));
	assert_string_equal(why, "the EUICCInfo2 that is known has no extCardResource");
	assert_false(codec_full_prepare_response_write(
		&mem, der(&mem, "BF21{ A2{ 30{ } " SIGNATURE "} }"), &p, &full, &why));
	assert_string_equal(why, NEEDS("eUICC's one-time key"));
	assert_false(codec_full_cancel_response_write(
		&mem, der(&mem, "BF41{ A2{ 30{ } " SIGNATURE "} }"), &c, &full, &why));
	assert_string_equal(why, NEEDS("reason"));
}

/* A reader of whatever form, with facts for all. */
static bool
read_full(struct arena *arena, struct slice octets)
{
	static uint8_t key[65] = { 4 };
	struct codec_notification_facts n = notification_facts();
	struct codec_authenticate_facts a = authenticate_facts();
	struct codec_prepare_facts p = { SLICE_LIT("\x01"), SLICE_ARRAY(key), SLICE_NONE };
	struct codec_cancel_facts c = { SLICE_LIT("\x01"), SLICE_LIT("\x88\x37"), { true, 0 } };
	struct codec_compact_notification compact;
	struct codec_full full;

	codec_compact_notification_read(arena, octets, &compact, &why);
	return codec_full_notification_write(arena, octets, &n, &full, &why) ||
		codec_full_authenticate_response_write(arena, octets, &a, &full, &why) ||
		codec_full_prepare_response_write(arena, octets, &p, &full, &why) ||
		codec_full_cancel_response_write(arena, octets, &c, &full, &why);
}

static const char *const whole[] = {
	"A0{ A0{ " TXID "02:2A 01:FF A2{ A0{ 4F:120A 04:3000 } } } " SIGNATURE "} ",
	"A1{ 5A:89*16 " OTHER_META SIGNATURE "}",
	"BF38{ A2{ A0{ " RESOURCE "A2{ " CONTEXT "} } " SIGNATURE "A1{ " EUICC_MEMBERS
	"} A2{ " EUM_MEMBERS "} } }",
	"BF21{ A2{ 30{ 5F49:05*65 04:DD*32 } " SIGNATURE "} }",
	"BF41{ A2{ 30{ 80:01 } " SIGNATURE "} }",
};

static void
broken_octets_do_no_harm(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
		assert_broken_refused(der(&mem, "%s", whole[i]), read_full);
}

static void
compact_forms_are_refused(void **state)
{
	static const char *const bad[] = {
		"A2{ }",
		"A0{ " SIGNATURE "}",
		"A0{ A0{ " TXID "02:2A A2{ A0{ 4F:120A } } } }",
		"A0{ A0{ " TXID "02:2A A2{ A2{ } } } " SIGNATURE "}",
		"A0{ A0{ " TXID "02:2A A2{ A0{ 4F:12 } } } " SIGNATURE "}",
		"A0{ A0{ " TXID "02:2A A2{ A0{ 04:30 } } } " SIGNATURE "}",
		"A0{ A0{ " TXID "A2{ A0{ 4F:120A } } } " SIGNATURE "}",
		"A0{ A0{ 02:2A A2{ A0{ 4F:120A } } } " SIGNATURE "}",
		"A0{ A0{ " TXID "02:2A } " SIGNATURE "}",
		"A1{ " SIGNATURE "}",
		"A1{ " OTHER_META "}",
		"BF38{ A2{ " SIGNATURE "} }",
		"BF38{ A2{ A0{ " RESOURCE "} } }",
		"BF38{ A2{ A0{ A2{ " CONTEXT "} } " SIGNATURE "} }",
		"BF38{ A2{ A0{ " RESOURCE "} " SIGNATURE "A1{ 30{ } } } }",
		"BF21{ A2{ " SIGNATURE "} }",
		"BF21{ A2{ 30{ 5F49:05*64 } " SIGNATURE "} }",
		"BF21{ A2{ 30{ 5F49:05*65 04:DD*31 } " SIGNATURE "} }",
		"BF21{ A2{ 30{ } } }",
		"BF41{ A2{ 30{ 80: } " SIGNATURE "} }",
		"BF41{ A2{ 30{ } } }",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		if (read_full(&mem, der(&mem, "%s", bad[i])))
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notifications_come_out_full),
		cmocka_unit_test(a_compact_notification_says_what_finds_its_facts),
		cmocka_unit_test(authentications_come_out_full),
		cmocka_unit_test(other_answers_stay_as_they_are),
		cmocka_unit_test(downloads_come_out_full),
		cmocka_unit_test(cancellations_come_out_full),
		cmocka_unit_test(missing_facts_are_named),
		cmocka_unit_test(compact_forms_are_refused),
		cmocka_unit_test(broken_octets_do_no_harm),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("codec_compact", tests, setup, teardown);
}
