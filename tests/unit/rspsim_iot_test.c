/*
 * LoadEuiccPackage of the simulated IoT eUICC (SGP.32 §2.11): the vectors that others computed,
 * every command with every code, and that nothing but a right and new package does anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>
#include <cmocka.h>
#pragma GCC diagnostic ignored "-Wunused-function"
#include "rspsim_eim.h"

/* ---- vectors (made with the keys of SGP.26 v3.0.2 and RFC 6979) -------------------------- */

#define SIGNED                                                                             \
	"3042800f65696d2e6578616d706c652e636f6d5a1089049032123451234512345678901235810101" \
	"82080102030405060708a010a30e5a0a980010325476981032140500"
#define SIGNATURE                                                          \
	"61eaec8517c4920e839120238d85bb81e79a16c19b05758a02f08c0d473a28b3" \
	"907477c766937475b75bb45edd34d5e6cbe00ea560e60b70b3e6e7d6aafd3c8a"
#define SIGNATURE_TOKEN                                                   \
	"a1aa1db16a4b59abb9fdc684054b62ea8776c20eeee7bbc80b81e141c745067" \
	"073b319662dbc0719f886be29147ae017d4a1348569f83785e50388a8a23172a0"
#define EIM_KEY                                                                                \
	"3059301306072a8648ce3d020106082a8648ce3d03010703420004bb9e897517ed7198c5f7738b887d22" \
	"afc6c68c57ad9b2d04337b5f3a0dc83fe5c83997b6b3aa427fc2e603718b7140151ba8d15e0b170275d9" \
	"8dd05c0ff5c287"
#define EUICC_POINT                                                            \
	"046db3f53adc87dc2ff10c7bfcd87ad13ae97009afa065a6757ee571b3f2ebb18f46" \
	"c1d68f3edeb0e74b2e5d542051e7d27f50952028605afdef79fe9fffd03959"
#define RESULT "3026800f65696d2e6578616d706c652e636f6d810101820801020304050607088301073003830100"
#define RESULT_SIGNATURE                                                   \
	"0a766010620faeab2f96ff6f9a18a54bc218760365723360196c44267d683554" \
	"6f751cd131393455cd402891105901f5770bb92fe0ec74b9d5bb8074816b8bc9"

static struct slice
vector_package(struct eim *e, const char *signature)
{
	return RSPSIM_DER(&e->server.mem, 0xbf51, hex(e, SIGNED),
		RSPSIM_DER(&e->server.mem, 0x5f37, hex(e, signature)));
}

static void
trust_vector_key(struct eim *e, bool token)
{
	e->card->iot.eims->key = (struct rspsim_public){ RSPSIM_PUBLIC_KEY, hex(e, EIM_KEY) };
	e->card->iot.eims->has_token = token;
	e->card->iot.eims->token = 0x1234;
	e->has_token = token;
	e->token = 0x1234;
}

static void
the_vectors_hold(void **state)
{
	struct eim e;
	struct rspsim_tlv all, arm;
	struct slice result, data;
	EVP_PKEY *key;

	(void)state;
	eim_init(&e);
	trust_vector_key(&e, false);
	e.card->sequence = 6;
	result = load(&e, vector_package(&e, SIGNATURE));
	assert_true(rspsim_der_read_only(result, 0xbf51, &all));
	assert_true(rspsim_der_read_only(all.value, 0xa0, &arm));
	assert_true(rspsim_der_read(&arm.value, &all));
	assert_hex(&e, all.whole, RESULT);
	data = RSPSIM_DER(&e.server.mem, 0, hex(&e, RESULT), hex(&e, "840100"));
	key = rspsim_key_from_point(NID_X9_62_prime256v1, hex(&e, EUICC_POINT));
	assert_true(rspsim_verify(key, data, hex(&e, RESULT_SIGNATURE)));
	EVP_PKEY_free(key);
	eim_fini(&e);
}

