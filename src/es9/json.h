#ifndef ES9_JSON_H
#define ES9_JSON_H
/*
 * The JSON forms of ES9+ (SGP.22 §6.5.2): which member holds which octets, as tables. Reading is lenient
 * where real LPAs are odd, and counts it; writing is exact.
 */
#include "base/buf.h"
#include "dp/refusal.h"

enum json_form { JSON_BASE64, JSON_HEX, JSON_TEXT };

struct json_member {
	const char *name;
	enum json_form form;
	size_t offset; /* of a struct slice in the procedure's struct */
};

/* What a body was that could not be read. */
enum json_fault { JSON_FINE, JSON_NO_JSON, JSON_MISSING, JSON_INVALID };

/*
 * Reads the members of an object into `state`; all are mandatory, unknown ones are skipped. Octets live
 * in the arena. `*name` is the member that is wrong.
 */
enum json_fault json_members_read(struct arena *mem, struct slice body,
	const struct json_member *members, size_t n, void *state, const char **name);

/* The whole answer: status block, then the members out of `state` unless `no` refuses. */
struct slice json_answer_write(struct arena *mem, const struct dp_refusal *no,
	const struct json_member *members, size_t n, const void *state);

#endif
