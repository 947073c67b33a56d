/*
 * What an eIM signs, octet for octet: the published vector, each command, the configuration of an eIM in both
 * forms; what cannot be said is refused with a reason, and what was written is read again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"
#include "codec/der.h"
#include "codec/eim_package.h"
#include "codec_broken.h"

#define EIM "80:\"eim.example.com\" "
#define EID "5A:89049032123451234512345678901235 "
#define TXID "0102030405060708"
#define ICCID "98001032547698103214"
#define CERTIFICATE_MEMBERS "30{ 02:01 } 30{ 06:2A8648CE3D040302 } 03:0077 "
#define KEY_MEMBERS "30{ 06:2A8648CE3D0201 } 03:0004 "

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

static struct slice
written(const struct codec_eim_command *command, size_t n)
{
	struct slice out;

	if (!codec_eim_commands_write(&mem, command, n, CODEC_CERTIFICATE_IMPLICIT, &out, &why))
		fail_msg("refused: %s", why);
	return out;
}

/* SGP.32 §2.11.1.1, with the keys of SGP.26: what is signed, and the whole package. */
static void
the_published_package_is_exact(void **state)
{
	static const char signed_part[] =
		"3042800f65696d2e6578616d706c652e636f6d5a108904903212345123451234567890"
		"1235810101820801020304050607"
		"08a010a30e5a0a980010325476981032140500";
	static const char signature[] =
		"61eaec8517c4920e839120238d85bb81e79a16c19b05758a02f08c0d473a28b3"
		"907477c766937475b75bb45edd34d5e6cbe00ea560e60b70b3e6e7d6aafd3c8a";
	const struct codec_eim_command enable = { CODEC_PSMO_ENABLE, .iccid = hex(ICCID),
		.rollback = true };
	const struct codec_euicc_package package = {
		.eim_id = SLICE_LIT("eim.example.com"),
		.eid = hex("89049032123451234512345678901235"),
		.counter = 1,
		.eim_transaction_id = hex(TXID),
		.commands = written(&enable, 1),
	};
	struct slice part = codec_euicc_package_signed_write(&mem, &package);

	(void)state;
	assert_octets(part, hex(signed_part));
	assert_octets(codec_euicc_package_write(&mem, part, hex(signature)),
		hex(arena_printf(&mem, "bf518187%s5f3740%s", signed_part, signature)));
}

