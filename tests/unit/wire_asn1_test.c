/*
 * ES9+ in DER by the lists of wire/es9.h: requests and answers octet for octet against the codec that asn1c
 * made of asn1/RSPDefinitions.asn1, what is lenient and counted, what is refused; the table of errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <RemoteProfileProvisioningRequest.h>
#include <RemoteProfileProvisioningResponse.h>
#include "codec/asn1.h"
#include "codec_text.h"
#include "stats/stats.h"
#include "wire/asn1.h"
#include "wire/es9.h"

/* As a server or a client keeps a call. */
struct call {
	struct {
		struct slice transaction_id;
	} call;
	struct {
		struct slice euicc_challenge, smdp_address, euicc_info1;
		struct slice authenticate_server_response, prepare_download_response;
		struct slice pending_notification, cancel_session_response;
	} in;
	struct {
		struct slice server_signed1, server_signature1, ci_pkid, server_certificate;
		struct slice profile_metadata, smdp_signed2, smdp_signature2, smdp_certificate;
		struct slice bound_profile_package;
	} out;
};

#define MEMBER(function, side, field, name, json, asn1, tag, own) \
	{ name, WIRE_##json, WIRE_##asn1, tag, own, offsetof(struct call, side.field), false },
#define MESSAGE(list)                                                          \
	{                                                                      \
		(const struct wire_member[]){ list(MEMBER) },                  \
			sizeof((const struct wire_member[]){ list(MEMBER) }) / \
			sizeof(struct wire_member)                             \
	}

enum { INITIATE, AUTHENTICATE, PACKAGE, NOTIFICATION, CANCEL, FUNCTIONS };
static const struct {
	uint32_t tag;
	struct wire_message in, out;
} functions[FUNCTIONS] = {
	{ WIRE_TAG_INITIATE_AUTHENTICATION, MESSAGE(WIRE_INITIATE_AUTHENTICATION_IN),
		MESSAGE(WIRE_INITIATE_AUTHENTICATION_OUT) },
	{ WIRE_TAG_AUTHENTICATE_CLIENT, MESSAGE(WIRE_AUTHENTICATE_CLIENT_IN),
		MESSAGE(WIRE_AUTHENTICATE_CLIENT_OUT) },
	{ WIRE_TAG_GET_BOUND_PROFILE_PACKAGE, MESSAGE(WIRE_GET_BOUND_PROFILE_PACKAGE_IN),
		MESSAGE(WIRE_GET_BOUND_PROFILE_PACKAGE_OUT) },
	{ WIRE_TAG_HANDLE_NOTIFICATION, MESSAGE(WIRE_HANDLE_NOTIFICATION_IN), { NULL, 0 } },
	{ WIRE_TAG_CANCEL_SESSION, MESSAGE(WIRE_CANCEL_SESSION_IN), { NULL, 0 } },
};

#define ID "80:0A0B "
#define CI "04:A1*20 "
#define SIGNATURE "5F37:A5*64 "
#define CERTIFICATE "30{ 30{ 02:01 } 30{ 06:2A } 03:0077 } "
#define INFO1 "BF20{ 82:020500 A9{ " CI "} AA{ " CI "} } "
#define PREPARED "BF21{ A0{ 30{ 80:0A0B 5F49:04*65 } " SIGNATURE "} } "
#define CANCELLED "A0{ 30{ 80:0A0B 81:8837 82:03 } " SIGNATURE "} "
#define NOTIFIED \
	"30{ BF2F{ 80:05 81:0520 0C:\"a.b\" 5A:98*10 } " SIGNATURE CERTIFICATE CERTIFICATE "} "
#define AUTHENTICATED "BF38{ A1{ 80:0A0B 02:7F } } "

static struct arena mem;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 64u << 20, NULL, NULL);
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

/* The module's own codec reads the octets and writes the same. */
static void
assert_module(asn_TYPE_descriptor_t *type, struct slice octets)
{
	const char *why = NULL;
	struct buf out;
	void *value = codec_asn1_read(&mem, type, octets, 1000, &why);

	if (!value)
		fail_msg("%s: %s", type->name, why);
	buf_init(&out, &mem, 65536);
	assert_true(der_encode(type, value, octets_put, &out).encoded > 0);
	if (!slice_eq(buf_get(&out), octets))
		fail_msg("%s comes out differently", type->name);
}

