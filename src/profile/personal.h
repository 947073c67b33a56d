#ifndef PROFILE_PERSONAL_H
#define PROFILE_PERSONAL_H
/*
 * Personal data of one profile (personal.def): read from rows of named texts, which a CSV file or JSON
 * lines bring, and kept as one record of a few hundred octets, which the caller seals. What a template
 * wants of them, and the package made of both: profile/template.h.
 */
#include "base/arena.h"

#define FIELD(number, name, ...) PERSONAL_##name,
#define KEYS(...)
enum profile_field {
#include "profile/personal.def"
	PERSONAL_FIELDS,                /* how many there are */
	PERSONAL_KEY = PERSONAL_FIELDS, /* of columns: a key of a security domain */
	PERSONAL_SKIPPED                /* of columns: the caller's own, or none of ours */
};
#undef FIELD
#undef KEYS

#define PERSONAL_KEYS_MAX 48u
#define PERSONAL_COLUMNS_MAX 128u

/* A key of a security domain. */
struct profile_key {
	uint8_t version, id;
	struct slice octets;
};

/*
 * Slices point where the reader was told to put things; an absent one was not given. Digits and texts
 * are ASCII as they were written, an ICCID without a pad; HEX and ADM are the octets; BYTE is one octet;
 * PINs are digits, not yet padded. PERSONAL_OP is absent always: PERSONAL_OPC stands for it.
 */
struct profile_personal {
	struct slice value[PERSONAL_FIELDS];
	struct profile_key key[PERSONAL_KEYS_MAX]; /* ascending by version, then id */
	size_t key_count;
};

/* What a column means. */
struct profile_column {
	enum profile_field field;
	uint8_t version, id; /* PERSONAL_KEY: which */
};

enum profile_why {
	WHY_UNKNOWN,       /* no such column */
	WHY_TWICE,         /* two columns, or two names of one, for the same datum */
	WHY_MISSING,       /* must be given */
	WHY_CONTRADICTORY, /* two data that exclude each other */
	WHY_LENGTH,
	WHY_DIGITS, /* something else than digits */
	WHY_HEX,    /* something else than hexadecimal, or half an octet */
	WHY_TEXT,   /* other characters than are possible there */
	WHY_LUHN,
	WHY_PLACE, /* the template has no place for it */
	WHY_COUNT
};

#define PROFILE_NO_COLUMN ((size_t)-1)

/* Why a row, or a line of column names, was refused. Neither name nor words repeat a value. */
struct profile_row_fault {
	enum profile_why why;
	size_t column;      /* index of the text at fault, or PROFILE_NO_COLUMN: it is missing */
	const char *name;   /* of the datum: "k", "kic1"; of an unknown column: as it was written */
	const char *reason; /* "has 30 digits; 32 or 64 are possible", in the arena or static */
};

/* The word of a reason for programs: "unknown", "twice", "missing" … */
const char *profile_why_name(enum profile_why why);

/* The name of a field in messages, the first of its columns. */
const char *profile_field_name(enum profile_field field);
/* The name of a column, also of a key's: "kic1", "key_70_01". In the arena or static. */
const char *profile_column_name(struct arena *mem, const struct profile_column *column);

/* What the column of that name means; false when it is none of ours. */
bool profile_column_find(struct slice name, struct profile_column *out);

/*
 * The columns of all rows to come, once per file (or per JSON line): out[0 … n). A column whose field
 * was set to PERSONAL_SKIPPED before the call is the caller's and stays so; the caller sets the others to
 * anything else (a zeroed array will do). False at the first that is unknown, or there twice, or when
 * there are more than PERSONAL_COLUMNS_MAX, or no ICCID.
 */
bool profile_columns_read(struct arena *mem, const struct slice *names, size_t n,
	struct profile_column *out, struct profile_row_fault *fault);

/*
 * One row: texts[i] under columns[i]. Blanks around a text do not count; an empty or absent text is a
 * datum not given. Texts must be UTF-8 as base/csv.h leaves them. Octets and copies go to the arena.
 * False at the first text that is refused, else when data contradict each other. Which data a template
 * needs is judged by profile_template_row_holds. `derive` makes OPc of K and OP: crypto_milenage_opc.
 */
typedef void profile_opc(const uint8_t k[16], const uint8_t op[16], uint8_t opc[16]);
bool profile_row_read(struct arena *mem, const struct profile_column *columns, size_t n,
	const struct slice *texts, profile_opc *derive, struct profile_personal *out,
	struct profile_row_fault *fault);

/*
 * As one record: version 01, then field number 1 ‖ length 2 ‖ value, ascending; keys follow as number
 * 40 with version and id before the key. It holds secrets and is to be sealed. At most
 * PERSONAL_RECORD_MAX octets, in the arena.
 */
#define PERSONAL_RECORD_MAX 8192u
struct slice profile_record_write(struct arena *mem, const struct profile_personal *in);

/*
 * The reverse; slices point into `record`. False with a reason when it is not exactly what
 * profile_record_write makes: another version, an unknown field, a value that no row could have brought.
 */
bool profile_record_read(struct slice record, struct profile_personal *out, const char **why);

#endif