static void
the_vector_with_a_token_holds(void **state)
{
	struct eim e;
	struct slice result;

	(void)state;
	eim_init(&e);
	trust_vector_key(&e, true);
	e.counter = 1;
	result = load(&e, vector_package(&e, SIGNATURE_TOKEN));
	assert_hex(&e, results_of(&e, result), "830100");
	eim_fini(&e);
}

/* The same package under the signature for no token, and the reverse. */
static void
a_wrong_token_is_told_unsigned(void **state)
{
	struct eim e;

	(void)state;
	eim_init(&e);
	trust_vector_key(&e, true);
	assert_hex(&e, load(&e, vector_package(&e, SIGNATURE)),
		"bf5121a21f800f65696d2e6578616d706c652e636f6d8208010203040506070884021234");
	trust_vector_key(&e, false);
	assert_hex(&e, load(&e, vector_package(&e, SIGNATURE_TOKEN)),
		"bf511da21b800f65696d2e6578616d706c652e636f6d82080102030405060708");
	assert_int_equal(e.card->iot.eims->counter, 0);
	assert_true(is_enabled(&e, ICCID_A));
	eim_fini(&e);
}

/* ---- commands ---------------------------------------------------------------------------- */

#define ENABLE(i) "a30c5a0a" i
#define ENABLE_BACK(i) "a30e5a0a" i "0500"
#define DISABLE(i) "a40c5a0a" i
#define DELETE(i) "a50c5a0a" i
#define FALLBACK(i) "a80c5a0a" i

/* What the card is like before. */
enum before {
	AS_IS,
	NONE_ENABLED,
	A_HAS_PPR1,
	IN_FALLBACK, /* C, which was enabled from A */
	C_HAS_ATTRIBUTE,
	NO_RULES,
	CAT_BUSY,
	INTERRUPTED,
	V10
};

