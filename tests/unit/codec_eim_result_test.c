/*
 * What eUICCs did with a package: the published vector, every result with its kind and in its order, profiles and
 * eIMs as they are described, each leniency noted, everything bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"
#include "codec/der.h"
#include "codec/eim_result.h"
#include "codec_broken.h"

#define IDS "80:\"eim.example.com\" 81:01 82:0102030405060708 "
#define SIGNATURE "5F37:A5*64 "
#define SEQUENCE_SIGNATURE "5F37{ 30{ 02:11*32 02:22*31 } } "
#define ICCID "5A:98001032547698103214 "
#define PIR \
	"BF37{ BF27{ 80:0102 BF2F{ 80:2A 81:0780 0C:\"a\" } 06:8837 A2{ A0{ } } } " SIGNATURE "} "
#define OTHER "30{ BF2F{ 80:008F 81:0640 0C:\"a\" } " SIGNATURE "30{ 30:01 } 30{ 30:02 } } "
#define COMPACT_PIR "A0{ A0{ 80:0102 02:2B A2{ A0{ 4F:1234 } } } " SIGNATURE "} "
#define COMPACT_OTHER "A1{ BF2F{ 80:2C 81:0640 0C:\"a\" } " SIGNATURE "} "

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

static struct slice
hex(const char *digits)
{
	struct slice octets;

	assert_true(text_unhex(&mem, slice_text(digits), &octets));
	return octets;
}

static void
assert_octets(struct slice got, struct slice want)
{
	if (!slice_eq(got, want))
		fail_msg("%s\nis not\n%s", (const char *)text_hex(&mem, got).p,
			(const char *)text_hex(&mem, want).p);
}

static struct codec_euicc_package_result
result(struct slice octets)
{
	struct codec_euicc_package_result out;

	if (!codec_euicc_package_result_read(&mem, octets, &out, &why))
		fail_msg("refused: %s: %s", why, (const char *)text_hex(&mem, octets).p);
	return out;
}

/* A signed result that holds these results of commands. */
static struct codec_euicc_package_result
result_of(const char *results)
{
	return result(der(&mem, "BF51{ A0{ 30{ " IDS "83:07 30{ %s } } " SIGNATURE "} }", results));
}

static void
the_published_result_is_read(void **state)
{
	static const char data[] = "3026800f65696d2e6578616d706c652e636f6d810101820801020304050607"
				   "088301073003830100";
	static const char signature[] =
		"0a766010620faeab2f96ff6f9a18a54bc218760365723360196c44267d683554"
		"6f751cd131393455cd402891105901f5770bb92fe0ec74b9d5bb8074816b8bc9";
	struct slice octets = hex(arena_printf(&mem, "bf516da06b%s5f3740%s", data, signature));
	struct codec_euicc_package_result r = result(octets);

	(void)state;
	assert_int_equal(r.arm, CODEC_PACKAGE_DONE);
	assert_int_equal(r.leniencies, 0);
	assert_octets(r.octets, octets);
	assert_octets(r.signed_part, hex(data));
	assert_octets(r.signature, hex(signature));
	assert_octets(r.eim_id, SLICE_LIT("eim.example.com"));
	assert_octets(r.eim_transaction_id, hex("0102030405060708"));
	assert_int_equal(r.counter, 1);
	assert_octets(r.sequence, hex("07"));
	assert_int_equal(r.n, 1);
	assert_int_equal(r.result[0].kind, CODEC_RESULT_COMMAND);
	assert_int_equal(r.result[0].command, CODEC_PSMO_ENABLE);
	assert_int_equal(r.result[0].code, 0);
	assert_octets(r.result[0].octets, hex("830100"));
}