static void
assert_octets(struct slice got, const char *text)
{
	if (!slice_eq(got, der(&mem, "%s", text)))
		fail_msg("other octets than %s", text);
}

/* ---- requests --------------------------------------------------------------------------------------- */

static void
requests_are_those_of_the_module(void **state)
{
	static const char *const texts[FUNCTIONS] = { "A2{ BF39{ 81:C1*16 83:\"a.b\" " INFO1 "} }",
		"A2{ BF3B{ " ID AUTHENTICATED "} }", "A2{ BF3A{ " ID PREPARED "} }",
		"A2{ BF3D{ A0{ " NOTIFIED "} } }", "A2{ BF41{ " ID "A1{ " CANCELLED "} } }" };
	struct call c = { 0 };

	(void)state;
	for (int i = 0; i < FUNCTIONS; i++) {
		struct slice body = der(&mem, "%s", texts[i]);
		const char *name;
		uint32_t tag;

		assert_module(&asn_DEF_RemoteProfileProvisioningRequest, body);
		assert_true(wire_asn1_request_find(body, &tag));
		assert_int_equal(tag, functions[i].tag);
		assert_int_equal(
			wire_asn1_read(&mem, body, &functions[i].in, &c, &name), WIRE_FINE);
	}
	assert_true(slice_eq(c.call.transaction_id, SLICE_LIT("\x0a\x0b")));
	assert_true(slice_eq(c.in.smdp_address, SLICE_LIT("a.b")));
	assert_int_equal(c.in.euicc_challenge.n, 16);
	assert_octets(c.in.euicc_info1, INFO1);
	assert_octets(c.in.authenticate_server_response, AUTHENTICATED);
	assert_octets(c.in.prepare_download_response, PREPARED);
	assert_octets(c.in.pending_notification, NOTIFIED);
	assert_octets(c.in.cancel_session_response, "BF41{ " CANCELLED "}");
}

static const struct {
	int function;
	const char *text;
	enum wire_fault fault;
	const char *name;    /* of what is wrong */
	int tags, strangers; /* leniencies counted */
} bodies[] = {
	/* no request */
	{ INITIATE, "", WIRE_UNREADABLE, NULL, 0, 0 },
	{ INITIATE, "A2:", WIRE_UNREADABLE, NULL, 0, 0 },
	{ INITIATE, "A4{ BF39: }", WIRE_UNREADABLE, NULL, 0, 0 },
	{ INITIATE, "BF39:", WIRE_UNREADABLE, NULL, 0, 0 },
	{ INITIATE, "A2{ BF39: BF39: }", WIRE_UNREADABLE, NULL, 0, 0 },
	{ INITIATE, "A2{ BF39: } 05:", WIRE_UNREADABLE, NULL, 0, 0 },
	/* missing, in the module's order */
	{ INITIATE, "A2{ BF39: }", WIRE_MISSING, "euiccChallenge", 0, 0 },
	{ INITIATE, "A2{ BF39{ 81:01 } }", WIRE_MISSING, "smdpAddress", 0, 0 },
	{ INITIATE, "A2{ BF39{ 81:01 83:02 } }", WIRE_MISSING, "euiccInfo1", 0, 0 },
	{ INITIATE, "A2{ BF39{ 83:02 81:01 BF20: } }", WIRE_MISSING, "smdpAddress", 0, 2 },
	{ AUTHENTICATE, "A2{ BF3B{ BF38: } }", WIRE_MISSING, "transactionId", 0, 1 },
	{ NOTIFICATION, "A2{ BF3D: }", WIRE_MISSING, "pendingNotification", 0, 0 },
	{ CANCEL, "A2{ BF41{ 80:01 A0: } }", WIRE_MISSING, "cancelSessionResponse", 0, 1 },
	/* not made of TLVs to the end */
	{ INITIATE, "A2:BF390181", WIRE_INVALID, "octets that are no TLV", 0, 0 },
	{ INITIATE, "A2:BF3906818432000000", WIRE_INVALID, "octets that are no TLV", 0, 0 },
	{ INITIATE, "A2:BF390A81010183010182BF2000", WIRE_INVALID, "octets that are no TLV", 0, 0 },
	{ INITIATE, "A2:BF390A810101830102BF200082", WIRE_INVALID, "octets that are no TLV", 0, 0 },
	/* strangers anywhere */
	{ INITIATE, "A2{ BF39{ 9F55: 81:01 05: 83:02 BF7F:00*200 BF20: A9{ 05: } } }", WIRE_FINE,
		NULL, 0, 4 },
	{ AUTHENTICATE, "A2{ BF3B{ 80:01 BF38: A1{ 80:01 } } }", WIRE_FINE, NULL, 0, 1 },
	{ INITIATE, "A2{ BF39{ 81:01 81:01 83:02 BF20: } }", WIRE_FINE, NULL, 0, 1 },
	/* tags beside the module */
	{ INITIATE, "A3{ BF39{ 81:01 83:02 BF20: } }", WIRE_FINE, NULL, 1, 0 },
	{ NOTIFICATION, "A2{ BF3D{ BF37: } }", WIRE_FINE, NULL, 1, 0 },
	{ NOTIFICATION, "A2{ BF3D{ 30: } }", WIRE_FINE, NULL, 1, 0 },
	{ NOTIFICATION, "A2{ BF3D{ A0{ 30: } } }", WIRE_FINE, NULL, 0, 0 },
	{ CANCEL, "A2{ BF41{ 80:01 A1{ BF41{ A0: } } } }", WIRE_FINE, NULL, 1, 0 },
	{ CANCEL, "A2{ BF41{ 80:01 BF41{ A0: } } }", WIRE_FINE, NULL, 1, 0 },
	{ CANCEL, "A2{ BF41{ 80:01 A1{ A0: } } }", WIRE_FINE, NULL, 0, 0 },
};