static void
a_token_is_written_as_the_signature_covers_it(void **state)
{
	static const struct {
		struct codec_number token;
		const char *octets;
	} row[] = {
		{ { false, 0 }, "840100" },
		{ { false, 77 }, "840100" },
		{ { true, 0x1234 }, "84021234" },
		{ { true, 0 }, "840100" },
		{ { true, 0x80 }, "84020080" },
		{ { true, INT64_MAX }, "84087fffffffffffffff" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_octets(
			codec_association_token_write(&mem, row[i].token), hex(row[i].octets));
}

static void
a_package_without_transaction_has_none(void **state)
{
	const struct codec_eim_command list = { .kind = CODEC_ECO_LIST_EIM };
	const struct codec_euicc_package package = {
		.eim_id = SLICE_LIT("eim.example.com"),
		.eid = hex("89049032123451234512345678901235"),
		.counter = 8388607,
		.commands = written(&list, 1),
	};

	(void)state;
	assert_octets(codec_euicc_package_signed_write(&mem, &package),
		der(&mem, "30{ " EIM EID "81:7FFFFF A1{ AB{ } } }"));
}

static const struct codec_eim_configuration other_eim = {
	.eim_id = SLICE_LIT("2.999.1"),
	.fqdn = SLICE_LIT("eim.example.org"),
	.id_type = CODEC_EIM_ID_OID,
	.counter = { true, 0 },
	.association_token = { true, -1 },
	.protocols_known = true,
	.protocols = CODEC_RETRIEVE_HTTPS | CODEC_RETRIEVE_COAPS,
};

#define OTHER_EIM "80:\"2.999.1\" 81:\"eim.example.org\" 82:01 83:00 84:FF 87:06C0 "
#define LISTED "5A4F9F709091929599"

/* Each command, and how it stands in its list. */
static void
commands_are_exact(void **state)
{
	const struct {
		struct codec_eim_command command;
		const char *text;
	} row[] = {
		{ { CODEC_PSMO_ENABLE, .iccid = hex(ICCID) }, "A0{ A3{ 5A:" ICCID " } }" },
		{ { CODEC_PSMO_ENABLE, .iccid = hex(ICCID), .rollback = true },
			"A0{ A3{ 5A:" ICCID " 05: } }" },
		{ { CODEC_PSMO_DISABLE, .iccid = hex(ICCID) }, "A0{ A4{ 5A:" ICCID " } }" },
		{ { CODEC_PSMO_DELETE, .iccid = hex(ICCID) }, "A0{ A5{ 5A:" ICCID " } }" },
		{ { .kind = CODEC_PSMO_LIST_PROFILE_INFO }, "A0{ BF2D{ } }" },
		{ { CODEC_PSMO_LIST_PROFILE_INFO, .list = { .tags = hex(LISTED) } },
			"A0{ BF2D{ 5C:" LISTED " } }" },
		{ { CODEC_PSMO_LIST_PROFILE_INFO,
			  .list = { CODEC_PROFILES_ICCID, .key = hex(ICCID) } },
			"A0{ BF2D{ A0{ 5A:" ICCID " } } }" },
		{ { CODEC_PSMO_LIST_PROFILE_INFO,
			  .list = { CODEC_PROFILES_AID, .key = hex("A000000559"),
				  .tags = hex("9F70") } },
			"A0{ BF2D{ A0{ 4F:A000000559 } 5C:9F70 } }" },
		{ { CODEC_PSMO_LIST_PROFILE_INFO,
			  .list = { CODEC_PROFILES_CLASS,
				  .search_class = CODEC_CLASS_OPERATIONAL } },
			"A0{ BF2D{ A0{ 95:02 } } }" },
		{ { .kind = CODEC_PSMO_GET_RAT }, "A0{ A6{ } }" },
		{ { .kind = CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE }, "A0{ A7{ } }" },
		{ { CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE,
			  .immediate = { true, hex("88370A"), SLICE_LIT("smdp.example.com") } },
			"A0{ A7{ 80: 81:88370A 82:\"smdp.example.com\" } }" },
		{ { CODEC_PSMO_SET_FALLBACK_ATTRIBUTE, .iccid = hex(ICCID) },
			"A0{ A8{ 5A:" ICCID " } }" },
		{ { .kind = CODEC_PSMO_UNSET_FALLBACK_ATTRIBUTE }, "A0{ A9{ } }" },
		{ { CODEC_PSMO_SET_DEFAULT_DP_ADDRESS,
			  .dp_address = SLICE_LIT("smdp.example.com") },
			"A0{ BF65{ 80:\"smdp.example.com\" } }" },
		{ { CODEC_PSMO_SET_DEFAULT_DP_ADDRESS, .dp_address = SLICE_LIT("") },
			"A0{ BF65{ 80: } }" },
		{ { CODEC_ECO_ADD_EIM, .eim = &other_eim }, "A1{ A8{ " OTHER_EIM "} }" },
		{ { CODEC_ECO_DELETE_EIM, .eim_id = SLICE_LIT("2.999.1") },
			"A1{ A9{ 80:\"2.999.1\" } }" },
		{ { CODEC_ECO_UPDATE_EIM, .eim = &other_eim }, "A1{ AA{ " OTHER_EIM "} }" },
		{ { .kind = CODEC_ECO_LIST_EIM }, "A1{ AB{ } }" },
	};
	struct codec_eim_command again[CODEC_COMMAND_MAX];
	unsigned seen = 0;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct slice octets = written(&row[i].command, 1);

		assert_octets(octets, der(&mem, "%s", row[i].text));
		assert_true(codec_eim_commands_read(&mem, octets, again, &n, &why));
		assert_int_equal(n, 1);
		assert_int_equal(again[0].kind, row[i].command.kind);
		assert_octets(written(again, 1), octets);
		seen |= 1u << row[i].command.kind;
	}
	assert_int_equal(seen, (1u << CODEC_EIM_COMMAND_KINDS) - 1);
}

static void
commands_keep_their_order(void **state)
{
	const struct codec_eim_command command[] = {
		{ CODEC_PSMO_DELETE, .iccid = hex(ICCID) },
		{ CODEC_PSMO_ENABLE, .iccid = hex(ICCID), .rollback = true },
		{ .kind = CODEC_PSMO_LIST_PROFILE_INFO },
	};
	struct codec_eim_command again[CODEC_COMMAND_MAX];
	struct slice octets = written(command, 3);
	size_t n;

	(void)state;
	assert_octets(octets, der(&mem, "A0{ A5{ 5A:" ICCID " } A3{ 5A:" ICCID " 05: } BF2D{ } }"));
	assert_true(codec_eim_commands_read(&mem, octets, again, &n, &why));
	assert_int_equal(n, 3);
	assert_int_equal(again[0].kind, CODEC_PSMO_DELETE);
	assert_int_equal(again[1].kind, CODEC_PSMO_ENABLE);
	assert_true(again[1].rollback);
	assert_octets(again[1].iccid, hex(ICCID));
	assert_int_equal(again[2].kind, CODEC_PSMO_LIST_PROFILE_INFO);
	assert_string_equal(codec_eim_command_name(again[1].kind), "enable");
}

static void
commands_that_cannot_be_are_refused(void **state)
{
	static struct codec_eim_configuration bad_eim;
	char *long_text = memset(arena_alloc(&mem, 600), 'a', 599);
	const struct codec_eim_command list = { .kind = CODEC_PSMO_LIST_PROFILE_INFO };
	const struct {
		struct codec_eim_command command[2];
		size_t n;
		const char *why;
	} row[] = {
		{ { { 0 } }, 0, "a package has 1 to 64 commands" },
		{ { list, { .kind = CODEC_ECO_LIST_EIM } }, 2,
			"commands for profiles and for eIMs do not go into one package" },
		{ { { .kind = CODEC_ECO_LIST_EIM }, list }, 2,
			"commands for profiles and for eIMs do not go into one package" },
		{ { { CODEC_PSMO_ENABLE, .iccid = hex(ICCID) },
			  { CODEC_PSMO_ENABLE, .iccid = hex(ICCID) } },
			2, "a package enables one profile at most" },
		{ { { CODEC_PSMO_ENABLE, .iccid = hex("98") } }, 1, "the ICCID has not 10 octets" },
		{ { { .kind = CODEC_PSMO_DELETE } }, 1, "the ICCID has not 10 octets" },
		{ { { CODEC_PSMO_LIST_PROFILE_INFO, .list = { CODEC_PROFILES_ICCID } } }, 1,
			"the ICCID has not 10 octets" },
		{ { { CODEC_PSMO_LIST_PROFILE_INFO,
			  .list = { CODEC_PROFILES_AID, .key = hex("A0000005") } } },
			1, "the AID has not 5 to 16 octets" },
		{ { { CODEC_PSMO_LIST_PROFILE_INFO,
			  .list = { .tags = slice_of(long_text, 129) } } },
			1, "the list of tags has more than 128 octets" },
		{ { { CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE,
			  .immediate = { true, .smdp_oid = hex("8883") } } },
			1, "the SM-DP+'s OID is none" },
		{ { { CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE,
			  .immediate = { true, .smdp_address = slice_of(long_text, 256) } } },
			1, "the SM-DP+'s address is no text of at most 255 characters" },
		{ { { CODEC_PSMO_SET_DEFAULT_DP_ADDRESS, .dp_address = SLICE_LIT("\xff") } }, 1,
			"the SM-DP+'s address is no text of at most 255 characters" },
		{ { { CODEC_ECO_DELETE_EIM, .eim_id = SLICE_LIT("") } }, 1,
			"the eimId is no text of 1 to 128 characters" },
		{ { { CODEC_ECO_DELETE_EIM, .eim_id = slice_of(long_text, 129) } }, 1,
			"the eimId is no text of 1 to 128 characters" },
		{ { { CODEC_ECO_ADD_EIM, .eim = &bad_eim } }, 1,
			"the eimId is no text of 1 to 128 characters" },
		{ { { .kind = 99 } }, 1, "no such command" },
	};
	struct codec_eim_command many[CODEC_COMMAND_MAX + 1];
	struct slice out;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		if (codec_eim_commands_write(
			    &mem, row[i].command, row[i].n, CODEC_CERTIFICATE_IMPLICIT, &out, &why))
			fail_msg("taken: %s", row[i].why);
		assert_string_equal(why, row[i].why);
	}
	for (size_t i = 0; i <= CODEC_COMMAND_MAX; i++)
		many[i] = list;
	written(many, CODEC_COMMAND_MAX);
	assert_false(codec_eim_commands_write(
		&mem, many, CODEC_COMMAND_MAX + 1, CODEC_CERTIFICATE_IMPLICIT, &out, &why));
}

