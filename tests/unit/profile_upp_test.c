/*
 * Profile packages: what is read of them, each rule with a package that only this rule refuses, a new
 * ICCID, and GSMA's own packages (TS.48) octet for octet where they are at hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <cmocka.h>
#include <ProfileElement.h>
#include "base/text.h"
#include "base/buf.h"
#include "codec/asn1.h"
#include "profile/upp.h"
#include "profile_upp_text.h"

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

static void
a_small_package_is_read(void **state)
{
	struct profile_upp upp;
	struct profile_fault fault;

	(void)state;
	if (!profile_upp_read(&mem, package_with(&mem, HEADER, NULL), &upp, &fault))
		fail_msg("refused: %s", fault.reason);
	assert_int_equal(upp.major, 2);
	assert_int_equal(upp.minor, 3);
	assert_true(slice_eq(upp.type, SLICE_LIT("A type")));
	assert_string_equal(upp.iccid, "89000123456789012341");
	assert_string_equal(upp.imsi, "001010123456789");
	assert_int_equal(upp.mnc_digits, 2);
	assert_true(slice_eq(upp.spn, SLICE_LIT("AccelerateM-2")));
	assert_int_equal(upp.services, 1u << PROFILE_USIM | 1u << PROFILE_MILENAGE);
	assert_int_equal(upp.gfste_count, 7);
	assert_int_equal(upp.gfste[1].n, 6);
	assert_false(upp.test_key);
	assert_int_equal(upp.pe_count, 9);
	assert_string_equal(upp.pe[0].name, "header");
	assert_int_equal(upp.pe[0].identification, -1);
	assert_string_equal(upp.pe[4].name, "usim");
	assert_int_equal(upp.pe[4].identification, 4);
	assert_true(upp.pe[4].mandated);
	assert_false(upp.pe[6].mandated);
	assert_int_equal(upp.pe[8].tag, 0xaa);
	assert_ptr_equal(upp.pe[8].octets.p + upp.pe[8].octets.n, upp.octets.p + upp.octets.n);
	assert_int_equal(upp.header_iccid.p[0], 0x89);
	assert_int_equal(upp.ef_iccid.p[0], 0x98);
}

/* Each row changes one part, so that one rule is broken. */
static const struct {
	enum part part;
	const char *text;
	int pe; /* that must be named; -1: the package as a whole */
	const char *reason;
} refused[] = {
	/* octets */
	{ END, "AA{ A0{ 81:08 } } 00:", 9, "tag 0 is no profile element" },
	{ END, "", 7, "the last element is not the end" },
	{ END, "AA{ A0{ 81:08 } } AA{ A0{ 81:09 } }", 9, "there is one before it (PE 8)" },
	{ END, "AA{ A0{ 81:08 } } 5A:00", 9, "tag 5A is no profile element" },
	{ END, "BF30{ 81:00 } AA{ A0{ 81:08 } }", 8, "tag BF30 is no profile element" },
	{ AKA, "A4{ A0{ 81:06 } }", 6, "ProfileElement: does not decode" },
	{ AKA, "A4{ A0:FF }", -1, "TLVs are malformed" },
	/* order and number */
	{ HEADER, "", 0, "the first element is not the header" },
	{ MF, HEADER_OF("89000123456789012341", SERVICES, TEMPLATES), 1, "there is one before it" },
	{ MF, "", 1, "the master file is not made right after the header" },
	{ MF, "A1{ A0{ 81:01 } A1{ 30{ 62{ 83:7F10 } } } }", 1, "the master file is not made" },
	{ SD, MF_OF(ICCID_FILE) SD_OF("07"), 7, "there is one before it (PE 1)" },
	{ SD, SD_OF("07") USIM_OF("14", IMSI_FILE, "83:0200"), 8, "there is one before it (PE 4)" },
	{ SD,
		SD_OF("07") "B1{ A0{ 81:14 } 81:67810F010202 A2{ } } B1{ A0{ 81:15 } "
			    "81:67810F010202 A2{ } }",
		9, "there is one before it (PE 8)" },
	{ MF, MF_OF(ICCID_FILE) "B4{ A0{ 81:14 } 81:" T_OPT_USIM " }", 2, "belongs to" },
	{ MF, MF_OF(ICCID_FILE) AKA_OF("14", "01", "C0*16", "0C*16"), 2, "belongs to" },
	{ MF, MF_OF(ICCID_FILE) "A7{ A0{ 81:14 } 4F:A0*8 81:00 04: 04: }", 2, "belongs to" },
	{ SD, SD_OF("07") "B6{ A0{ 81:14 } 81:" T_ISIM " }", 8, "belongs to" },
	{ SD, SD_OF("07") "BA{ A0{ 81:14 } 81:" T_CSIM " }", 8, "belongs to" },
	{ SD, SD_OF("07") "A5{ A0{ 81:14 } 81:00*8 }", 8, "belongs to" },
	{ MF, MF_OF(ICCID_FILE) "B8{ A0{ 81:14 } 81:" T_USIM " A2{ } }", 2, "belongs to" },
	{ MF, MF_OF(ICCID_FILE) "B7{ A0{ 81:14 } 81:" T_USIM " A2{ } }", 2, "belongs to" },
	{ MF, MF_OF(ICCID_FILE) "BC{ A0{ 81:14 } 81:" T_USIM " A2{ } }", 2, "belongs to" },
	{ MF, MF_OF(ICCID_FILE) "BD{ A0{ 81:14 } 81:" T_USIM " A2{ } }", 2, "belongs to" },
	/* identification */
	{ AKA, AKA_OF("03", "01", "C0*16", "0C*16"), 6, "its identification is not unique" },
	{ SD, SD_OF("07") "BF30{ A0{ 80: } }", 8, "tag BF30 is no profile element" },
	/* what a network needs */
	{ PUK, "", -1, "no pukCodes" },
	{ SD, "", -1, "no securityDomain" },
	{ AKA, "", -1, "no akaParameter" },
	/* PINs */
	{ MF, MF_OF(ICCID_FILE) "A2{ A0{ 81:14 } A1{ A0{ 30{ 80:02 81:30*8 82:01 } } } }", 2,
		"PUK 1 for PIN 2 does not come before it" },
	{ PUK, "A3{ A0{ 81:02 } A1{ 30{ 80:01 81:31*8 } } }", 5, "PUK 129 for PIN 129" },
	{ PUK, "A3{ A0{ 81:02 } A1{ 30{ 80:01 81:31*8 } 30{ 80:01 81:31*8 } } }", 2,
		"PUK reference 1 is unknown or not unique" },
	{ PUK, "A3{ A0{ 81:02 } A1{ 30{ 80:09 81:31*8 } } }", 2, "PUK reference 9 is unknown" },
	{ PUK, "A3{ A0{ 81:02 } A1{ 30{ 80:01 81:31*7 } } }", 2, "out of its bounds" },
	{ PIN, "A2{ A0{ 81:03 } A1{ A0{ 30{ 80:01 81:30*7 } } } }", 3, "out of its bounds" },
	{ PIN, "A2{ A0{ 81:03 } A1{ A0{ 30{ 80:01 81:30*8 } 30{ 80:01 81:30*8 } } } }", 3,
		"PIN reference 1 is not unique" },
	{ PIN, "A2{ A0{ 81:03 } A1{ A0{ 30{ 80:09 81:30*8 } } } }", 3,
		"PIN reference 9 is unknown" },
	{ PIN, "A2{ A0{ 81:03 } A1{ A0{ 30{ 80:FF 81:30*8 } } } }", 3,
		"PIN reference -1 is unknown" },
	{ PIN, "A2{ A0{ 81:03 } A1{ A0{ 30{ 80:0081 81:30*8 } } } }", 3,
		"PIN reference 129 is local to an application" },
	/* templates */
	{ HEADER, HEADER_OF("89000123456789012341", SERVICES, "06:" T_MF), 4,
		"its template is not in the header's" },
	/* ICCID and IMSI */
	{ HEADER, HEADER_OF("89000123456789012358", SERVICES, TEMPLATES), 1,
		"EF.ICCID differs from the header's ICCID" },
	{ HEADER, HEADER_OF("8900012345678901234C", SERVICES, TEMPLATES), 0,
		"the ICCID holds something else than digits" },
	{ HEADER, HEADER_OF("890001234567890123", SERVICES, TEMPLATES), 0, "out of its bounds" },
	{ MF, MF_OF("83:9800103254769810"), -1, "no EF.ICCID" },
	{ MF, MF_OF("83:9800103254 83:7698103214"), -1, "no EF.ICCID" },
	{ MF, MF_OF("82:01 83:98001032547698103214"), -1, "no EF.ICCID" },
	{ MF, MF_OF(""), -1, "no EF.ICCID" },
	{ USIM, USIM_OF("04", "", "83:0200"), 4, "EF.IMSI is not written" },
	{ USIM, USIM_OF("04", "83:0809101010325476", "83:0200"), 4, "EF.IMSI has 8 octets" },
	{ USIM, USIM_OF("04", "83:090910101032547698", "83:0200"), 4, "a wrong length in it" },
	{ USIM, USIM_OF("04", "83:0809101010325476AA", "83:0200"), 4,
		"EF.IMSI holds something else than digits" },
	{ USIM, USIM_OF("04", "83:030910F1FFFFFFFFFF", "83:0200"), 4, "the IMSI has" },
	{ USIM, USIM_OF("04", IMSI_FILE, "83:02"), 4, "EF.ACC has not 2 octets" },
	{ USIM, USIM_OF("04", IMSI_FILE, ""), 4, "EF.ACC has not 2 octets" },
	/* services */
	{ HEADER, HEADER_OF("89000123456789012341", "84:", TEMPLATES), 0,
		"service usim is used, but not declared" },
	{ HEADER, HEADER_OF("89000123456789012341", "81:", TEMPLATES), 6,
		"service milenage is used, but not declared" },
	{ HEADER, HEADER_OF("89000123456789012341", "81: 82: 84:", TEMPLATES), 0,
		"service isim is declared, but nothing uses it" },
	{ HEADER, HEADER_OF("89000123456789012341", "81: 83: 84:", TEMPLATES), 0,
		"service csim is declared" },
	{ HEADER, HEADER_OF("89000123456789012341", "81: 84: 86:", TEMPLATES), 0,
		"service cave is declared" },
	{ HEADER, HEADER_OF("89000123456789012341", "81: 84: 88:", TEMPLATES), 0,
		"service gba-isim is declared" },
	{ HEADER, HEADER_OF("89000123456789012341", "81: 84: 8E:", TEMPLATES), 0,
		"service multiple-isim is declared" },
	{ HEADER, HEADER_OF("89000123456789012341", "81: 84: 8F:", TEMPLATES), 0,
		"service multiple-csim is declared" },
	{ HEADER, HEADER_OF("89000123456789012341", "81: 84: 85:", TEMPLATES), 0,
		"service tuak128 is declared, but no akaParameter uses it" },
	{ HEADER, HEADER_OF("89000123456789012341", "81: 84: 90:", TEMPLATES), 0,
		"service tuak256 is declared" },
	{ HEADER, HEADER_OF("89000123456789012341", "81: 84: 91:", TEMPLATES), 0,
		"service usim-test-algorithm is declared" },
	{ SD, SD_OF("07") "A8{ A0{ 81:14 } }", 8, "neither service javacard nor multos" },
	/* keys */
	{ AKA, AKA_OF("06", "01", "C0*15", "0C*16"), 6, "algorithm 1 with a key of 15 octets" },
	{ AKA, AKA_OF("06", "01", "C0*32", "0C*16"), 6, "algorithm 1 with a key of 32 octets" },
	{ AKA, AKA_OF("06", "04", "C0*16", "0C*16"), 6, "algorithm 4 with a key of 16 octets" },
	{ AKA, AKA_OF("06", "01", "C0*16", "0C*15"), 6, "OPc or TOPc has 15 octets" },
	{ AKA,
		AKA_OF("06", "01", "C0*16", "0C*16")
			AKA_OF("16", "01", "000102030405060708090A0B0C0D0E0F", "00*16"),
		7, "the published test key stands beside another one" },
};

