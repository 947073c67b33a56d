/*
 * The simulated card and its LPA notice each member of each answer: left out before it is signed or sealed,
 * and flipped on the way. rspsim_members.def has a row for each; what is sent without a row, or has a row and
 * is not sent, fails. The transport is left out: rspsim_es9_post is this file's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "rspsim/lpa.h"
#include "rspsim_answers.h"

/* Metadata with every member that a server may send. */
#define FULL_METADATA                                                                          \
	"\xbf\x25\x48\x5a\x0a\x98\x00\x10\x32\x54\x76\x98\x10\x32\x14\x91\x03SPN\x92\x04Name"  \
	"\x93\x01\x01\x94\x02ic\x95\x01\x00\xb6\x12\x30\x10\x80\x02\x04\xf0\x81\x0asmdp.test1" \
	"\xb7\x0d\x80\x03\x00\xf1\x10\x81\x02g1\x82\x02g2\x99\x02\x05\x20"

enum { NOT_LOADED = -1 };

/* ---- TLVs ---------------------------------------------------------------------------- */

static const struct member_row {
	enum blob blob;
	const char *path, *name;
	int left_out, flipped;
	const char *reason;
} members[] = {
#define MEMBER(blob, path, name, left_out, flipped, reason) \
	{ blob, path, name, left_out, flipped, reason },
#include "rspsim_members.def"
};
enum { MEMBERS = sizeof members / sizeof *members };

/* The code of an error `A1 { 80, 02 code }`; 0 for the good alternative. */
static int
error_of(struct slice response, uint32_t tag)
{
	struct rspsim_tlv all, alternative, code;
	uint32_t value = 0;

	assert_true(rspsim_der_read_only(response, tag, &all));
	if (rspsim_der_read_only(all.value, 0xa0, &alternative))
		return 0;
	assert_true(rspsim_der_read_only(all.value, 0xa1, &alternative));
	assert_true(rspsim_der_find(alternative.value, 0x02, &code));
	assert_true(rspsim_der_to_u32(code.value, &value));
	return (int)value;
}

/* errorReason of a ProfileInstallationResult; 0 when it was installed. */
static int
result_of(struct slice result)
{
	struct rspsim_tlv all, data, final, error, code;
	uint32_t value = 0;

	if (!result.n)
		return NOT_LOADED;
	assert_true(rspsim_der_read_only(result, 0xbf37, &all));
	assert_true(rspsim_der_read_tag(&all.value, 0xbf27, &data));
	assert_true(rspsim_der_find(data.value, 0xa2, &final));
	if (rspsim_der_read_only(final.value, 0xa0, &error))
		return 0;
	assert_true(rspsim_der_read_only(final.value, 0xa1, &error));
	assert_true(rspsim_der_find(error.value, 0x81, &code));
	assert_true(rspsim_der_to_u32(code.value, &value));
	return (int)value;
}

/* One download; the code of the first refusal. */
static int
download(struct server *s, struct rspsim_card *card)
{
	static const uint8_t offered[65] = { 4 }; /* held by nobody */
	struct slice response = rspsim_euicc_challenge(card, &s->mem);
	int code;

	response =
		rspsim_euicc_authenticate_server(card, &s->mem, server_authenticate(s, response));
	code = error_of(response, 0xbf38);
	if (code)
		return code;
	response = rspsim_euicc_prepare_download(
		card, &s->mem, server_prepare(s, response, SLICE_ARRAY(offered)));
	code = error_of(response, 0xbf21);
	if (code)
		return code;
	assert_true(server_take_key(s, response));
	return result_of(rspsim_euicc_load_bpp(card, &s->mem, server_bpp(s)));
}

/* Touches one member and compares the card's code. */
static void
try_member(const struct member_row *m, bool flip, int want)
{
	const struct touch touch = { m->blob, m->path, flip };
	const struct change change = { .part = B_METADATA,
		.action = SET,
		.value = SLICE_LIT(FULL_METADATA),
		.touch = &touch };
	struct rspsim_card *card;
	struct server s;
	int code;

	server_init(&s, NID_X9_62_prime256v1, &change);
	card = server_card(&s);
	code = download(&s, card);
	if (code != want)
		fail_msg("%s (%s) %s: code %d, not %d", m->path, m->name,
			flip ? "flipped" : "left out", code, want);
	assert_int_equal(card->profiles != NULL, want == 0);
	rspsim_card_free(card);
	server_fini(&s);
}

