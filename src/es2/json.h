#ifndef ES2_JSON_H
#define ES2_JSON_H
/*
 * Members of ES2+ requests (SGP.22 §6.5.2.1 to §6.5.2.4) by table: form, place, and which refusal says
 * that one is missing or wrong.
 */
#include "base/arena.h"
#include "crypto/digest.h"
#include "loop/task.h"

struct json_t;

/* What a member may hold, and what is kept of it: a struct slice, or (the last two) a bool. */
enum es2_form {
	ES2_TEXT,     /* 1 to 255 octets of UTF-8 */
	ES2_ANY_TEXT, /* also none */
	ES2_ICCID,    /* 18 to 20 digits; a pad F at the 20th place is left out */
	ES2_EID,      /* 32 digits */
	ES2_FLAG,
	ES2_FINAL, /* "Available" (true) or "Unavailable" */
};

struct es2_member {
	const char *name;
	enum es2_form form;
	size_t offset;                 /* in the procedure's struct */
	const struct refusal *missing; /* NULL: it may be left out */
	const struct refusal *wrong;
};

/* The `header` of each request, §6.5.1.3. */
struct es2_header {
	struct slice requester, call;
};

/* NULL, or why it cannot be taken; `*name` is the member then. Octets live in the arena. */
const struct refusal *es2_header_read(
	struct arena *mem, const struct json_t *root, struct es2_header *out, const char **name);
const struct refusal *es2_members_read(struct arena *mem, const struct json_t *root,
	const struct es2_member *members, size_t n, void *state, const char **name);

/*
 * What a call is recognised by: a hash of function, header and members, so that blanks and the order of
 * members make no difference.
 */
void es2_key_make(const char *function, const struct es2_header *header,
	const struct es2_member *members, size_t n, const void *state,
	uint8_t key[CRYPTO_SHA256_SIZE]);

#endif
