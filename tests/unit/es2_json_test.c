/* Members of ES2+ requests by form, and the hash by which a call is recognised (SGP.22 §6.5.2, §5.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include "dp/refusal.h"
#include "es2/json.h"
#include "wire/json.h"

struct request {
	struct slice text, any, iccid, eid;
	bool flag, final;
};

#define MEMBER(name, form)                                                                \
	{                                                                                 \
#name, form, offsetof(struct request, name), NULL, REFUSE(MEMBER_INVALID) \
	}
static const struct es2_member members[] = {
	MEMBER(text, ES2_TEXT),
	MEMBER(any, ES2_ANY_TEXT),
	MEMBER(iccid, ES2_ICCID),
	MEMBER(eid, ES2_EID),
	MEMBER(flag, ES2_FLAG),
	MEMBER(final, ES2_FINAL),
};
enum { MEMBERS = sizeof members / sizeof *members };

static struct arena mem;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 1 << 20, NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_fini(&mem);
	return 0;
}

static const struct refusal *
read_body(const char *body, struct request *out, const char **name)
{
	json_t *root = wire_json_object_read(&mem, slice_text(body));

	assert_non_null(root);
	*out = (struct request){ 0 };
	return es2_members_read(&mem, root, members, MEMBERS, out, name);
}

static void
each_form_takes_what_it_should(void **state)
{
	static const struct {
		const char *body, *wrong; /* NULL: it is taken */
	} rows[] = {
		{ "{}", NULL },
		{ "{\"text\":\"a\"}", NULL },
		{ "{\"text\":\"\"}", "text" },
		{ "{\"text\":null}", NULL },
		{ "{\"text\":1}", "text" },
		{ "{\"any\":\"\"}", NULL },
		{ "{\"any\":[]}", "any" },
		{ "{\"iccid\":\"894900000000000000\"}", NULL },
		{ "{\"iccid\":\"8949000000000000001\"}", NULL },
		{ "{\"iccid\":\"89490000000000000012\"}", NULL },
		{ "{\"iccid\":\"8949000000000000001F\"}", NULL },
		{ "{\"iccid\":\"8949000000000000001f\"}", NULL },
		{ "{\"iccid\":\"894900000000000000FF\"}", "iccid" },
		{ "{\"iccid\":\"894900000000000001F\"}", "iccid" },
		{ "{\"iccid\":\"89490000000000000\"}", "iccid" },
		{ "{\"iccid\":\"894900000000000000123\"}", "iccid" },
		{ "{\"eid\":\"89049032000000000000000000000001\"}", NULL },
		{ "{\"eid\":\"8904903200000000000000000000000\"}", "eid" },
		{ "{\"eid\":\"8904903200000000000000000000000F\"}", "eid" },
		{ "{\"flag\":true}", NULL },
		{ "{\"flag\":\"true\"}", "flag" },
		{ "{\"flag\":1}", "flag" },
		{ "{\"final\":\"Available\"}", NULL },
		{ "{\"final\":\"Unavailable\"}", NULL },
		{ "{\"final\":\"AVAILABLE\"}", "final" },
		{ "{\"final\":true}", "final" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r;
		const char *name;
		const struct refusal *no = read_body(rows[i].body, &r, &name);

		if ((no != NULL) != (rows[i].wrong != NULL) ||
			(no && strcmp(name, rows[i].wrong) != 0))
			fail_msg("%s: %s", rows[i].body, no ? name : "taken");
	}
}

static void
values_arrive(void **state)
{
	struct request r;
	const char *name;

	(void)state;
	assert_null(read_body("{\"any\":\"\",\"iccid\":\"8949000000000000001F\",\"flag\":true,"
			      "\"final\":\"Available\"}",
		&r, &name));
	assert_true(slice_eq(r.iccid, SLICE_LIT("8949000000000000001")));
	assert_non_null(r.any.p);
	assert_int_equal(r.any.n, 0);
	assert_null(r.text.p);
	assert_true(r.flag && r.final);
	assert_null(read_body("{\"final\":\"Unavailable\",\"flag\":false}", &r, &name));
	assert_false(r.flag || r.final);
}