static void
each_member_is_missed_and_each_bit_noticed(void **state)
{
	(void)state;
	for (size_t i = 0; i < MEMBERS; i++) {
		if ((members[i].left_out == 0) != (members[i].reason != NULL) ||
			members[i].flipped == 0)
			fail_msg("%s: accepted without a reason", members[i].path);
		try_member(members + i, false, members[i].left_out);
		try_member(members + i, true, members[i].flipped);
	}
}

/* Every TLV that is sent has one row, and every row a TLV. */
static void
compare_paths(struct server *s, enum blob blob, bool seen[MEMBERS])
{
	struct walk w = { .mem = &s->mem, .leaf = "bf36/bf23" };

	walk_octets(&w, s->blobs[blob]);
	assert_in_range(w.count, 1, WALK_NODES - 1);
	for (size_t n = 0; n < w.count; n++) {
		bool found = false;

		for (size_t i = 0; i < MEMBERS; i++)
			if (members[i].blob == blob &&
				strcmp(members[i].path, w.nodes[n].path) == 0)
				found = seen[i] = true;
		if (!found)
			fail_msg("%s is sent, and rspsim_members.def has no row for it",
				w.nodes[n].path);
	}
}

static void
each_member_has_a_row(void **state)
{
	const struct change change = {
		.part = B_METADATA, .action = SET, .value = SLICE_LIT(FULL_METADATA)
	};
	bool seen[MEMBERS] = { false };
	struct rspsim_card *card;
	struct server s;

	(void)state;
	server_init(&s, NID_X9_62_prime256v1, &change);
	card = server_card(&s);
	assert_int_equal(download(&s, card), 0);
	for (unsigned blob = 0; blob < BLOBS; blob++)
		compare_paths(&s, (enum blob)blob, seen);
	for (size_t i = 0; i < MEMBERS; i++)
		if (!seen[i])
			fail_msg("%s has a row and is not sent", members[i].path);
	rspsim_card_free(card);
	server_fini(&s);
}

/* ---- JSON ---------------------------------------------------------------------------- */

struct verdict {
	enum rspsim_outcome outcome;
	int code;
	const char *last; /* the last call */
};
#define LPA                             \
	{                               \
		RSPSIM_BY_CARD, 0, NULL \
	}
#define SERVER                            \
	{                                 \
		RSPSIM_BY_SERVER, 0, NULL \
	}
#define NO_ANSWER                           \
	{                                   \
		RSPSIM_UNREACHABLE, 0, NULL \
	}
#define CARD(n)                         \
	{                               \
		RSPSIM_BY_CARD, n, NULL \
	}
#define CANCEL(n)                                  \
	{                                          \
		RSPSIM_BY_CARD, n, "cancelSession" \
	}

static const struct answer_row {
	const char *function, *member;
	struct verdict left_out, flipped;
} answers[] = {
#define ANSWER(function, member, left_out, flipped) { #function, member, left_out, flipped },
#include "rspsim_members.def"
};
enum { ANSWERS = sizeof answers / sizeof *answers };

static struct {
	struct server server;
	const struct answer_row *row; /* NULL: all is right */
	bool flip;
	bool seen[ANSWERS];
} scene;

/* The last bit that means something: of the octets behind hexadecimal or Base64, else of the text. */
static void
flip_member(json_t *holder, const char *name)
{
	json_t *value = json_object_get(holder, name);
	const char *text = json_string_value(value);
	struct arena *mem = &scene.server.mem;
	struct slice octets, flipped;

	if (json_is_object(value)) {
		json_object_set_new(holder, name, json_array());
	} else if (strcmp(name, "transactionId") == 0 || strcmp(name, "status") == 0) {
		flipped = rspsim_break_flip(mem, slice_text(text), 1);
		json_object_set_new(holder, name, json_stringn((const char *)flipped.p, flipped.n));
	} else {
		assert_true(text_unbase64(mem, slice_text(text), &octets));
		put_octets(&scene.server, holder, name, rspsim_break_flip(mem, octets, 1));
	}
}

