/* JSON of ES2+ requests (SGP.22 §6.5): the header and the members, each held against its form. */
#include <jansson.h>
#include <string.h>
#include "dp/refusal.h"
#include "es2/json.h"

enum { TEXT_MAX = 255, EID_DIGITS = 32, MEMBERS_MAX = 8 };

static bool
is_flag(enum es2_form form)
{
	return form == ES2_FLAG || form == ES2_FINAL;
}

/* The digits, without the pad; false when it is no ICCID. */
static bool
iccid_read(struct slice *text)
{
	if (text->n == 20 && (text->p[19] == 'F' || text->p[19] == 'f'))
		text->n--;
	return text->n >= 18 && text->n <= 20 && slice_is_digits(*text);
}

static bool
text_fits(enum es2_form form, struct slice *text)
{
	switch (form) {
	case ES2_ICCID:
		return iccid_read(text);
	case ES2_EID:
		return text->n == EID_DIGITS && slice_is_digits(*text);
	case ES2_TEXT:
		return text->n >= 1 && text->n <= TEXT_MAX;
	case ES2_ANY_TEXT:
		return text->n <= TEXT_MAX;
	case ES2_FLAG:
	case ES2_FINAL:
		return false;
	}
	return false;
}

static bool
flag_read(enum es2_form form, const json_t *value, bool *out)
{
	const char *text = json_string_value(value);

	if (form == ES2_FLAG) {
		*out = json_is_true(value);
		return json_is_boolean(value);
	}
	*out = text && strcmp(text, "Available") == 0;
	return *out || (text && strcmp(text, "Unavailable") == 0);
}

static bool
value_read(struct arena *mem, enum es2_form form, const json_t *value, void *out)
{
	struct slice text = slice_of(json_string_value(value), json_string_length(value));

	if (is_flag(form))
		return flag_read(form, value, out);
	if (!json_is_string(value) || !text_fits(form, &text))
		return false;
	*(struct slice *)out = arena_copy(mem, text);
	return true;
}

const struct refusal *
es2_members_read(struct arena *mem, const json_t *root, const struct es2_member *members, size_t n,
	void *state, const char **name)
{
	for (size_t i = 0; i < n; i++) {
		const struct es2_member *m = &members[i];
		const json_t *value = json_object_get(root, m->name);

		*name = m->name;
		if (!value || json_is_null(value)) {
			if (m->missing)
				return m->missing;
		} else if (!value_read(mem, m->form, value, (uint8_t *)state + m->offset)) {
			return m->wrong;
		}
	}
	*name = NULL;
	return NULL;
}

const struct refusal *
es2_header_read(struct arena *mem, const json_t *root, struct es2_header *out, const char **name)
{
	static const struct es2_member members[] = {
		{ "functionRequesterIdentifier", ES2_TEXT, offsetof(struct es2_header, requester),
			REFUSE(MEMBER_MISSING), REFUSE(MEMBER_INVALID) },
		{ "functionCallIdentifier", ES2_ANY_TEXT, offsetof(struct es2_header, call),
			REFUSE(MEMBER_MISSING), REFUSE(MEMBER_INVALID) },
	};
	const json_t *header = json_object_get(root, "header");

	*name = "header";
	if (!header || json_is_null(header))
		return REFUSE(MEMBER_MISSING);
	if (!json_is_object(header))
		return REFUSE(MEMBER_INVALID);
	return es2_members_read(mem, header, members, sizeof members / sizeof *members, out, name);
}

/* A member's octets with their number before them, or a mark that it is not there. */
static void
part_add(struct slice *parts, size_t *n, uint32_t *length, struct slice octets)
{
	*length = octets.p ? (uint32_t)octets.n : UINT32_MAX;
	parts[(*n)++] = slice_of(length, sizeof *length);
	parts[(*n)++] = octets.p ? octets : slice_of("", 0);
}

void
es2_key_make(const char *function, const struct es2_header *header,
	const struct es2_member *members, size_t n, const void *state,
	uint8_t key[CRYPTO_SHA256_SIZE])
{
	struct slice parts[2 * (MEMBERS_MAX + 3)];
	uint32_t lengths[MEMBERS_MAX + 3];
	size_t count = 0;

	part_add(parts, &count, &lengths[0], slice_text(function));
	part_add(parts, &count, &lengths[1], header->requester);
	part_add(parts, &count, &lengths[2], header->call);
	for (size_t i = 0; i < n && i < MEMBERS_MAX; i++) {
		const void *value = (const uint8_t *)state + members[i].offset;

		part_add(parts, &count, &lengths[i + 3],
			is_flag(members[i].form) ? slice_of(value, sizeof(bool))
						 : *(const struct slice *)value);
	}
	crypto_sha256(parts, count, key);
}