static void
a_body_is_taken_or_told_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		int64_t tags = stats_get(STATS_lenient_asn1_tag);
		int64_t strangers = stats_get(STATS_lenient_unknown_member);
		struct call c = { 0 };
		const char *name = NULL;
		enum wire_fault fault = wire_asn1_read(&mem, der(&mem, "%s", bodies[i].text),
			&functions[bodies[i].function].in, &c, &name);

		if (fault != bodies[i].fault ||
			stats_get(STATS_lenient_asn1_tag) - tags != bodies[i].tags ||
			stats_get(STATS_lenient_unknown_member) - strangers != bodies[i].strangers)
			fail_msg("%s: %d, tags %lld, strangers %lld", bodies[i].text, fault,
				(long long)(stats_get(STATS_lenient_asn1_tag) - tags),
				(long long)(stats_get(STATS_lenient_unknown_member) - strangers));
		if (bodies[i].name)
			assert_string_equal(name, bodies[i].name);
		if (fault == WIRE_FINE && bodies[i].function == CANCEL)
			assert_octets(c.in.cancel_session_response, "BF41{ A0: }");
	}
}

/* Each cut and each changed octet: never a read beyond the end, and what was read lies in the arena. */
static void
no_octet_is_trusted(void **state)
{
	struct slice right = der(&mem, "A2{ BF41{ " ID "A1{ " CANCELLED "} } }");
	unsigned fine = 0;

	(void)state;
	for (size_t at = 0; at < right.n; at++)
		for (unsigned change = 0; change < 9; change++) {
			size_t n = change ? right.n : at;
			uint8_t *body = malloc(n + 1);
			struct call c = { 0 };
			const char *name;

			assert_non_null(body);
			memcpy(body, right.p, n);
			if (change)
				body[at] ^= (uint8_t)(1 << (change - 1));
			fine += wire_asn1_read(&mem, slice_of(body, n), &functions[CANCEL].in, &c,
					&name) == WIRE_FINE;
			free(body);
		}
	assert_in_range(fine, 1, 8 * right.n - 1);
}

/* ---- answers ---------------------------------------------------------------------------------------- */

