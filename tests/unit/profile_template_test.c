/*
 * Templates: what has a place in them and what they need, each refusal with its words, and packages
 * octet by octet as text: one datum a row, all else as in the template.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/text.h"
#include "profile/metadata.h"
#include "profile/template.h"
#include "profile_upp_text.h"

#define T_DF_5GS "67810F01020D"
#define T_DF_SAIP "67810F01020E"
#define MORE_TEMPLATES TEMPLATES " 06:" T_DF_5GS " 06:" T_DF_SAIP
#define OWN_ICCID "89000123456789012341"
#define OWN_IMSI "001010123456789"
#define OWN_K "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"
#define OWN_OPC "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"

static struct arena mem;
static struct profile_row_fault fault;

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

/* A package of the small one's elements with other ones before its end. */
static struct slice
package(const char *services, const char *usim, const char *aka, const char *more)
{
	char text[16384];

	snprintf(text, sizeof text, HEADER_OF(OWN_ICCID, "%s", MORE_TEMPLATES) "%s%s%s%s%s%s%s%s%s",
		services, small[MF], small[PUK], small[PIN], usim ? usim : small[USIM],
		small[PIN_USIM], aka ? aka : small[AKA], small[SD], more ? more : "", small[END]);
	return der(&mem, "%s", text);
}

static const char *
services_of(const char *more)
{
	return more && strstr(more, "B5{") ? "81: 82: 84:" : SERVICES;
}

static struct profile_template *
template_of(struct slice upp)
{
	struct profile_fault why;
	struct profile_template *t = profile_template_new(&mem, upp, &why);

	if (!t)
		fail_msg("no template: %s", why.reason);
	return t;
}

static void
derive(const uint8_t k[16], const uint8_t op[16], uint8_t opc[16])
{
	(void)k;
	memcpy(opc, op, 16);
}

/* A row "name=text|name=text"; beginning with "+", behind what makes the template itself. */
static struct profile_personal
personal(const char *row)
{
	struct slice names[64], texts[64];
	struct profile_column columns[64] = { 0 };
	struct profile_personal out;
	size_t n = 0;

	if (row[0] == '+')
		row = arena_printf(&mem, "iccid=%s|imsi=%s|k=%s|opc=%s%s", OWN_ICCID, OWN_IMSI,
			OWN_K, OWN_OPC, row + 1);
	while (*row) {
		size_t name = strcspn(row, "="), text = strcspn(row + name + 1, "|");

		names[n] = slice_of(row, name);
		texts[n++] = slice_of(row + name + 1, text);
		row += name + 1 + text;
		row += *row == '|';
	}
	if (!profile_columns_read(&mem, names, n, columns, &fault) ||
		!profile_row_read(&mem, columns, n, texts, derive, &out, &fault))
		fail_msg("the row: %s %s", fault.name, fault.reason);
	return out;
}

#define FILE_OF(tag, size, rest) tag "{ A1{ 80:" size " } " rest " } "
#define RECORDS_OF(tag, record, size, rest) tag "{ A1{ 82:4221" record " 80:" size " } " rest " } "
#define USIM_WITH(imsi, ust, smsp, acc)                                                      \
	"B3{ A0{ 80: 81:04 } 81:" T_USIM " A2{ } A3{ " imsi " } A4{ } A8{ " ust " } " smsp   \
	"AD{ 83:01416363656C65726174654D2D32FFFFFF } AE{ } B2{ " acc " } B5{ 83:00000002 } " \
	"B6{ } } "
#define ISIM_OF(impi, impu) "B5{ A0{ 81:14 } 81:" T_ISIM " A2{ } " impi impu "A5{ } A6{ } A8{ } } "
#define OPT_USIM_OF(files) "B4{ A0{ 81:15 } 81:" T_OPT_USIM " " files "} "
#define DF_5GS_OF(files) "BC{ A0{ 81:16 } 81:" T_DF_5GS " A2{ } " files "} "
#define DF_SAIP_OF(files) "BD{ A0{ 81:17 } 81:" T_DF_SAIP " A2{ } " files "} "
#define KEY_OF(version, id, type, data) \
	"30{ 95:18 82:" id " 83:" version " 30{ 30{ 80:" type " 86:" data " } } } "
#define SECOND_SD(keys) \
	"A6{ A0{ 81:18 } A1{ 4F:A0*8 4F:A1*8 4F:A2*8 82:82DC00 C9:8102 } A2{ " keys "} } "