static void
errors_are_read(void **state)
{
	struct codec_euicc_package_result r =
		result(der(&mem, "BF51{ A1{ 30{ " IDS "02:68 } " SIGNATURE "} }"));

	(void)state;
	assert_int_equal(r.arm, CODEC_PACKAGE_ERROR_SIGNED);
	assert_int_equal(r.error, CODEC_PACKAGE_ECALL_ACTIVE);
	assert_int_equal(r.counter, 1);
	assert_octets(r.signed_part, der(&mem, "30{ " IDS "02:68 }"));
	assert_int_equal(r.signature.n, 64);
	assert_int_equal(r.n, 0);
	r = result(
		der(&mem, "BF51{ A1{ 30{ 80:\"e\" 81:7FFFFFFFFFFFFFFF 02:04 } " SIGNATURE "} }"));
	assert_int_equal(r.error, CODEC_PACKAGE_REPLAY);
	assert_true(r.counter == INT64_MAX);
	assert_null(r.eim_transaction_id.p);
	r = result(der(&mem, "BF51{ A2{ 80:\"e\" 82:0102 84:1234 } }"));
	assert_int_equal(r.arm, CODEC_PACKAGE_ERROR_UNSIGNED);
	assert_octets(r.eim_id, SLICE_LIT("e"));
	assert_octets(r.eim_transaction_id, hex("0102"));
	assert_true(r.association_token.known && r.association_token.n == 0x1234);
	assert_null(r.signed_part.p);
	assert_null(r.signature.p);
	r = result(der(&mem, "BF51{ A2{ 80:\"e\" } }"));
	assert_false(r.association_token.known);
	assert_null(r.eim_transaction_id.p);
}

