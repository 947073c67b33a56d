/* The end of a CoAP listener: what is in progress goes on, nothing is begun, and patience has an end. */
#include "unit/coap_fixture.h"

static struct server server;
static SSL_CTX *context;
static struct client client;

static int
set_up(void **state)
{
	char why[COAP_WHY];

	(void)state;
	server_start(&server, &easy, identity_of("nist", NULL, 0, why));
	client_open(&client, &server, context);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	client_close(&client);
	assert_true(server.drained);
	assert_int_equal(stats_get(STATS_coap_sessions_open), 0);
	assert_int_equal(stats_get(STATS_coap_bodies), 0);
	coap_server_free(server.coap);
	loop_free(server.loop);
	return 0;
}

/* Sessions that idle end at once, with a notice. */
static void
test_idle(void **state)
{
	uint8_t octet;

	(void)state;
	server_drain(&server, PATIENCE_MS);
	assert_true(server_is_drained(&server, 1000));
	assert_int_equal(SSL_read(client.ssl, &octet, 1), 0);
	assert_int_equal(SSL_get_error(client.ssl, 0), SSL_ERROR_ZERO_RETURN);
}

static void
park(void)
{
	struct wire w;

	begin(&w, CON, CODE_POST, ++client.mid);
	put_path(&w, "/park");
	client_send(&client, &w);
	wait_for(&server, -1, 20);
	assert_int_equal(server.parked_n, 1);
}

static void
test_pending(void **state)
{
	static const struct answer done = { .status = 204 };
	struct reply_seen r;

	(void)state;
	park();
	server_drain(&server, PATIENCE_MS);
	assert_false(server_is_drained(&server, 50));
	client_post(&client, "/x", SLICE_NONE, &r); /* nothing is begun */
	assert_int_equal(r.code, CODE_UNAVAILABLE);
	assert_int_equal(server.asked, 1);
	request_respond(server.parked[0], &done);
	assert_true(client_receive(&client, &r, PATIENCE_MS));
	assert_int_equal(r.code, CODE_CHANGED);
	assert_true(server_is_drained(&server, 1000));
}

/* The blocks of a body that is on its way still come and go. */
static void
test_blocks(void **state)
{
	struct reply_seen r;
	struct wire w;

	(void)state;
	begin(&w, CON, CODE_POST, ++client.mid);
	put_path(&w, "/big");
	put_number(&w, COAP_OPTION_BLOCK1, block_of(0, true, 6));
	put_payload(&w, big, 1024);
	client_ask(&client, &w, &r);
	server_drain(&server, PATIENCE_MS);
	assert_false(server_is_drained(&server, 20));
	begin(&w, CON, CODE_POST, ++client.mid);
	put_path(&w, "/big");
	put_number(&w, COAP_OPTION_BLOCK1, block_of(1, false, 6));
	put_payload(&w, big + 1024, 1);
	client_ask(&client, &w, &r);
	assert_int_equal(r.code, CODE_CONTENT);
	assert_int_equal(server.body_n, 1025);
	for (unsigned num = 1; r.block2 & 8; num++) {
		begin(&w, CON, CODE_POST, ++client.mid);
		put_path(&w, "/big");
		put_number(&w, COAP_OPTION_BLOCK2, block_of(num, false, 6));
		client_ask(&client, &w, &r);
		assert_int_equal(r.code, CODE_CONTENT);
	}
	assert_true(server_is_drained(&server, 1000));
}

/* At the end of patience 5.03; what the handler says later is heard by nobody. */
static void
test_impatient(void **state)
{
	static const struct answer done = { .status = 204 };
	int64_t departed = stats_get(STATS_coap_departed);
	struct reply_seen r;

	(void)state;
	park();
	server_drain(&server, 50);
	assert_true(client_receive(&client, &r, PATIENCE_MS));
	assert_int_equal(r.code, CODE_UNAVAILABLE);
	assert_true(r.max_age > 0);
	assert_true(server_is_drained(&server, 1000));
	assert_int_equal(server.parked[0]->body.n, 0);
	assert_true(
		slice_eq(server.parked[0]->route, SLICE_LIT("/park"))); /* lasts until the answer */
	request_respond(server.parked[0], &done);
	assert_int_equal(stats_get(STATS_coap_departed), departed + 1);
}

/* No new session either. */
static void
test_no_newcomers(void **state)
{
	struct client late;

	(void)state;
	park();
	server_drain(&server, 600);
	client_init(&late, &server, context, NULL, udp_open(0, server.port));
	assert_false(client_shake(&late, 300));
	client_close(&late);
	assert_true(server_is_drained(&server, PATIENCE_MS));
	request_respond(server.parked[0], &(struct answer){ .status = 204 });
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(idle),
		TEST(pending),
		TEST(blocks),
		TEST(impatient),
		TEST(no_newcomers),
	};
	int failed;

	make_certificates();
	context = client_context();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	SSL_CTX_free(context);
	remove_certificates();
	return failed;
}
