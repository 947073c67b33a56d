/* JSON bodies by table: what is taken, what is counted, what is refused; the octets of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "stats/stats.h"
#include "wire/json.h"

struct call {
	struct slice id, octets, text;
};

static const struct wire_member members[] = {
	{ "transactionId", WIRE_HEX, WIRE_VALUE, 0x80, 0, offsetof(struct call, id), false },
	{ "euiccInfo1", WIRE_BASE64, WIRE_WHOLE, 0xbf20, 0, offsetof(struct call, octets), false },
	{ "smdpAddress", WIRE_TEXT, WIRE_VALUE, 0x83, 0, offsetof(struct call, text), false },
};
static const struct wire_message message = { members, sizeof members / sizeof *members };

#define ALL "\"transactionId\":\"0A\",\"euiccInfo1\":\"AQID\",\"smdpAddress\":\"a\""
#define WITH(id, octets, text) \
	"{\"transactionId\":" id ",\"euiccInfo1\":" octets ",\"smdpAddress\":" text "}"

static const struct {
	const char *body;
	enum wire_fault fault;
	const char *name; /* of the member that is wrong */
} bodies[] = {
	{ "{" ALL "}", WIRE_FINE, NULL },
	{ " \r\n{ " ALL " }\n", WIRE_FINE, NULL },
	{ "", WIRE_UNREADABLE, NULL },
	{ "{" ALL, WIRE_UNREADABLE, NULL },
	{ "{" ALL "} x", WIRE_UNREADABLE, NULL },
	{ "{" ALL ",}", WIRE_UNREADABLE, NULL },
	{ "["
	  "{" ALL "}"
	  "]",
		WIRE_UNREADABLE, NULL },
	{ "\"transactionId\"", WIRE_UNREADABLE, NULL },
	{ "null", WIRE_UNREADABLE, NULL },
	{ "{'transactionId':'0A'}", WIRE_UNREADABLE, NULL },
	/* Neither octets that are no UTF-8 nor a NUL, written out or escaped. */
	{ WITH("\"0A\"", "\"AQID\"", "\"\xff\""), WIRE_UNREADABLE, NULL },
	{ WITH("\"0A\"", "\"AQID\"", "\"\xc0\x80\""), WIRE_UNREADABLE, NULL },
	{ WITH("\"0A\"", "\"AQID\"", "\"\xed\xa0\x80\""), WIRE_UNREADABLE, NULL },
	{ WITH("\"0A\"", "\"AQID\"", "\"a\\u0000\""), WIRE_UNREADABLE, NULL },
	/* Numbers beyond any type. */
	{ "{" ALL ",\"n\":99999999999999999999999999}", WIRE_UNREADABLE, NULL },
	{ "{" ALL ",\"n\":1e999}", WIRE_UNREADABLE, NULL },
	{ WITH("1", "\"AQID\"", "\"a\""), WIRE_INVALID, "transactionId" },
	/* Missing, in the table's order; null is missing. */
	{ "{}", WIRE_MISSING, "transactionId" },
	{ "{\"transactionId\":\"0A\"}", WIRE_MISSING, "euiccInfo1" },
	{ "{\"transactionId\":\"0A\",\"euiccInfo1\":\"AQID\"}", WIRE_MISSING, "smdpAddress" },
	{ WITH("\"0A\"", "null", "\"a\""), WIRE_MISSING, "euiccInfo1" },
	{ "{\"TransactionId\":\"0A\",\"euiccInfo1\":\"AQID\",\"smdpAddress\":\"a\"}", WIRE_MISSING,
		"transactionId" },
	/* Wrong types and forms. */
	{ WITH("[\"0A\"]", "\"AQID\"", "\"a\""), WIRE_INVALID, "transactionId" },
	{ WITH("\"0A\"", "{}", "\"a\""), WIRE_INVALID, "euiccInfo1" },
	{ WITH("\"0A\"", "true", "\"a\""), WIRE_INVALID, "euiccInfo1" },
	{ WITH("\"0A\"", "\"AQID\"", "1"), WIRE_INVALID, "smdpAddress" },
	{ WITH("\"0\"", "\"AQID\"", "\"a\""), WIRE_INVALID, "transactionId" },
	{ WITH("\"0G\"", "\"AQID\"", "\"a\""), WIRE_INVALID, "transactionId" },
	{ WITH("\"0A\"", "\"AQI*\"", "\"a\""), WIRE_INVALID, "euiccInfo1" },
	{ WITH("\"0A\"", "\"AQ-_\"", "\"a\""), WIRE_INVALID, "euiccInfo1" },
	{ WITH("\"0A\"", "\"A\"", "\"a\""), WIRE_INVALID, "euiccInfo1" },
};