/* Every kind, with 0 and with a code; those without a command too. */
static void
every_result_has_its_kind(void **state)
{
	static const struct {
		const char *text;
		enum codec_result_kind kind;
		enum codec_eim_command_kind command;
		int code;
	} row[] = {
		{ "83:14", CODEC_RESULT_COMMAND, CODEC_PSMO_ENABLE, 20 },
		{ "84:02", CODEC_RESULT_COMMAND, CODEC_PSMO_DISABLE, 2 },
		{ "85:15", CODEC_RESULT_COMMAND, CODEC_PSMO_DELETE, 21 },
		{ "BF2D{ A0{ } }", CODEC_RESULT_COMMAND, CODEC_PSMO_LIST_PROFILE_INFO, 0 },
		{ "BF2D{ 81:0B }", CODEC_RESULT_COMMAND, CODEC_PSMO_LIST_PROFILE_INFO, 11 },
		{ "A6{ }", CODEC_RESULT_COMMAND, CODEC_PSMO_GET_RAT, 0 },
		{ "87:07", CODEC_RESULT_COMMAND, CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE, 7 },
		{ "8D:03", CODEC_RESULT_COMMAND, CODEC_PSMO_SET_FALLBACK_ATTRIBUTE, 3 },
		{ "8E:00", CODEC_RESULT_COMMAND, CODEC_PSMO_UNSET_FALLBACK_ATTRIBUTE, 0 },
		{ "BF65{ 80:7F }", CODEC_RESULT_COMMAND, CODEC_PSMO_SET_DEFAULT_DP_ADDRESS, 127 },
		{ "BF65{ 80:00 }", CODEC_RESULT_COMMAND, CODEC_PSMO_SET_DEFAULT_DP_ADDRESS, 0 },
		{ "A8{ 84:1234 }", CODEC_RESULT_COMMAND, CODEC_ECO_ADD_EIM, 0 },
		{ "A8{ 02:02 }", CODEC_RESULT_COMMAND, CODEC_ECO_ADD_EIM, 2 },
		{ "89:02", CODEC_RESULT_COMMAND, CODEC_ECO_DELETE_EIM, 2 },
		{ "8A:06", CODEC_RESULT_COMMAND, CODEC_ECO_UPDATE_EIM, 6 },
		{ "AB{ A0{ } }", CODEC_RESULT_COMMAND, CODEC_ECO_LIST_EIM, 0 },
		{ "AB{ 81:7F }", CODEC_RESULT_COMMAND, CODEC_ECO_LIST_EIM, 127 },
		{ "8C:00", CODEC_RESULT_ROLLBACK, 0, 0 },
		{ "8C:7F", CODEC_RESULT_ROLLBACK, 0, 127 },
		{ "02:02", CODEC_RESULT_TERMINATED, 0, 2 },
		{ "9F22:00", CODEC_RESULT_UNKNOWN, 0, -1 },
		{ "83:", CODEC_RESULT_COMMAND, CODEC_PSMO_ENABLE, -1 },
		{ "83:FE", CODEC_RESULT_COMMAND, CODEC_PSMO_ENABLE, -1 },
		{ "83:0080000000", CODEC_RESULT_COMMAND, CODEC_PSMO_ENABLE, -1 },
		{ "BF2D{ A1{ } }", CODEC_RESULT_COMMAND, CODEC_PSMO_LIST_PROFILE_INFO, -1 },
		{ "BF2D{ 81:00 }", CODEC_RESULT_COMMAND, CODEC_PSMO_LIST_PROFILE_INFO, -1 },
		{ "BF65{ }", CODEC_RESULT_COMMAND, CODEC_PSMO_SET_DEFAULT_DP_ADDRESS, -1 },
		{ "A8{ }", CODEC_RESULT_COMMAND, CODEC_ECO_ADD_EIM, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct codec_euicc_package_result r = result_of(row[i].text);

		assert_int_equal(r.n, 1);
		if (r.result[0].kind != row[i].kind || r.result[0].code != row[i].code ||
			(row[i].kind == CODEC_RESULT_COMMAND &&
				r.result[0].command != row[i].command))
			fail_msg("kind %d, command %d, code %d: %s", r.result[0].kind,
				r.result[0].command, r.result[0].code, row[i].text);
		assert_octets(r.result[0].octets, der(&mem, "%s", row[i].text));
		assert_int_equal(r.leniencies, 0);
	}
}

static void
results_keep_their_order(void **state)
{
	struct codec_euicc_package_result r =
		result_of("83:00 9F22:01 A8{ 84:05 } BF2D{ A0{ E3{ " ICCID "} } } 8C:00 02:01");

	(void)state;
	assert_int_equal(r.n, 6);
	assert_int_equal(r.result[0].command, CODEC_PSMO_ENABLE);
	assert_int_equal(r.result[1].kind, CODEC_RESULT_UNKNOWN);
	assert_int_equal(r.result[2].command, CODEC_ECO_ADD_EIM);
	assert_true(r.result[2].association_token.known);
	assert_int_equal(r.result[2].association_token.n, 5);
	assert_int_equal(r.result[3].profile_count, 1);
	assert_int_equal(r.result[4].kind, CODEC_RESULT_ROLLBACK);
	assert_int_equal(r.result[5].kind, CODEC_RESULT_TERMINATED);
}

static void
rules_are_kept(void **state)
{
	struct codec_euicc_package_result r =
		result_of("A6{ 30{ 80:0560 A1{ 30{ 80:EEEEEE } } 82:0780 } }");

	(void)state;
	assert_octets(r.result[0].rat, der(&mem, "30{ 80:0560 A1{ 30{ 80:EEEEEE } } 82:0780 }"));
}

static void
profiles_are_described(void **state)
{
	const struct codec_command_result *r =
		result_of("BF2D{ A0{ E3{ " ICCID
			  "4F:A0*16 9F70:01 90:\"nick\" 91:\"provider\" 92:\"name\" 93:01 94:FFD8 "
			  "95:02 B6{ 30{ 80:0780 81:\"a.b\" } 30{ 80:0640 81:\"a.b\" } 30{ 80:0410 "
			  "81:\"c\" } } B7{ 80:26F201 81:AA 82:BB } 99:0560 9F7B:00 9F26:FF "
			  "9F67:01 } E3{ } } }")
			.result;
	const struct codec_profile_info *p = r->profile;

	(void)state;
	assert_int_equal(r->code, 0);
	assert_int_equal(r->profile_count, 2);
	assert_octets(p->iccid, hex("98001032547698103214"));
	assert_int_equal(p->aid.n, 16);
	assert_int_equal(p->state, CODEC_PROFILE_ENABLED);
	assert_octets(p->nickname, SLICE_LIT("nick"));
	assert_octets(p->provider, SLICE_LIT("provider"));
	assert_octets(p->name, SLICE_LIT("name"));
	assert_true(p->profile_class.known && p->profile_class.n == CODEC_CLASS_OPERATIONAL);
	assert_int_equal(p->notify_count, 2);
	assert_octets(p->notify[0].address, SLICE_LIT("a.b"));
	assert_int_equal(p->notify[0].events, 3);
	assert_int_equal(p->notify[1].events, 8);
	assert_octets(p->mcc_mnc, hex("26F201"));
	assert_octets(p->gid1, hex("AA"));
	assert_octets(p->gid2, hex("BB"));
	assert_true(p->rules_known);
	assert_int_equal(p->rules, CODEC_PPR_NO_DISABLE | CODEC_PPR_NO_DELETE);
	assert_int_equal(p->ecall, CODEC_NO);
	assert_int_equal(p->fallback, CODEC_YES);
	assert_int_equal(p->fallback_allowed, CODEC_YES);
	assert_int_equal(p->octets.p[0], 0xe3);
	p++;
	assert_octets(p->octets, hex("e300"));
	assert_null(p->iccid.p);
	assert_int_equal(p->state, CODEC_PROFILE_UNSAID);
	assert_int_equal(p->fallback, CODEC_UNSAID);
	assert_false(p->profile_class.known || p->rules_known);
	assert_int_equal(p->notify_count, 0);
}

/* The result was executed: what one profile is odd in is absent, all else is there. */
static void
odd_members_of_a_profile_are_absent(void **state)
{
	static const char *const odd[] = {
		"5A:98",
		"9F70:02",
		"9F70:FF",
		"9F70:",
		"4F:A0*17",
		"95:",
		"99:09",
		"99:",
		"B6{ 30{ 80:0780 } }",
		"B6{ 31{ } }",
		"B6{ 30{ 80:0780 81:\"a\" } 31{ } }",
		"B6:30",
		"B7{ 80:26F2 }",
		"9F26:",
		"9F67:0102",
		"94:FF*1025",
	};

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		const struct codec_command_result *r = result_of(
			arena_printf(&mem, "BF2D{ A0{ E3{ %s 92:\"n\" } E3{ " ICCID "9F70:00 } } }",
				odd[i]))
							       .result;
		const struct codec_profile_info *p = r->profile;

		assert_int_equal(r->profile_count, 2);
		assert_octets(p->name, SLICE_LIT("n"));
		assert_true(!p->iccid.p && !p->aid.p && !p->mcc_mnc.p);
		assert_int_equal(p->state, CODEC_PROFILE_UNSAID);
		assert_false(p->profile_class.known || p->rules_known || p->notify_count);
		assert_true(p->fallback == CODEC_UNSAID && p->fallback_allowed == CODEC_UNSAID);
		assert_int_equal(p[1].state, CODEC_PROFILE_DISABLED);
		assert_int_equal(p[1].iccid.n, 10);
	}
}

