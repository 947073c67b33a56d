#ifndef WIRE_JSON_H
#define WIRE_JSON_H
/*
 * Messages as JSON (SGP.22 §6.5): members by table, the status block of §6.5.1.4. Reading is lenient
 * where real peers are odd, and counts it; writing is exact.
 */
#include "base/buf.h"
#include "wire/message.h"

/* Why a function failed. Texts that need no escaping. */
struct wire_status {
	const char *subject, *reason; /* codes of §5.2.6 */
	const char *words;
};

struct json_t;

/*
 * A body as a JSON object, released with the arena; NULL when it is none, or more than a request of a few
 * members may be.
 */
struct json_t *wire_json_object_read(struct arena *mem, struct slice body);

/*
 * Reads the members of an object into `state`; unknown ones are skipped. WIRE_UNREADABLE: the body is no
 * JSON object. Octets live in the arena. `*name` is the member that is wrong.
 */
enum wire_fault wire_json_read(struct arena *mem, struct slice body,
	const struct wire_message *message, void *state, const char **name);

/*
 * The whole answer: status block, then the members out of `state`, absent ones left out. Of a function that
 * failed there are none on ES9+ and ES2+.
 */
struct slice wire_json_answer_write(struct arena *mem, const struct wire_status *failed,
	const struct wire_message *message, const void *state);

#endif