#define IN_USIM "83:00*15 83:18"
#define NO_FILE "A3{ } "
#define NO_FILES "A3{ } A4{ } "
#define IMPI_ASCII "303031303130313233343536373839406100" /* the template's IMSI, "@a", NUL */

/* Of a USIM and further elements, one row makes these. */
static const struct {
	const char *usim, *more, *row, *usim_is, *more_is;
} made[] = {
	{ NULL, NULL, "+", NULL, NULL },
	/* EF.IMSI and EF.ACC: fills become one, sizes grow where they are told and too small */
	{ USIM_WITH("83:0809 83:10101032547698", "", "", "83:02 83:00"), NULL, "+",
		USIM_WITH(IMSI_FILE, "", "", "83:0200"), NULL },
	{ USIM_WITH("A1{ 83:6F07 } 83:080910101032547698", "", "", "A1{ 80:01 } 83:0200"), NULL,
		"+|acc=8001",
		USIM_WITH("A1{ 83:6F07 } 83:080910101032547698", "", "", "A1{ 80:02 } 83:8001"),
		NULL },
	{ NULL, NULL, "iccid=" OWN_ICCID "|imsi=00101012345670|k=" OWN_K "|opc=" OWN_OPC,
		USIM_OF("04", "83:0801101010325476F0", "83:0001"), NULL },
	{ NULL, NULL, "iccid=" OWN_ICCID "|imsi=0010105|k=" OWN_K "|opc=" OWN_OPC,
		USIM_OF("04",
			"83:04091010"
			"50FFFFFFFF",
			"83:0020"),
		NULL },
	/* EF.SMSP: put in, written into its first record, or over what the template says there */
	{ USIM_WITH(IMSI_FILE, "", "", "83:0200"), NULL, "+|smsc=+4917212",
		USIM_WITH(IMSI_FILE, "",
			RECORDS_OF("AB", "001C", "1C",
				"83:FDFFFFFFFFFFFFFFFFFFFFFFFF0591947112F2FFFFFFFFFFFFFFFFFF"),
			"83:0200"),
		NULL },
	{ USIM_WITH(IMSI_FILE, "", RECORDS_OF("AB", "001E", "3C", ""), "83:0200"), NULL,
		"+|smsc=1234",
		USIM_WITH(IMSI_FILE, "",
			RECORDS_OF("AB", "001E", "3C",
				"83:FFFFFDFFFFFFFFFFFFFFFFFFFFFFFF03812143FFFFFFFFFFFFFFFFFFFFFF"),
			"83:0200"),
		NULL },
	{ USIM_WITH(IMSI_FILE, "",
		  RECORDS_OF("AB", "001D", "3A", "83:41E3 82:18 83:0102A9 82:1A 83:0304A8"),
		  "83:0200"),
		NULL, "+|smsc=1",
		USIM_WITH(IMSI_FILE, "",
			RECORDS_OF("AB", "001D", "3A",
				"83:41E1FFFFFFFFFFFFFFFFFFFFFFFF0281F1FFFFFFFFFFFFFFFFFF"
				"0102A9FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
				"0304A8"),
			"83:0200"),
		NULL },
	/* EF.MSISDN likewise, with patterns for what is not written */
	{ NULL, OPT_USIM_OF("A2{ 83:6465 } "), "+|msisdn=+49", NULL,
		OPT_USIM_OF("A2{ 83:6465 } " RECORDS_OF(
			"A7", "000E", "0E", "83:029194FFFFFFFFFFFFFFFFFFFFFF")) },
	{ NULL, OPT_USIM_OF("A7{ A1{ 82:42210010 80:20 A5{ C1:4100 } } 83:4243 } "),
		"+|msisdn=12345678901234567890", NULL,
		OPT_USIM_OF("A7{ A1{ 82:42210010 80:20 A5{ C1:4100 } } "
			    "83:42430B8121436587092143658709FFFF } ") },
	{ NULL, OPT_USIM_OF("A7{ A1{ 82:42210010 80:20 A5{ C2:0102 } } 82:10 83:77 } "),
		"+|msisdn=1", NULL,
		OPT_USIM_OF("A7{ A1{ 82:42210010 80:20 A5{ C2:0102 } } "
			    "83:01020281F1FFFFFFFFFFFFFFFFFFFFFF77 } ") },
	/* EF.IMPI: it grows, or the pattern must not show behind it; it follows the IMSI */
	{ NULL, ISIM_OF(FILE_OF("A3", "08", "83:8000"), RECORDS_OF("A4", "0010", "20", "")),
		"+|impi=a@b", NULL,
		ISIM_OF(FILE_OF("A3", "08", "83:8003614062"), RECORDS_OF("A4", "0010", "20", "")) },
	{ NULL, ISIM_OF(FILE_OF("A3", "04", "83:8000"), "A4{ } "), "+|impi=a@b", NULL,
		ISIM_OF(FILE_OF("A3", "05", "83:8003614062"), "A4{ } ") },
	{ NULL, ISIM_OF("A3{ } ", "A4{ } "), "+|impi=a@b", NULL,
		ISIM_OF(FILE_OF("A3", "05", "83:8003614062"), "A4{ } ") },
	{ NULL, ISIM_OF("A3{ A1{ 80:08 A5{ C1:800461 } } } ", "A4{ } "), "+|impi=a@b", NULL,
		ISIM_OF("A3{ A1{ 80:08 A5{ C1:800461 } } 83:8003614062FFFFFF } ", "A4{ } ") },
	{ NULL, ISIM_OF(FILE_OF("A3", "20", "83:8011" IMPI_ASCII), "A4{ 83:" IMPI_ASCII " } "),
		"iccid=" OWN_ICCID "|imsi=001019999999999|k=" OWN_K "|opc=" OWN_OPC,
		USIM_OF("04", "83:080910109999999999", "83:0200"),
		ISIM_OF(FILE_OF("A3", "20", "83:8011303031303139393939393939393939406100"),
			"A4{ 83:303031303139393939393939393939406100 } ") },
	/* EF.IMPU: records as long as the longest, as many as there were or are */
	{ NULL, ISIM_OF(NO_FILE, RECORDS_OF("A4", "0008", "18", "83:80016182")),
		"+|impu=sip:a|impu2=tel:1", NULL,
		ISIM_OF(NO_FILE,
			RECORDS_OF("A4", "0008", "18", "83:80057369703A61FF800574656C3A31FF")) },
	{ NULL, ISIM_OF(NO_FILE, RECORDS_OF("A4", "0006", "12", "")), "+|impu=sip:a", NULL,
		ISIM_OF(NO_FILE, RECORDS_OF("A4", "0007", "15", "83:80057369703A61")) },
	{ NULL, ISIM_OF(NO_FILE, RECORDS_OF("A4", "0007", "07", "")),
		"+|impu=sip:a|impu2=sip:b|impu3=sip:c", NULL,
		ISIM_OF(NO_FILE,
			RECORDS_OF("A4", "0007", "15",
				"83:80057369703A6180057369703A6280057369703A63")) },
	{ NULL, ISIM_OF(NO_FILES, ""), "+|impu=sip:a", NULL,
		ISIM_OF(NO_FILE, RECORDS_OF("A4", "0007", "07", "83:80057369703A61")) },
	{ NULL, ISIM_OF(NO_FILE, "A4{ A1{ 82:42210007 80:0E A5{ C2:00 } } } "), "+|impu=sip:a",
		NULL,
		ISIM_OF(NO_FILE,
			"A4{ A1{ 82:42210007 80:0E A5{ C2:00 } } "
			"83:80057369703A61FFFFFFFFFFFFFF } ") },
	/* EF.Routing_Indicator and EF.SUCI_Calc_Info */
	{ NULL, DF_5GS_OF(""), "+|ri=12", NULL, DF_5GS_OF("AC{ 83:21FFFFFF } ") },
	{ NULL, DF_5GS_OF("A8{ } AB{ } "), "+|ri=12|suci_calc_info=A0020000", NULL,
		DF_5GS_OF("A8{ } " FILE_OF("A9", "04", "83:A0020000") "AB{ } AC{ 83:21FFFFFF } ") },
	{ NULL, DF_5GS_OF(""), "+|ri=12|suci_calc_info=A0020000", NULL,
		DF_5GS_OF(FILE_OF("A9", "04", "83:A0020000") "AC{ 83:21FFFFFF } ") },
	{ NULL, DF_5GS_OF("AC{ A1{ A5{ C1:F0FF } } } "), "+|ri=123", NULL,
		DF_5GS_OF("AC{ A1{ A5{ C1:F0FF } } 83:21F3FFFF } ") },
	{ NULL, DF_5GS_OF("AC{ } ") DF_SAIP_OF("A3{ } "), "+|suci_calc_info=A0020000", NULL,
		DF_5GS_OF(FILE_OF("A9", "04", "83:A0020000") "AC{ } ") DF_SAIP_OF("A3{ } ") },
	{ USIM_WITH(IMSI_FILE, IN_USIM, "", "83:0200"), DF_5GS_OF("") DF_SAIP_OF(""),
		"+|suci_key_id=27|suci_key=" OWN_K OWN_K, NULL,
		DF_5GS_OF("") DF_SAIP_OF(FILE_OF("A3", "2B",
			"83:A0020101A12580011B8120C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0"
			"C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0")) },
	{ NULL, DF_5GS_OF("A9{ A1{ 80:76 } } "), "+|suci_key_id=1|suci_key=02" OWN_K OWN_K, NULL,
		DF_5GS_OF(FILE_OF("A9", "76",
			"83:A0020201A1268001018121"
			"02C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0"
			"C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0")) },
	/* keys: of the first security domain that has them */
	{ NULL, SECOND_SD(KEY_OF("01", "01", "88", "AA*16") KEY_OF("01", "02", "88", "AA*16")),
		"+|kid1=0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", NULL,
		SECOND_SD(KEY_OF("01", "01", "88", "AA*16") KEY_OF("01", "02", "88", "0B*24")) },
	{ NULL, SECOND_SD(KEY_OF("40", "01", "85", "AA*16") KEY_OF("40", "01", "85", "AA*16")),
		"+|psk40=" OWN_K OWN_K, NULL,
		SECOND_SD(KEY_OF("40", "01", "85", "C0*32") KEY_OF("40", "01", "85", "AA*16")) },
};

