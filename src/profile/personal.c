/*
 * Rows of personal data (personal.def): which column is which datum, and each text as the octets that are
 * kept. Refusals name the datum and what is wrong with it, never the value: they end up in reports and logs.
 */
#include "profile/personal_int.h"

#include "base/text.h"

#define KEYS(...)
#define FIELD(number, field, kind, least, most, name, others, ...) \
	[PERSONAL_##field] = { number, KIND_##kind, least, most, name, others },
const struct personal_row personal_row[PERSONAL_FIELDS] = {
#include "profile/personal.def"
};
#undef FIELD
#undef KEYS

enum numbering { DECIMAL, HEXADECIMAL };

#define FIELD(...)
#define KEYS(prefix, numbering, first, last, id, ...) { prefix, numbering, first, last, id },
static const struct {
	const char *prefix;
	enum numbering numbering;
	uint8_t first, last, id;
} keys[] = {
#include "profile/personal.def"
};
#undef FIELD
#undef KEYS

#define KEYS_COUNT (sizeof keys / sizeof keys[0])

/* Longer names are no columns of ours; as many octets are repeated in messages. */
enum { NAME_MAX = 40 };

const char *
profile_why_name(enum profile_why why)
{
	static const char *const name[WHY_COUNT] = {
		[WHY_UNKNOWN] = "unknown",
		[WHY_TWICE] = "twice",
		[WHY_MISSING] = "missing",
		[WHY_CONTRADICTORY] = "contradictory",
		[WHY_LENGTH] = "length",
		[WHY_DIGITS] = "digits",
		[WHY_HEX] = "hexadecimal",
		[WHY_TEXT] = "text",
		[WHY_LUHN] = "luhn",
		[WHY_PLACE] = "place",
	};

	return name[why];
}

/* ---- columns ---- */

const char *
profile_field_name(enum profile_field field)
{
	return personal_row[field].name;
}

const char *
profile_column_name(struct arena *mem, const struct profile_column *column)
{
	if (column->field < PERSONAL_FIELDS)
		return profile_field_name(column->field);
	for (size_t i = 0; i < KEYS_COUNT; i++)
		if (column->id == keys[i].id && column->version >= keys[i].first &&
			column->version <= keys[i].last)
			return keys[i].numbering == DECIMAL
				? arena_printf(mem, "%s%u", keys[i].prefix, column->version)
				: arena_printf(mem, "%s%02x", keys[i].prefix, column->version);
	return arena_printf(mem, "key_%02x_%02x", column->version, column->id);
}

/* Lower case, without what separates words; empty when it is too long. */
static struct slice
name_plain(struct slice name, char plain[NAME_MAX])
{
	size_t n = 0;

	name = slice_trim(name);
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (c == ' ' || c == '_' || c == '-')
			continue;
		if (n == NAME_MAX)
			return SLICE_NONE;
		plain[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	return slice_of(plain, n);
}

/* Takes the next of several names, a blank between, off `rest`. */
static bool
name_next(const char **rest, struct slice *name)
{
	*rest += strspn(*rest, " ");
	*name = slice_of(*rest, strcspn(*rest, " "));
	*rest += name->n;
	return name->n > 0;
}

static bool
field_is(const struct personal_row *row, struct slice plain)
{
	const char *rest = row->others;
	char ours[NAME_MAX];
	struct slice name = slice_text(row->name);

	do {
		if (slice_eq(plain, name_plain(name, ours)))
			return true;
	} while (name_next(&rest, &name));
	return false;
}

static bool
field_find(struct slice plain, struct profile_column *out)
{
	for (int f = 0; f < PERSONAL_FIELDS; f++)
		if (field_is(&personal_row[f], plain)) {
			*out = (struct profile_column){ .field = (enum profile_field)f };
			return true;
		}
	return false;
}

/* A number without sign in that base, one or two digits, or exactly two. */
static bool
number_read(struct slice digits, enum numbering numbering, uint8_t *out)
{
	uint8_t value = 0;

	if (digits.n == 0 || digits.n > 2 || (numbering == HEXADECIMAL && digits.n != 2))
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		uint8_t c = digits.p[i];

		if (c >= '0' && c <= '9')
			c -= '0';
		else if (numbering == HEXADECIMAL && c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else
			return false;
		value = (uint8_t)(value * (numbering == HEXADECIMAL ? 16 : 10) + c);
	}
	*out = value;
	return true;
}

static bool
key_find(struct slice plain, struct profile_column *out)
{
	struct slice number = slice_sub(plain, 3, plain.n);

	*out = (struct profile_column){ .field = PERSONAL_KEY };
	if (slice_eq(slice_sub(plain, 0, 3), SLICE_LIT("key")))
		return plain.n == 7 &&
			number_read(slice_sub(number, 0, 2), HEXADECIMAL, &out->version) &&
			number_read(slice_sub(number, 2, 2), HEXADECIMAL, &out->id);
	for (size_t i = 0; i < KEYS_COUNT; i++)
		if (slice_eq(slice_sub(plain, 0, 3), slice_text(keys[i].prefix))) {
			out->id = keys[i].id;
			return number_read(number, keys[i].numbering, &out->version) &&
				out->version >= keys[i].first && out->version <= keys[i].last;
		}
	return false;
}

bool
profile_column_find(struct slice name, struct profile_column *out)
{
	char plain[NAME_MAX];
	struct slice s = name_plain(name, plain);

	return s.n > 0 && (field_find(s, out) || key_find(s, out));
}

static bool
column_eq(const struct profile_column *a, const struct profile_column *b)
{
	return a->field == b->field && a->version == b->version && a->id == b->id;
}

bool
profile_columns_read(struct arena *mem, const struct slice *names, size_t n,
	struct profile_column *out, struct profile_row_fault *fault)
{
	size_t key_count = 0;
	bool iccid = false;

	fault->column = n < PERSONAL_COLUMNS_MAX ? n : PERSONAL_COLUMNS_MAX;
	if (n > PERSONAL_COLUMNS_MAX)
		return personal_refuse(fault, WHY_LENGTH, "columns", "are more than are possible");
	for (size_t i = 0; i < n; i++) {
		if (out[i].field == PERSONAL_SKIPPED)
			continue;
		fault->column = i;
		if (!profile_column_find(names[i], &out[i]))
			return personal_refuse(fault, WHY_UNKNOWN,
				arena_string(mem, slice_sub(names[i], 0, NAME_MAX)),
				"is no column that is known");
		for (size_t k = 0; k < i; k++)
			if (column_eq(&out[k], &out[i]))
				return personal_refuse(fault, WHY_TWICE,
					profile_column_name(mem, &out[i]), "is there twice");
		key_count += out[i].field == PERSONAL_KEY;
		if (key_count > PERSONAL_KEYS_MAX)
			return personal_refuse(fault, WHY_LENGTH, profile_column_name(mem, &out[i]),
				"is one key more than are possible");
		iccid = iccid || out[i].field == PERSONAL_ICCID;
	}
	fault->column = PROFILE_NO_COLUMN;
	return iccid || personal_refuse(fault, WHY_MISSING, "iccid", "is missing");
}

/* ---- values ---- */

bool
personal_refuse(
	struct profile_row_fault *fault, enum profile_why why, const char *name, const char *reason)
{
	fault->why = why;
	fault->name = name;
	fault->reason = reason;
	return false;
}

/* Fields of a few lengths; the others may have any between least and most. */
static bool
length_holds(enum profile_field field, size_t n)
{
	switch (field) {
	case PERSONAL_K:
	case PERSONAL_OPC:
		return n == 16 || n == 32;
	case PERSONAL_SUCI_KEY:
		return n == 32 || n == 33 || n == 65;
	default:
		return n >= personal_row[field].least && n <= personal_row[field].most;
	}
}

static const char *
length_words(struct arena *mem, enum profile_field field, size_t n)
{
	const struct personal_row *row = &personal_row[field];
	const char *unit = row->kind == KIND_HEX ? "octets"
		: row->kind == KIND_TEXT         ? "characters"
						 : "digits";

	if (field == PERSONAL_K || field == PERSONAL_OPC)
		return arena_printf(mem, "has %zu octets; 16 or 32 are possible", n);
	if (field == PERSONAL_SUCI_KEY)
		return arena_printf(mem, "has %zu octets; 32, 33 or 65 are possible", n);
	if (row->least == row->most)
		return arena_printf(mem, "has %zu %s instead of %u", n, unit, row->least);
	return arena_printf(
		mem, "has %zu %s; %u to %u are possible", n, unit, row->least, row->most);
}

/* Identities of the IMS are ASCII without blanks (RFC 4282, RFC 3261, RFC 3966). */
static bool
text_holds(enum profile_field field, struct slice text, struct profile_row_fault *fault)
{
	const char *name = profile_field_name(field);

	if (!text_is_printable(text) || memchr(text.p, ' ', text.n))
		return personal_refuse(
			fault, WHY_TEXT, name, "holds blanks or something else than ASCII");
	if (field == PERSONAL_IMPI)
		return memchr(text.p, '@', text.n) ||
			personal_refuse(fault, WHY_TEXT, name, "is not user@realm");
	return slice_eq_nocase(slice_sub(text, 0, 4), SLICE_LIT("sip:")) ||
		slice_eq_nocase(slice_sub(text, 0, 5), SLICE_LIT("sips:")) ||
		slice_eq_nocase(slice_sub(text, 0, 4), SLICE_LIT("tel:")) ||
		personal_refuse(fault, WHY_TEXT, name, "begins with neither sip: nor tel:");
}

bool
personal_value_holds(struct arena *mem, enum profile_field field, struct slice value,
	struct profile_row_fault *fault)
{
	const char *name = profile_field_name(field);
	enum personal_kind kind = personal_row[field].kind;
	struct slice digits = value;

	if (kind == KIND_NUMBER && value.n > 0 && value.p[0] == '+')
		digits = slice_sub(value, 1, value.n);
	if (kind == KIND_BYTE)
		return value.n == 1 || personal_refuse(fault, WHY_LENGTH, name, "is not 0 to 255");
	if (kind != KIND_HEX && kind != KIND_ADM && kind != KIND_TEXT && digits.n > 0 &&
		!slice_is_digits(digits))
		return personal_refuse(fault, WHY_DIGITS, name, "holds something else than digits");
	if (!length_holds(field, digits.n))
		return personal_refuse(fault, WHY_LENGTH, name, length_words(mem, field, digits.n));
	if (kind == KIND_TEXT)
		return text_holds(field, value, fault);
	if (kind == KIND_ICCID && !text_iccid_luhn(value))
		return personal_refuse(fault, WHY_LUHN, name, "has a wrong last digit (Luhn)");
	return true;
}

/* Pairs in which one asks for the other, or excludes it. */
static const struct {
	enum profile_field given, other;
	enum profile_why why; /* WHY_MISSING: other is needed */
	const char *reason;   /* about the one at fault: other when it is missing, else given */
} pairs[] = {
	{ PERSONAL_OP, PERSONAL_OPC, WHY_CONTRADICTORY, "stands beside opc, which is enough" },
	{ PERSONAL_OP, PERSONAL_K, WHY_MISSING, "is missing; OPc is made of op and k" },
	{ PERSONAL_IMPU2, PERSONAL_IMPU, WHY_MISSING, "is missing, but impu2 is there" },
	{ PERSONAL_IMPU3, PERSONAL_IMPU2, WHY_MISSING, "is missing, but impu3 is there" },
	{ PERSONAL_SUCI_KEY, PERSONAL_SUCI_CALC_INFO, WHY_CONTRADICTORY,
		"stands beside suci_calc_info, which is enough" },
	{ PERSONAL_SUCI_KEY_ID, PERSONAL_SUCI_CALC_INFO, WHY_CONTRADICTORY,
		"stands beside suci_calc_info, which is enough" },
	{ PERSONAL_SUCI_KEY, PERSONAL_SUCI_KEY_ID, WHY_MISSING,
		"is missing, but suci_key is there" },
	{ PERSONAL_SUCI_KEY_ID, PERSONAL_SUCI_KEY, WHY_MISSING,
		"is missing, but suci_key_id is there" },
};

bool
personal_values_agree(const struct profile_personal *in, struct profile_row_fault *fault)
{
	if (!personal_has(in, PERSONAL_ICCID))
		return personal_refuse(fault, WHY_MISSING, "iccid", "is missing");
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		bool missing = pairs[i].why == WHY_MISSING;

		if (personal_has(in, pairs[i].given) && personal_has(in, pairs[i].other) != missing)
			return personal_refuse(fault, pairs[i].why,
				profile_field_name(missing ? pairs[i].other : pairs[i].given),
				pairs[i].reason);
	}
	if (personal_has(in, PERSONAL_OP) && in->value[PERSONAL_K].n != 16)
		return personal_refuse(
			fault, WHY_CONTRADICTORY, "op", "is for Milenage, but k has not 16 octets");
	return true;
}

/* ---- rows ---- */

static bool
hex_read(struct arena *mem, const char *name, struct slice text, struct slice *out,
	struct profile_row_fault *fault)
{
	if (text.n % 2)
		return personal_refuse(
			fault, WHY_HEX, name, "has an odd number of hexadecimal digits");
	return text_unhex(mem, text, out) ||
		personal_refuse(
			fault, WHY_HEX, name, "holds something else than hexadecimal digits");
}

/* An administrative code: eight octets, or digits as ASCII with FF behind (TS 102 221 §9.5.1). */
static bool
adm_read(struct arena *mem, const char *name, struct slice text, struct slice *out,
	struct profile_row_fault *fault)
{
	uint8_t *code;

	if (text.n == 16)
		return hex_read(mem, name, text, out, fault);
	if (!slice_is_digits(text))
		return personal_refuse(
			fault, WHY_DIGITS, name, "is neither digits nor 16 hexadecimal digits");
	if (text.n < 4 || text.n > 8)
		return personal_refuse(fault, WHY_LENGTH, name,
			arena_printf(mem,
				"has %zu digits; 4 to 8, or 16 hexadecimal ones, are possible",
				text.n));
	code = arena_alloc(mem, 8);
	memset(code, 0xff, 8);
	memcpy(code, text.p, text.n);
	*out = slice_of(code, 8);
	return true;
}

static bool
value_read(struct arena *mem, enum profile_field field, struct slice text, struct slice *out,
	struct profile_row_fault *fault)
{
	const char *name = profile_field_name(field);
	uint64_t number;
	uint8_t *byte;

	if (field == PERSONAL_ICCID && text.n == 20 && (text.p[19] == 'F' || text.p[19] == 'f'))
		text.n--; /* the pad */
	switch (personal_row[field].kind) {
	case KIND_HEX:
		return hex_read(mem, name, text, out, fault);
	case KIND_ADM:
		return adm_read(mem, name, text, out, fault);
	case KIND_BYTE:
		if (!slice_to_u64(text, 255, &number))
			return personal_refuse(fault, WHY_DIGITS, name, "is not 0 to 255");
		byte = arena_alloc(mem, 1);
		*byte = (uint8_t)number;
		*out = slice_of(byte, 1);
		return true;
	default:
		*out = arena_copy(mem, text);
		return true;
	}
}

static bool
key_read(struct arena *mem, const struct profile_column *column, struct slice text,
	struct profile_personal *out, struct profile_row_fault *fault)
{
	struct profile_key key = { .version = column->version, .id = column->id };
	size_t at = out->key_count;

	/* The name is made only when it is told: a load reads keys by the million. */
	if (!text_unhex(mem, text, &key.octets))
		return hex_read(mem, profile_column_name(mem, column), text, &key.octets, fault);
	if (key.octets.n < PERSONAL_KEY_LEAST || key.octets.n > PERSONAL_KEY_MOST)
		return personal_refuse(fault, WHY_LENGTH, profile_column_name(mem, column),
			arena_printf(mem, "has %zu octets; %u to %u are possible", key.octets.n,
				PERSONAL_KEY_LEAST, PERSONAL_KEY_MOST));
	for (; at > 0; at--) {
		const struct profile_key *before = &out->key[at - 1];

		if (before->version * 256 + before->id < key.version * 256 + key.id)
			break;
		out->key[at] = *before;
	}
	out->key[at] = key;
	out->key_count++;
	return true;
}

/* OPc in the place of OP. */
static void
op_replace(struct arena *mem, profile_opc *derive, struct profile_personal *p)
{
	uint8_t *opc = arena_alloc(mem, 16);

	derive(p->value[PERSONAL_K].p, p->value[PERSONAL_OP].p, opc);
	p->value[PERSONAL_OPC] = slice_of(opc, 16);
	p->value[PERSONAL_OP] = SLICE_NONE;
}

bool
profile_row_read(struct arena *mem, const struct profile_column *columns, size_t n,
	const struct slice *texts, profile_opc *derive, struct profile_personal *out,
	struct profile_row_fault *fault)
{
	*out = (struct profile_personal){ .key_count = 0 };
	for (size_t i = 0; i < n; i++) {
		enum profile_field field = columns[i].field;
		struct slice text = slice_trim(texts[i]);

		if (field == PERSONAL_SKIPPED || text.n == 0)
			continue;
		fault->column = i;
		if (field == PERSONAL_KEY) {
			if (!key_read(mem, &columns[i], text, out, fault))
				return false;
		} else if (!value_read(mem, field, text, &out->value[field], fault) ||
			!personal_value_holds(mem, field, out->value[field], fault)) {
			return false;
		}
	}
	fault->column = PROFILE_NO_COLUMN;
	if (!personal_values_agree(out, fault))
		return false;
	if (personal_has(out, PERSONAL_OP))
		op_replace(mem, derive, out);
	return true;
}
