/* Cards and packages: each service by its own capability, each version, and the words of a misfit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "profile/fit.h"

static struct arena mem;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 1 << 16, NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_fini(&mem);
	return 0;
}

/* Bits of UICCCapability (TCA module) in the order of ServicesList there. */
static const uint8_t bit[PROFILE_SERVICE_COUNT] = { 0, 1, 2, 3, 4, 6, 5, 10, 11, 12, 13, 14, 15, 16,
	17, 18, 7, 8, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30 };

static void
each_service_has_its_capability(void **state)
{
	(void)state;
	for (int i = 0; i < PROFILE_SERVICE_COUNT; i++) {
		struct profile_need need = { 0x203, 1 << i };
		struct codec_euicc_info2 card = { .capability = ~(1u << bit[i]) };

		assert_int_equal(profile_services_missing(&need, &card), 1u << i);
		card.capability = 1u << bit[i];
		assert_int_equal(profile_services_missing(&need, &card), 0);
	}
}

static void
a_card_covers_older_formats(void **state)
{
	static const uint8_t more[2][3] = { { 3, 1, 0 }, { 2, 0, 0 } };
	struct codec_euicc_info2 card = { .profile_version = { 2, 3, 1 } };
	struct profile_need need = { 2 * 256 + 3, 0 };
	const char *why = NULL;

	(void)state;
	assert_true(profile_fits(&mem, &need, &card, &why));
	need.saip_version = 2 * 256 + 1;
	assert_true(profile_fits(&mem, &need, &card, &why));
	need.saip_version = 3 * 256 + 1;
	assert_false(profile_fits(&mem, &need, &card, &why));
	assert_string_equal(why, "the package has format 3.1, the eUICC knows up to 2.3");
	card.more_profile_versions = more;
	card.more_profile_version_count = 2;
	assert_true(profile_fits(&mem, &need, &card, &why));
	need.saip_version = 3 * 256 + 3;
	assert_false(profile_fits(&mem, &need, &card, &why));
	assert_string_equal(why, "the package has format 3.3, the eUICC knows up to 3.1");
}

static void
what_is_missing_is_named(void **state)
{
	struct codec_euicc_info2 card = { .capability = 1u << CODEC_CAN_USIM };
	struct profile_need need = { 0, 1 << PROFILE_USIM | 1 << PROFILE_ISIM };
	const char *why = NULL;

	(void)state;
	assert_false(profile_fits(&mem, &need, &card, &why));
	assert_string_equal(why, "the eUICC lacks the service isim");
	need.services |= 1 << PROFILE_BER_TLV;
	assert_false(profile_fits(&mem, &need, &card, &why));
	assert_string_equal(why, "the eUICC lacks the services isim and ber-tlv");
	need.services |= 1 << PROFILE_CSIM;
	assert_false(profile_fits(&mem, &need, &card, &why));
	assert_string_equal(why, "the eUICC lacks the services isim, csim and ber-tlv");
	need.saip_version = 2 * 256 + 3;
	card.profile_version[0] = 2;
	assert_false(profile_fits(&mem, &need, &card, &why));
	assert_string_equal(why,
		"the package has format 2.3, the eUICC knows up to 2.0; "
		"the eUICC lacks the services isim, csim and ber-tlv");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_service_has_its_capability),
		cmocka_unit_test_setup_teardown(a_card_covers_older_formats, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_missing_is_named, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
