/* The storm over import and the functions of ES2+ (SGP.22 §5.3). */
#include "peer/peer.h"
#include "storm/call_script.h"
#include "storm/dp_storm.h"
#include "codec/metadata.h"
#include "unit/profile_upp_text.h"

static const struct dp_actor actor = { .name = SLICE_LIT("ctl:uid=0(root)"),
	.why = SLICE_LIT("storm") };

static void
fill_import(struct task *t)
{
	struct dp_import_profile *c = t->state;

	c->in.actor = actor;
	c->in.package = package_with(t->mem, HEADER, NULL);
}

/* With everything that an administrator may say, another ICCID among it. */
static void
fill_import_renamed(struct task *t)
{
	static const struct slice notify[] = { SLICE_LIT("smdp.example.org=install+delete") };
	struct dp_import_profile *c = t->state;

	fill_import(t);
	c->call.iccid = SLICE_LIT("89000123456789012358");
	c->in.type_name = SLICE_LIT("gold");
	c->in.wishes.name = SLICE_LIT("Gold");
	c->in.wishes.provider = SLICE_LIT("Example");
	c->in.wishes.profile_class = SLICE_LIT("operational");
	c->in.wishes.owner = SLICE_LIT("00101");
	c->in.wishes.rules = CODEC_PPR_NO_DELETE;
	c->in.wishes.notify = notify;
	c->in.wishes.notify_count = 1;
}

static void
fill_download(struct task *t)
{
	struct dp_download_order *c = t->state;

	c->in.actor = actor;
	c->in.type_name = SLICE_LIT("gold");
}

static void
fill_confirm(struct task *t)
{
	struct dp_confirm_order *c = t->state;

	c->call.iccid = SLICE_LIT(STAGE_ICCID);
	c->in.actor = actor;
	c->in.confirmation_code = SLICE_LIT("1234");
	c->in.release = true;
}

static struct peer *peer;

static void
drop_nothing(void *owner)
{
	(void)owner;
}

static void
make_peer(void)
{
	static const struct peer_settings settings = { .requester = "2.999.10",
		.server_address = "smdp.example.org",
		.call_ms = 1000,
		.smds = { { .address = "ds.example.org" } },
		.smds_n = 1,
		.drop = drop_nothing };

	peer = peer_new(NULL, 1);
	peer_settings_set(peer, &settings, 1);
}

/* The event is registered before the order is confirmed. */
static void
fill_confirm_at_sm_ds(struct task *t)
{
	struct dp_confirm_order *c = t->state;

	fill_confirm(t);
	c->in.smds_address = SLICE_LIT("DS.example.org:443");
	stage.dp.peer = peer;
	call_script.answer = (struct https_reply){ .status = 200,
		.body = SLICE_LIT("{\"header\": {\"functionExecutionStatus\": "
				  "{\"status\": \"Executed-Success\"}}}") };
}

static void
fill_release(struct task *t)
{
	struct dp_release_profile *c = t->state;

	c->call.iccid = SLICE_LIT(STAGE_ICCID);
	c->in.actor = actor;
}

static void
fill_cancel(struct task *t)
{
	struct dp_cancel_order *c = t->state;

	c->call.iccid = SLICE_LIT(STAGE_ICCID);
	c->in.actor = actor;
	c->in.administrator = true;
}

static void
fill_reset(struct task *t)
{
	struct dp_reset_order *c = t->state;

	c->call.iccid = SLICE_LIT(STAGE_ICCID);
	c->in.actor = actor;
}

#define SCENE(name, waits, procedure, fill)                          \
	{                                                            \
		name, dp_storm_start, waits, &procedure, fill, false \
	}
static const struct scene scenes[] = {
	SCENE("ImportProfile", 1, dp_import_profile, fill_import),
	SCENE("ImportProfile under another ICCID", 1, dp_import_profile, fill_import_renamed),
	SCENE("DownloadOrder", 2, dp_download_order, fill_download),
	SCENE("ConfirmOrder", 1, dp_confirm_order, fill_confirm),
	SCENE("ConfirmOrder with an SM-DS", 3, dp_confirm_order, fill_confirm_at_sm_ds),
	SCENE("ReleaseProfile", 1, dp_release_profile, fill_release),
	SCENE("CancelOrder", 1, dp_cancel_order, fill_cancel),
	SCENE("ResetOrder", 1, dp_reset_order, fill_reset),
};

STORM_TESTS(stage.loop, scenes)

/* ---- conflicts ----------------------------------------------------------------------------------------- */

static const char *standing_state;

static void
write_standing(unsigned query, const struct want *want)
{
	row_write(query, want);
	if (query == Q_ORDER_STANDING)
		((struct store_standing *)want->row)->state = slice_text(standing_state);
}

/* Conflicts so often, and the order then stands in this state. */
static void
play_conflicts(const struct scene *s, const char *state, unsigned conflicts)
{
	script_clear();
	script.write = write_standing;
	standing_state = state;
	for (unsigned i = 0; i < conflicts; i++)
		script.outcomes[1 + 2 * i] = CONFLICTING;
	storm_play(stage.loop, s, 0);
}

/*
 * The statement says no while another call brings the order to where it could have said yes: it is asked
 * once more, and only then the caller is sent away. What cannot be is not asked again.
 */
static void
a_conflict_that_is_over_is_tried_again(void **state)
{
	static const struct {
		struct scene scene;
		const char *movable, *done, *never;
	} cases[] = {
		{ SCENE("ReleaseProfile", 1, dp_release_profile, fill_release), "confirmed",
			"released", "allocated" },
		{ SCENE("CancelOrder", 1, dp_cancel_order, fill_cancel), "released", "available",
			"installed" },
		{ SCENE("ResetOrder", 1, dp_reset_order, fill_reset), "error", "released",
			"installed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct scene *s = &cases[i].scene;

		play_conflicts(s, cases[i].movable, 1);
		storm_must_be(s, SUCCEEDED);
		assert_int_equal(script.waits, 3);
		play_conflicts(s, cases[i].movable, 2);
		storm_must_be(s, UNWELL);
		assert_int_equal(script.waits, 4);
		play_conflicts(s, cases[i].done, 1);
		storm_must_be(s, SUCCEEDED);
		play_conflicts(s, cases[i].done, 2);
		storm_must_be(s, REFUSED);
		play_conflicts(s, cases[i].never, 1);
		storm_must_be(s, REFUSED);
		assert_int_equal(script.waits, 2);
	}
}

static unsigned last_query;

static void
note_query(unsigned query, const struct want *want)
{
	last_query = query;
	row_write(query, want);
}

/* Whatever keeps an event from being registered, its reservation is taken back before the caller is told. */
static void
what_was_not_registered_is_taken_back(void **state)
{
	static const struct scene scene =
		SCENE("ConfirmOrder with an SM-DS", 3, dp_confirm_order, fill_confirm_at_sm_ds);
	static const enum outcome answers[] = { NO_ROW, CONFLICTING };

	(void)state;
	script.write = note_query;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		script_clear();
		script.outcomes[2] = answers[i];
		storm_play(stage.loop, &scene, 0);
		storm_must_be(&scene, REFUSED);
		assert_int_equal(script.waits, 3);
		assert_int_equal(last_query, Q_ORDER_UNRESERVE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { STORM_RUN,
		STORM_TEST(a_conflict_that_is_over_is_tried_again),
		STORM_TEST(what_was_not_registered_is_taken_back) };
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	make_peer();
	failed = cmocka_run_group_tests_name("dp_orders_storm", tests, NULL, NULL);
	peer_free(peer);
	return failed;
}