static void
other_commands_are_not_read(void **state)
{
	static const char *const bad[] = {
		"30{ AB{ } }",
		"A2{ AB{ } }",
		"A0{ AB{ } }",
		"A1{ BF2D{ } }",
		"A0{ A3{ } }",
		"A0{ A3{ 5A:98 } }",
		"A0{ A3{ 5A:" ICCID " 05:00 } }",
		"A0{ BF2D{ A0{ 95:03 } } }",
		"A0{ BF2D{ A0{ 04:00 } } }",
		"A0{ BF65{ } }",
		"A1{ A9{ } }",
		"A1{ A8{ 81:\"x\" } }",
	};
	struct codec_eim_command again[CODEC_COMMAND_MAX];
	struct slice many;
	uint8_t *p = arena_alloc(&mem, 4 + 2 * (CODEC_COMMAND_MAX + 1));
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		if (codec_eim_commands_read(&mem, der(&mem, "%s", bad[i]), again, &n, &why))
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
	many = slice_of(p, 3 + 2 * (CODEC_COMMAND_MAX + 1));
	memcpy(p, (uint8_t[]){ 0xa1, 0x81, 2 * (CODEC_COMMAND_MAX + 1) }, 3);
	for (size_t i = 0; i <= CODEC_COMMAND_MAX; i++)
		memcpy(p + 3 + 2 * i, (uint8_t[]){ 0xab, 0 }, 2);
	assert_false(codec_eim_commands_read(&mem, many, again, &n, &why));
	p[2] -= 2;
	assert_true(codec_eim_commands_read(&mem, slice_of(p, many.n - 2), again, &n, &why));
	assert_int_equal(n, CODEC_COMMAND_MAX);
}