static const struct row {
	const char *name;
	const char *commands, *results; /* of a PSMO package */
	enum before before;
} rows[] = {
	{ "enable", ENABLE(ICCID_B), "830100", AS_IS },
	{ "enable, with a way back", ENABLE_BACK(ICCID_B), "830100", AS_IS },
	{ "enable what is not there", ENABLE(ICCID_NONE), "830101", AS_IS },
	{ "enable what is enabled", ENABLE(ICCID_A), "830102", AS_IS },
	{ "enable against PPR1", ENABLE(ICCID_B), "830103", A_HAS_PPR1 },
	{ "enable the Emergency Profile", ENABLE(ICCID_E), "830103", AS_IS },
	{ "enable while busy", ENABLE(ICCID_B), "830105", CAT_BUSY },
	{ "enable with a way back to nothing", ENABLE_BACK(ICCID_B), "830114", NONE_ENABLED },
	{ "enable twice in a package", ENABLE(ICCID_B) ENABLE(ICCID_C), "83010083017f", AS_IS },
	{ "disable", DISABLE(ICCID_A), "840100", AS_IS },
	{ "disable what is not there", DISABLE(ICCID_NONE), "840101", AS_IS },
	{ "disable what is disabled", DISABLE(ICCID_B), "840102", AS_IS },
	{ "disable against PPR1", DISABLE(ICCID_A), "840103", A_HAS_PPR1 },
	{ "disable while busy", DISABLE(ICCID_A), "840105", CAT_BUSY },
	{ "disable, then enable", DISABLE(ICCID_A) ENABLE(ICCID_B), "840100830100", AS_IS },
	{ "delete", DELETE(ICCID_B), "850100", AS_IS },
	{ "delete what is not there", DELETE(ICCID_NONE), "850101", AS_IS },
	{ "delete what is enabled", DELETE(ICCID_A), "850102", AS_IS },
	{ "delete against PPR2", DELETE(ICCID_D), "850103", AS_IS },
	{ "delete what a rollback needs", ENABLE_BACK(ICCID_B) DELETE(ICCID_A), "830100850114",
		AS_IS },
	{ "delete what no rollback needs", ENABLE(ICCID_B) DELETE(ICCID_A), "830100850100", AS_IS },
	{ "delete what fallback returns to", DELETE(ICCID_A), "850115", IN_FALLBACK },
	{ "list one, by ICCID", "bf2d14a00c5a0a" ICCID_B "5c045a9f7092",
		"bf2d1aa018e3165a0a" ICCID_B "9f70010092044e616d65", AS_IS },
	{ "list by class", "bf2d09a0039501005c025a91", "bf2d02a000", AS_IS },
	{ "list, a tag that is none", "bf2d035c01ff", "bf2d03810101", AS_IS },
	{ "list, fallback attribute", "bf2d14a00c5a0a" ICCID_C "5c049f269f67",
		"bf2d0ca00ae3089f2601ff9f6701ff", C_HAS_ATTRIBUTE },
	{ "list by another criterion", "bf2d05a003860100", "bf2d03810101", AS_IS },
	{ "rules of all", "a600", "a612301080020560a10730058003eeeeee820100", AS_IS },
	{ "rules of none", "a600", "a600", NO_RULES },
	{ "immediate enable, default SM-DP+", "a7028000", "870100", AS_IS },
	{ "immediate enable, with OID and address", "a70d80008103883709820461626364", "870100",
		AS_IS },
	{ "immediate enable, off", "a700", "870100", AS_IS },
	{ "fallback attribute", FALLBACK(ICCID_C), "8d0100", AS_IS },
	{ "fallback attribute of what is not there", FALLBACK(ICCID_NONE), "8d0101", AS_IS },
	{ "fallback attribute not allowed", FALLBACK(ICCID_B), "8d0102", AS_IS },
	{ "fallback attribute of what is enabled", FALLBACK(ICCID_C), "8d0103", IN_FALLBACK },
	{ "no fallback attribute", "a900", "8e0100", C_HAS_ATTRIBUTE },
	{ "no fallback attribute to take", "a900", "8e0102", AS_IS },
	{ "no fallback attribute while enabled", "a900", "8e0103", IN_FALLBACK },
	{ "default SM-DP+", "bf650680046e616d65", "bf6503800100", AS_IS },
	{ "default SM-DP+, none", "bf65028000", "bf6503800100", AS_IS },
	{ "a command that is none, after one that is", DISABLE(ICCID_A) "ae00" ENABLE(ICCID_B),
		"840100020102", AS_IS },
	{ "enable without an ICCID", "a300", "020102", AS_IS },
	{ "enable, a strange member", "a30e5a0a" ICCID_B "8000", "020102", AS_IS },
	{ "disable, a strange member", "a40e5a0a" ICCID_A "0500", "020102", AS_IS },
	{ "an ICCID of nine octets", "a30b5a09980010325476981032", "020102", AS_IS },
	{ "the rest cut off", ENABLE(ICCID_B) "a5", "830100020102", AS_IS },
	{ "interrupted", DISABLE(ICCID_A) ENABLE(ICCID_B), "840100020103", INTERRUPTED },
	{ "v1.0.1: policy has no code", ENABLE(ICCID_E), "83017f", V10 },
	{ "v1.0.1: no fallback attribute", FALLBACK(ICCID_C), "020102", V10 },
	{ "v1.0.1: no default SM-DP+", "bf6503800161", "020102", V10 },
};

static void
prepare(struct eim *e, enum before before)
{
	eim_init(e);
	if (before == NONE_ENABLED)
		profile(e, ICCID_A)->state = RSPSIM_DISABLED;
	if (before == A_HAS_PPR1)
		profile(e, ICCID_A)->metadata = RSPSIM_DER(&e->card->state_mem, 0xbf25,
			hex(e, "5a0a" ICCID_A "910353504e92044e616d65b705800300f11099020640"));
	if (before == IN_FALLBACK || before == C_HAS_ATTRIBUTE)
		profile(e, ICCID_C)->fallback = true;
	if (before == IN_FALLBACK)
		assert_int_equal(rspsim_iot_fallback(e->card), RSPSIM_FALLBACK_OK);
	if (before == NO_RULES)
		e->card->forbidden_rules = RSPSIM_PPR1 | RSPSIM_PPR2;
	if (before == CAT_BUSY)
		e->card->fault = RSPSIM_BREAK_PACKAGE_CAT_BUSY;
	if (before == INTERRUPTED)
		e->card->fault = RSPSIM_BREAK_PACKAGE_INTERRUPTED;
	e->card->iot.v10 = before == V10;
}