static enum wire_fault
read_body(struct arena *mem, const char *body, struct call *call, const char **name)
{
	memset(call, 0, sizeof *call);
	arena_init(mem, 1 << 20, NULL, NULL);
	return wire_json_read(mem, slice_text(body), &message, call, name);
}

static void
a_body_is_taken_or_told_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct call call;
		struct arena mem;
		const char *name;
		enum wire_fault fault = read_body(&mem, bodies[i].body, &call, &name);

		if (fault != bodies[i].fault)
			fail_msg("%s: %d, not %d", bodies[i].body, fault, bodies[i].fault);
		if (bodies[i].name)
			assert_string_equal(name, bodies[i].name);
		if (fault == WIRE_FINE) {
			assert_true(slice_eq(call.id, SLICE_LIT("\x0a")));
			assert_true(slice_eq(call.octets, SLICE_LIT("\1\2\3")));
			assert_true(slice_eq(call.text, SLICE_LIT("a")));
		}
		arena_fini(&mem);
	}
}

/* What clients do beyond the standard: taken, and one more of this in the statistics. */
static const struct {
	const char *body;
	enum stats_name counted;
} oddities[] = {
	{ WITH("\"0a\"", "\"AQID\"", "\"a\""), STATS_lenient_transaction_id },
	{ WITH("\"0A\"", "\"AQ\\r\\nID\"", "\"a\""), STATS_lenient_base64 },
	{ WITH("\"0A\"", "\" AQID\"", "\"a\""), STATS_lenient_base64 },
	{ WITH("\"0A\"", "\"AQIDBA\"", "\"a\""), STATS_lenient_base64 },
	{ "{" ALL ",\"header\":{\"functionRequesterIdentifier\":\"x\"}}",
		STATS_lenient_header_object },
	{ "{" ALL ",\"lpaVersion\":3}", STATS_lenient_unknown_member },
};

static void
oddities_are_taken_and_counted(void **state)
{
	static const enum stats_name all[] = { STATS_lenient_transaction_id, STATS_lenient_base64,
		STATS_lenient_header_object, STATS_lenient_unknown_member };

	(void)state;
	for (size_t i = 0; i < sizeof oddities / sizeof *oddities; i++) {
		int64_t before[4];
		struct call call;
		struct arena mem;
		const char *name;

		for (size_t j = 0; j < 4; j++)
			before[j] = stats_get(all[j]);
		assert_int_equal(read_body(&mem, oddities[i].body, &call, &name), WIRE_FINE);
		for (size_t j = 0; j < 4; j++)
			assert_int_equal(
				stats_get(all[j]) - before[j], all[j] == oddities[i].counted);
		assert_memory_equal(call.octets.p, "\1\2\3", 3);
		arena_fini(&mem);
	}
}

static void
of_two_members_of_one_name_the_last_counts(void **state)
{
	struct call call;
	struct arena mem;
	const char *name;

	(void)state;
	assert_int_equal(
		read_body(&mem, "{\"transactionId\":\"FF\"," ALL "}", &call, &name), WIRE_FINE);
	assert_true(slice_eq(call.id, SLICE_LIT("\x0a")));
	arena_fini(&mem);
}

/* In a member that nobody reads: sixteen levels are taken, one more is not. */
static void
nesting_has_an_end(void **state)
{
	static const struct {
		size_t levels;
		enum wire_fault fault;
	} cases[] = { { 15, WIRE_FINE }, { 16, WIRE_UNREADABLE }, { 60000, WIRE_UNREADABLE } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t n = cases[i].levels;
		char *body = calloc(1, 2 * n + 256), *p = body;
		struct call call;
		struct arena mem;
		const char *name;

		assert_non_null(body);
		p += sprintf(p, "{" ALL ",\"deep\":");
		memset(p, '[', n);
		memset(p + n, ']', n);
		strcpy(p + 2 * n, "}");
		assert_int_equal(read_body(&mem, body, &call, &name), cases[i].fault);
		arena_fini(&mem);
		free(body);
	}
}