/* Keys and certificates where the tag takes the place of the SEQUENCE's, and whole inside it. */
static void
configurations_have_two_forms(void **state)
{
	const struct codec_eim_configuration in = {
		.eim_id = SLICE_LIT("eim"),
		.key = { .certificate = der(&mem, "30{ " CERTIFICATE_MEMBERS "}") },
		.tls = { .public_key = der(&mem, "30{ " KEY_MEMBERS "}") },
		.ci_pkid = SLICE_LIT("aaaaaaaaaaaaaaaaaaaa"),
		.indirect_download = true,
	};
	static const char *const text[] = {
		"30{ 80:\"eim\" A5{ A1{ " CERTIFICATE_MEMBERS "} } A6{ A0{ " KEY_MEMBERS
		"} } 88:61*20 89: }",
		"30{ 80:\"eim\" A5{ A1{ 30{ " CERTIFICATE_MEMBERS "} } } A6{ A0{ 30{ " KEY_MEMBERS
		"} } } 88:61*20 89: }",
	};
	struct codec_eim_configuration full = in, out;
	struct slice octets;

	(void)state;
	for (int form = CODEC_CERTIFICATE_IMPLICIT; form <= CODEC_CERTIFICATE_WHOLE; form++) {
		assert_true(codec_eim_configuration_write(
			&mem, &full, (enum codec_certificate_form)form, &octets, &why));
		assert_octets(octets, der(&mem, "%s", text[form]));
		assert_true(codec_eim_configuration_read(&mem, octets, &out, &why));
		assert_octets(out.key.certificate, in.key.certificate);
		assert_octets(out.tls.public_key, in.tls.public_key);
		assert_null(out.key.public_key.p);
		assert_null(out.tls.certificate.p);
		assert_octets(out.ci_pkid, full.ci_pkid);
		assert_true(out.indirect_download);
		assert_false(out.counter.known || out.association_token.known);
	}
	full.key = (struct codec_eim_key){ .public_key = in.tls.public_key };
	full.tls = (struct codec_eim_key){ .certificate = in.key.certificate };
	assert_true(codec_eim_configuration_write(
		&mem, &full, CODEC_CERTIFICATE_IMPLICIT, &octets, &why));
	assert_octets(octets,
		der(&mem,
			"30{ 80:\"eim\" A5{ A0{ " KEY_MEMBERS "} } A6{ A1{ " CERTIFICATE_MEMBERS
			"} } 88:61*20 89: }"));
}

