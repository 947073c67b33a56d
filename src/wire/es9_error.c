/* Refusals of ES9+ as the error integers of its ASN.1 binding (SGP.22 §6.6), by wire/es9_errors.def. */
#include "wire/es9.h"

#include <string.h>

enum { FUNCTIONS = 4 };

/* In the order of the table's columns. */
static const uint32_t tags[FUNCTIONS] = { WIRE_TAG_INITIATE_AUTHENTICATION,
	WIRE_TAG_AUTHENTICATE_CLIENT, WIRE_TAG_GET_BOUND_PROFILE_PACKAGE, WIRE_TAG_CANCEL_SESSION };

static const struct row {
	const char *subject, *reason;
	uint8_t error[FUNCTIONS];
} rows[] = {
#define ERROR(subject, reason, ...) { subject, reason, { __VA_ARGS__ } },
#include "wire/es9_errors.def"
};

unsigned
wire_es9_error(uint32_t tag, const char *subject, const char *reason)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].subject, subject) == 0 && strcmp(rows[i].reason, reason) == 0)
			for (size_t f = 0; f < FUNCTIONS; f++)
				if (tags[f] == tag)
					return rows[i].error[f];
	return WIRE_ES9_UNDEFINED;
}