static void
packages_are_these(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
		const char *services = services_of(made[i].more);
		const char *usim_is = made[i].usim_is ? made[i].usim_is : made[i].usim;
		const char *more_is = made[i].more_is ? made[i].more_is : made[i].more;
		struct profile_template *t =
			template_of(package(services, made[i].usim, NULL, made[i].more));
		struct profile_personal row = personal(made[i].row);
		struct slice upp, wanted = package(services, usim_is, NULL, more_is);

		if (!profile_template_personalise(t, &mem, &row, &upp, &fault))
			fail_msg("row %zu: %s %s", i, fault.name, fault.reason);
		for (size_t at = 0; at < wanted.n || at < upp.n; at++)
			if (at >= wanted.n || at >= upp.n || upp.p[at] != wanted.p[at])
				fail_msg("row %zu differs from octet %zu on: %s", i, at,
					text_hex(&mem, slice_sub(upp, at, 60)).p);
		profile_template_free(t);
	}
}

static void
codes_and_keys_go_where_they_belong(void **state)
{
	struct profile_template *t = template_of(package_with(&mem, HEADER, NULL));
	struct profile_personal row = personal(
		"iccid=8949449999999990023|imsi=" OWN_IMSI "|k=11111111111111111111111111111111"
		"|op=22222222222222222222222222222222|pin1=1234|pin2=87654321|puk1=11223344"
		"|puk2=99887766|adm1=0011223344556677");
	struct slice upp;
	char text[16384];

	(void)state;
	snprintf(text, sizeof text, "%s%s%s%s%s%s%s%s%s",
		HEADER_OF("8949449999999990023F", SERVICES, TEMPLATES),
		MF_OF("83:98944499999999"
		      "0920F3"),
		"A3{ A0{ 81:02 } A1{ 30{ 80:01 81:\"11223344\" } 30{ 80:0081 81:\"99887766\" } } "
		"} ",
		"A2{ A0{ 81:03 } A1{ A0{ 30{ 80:01 81:31323334FFFFFFFF 82:01 } "
		"30{ 80:0A 81:0011223344556677 } } } } ",
		small[USIM], "A2{ A0{ 81:05 } A1{ A0{ 30{ 80:0081 81:\"87654321\" 82:0081 } } } } ",
		AKA_OF("06", "01", "11*16", "22*16"), small[SD], small[END]);
	assert_true(profile_template_personalise(t, &mem, &row, &upp, &fault));
	assert_true(slice_eq(upp, der(&mem, "%s", text)));
	profile_template_free(t);
}

