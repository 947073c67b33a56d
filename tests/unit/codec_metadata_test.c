/* StoreMetadataRequest: exact out, every member in, bounds refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"
#include "codec/metadata.h"
#include "codec/notification.h"
#include "codec_text.h"

#define ICCID "98001032547698103214"

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

/* The least that is possible. */
static struct codec_metadata
least(void)
{
	struct codec_metadata md = {
		.provider = SLICE_LIT("GSMA_TEST"),
		.name = SLICE_LIT("GSMA_TEST_PROFILE"),
		.profile_class = CODEC_CLASS_OPERATIONAL,
	};

	assert_true(text_unhex(&mem, SLICE_LIT(ICCID), &md.iccid));
	return md;
}

static void
the_least_and_the_class_are_exact(void **state)
{
	struct codec_metadata md = least();
	struct slice out;

	(void)state;
	assert_true(codec_store_metadata_write(&mem, &md, &out, &why));
	assert_string_equal((const char *)text_hex(&mem, out).p,
		"BF252A5A0A98001032547698103214910947534D415F544553549211"
		"47534D415F544553545F50524F46494C45");
	md.profile_class = CODEC_CLASS_TEST; /* a published vector of the interoperability tests */
	assert_true(codec_store_metadata_write(&mem, &md, &out, &why));
	assert_string_equal((const char *)text_hex(&mem, out).p,
		"BF252D5A0A98001032547698103214910947534D415F544553549211"
		"47534D415F544553545F50524F46494C45950100");
}

/* Everything at once, two addresses, one of them for two events. */
#define FULL                                                                                  \
	"BF25{ 5A:" ICCID " 91:\"GSMA_TEST\" 92:\"GSMA_TEST_PROFILE\" 93:01 94:AB*300 95:01 " \
	"B6{ 30{ 80:0640 81:\"a.example\" } 30{ 80:0410 81:\"a.example\" } "                  \
	"30{ 80:0780 81:\"b.example\" } } B7{ 80:00F110 81:A1 82: } 99:0560 }"

static struct codec_metadata
full(void)
{
	static uint8_t icon[300];
	struct codec_metadata md = least();

	memset(icon, 0xab, sizeof icon);
	md.icon = SLICE_ARRAY(icon);
	md.icon_type = CODEC_ICON_PNG;
	md.profile_class = CODEC_CLASS_PROVISIONING;
	md.notify[0].events = 1u << CODEC_ENABLE | 1u << CODEC_DELETE;
	md.notify[0].address = SLICE_LIT("a.example");
	md.notify[1].events = 1u << CODEC_INSTALL;
	md.notify[1].address = SLICE_LIT("b.example");
	md.notify_count = 2;
	md.mcc_mnc = SLICE_LIT("\x00\xf1\x10");
	md.gid1 = SLICE_LIT("\xa1");
	md.gid2 = SLICE_LIT("");
	md.rules = CODEC_PPR_NO_DISABLE | CODEC_PPR_NO_DELETE;
	return md;
}

static void
every_member_is_written_in_order(void **state)
{
	struct codec_metadata md = full();
	struct slice out;

	(void)state;
	assert_true(codec_store_metadata_write(&mem, &md, &out, &why));
	assert_true(slice_eq(out, der(&mem, FULL)));
}

static void
every_member_is_read(void **state)
{
	struct codec_metadata md;

	(void)state;
	assert_true(codec_store_metadata_read(&mem, der(&mem, FULL), &md, &why));
	assert_int_equal(md.iccid.n, 10);
	assert_true(slice_eq(md.provider, SLICE_LIT("GSMA_TEST")));
	assert_true(slice_eq(md.name, SLICE_LIT("GSMA_TEST_PROFILE")));
	assert_int_equal(md.icon_type, CODEC_ICON_PNG);
	assert_int_equal(md.icon.n, 300);
	assert_int_equal(md.profile_class, CODEC_CLASS_PROVISIONING);
	assert_int_equal(md.notify_count, 2);
	assert_int_equal(md.notify[0].events, 1u << CODEC_ENABLE | 1u << CODEC_DELETE);
	assert_true(slice_eq(md.notify[1].address, SLICE_LIT("b.example")));
	assert_int_equal(md.notify[1].events, 1u << CODEC_INSTALL);
	assert_int_equal(md.mcc_mnc.n, 3);
	assert_int_equal(md.gid1.n, 1);
	assert_non_null(md.gid2.p);
	assert_int_equal(md.rules, CODEC_PPR_NO_DISABLE | CODEC_PPR_NO_DELETE);
	assert_true(codec_store_metadata_read(&mem,
		der(&mem, "BF25{ 5A:" ICCID " 91: 92:\"n\" BF22{ } BF23{ 30{ } } }"), &md, &why));
	assert_int_equal(md.profile_class, CODEC_CLASS_OPERATIONAL);
	assert_null(md.icon.p);
	assert_null(md.mcc_mnc.p);
}

