/*
 * Notifications: what is demanded, what may miss or be odd without their being lost, what each member is
 * read as. Cut and changed octets are in codec_messages_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "codec/notification.h"
#include "codec_text.h"

#define TXID "80:000102030405060708090A0B0C0D0E0F "
#define SIGNATURE "5F37:A5*64 "
#define CERTIFICATES "30{ 30:01 } 30{ 30:02 } "
#define META "80:0102 81:0780 0C:\"smdp.example.com\" 5A:98001032547698103214 "
#define RESULT TXID "BF2F{ " META "} 06:88370A "

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
installation_success_is_read(void **state)
{
	struct codec_notification n;

	(void)state;
	assert_true(codec_pending_notification_read(&mem,
		der(&mem,
			"BF37{ BF27{ " RESULT
			"A2{ A0{ 4F:A0*16 04:3007A0053003800100 } } } " SIGNATURE "}"),
		&n, &why));
	assert_int_equal(n.kind, CODEC_INSTALLATION_RESULT);
	assert_octets(
		n.signed_part, "BF27{ " RESULT "A2{ A0{ 4F:A0*16 04:3007A0053003800100 } } }");
	assert_int_equal(n.signature.n, 64);
	assert_int_equal(n.sequence, 0x102);
	assert_int_equal(n.operation, CODEC_INSTALL);
	assert_true(slice_eq(n.address, SLICE_LIT("smdp.example.com")));
	assert_int_equal(n.iccid.n, 10);
	assert_int_equal(n.transaction_id.n, 16);
	assert_true(slice_eq(n.smdp_oid, SLICE_LIT("\x88\x37\x0a")));
	assert_true(slice_eq(n.smdp_oid_text, SLICE_LIT("2.999.10")));
	assert_true(n.installed);
	assert_int_equal(n.aid.n, 16);
	assert_int_equal(n.sima_response.n, 9);
}

static void
installation_failure_is_read(void **state)
{
	struct codec_notification n;

	(void)state;
	assert_true(codec_pending_notification_read(&mem,
		der(&mem, "BF37{ BF27{ " RESULT "A2{ A1{ 80:05 81:0C 82:3000 } } } " SIGNATURE "}"),
		&n, &why));
	assert_false(n.installed);
	assert_int_equal(n.command, 5);
	assert_int_equal(n.reason, 12);
	assert_int_equal(n.sima_response.n, 2);
	assert_true(codec_pending_notification_read(&mem,
		der(&mem, "BF37{ BF27{ " RESULT "A2{ A1{ 80:00 81:7F } } } " SIGNATURE "}"), &n,
		&why));
	assert_int_equal(n.reason, 127);
	assert_null(n.sima_response.p);
}

/* What a result needs is the transaction, the OID, the arm and the signature; all else may miss. */
static void
results_need_little(void **state)
{
	static const char *const good[] = {
		"BF37{ BF27{ " TXID "06:88370A A2{ A0{ } } } " SIGNATURE "}",
		"BF37{ BF27{ " TXID "BF2F{ } 06:88370A A2{ A0{ } } } " SIGNATURE "}",
		"BF37{ BF27{ " TXID "BF2F{ 81:0780 } 06:88370A A2{ A0{ 4F:A0*4 } } } " SIGNATURE
		"}",
		"BF37{ BF27{ " TXID "BF2F{ 80:00 81:06C0 0C: 5A:98*9 } 06:88370A A2{ A0{ 4F:A0*17 "
		"30: } } } " SIGNATURE "}",
		"BF37{ BF27{ " TXID "BF2F{ 80: 81:00 5A:98*11 } 06:88370A A2{ A0:04 } } " SIGNATURE
		"}",
		"BF37{ BF27{ " TXID "BF2F{ 80:FF 81: } 06:88370A A2{ A0{ 05: } } } " SIGNATURE "}",
	};
	struct codec_notification n;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		memset(&n, 0xff, sizeof n);
		if (!codec_pending_notification_read(&mem, der(&mem, "%s", good[i]), &n, &why))
			fail_msg("refused: %s: %s", good[i], why);
		assert_true(n.installed);
		assert_int_equal(n.operation, CODEC_INSTALL);
		assert_int_equal(n.sequence, 0);
		assert_int_equal(n.transaction_id.n, 16);
		assert_non_null(n.address.p);
		assert_int_equal(n.address.n, 0);
		assert_null(n.iccid.p);
		assert_null(n.aid.p);
		assert_null(n.sima_response.p);
	}
	assert_true(codec_pending_notification_read(&mem,
		der(&mem, "BF37{ BF27{ " RESULT "A2{ A0{ 04:3000 } } } " SIGNATURE "}"), &n, &why));
	assert_null(n.aid.p);
	assert_int_equal(n.sima_response.n, 2);
	assert_true(codec_pending_notification_read(&mem,
		der(&mem, "BF37{ BF27{ " RESULT "A2{ A1{ 80:0000000000 } } } " SIGNATURE "}"), &n,
		&why));
	assert_false(n.installed);
	assert_int_equal(n.command, -1);
	assert_int_equal(n.reason, CODEC_REASON_UNDEFINED);
}

