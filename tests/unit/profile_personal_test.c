/*
 * Personal data: each column by each of its names, each way to write a value and each to write it wrong,
 * what contradicts or misses what, and the record, which gives back what was put in and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/text.h"
#include "profile/personal.h"

#define HEX16 "000102030405060708090A0B0C0D0E0F"
#define HEX32 HEX16 HEX16
#define ICCID "89000123456789012341"

static struct arena mem;
static struct profile_personal got;
static struct profile_row_fault fault;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 8 << 20, NULL, NULL);
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
derive(const uint8_t k[16], const uint8_t op[16], uint8_t opc[16])
{
	for (int i = 0; i < 16; i++)
		opc[i] = k[i] ^ op[i] ^ 0x55;
}

/* A row as "name=text|name=text". */
static bool
row_read(const char *row)
{
	struct slice names[PERSONAL_COLUMNS_MAX], texts[PERSONAL_COLUMNS_MAX];
	struct profile_column columns[PERSONAL_COLUMNS_MAX] = { 0 };
	size_t n = 0;

	while (*row) {
		size_t name = strcspn(row, "="), text = strcspn(row + name + 1, "|");

		names[n] = slice_of(row, name);
		texts[n++] = slice_of(row + name + 1, text);
		row += name + 1 + text;
		row += *row == '|';
	}
	return profile_columns_read(&mem, names, n, columns, &fault) &&
		profile_row_read(&mem, columns, n, texts, derive, &got, &fault);
}

#define TAKEN(field, row, octets)             \
	{                                     \
		field, row, SLICE_LIT(octets) \
	}
static const struct {
	enum profile_field field;
	const char *row;
	struct slice value;
} taken[] = {
	TAKEN(PERSONAL_ICCID, "iccid=" ICCID, ICCID),
	TAKEN(PERSONAL_ICCID, " ICC-ID = 8949449999999990023 ", "8949449999999990023"),
	TAKEN(PERSONAL_ICCID, "iccid=8949449999999990023F", "8949449999999990023"),
	TAKEN(PERSONAL_IMSI, "IMSI=001010123456789", "001010123456789"),
	TAKEN(PERSONAL_IMSI, "imsi=001011", "001011"),
	TAKEN(PERSONAL_K, "Ki=000102030405060708090a0b0c0d0e0f",
		"\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"),
	TAKEN(PERSONAL_OPC, "k=" HEX16 "|op=" HEX16,
		"\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55"),
	TAKEN(PERSONAL_OPC, "OPc=" HEX16, "\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"),
	TAKEN(PERSONAL_PIN1, "PIN 1=0000", "0000"),
	TAKEN(PERSONAL_PIN1, "chv1=12345678", "12345678"),
	TAKEN(PERSONAL_PIN2, "chv_2=12345", "12345"),
	TAKEN(PERSONAL_PUK1, "puk=12345678", "12345678"),
	TAKEN(PERSONAL_PUK2, "PUK2=87654321", "87654321"),
	TAKEN(PERSONAL_ADM1, "adm=1234", "1234\xff\xff\xff\xff"),
	TAKEN(PERSONAL_ADM1, "adm1=12345678", "12345678"),
	TAKEN(PERSONAL_ADM1, "adm1=00112233aaBBccDD", "\0\x11\x22\x33\xaa\xbb\xcc\xdd"),
	TAKEN(PERSONAL_ADM5, "adm5=88888888", "88888888"),
	TAKEN(PERSONAL_ACC, "acc=0200", "\x02\0"),
	TAKEN(PERSONAL_MSISDN, "msisdn=+491721234567", "+491721234567"),
	TAKEN(PERSONAL_SMSC, "sca=49172", "49172"),
	TAKEN(PERSONAL_IMPI, "impi=u@ims.example", "u@ims.example"),
	TAKEN(PERSONAL_IMPU, "impu1=SIP:u@ims.example", "SIP:u@ims.example"),
	TAKEN(PERSONAL_IMPU2, "impu=sips:a|impu2=tel:+1", "tel:+1"),
	TAKEN(PERSONAL_ROUTING_INDICATOR, "Routing Indicator=0", "0"),
	TAKEN(PERSONAL_SUCI_KEY_ID, "suci_key_id=255|suci_key=" HEX32, "\xff"),
	TAKEN(PERSONAL_SUCI_KEY, "hnet_key=" HEX16 HEX16 "02|suci_key_id=0",
		"\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b"
		"\x0c\x0d"
		"\x0e\x0f\x02"),
	TAKEN(PERSONAL_SUCI_CALC_INFO, "suci_calc_info=A000", "\xa0\0"),
};