/* In v1.0.1 the seal is the eIM's signature, so the results are read without the check of it. */
static struct slice
results_unchecked(struct slice result)
{
	struct rspsim_tlv all, arm, data, found;

	assert_true(rspsim_der_read_only(result, 0xbf51, &all));
	assert_true(rspsim_der_read_only(all.value, 0xa0, &arm));
	assert_true(rspsim_der_read(&arm.value, &data));
	assert_true(rspsim_der_find(data.value, 0x30, &found));
	return found.value;
}

static void
each_command_has_its_codes(void **state)
{
	struct eim e;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = rows + i;
		struct slice result;

		prepare(&e, r->before);
		e.what = r->name;
		result = send_package(&e, 0xa0, r->commands);
		assert_hex(&e,
			r->before == V10 ? results_unchecked(result) : results_of(&e, result),
			r->results);
		eim_fini(&e);
	}
}

static void
results_that_are_too_large_end_the_package(void **state)
{
	char commands[9 * 100 + 1] = "";
	struct slice results;
	struct eim e;

	(void)state;
	eim_init(&e);
	for (int i = 0; i < 100; i++)
		strcat(commands, "bf2d00");
	results = results_of(&e, send_package(&e, 0xa0, commands));
	assert_true(results.n > 4096 && results.n < 8300);
	assert_true(slice_eq(slice_sub(results, results.n - 3, 3), hex(&e, "020101")));
	eim_fini(&e);
}

/* ---- who may ----------------------------------------------------------------------------- */

static void
assert_untouched(struct eim *e)
{
	assert_int_equal(e->card->iot.eims->counter, 0);
	assert_null(e->card->iot.results);
	assert_null(e->card->notifications);
	assert_true(is_enabled(e, ICCID_A));
	assert_false(is_enabled(e, ICCID_B));
}

/* Whatever a flipped bit makes of it: no answer, or an unsigned one; never a deed. */
static void
no_bit_may_be_flipped(void **state)
{
	struct slice package, result;
	struct rspsim_tlv all, arm;
	uint8_t *octets;
	struct eim e;

	(void)state;
	eim_init(&e);
	package = package_of(&e, hex(&e, "810101"), 0xa0, hex(&e, ENABLE_BACK(ICCID_B)));
	octets = arena_alloc(&e.server.mem, package.n);
	for (size_t bit = 0; bit < package.n * 8; bit++) {
		memcpy(octets, package.p, package.n);
		octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		result = load(&e, slice_of(octets, package.n));
		if (result.n) {
			assert_true(rspsim_der_read_only(result, 0xbf51, &all));
			assert_true(rspsim_der_read_only(all.value, 0xa2, &arm));
		}
		assert_untouched(&e);
	}
	assert_hex(&e, (e.counter = 1, results_of(&e, load(&e, package))), "830100");
	eim_fini(&e);
}

#define HEAD "800f65696d2e6578616d706c652e636f6d"
#define HEAD_EID "5a10" EID
#define LIST "a00ea30c5a0a" ICCID_B