static void
make_key(const char *function, const char *call, const char *body, uint8_t key[CRYPTO_SHA256_SIZE])
{
	struct es2_header header = { SLICE_LIT("2.999"), slice_text(call) };
	struct request r;
	const char *name;

	assert_null(read_body(body, &r, &name));
	es2_key_make(function, &header, members, MEMBERS, &r, key);
}

static void
a_call_is_recognised_by_all_that_it_says(void **state)
{
	static const struct {
		const char *function, *call, *body;
		bool same;
	} rows[] = {
		{ "F", "1", "{\"text\":\"ab\",\"any\":\"c\"}", true },
		{ "F", "1", " {\"any\":\"c\", \"text\":\"ab\", \"more\":1}", true },
		{ "F", "1", "{\"text\":\"ab\",\"any\":\"c\",\"flag\":false}", true },
		{ "G", "1", "{\"text\":\"ab\",\"any\":\"c\"}", false },
		{ "F", "2", "{\"text\":\"ab\",\"any\":\"c\"}", false },
		{ "F", "1", "{\"text\":\"a\",\"any\":\"bc\"}", false },
		{ "F", "1", "{\"text\":\"ab\",\"any\":\"\"}", false },
		{ "F", "1", "{\"text\":\"ab\"}", false },
		{ "F", "1", "{\"text\":\"ab\",\"any\":\"c\",\"flag\":true}", false },
	};
	uint8_t first[CRYPTO_SHA256_SIZE], key[CRYPTO_SHA256_SIZE];

	(void)state;
	make_key(rows[0].function, rows[0].call, rows[0].body, first);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		make_key(rows[i].function, rows[i].call, rows[i].body, key);
		if ((memcmp(first, key, sizeof key) == 0) != rows[i].same)
			fail_msg("%s %s %s", rows[i].function, rows[i].call, rows[i].body);
	}
	make_key("F", "1", "{\"text\":\"ab\"}", first);
	make_key("F", "1", "{\"text\":\"ab\",\"any\":\"\"}", key);
	assert_memory_not_equal(first, key, sizeof key); /* absent is not empty */
}

static void
a_header_has_both_identifiers(void **state)
{
	static const struct {
		const char *body;
		const struct refusal *no;
	} rows[] = {
		{ "{\"header\":{\"functionRequesterIdentifier\":\"r\",\"functionCallIdentifier\":"
		  "\"c\"}}",
			NULL },
		{ "{\"header\":{\"functionRequesterIdentifier\":\"r\",\"functionCallIdentifier\":"
		  "\"\"}}",
			NULL },
		{ "{\"header\":{\"functionRequesterIdentifier\":\"\",\"functionCallIdentifier\":"
		  "\"c\"}}",
			REFUSE(MEMBER_INVALID) },
		{ "{\"header\":{\"functionRequesterIdentifier\":\"r\"}}", REFUSE(MEMBER_MISSING) },
		{ "{\"header\":{\"functionCallIdentifier\":\"c\"}}", REFUSE(MEMBER_MISSING) },
		{ "{\"header\":\"r\"}", REFUSE(MEMBER_INVALID) },
		{ "{\"header\":null}", REFUSE(MEMBER_MISSING) },
		{ "{}", REFUSE(MEMBER_MISSING) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *root = wire_json_object_read(&mem, slice_text(rows[i].body));
		struct es2_header header;
		const char *name;

		assert_ptr_equal(es2_header_read(&mem, root, &header, &name), rows[i].no);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_form_takes_what_it_should, setup, teardown),
		cmocka_unit_test_setup_teardown(values_arrive, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_call_is_recognised_by_all_that_it_says, setup, teardown),
		cmocka_unit_test_setup_teardown(a_header_has_both_identifiers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
