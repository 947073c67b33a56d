/* Metadata: defaults out of the package, the operator's words, and what contradicts the package. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "profile/metadata.h"
#include "profile_upp_text.h"

#define TEST_KEY "000102030405060708090A0B0C0D0E0F"

static struct arena mem;
static const char *why;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 16u << 20, NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_fini(&mem);
	return 0;
}

static struct profile_upp
package(enum part part, const char *text)
{
	struct profile_upp upp;
	struct profile_fault fault;

	if (!profile_upp_read(&mem, package_with(&mem, part, text), &upp, &fault))
		fail_msg("refused: %s", fault.reason);
	return upp;
}

static void
defaults_come_from_the_package(void **state)
{
	struct profile_upp upp = package(HEADER, NULL);
	struct codec_metadata md;
	struct slice octets;

	(void)state;
	profile_metadata_init(&mem, &upp, SLICE_LIT("smdp.example.org"), &md);
	assert_true(profile_metadata_write(&mem, &upp, &md, &octets, &why));
	assert_true(slice_eq(octets,
		der(&mem,
			"BF25{ 5A:98001032547698103214 91:\"AccelerateM-2\" 92:\"A type\" B6{ "
			"30{ 80:0640 81:\"smdp.example.org\" } 30{ 80:0520 81:\"smdp.example.org\" "
			"} "
			"30{ 80:0410 81:\"smdp.example.org\" } } }")));
}

static void
defaults_without_names_are_made_up(void **state)
{
	struct profile_upp upp = package(USIM,
		"B3{ A0{ 80: 81:04 } 81:" T_USIM " A2{ } A3{ " IMSI_FILE
		" } A4{ } A8{ } AD{ 83:FF*17 } AE{ } B2{ 83:0200 } B6{ } } ");
	struct codec_metadata md;

	(void)state;
	profile_metadata_init(&mem, &upp, SLICE_NONE, &md);
	assert_true(slice_eq(md.provider, SLICE_LIT("A type")));
	assert_int_equal(md.notify_count, 0);
	upp.type = SLICE_NONE;
	profile_metadata_init(&mem, &upp, SLICE_NONE, &md);
	assert_true(slice_eq(md.name, SLICE_LIT("Profile 2341")));
	assert_true(slice_eq(md.provider, SLICE_LIT("Profile 2341")));
}

static void
class_follows_the_key(void **state)
{
	struct profile_upp own = package(HEADER, NULL);
	struct profile_upp test = package(AKA, AKA_OF("06", "01", TEST_KEY, "00*16"));
	struct codec_metadata md;
	struct slice octets;

	(void)state;
	profile_metadata_init(&mem, &own, SLICE_NONE, &md);
	assert_int_equal(md.profile_class, CODEC_CLASS_OPERATIONAL);
	md.profile_class = CODEC_CLASS_PROVISIONING;
	assert_true(profile_metadata_write(&mem, &own, &md, &octets, &why));
	md.profile_class = CODEC_CLASS_TEST;
	assert_false(profile_metadata_write(&mem, &own, &md, &octets, &why));
	assert_non_null(strstr(why, "class test needs the published test key"));
	profile_metadata_init(&mem, &test, SLICE_NONE, &md);
	assert_int_equal(md.profile_class, CODEC_CLASS_TEST);
	md.profile_class = CODEC_CLASS_OPERATIONAL;
	assert_false(profile_metadata_write(&mem, &test, &md, &octets, &why));
	assert_non_null(strstr(why, "its class must be test"));
}

static void
owner_is_the_network_of_the_imsi(void **state)
{
	struct profile_upp upp = package(HEADER, NULL);
	struct codec_metadata md;
	struct slice octets;

	(void)state;
	profile_metadata_init(&mem, &upp, SLICE_NONE, &md);
	md.rules = CODEC_PPR_NO_DELETE;
	assert_true(profile_metadata_write(&mem, &upp, &md, &octets, &why));
	assert_true(slice_eq(octets,
		der(&mem,
			"BF25{ 5A:98001032547698103214 91:\"AccelerateM-2\" 92:\"A type\" "
			"B7{ 80:00F110 } 99:0520 }")));
	assert_true(profile_metadata_owner_read(&mem, SLICE_LIT("00101:A1B2:C3"), &md, &why));
	assert_true(slice_eq(md.mcc_mnc, SLICE_LIT("\x00\xf1\x10")));
	assert_true(slice_eq(md.gid1, SLICE_LIT("\xa1\xb2")));
	assert_true(slice_eq(md.gid2, SLICE_LIT("\xc3")));
	assert_true(profile_metadata_write(&mem, &upp, &md, &octets, &why));
	assert_true(profile_metadata_owner_read(&mem, SLICE_LIT("310410"), &md, &why));
	assert_true(slice_eq(md.mcc_mnc, SLICE_LIT("\x13\x00\x14")));
	assert_null(md.gid1.p);
	assert_false(profile_metadata_write(&mem, &upp, &md, &octets, &why));
	assert_non_null(strstr(why, "the owner is not the network"));
}

/* EF.AD does not tell how long the MNC is: it is as long as the owner's, and must be the IMSI's. */
static void
owner_fits_an_imsi_whose_mnc_has_no_length(void **state)
{
	static const struct {
		const char *owner;
		bool fits;
	} row[] = { { "00101", true }, { "001010", true }, { "310410", false }, { "00201", false },
		{ "00102", false }, { "001011", false }, { "002010", false } };
	struct profile_upp upp = package(HEADER, NULL);
	struct codec_metadata md;
	struct slice octets;

	(void)state;
	assert_memory_equal(upp.imsi, "001010", 6);
	upp.mnc_digits = 0;
	profile_metadata_init(&mem, &upp, SLICE_NONE, &md);
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_true(profile_metadata_owner_read(&mem, slice_text(row[i].owner), &md, &why));
		if (profile_metadata_write(&mem, &upp, &md, &octets, &why) != row[i].fits)
			fail_msg("%s %s", row[i].owner, row[i].fits ? "refused" : "taken");
	}
	upp.imsi[0] = 0; /* no IMSI at all: any owner, but rules need one */
	md.rules = CODEC_PPR_NO_DELETE;
	assert_true(profile_metadata_write(&mem, &upp, &md, &octets, &why));
	md.mcc_mnc = SLICE_NONE;
	assert_false(profile_metadata_write(&mem, &upp, &md, &octets, &why));
	assert_non_null(strstr(why, "policy rules need the owner"));
}

