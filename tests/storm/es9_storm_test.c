/*
 * The storm over ES9+ as a peer sees it: whatever happens to a request, the peer hears exactly one answer
 * (SGP.22 §6.3, §6.5): 200, or 204 for a notification; 503 when we are unwell; 400 when the body is no JSON.
 * The request is gone once it is answered, as it is when the peer has left.
 */
#include <jansson.h>
#include "es9/es9.h"
#include "storm/es9_peer.h"
#include "storm/storm.h"

enum function { INITIATE, AUTHENTICATE, PACKAGE, NOTIFICATION, CANCEL };

static void
on_answer(const struct answer *answer)
{
	json_t *root;
	const char *status = NULL;

	assert_true(answer->retry_after == 0 || answer->status == 503);
	if (answer->status == 503) {
		assert_in_range(answer->retry_after, 2, 5);
		assert_null(answer->body.p);
		storm_end(UNWELL, "503");
		return;
	}
	if (answer->status == 204) {
		assert_null(answer->body.p);
		storm_end(SUCCEEDED, "204");
		return;
	}
	assert_int_equal(answer->status, 200);
	root = json_loadb((const char *)answer->body.p, answer->body.n, 0, NULL);
	json_unpack(root, "{s{s{ss}}}", "header", "functionExecutionStatus", "status", &status);
	assert_non_null(status);
	storm_end(
		strcmp(status, "Failed") == 0 ? REFUSED : SUCCEEDED, (const char *)answer->body.p);
	json_decref(root);
}

static struct slice
initiate_body(void)
{
	struct slice challenge = text_base64(&stage.mem, SLICE_ARRAY(stage.challenge));
	struct slice info = text_base64(&stage.mem, card_info(0xbf20));

	return slice_text(arena_printf(&stage.mem,
		"{\"euiccChallenge\":\"%s\",\"euiccInfo1\":\"%s\",\"smdpAddress\":\"%s\"}",
		challenge.p, info.p, "smdp.example.org"));
}

static struct slice
member_body(const char *member, struct slice octets)
{
	return slice_text(arena_printf(&stage.mem, "{\"transactionId\":\"%s\",\"%s\":\"%s\"}",
		text_hex(&stage.mem, stage.transaction_id).p, member,
		text_base64(&stage.mem, octets).p));
}

static void
ask_initiate(const struct scene *s)
{
	(void)s;
	es9_peer_ask("initiateAuthentication", initiate_body(), on_answer);
}

static void
ask_authenticate(const struct scene *s)
{
	(void)s;
	stage_transaction_renew();
	es9_peer_ask("authenticateClient",
		member_body("authenticateServerResponse", card_authenticate()), on_answer);
}

static void
ask_package(const struct scene *s)
{
	stage_transaction_renew();
	stage.with_code = s->with_code;
	es9_peer_ask("getBoundProfilePackage",
		member_body("prepareDownloadResponse", card_prepare()), on_answer);
}

static void
ask_result(const struct scene *s)
{
	(void)s;
	stage_transaction_renew();
	es9_peer_ask(
		"handleNotification", member_body("pendingNotification", card_result()), on_answer);
}

static void
ask_notification(const struct scene *s)
{
	(void)s;
	es9_peer_ask("handleNotification", member_body("pendingNotification", card_notification()),
		on_answer);
}

static void
ask_cancel(const struct scene *s)
{
	(void)s;
	stage_transaction_renew();
	es9_peer_ask(
		"cancelSession", member_body("cancelSessionResponse", card_cancel()), on_answer);
}

static const struct scene scenes[] = {
	{ "initiateAuthentication", ask_initiate, 0, NULL, NULL, false },
	{ "authenticateClient", ask_authenticate, 2, NULL, NULL, false },
	{ "getBoundProfilePackage", ask_package, 2, NULL, NULL, false },
	{ "getBoundProfilePackage with a code", ask_package, 3, NULL, NULL, true },
	{ "handleNotification, result", ask_result, 3, NULL, NULL, false },
	{ "handleNotification, other", ask_notification, 2, NULL, NULL, false },
	{ "cancelSession", ask_cancel, 2, NULL, NULL, false },
};

STORM_TESTS(stage.loop, scenes)

/* ---- requests that are wrong in themselves ---------------------------------------------------------- */

static unsigned answers, status;
static char body[512];