/* What the parser asks for: nothing when it is not given the body. */
static unsigned allocations;

static void *
count_allocation(size_t n)
{
	allocations++;
	return malloc(n);
}

/* A body with a list of so many `value`, and what the parser did for it. */
static enum wire_fault
read_list(size_t values, const char *value)
{
	char *body = calloc(1, 256 + values * (strlen(value) + 1)), *p = body;
	enum wire_fault fault;
	struct call call;
	struct arena mem;
	const char *name;

	assert_non_null(body);
	p += sprintf(p, "{" ALL ",\"list\":[%s", value);
	for (size_t i = 1; i < values; i++)
		p += sprintf(p, ",%s", value);
	strcpy(p, "]}");
	allocations = 0;
	json_set_alloc_funcs(count_allocation, free);
	fault = read_body(&mem, body, &call, &name);
	arena_fini(&mem);
	json_set_alloc_funcs(malloc, free);
	free(body);
	return fault;
}

static void
a_body_of_many_values_is_not_parsed(void **state)
{
	(void)state;
	/* With two brackets and three commas around them, 1019 commas make 1024. */
	assert_int_equal(read_list(1020, "1"), WIRE_FINE);
	assert_int_not_equal(allocations, 0);
	assert_int_equal(read_list(1021, "1"), WIRE_UNREADABLE);
	assert_int_equal(allocations, 0);
	assert_int_equal(read_list(500, "{}"), WIRE_FINE);
	assert_int_equal(read_list(40000, "{}"), WIRE_UNREADABLE);
	assert_int_equal(allocations, 0);
	/* In texts nothing counts, nor does an escaped quote end one. */
	assert_int_equal(read_list(10, "\"{[,{[,\\\",{[\\\\\""), WIRE_FINE);
}

static void
an_answer_is_exactly_these_octets(void **state)
{
	static const struct wire_message out = { members, 2 }, empty = { NULL, 0 };
	static const struct wire_status failed = { "8.10.1", "3.9", "no such transaction" };
	struct call call = { SLICE_LIT("\x0a\xff"), SLICE_LIT("\1\2\3\4"), SLICE_NONE };
	struct arena mem;
	struct slice answer;

	(void)state;
	arena_init(&mem, 1 << 20, NULL, NULL);
	answer = wire_json_answer_write(&mem, NULL, &out, &call);
	assert_string_equal((const char *)answer.p,
		"{\"header\":{\"functionExecutionStatus\":{\"status\":\"Executed-Success\"}},"
		"\"transactionId\":\"0AFF\",\"euiccInfo1\":\"AQIDBA==\"}");
	answer = wire_json_answer_write(&mem, NULL, &empty, &call);
	assert_string_equal((const char *)answer.p,
		"{\"header\":{\"functionExecutionStatus\":{\"status\":\"Executed-Success\"}}}");
	answer = wire_json_answer_write(&mem, &failed, &empty, &call);
	assert_string_equal((const char *)answer.p,
		"{\"header\":{\"functionExecutionStatus\":{\"status\":\"Failed\","
		"\"statusCodeData\":{\"subjectCode\":\"8.10.1\",\"reasonCode\":\"3.9\","
		"\"message\":\"no such transaction\"}}}}");
	arena_fini(&mem);
}

/* ---- members of ESipa: some may be left out, numbers, flags ----------------------------------------- */

static const struct wire_member loose[] = {
	{ "eidValue", WIRE_HEX, WIRE_VALUE, 0x5a, 0, offsetof(struct call, id), true },
	{ "notifyStateChange", WIRE_FLAG, WIRE_VALUE, 0x80, 0, offsetof(struct call, octets),
		true },
	{ "stateChangeCause", WIRE_NUMBER, WIRE_VALUE, 0x81, 0, offsetof(struct call, text), true },
};
static const struct wire_message loose_message = { loose, sizeof loose / sizeof *loose };