static void
answers_are_those_of_the_module(void **state)
{
	static const char initiated[] =
		"80:0A0B 30{ 80:0A0B 81:C1*16 83:\"a.b\" 84:C4*16 } " SIGNATURE CI CERTIFICATE;
	static const char authenticated[] = "80:0A0B BF25{ 5A:98*10 91:\"p\" 92:\"n\" } "
					    "30{ 80:0A0B 01:FF } " SIGNATURE CERTIFICATE;
	static const char package[] = "80:0A0B BF36{ BF23{ 82:01 80:0A0B A6{ 80:88 81:10 84:01 } "
				      "5F49:04*65 " SIGNATURE "} } ";
	const struct {
		int function;
		const char *members;
	} rows[] = { { INITIATE, initiated }, { AUTHENTICATE, authenticated }, { PACKAGE, package },
		{ CANCEL, "" } };
	struct call c = { 0 };

	(void)state;
	c.call.transaction_id = SLICE_LIT("\x0a\x0b");
	c.out.server_signed1 = der(&mem, "30{ 80:0A0B 81:C1*16 83:\"a.b\" 84:C4*16 }");
	c.out.server_signature1 = c.out.smdp_signature2 = der(&mem, SIGNATURE);
	c.out.ci_pkid = der(&mem, CI);
	c.out.server_certificate = c.out.smdp_certificate = der(&mem, CERTIFICATE);
	c.out.profile_metadata = der(&mem, "BF25{ 5A:98*10 91:\"p\" 92:\"n\" }");
	c.out.smdp_signed2 = der(&mem, "30{ 80:0A0B 01:FF }");
	c.out.bound_profile_package = der(&mem,
		"BF36{ BF23{ 82:01 80:0A0B A6{ 80:88 81:10 84:01 } 5F49:04*65 " SIGNATURE "} }");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint32_t tag = functions[rows[i].function].tag;
		struct slice answer =
			wire_asn1_answer_write(&mem, tag, 0, &functions[rows[i].function].out, &c);

		assert_true(
			slice_eq(answer, der(&mem, "A2{ %X{ A0{ %s} } }", tag, rows[i].members)));
		assert_module(&asn_DEF_RemoteProfileProvisioningResponse, answer);
		answer = wire_asn1_answer_write(
			&mem, tag, 127, &functions[rows[i].function].out, &c);
		assert_true(slice_eq(answer, der(&mem, "A2{ %X{ 81:7F } }", tag)));
		assert_module(&asn_DEF_RemoteProfileProvisioningResponse, answer);
	}
}

/* The largest package that may be imported, and lengths of every size of their own. */
static void
answers_of_any_length_have_minimal_lengths(void **state)
{
	static const size_t sizes[] = { 0, 100, 110, 120, 128, 240, 250, 256, 65500, 65536,
		2u << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct call c = { .call = { SLICE_LIT("\1") } };
		struct slice answer;
		size_t expected = 3 + sizes[i]; /* and four heads, from the inside out */

		c.out.bound_profile_package = slice_of(arena_alloc(&mem, sizes[i]), sizes[i]);
		answer = wire_asn1_answer_write(
			&mem, WIRE_TAG_GET_BOUND_PROFILE_PACKAGE, 0, &functions[PACKAGE].out, &c);
		for (int head = 0; head < 3; head++) {
			size_t length = expected;

			expected += head == 1 ? 3 : 2;
			if (length >= 0x80)
				for (; length; length >>= 8)
					expected++;
		}
		assert_int_equal(answer.n, expected);
	}
}

static void
errors_are_those_of_the_table(void **state)
{
	(void)state;
	assert_int_equal(wire_es9_error(WIRE_TAG_INITIATE_AUTHENTICATION, "8.8.4", "3.7"), 3);
	assert_int_equal(wire_es9_error(WIRE_TAG_AUTHENTICATE_CLIENT, "8.10.1", "3.9"), 10);
	assert_int_equal(wire_es9_error(WIRE_TAG_GET_BOUND_PROFILE_PACKAGE, "8.10.1", "3.9"), 95);
	assert_int_equal(wire_es9_error(WIRE_TAG_CANCEL_SESSION, "8.10.1", "3.9"), 1);
	assert_int_equal(wire_es9_error(WIRE_TAG_CANCEL_SESSION, "8.8", "3.10"), 127);
	/* What no row names, and a function that has no answer. */
	assert_int_equal(wire_es9_error(WIRE_TAG_CANCEL_SESSION, "9.9", "9.9"), 127);
	assert_int_equal(wire_es9_error(WIRE_TAG_HANDLE_NOTIFICATION, "8.10.1", "3.9"), 127);
}