/* Packages without an MF element: by file management commands, and for the internet of things. */
static const char gfm[] =
	HEADER_OF("%s", SERVICES, TEMPLATES) "A1{ A0{ 81:01 } A1{ 30{ 62{ 82:7821 83:3F00 } 62{ "
					     "82:4121 83:2FE2 80:0A } 81:%s } } } ";
static const char iot[] = HEADER_OF("%s", SERVICES,
	TEMPLATES) "BF20{ A0{ 81:01 } 81:" T_USIM
		   " A4{ 83:%s } A9{ 83:%s } AE{ 83:00*16 } B2{ 83:%s } } "
		   "BF21{ A0{ 81:14 } 81:" T_USIM " %s} "
		   "A4{ A0{ 81:06 } A1{ A1{ 80:01 81:01 82:%s 83:0C*16 } } } AA{ A0{ 81:08 } } ";

static void
other_ways_to_make_files_are_known(void **state)
{
	char was[16384], is[16384], rest[8192] = "";
	struct profile_template *t;
	struct profile_personal row;
	struct slice upp;

	(void)state;
	for (int part = PUK; part < PARTS; part++)
		strcat(rest, small[part]);
	snprintf(was, sizeof was, gfm, OWN_ICCID, "98001032547698103214");
	snprintf(is, sizeof is, gfm, "89000123456789012358", "98001032547698103285");
	t = template_of(der(&mem, "%s%s", was, rest));
	row = personal("iccid=89000123456789012358|imsi=" OWN_IMSI "|k=" OWN_K "|opc=" OWN_OPC);
	assert_true(profile_template_personalise(t, &mem, &row, &upp, &fault));
	assert_true(slice_eq(upp, der(&mem, "%s%s", is, rest)));
	profile_template_free(t);

	snprintf(was, sizeof was, iot, OWN_ICCID, "98001032547698103214", "080910101032547698",
		"0200", "", "C0*16");
	snprintf(is, sizeof is, iot, "89000123456789012358", "98001032547698103285",
		"080910101032547608", "0001",
		RECORDS_OF("A4", "001C", "1C",
			"83:FDFFFFFFFFFFFFFFFFFFFFFFFF0391214"
			"3FFFFFFFFFFFFFFFFFFFFFF")
			FILE_OF("B4", "04", "83:A0020000") "B7{ 83:21FFFFFF } ",
		"11*16");
	t = template_of(der(&mem, "%s", was));
	row = personal(
		"iccid=89000123456789012358|imsi=001010123456780|smsc=+1234|ri=12"
		"|suci_calc_info=A0020000|opc=" OWN_OPC "|k=11111111111111111111111111111111");
	assert_true(profile_template_personalise(t, &mem, &row, &upp, &fault));
	assert_true(slice_eq(upp, der(&mem, "%s", is)));
	profile_template_free(t);
}

