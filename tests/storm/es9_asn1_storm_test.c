/*
 * The storm over ES9+ in its ASN.1 binding (SGP.22 §6.6): as in es9_storm_test.c, whatever happens to a request,
 * the peer hears exactly one answer. The request is gone once it is answered, so whoever still looked into its
 * body would be caught.
 */
#include "es9/es9.h"
#include "storm/es9_peer.h"
#include "storm/storm.h"

/* A2 len BFxx len 81 len integer: shorter than any members, but for CancelSession's, which has none. */
static bool
is_error(struct slice body)
{
	return body.n == 8 && body.p[5] == 0x81;
}

static void
on_answer(const struct answer *answer)
{
	assert_true(answer->retry_after == 0 || answer->status == 503);
	if (answer->status != 200) {
		assert_true(answer->status == 503 || answer->status == 204);
		assert_null(answer->body.p);
		storm_end(answer->status == 503 ? UNWELL : SUCCEEDED, "without a body");
		return;
	}
	assert_string_equal(answer->content_type, "application/x-gsma-rsp-asn1");
	assert_int_equal(answer->body.p[0], 0xa2);
	storm_end(is_error(answer->body) ? REFUSED : SUCCEEDED,
		(const char *)text_hex(&stage.mem, answer->body).p);
}

static void
ask(uint32_t function, struct slice first, struct slice second, struct slice third)
{
	es9_peer.content_type = "application/x-gsma-rsp-asn1";
	es9_peer_ask_at(SLICE_LIT("/gsma/rsp2/asn1"),
		TLV(0xa2, TLV(function, first, second, third)), on_answer);
}

static void
ask_initiate(const struct scene *s)
{
	(void)s;
	ask(0xbf39, TLV(0x81, SLICE_ARRAY(stage.challenge)),
		TLV(0x83, SLICE_LIT("smdp.example.org")), card_info(0xbf20));
}

static void
ask_authenticate(const struct scene *s)
{
	(void)s;
	stage_transaction_renew();
	ask(0xbf3b, TLV(0x80, stage.transaction_id), card_authenticate(), SLICE_LIT(""));
}

static void
ask_package(const struct scene *s)
{
	stage_transaction_renew();
	stage.with_code = s->with_code;
	ask(0xbf3a, TLV(0x80, stage.transaction_id), card_prepare(), SLICE_LIT(""));
}

static void
ask_result(const struct scene *s)
{
	(void)s;
	stage_transaction_renew();
	ask(0xbf3d, TLV(0xa0, card_result()), SLICE_LIT(""), SLICE_LIT(""));
}

static void
ask_notification(const struct scene *s)
{
	(void)s;
	ask(0xbf3d, card_notification(), SLICE_LIT(""), SLICE_LIT(""));
}

/* The response keeps its own tag inside that of the member. */
static void
ask_cancel(const struct scene *s)
{
	(void)s;
	stage_transaction_renew();
	ask(0xbf41, TLV(0x80, stage.transaction_id), TLV(0xa1, card_cancel()), SLICE_LIT(""));
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

int
main(void)
{
	const struct CMUnitTest tests[] = { STORM_RUN };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("es9_asn1_storm", tests, NULL, NULL);
}