/* ---- members of ESipa: some may be left out, a CHOICE in its place ---------------------------------- */

static void
members_without_a_wrapper(void **state)
{
	static const struct wire_member rows[] = {
		{ "eidValue", WIRE_HEX, WIRE_VALUE, 0x5a, 0,
			offsetof(struct call, in.euicc_challenge), true },
		{ "eimPackageResult", WIRE_BASE64, WIRE_ANY, 0, 0,
			offsetof(struct call, in.euicc_info1), false },
		{ "more", WIRE_BASE64, WIRE_WHOLE, 0xbf53, 0,
			offsetof(struct call, in.smdp_address), true },
	};
	static const struct wire_message message = { rows, 3 };
	static const struct {
		const char *octets;
		size_t n;
		enum wire_fault fault;
		size_t eid, any, more;
	} scenes[] = {
		{ "\x5a\1\x89\xbf\x51\0", 6, WIRE_FINE, 1, 3, 0 },
		{ "\xbf\x51\0", 3, WIRE_FINE, 0, 3, 0 },
		{ "\x30\0\xbf\x53\0", 5, WIRE_FINE, 0, 2, 3 },
		{ "\x5a\1\x89", 3, WIRE_MISSING, 1, 0, 0 },
		{ "", 0, WIRE_MISSING, 0, 0, 0 },
		{ "\x5a\5\x89", 3, WIRE_INVALID, 0, 0, 0 },
	};
	struct arena scratch;
	const char *name;

	(void)state;
	arena_init(&scratch, 1 << 20, NULL, NULL);
	for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
		struct slice octets = slice_of(scenes[i].octets, scenes[i].n);
		struct call c = { 0 };

		assert_int_equal(wire_asn1_members_read(&scratch, octets, &message, &c, &name),
			scenes[i].fault);
		assert_int_equal(c.in.euicc_challenge.n, scenes[i].eid);
		assert_int_equal(c.in.euicc_info1.n, scenes[i].any);
		assert_int_equal(c.in.smdp_address.n, scenes[i].more);
	}
	arena_fini(&scratch);
}

static void
a_message_is_written_without_what_is_absent(void **state)
{
	static const struct wire_member rows[] = {
		{ "a", WIRE_BASE64, WIRE_WHOLE, 0xbf51, 0, offsetof(struct call, in.euicc_info1),
			true },
		{ "b", WIRE_BASE64, WIRE_VALUE, 0x80, 0, offsetof(struct call, in.euicc_challenge),
			true },
	};
	static const struct wire_message message = { rows, 2 };
	struct call c = { .in.euicc_challenge = SLICE_LIT("") };
	struct slice value;
	struct arena scratch;
	uint32_t tag;

	(void)state;
	arena_init(&scratch, 1 << 20, NULL, NULL);
	assert_true(slice_eq(wire_asn1_members_write(&scratch, &message, &c), SLICE_LIT("\x80\0")));
	assert_true(slice_eq(wire_asn1_tagged_write(
				     &scratch, 0xbf4f, wire_asn1_number_write(&scratch, 0x02, 127)),
		SLICE_LIT("\xbf\x4f\3\2\1\x7f")));
	assert_true(wire_asn1_whole_read(SLICE_LIT("\xbf\x4f\1\0"), &tag, &value));
	assert_int_equal(tag, 0xbf4f);
	assert_int_equal(value.n, 1);
	assert_false(wire_asn1_whole_read(SLICE_LIT("\xbf\x4f\0\0"), &tag, &value));
	assert_false(wire_asn1_tag_find(SLICE_LIT(""), &tag));
	arena_fini(&scratch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_those_of_the_module),
		cmocka_unit_test(a_body_is_taken_or_told_what_is_wrong),
		cmocka_unit_test(no_octet_is_trusted),
		cmocka_unit_test(answers_are_those_of_the_module),
		cmocka_unit_test(answers_of_any_length_have_minimal_lengths),
		cmocka_unit_test(errors_are_those_of_the_table),
		cmocka_unit_test(members_without_a_wrapper),
		cmocka_unit_test(a_message_is_written_without_what_is_absent),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("wire_asn1", tests, setup, teardown);
}