static void
eims_are_listed(void **state)
{
	struct codec_euicc_package_result r =
		result_of("AB{ A0{ 30{ 80:\"one\" 82:01 } 30{ 80:\"two\" } } }");

	(void)state;
	assert_int_equal(r.leniencies, 0);
	assert_int_equal(r.result[0].eim_count, 2);
	assert_octets(r.result[0].eim[0].eim_id, SLICE_LIT("one"));
	assert_true(r.result[0].eim[0].id_type.known);
	assert_int_equal(r.result[0].eim[0].id_type.n, CODEC_EIM_ID_OID);
	assert_octets(r.result[0].eim[1].eim_id, SLICE_LIT("two"));
	assert_false(r.result[0].eim[1].id_type.known);
	r = result_of("AB{ A0{ 30{ 80:\"one\" 84:02 } } }");
	assert_int_equal(r.leniencies, CODEC_LENIENT_IOT_V1_0);
	assert_int_equal(r.result[0].eim[0].id_type.n, CODEC_EIM_ID_FQDN);
}

/* The forms that are seen, and what is noted of each. */
static void
leniencies_are_noted(void **state)
{
	static const struct {
		const char *text;
		unsigned leniencies;
		enum codec_package_arm arm;
	} row[] = {
		{ "BF51{ 30{ " IDS "83:07 30{ 83:00 } } " SIGNATURE "}", CODEC_LENIENT_ARM,
			CODEC_PACKAGE_DONE },
		{ "BF51{ 30{ " IDS "83:07 30{ } } " SIGNATURE "}", CODEC_LENIENT_ARM,
			CODEC_PACKAGE_DONE },
		{ "BF51{ 30{ " IDS "02:04 } " SIGNATURE "}", CODEC_LENIENT_ARM,
			CODEC_PACKAGE_ERROR_SIGNED },
		{ "BF51{ 80:\"e\" 84:00 }", CODEC_LENIENT_ARM, CODEC_PACKAGE_ERROR_UNSIGNED },
		{ "BF51{ BF51{ A2{ 80:\"e\" } } }", CODEC_LENIENT_TAG_TWICE,
			CODEC_PACKAGE_ERROR_UNSIGNED },
		{ "BF51{ A0{ 30{ " IDS "83:07 30{ 83:00 } } " SEQUENCE_SIGNATURE "} }",
			CODEC_LENIENT_DER_SIGNATURE, CODEC_PACKAGE_DONE },
		{ "BF51{ A1{ 30{ " IDS "02:04 } " SEQUENCE_SIGNATURE "} }",
			CODEC_LENIENT_DER_SIGNATURE, CODEC_PACKAGE_ERROR_SIGNED },
		{ "BF51{ A0{ 30{ " IDS "83:07 30{ 83:00 } 9F22:01 } " SIGNATURE "9F22:01 } }", 0,
			CODEC_PACKAGE_DONE },
	};
	static const struct {
		const char *results;
		unsigned leniencies;
		size_t profiles, eims;
	} inner[] = {
		{ "BF2D{ A0{ E3{ } } }", 0, 1, 0 },
		{ "BF2D{ E3{ } E3{ } }", CODEC_LENIENT_ARM, 2, 0 },
		{ "BF2D{ }", CODEC_LENIENT_ARM, 0, 0 },
		{ "BF2D{ 02:01 }", CODEC_LENIENT_ARM, 0, 0 },
		{ "BF2D{ BF2D{ A0{ E3{ } } } }", CODEC_LENIENT_TAG_TWICE, 1, 0 },
		{ "AB{ 30{ 80:\"e\" } }", CODEC_LENIENT_ARM, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct codec_euicc_package_result r = result(der(&mem, "%s", row[i].text));

		if (r.leniencies != row[i].leniencies || r.arm != row[i].arm)
			fail_msg("%#x, arm %d: %s", r.leniencies, r.arm, row[i].text);
	}
	for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++) {
		struct codec_euicc_package_result r = result_of(inner[i].results);

		if (r.leniencies != inner[i].leniencies ||
			r.result[0].profile_count != inner[i].profiles ||
			r.result[0].eim_count != inner[i].eims)
			fail_msg("%#x: %s", r.leniencies, inner[i].results);
	}
}