/* Duly signed, but something is missing, doubled, or in the wrong place: no answer at all. */
static void
no_member_may_be_missing(void **state)
{
	static const char *const forms[] = { HEAD_EID "810101" LIST, HEAD "810101" LIST,
		HEAD HEAD_EID LIST, HEAD HEAD_EID "810101", HEAD HEAD_EID "8100" LIST,
		HEAD HEAD_EID "810101a000", HEAD HEAD_EID "8101018200" LIST,
		HEAD HEAD_EID "81010182110102030405060708090a0b0c0d0e0f1011" LIST,
		"8000" HEAD_EID "810101" LIST, HEAD "5a0189810101" LIST,
		HEAD HEAD_EID "810101" LIST LIST, HEAD HEAD_EID "810101a20ea30c5a0a" ICCID_B,
		"810101" HEAD HEAD_EID LIST };
	struct slice package;
	struct eim e;

	(void)state;
	eim_init(&e);
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		package = sign_package(&e, RSPSIM_DER(&e.server.mem, 0x30, hex(&e, forms[i])));
		assert_int_equal(load(&e, package).n, 0);
		assert_untouched(&e);
	}
	assert_int_equal(load(&e, hex(&e, "bf5100")).n, 0);
	package = RSPSIM_DER(&e.server.mem, 0xbf51,
		RSPSIM_DER(&e.server.mem, 0x30, hex(&e, HEAD HEAD_EID "810101" LIST)));
	assert_int_equal(load(&e, package).n, 0); /* no signature */
	eim_fini(&e);
}

static void
another_signer_is_nobody(void **state)
{
	EVP_PKEY *own;
	struct eim e;

	(void)state;
	eim_init(&e);
	own = e.key;
	e.key = rspsim_key_new(NID_X9_62_prime256v1);
	assert_hex(
		&e, send_package(&e, 0xa0, ENABLE(ICCID_B)), "bf511da21b" HEAD "8208" TRANSACTION);
	assert_untouched(&e);
	EVP_PKEY_free(e.key);
	e.key = own;
	e.id = "eim.other.com";
	assert_hex(&e, send_package(&e, 0xa0, ENABLE(ICCID_B)),
		"bf511ba219800d65696d2e6f746865722e636f6d8208" TRANSACTION);
	assert_untouched(&e);
	eim_fini(&e);
}

/* euiccPackageErrorSigned: who it is has been proved, so the refusal is. */
static void
errors_are_signed(void **state)
{
	static const struct {
		const char *eid, *counter, *code;
		bool emergency;
	} cases[] = { { EID, "81010a", "020104", false }, { EID, "810109", "020104", false },
		{ EID, "810100", "020104", false },
		{ "89049032123451234512345678901236", "81010b", "020103", false },
		{ EID, "810400800000", "020106", false }, { EID, "8101ff", "020106", false },
		{ EID, "81050100000000", "020106", false }, { EID, "81010b", "020168", true } };
	struct eim e;

	(void)state;
	eim_init(&e);
	e.card->iot.eims->counter = 10;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct slice in, result;
		struct rspsim_tlv tlv;

		profile(&e, ICCID_A)->state = cases[i].emergency ? RSPSIM_DISABLED : RSPSIM_ENABLED;
		profile(&e, ICCID_E)->state = cases[i].emergency ? RSPSIM_ENABLED : RSPSIM_DISABLED;
		e.eid = cases[i].eid;
		result = load(&e,
			package_of(&e, hex(&e, cases[i].counter), 0xa0, hex(&e, ENABLE(ICCID_B))));
		in = signed_content(&e, result, 0xa1, hex(&e, "840100"));
		assert_true(rspsim_der_read_tag(&in, 0x80, &tlv));
		assert_true(rspsim_der_read_tag(&in, 0x81, &tlv));
		assert_hex(&e, tlv.whole, cases[i].counter);
		assert_true(rspsim_der_read_tag(&in, 0x82, &tlv));
		assert_hex(&e, tlv.value, TRANSACTION);
		assert_hex(&e, in, cases[i].code);
		assert_int_equal(e.card->iot.eims->counter, 10);
		assert_null(e.card->iot.results); /* only results are kept */
	}
	eim_fini(&e);
}

