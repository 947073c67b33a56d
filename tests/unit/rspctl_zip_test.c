/* ZIP files, walked by hand (APPNOTE 6.3, §4.3): each member twice told alike, where the directory says it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "rspctl/zip.h"

static char *octets;
static size_t size;

static uint32_t
number(size_t at, int n)
{
	uint32_t out = 0;

	assert_true(at + (size_t)n <= size);
	for (int i = n; i-- > 0;)
		out = out << 8 | (uint8_t)octets[at + (size_t)i];
	return out;
}

/* The member that the directory's entry at `*at` tells of; *at goes on behind the entry. */
static void
must_have(size_t *at, const char *name, const char *content)
{
	size_t n = strlen(content), name_n = strlen(name), local = number(*at + 42, 4);

	assert_int_equal(number(*at, 4), 0x02014b50);
	assert_int_equal(number(local, 4), 0x04034b50);
	/* Version, flags, method, time, date, CRC, sizes, lengths: the same in both. */
	assert_memory_equal(octets + *at + 6, octets + local + 4, 26);
	assert_int_equal(number(local + 6, 2), 0x0800); /* UTF-8 */
	assert_int_equal(number(local + 8, 2), 0);      /* stored */
	assert_int_equal(number(local + 14, 4), crc32(0, (const Bytef *)content, (uInt)n));
	assert_int_equal(number(local + 18, 4), n);
	assert_int_equal(number(local + 22, 4), n);
	assert_int_equal(number(local + 26, 2), name_n);
	assert_int_equal(number(local + 28, 2), 0);
	assert_memory_equal(octets + local + 30, name, name_n);
	assert_memory_equal(octets + local + 30 + name_n, content, n);
	assert_memory_equal(octets + *at + 46, name, name_n);
	*at += 46 + name_n;
}

static void
members_are_where_the_directory_says(void **state)
{
	FILE *out = open_memstream(&octets, &size);
	struct rspctl_zip *z = rspctl_zip_new(out);
	size_t end, at;

	(void)state;
	assert_true(rspctl_zip_put(z, "codes/1.png", "first", 5));
	assert_true(rspctl_zip_put(z, "caf\xc3\xa9.txt", "", 0));
	assert_true(rspctl_zip_put(z, "3", "the third", 9));
	assert_true(rspctl_zip_free(z));
	fclose(out);
	end = size - 22;
	assert_int_equal(number(end, 4), 0x06054b50);
	assert_int_equal(number(end + 8, 2), 3);
	assert_int_equal(number(end + 10, 2), 3);
	at = number(end + 16, 4);
	assert_int_equal(at + number(end + 12, 4), end);
	must_have(&at, "codes/1.png", "first");
	must_have(&at, "caf\xc3\xa9.txt", "");
	must_have(&at, "3", "the third");
	assert_int_equal(at, end);
	free(octets);
}

static void
an_empty_file_has_a_directory(void **state)
{
	FILE *out = open_memstream(&octets, &size);

	(void)state;
	assert_true(rspctl_zip_free(rspctl_zip_new(out)));
	fclose(out);
	assert_int_equal(size, 22);
	assert_int_equal(number(0, 4), 0x06054b50);
	for (size_t i = 4; i < 22; i++)
		assert_int_equal(octets[i], 0);
	free(octets);
}

static void
more_members_than_can_be_counted(void **state)
{
	FILE *out = open_memstream(&octets, &size);
	struct rspctl_zip *z = rspctl_zip_new(out);

	(void)state;
	for (int i = 0; i < RSPCTL_ZIP_MOST; i++)
		assert_true(rspctl_zip_put(z, "x", "", 0));
	assert_false(rspctl_zip_put(z, "x", "", 0));
	assert_true(rspctl_zip_free(z));
	fclose(out);
	assert_int_equal(number(size - 12, 2), RSPCTL_ZIP_MOST);
	free(octets);
}

/* What cannot be written is told, at the end at the latest. */
static void
a_disk_that_is_full(void **state)
{
	static char much[1 << 16];
	FILE *out = fopen("/dev/full", "w");
	struct rspctl_zip *z;
	bool fine = true;

	(void)state;
	assert_non_null(out);
	setvbuf(out, NULL, _IONBF, 0);
	z = rspctl_zip_new(out);
	for (int i = 0; i < 3; i++)
		fine = rspctl_zip_put(z, "x", much, sizeof much) && fine;
	assert_false(fine);
	assert_false(rspctl_zip_free(z));
	fclose(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_where_the_directory_says),
		cmocka_unit_test(an_empty_file_has_a_directory),
		cmocka_unit_test(more_members_than_can_be_counted),
		cmocka_unit_test(a_disk_that_is_full),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspctl_zip", tests, NULL, NULL);
}
