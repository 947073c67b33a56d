/*
 * Rows with any names and texts: names, a line end, texts, both with ";" between. What is taken becomes a
 * record, and the record the same data again.
 */
#include <stdlib.h>
#include "profile/personal.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static void
derive(const uint8_t k[16], const uint8_t op[16], uint8_t opc[16])
{
	for (int i = 0; i < 16; i++)
		opc[i] = k[i] ^ op[i];
}

static size_t
cells(struct slice line, struct slice *out, size_t most)
{
	size_t count = 0;

	while (count < most) {
		const uint8_t *at = line.n ? memchr(line.p, ';', line.n) : NULL;

		out[count++] = slice_sub(line, 0, at ? (size_t)(at - line.p) : line.n);
		if (!at)
			break;
		line = slice_sub(line, (size_t)(at - line.p) + 1, line.n);
	}
	return count;
}

static void
must_be_equal(const struct profile_personal *a, const struct profile_personal *b)
{
	for (int f = 0; f < PERSONAL_FIELDS; f++)
		if (!slice_eq(a->value[f], b->value[f]))
			abort();
	if (a->key_count != b->key_count)
		abort();
	for (size_t i = 0; i < a->key_count; i++)
		if (!slice_eq(a->key[i].octets, b->key[i].octets))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static struct slice name[PERSONAL_COLUMNS_MAX + 2], text[PERSONAL_COLUMNS_MAX + 2];
	struct profile_column column[PERSONAL_COLUMNS_MAX + 2] = { 0 };
	const uint8_t *end = n ? memchr(octets, '\n', n) : NULL;
	struct slice all = { octets, n }, record;
	struct profile_personal row, kept;
	struct profile_row_fault fault = { .reason = NULL };
	struct arena mem;
	const char *why;
	size_t count;

	if (!end)
		return 0;
	memset(text, 0, sizeof text);
	count = cells(slice_sub(all, 0, (size_t)(end - octets)), name, PERSONAL_COLUMNS_MAX + 2);
	cells(slice_sub(all, (size_t)(end - octets) + 1, n), text, PERSONAL_COLUMNS_MAX + 2);
	arena_init(&mem, 16u << 20, NULL, NULL);
	if (profile_columns_read(&mem, name, count, column, &fault) &&
		profile_row_read(&mem, column, count, text, derive, &row, &fault)) {
		record = profile_record_write(&mem, &row);
		if (!record.p || !profile_record_read(record, &kept, &why))
			abort();
		must_be_equal(&row, &kept);
	} else if (!fault.reason || !fault.name || strlen(profile_why_name(fault.why)) == 0) {
		abort();
	}
	arena_fini(&mem);
	return 0;
}