static void
configurations_are_read_whole(void **state)
{
	struct codec_eim_configuration out;

	(void)state;
	assert_true(codec_eim_configuration_read(
		&mem, der(&mem, "A8{ " OTHER_EIM "9F22:00 }"), &out, &why));
	assert_octets(out.eim_id, SLICE_LIT("2.999.1"));
	assert_octets(out.fqdn, SLICE_LIT("eim.example.org"));
	assert_int_equal(out.id_type, CODEC_EIM_ID_OID);
	assert_true(out.counter.known && out.counter.n == 0);
	assert_true(out.association_token.known && out.association_token.n == -1);
	assert_int_equal(out.protocols, 3);
	assert_true(out.protocols_known);
	assert_false(out.indirect_download);
}

static void
configurations_that_cannot_be_are_refused(void **state)
{
	struct slice key = der(&mem, "30{ " KEY_MEMBERS "}");
	const struct {
		struct codec_eim_configuration in;
		const char *why;
	} row[] = {
		{ { .eim_id = SLICE_LIT("\xc0") }, "the eimId is no text of 1 to 128 characters" },
		{ { .eim_id = SLICE_LIT("a"), .fqdn = SLICE_LIT("") },
			"the eimFqdn is no text of 1 to 255 characters" },
		{ { .eim_id = SLICE_LIT("a"), .id_type = 4 }, "the eimIdType is none" },
		{ { .eim_id = SLICE_LIT("a"), .counter = { true, -1 } },
			"the counterValue is negative" },
		{ { .eim_id = SLICE_LIT("a"), .association_token = { true, -2 } },
			"the associationToken is negative and not -1" },
		{ { .eim_id = SLICE_LIT("a"), .key = { key, key } },
			"a key and a certificate are given for one purpose" },
		{ { .eim_id = SLICE_LIT("a"), .tls = { key, key } },
			"a key and a certificate are given for one purpose" },
		{ { .eim_id = SLICE_LIT("a"), .tls = { .public_key = SLICE_LIT("x") } },
			"a key or a certificate is no SEQUENCE" },
		{ { .eim_id = SLICE_LIT("a"), .ci_pkid = SLICE_LIT("x") },
			"the euiccCiPKId has not 20 octets" },
		{ { .eim_id = SLICE_LIT("a"),
			  .key = { .certificate = codec_der_write(&mem, 0x30,
					   slice_of(arena_alloc(&mem, 70000), 70000)) } },
			"the keys and certificates take too many octets" },
	};
	static const char *const bad[] = {
		"31{ 80:\"a\" }",
		"30{ }",
		"30{ 80: }",
		"30{ 80:\"a\" 82:04 }",
		"30{ 80:\"a\" 82:FF }",
		"30{ 80:\"a\" 87:09 }",
		"30{ 80:\"a\" A5{ 30{ " KEY_MEMBERS "} } }",
		"30{ 80:\"a\" A5{ A0{ " CERTIFICATE_MEMBERS "} } }",
		"30{ 80:\"a\" A5{ A1{ " KEY_MEMBERS "} } }",
		"30{ 80:\"a\" A6{ A2{ " KEY_MEMBERS "} } }",
		"30{ 80:\"a\" A6{ A1{ 30{ } } } }",
	};
	struct codec_eim_configuration out;
	struct slice octets;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_false(codec_eim_configuration_write(
			&mem, &row[i].in, CODEC_CERTIFICATE_IMPLICIT, &octets, &why));
		assert_string_equal(why, row[i].why);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		if (codec_eim_configuration_read(&mem, der(&mem, "%s", bad[i]), &out, &why))
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
}

