/*
 * PostgreSQL's binary forms of the types that statements use, both ways: numbers big-endian, times as
 * microseconds since 2000, jsonb behind a version octet, arrays of one dimension. Nothing is parsed as
 * text, so no value can be mistaken for SQL and none depends on the session's settings.
 */
#include <assert.h>
#include <endian.h>
#include "store/int.h"

enum { JSONB_VERSION = 1 };

#define EPOCH_US INT64_C(946684800000000) /* 2000-01-01 in microseconds since 1970 */

/* Type numbers are PostgreSQL's, fixed for all time in its catalog. */
static const struct {
	unsigned oid;
	size_t width; /* octets; 0: varies */
	unsigned element;
	const char *name;
} kinds[KIND_COUNT] = {
	[KIND_INT8] = { 20, 8, 0, "bigint" },
	[KIND_INT4] = { 23, 4, 0, "integer" },
	[KIND_INT2] = { 21, 2, 0, "smallint" },
	[KIND_TEXT] = { 25, 0, 0, "text" },
	[KIND_BYTES] = { 17, 0, 0, "bytea" },
	[KIND_BOOL] = { 16, 1, 0, "boolean" },
	[KIND_TIME] = { 1184, 8, 0, "timestamptz" },
	[KIND_UUID] = { 2950, 16, 0, "uuid" },
	[KIND_JSON] = { 3802, 0, 0, "jsonb" },
	[KIND_INT8_ARRAY] = { 1016, 0, 20, "bigint[]" },
	[KIND_TEXT_ARRAY] = { 1009, 0, 25, "text[]" },
	[KIND_BYTES_ARRAY] = { 1001, 0, 17, "bytea[]" },
};

unsigned
kind_oid(enum kind kind)
{
	return kinds[kind].oid;
}

const char *
kind_name(enum kind kind)
{
	return kinds[kind].name;
}

/* Big-endian, `width` octets of a two's complement number. */
static uint8_t *
put_number(uint8_t *p, int64_t number, size_t width)
{
	uint64_t big = htobe64((uint64_t)number);

	memcpy(p, (uint8_t *)&big + sizeof big - width, width);
	return p + width;
}

static int64_t
get_number(const uint8_t *p, size_t width)
{
	int64_t number = (int8_t)p[0];

	for (size_t i = 1; i < width; i++)
		number = (int64_t)((uint64_t)number << 8 | p[i]);
	return number;
}

static uint8_t *
put_octets(uint8_t *p, struct slice s)
{
	if (s.n)
		memcpy(p, s.p, s.n);
	return p + s.n;
}

static struct slice
write_array(struct arena *mem, const struct param *param)
{
	bool numbers = param->kind == KIND_INT8_ARRAY;
	size_t room = 20 + param->n * (numbers ? 12 : 4);
	uint8_t *start, *p;

	for (size_t i = 0; !numbers && i < param->n; i++)
		room += param->slices[i].n;
	p = start = arena_alloc(mem, room);
	p = put_number(p, param->n ? 1 : 0, 4); /* dimensions */
	p = put_number(p, 1, 4);                /* there may be NULLs */
	p = put_number(p, kinds[param->kind].element, 4);
	if (param->n) {
		p = put_number(p, (int64_t)param->n, 4);
		p = put_number(p, 1, 4); /* the first index */
	}
	for (size_t i = 0; i < param->n; i++) {
		if (numbers) {
			p = put_number(p, 8, 4);
			p = put_number(p, param->numbers[i], 8);
		} else if (param->slices[i].p) {
			p = put_number(p, (int64_t)param->slices[i].n, 4);
			p = put_octets(p, param->slices[i]);
		} else {
			p = put_number(p, -1, 4);
		}
	}
	return slice_of(start, (size_t)(p - start));
}

/* Absent for NULL. */
static struct slice
write_value(struct arena *mem, const struct param *param)
{
	size_t width = kinds[param->kind].width;
	uint8_t *p;

	if (param->null)
		return SLICE_NONE;
	switch (param->kind) {
	case KIND_INT8:
	case KIND_INT4:
	case KIND_INT2:
	case KIND_BOOL:
		p = arena_alloc(mem, width);
		put_number(p, param->number, width);
		return slice_of(p, width);
	case KIND_TIME:
		p = arena_alloc(mem, width);
		put_number(p, param->number - EPOCH_US, width);
		return slice_of(p, width);
	case KIND_UUID:
		assert(!param->octets.p || param->octets.n == width);
		return arena_copy(mem, param->octets);
	case KIND_JSON:
		if (!param->octets.p)
			return SLICE_NONE;
		p = arena_alloc(mem, param->octets.n + 1);
		p[0] = JSONB_VERSION;
		put_octets(p + 1, param->octets);
		return slice_of(p, param->octets.n + 1);
	case KIND_INT8_ARRAY:
	case KIND_TEXT_ARRAY:
	case KIND_BYTES_ARRAY:
		return write_array(mem, param);
	default:
		return arena_copy(mem, param->octets);
	}
}

void
values_write(struct values *v, struct arena *mem, const struct param *params, size_t n)
{
	v->n = (int)n;
	v->octets = ARENA_ARRAY(mem, const char *, n);
	v->lengths = ARENA_ARRAY(mem, int, n);
	for (size_t i = 0; i < n; i++) {
		struct slice value = write_value(mem, &params[i]);

		v->octets[i] = (const char *)value.p;
		v->lengths[i] = (int)value.n;
	}
}

static struct slice
read_octets(enum kind kind, struct arena *mem, struct slice value)
{
	return arena_copy(mem, kind == KIND_JSON ? slice_sub(value, 1, value.n) : value);
}

static void
put_member(const struct column *column, void *row, int64_t number)
{
	uint8_t *member = (uint8_t *)row + column->offset;

	switch (column->shape) {
	case SHAPE_I64:
		memcpy(member, &number, sizeof number);
		break;
	case SHAPE_I32:
		memcpy(member, &(int32_t){ (int32_t)number }, sizeof(int32_t));
		break;
	case SHAPE_I16:
		memcpy(member, &(int16_t){ (int16_t)number }, sizeof(int16_t));
		break;
	case SHAPE_BOOL:
		memcpy(member, &(bool){ number != 0 }, sizeof(bool));
		break;
	case SHAPE_ENUM:
		memcpy(member, &(int){ (int)number }, sizeof(int));
		break;
	case SHAPE_SLICE:
		assert(false);
	}
}

bool
value_read(const struct column *column, struct arena *mem, const PGresult *r, int row, int at,
	void *out)
{
	struct slice value = slice_of(PQgetvalue(r, row, at), (size_t)PQgetlength(r, row, at));
	size_t width = kinds[column->kind].width;
	bool null = PQgetisnull(r, row, at);
	int64_t number;

	if (!null && ((width && value.n != width) || (column->kind == KIND_JSON && value.n < 1)))
		return false;
	if (column->shape == SHAPE_SLICE) {
		struct slice copy = null ? SLICE_NONE : read_octets(column->kind, mem, value);

		memcpy((uint8_t *)out + column->offset, &copy, sizeof copy);
		return true;
	}
	if (null && column->shape != SHAPE_I64)
		return false;
	number = null ? STORE_NULL : get_number(value.p, width);
	/* Infinity stays what it is, the greatest number. */
	if (!null && column->kind == KIND_TIME && number < INT64_MAX - EPOCH_US)
		number += EPOCH_US;
	put_member(column, out, number);
	return true;
}