/* One address, one entry: the card reports each event to it once. */
static void
notifications_of_one_address_are_one(void **state)
{
	struct profile_upp upp = package(HEADER, NULL);
	struct codec_metadata md;
	struct slice octets;

	(void)state;
	profile_metadata_init(&mem, &upp, SLICE_LIT("smdp.example.org"), &md);
	assert_true(profile_metadata_notify_read(
		&mem, SLICE_LIT("SMDP.Example.org=install+delete"), &md, &why));
	assert_int_equal(md.notify_count, 1);
	assert_int_equal(md.notify[0].events, 0x0f);
	assert_true(
		profile_metadata_notify_read(&mem, SLICE_LIT("ops.example.org=enable"), &md, &why));
	assert_true(
		profile_metadata_notify_read(&mem, SLICE_LIT("ops.example.org=delete"), &md, &why));
	assert_int_equal(md.notify_count, 2);
	assert_true(profile_metadata_write(&mem, &upp, &md, &octets, &why));
	assert_true(slice_eq(octets,
		der(&mem,
			"BF25{ 5A:98001032547698103214 91:\"AccelerateM-2\" 92:\"A type\" B6{ "
			"30{ 80:0780 81:\"smdp.example.org\" } "
			"30{ 80:0640 81:\"smdp.example.org\" } "
			"30{ 80:0520 81:\"smdp.example.org\" } "
			"30{ 80:0410 81:\"smdp.example.org\" } "
			"30{ 80:0640 81:\"ops.example.org\" } "
			"30{ 80:0410 81:\"ops.example.org\" } } }")));
}