static enum wire_fault
read_loose(struct arena *mem, const char *body, struct call *call)
{
	const char *name;

	*call = (struct call){ 0 };
	return wire_json_read(mem, slice_text(body), &loose_message, call, &name);
}

static void
what_may_be_left_out_is_absent(void **state)
{
	static const struct wire_message none = { NULL, 0 };
	static const struct wire_status failed = { "8.1.1", "3.7", "nothing" };
	struct arena mem;
	struct call call;
	int64_t unknown;

	(void)state;
	arena_init(&mem, 1 << 20, NULL, NULL);
	unknown = stats_get(STATS_lenient_unknown_member);
	assert_int_equal(read_loose(&mem, "{}", &call), WIRE_FINE);
	assert_null(call.id.p);
	assert_int_equal(read_loose(&mem, "{\"eidValue\":null}", &call), WIRE_FINE);
	assert_null(call.id.p);
	assert_int_equal(
		read_loose(&mem, "{\"notifyStateChange\":true,\"stateChangeCause\":127}", &call),
		WIRE_FINE);
	assert_non_null(call.octets.p);
	assert_int_equal(call.octets.n, 0);
	assert_true(slice_eq(call.text, SLICE_LIT("\x7f")));
	assert_int_equal(stats_get(STATS_lenient_unknown_member), unknown);
	assert_int_equal(
		read_loose(&mem, "{\"notifyStateChange\":false,\"other\":1}", &call), WIRE_FINE);
	assert_null(call.octets.p);
	assert_int_equal(stats_get(STATS_lenient_unknown_member), unknown + 1);
	assert_string_equal((const char *)wire_json_answer_write(&mem, &failed, &none, &call).p,
		"{\"header\":{\"functionExecutionStatus\":{\"status\":\"Failed\","
		"\"statusCodeData\":{\"subjectCode\":\"8.1.1\",\"reasonCode\":\"3.7\","
		"\"message\":\"nothing\"}}}}");
	arena_fini(&mem);
}

/* As the contents of an INTEGER, shortest and not negative. */
static void
numbers_are_integers_both_ways(void **state)
{
	static const struct {
		const char *json, *octets;
		size_t n;
	} rows[] = { { "0", "\0", 1 }, { "127", "\x7f", 1 }, { "128", "\0\x80", 2 },
		{ "65535", "\0\xff\xff", 3 }, { "8388607", "\x7f\xff\xff", 3 } };
	struct arena mem;
	struct call call;

	(void)state;
	arena_init(&mem, 1 << 20, NULL, NULL);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *body = arena_printf(&mem, "{\"stateChangeCause\":%s}", rows[i].json);
		const char *answer = arena_printf(&mem, ",\"stateChangeCause\":%s}", rows[i].json);

		assert_int_equal(read_loose(&mem, body, &call), WIRE_FINE);
		assert_true(slice_eq(call.text, slice_of(rows[i].octets, rows[i].n)));
		assert_non_null(strstr(
			(const char *)wire_json_answer_write(&mem, NULL, &loose_message, &call).p,
			answer));
	}
	assert_int_equal(read_loose(&mem, "{\"stateChangeCause\":-1}", &call), WIRE_INVALID);
	assert_int_equal(read_loose(&mem, "{\"stateChangeCause\":1.5}", &call), WIRE_INVALID);
	assert_int_equal(read_loose(&mem, "{\"stateChangeCause\":\"1\"}", &call), WIRE_INVALID);
	assert_int_equal(read_loose(&mem, "{\"notifyStateChange\":1}", &call), WIRE_INVALID);
	assert_int_equal(read_loose(&mem, "{\"eidValue\":\"xy\"}", &call), WIRE_INVALID);
	arena_fini(&mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_is_taken_or_told_what_is_wrong),
		cmocka_unit_test(oddities_are_taken_and_counted),
		cmocka_unit_test(of_two_members_of_one_name_the_last_counts),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(a_body_of_many_values_is_not_parsed),
		cmocka_unit_test(an_answer_is_exactly_these_octets),
		cmocka_unit_test(what_may_be_left_out_is_absent),
		cmocka_unit_test(numbers_are_integers_both_ways),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("wire_json", tests, NULL, NULL);
}
