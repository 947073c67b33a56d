/*
 * The storm over requests of the control socket, from the line to its answer: exactly one, and it says what
 * is wrong.
 */
#include "ctl/int.h"
#include "outbox/outbox.h"
#include "storm/dp_stage.h"
#include "storm/store_views.h"
#include "storm/storm.h"

static struct ctl ctl;

/* In place of the connection (ctl/connection.c): nobody is connected. */
void
ctl_connection_answer(struct ctl_connection *connection, json_t *answer)
{
	const char *code = NULL, *message = NULL, *advice = NULL;

	(void)connection;
	if (json_object_get(answer, "ok")) {
		storm_end(SUCCEEDED, NULL);
	} else {
		assert_int_equal(json_unpack(answer, "{s{ssssss!}!}", "error", "code", &code,
					 "message", &message, "advice", &advice),
			0);
		storm_end(strcmp(code, "busy") == 0 || strcmp(code, "unsure") == 0 ||
					strcmp(code, "broken") == 0 || strcmp(code, "late") == 0 ||
					strcmp(code, "too-large") == 0
				? UNWELL
				: REFUSED,
			message);
	}
	json_decref(answer);
}

/* Nobody sends octets behind a request either, … */
void
ctl_stream_start(struct ctl_connection *connection)
{
	(void)connection;
}

enum ctl_stream_got
ctl_stream_read(struct ctl_connection *connection, struct slice *piece)
{
	(void)connection;
	(void)piece;
	return STREAM_GONE;
}

void
ctl_stream_stop(struct ctl_connection *connection)
{
	(void)connection;
}

const struct step *
ctl_stream_wait(struct ctl_connection *connection, struct task *t, const struct step *then)
{
	(void)connection;
	(void)t;
	return then;
}

/* … and nothing is owed to anybody (outbox/outbox.c). */
void
outbox_each(
	const struct outbox *o, void (*visit)(void *arg, const struct outbox_view *v), void *arg)
{
	(void)o;
	(void)visit;
	(void)arg;
}

static void
ask(const char *line)
{
	ctl.loop = stage.loop;
	ctl.dp = &stage.dp;
	ctl_call_start(&ctl, NULL, "ctl:uid=0(root)", json_loads(line, 0, NULL));
}

static void
start_confirm(const struct scene *s)
{
	(void)s;
	ask("{\"verb\":\"order confirm\",\"args\":{\"iccid\":\"" STAGE_ICCID
	    "\",\"release\":true}}");
}

static void
start_code(const struct scene *s)
{
	(void)s;
	ask("{\"verb\":\"order code\",\"args\":{\"iccid\":\"" STAGE_ICCID "\",\"withOid\":true}}");
}

static const struct scene scenes[] = {
	{ "order confirm", start_confirm, 1, NULL, NULL, false },
	{ "order code", start_code, 1, NULL, NULL, false },
};

STORM_TESTS(stage.loop, scenes)

/* Names are cut to fit a message, and never within a character. */
static void
a_long_name_is_named(void **state)
{
	char name[80], line[256];

	(void)state;
	for (size_t n = 58; n < 70; n++) {
		memset(name, 'a', n);
		strcpy(name + n, "\xf0\x9f\x98\x80");
		snprintf(line, sizeof line, "{\"verb\":\"%s\"}", name);
		ended.ends = 0;
		ask(line);
		assert_int_equal(ended.ends, 1);
		snprintf(line, sizeof line, "{\"verb\":\"stats\",\"args\":{\"%s\":1}}", name);
		ask(line);
		assert_int_equal(ended.ends, 2);
		assert_non_null(strstr(ended.words, "aaaa"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { STORM_RUN, STORM_TEST(a_long_name_is_named) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("ctl_storm", tests, NULL, NULL);
}