/* ---- what has a place, what is needed ---- */

static const struct {
	const char *more, *row;
	enum profile_why why;
	const char *name, *reason;
} refused[] = {
	{ NULL, "iccid=" OWN_ICCID "|k=" OWN_K "|opc=" OWN_OPC, WHY_MISSING, "imsi",
		"the template's USIM needs it" },
	{ NULL, "iccid=" OWN_ICCID "|imsi=" OWN_IMSI "|opc=" OWN_OPC, WHY_MISSING, "k",
		"the template's akaParameter needs it" },
	{ NULL, "iccid=" OWN_ICCID "|imsi=" OWN_IMSI "|k=" OWN_K, WHY_MISSING, "opc",
		"and op too" },
	{ NULL, "+|adm2=22222222", WHY_PLACE, "adm2", "pinCodes have no reference 0B" },
	{ NULL, "+|adm3=22222222", WHY_PLACE, "adm3", "no reference 0C" },
	{ NULL, "+|adm4=22222222", WHY_PLACE, "adm4", "no reference 0D" },
	{ NULL, "+|adm5=22222222", WHY_PLACE, "adm5", "no reference 0E" },
	{ NULL, "+|msisdn=1", WHY_PLACE, "msisdn", "no opt-usim" },
	{ OPT_USIM_OF(RECORDS_OF("A7", "000D", "0D", "")), "+|msisdn=1", WHY_PLACE, "msisdn",
		"too short" },
	{ OPT_USIM_OF("A7{ 83:00 } "), "+|msisdn=1", WHY_PLACE, "msisdn", "unknown length" },
	{ OPT_USIM_OF("A7{ 80: } "), "+|msisdn=1", WHY_PLACE, "msisdn", "no place" },
	{ OPT_USIM_OF("A7{ A1{ 82:4221000E C7:7FD06F40 } } "), "+|msisdn=1", WHY_PLACE, "msisdn",
		"no place" },
	{ NULL, "+|impi=a@b", WHY_PLACE, "impi", "has no ISIM" },
	{ NULL, "+|impu=sip:a", WHY_PLACE, "impu", "has no ISIM" },
	{ NULL, "+|ri=1", WHY_PLACE, "routing_indicator", "has no DF 5GS" },
	{ DF_SAIP_OF(""), "+|suci_calc_info=A000", WHY_PLACE, "suci_calc_info", "has no DF 5GS" },
	{ NULL, "+|suci_key_id=1|suci_key=" OWN_K OWN_K, WHY_PLACE, "suci_key_id", "DF SAIP" },
	{ NULL, "+|kic2=" OWN_K, WHY_PLACE, "kic2", "version 02 with identifier 01" },
	{ SECOND_SD(KEY_OF("02", "02", "88", "AA*16")), "+|kic2=" OWN_K, WHY_PLACE, "kic2",
		"no security domain" },
	{ SECOND_SD(KEY_OF("02", "01", "88", "AA*16 } 30{ 80:88 86:AA*16")), "+|kic2=" OWN_K,
		WHY_PLACE, "kic2", "no security domain" },
	{ SECOND_SD(KEY_OF("02", "01", "88", "AA*16")), "+|kic2=" OWN_K "00", WHY_LENGTH, "kic2",
		"has 17 octets, which a key of type 88" },
	{ SECOND_SD(KEY_OF("02", "01", "80", "AA*16")), "+|kic2=" OWN_K OWN_K, WHY_LENGTH, "kic2",
		"type 80" },
	{ SECOND_SD(KEY_OF("40", "01", "85", "AA*16")), "+|psk40=0102030405060708", WHY_LENGTH,
		"psk40", "type 85" },
	{ SECOND_SD(KEY_OF("70", "01", "B0", "AA*9")), "+|key_70_01=0102030405060708", WHY_LENGTH,
		"key_70_01", "type B0" },
	{ NULL, "iccid=" OWN_ICCID "|imsi=" OWN_IMSI "|opc=" OWN_OPC "|k=" OWN_K OWN_K, WHY_LENGTH,
		"k", "has 32 octets, the template's algorithm wants 16" },
	{ NULL, "iccid=" OWN_ICCID "|imsi=" OWN_IMSI "|opc=" OWN_OPC OWN_OPC "|k=" OWN_K,
		WHY_LENGTH, "opc", "has 32 octets" },
	{ ISIM_OF("A3{ 83:" IMPI_ASCII " } ", "A4{ } "),
		"iccid=" OWN_ICCID "|imsi=00101012345678|k=" OWN_K "|opc=" OWN_OPC "|impi=a@b",
		WHY_LENGTH, "imsi", "has 14 digits" },
};