static void
values_are_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
		const char *row = taken[i].row;

		if (taken[i].field != PERSONAL_ICCID)
			row = arena_printf(&mem, "iccid=%s|%s", ICCID, row);
		if (!row_read(row))
			fail_msg("%s: %s %s", row, fault.name, fault.reason);
		if (!slice_eq(got.value[taken[i].field], taken[i].value))
			fail_msg("%s: %s", row, text_hex(&mem, got.value[taken[i].field]).p);
		assert_null(got.value[PERSONAL_OP].p);
		assert_int_equal(got.key_count, 0);
	}
}

static const struct {
	const char *row;
	enum profile_why why;
	const char *name, *reason;
} refused[] = {
	{ "iccid=8900012345678901234", WHY_LUHN, "iccid", "wrong last digit" },
	{ "iccid=89000123456789012342", WHY_LUHN, "iccid", "wrong last digit" },
	{ "iccid=8.90001E+18", WHY_DIGITS, "iccid", "something else than digits" },
	{ "iccid=8900012345", WHY_LENGTH, "iccid", "has 10 digits; 18 to 20 are possible" },
	{ "iccid=890001234567890123412", WHY_LENGTH, "iccid", "has 21 digits" },
	{ "iccid=", WHY_MISSING, "iccid", "is missing" },
	{ "imsi=001010123456789", WHY_MISSING, "iccid", "is missing" },
	{ "+|imsi=0010101234567890", WHY_LENGTH, "imsi", "has 16 digits; 6 to 15" },
	{ "+|imsi=00101", WHY_LENGTH, "imsi", "has 5 digits" },
	{ "+|imsi=00101x", WHY_DIGITS, "imsi", "something else" },
	{ "+|ki=0001", WHY_LENGTH, "k", "has 2 octets; 16 or 32 are possible" },
	{ "+|k=" HEX16 HEX16 "0011", WHY_LENGTH, "k", "has 34 octets" },
	{ "+|k=" HEX16 "0011", WHY_LENGTH, "k", "has 18 octets" },
	{ "+|k=" HEX16 "0", WHY_HEX, "k", "odd number" },
	{ "+|k=" HEX16 "0x", WHY_HEX, "k", "something else than hexadecimal digits" },
	{ "+|opc=00", WHY_LENGTH, "opc", "16 or 32" },
	{ "+|op=00|k=" HEX16, WHY_LENGTH, "op", "has 1 octets instead of 16" },
	{ "+|op=" HEX16, WHY_MISSING, "k", "OPc is made of op and k" },
	{ "+|k=" HEX16 "|op=" HEX16 "|opc=" HEX16, WHY_CONTRADICTORY, "op", "beside opc" },
	{ "+|k=" HEX32 "|op=" HEX16, WHY_CONTRADICTORY, "op", "k has not 16 octets" },
	{ "+|pin1=123", WHY_LENGTH, "pin1", "has 3 digits; 4 to 8" },
	{ "+|pin1=123456789", WHY_LENGTH, "pin1", "has 9 digits" },
	{ "+|pin=12a4", WHY_DIGITS, "pin1", "something else" },
	{ "+|pin2=1", WHY_LENGTH, "pin2", "has 1 digits" },
	{ "+|puk1=1234567", WHY_LENGTH, "puk1", "has 7 digits instead of 8" },
	{ "+|puk2=1234567a", WHY_DIGITS, "puk2", "something else" },
	{ "+|adm1=123", WHY_LENGTH, "adm1", "16 hexadecimal ones" },
	{ "+|adm2=123456789", WHY_LENGTH, "adm2", "has 9 digits" },
	{ "+|adm3=abcdefgh", WHY_DIGITS, "adm3", "neither digits nor" },
	{ "+|adm4=00112233445566xx", WHY_HEX, "adm4", "hexadecimal" },
	{ "+|acc=02", WHY_LENGTH, "acc", "has 1 octets instead of 2" },
	{ "+|acc=zzzz", WHY_HEX, "acc", "hexadecimal" },
	{ "+|msisdn=+", WHY_LENGTH, "msisdn", "has 0 digits; 1 to 20" },
	{ "+|msisdn=123456789012345678901", WHY_LENGTH, "msisdn", "has 21 digits" },
	{ "+|msisdn=49 172", WHY_DIGITS, "msisdn", "something else" },
	{ "+|smsc=++49", WHY_DIGITS, "smsc", "something else" },
	{ "+|impi=user", WHY_TEXT, "impi", "is not user@realm" },
	{ "+|impi=a b@c", WHY_TEXT, "impi", "blanks" },
	{ "+|impu=user@realm", WHY_TEXT, "impu", "neither sip: nor tel:" },
	{ "+|impu=sip:\xc3\xa9", WHY_TEXT, "impu", "ASCII" },
	{ "+|impu2=sip:a", WHY_MISSING, "impu", "impu2 is there" },
	{ "+|impu=sip:a|impu3=sip:a", WHY_MISSING, "impu2", "impu3 is there" },
	{ "+|ri=12345", WHY_LENGTH, "routing_indicator", "has 5 digits; 1 to 4" },
	{ "+|ri=a", WHY_DIGITS, "routing_indicator", "something else" },
	{ "+|suci_key=" HEX32, WHY_MISSING, "suci_key_id", "suci_key is there" },
	{ "+|suci_key_id=1", WHY_MISSING, "suci_key", "suci_key_id is there" },
	{ "+|suci_key_id=256", WHY_DIGITS, "suci_key_id", "is not 0 to 255" },
	{ "+|suci_key=" HEX16 "|suci_key_id=1", WHY_LENGTH, "suci_key", "32, 33 or 65" },
	{ "+|suci_key=" HEX32 "|suci_key_id=1|suci_calc_info=A000", WHY_CONTRADICTORY, "suci_key",
		"beside suci_calc_info" },
	{ "+|suci_key_id=1|suci_calc_info=A000", WHY_CONTRADICTORY, "suci_key_id", "beside" },
	{ "+|suci_calc_info=A0", WHY_LENGTH, "suci_calc_info", "has 1 octets; 2 to 1024" },
	{ "+|kic1=0011", WHY_LENGTH, "kic1", "has 2 octets; 8 to 64" },
	{ "+|KIK_2=0", WHY_HEX, "kik2", "odd number" },
	{ "+|key_70_01=zz", WHY_HEX, "key_70_01", "hexadecimal" },
	{ "+|enc30=zz", WHY_HEX, "enc30", "hexadecimal" },
	/* columns */
	{ "+|colour=red", WHY_UNKNOWN, "colour", "no column that is known" },
	{ "+|=x", WHY_UNKNOWN, "", "no column that is known" },
	{ "+|kic0=00", WHY_UNKNOWN, "kic0", "no column" },
	{ "+|kic16=00", WHY_UNKNOWN, "kic16", "no column" },
	{ "+|kic0a=00", WHY_UNKNOWN, "kic0a", "no column" },
	{ "+|enc40=00", WHY_UNKNOWN, "enc40", "no column" },
	{ "+|enc2=00", WHY_UNKNOWN, "enc2", "no column" },
	{ "+|psk3f=00", WHY_UNKNOWN, "psk3f", "no column" },
	{ "+|key_1_01=00", WHY_UNKNOWN, "key_1_01", "no column" },
	{ "+|key_01_0g=00", WHY_UNKNOWN, "key_01_0g", "no column" },
	{ "+|key_01_01_01=00", WHY_UNKNOWN, "key_01_01_01", "no column" },
	{ "+|k=" HEX16 "|ki=" HEX16, WHY_TWICE, "k", "is there twice" },
	{ "+|kic1=" HEX16 "|key_01_01=" HEX16, WHY_TWICE, "kic1", "is there twice" },
	{ "+|a_name_that_is_much_longer_than_any_column_of_ours_is=1", WHY_UNKNOWN,
		"a_name_that_is_much_longer_than_any_colu", "no column" },
};