static void
results_are_refused(void **state)
{
	static const char *const bad[] = {
		"BF51{ }",
		"BF50{ A2{ 80:\"e\" } }",
		"BF51{ A3{ 80:\"e\" } }",
		"BF51{ A2{ 80:\"e\" } A2{ 80:\"e\" } }",
		"BF51{ A2{ } }",
		"BF51{ A2{ 82:01 } }",
		"BF51{ A0{ 30{ " IDS "83:07 30{ } } } }",
		"BF51{ A0{ 30{ " IDS "83:07 30{ } } 5F37:A5*63 } }",
		"BF51{ A0{ 30{ " IDS "83:07 } " SIGNATURE "} }",
		"BF51{ A0{ 30{ " IDS "30{ } } " SIGNATURE "} }",
		"BF51{ A0{ 30{ " IDS "83: 30{ } } " SIGNATURE "} }",
		"BF51{ A0{ 30{ 80:\"e\" 83:07 30{ } } " SIGNATURE "} }",
		"BF51{ A0{ 30{ 81:01 83:07 30{ } } " SIGNATURE "} }",
		"BF51{ A0{ 30{ 80:\"e\" 81:FF 83:07 30{ } } " SIGNATURE "} }",
		"BF51{ A0{ 30{ 80:\"e\" 81:010203040506070809 83:07 30{ } } " SIGNATURE "} }",
		"BF51{ A0{ 30{ 80:\"e\" 81:01 82:01*17 83:07 30{ } } " SIGNATURE "} }",
		"BF51{ A0{ 30{ " IDS "83:07 30:8300FF } " SIGNATURE "} }",
		"BF51{ A1{ 30{ " IDS "} " SIGNATURE "} }",
		"BF51{ A1{ 30{ " IDS "02: } " SIGNATURE "} }",
		"BF51{ A1{ 30{ 80:\"e\" 81:FF 02:04 } " SIGNATURE "} }",
	};
	struct codec_euicc_package_result r;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		if (codec_euicc_package_result_read(&mem, der(&mem, "%s", bad[i]), &r, &why))
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
}

