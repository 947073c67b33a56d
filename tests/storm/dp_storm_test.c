/* The storm over the functions of ES9+ (SGP.22 §5.6). */
#include "storm/card.h"
#include "storm/dp_storm.h"

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

#define SCENE(name, waits, procedure, fill, with_code)                   \
	{                                                                \
		name, dp_storm_start, waits, &procedure, fill, with_code \
	}
static const struct scene scenes[] = {
	SCENE("InitiateAuthentication", 0, dp_initiate_authentication, fill_initiate, false),
	SCENE("AuthenticateClient", 2, dp_authenticate_client, fill_authenticate, false),
	SCENE("GetBoundProfilePackage", 2, dp_get_bound_profile_package, fill_package, false),
	SCENE("GetBoundProfilePackage with a code", 3, dp_get_bound_profile_package, fill_package,
		true),
	SCENE("installation result", 3, dp_handle_notification, fill_result, false),
	SCENE("other notification", 2, dp_handle_notification, fill_notification, false),
	SCENE("CancelSession", 2, dp_cancel_session, fill_cancel, false),
};

STORM_TESTS(stage.loop, scenes)

int
main(void)
{
	const struct CMUnitTest tests[] = { STORM_RUN };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dp_storm", tests, NULL, NULL);
}