static void
iccid_must_be_the_packages(void **state)
{
	struct profile_upp upp = package(HEADER, NULL);
	struct codec_metadata md;
	struct slice octets;

	(void)state;
	profile_metadata_init(&mem, &upp, SLICE_NONE, &md);
	md.iccid = SLICE_LIT("0123456789");
	assert_false(profile_metadata_write(&mem, &upp, &md, &octets, &why));
}

static void
operators_words_are_read_or_refused(void **state)
{
	static const char *const bad_owner[] = { "", "1234", "1234567", "0010x", "00101:1",
		"00101:xx", "00101:11:2", "00101:11:22:33" };
	static const char *const bad_notify[] = { "", "a.b", "a.b=", "=enable", "a.b=enable+",
		"a.b=enable+x", "a.b=+enable" };
	struct codec_metadata md = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad_owner / sizeof bad_owner[0]; i++)
		if (profile_metadata_owner_read(&mem, slice_text(bad_owner[i]), &md, &why))
			fail_msg("taken: %s", bad_owner[i]);
	for (size_t i = 0; i < sizeof bad_notify / sizeof bad_notify[0]; i++)
		if (profile_metadata_notify_read(&mem, slice_text(bad_notify[i]), &md, &why))
			fail_msg("taken: %s", bad_notify[i]);
	assert_int_equal(md.notify_count, 0);
	assert_true(profile_metadata_notify_read(
		&mem, SLICE_LIT("ops.example.org=install+delete"), &md, &why));
	assert_true(slice_eq(md.notify[0].address, SLICE_LIT("ops.example.org")));
	assert_int_equal(md.notify[0].events, 1u << CODEC_INSTALL | 1u << CODEC_DELETE);
	while (md.notify_count < CODEC_NOTIFY_MAX)
		assert_true(profile_metadata_notify_read(&mem,
			slice_text(arena_printf(&mem, "a%zu=enable", md.notify_count)), &md, &why));
	assert_false(profile_metadata_notify_read(&mem, SLICE_LIT("b=enable"), &md, &why));
	assert_true(profile_metadata_notify_read(&mem, SLICE_LIT("a9=delete"), &md, &why));
}

static void
icons_are_png_or_jpeg(void **state)
{
	static uint8_t big[1025] = { 0x89, 'P', 'N', 'G' };
	struct codec_metadata md = { 0 };

	(void)state;
	assert_true(profile_metadata_icon_read(slice_of(big, 1024), &md, &why));
	assert_int_equal(md.icon_type, CODEC_ICON_PNG);
	assert_int_equal(md.icon.n, 1024);
	assert_true(profile_metadata_icon_read(SLICE_LIT("\xff\xd8\xff\xe0"), &md, &why));
	assert_int_equal(md.icon_type, CODEC_ICON_JPG);
	assert_false(profile_metadata_icon_read(SLICE_ARRAY(big), &md, &why));
	assert_false(profile_metadata_icon_read(SLICE_LIT("GIF8"), &md, &why));
	assert_false(profile_metadata_icon_read(SLICE_NONE, &md, &why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_come_from_the_package),
		cmocka_unit_test(defaults_without_names_are_made_up),
		cmocka_unit_test(class_follows_the_key),
		cmocka_unit_test(owner_is_the_network_of_the_imsi),
		cmocka_unit_test(owner_fits_an_imsi_whose_mnc_has_no_length),
		cmocka_unit_test(notifications_of_one_address_are_one),
		cmocka_unit_test(iccid_must_be_the_packages),
		cmocka_unit_test(operators_words_are_read_or_refused),
		cmocka_unit_test(icons_are_png_or_jpeg),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("profile_metadata", tests, setup, teardown);
}