static void
a_package_may_be_too_large(void **state)
{
	struct slice result, in;
	struct rspsim_tlv tlv;
	struct eim e;
	uint8_t *much;

	(void)state;
	eim_init(&e);
	much = arena_alloc(&e.server.mem, 20000);
	memcpy(much, "\xbf\x65\x82\x4e\x1b", 5);
	result = load(&e, package_of(&e, hex(&e, "810101"), 0xa0, slice_of(much, 20000)));
	in = signed_content(&e, result, 0xa1, hex(&e, "840100"));
	assert_true(rspsim_der_find(in, 0x02, &tlv));
	assert_hex(&e, tlv.value, "0f");
	eim_fini(&e);
}

static void
a_package_runs_once(void **state)
{
	struct slice package;
	struct eim e;

	(void)state;
	eim_init(&e);
	package = package_of(&e, hex(&e, "810105"), 0xa0, hex(&e, ENABLE(ICCID_B)));
	e.counter = 5;
	assert_hex(&e, results_of(&e, load(&e, package)), "830100");
	assert_int_equal(e.card->iot.eims->counter, 5);
	signed_content(&e, load(&e, package), 0xa1, hex(&e, "840100"));
	/* the counter is consumed also when every command fails */
	assert_hex(&e, results_of(&e, send_package(&e, 0xa0, ENABLE(ICCID_NONE))), "830101");
	assert_int_equal(e.card->iot.eims->counter, 6);
	eim_fini(&e);
}

/* ---- results, numbers, notifications ----------------------------------------------------- */

static void
results_wait_for_their_acknowledgement(void **state)
{
	struct eim e;

	(void)state;
	eim_init(&e);
	send_package(&e, 0xa0, ENABLE(ICCID_B));
	/* the result comes before what the switch has to tell */
	assert_int_equal(e.card->iot.results->sequence, 1);
	assert_int_equal(e.card->notifications->sequence, 2);
	assert_int_equal(e.card->notifications->event, RSPSIM_DISABLE);
	assert_int_equal(e.card->notifications->next->event, RSPSIM_ENABLE);
	send_package(&e, 0xa0, "a600");
	assert_int_equal(e.card->iot.results->next->sequence, 4);
	assert_false(rspsim_iot_acknowledge(e.card, 9));
	assert_true(rspsim_iot_acknowledge(e.card, 1));
	assert_true(rspsim_iot_acknowledge(e.card, 3));
	assert_false(rspsim_iot_acknowledge(e.card, 3));
	assert_int_equal(e.card->iot.results->sequence, 4);
	assert_int_equal(e.card->notifications->sequence, 2);
	assert_null(e.card->notifications->next);
	eim_fini(&e);
}

static void
v10_seals_with_the_eims_signature(void **state)
{
	struct slice package, result, rest;
	struct rspsim_tlv all, data, signature;
	struct eim e;

	(void)state;
	eim_init(&e);
	e.card->iot.v10 = true;
	package = package_of(&e, hex(&e, "810101"), 0xa0, hex(&e, ENABLE(ICCID_B)));
	assert_true(rspsim_der_read_only(package, 0xbf51, &all));
	rest = all.value;
	assert_true(rspsim_der_read_tag(&rest, 0x30, &data));
	assert_true(rspsim_der_read_tag(&rest, 0x5f37, &signature));
	result = load(&e, package);
	signed_content(&e, result, 0xa0, signature.whole);
	eim_fini(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_hold),
		cmocka_unit_test(the_vector_with_a_token_holds),
		cmocka_unit_test(a_wrong_token_is_told_unsigned),
		cmocka_unit_test(each_command_has_its_codes),
		cmocka_unit_test(results_that_are_too_large_end_the_package),
		cmocka_unit_test(no_bit_may_be_flipped),
		cmocka_unit_test(no_member_may_be_missing),
		cmocka_unit_test(another_signer_is_nobody),
		cmocka_unit_test(errors_are_signed),
		cmocka_unit_test(a_package_may_be_too_large),
		cmocka_unit_test(a_package_runs_once),
		cmocka_unit_test(results_wait_for_their_acknowledgement),
		cmocka_unit_test(v10_seals_with_the_eims_signature),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspsim_iot", tests, NULL, NULL);
}