static void
refusals_name_the_datum(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct profile_template *t = template_of(
			package(services_of(refused[i].more), NULL, NULL, refused[i].more));
		struct profile_personal row = personal(refused[i].row);
		struct slice upp = SLICE_NONE;

		if (profile_template_row_holds(t, &mem, &row, &fault) ||
			profile_template_personalise(t, &mem, &row, &upp, &fault) || upp.p)
			fail_msg("row %zu was taken", i);
		if (fault.why != refused[i].why || strcmp(fault.name, refused[i].name) != 0 ||
			!strstr(fault.reason, refused[i].reason) ||
			fault.column != PROFILE_NO_COLUMN)
			fail_msg("row %zu: %s %s: %s", i, profile_why_name(fault.why), fault.name,
				fault.reason);
		profile_template_free(t);
	}
}

static bool
columns_hold(const struct profile_template *t, const char *names)
{
	struct profile_column columns[16] = { 0 };
	size_t n = 0;

	for (; *names; n++) {
		size_t length = strcspn(names, " ");

		if (names[0] == '-')
			columns[n].field = PERSONAL_SKIPPED;
		else
			assert_true(profile_column_find(slice_of(names, length), &columns[n]));
		names += length + (names[length] == ' ');
	}
	return profile_template_columns_hold(t, &mem, columns, n, &fault);
}