static void
refusals_name_datum_and_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		const char *row = refused[i].row;

		if (row[0] == '+')
			row = arena_printf(&mem, "iccid=%s%s", ICCID, row + 1);
		if (row_read(row))
			fail_msg("%s was taken", row);
		if (fault.why != refused[i].why || strcmp(fault.name, refused[i].name) != 0 ||
			!strstr(fault.reason, refused[i].reason))
			fail_msg("%s: %s %s: %s", row, profile_why_name(fault.why), fault.name,
				fault.reason);
		assert_null(strstr(fault.reason, "0001"));
	}
}

static void
the_column_at_fault_is_told(void **state)
{
	(void)state;
	assert_false(row_read("iccid=" ICCID "|imsi=001011|k=00"));
	assert_int_equal(fault.column, 2);
	assert_false(row_read("iccid=" ICCID "|imsi=001011|x=00"));
	assert_int_equal(fault.column, 2);
	assert_false(row_read("iccid=" ICCID "|op=" HEX16));
	assert_true(fault.column == PROFILE_NO_COLUMN);
}

static void
columns_of_the_caller_are_left_alone(void **state)
{
	struct slice names[] = { SLICE_LIT("eid"), SLICE_LIT("iccid") };
	struct slice texts[] = { SLICE_LIT("8904"), SLICE_LIT(ICCID) };
	struct profile_column columns[2] = { { .field = PERSONAL_SKIPPED } };

	(void)state;
	assert_true(profile_columns_read(&mem, names, 2, columns, &fault));
	assert_int_equal(columns[0].field, PERSONAL_SKIPPED);
	assert_true(profile_row_read(&mem, columns, 2, texts, derive, &got, &fault));
	assert_true(slice_eq(got.value[PERSONAL_ICCID], SLICE_LIT(ICCID)));
}