/* A result with n times the same octets in its list, or in the one list that it holds. */
static struct slice
flood(size_t n, const char *octets, const char *around)
{
	struct slice one = hex(octets);
	struct buf list, data, arm;

	buf_init(&list, &mem, n * one.n);
	for (size_t i = 0; i < n; i++)
		buf_put(&list, one);
	if (around) {
		struct slice whole = codec_der_write(&mem, 0xa0, buf_get(&list));

		buf_init(&list, &mem, whole.n + 8);
		codec_der_put(&list, (uint32_t)strtoul(around, NULL, 16), whole);
	}
	buf_init(&data, &mem, list.n + 64);
	buf_put(&data, hex("800165810101830107"));
	codec_der_put(&data, 0x30, buf_get(&list));
	buf_init(&arm, &mem, data.n + 128);
	codec_der_put(&arm, 0x30, buf_get(&data));
	buf_put(&arm, der(&mem, SIGNATURE));
	return codec_der_write(&mem, 0xbf51, codec_der_write(&mem, 0xa0, buf_get(&arm)));
}

static void
everything_is_bounded(void **state)
{
	static const struct {
		const char *octets, *around;
		size_t most;
	} row[] = {
		{ "830100", NULL, CODEC_RESULT_MAX },
		{ "0000", NULL, CODEC_RESULT_MAX },
		{ "e300", "bf2d", CODEC_PROFILE_MAX },
		{ "3000", "ab", CODEC_EIM_MAX },
		{ "bf2d04a002e300", NULL, CODEC_PROFILE_MAX },
		{ "ab04a0023000", NULL, CODEC_EIM_MAX },
	};
	struct codec_euicc_package_result r;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct slice octets = flood(10000, row[i].octets, row[i].around);
		size_t used = mem.used;

		assert_false(codec_euicc_package_result_read(&mem, octets, &r, &why));
		assert_non_null(strstr(why, "too many"));
		assert_true(mem.used - used < 256u << 10);
		octets = flood(row[i].most, row[i].octets, row[i].around);
		assert_true(codec_euicc_package_result_read(&mem, octets, &r, &why));
		octets = flood(row[i].most + 1, row[i].octets, row[i].around);
		assert_false(codec_euicc_package_result_read(&mem, octets, &r, &why));
	}
}

static void
notifications_come_with_a_result(void **state)
{
	struct codec_result_and_notifications r;
	struct slice bf51 = der(&mem, "BF51{ A2{ 80:\"e\" } }");

	(void)state;
	assert_true(codec_result_and_notifications_read(&mem,
		der(&mem,
			"30{ BF51{ A2{ 80:\"e\" } } A0{ " PIR OTHER COMPACT_PIR COMPACT_OTHER
			"04:00 } }"),
		&r, &why));
	assert_int_equal(r.leniencies, 0);
	assert_octets(r.result, bf51);
	assert_int_equal(r.notifications.n, 4);
	assert_octets(r.notifications.pending[0].octets, der(&mem, PIR));
	assert_octets(r.notifications.pending[0].sequence, hex("2A"));
	assert_octets(r.notifications.pending[1].sequence, hex("008F"));
	assert_false(r.notifications.pending[0].compact || r.notifications.pending[1].compact);
	assert_octets(r.notifications.pending[2].sequence, hex("2B"));
	assert_octets(r.notifications.pending[3].sequence, hex("2C"));
	assert_true(r.notifications.pending[2].compact && r.notifications.pending[3].compact);
	assert_true(codec_result_and_notifications_read(
		&mem, der(&mem, "30{ BF51{ A2{ 80:\"e\" } } BF2B{ A0{ " OTHER "} } }"), &r, &why));
	assert_int_equal(r.leniencies, CODEC_LENIENT_IOT_V1_0);
	assert_octets(r.result, bf51);
	assert_int_equal(r.notifications.n, 1);
	assert_octets(r.notifications.pending[0].octets, der(&mem, OTHER));
	assert_true(codec_result_and_notifications_read(
		&mem, der(&mem, "30{ BF51{ A2{ 80:\"e\" } } BF2B{ 81:7F } }"), &r, &why));
	assert_int_equal(r.notifications.n, 0);
}

