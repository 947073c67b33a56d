/*
 * Templates with any content, as an operator may create a type of them. What is taken becomes a package with
 * something in each of its places, and that package is one by all rules and has the new ICCID and IMSI.
 */
#include <stdlib.h>
#include "profile/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static const uint8_t some[64] = { 0xc1, 0xc2, 0xc3 };

static struct profile_personal
data_for(const struct profile_template_info *info, size_t k, size_t opc)
{
	static const struct {
		enum profile_field field;
		struct slice value;
	} text[] = {
		{ PERSONAL_ICCID, SLICE_LIT("8949449999999990023") },
		{ PERSONAL_IMSI, SLICE_LIT("001019876543210") },
		{ PERSONAL_PIN1, SLICE_LIT("1234") },
		{ PERSONAL_PIN2, SLICE_LIT("12345678") },
		{ PERSONAL_PUK1, SLICE_LIT("12345678") },
		{ PERSONAL_PUK2, SLICE_LIT("12345678") },
		{ PERSONAL_ADM1, SLICE_LIT("12345678") },
		{ PERSONAL_ADM5, SLICE_LIT("12345678") },
		{ PERSONAL_MSISDN, SLICE_LIT("+4917212345") },
		{ PERSONAL_SMSC, SLICE_LIT("12345678901234567890") },
		{ PERSONAL_IMPI, SLICE_LIT("a.user.with.a.name@ims.example") },
		{ PERSONAL_IMPU, SLICE_LIT("sip:a.user.with.a.name@ims.example") },
		{ PERSONAL_IMPU2, SLICE_LIT("tel:+4917212345") },
		{ PERSONAL_ROUTING_INDICATOR, SLICE_LIT("123") },
		{ PERSONAL_SUCI_CALC_INFO, SLICE_LIT("\xa0\x02\x01\x01") },
	};
	struct profile_personal in = { .key_count = info->key_count };

	for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
		if (info->takes >> text[i].field & 1)
			in.value[text[i].field] = text[i].value;
	if (info->takes >> PERSONAL_K & 1) {
		in.value[PERSONAL_K] = slice_of(some, k);
		in.value[PERSONAL_OPC] = slice_of(some, opc);
	}
	for (size_t i = 0; i < info->key_count; i++) {
		in.key[i] = info->keys[i];
		in.key[i].octets = slice_of(some, 16);
	}
	return in;
}

/* False when lengths did not fit: the template wants others. */
static bool
package_is_fine(struct arena *mem, const struct profile_template *t, size_t k, size_t opc)
{
	struct profile_personal in = data_for(profile_template_get(t), k, opc);
	struct profile_row_fault why;
	struct profile_fault fault;
	struct profile_upp read, told;
	struct slice upp;

	if (!profile_template_personalise(t, mem, &in, &upp, &why)) {
		if (why.why != WHY_LENGTH)
			abort();
		return false;
	}
	profile_template_describe(t, mem, &in, &told);
	if (upp.n <= PROFILE_UPP_MAX &&
		(!profile_upp_read(mem, upp, &read, &fault) ||
			strcmp(read.iccid, told.iccid) != 0 || strcmp(read.imsi, told.imsi) != 0 ||
			read.test_key != told.test_key))
		abort();
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct profile_fault fault = { .reason = NULL };
	struct profile_template *t;
	struct arena mem;

	arena_init(&mem, 64u << 20, NULL, NULL);
	t = profile_template_new(&mem, slice_of(octets, n), &fault);
	if (!t && !fault.reason)
		abort();
	if (t && !package_is_fine(&mem, t, 16, 16) && !package_is_fine(&mem, t, 16, 32))
		package_is_fine(&mem, t, 32, 32);
	profile_template_free(t);
	arena_fini(&mem);
	return 0;
}
