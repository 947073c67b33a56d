/*
 * The storm over the procedures of ES9+: each is run once to count its waits, then again with every wait
 * ended in every way there is, with a deadline at every wait, and with an arena that is full at every
 * size. Whatever happens there is one answer, nothing leaks (sanitizers), no task stays.
 */
#include "storm/dp_stage.h"

struct scene {
	const char *name;
	const struct procedure *procedure;
	void (*fill)(struct task *t);
	unsigned waits; /* of a run that nothing disturbs */
	bool with_code;
};

static unsigned ends;
static enum trouble bad;
static const struct refusal *no;
static char note[128];

static void
on_end(struct task *t)
{
	ends++;
	bad = t->bad;
	no = t->no;
	snprintf(note, sizeof note, "%s", ((struct dp_call *)t->state)->note ?: "");
}

static void
fill_initiate(struct task *t)
{
	struct dp_initiate_authentication *c = t->state;

	c->in.euicc_challenge = SLICE_ARRAY(stage.challenge);
	c->in.euicc_info1 = card_info(0xbf20);
	c->in.smdp_address = SLICE_LIT("SMDP.example.org.");
}

static void
fill_authenticate(struct task *t)
{
	struct dp_authenticate_client *c = t->state;

	c->call.transaction_id = stage.transaction_id;
	c->in.authenticate_server_response = card_authenticate();
}

static void
fill_package(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;

	c->call.transaction_id = stage.transaction_id;
	c->in.prepare_download_response = card_prepare();
}

static void
fill_result(struct task *t)
{
	((struct dp_handle_notification *)t->state)->in.pending_notification = card_result();
}

static void
fill_notification(struct task *t)
{
	((struct dp_handle_notification *)t->state)->in.pending_notification = card_notification();
}

static void
fill_cancel(struct task *t)
{
	struct dp_cancel_session *c = t->state;

	c->call.transaction_id = stage.transaction_id;
	c->in.cancel_session_response = card_cancel();
}

static const struct scene scenes[] = {
	{ "InitiateAuthentication", &dp_initiate_authentication, fill_initiate, 0, false },
	{ "AuthenticateClient", &dp_authenticate_client, fill_authenticate, 2, false },
	{ "GetBoundProfilePackage", &dp_get_bound_profile_package, fill_package, 2, false },
	{ "GetBoundProfilePackage with a code", &dp_get_bound_profile_package, fill_package, 3,
		true },
	{ "installation result", &dp_handle_notification, fill_result, 3, false },
	{ "other notification", &dp_handle_notification, fill_notification, 2, false },
	{ "CancelSession", &dp_cancel_session, fill_cancel, 2, false },
};
enum { SCENES = sizeof scenes / sizeof *scenes };

static void
stop(void *arg)
{
	(void)arg;
	loop_stop(stage.loop);
}

/* Plays one scene to its end and a little longer: nothing may come after the answer. */
static void
play(const struct scene *s, const struct procedure *p, uint32_t ms)
{
	struct task *t = task_new(stage.loop, p, NULL, on_end);
	struct loop_timer *timer;

	assert_non_null(t);
	ends = script.waits = script.abandoned = 0;
	bad = T_NONE;
	no = NULL;
	stage.with_code = s->with_code;
	crypto_token_make(stage.world.ring, 1, clock_wall_us() / 1000000,
		(uint8_t *)(uintptr_t)stage.transaction_id.p);
	((struct dp_call *)t->state)->dp = &stage.dp;
	s->fill(t);
	task_start(t, p->first);
	timer = loop_timer_new(stage.loop, ms, stop, NULL);
	loop_run(stage.loop);
	loop_timer_free(timer);
	if (ends != 1 || loop_tasks_get(stage.loop) != 0)
		fail_msg("%s: wait %u outcome %d: %u answers, %u tasks left", s->name, script.wait,
			script.outcome, ends, loop_tasks_get(stage.loop));
}

static void
an_undisturbed_run_succeeds(void **state)
{
	(void)state;
	for (const struct scene *s = scenes; s < scenes + SCENES; s++) {
		script.wait = 0;
		play(s, s->procedure, 2);
		if (bad || no)
			fail_msg("%s: %s (%s)", s->name, no ? no->name : trouble_name(bad), note);
		if (script.waits != s->waits)
			fail_msg("%s: %u statements, not %u", s->name, script.waits, s->waits);
	}
}

static void
every_wait_may_end_in_every_way(void **state)
{
	(void)state;
	for (const struct scene *s = scenes; s < scenes + SCENES; s++)
		for (script.wait = 1; script.wait <= s->waits; script.wait++)
			for (script.outcome = NO_ROW; script.outcome < NEVER; script.outcome++) {
				play(s, s->procedure, 2);
				if (script.outcome >= BUSY)
					assert_int_not_equal(bad, T_NONE);
			}
}

static void
a_deadline_may_come_at_every_wait(void **state)
{
	(void)state;
	script.outcome = NEVER;
	for (const struct scene *s = scenes; s < scenes + SCENES; s++)
		for (script.wait = 1; script.wait <= s->waits; script.wait++) {
			struct procedure hasty = *s->procedure;

			hasty.deadline_ms = 5;
			play(s, &hasty, 30);
			assert_int_equal(bad, T_LATE);
			assert_int_equal(script.abandoned, 1);
		}
}

static void
memory_may_end_anywhere(void **state)
{
	(void)state;
	script.wait = 0;
	for (const struct scene *s = scenes; s < scenes + SCENES; s++) {
		struct procedure poor = *s->procedure;
		bool enough = false;

		for (poor.arena_cap = 0; !enough; poor.arena_cap += 331) {
			play(s, &poor, 1);
			enough = bad == T_NONE;
			if (bad && bad != T_NOMEM)
				fail_msg("%s: %s", s->name, trouble_name(bad));
			assert_true(poor.arena_cap < s->procedure->arena_cap);
		}
		assert_null(no);
	}
}

static int
setup(void **state)
{
	(void)state;
	stage_init();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	stage_fini();
	return 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_undisturbed_run_succeeds),
		TEST(every_wait_may_end_in_every_way),
		TEST(a_deadline_may_come_at_every_wait),
		TEST(memory_may_end_anywhere),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dp_storm", tests, NULL, NULL);
}