static void
columns_are_judged_before_rows(void **state)
{
	struct profile_template *t = template_of(package_with(&mem, HEADER, NULL));

	(void)state;
	assert_true(columns_hold(t, "iccid imsi k opc"));
	assert_true(columns_hold(t, "- iccid imsi k op pin1 - smsc"));
	assert_false(columns_hold(t, "iccid imsi k op impi"));
	assert_int_equal(fault.column, 4);
	assert_int_equal(fault.why, WHY_PLACE);
	assert_false(columns_hold(t, "iccid imsi kic1 k op"));
	assert_int_equal(fault.column, 2);
	assert_string_equal(fault.name, "kic1");
	assert_false(columns_hold(t, "iccid imsi k"));
	assert_true(fault.column == PROFILE_NO_COLUMN);
	assert_string_equal(fault.name, "opc");
	profile_template_free(t);
}

static void
a_template_tells_of_itself(void **state)
{
	static const uint32_t needs =
		1u << PERSONAL_ICCID | 1u << PERSONAL_IMSI | 1u << PERSONAL_K | 1u << PERSONAL_OPC;
	struct slice upp =
		package(SERVICES, NULL, NULL, SECOND_SD(KEY_OF("01", "02", "88", "AA*16")));
	struct profile_template *t = template_of(upp);
	const struct profile_template_info *info = profile_template_get(t);

	(void)state;
	assert_int_equal(info->saip_version, 2 * 256 + 3);
	assert_int_equal(info->services, 1u << PROFILE_USIM | 1u << PROFILE_MILENAGE);
	assert_int_equal(info->octets, upp.n);
	assert_int_equal(info->needs, needs);
	assert_int_equal(info->takes,
		needs | 1u << PERSONAL_OP | 1u << PERSONAL_PIN1 | 1u << PERSONAL_PIN2 |
			1u << PERSONAL_PUK1 | 1u << PERSONAL_PUK2 | 1u << PERSONAL_ADM1 |
			1u << PERSONAL_ACC | 1u << PERSONAL_SMSC);
	assert_int_equal(info->key_count, 1);
	assert_int_equal(info->keys[0].version, 1);
	assert_int_equal(info->keys[0].id, 2);
	assert_null(info->keys[0].octets.p);
	assert_false(info->test_key);
	profile_template_free(t);
}

/* With the test algorithm the published key may stay; one from a mapping is no key of its own. */
static void
the_algorithm_says_what_is_needed(void **state)
{
	static const char test_key[] = "A4{ A0{ 81:06 } A1{ A1{ 80:03 81:01 "
				       "82:000102030405060708090A0B0C0D0E0F 83:00*16 } } } ";
	static const char mapping[] = "A4{ A0{ 81:06 } A1{ A0{ 80:01 81:A0*8 } } } ";
	struct profile_template *t = template_of(package("81: 91:", NULL, test_key, NULL));
	struct profile_personal row = personal("iccid=" OWN_ICCID "|imsi=" OWN_IMSI);
	struct profile_upp as;

	(void)state;
	assert_true(profile_template_get(t)->test_key);
	assert_true(profile_template_row_holds(t, &mem, &row, &fault));
	profile_template_describe(t, &mem, &row, &as);
	assert_true(as.test_key);
	row = personal("+");
	profile_template_describe(t, &mem, &row, &as);
	assert_false(as.test_key);
	profile_template_free(t);

	t = template_of(package("81:", NULL, mapping, NULL));
	row = personal("iccid=" OWN_ICCID "|imsi=" OWN_IMSI);
	assert_true(profile_template_row_holds(t, &mem, &row, &fault));
	row = personal("+");
	assert_false(profile_template_row_holds(t, &mem, &row, &fault));
	assert_string_equal(fault.name, "k");
	assert_non_null(strstr(fault.reason, "no akaParameter with a key of its own"));
	profile_template_free(t);
}