static void
each_rule_refuses_with_its_reason(void **state)
{
	struct profile_upp upp;
	struct profile_fault fault;
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct slice octets = package_with(&mem, refused[i].part, refused[i].text);

		if (profile_upp_read(&mem, octets, &upp, &fault)) {
			print_message("# taken: %s\n", refused[i].text);
			wrong++;
		} else if (!strstr(fault.reason, refused[i].reason) ||
			(refused[i].pe >= 0 ? fault.pe != (size_t)refused[i].pe
					    : fault.pe != upp.pe_count)) {
			print_message("# %s\n# gave \"%s\"\n# not %d \"%s\"\n", refused[i].text,
				fault.reason, refused[i].pe, refused[i].reason);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void
reasons_name_the_element(void **state)
{
	struct profile_upp upp;
	struct profile_fault fault;
	struct slice octets;

	(void)state;
	assert_false(profile_upp_read(&mem,
		package_with(&mem, AKA, AKA_OF("0123", "01", "C0*15", "0C*16")), &upp, &fault));
	assert_string_equal(fault.reason,
		"PE 6 (akaParameter, identification 291): algorithm 1 with a key of 15 octets is "
		"unknown");
	assert_int_equal(fault.identification, 291);
	octets = package_with(&mem, AKA, NULL);
	assert_false(profile_upp_read(&mem, slice_sub(octets, 0, octets.n - 1), &upp, &fault));
	assert_string_equal(fault.reason, "the package: what follows element 8 is no element");
	assert_false(profile_upp_read(&mem, SLICE_NONE, &upp, &fault));
	assert_string_equal(fault.reason, "the package: 0 octets; 1 to 1048576 are possible");
}

/* Each row is unusual and in order. */
static const struct {
	enum part part;
	const char *text;
} taken[] = {
	{ SD, SD_OF("07") "BF30{ A0{ 81:14 } 81:00 }" }, /* an element of a later version */
	{ SD, SD_OF("07") "AB{ }" },                     /* a reserved one */
	{ SD, SD_OF("07") "A9{ A0{ 81:14 } 81:8837 82:00 }" } /* a maker's own */,
	{ AKA, AKA_OF("06", "01", "C0*16", "0C*16") "A4{ A0{ 81:16 } A1{ A0{ 80:06 81:A0*7 } } }" },
	{ HEADER, HEADER_OF("89000123456789012341", "81: 84: 87: 95: 9F20:", TEMPLATES) },
	{ PIN, "A2{ A0{ 81:03 } A1{ 81:7F10 } }" }, /* PINs shared with another directory */
	{ MF,
		"A1{ A0{ 81:01 } A1{ 30{ 62{ 82:7821 83:3F00 } 62{ 82:4121 83:2FE2 80:0A } "
		"81:98001032547698103214 } } }" },
};

static void
unusual_packages_are_taken(void **state)
{
	struct profile_upp upp;
	struct profile_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
		if (!profile_upp_read(
			    &mem, package_with(&mem, taken[i].part, taken[i].text), &upp, &fault))
			fail_msg("refused: %s\n\t%s", taken[i].text, fault.reason);
}

/* A package of these services and akaParameters. */
static bool
package_of_algorithms(const char *services, const char *aka, struct profile_upp *upp)
{
	struct profile_fault fault;

	return profile_upp_read(&mem,
		der(&mem,
			"A0{ 80:02 81:03 83:89000123456789012341 A5{ %s } A6{ " TEMPLATES
			" } } %s%s%s%s%s%s%s%s",
			services, small[MF], small[PUK], small[PIN], small[USIM], small[PIN_USIM],
			aka, small[SD], small[END]),
		upp, &fault);
}

static void
algorithms_go_with_their_services(void **state)
{
	struct profile_upp upp;

	(void)state;
	assert_true(package_of_algorithms("81: 85:", AKA_OF("06", "02", "C0*16", "0C*32"), &upp));
	assert_true(package_of_algorithms("81: 90:", AKA_OF("06", "02", "C0*32", "0C*32"), &upp));
	assert_false(package_of_algorithms("81: 90:", AKA_OF("06", "02", "C0*16", "0C*32"), &upp));
	assert_false(package_of_algorithms("81: 85:", AKA_OF("06", "02", "C0*32", "0C*32"), &upp));
	assert_true(package_of_algorithms("81: 91:", AKA_OF("06", "03", "C0*16", "0C*16"), &upp));
}

static void
the_published_test_key_is_seen(void **state)
{
	struct profile_upp upp;

	(void)state;
	assert_true(package_of_algorithms(
		"81: 91:", AKA_OF("06", "03", "000102030405060708090A0B0C0D0E0F", "00*16"), &upp));
	assert_true(upp.test_key);
	assert_true(package_of_algorithms(
		"81: 91:", AKA_OF("06", "03", "000102030405060708090A0B0C0D0E0E", "00*16"), &upp));
	assert_false(upp.test_key);
}

static void
several_usims_need_their_service(void **state)
{
	struct profile_upp upp;
	struct profile_fault fault;
	char second[4096];

	(void)state;
	snprintf(second, sizeof second, "%s%s%s", small[PIN_USIM],
		USIM_OF("14", "83:080910101032547699", "83:0200"), small[AKA]);
	assert_false(package_of_algorithms("81: 84:", second, &upp));
	assert_false(profile_upp_read(
		&mem, package_with(&mem, SD, USIM_OF("14", IMSI_FILE, "83:0200")), &upp, &fault));
	assert_true(package_of_algorithms("81: 84: 8D:",
		USIM_OF("14", "83:080910101032547699", "83:0200")
			AKA_OF("06", "01", "C0*16", "0C*16"),
		&upp));
	assert_string_equal(upp.imsi, "001010123456789"); /* the first one's */
}

#define REST AKA_OF("06", "01", "C0*16", "0C*16") SD_OF("07")
#define ISIM "B5{ A0{ 81:04 } 81:" T_ISIM " A2{ } A3{ } A4{ } A5{ } A6{ } A8{ } } "

/* Between header and end; the header declares `services`. */
static const struct {
	const char *services, *elements;
	const char *reason; /* NULL: taken */
} applications[] = {
	{ "82: 84:", PUK_TEXT PIN_TEXT ISIM REST, NULL },
	{ "82: 84: 87:", PUK_TEXT PIN_TEXT ISIM REST, "service gba-usim" },
	{ "82: 84: 89:", PUK_TEXT PIN_TEXT ISIM REST, "service mbms" },
	{ "82: 84: 95:", PUK_TEXT PIN_TEXT ISIM REST, "service get-identity" },
	{ "82: 84: 96:", PUK_TEXT PIN_TEXT ISIM REST, "service profile-a-x25519" },
	{ "82: 84: 97:", PUK_TEXT PIN_TEXT ISIM REST, "service profile-b-p256" },
	{ "82: 84: 8D:", PUK_TEXT PIN_TEXT ISIM REST, "service multiple-usim" },
	{ "84:", PUK_TEXT PIN_TEXT ISIM REST, "service isim is used" },
	{ "82: 84:", PUK_TEXT PIN_TEXT ISIM ISIM REST, "there is one before it (PE 4)" },
	{ "82: 84:", PUK_TEXT ISIM REST, "no pinCodes" },
	{ "", PUK_TEXT PIN_TEXT, "no network access application" },
};

static void
applications_go_with_their_services(void **state)
{
	struct profile_upp upp;
	struct profile_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof applications / sizeof applications[0]; i++) {
		const char *reason = applications[i].reason;
		bool ok = profile_upp_read(&mem,
			der(&mem,
				"A0{ 80:02 81:03 83:89000123456789012341 A5{ %s } A6{ " TEMPLATES
				" } } %s%s%s",
				applications[i].services, small[MF], applications[i].elements,
				small[END]),
			&upp, &fault);

		if (ok != !reason || (reason && !strstr(fault.reason, reason)))
			fail_msg("%s: %s", reason ? reason : "fine", ok ? "taken" : fault.reason);
	}
}

static void
floods_are_bounded(void **state)
{
	struct profile_upp upp;
	struct profile_fault fault;
	struct slice many = package_with(&mem, HEADER, NULL);
	size_t n = (PROFILE_PE_MAX + 1) * 2;
	uint8_t *flood = arena_alloc(&mem, PROFILE_UPP_MAX + 1);

	(void)state;
	memcpy(flood, many.p, many.n);
	for (size_t i = 0; i < n; i += 2)
		flood[many.n + i] = 0xab; /* AB 00: reserved elements */
	assert_false(profile_upp_read(&mem, slice_of(flood, many.n + n), &upp, &fault));
	assert_string_equal(fault.reason, "the package: more than 10000 elements");
	assert_false(profile_upp_read(&mem, slice_of(flood, PROFILE_UPP_MAX + 1), &upp, &fault));
	memset(flood, 0x30, PROFILE_UPP_MAX);
	flood[0] = 0xb0;
	memcpy(flood + 1, (uint8_t[]){ 0x83, 0x0f, 0xff, 0xfb }, 4);
	for (size_t i = 5; i < PROFILE_UPP_MAX; i += 2)
		flood[i] = 0x80, flood[i + 1] = 0; /* half a million values */
	assert_false(profile_upp_read(&mem, slice_of(flood, PROFILE_UPP_MAX), &upp, &fault));
	assert_non_null(fault.reason);
}

static void
broken_packages_do_no_harm(void **state)
{
	struct slice octets = package_with(&mem, HEADER, NULL);
	struct profile_upp upp;
	struct profile_fault fault;

	(void)state;
	for (size_t at = 0; at < octets.n; at++)
		for (unsigned mask = 0; mask < 4; mask++) {
			struct arena small_mem;
			uint8_t *changed = malloc(octets.n);

			memcpy(changed, octets.p, octets.n);
			changed[at] ^= (uint8_t[]){ 0x01, 0x20, 0x80, 0xff }[mask];
			arena_init(&small_mem, 1u << 20, NULL, NULL);
			if (!profile_upp_read(
				    &small_mem, slice_of(changed, octets.n), &upp, &fault))
				assert_non_null(fault.reason);
			if (mask == 0)
				assert_false(profile_upp_read(
					&small_mem, slice_of(changed, at), &upp, &fault));
			arena_fini(&small_mem);
			free(changed);
		}
}

static void
a_new_iccid_stands_in_both_places_and_nowhere_else(void **state)
{
	struct slice before = package_with(&mem, HEADER, NULL), after;
	struct profile_upp upp, again;
	struct profile_fault fault;
	size_t changed = 0;

	(void)state;
	assert_true(profile_upp_read(&mem, before, &upp, &fault));
	assert_true(
		profile_upp_rewrite_iccid(&mem, &upp, SLICE_LIT("8949449999999990023"), &after));
	assert_int_equal(after.n, before.n);
	assert_true(profile_upp_read(&mem, after, &again, &fault));
	assert_string_equal(again.iccid, "8949449999999990023");
	for (size_t i = 0; i < before.n; i++) {
		size_t header = (size_t)(upp.header_iccid.p - before.p);
		size_t file = (size_t)(upp.ef_iccid.p - before.p);

		if (before.p[i] == after.p[i])
			continue;
		changed++;
		assert_true((i >= header && i < header + 10) || (i >= file && i < file + 10));
	}
	assert_true(changed > 10);
	assert_false(
		profile_upp_rewrite_iccid(&mem, &upp, SLICE_LIT("8949449999999990024"), &after));
	assert_false(profile_upp_rewrite_iccid(&mem, &upp, SLICE_LIT("89"), &after));
}

/* ---- TS.48 ---- */

#define TS48 "../shared/spec/ts48"

static int
octets_put(const void *p, size_t n, void *out)
{
	buf_put(out, slice_of(p, n));
	return 0;
}

static struct slice
file_octets(const char *name)
{
	char path[512];
	uint8_t *octets = arena_alloc(&mem, 65536);
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", TS48, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(octets, 1, 65536, f);
	fclose(f);
	return slice_of(octets, n);
}

/* Reads, validates, and comes out of the generated codecs octet for octet. */
static void
ts48_file_holds(const char *name)
{
	struct profile_upp upp;
	struct profile_fault fault;
	const char *why;

	if (!profile_upp_read(&mem, file_octets(name), &upp, &fault))
		fail_msg("%s: %s", name, fault.reason);
	assert_true(upp.test_key);
	assert_true(slice_eq(upp.type, SLICE_LIT("GSMA Generic eUICC Test Profile")));
	assert_memory_equal(upp.imsi, "001010123456", 12);
	assert_int_equal(upp.mnc_digits, 2);
	for (size_t i = 0; i < upp.pe_count; i++) {
		struct buf out;
		void *pe = codec_asn1_read(
			&mem, &asn_DEF_ProfileElement, upp.pe[i].octets, 100000, &why);

		assert_non_null(pe);
		buf_init(&out, &mem, 65536);
		assert_true(der_encode(&asn_DEF_ProfileElement, pe, octets_put, &out).encoded > 0);
		if (!slice_eq(buf_get(&out), upp.pe[i].octets))
			fail_msg("%s: PE %zu (%s) comes out differently", name, i, upp.pe[i].name);
	}
}

static void
ts48_packages_are_read_and_written_octet_for_octet(void **state)
{
	DIR *d = opendir(TS48);
	size_t files = 0;

	(void)state;
	if (!d) {
		print_message("# no " TS48 ": GSMA's packages are not tested\n");
		skip();
	}
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		if (strstr(e->d_name, ".der")) {
			ts48_file_holds(e->d_name);
			files++;
		}
	closedir(d);
	assert_true(files > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_package_is_read),
		cmocka_unit_test(each_rule_refuses_with_its_reason),
		cmocka_unit_test(reasons_name_the_element),
		cmocka_unit_test(unusual_packages_are_taken),
		cmocka_unit_test(algorithms_go_with_their_services),
		cmocka_unit_test(the_published_test_key_is_seen),
		cmocka_unit_test(several_usims_need_their_service),
		cmocka_unit_test(applications_go_with_their_services),
		cmocka_unit_test(floods_are_bounded),
		cmocka_unit_test(broken_packages_do_no_harm),
		cmocka_unit_test(a_new_iccid_stands_in_both_places_and_nowhere_else),
		cmocka_unit_test(ts48_packages_are_read_and_written_octet_for_octet),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("profile_upp", tests, setup, teardown);
}