static void
keep(const struct answer *answer)
{
	answers++;
	status = answer->status;
	snprintf(body, sizeof body, "%.*s", SLICE_FMT(answer->body));
}

static void
ask(const char *function, struct slice octets, unsigned due)
{
	answers = 0;
	es9_peer_ask(function, octets, keep);
	script_play(stage.loop);
	assert_int_equal(answers, 1);
	assert_int_equal(status, due);
	assert_int_equal(loop_tasks_get(stage.loop), 0);
}

static void
what_is_no_json_is_400(void **state)
{
	static const char *const bodies[] = { "", " ", "{", "[]", "\"text\"", "1", "null",
		"{\"a\":1}x", "{\"a\":\"\\u0000\"}", "{\"a\":\"\xff\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		ask("initiateAuthentication", slice_text(bodies[i]), 400);
		ask("handleNotification", slice_text(bodies[i]), 400);
	}
}

static void
a_notification_is_204_whatever_it_holds(void **state)
{
	(void)state;
	ask("handleNotification", SLICE_LIT("{}"), 204);
	ask("handleNotification", SLICE_LIT("{\"pendingNotification\":\"AAAA\"}"), 204);
	ask("handleNotification", SLICE_LIT("{\"pendingNotification\":17}"), 204);
}

static void
other_members_missing_or_wrong_are_200_and_a_status(void **state)
{
	(void)state;
	ask("cancelSession", SLICE_LIT("{}"), 200);
	assert_non_null(strstr(body, "\"subjectCode\":\"1.3.1\",\"reasonCode\":\"2.2\""));
	ask("cancelSession", SLICE_LIT("{\"transactionId\":\"00\",\"cancelSessionResponse\":1}"),
		200);
	assert_non_null(strstr(body, "\"subjectCode\":\"1.3.1\",\"reasonCode\":\"2.1\""));
	ask("cancelSession", SLICE_LIT("{\"transactionId\":\"xy\",\"cancelSessionResponse\":\"\"}"),
		200);
	assert_non_null(strstr(body, "\"subjectCode\":\"8.10.1\",\"reasonCode\":\"3.9\""));
}

static void
what_no_function_has_is_404_and_another_type_415(void **state)
{
	(void)state;
	ask("noSuchFunction", SLICE_LIT("{}"), 404);
	es9_peer.content_type = "text/plain";
	ask("cancelSession", SLICE_LIT("{}"), 415);
	es9_peer.content_type = "Application/JSON ; charset=x";
	ask("cancelSession", SLICE_LIT("{}"), 200);
	es9_peer.content_type = NULL;
	ask("cancelSession", SLICE_LIT("{}"), 200);
}

static void
without_room_for_a_task_or_a_world_it_is_503(void **state)
{
	struct dp_world *world = stage.dp.world;

	(void)state;
	stage.dp.world = NULL;
	ask("initiateAuthentication", initiate_body(), 503);
	stage.dp.world = world;
	loop_limits_set(stage.loop, &(struct loop_limits){ .tasks = 0 });
	ask("initiateAuthentication", initiate_body(), 503);
}

/* A listener may allow bodies that are larger than a task's arena (limits, body). */
static void
a_member_of_any_length_has_one_answer(void **state)
{
	(void)state;
	for (size_t n = 2; n < 3u << 20; n += n / 8 * 2 + 2) {
		char *digits = malloc(n + 1), *text;

		memset(digits, 'A', n);
		digits[n] = 0;
		assert_true(
			asprintf(&text,
				"{\"transactionId\":\"%s\",\"authenticateServerResponse\":\"\"}",
				digits) > 0);
		answers = 0;
		es9_peer_ask("authenticateClient", slice_text(text), keep);
		script_play(stage.loop);
		assert_int_equal(answers, 1);
		assert_true(status == 200 || status == 503);
		free(digits);
		free(text);
	}
	assert_int_equal(status, 503);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORM_RUN,
		STORM_TEST(what_is_no_json_is_400),
		STORM_TEST(a_notification_is_204_whatever_it_holds),
		STORM_TEST(other_members_missing_or_wrong_are_200_and_a_status),
		STORM_TEST(what_no_function_has_is_404_and_another_type_415),
		STORM_TEST(without_room_for_a_task_or_a_world_it_is_503),
		STORM_TEST(a_member_of_any_length_has_one_answer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("es9_storm", tests, NULL, NULL);
}