static void
there_may_be_so_many_columns(void **state)
{
	static struct slice names[PERSONAL_COLUMNS_MAX + 1];
	static struct profile_column columns[PERSONAL_COLUMNS_MAX + 1];
	char text[PERSONAL_KEYS_MAX + 1][16];

	(void)state;
	for (size_t i = 0; i <= PERSONAL_COLUMNS_MAX; i++)
		columns[i].field = PERSONAL_SKIPPED;
	columns[0].field = PERSONAL_ICCID;
	names[0] = SLICE_LIT("iccid");
	assert_true(profile_columns_read(&mem, names, PERSONAL_COLUMNS_MAX, columns, &fault));
	assert_false(profile_columns_read(&mem, names, PERSONAL_COLUMNS_MAX + 1, columns, &fault));
	assert_int_equal(fault.why, WHY_LENGTH);
	for (unsigned i = 0; i < PERSONAL_KEYS_MAX + 1; i++) {
		snprintf(text[i], sizeof text[i], "key_70_%02x", i);
		names[1 + i] = slice_text(text[i]);
		columns[1 + i].field = PERSONAL_KEY;
	}
	assert_true(profile_columns_read(&mem, names, PERSONAL_KEYS_MAX + 1, columns, &fault));
	assert_false(profile_columns_read(&mem, names, PERSONAL_KEYS_MAX + 2, columns, &fault));
	assert_int_equal(fault.why, WHY_LENGTH);
	assert_string_equal(fault.name, "key_70_30");
}

static void
keys_are_sorted(void **state)
{
	(void)state;
	assert_true(row_read("iccid=" ICCID "|psk40=" HEX16 "|kik2=" HEX16 "|kic2=" HEX16
			     "|mac20=" HEX16 "|kid1=" HEX16 "|key_01_01=" HEX32));
	assert_int_equal(got.key_count, 6);
	assert_int_equal(got.key[0].version, 1);
	assert_int_equal(got.key[0].id, 1);
	assert_int_equal(got.key[0].octets.n, 32);
	assert_int_equal(got.key[1].id, 2);
	assert_int_equal(got.key[2].version, 2);
	assert_int_equal(got.key[3].id, 3);
	assert_int_equal(got.key[4].version, 0x20);
	assert_int_equal(got.key[5].version, 0x40);
}

/* ---- the record ---- */

static const char full[] =
	"iccid=" ICCID "|imsi=001010123456789|k=" HEX16 "|op=" HEX16
	"|pin1=1234|pin2=12345|puk1=12345678|puk2=87654321|adm1=1234|adm2=0011223344556677"
	"|adm3=5555|adm4=6666|adm5=7777|acc=0001|msisdn=+49172|smsc=49173|impi=a@b"
	"|impu=sip:a@b|impu2=tel:+4|impu3=sip:c|ri=12|suci_key_id=7|suci_key=" HEX32 "|kic1=" HEX16
	"|kid1=" HEX16 "|psk40=" HEX32;

