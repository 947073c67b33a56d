/*
 * Personal data as one record, which the database keeps sealed: version 01, then number 1 ‖ length 2 ‖
 * value, ascending. There is one record for given data, and only what a row could have brought is
 * read back, so a package made of a record is the one that was checked when it was loaded.
 */
#include "profile/personal_int.h"

#include "base/buf.h"

enum { VERSION = 1 };

static void
entry_put(struct buf *out, uint8_t number, struct slice head, struct slice value)
{
	buf_put_u8(out, number);
	buf_put_u16(out, (uint16_t)(head.n + value.n));
	buf_put(out, head);
	buf_put(out, value);
}

struct slice
profile_record_write(struct arena *mem, const struct profile_personal *in)
{
	struct buf out;

	buf_init(&out, mem, PERSONAL_RECORD_MAX);
	buf_put_u8(&out, VERSION);
	for (int f = 0; f < PERSONAL_FIELDS; f++)
		if (personal_has(in, (enum profile_field)f))
			entry_put(&out, personal_row[f].number, SLICE_NONE, in->value[f]);
	for (size_t i = 0; i < in->key_count; i++) {
		uint8_t which[2] = { in->key[i].version, in->key[i].id };

		entry_put(&out, PERSONAL_RECORD_KEY, SLICE_ARRAY(which), in->key[i].octets);
	}
	return buf_get(&out);
}

static bool
entry_read(struct slice *rest, uint8_t *number, struct slice *value)
{
	size_t n;

	if (rest->n < 3)
		return false;
	n = (size_t)(rest->p[1] << 8 | rest->p[2]);
	if (n > rest->n - 3)
		return false;
	*number = rest->p[0];
	*value = slice_sub(*rest, 3, n);
	*rest = slice_sub(*rest, 3 + n, rest->n);
	return true;
}

static bool
key_read(struct slice value, struct profile_personal *out)
{
	struct profile_key *key = &out->key[out->key_count];

	if (value.n < 2 + PERSONAL_KEY_LEAST || value.n > 2 + PERSONAL_KEY_MOST ||
		out->key_count == PERSONAL_KEYS_MAX)
		return false;
	*key = (struct profile_key){ value.p[0], value.p[1], slice_sub(value, 2, value.n) };
	if (out->key_count++ == 0)
		return true;
	return key[-1].version * 256 + key[-1].id < key->version * 256 + key->id;
}

/* The field of that number, or PERSONAL_FIELDS. OP is never kept. */
static enum profile_field
field_of(uint8_t number)
{
	int f = 0;

	while (f < PERSONAL_FIELDS && (personal_row[f].number != number || f == PERSONAL_OP))
		f++;
	return (enum profile_field)f;
}

static bool
entries_read(struct arena *mem, struct slice rest, struct profile_personal *out)
{
	struct profile_row_fault fault;
	uint8_t number, last = 0;
	struct slice value;

	for (; rest.n > 0; last = number) {
		if (!entry_read(&rest, &number, &value))
			return false;
		if (number == PERSONAL_RECORD_KEY) {
			if (!key_read(value, out))
				return false;
			continue;
		}
		if (number <= last || field_of(number) == PERSONAL_FIELDS ||
			!personal_value_holds(mem, field_of(number), value, &fault))
			return false;
		out->value[field_of(number)] = value;
	}
	return personal_values_agree(out, &fault);
}

bool
profile_record_read(struct slice record, struct profile_personal *out, const char **why)
{
	struct arena words; /* of refusals, which nobody reads here */
	bool fine;

	*out = (struct profile_personal){ .key_count = 0 };
	if (record.n == 0 || record.n > PERSONAL_RECORD_MAX || record.p[0] != VERSION) {
		*why = "the record of personal data is of another version";
		return false;
	}
	arena_init(&words, 4096, NULL, NULL);
	fine = entries_read(&words, slice_sub(record, 1, record.n), out);
	arena_fini(&words);
	if (!fine)
		*why = "the record of personal data is damaged";
	return fine;
}