static void
what_is_out_of_bounds_is_not_written(void **state)
{
	static uint8_t many[1025];
	static const char *const bad_text[] = { "\xc3", "\x80", "\xc0\x80", "\xed\xa0\x80",
		"\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "a\xffz" };
	struct codec_metadata md;
	struct slice out;

	(void)state;
	memset(many, 'x', sizeof many);
#define REFUSED(change)                                                          \
	do {                                                                     \
		md = full();                                                     \
		change;                                                          \
		why = NULL;                                                      \
		assert_false(codec_store_metadata_write(&mem, &md, &out, &why)); \
		assert_non_null(why);                                            \
	} while (0)
	REFUSED(md.iccid.n = 9);
	REFUSED(md.provider = slice_of(many, 33));
	REFUSED(md.name = slice_of(many, 65));
	REFUSED(md.icon = slice_of(many, 1025));
	REFUSED(md.notify_count = CODEC_NOTIFY_MAX + 1);
	REFUSED(md.notify[1].events = 0);
	REFUSED(md.notify[1].events = 0x10);
	REFUSED(md.notify[1].address = SLICE_NONE);
	REFUSED(md.notify[1].address = slice_of(many, 256));
	REFUSED(md.mcc_mnc.n = 2);
	REFUSED(md.mcc_mnc = SLICE_NONE);
	REFUSED(md.gid1 = slice_of(many, 256));
	for (size_t i = 0; i < sizeof bad_text / sizeof bad_text[0]; i++)
		REFUSED(md.name = slice_text(bad_text[i]));
#undef REFUSED
	md = full();
	md.provider =
		SLICE_LIT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xb6 abcdefghijklmnopqrstuvwxyz12");
	assert_true(codec_store_metadata_write(&mem, &md, &out, &why)); /* 32 characters */
}

static void
what_is_none_is_not_read(void **state)
{
	static const char *const bad[] = {
		"BF25{ }",
		"BF24{ 5A:" ICCID " 91: 92: }",
		"BF25{ 91: 92: }",
		"BF25{ 5A:98 91: 92: }",
		"BF25{ 5A:" ICCID " 92: }",
		"BF25{ 5A:" ICCID " 91: 92: 95:03 }",
		"BF25{ 5A:" ICCID " 91: 92: 95:FF }",
		"BF25{ 5A:" ICCID " 91: 92: 94:00*1025 }",
		"BF25{ 5A:" ICCID " 91: 92: 99:08 }",
		"BF25{ 5A:" ICCID " 91: 92: B6{ 31{ } } }",
		"BF25{ 5A:" ICCID " 91: 92: B6{ 30{ 80:0780 } } }",
		"BF25{ 5A:" ICCID " 91: 92: B6{ 30{ 80:09 81:\"a\" } } }",
		"BF25{ 5A:" ICCID " 91: 92: B7{ 80:00F1 } }",
		"BF25{ 5A:" ICCID " 91: 92: B7{ } }",
	};
	struct codec_metadata md;
	char many[2048] = "";

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		if (codec_store_metadata_read(&mem, der(&mem, "%s", bad[i]), &md, &why))
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
	for (int i = 0; i <= CODEC_NOTIFY_MAX; i++)
		sprintf(many + strlen(many), "30{ 80:0780 81:\"a%d\" } ", i);
	assert_false(codec_store_metadata_read(
		&mem, der(&mem, "BF25{ 5A:" ICCID " 91: 92: B6{ %s } }", many), &md, &why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_and_the_class_are_exact),
		cmocka_unit_test(every_member_is_written_in_order),
		cmocka_unit_test(every_member_is_read),
		cmocka_unit_test(what_is_out_of_bounds_is_not_written),
		cmocka_unit_test(what_is_none_is_not_read),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("codec_metadata", tests, setup, teardown);
}