static void
a_record_gives_back_what_it_holds(void **state)
{
	struct profile_personal again;
	struct slice record;
	const char *why;

	(void)state;
	assert_true(row_read(full));
	record = profile_record_write(&mem, &got);
	assert_in_range(record.n, 300, 600);
	assert_true(profile_record_read(record, &again, &why));
	for (int f = 0; f < PERSONAL_FIELDS; f++)
		if (f != PERSONAL_OP && f != PERSONAL_SUCI_CALC_INFO) {
			assert_non_null(again.value[f].p);
			assert_true(slice_eq(again.value[f], got.value[f]));
		}
	assert_int_equal(again.key_count, 3);
	assert_int_equal(again.key[2].version, 0x40);
	assert_true(slice_eq(again.key[2].octets, got.key[2].octets));
	assert_true(slice_eq(profile_record_write(&mem, &again), record));
}

static void
a_record_has_these_octets(void **state)
{
	static const uint8_t octets[] = { 1, 1, 0, 18, '8', '9', '0', '0', '0', '1', '2', '3', '4',
		'5', '6', '7', '8', '9', '0', '1', '2', '2', 6, 0, 4, '0', '0', '0', '0', 0x40, 0,
		10, 1, 3, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct slice record;

	(void)state;
	assert_true(row_read("pin1=0000|iccid=890001234567890122|kik1=0102030405060708"));
	record = profile_record_write(&mem, &got);
	assert_int_equal(record.n, sizeof octets);
	assert_memory_equal(record.p, octets, sizeof octets);
}

static bool
record_reads(struct slice record)
{
	const char *why = NULL;
	bool fine = profile_record_read(record, &got, &why);

	assert_true(fine || why);
	return fine;
}

#define ICCID_ENTRY "\1\0\x14" ICCID
static void
a_damaged_record_is_refused(void **state)
{
	static const struct slice record[] = {
		SLICE_LIT(""),
		SLICE_LIT("\2" ICCID_ENTRY),      /* another version */
		SLICE_LIT("\1"),                  /* no ICCID */
		SLICE_LIT("\1" ICCID_ENTRY "\2"), /* cut off */
		SLICE_LIT("\1" ICCID_ENTRY "\2\0\6"
			  "00101"), /* cut off */
		SLICE_LIT("\1\2\0\6"
			  "001011" ICCID_ENTRY),         /* not ascending */
		SLICE_LIT("\1" ICCID_ENTRY ICCID_ENTRY), /* twice */
		SLICE_LIT("\1" ICCID_ENTRY "\x1a\0\1x"), /* an unknown field */
		SLICE_LIT("\1" ICCID_ENTRY "\x41\0\1x"), /* one behind the keys */
		SLICE_LIT("\1" ICCID_ENTRY "\2\0\6"
			  "00101x"), /* no digits */
		SLICE_LIT("\1" ICCID_ENTRY "\2\0\5"
			  "00101"),                   /* too short */
		SLICE_LIT("\1" ICCID_ENTRY "\2\0\0"), /* empty */
		SLICE_LIT("\1" ICCID_ENTRY "\5\0\x10"
			  "0123456789abcdef"), /* OP */
		SLICE_LIT("\1" ICCID_ENTRY "\x14\0\5"
			  "sip:a"), /* impu2 alone */
		SLICE_LIT("\1" ICCID_ENTRY "\x17\0\2"
			  "xx"), /* a byte of two */
		SLICE_LIT("\1" ICCID_ENTRY "\x40\0\x09"
			  "\1\1"
			  "1234567"),
		SLICE_LIT("\1" ICCID_ENTRY "\x40\0\x0a"
			  "\1\1"
			  "12345678\x40\0\x0a"
			  "\1\1"
			  "12345678"),
		SLICE_LIT("\1" ICCID_ENTRY "\x40\0\x0a"
			  "\1\2"
			  "12345678\x40\0\x0a"
			  "\1\1"
			  "12345678"),
	};

	(void)state;
	assert_true(record_reads(SLICE_LIT("\1" ICCID_ENTRY)));
	assert_true(record_reads(SLICE_LIT("\1" ICCID_ENTRY "\x40\0\x0a"
					   "\1\1"
					   "12345678")));
	for (size_t i = 0; i < sizeof record / sizeof record[0]; i++)
		if (record_reads(record[i]))
			fail_msg("record %zu was taken", i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values_are_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals_name_datum_and_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(the_column_at_fault_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			columns_of_the_caller_are_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(there_may_be_so_many_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_are_sorted, setup, teardown),
		cmocka_unit_test_setup_teardown(a_record_gives_back_what_it_holds, setup, teardown),
		cmocka_unit_test_setup_teardown(a_record_has_these_octets, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_record_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