/* Notes that the members of `holder` have rows; touches the one that is asked for. */
static void
visit(const char *function, json_t *holder, const char *prefix)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(holder, next, name, value)
	{
		bool found = false, touched = false;
		char path[128];

		snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "/" : "", name);
		for (size_t i = 0; i < ANSWERS; i++) {
			if (strcmp(answers[i].function, function) != 0 ||
				strcmp(answers[i].member, path) != 0)
				continue;
			found = scene.seen[i] = true;
			touched = scene.row == answers + i;
		}
		if (!found && strcmp(function, "cancelSession") != 0)
			fail_msg("%s of %s has no row in rspsim_members.def", path, function);
		if (touched && scene.flip)
			flip_member(holder, name);
		else if (touched)
			json_object_del(holder, name);
		else
			visit(function, value, path);
	}
}

void
rspsim_es9_post(struct rspsim_es9 *es9, const char *address, const char *function, const char *body,
	struct rspsim_call *call, json_t **answer)
{
	json_t *request = json_loads(body, 0, NULL), *whole;
	struct slice octets = SLICE_NONE;
	char *text = NULL;

	(void)es9;
	(void)address;
	*call = (struct rspsim_call){ .function = function, .http = 204 };
	*answer = NULL;
	if (strcmp(function, "handleNotification") != 0) {
		call->http = 200;
		whole = server_answer(&scene.server, function, request, SLICE_LIT(TEST_METADATA));
		json_object_set_new(whole, "header",
			json_pack("{s:{s:s}}", "functionExecutionStatus", "status",
				"Executed-Success"));
		visit(function, whole, "");
		text = json_dumps(whole, JSON_COMPACT);
		octets = slice_text(text);
		json_decref(whole);
	}
	rspsim_es9_answer_read(octets, call, answer);
	free(text);
	json_decref(request);
}

static void
run_lpa(struct rspsim_report *report)
{
	const struct rspsim_download what = { .code = { "smdp.test1", "TOKEN", "", false } };
	struct rspsim_card *card;

	server_init(&scene.server, NID_X9_62_prime256v1, NULL);
	card = server_card(&scene.server);
	rspsim_lpa_download(card, NULL, &what, report);
	assert_int_equal(card->profiles != NULL, report->outcome == RSPSIM_DONE);
	rspsim_card_free(card);
	server_fini(&scene.server);
}

static void
try_answer(const struct answer_row *row, bool flip, const struct verdict *want)
{
	struct rspsim_report report;

	scene.row = row;
	scene.flip = flip;
	run_lpa(&report);
	if (report.outcome != want->outcome || report.card_code != want->code)
		fail_msg("%s of %s %s: outcome %d code %d (%s), not %d %d", row->member,
			row->function, flip ? "flipped" : "left out", (int)report.outcome,
			report.card_code, report.words, (int)want->outcome, want->code);
	if (want->last)
		assert_string_equal(report.calls[report.count - 1].function, want->last);
}

static void
each_member_of_json_is_missed_and_each_bit_noticed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ANSWERS; i++) {
		try_answer(answers + i, false, &answers[i].left_out);
		try_answer(answers + i, true, &answers[i].flipped);
	}
}

static void
each_member_of_json_has_a_row(void **state)
{
	struct rspsim_report report;

	(void)state;
	memset(scene.seen, 0, sizeof scene.seen);
	scene.row = NULL;
	run_lpa(&report);
	assert_int_equal(report.outcome, RSPSIM_DONE);
	for (size_t i = 0; i < ANSWERS; i++)
		if (!scene.seen[i])
			fail_msg("%s of %s has a row and is not sent", answers[i].member,
				answers[i].function);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_member_has_a_row),
		cmocka_unit_test(each_member_is_missed_and_each_bit_noticed),
		cmocka_unit_test(each_member_of_json_has_a_row),
		cmocka_unit_test(each_member_of_json_is_missed_and_each_bit_noticed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspsim_members", tests, NULL, NULL);
}