static void
sequence_numbers_never_refuse(void **state)
{
	static const struct {
		const char *value;
		int64_t sequence;
	} row[] = {
		{ "80:00", 0 },
		{ "80:0080", 128 },
		{ "80:7FFFFFFFFFFFFFFF", INT64_MAX },
		{ "80:000000000000000102", 0x102 },
		{ "80:008000000000000000", 0 },
		{ "80:010203040506070809", 0 },
		{ "80:FF", 0 },
		{ "80:8000000000000000", 0 },
		{ "80:FFFFFFFFFFFFFFFFFF", 0 },
		{ "80:", 0 },
		{ "", 0 },
	};
	struct codec_notification n;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_true(codec_pending_notification_read(&mem,
			der(&mem, "30{ BF2F{ %s 81:0640 0C:\"a\" } " SIGNATURE CERTIFICATES "}",
				row[i].value),
			&n, &why));
		assert_int_equal(n.sequence, row[i].sequence);
		assert_int_equal(n.operation, CODEC_ENABLE);
		assert_true(codec_pending_notification_read(&mem,
			der(&mem,
				"BF37{ BF27{ " TXID "BF2F{ %s 81:0780 } 06:88370A A2{ A0{ } } "
				"} " SIGNATURE "}",
				row[i].value),
			&n, &why));
		assert_int_equal(n.sequence, row[i].sequence);
	}
}

static void
other_notifications_need_their_event(void **state)
{
	static const char *const iccid[] = { "", "5A:", "5A:98*9", "5A:98*11" };
	struct codec_notification n;

	(void)state;
	for (size_t i = 0; i < sizeof iccid / sizeof iccid[0]; i++) {
		assert_true(codec_pending_notification_read(&mem,
			der(&mem, "30{ BF2F{ 80:05 81:0410 %s } " SIGNATURE CERTIFICATES "}",
				iccid[i]),
			&n, &why));
		assert_int_equal(n.sequence, 5);
		assert_int_equal(n.operation, CODEC_DELETE);
		assert_null(n.iccid.p);
		assert_non_null(n.address.p);
		assert_int_equal(n.address.n, 0);
	}
	assert_true(codec_pending_notification_read(&mem,
		der(&mem, "30{ BF2F{ 80:05 81:0410 5A:98*10 } " SIGNATURE CERTIFICATES "}"), &n,
		&why));
	assert_int_equal(n.iccid.n, 10);
}

static void
other_notifications_are_read(void **state)
{
	static const struct {
		const char *bits;
		enum codec_operation operation;
	} row[] = { { "0780", CODEC_INSTALL }, { "0640", CODEC_ENABLE }, { "0520", CODEC_DISABLE },
		{ "0410", CODEC_DELETE }, { "0420", CODEC_DISABLE }, { "0010", CODEC_DELETE } };
	struct codec_notification n;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_true(codec_pending_notification_read(&mem,
			der(&mem,
				"30{ BF2F{ 80:7FFFFFFFFFFFFFFF 9F77:01 81:%s 0C:\"a.b\" "
				"} " SIGNATURE CERTIFICATES "}",
				row[i].bits),
			&n, &why));
		assert_int_equal(n.kind, CODEC_OTHER_NOTIFICATION);
		assert_int_equal(n.operation, row[i].operation);
		assert_int_equal(n.sequence, INT64_MAX);
		assert_null(n.iccid.p);
		assert_octets(n.euicc_certificate, "30{ 30:01 }");
		assert_octets(n.eum_certificate, "30{ 30:02 }");
		assert_int_equal(n.signed_part.p[0], 0xbf);
	}
}

static void
notifications_are_refused(void **state)
{
	static const char *const bad[] = {
		"BF37{ }",
		"BF38{ }",
		"30{ BF2F{ 80:01 81:06C0 0C:\"a\" } " SIGNATURE CERTIFICATES "}",
		"30{ BF2F{ 80:01 81:00 0C:\"a\" } " SIGNATURE CERTIFICATES "}",
		"30{ BF2F{ 80:01 81:0308 0C:\"a\" } " SIGNATURE CERTIFICATES "}",
		"30{ BF2F{ 80:01 0C:\"a\" } " SIGNATURE CERTIFICATES "}",
		"30{ BF2F{ 80:01 81:0780 0C:\"a\" } " SIGNATURE "30{ } }",
		"30{ " SIGNATURE CERTIFICATES "}",
		"BF37{ BF27{ " RESULT "A2{ A2{ } } } " SIGNATURE "}",
		"BF37{ BF27{ " RESULT "A2{ } } " SIGNATURE "}",
		"BF37{ BF27{ " RESULT "} " SIGNATURE "}",
		"BF37{ BF27{ " RESULT "A2{ A0{ } } } }",
		"BF37{ BF27{ BF2F{ " META "} 06:88370A A2{ A0{ } } } " SIGNATURE "}",
		"BF37{ BF27{ " TXID "BF2F{ " META "} A2{ A0{ } } } " SIGNATURE "}",
		"BF37{ BF27{ " TXID "BF2F{ " META "} 06:88 A2{ A1{ 80:00 81:7F } } } " SIGNATURE
		"}",
	};
	struct codec_notification n;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		if (codec_pending_notification_read(&mem, der(&mem, "%s", bad[i]), &n, &why))
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(installation_success_is_read),
		cmocka_unit_test(installation_failure_is_read),
		cmocka_unit_test(results_need_little),
		cmocka_unit_test(sequence_numbers_never_refuse),
		cmocka_unit_test(other_notifications_need_their_event),
		cmocka_unit_test(other_notifications_are_read),
		cmocka_unit_test(notifications_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("codec_notification", tests, setup, teardown);
}
