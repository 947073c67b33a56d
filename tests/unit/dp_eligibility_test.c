/* The eligibility check: each reason refuses alone, with its code and a word for the operator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "codec/metadata.h"
#include "dp/eligibility.h"
#include "profile/upp.h"

static struct arena mem;

static const struct codec_euicc_info2 card = {
	.profile_version = { 2, 3, 1 },
	.capability = 1u << CODEC_CAN_USIM | 1u << CODEC_CAN_MILENAGE,
	.non_volatile = { true, 100000 },
};
static const struct dp_profile_needs profile = { 2 * 256 + 3,
	1 << PROFILE_USIM | 1 << PROFILE_MILENAGE, 12000, 0 };

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

static void
refused(const struct dp_profile_needs *needs, const struct codec_euicc_info2 *euicc,
	const struct dp_refusal *no, const char *word)
{
	const char *why = NULL;

	assert_ptr_equal(dp_eligible(&mem, needs, euicc, &why), no);
	assert_non_null(strstr(why, word));
}

static void
a_fitting_card_may(void **state)
{
	const char *why = NULL;

	(void)state;
	assert_null(dp_eligible(&mem, &profile, &card, &why));
}

static void
a_newer_format_may_not(void **state)
{
	static const uint8_t more[1][3] = { { 3, 1, 0 } };
	struct dp_profile_needs needs = profile;
	struct codec_euicc_info2 euicc = card;
	const char *why;

	(void)state;
	needs.saip_version = 3 * 256 + 1;
	refused(&needs, &card, &DP_NOT_ELIGIBLE, "format 3.1");
	euicc.more_profile_versions = more;
	euicc.more_profile_version_count = 1;
	assert_null(dp_eligible(&mem, &needs, &euicc, &why));
}

static void
a_missing_service_is_named(void **state)
{
	struct dp_profile_needs needs = profile;

	(void)state;
	needs.services |= 1 << PROFILE_BER_TLV;
	refused(&needs, &card, &DP_NOT_ELIGIBLE, profile_service_name(PROFILE_BER_TLV));
}

static void
forbidden_rules_refuse(void **state)
{
	struct dp_profile_needs needs = profile;
	struct codec_euicc_info2 euicc = card;

	(void)state;
	needs.rules = CODEC_PPR_NO_DISABLE;
	euicc.forbidden_rules = CODEC_PPR_NO_DISABLE;
	refused(&needs, &euicc, &DP_NOT_ELIGIBLE, "policy rules");
	euicc.forbidden_rules = CODEC_PPR_NO_DELETE;
	assert_null(dp_eligible(&mem, &needs, &euicc, &(const char *){ NULL }));
}

static void
too_little_memory_has_its_own_code(void **state)
{
	struct codec_euicc_info2 euicc = card;

	(void)state;
	euicc.non_volatile.n = 11999;
	refused(&profile, &euicc, &DP_MEMORY_INSUFFICIENT, "12000");
	euicc.non_volatile.known = false; /* what is not said is not held against it */
	assert_null(dp_eligible(&mem, &profile, &euicc, &(const char *){ NULL }));
}

static void
names_of_refusals_lead_back(void **state)
{
	(void)state;
	assert_ptr_equal(dp_refusal_find(SLICE_LIT("CODE_REFUSED")), &DP_CODE_REFUSED);
	assert_null(dp_refusal_find(SLICE_LIT("code_refused")));
	assert_null(dp_refusal_find(SLICE_NONE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fitting_card_may),
		cmocka_unit_test(a_newer_format_may_not),
		cmocka_unit_test(a_missing_service_is_named),
		cmocka_unit_test(forbidden_rules_refuse),
		cmocka_unit_test(too_little_memory_has_its_own_code),
		cmocka_unit_test(names_of_refusals_lead_back),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dp_eligibility", tests, setup, teardown);
}
