#ifndef PROFILE_PERSONAL_INT_H
#define PROFILE_PERSONAL_INT_H
/* Inside profile/: the table of personal.def, and the rules that rows and records have in common. */
#include "profile/personal.h"

enum personal_kind {
	KIND_ICCID,
	KIND_DIGITS,
	KIND_NUMBER,
	KIND_PIN,
	KIND_HEX,
	KIND_ADM,
	KIND_BYTE,
	KIND_TEXT
};

struct personal_row {
	uint8_t number; /* in the record */
	enum personal_kind kind;
	uint16_t least, most; /* digits, octets or characters */
	const char *name;
	const char *others; /* other names, a blank between */
};

extern const struct personal_row personal_row[PERSONAL_FIELDS];

/* Keys of security domains, octets. */
enum { PERSONAL_KEY_LEAST = 8, PERSONAL_KEY_MOST = 64 };

/* The number of keys in a record. */
#define PERSONAL_RECORD_KEY 0x40

/* All three fill the fault, but for its column, and return false. */
bool personal_refuse(struct profile_row_fault *fault, enum profile_why why, const char *name,
	const char *reason);
/* A value as it is kept: its length and what it is made of. */
bool personal_value_holds(struct arena *mem, enum profile_field field, struct slice value,
	struct profile_row_fault *fault);
/* What is given against what else is given. */
bool personal_values_agree(const struct profile_personal *in, struct profile_row_fault *fault);

static inline bool
personal_has(const struct profile_personal *in, enum profile_field field)
{
	return in->value[field].p != NULL;
}

#endif