static void
a_package_is_described_as_it_would_be_read(void **state)
{
	struct profile_template *t = template_of(package_with(&mem, HEADER, NULL));
	struct profile_personal row =
		personal("iccid=8949449999999990023|imsi=00101987654321|k=" OWN_K "|opc=" OWN_OPC);
	struct profile_upp told, read;
	struct codec_metadata metadata;
	struct profile_fault why;
	struct slice upp, octets;
	const char *reason;

	(void)state;
	assert_true(profile_template_personalise(t, &mem, &row, &upp, &fault));
	assert_true(profile_upp_read(&mem, upp, &read, &why));
	profile_template_describe(t, &mem, &row, &told);
	assert_string_equal(told.iccid, read.iccid);
	assert_string_equal(told.imsi, read.imsi);
	assert_true(slice_eq(told.ef_iccid, read.ef_iccid));
	assert_true(slice_eq(told.header_iccid, read.header_iccid));
	assert_true(slice_eq(told.spn, read.spn));
	assert_true(slice_eq(told.type, read.type));
	assert_int_equal(told.mnc_digits, read.mnc_digits);
	assert_int_equal(told.services, read.services);
	assert_int_equal(told.major * 256 + told.minor, read.major * 256 + read.minor);
	assert_int_equal(told.pe_count, 0);
	profile_metadata_init(&mem, &told, SLICE_LIT("smdp.example.org"), &metadata);
	assert_true(profile_metadata_write(&mem, &told, &metadata, &octets, &reason));
	profile_template_free(t);
}

/* ---- what is no template ---- */

static const struct {
	const char *services, *usim, *aka, *more, *reason;
} no_template[] = {
	{ SERVICES, "", NULL, NULL,
		"PE 5 (akaParameter, identification 6): the element that it belongs to" },
	{ "81: 84: 8D:", NULL, NULL, USIM_OF("14", IMSI_FILE, "83:0200"),
		"PE 8 (usim, identification 20): a second one of its kind" },
	{ "81: 82: 84: 8E:", NULL, NULL,
		ISIM_OF(NO_FILE, "A4{ } ") "B5{ A0{ 81:15 } 81:" T_ISIM
					   " A2{ } A3{ } A4{ } A5{ } A6{ } A8{ } } ",
		"PE 9 (isim, identification 21): a second one of its kind" },
	{ SERVICES, USIM_OF("04", "A1{ C7:7F20 } " IMSI_FILE, "83:0200"), NULL, NULL,
		"the package: its EF.IMSI cannot be written" },
	{ "81: 84: 85:", NULL, NULL, "A4{ A0{ 81:14 } A1{ A1{ 80:02 81:01 82:C1*16 83:0C*32 } } } ",
		"PE 8 (akaParameter, identification 20): its key or OPc is not as long" },
};

static void
what_cannot_be_personalised_is_no_template(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof no_template / sizeof no_template[0]; i++) {
		struct profile_fault why = { .reason = "" };

		assert_null(profile_template_new(&mem,
			package(no_template[i].services, no_template[i].usim, no_template[i].aka,
				no_template[i].more),
			&why));
		if (!strstr(why.reason, no_template[i].reason))
			fail_msg("%zu: %s", i, why.reason);
	}
}

/* Seven codes an element, and no more than 512 places in all. */
static void
places_have_a_number(void **state)
{
	struct profile_fault why = { .reason = "" };
	char more[16384] = "";

	(void)state;
	for (int i = 0; i < 71; i++)
		snprintf(more + strlen(more), sizeof more - strlen(more),
			"A2{ A0{ 81:%02X } A1{ A0{ 30{ 80:01 81:30*8 } 30{ 80:0081 81:30*8 } "
			"30{ 80:0A 81:30*8 } 30{ 80:0B 81:30*8 } 30{ 80:0C 81:30*8 } "
			"30{ 80:0D 81:30*8 } 30{ 80:0E 81:30*8 } } } } ",
			0x20 + i);
	profile_template_free(template_of(package(SERVICES, NULL, NULL, more)));
	snprintf(more + strlen(more), sizeof more - strlen(more),
		"A2{ A0{ 81:70 } A1{ A0{ 30{ 80:01 81:30*8 } 30{ 80:0081 81:30*8 } "
		"30{ 80:0A 81:30*8 } 30{ 80:0B 81:30*8 } } } } ");
	assert_null(profile_template_new(&mem, package(SERVICES, NULL, NULL, more), &why));
	assert_string_equal(why.reason, "the package: more than 512 places for personal data");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packages_are_these, setup, teardown),
		cmocka_unit_test_setup_teardown(
			codes_and_keys_go_where_they_belong, setup, teardown),
		cmocka_unit_test_setup_teardown(
			other_ways_to_make_files_are_known, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals_name_the_datum, setup, teardown),
		cmocka_unit_test_setup_teardown(columns_are_judged_before_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(a_template_tells_of_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(the_algorithm_says_what_is_needed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_package_is_described_as_it_would_be_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_personalised_is_no_template, setup, teardown),
		cmocka_unit_test_setup_teardown(places_have_a_number, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