/* Each number goes out as it was received, however it was written. */
static void
acknowledgements_are_exact(void **state)
{
	const struct slice sequence[] = { hex("07"), hex("0080"), hex("0001"),
		hex("00FFFFFFFFFFFFFFFF") };

	(void)state;
	assert_octets(codec_eim_acknowledgements_write(&mem, sequence, 4),
		der(&mem, "BF53{ 80:07 80:0080 80:0001 80:00FFFFFFFFFFFFFFFF }"));
	assert_octets(codec_eim_acknowledgements_write(&mem, NULL, 0), hex("bf5300"));
}

static bool
read_commands(struct arena *arena, struct slice octets)
{
	struct codec_eim_command command[CODEC_COMMAND_MAX];
	size_t n;

	return codec_eim_commands_read(arena, octets, command, &n, &why);
}

static bool
read_configuration(struct arena *arena, struct slice octets)
{
	struct codec_eim_configuration out;

	return codec_eim_configuration_read(arena, octets, &out, &why);
}

static void
broken_octets_do_no_harm(void **state)
{
	(void)state;
	assert_broken_refused(
		der(&mem,
			"A0{ A3{ 5A:" ICCID " 05: } BF2D{ A0{ 4F:A000000559 } 5C:9F70 } "
			"A7{ 80: 81:88370A 82:\"a.b\" } BF65{ 80:\"a\" } }"),
		read_commands);
	assert_broken_refused(der(&mem,
				      "A1{ A8{ " OTHER_EIM "A5{ A1{ " CERTIFICATE_MEMBERS
				      "} } } A9{ 80:\"a\" } }"),
		read_commands);
	assert_broken_refused(
		der(&mem, "30{ " OTHER_EIM "A6{ A0{ " KEY_MEMBERS "} } }"), read_configuration);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_package_is_exact),
		cmocka_unit_test(a_token_is_written_as_the_signature_covers_it),
		cmocka_unit_test(a_package_without_transaction_has_none),
		cmocka_unit_test(commands_are_exact),
		cmocka_unit_test(commands_keep_their_order),
		cmocka_unit_test(commands_that_cannot_be_are_refused),
		cmocka_unit_test(other_commands_are_not_read),
		cmocka_unit_test(configurations_have_two_forms),
		cmocka_unit_test(configurations_are_read_whole),
		cmocka_unit_test(configurations_that_cannot_be_are_refused),
		cmocka_unit_test(acknowledgements_are_exact),
		cmocka_unit_test(broken_octets_do_no_harm),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("codec_eim_package", tests, setup, teardown);
}