static void
lists_are_refused(void **state)
{
	static const char *const bad[] = {
		"A0{ BF51{ } A0{ } }",
		"30{ A0{ } }",
		"30{ BF51{ } }",
		"30{ BF51{ } A0:30FF }",
	};
	struct codec_result_and_notifications r;
	struct buf list, whole;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		if (codec_result_and_notifications_read(&mem, der(&mem, "%s", bad[i]), &r, &why))
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
	for (size_t n = CODEC_PENDING_MAX; n <= CODEC_PENDING_MAX + 1; n++) {
		buf_init(&list, &mem, 2 * n);
		for (size_t i = 0; i < n; i++)
			buf_put(&list, hex("3000"));
		buf_init(&whole, &mem, 4 * n);
		buf_put(&whole, hex("bf5100"));
		codec_der_put(&whole, 0xa0, buf_get(&list));
		assert_int_equal(codec_result_and_notifications_read(&mem,
					 codec_der_write(&mem, 0x30, buf_get(&whole)), &r, &why),
			n == CODEC_PENDING_MAX);
	}
}

static void
a_notification_is_known_by_its_tag(void **state)
{
	static const struct {
		const char *text;
		bool taken, sequence;
	} row[] = {
		{ PIR, true, true },
		{ "BF37{ }", true, false },
		{ "BF37{ BF27{ BF2F{ 80: } } }", true, false },
		{ "30{ BF2F{ 80:00*17 } }", true, false },
		{ "30{ }", true, false },
		{ COMPACT_PIR, true, true },
		{ COMPACT_OTHER, true, true },
		{ "A2{ }", false, false },
		{ "31{ }", false, false },
		{ OTHER OTHER, false, false },
		{ "", false, false },
	};
	struct codec_pending p;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		if (codec_pending_read(der(&mem, "%s", row[i].text), &p) != row[i].taken ||
			(p.sequence.p != NULL) != row[i].sequence)
			fail_msg("%s", row[i].text);
}

static bool
read_result(struct arena *arena, struct slice octets)
{
	struct codec_euicc_package_result r;

	return codec_euicc_package_result_read(arena, octets, &r, &why);
}

static bool
read_list(struct arena *arena, struct slice octets)
{
	struct codec_result_and_notifications r;

	return codec_result_and_notifications_read(arena, octets, &r, &why);
}

static void
broken_octets_do_no_harm(void **state)
{
	(void)state;
	assert_broken_refused(
		der(&mem,
			"BF51{ A0{ 30{ " IDS "83:07 30{ 83:00 BF2D{ A0{ E3{ " ICCID
			"9F70:01 B6{ 30{ 80:0780 81:\"a\" } } } } } A8{ 84:05 } AB{ A0{ 30{ "
			"80:\"one\" 82:01 } } } 8C:00 } } " SIGNATURE "} }"),
		read_result);
	assert_broken_refused(
		der(&mem, "BF51{ 30{ " IDS "02:04 } " SEQUENCE_SIGNATURE "}"), read_result);
	assert_broken_refused(
		der(&mem, "30{ BF51{ A2{ 80:\"e\" } } A0{ " PIR OTHER COMPACT_PIR "} }"),
		read_list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_result_is_read),
		cmocka_unit_test(errors_are_read),
		cmocka_unit_test(every_result_has_its_kind),
		cmocka_unit_test(results_keep_their_order),
		cmocka_unit_test(rules_are_kept),
		cmocka_unit_test(profiles_are_described),
		cmocka_unit_test(odd_members_of_a_profile_are_absent),
		cmocka_unit_test(eims_are_listed),
		cmocka_unit_test(leniencies_are_noted),
		cmocka_unit_test(results_are_refused),
		cmocka_unit_test(everything_is_bounded),
		cmocka_unit_test(notifications_come_with_a_result),
		cmocka_unit_test(lists_are_refused),
		cmocka_unit_test(a_notification_is_known_by_its_tag),
		cmocka_unit_test(broken_octets_do_no_harm),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("codec_eim_result", tests, setup, teardown);
}
