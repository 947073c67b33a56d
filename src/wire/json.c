/* JSON bodies (SGP.22 §6.5): members in by table, the status block and members out. */
#include "wire/json.h"

#include <jansson.h>
#include "base/text.h"
#include "stats/stats.h"

/*
 * A request is one object of a few members, and of those that a later version or a vendor adds, which are
 * ignored. Beyond these limits a body is no request: `[{},{},…` of the longest body would cost the
 * parser some 40 ms, and the loop waits for it; of so many it is some 0.1 ms.
 */
enum { ANSWER_MAX = 4 * 1024 * 1024, STRUCTURE_MAX = 1024, DEPTH_MAX = 16 };

static void
drop_json(void *root)
{
	json_decref(root);
}

static void
count_base64(struct slice text)
{
	bool odd = text.n % 4 != 0;

	for (size_t i = 0; i < text.n && !odd; i++)
		odd = text.p[i] <= ' ';
	if (odd)
		stats_add(STATS_lenient_base64);
}

static bool
octets_read(struct arena *mem, enum wire_json form, struct slice text, struct slice *out)
{
	switch (form) {
	case WIRE_BASE64:
		count_base64(text);
		return text_unbase64(mem, text, out);
	case WIRE_HEX:
		for (size_t i = 0; i < text.n; i++)
			if (text.p[i] >= 'a') {
				stats_add(STATS_lenient_transaction_id);
				break;
			}
		return text_unhex(mem, text, out);
	case WIRE_TEXT:
		*out = arena_copy(mem, text);
		return true;
	case WIRE_NUMBER:
	case WIRE_FLAG:
		break;
	}
	return false;
}

/* The contents of an INTEGER, as it stands in DER. */
static struct slice
number_read(struct arena *mem, json_int_t n)
{
	struct buf out;
	unsigned octets = 1;

	while (octets < sizeof n && n >> (8 * octets - 1))
		octets++;
	buf_init(&out, mem, sizeof n);
	while (octets--)
		buf_put_u8(&out, (uint8_t)(n >> 8 * octets));
	return buf_get(&out);
}

static bool
value_read(struct arena *mem, const struct wire_member *m, const json_t *value, struct slice *out)
{
	if (m->json == WIRE_FLAG) {
		if (json_is_true(value))
			*out = SLICE_LIT("");
		return json_is_boolean(value);
	}
	if (m->json == WIRE_NUMBER) {
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return false;
		*out = number_read(mem, json_integer_value(value));
		return true;
	}
	return json_is_string(value) &&
		octets_read(mem, m->json,
			slice_of(json_string_value(value), json_string_length(value)), out);
}

/* Members that the standard does not name, told apart for the operator's statistics. */
static void
count_unknown(const json_t *root, const struct wire_message *message)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)root, key, value)
	{
		bool known = false;

		for (size_t i = 0; i < message->n && !known; i++)
			known = strcmp(key, message->members[i].name) == 0;
		if (!known)
			stats_add(strcmp(key, "header") == 0 ? STATS_lenient_header_object
							     : STATS_lenient_unknown_member);
	}
}

/* Few enough values, not nested too deep: judged from the octets, before any is parsed. */
static bool
is_modest(struct slice body)
{
	unsigned structure = 0, depth = 0;
	bool in_text = false;

	for (size_t i = 0; i < body.n; i++) {
		uint8_t c = body.p[i];

		if (c == '"') {
			in_text = !in_text;
		} else if (in_text) {
			i += c == '\\'; /* what it escapes ends no text */
		} else if (c == '{' || c == '[') {
			structure++;
			depth++;
		} else if (c == ',') {
			structure++;
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
		if (structure > STRUCTURE_MAX || depth > DEPTH_MAX)
			return false;
	}
	return true;
}

json_t *
wire_json_object_read(struct arena *mem, struct slice body)
{
	json_t *root = is_modest(body) ? json_loadb((const char *)body.p, body.n, 0, NULL) : NULL;

	if (root)
		arena_defer(mem, drop_json, root);
	return json_is_object(root) ? root : NULL;
}

enum wire_fault
wire_json_read(struct arena *mem, struct slice body, const struct wire_message *message,
	void *state, const char **name)
{
	json_t *root = wire_json_object_read(mem, body);
	size_t known = 0;

	*name = NULL;
	if (!root)
		return WIRE_UNREADABLE;
	for (size_t i = 0; i < message->n; i++) {
		const struct wire_member *m = &message->members[i];
		const json_t *value = json_object_get(root, m->name);

		*name = m->name;
		if (!value || json_is_null(value)) {
			if (m->optional)
				continue;
			return WIRE_MISSING;
		}
		if (!value_read(mem, m, value, wire_member_find(m, state)))
			return WIRE_INVALID;
		known++;
	}
	if (json_object_size(root) > known)
		count_unknown(root, message);
	return WIRE_FINE;
}

static void
status_put(struct buf *out, const struct wire_status *failed)
{
	buf_put_text(out, "{\"header\":{\"functionExecutionStatus\":{\"status\":");
	if (failed)
		buf_printf(out,
			"\"Failed\",\"statusCodeData\":{\"subjectCode\":\"%s\",\"reasonCode\":\"%"
			"s\",\"message\":\"%s\"}}}",
			failed->subject, failed->reason, failed->words);
	else
		buf_put_text(out, "\"Executed-Success\"}}");
}

/* UTF-8 as the contents of a JSON text. */
static void
text_put(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c < ' ')
			buf_printf(out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else
			buf_put_u8(out, c);
	}
}

/* The contents of an INTEGER that is not negative. */
static void
number_put(struct buf *out, struct slice value)
{
	uint64_t n = 0;

	for (size_t i = 0; i < value.n; i++)
		n = n << 8 | value.p[i];
	buf_printf(out, "%llu", (unsigned long long)n);
}

static void
member_put(struct arena *mem, struct buf *out, enum wire_json form, struct slice value)
{
	switch (form) {
	case WIRE_HEX:
		buf_put(out, text_hex(mem, value));
		return;
	case WIRE_BASE64:
		text_base64_put(out, value);
		return;
	case WIRE_TEXT:
		text_put(out, value);
		return;
	case WIRE_NUMBER:
		number_put(out, value);
		return;
	case WIRE_FLAG:
		buf_put_text(out, "true");
		return;
	}
}

/* Octets of the whole answer, or a little more. */
static size_t
answer_size(const struct wire_message *message, const void *state)
{
	size_t octets = 256;

	for (size_t i = 0; i < message->n; i++)
		octets += 64 + wire_member_get(&message->members[i], state)->n * 3 / 2;
	return octets;
}

struct slice
wire_json_answer_write(struct arena *mem, const struct wire_status *failed,
	const struct wire_message *message, const void *state)
{
	struct buf out;

	buf_init(&out, mem, ANSWER_MAX);
	buf_expect(&out, answer_size(message, state));
	status_put(&out, failed);
	for (size_t i = 0; i < message->n; i++) {
		const struct wire_member *m = &message->members[i];
		struct slice value = *wire_member_get(m, state);
		const char *quote = m->json == WIRE_NUMBER || m->json == WIRE_FLAG ? "" : "\"";

		if (!value.p)
			continue;
		buf_printf(&out, ",\"%s\":%s", m->name, quote);
		member_put(mem, &out, m->json, value);
		buf_put_text(&out, quote);
	}
	buf_put_u8(&out, '}');
	return buf_get(&out);
}
