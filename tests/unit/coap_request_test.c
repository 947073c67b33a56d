/* Requests and their answers over a DTLS session: what is handed on, what is answered here, what is repeated. */
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
	server_stop(&server);
	return 0;
}

static void
assert_payload(const struct reply_seen *r, const char *text)
{
	assert_int_equal(r->payload_n, strlen(text));
	assert_memory_equal(r->payload, text, r->payload_n);
}

static void
test_whole(void **state)
{
	struct reply_seen r;

	(void)state;
	client_post(&client, "/gsma/rsp2/asn1", SLICE_LIT("abc"), &r);
	assert_int_equal(r.code, CODE_CONTENT);
	assert_int_equal(r.format, -1); /* the request did not say either */
	assert_int_equal(r.block2, -1);
	assert_payload(&r, "route=/gsma/rsp2/asn1 type= body=3");
	client_post(&client, "/", SLICE_NONE, &r);
	assert_payload(&r, "route=/ type= body=0");
}

static void
test_codes(void **state)
{
	struct reply_seen r;

	(void)state;
	client_post(&client, "/nothing", SLICE_NONE, &r);
	assert_int_equal(r.code, CODE_CHANGED);
	assert_int_equal(r.payload_n, 0);
	client_post(&client, "/missing", SLICE_NONE, &r);
	assert_int_equal(r.code, CODE_NOT_FOUND);
	client_post(&client, "/busy", SLICE_NONE, &r);
	assert_int_equal(r.code, CODE_UNAVAILABLE);
	assert_int_equal(r.max_age, 7);
}

/* The answer's form, and what the handler hears of it. */
static void
ask_with_format(unsigned format, struct reply_seen *r)
{
	struct wire w;

	begin(&w, CON, CODE_POST, ++client.mid);
	put_path(&w, "/x");
	put_number(&w, COAP_OPTION_CONTENT_FORMAT, format);
	client_ask(&client, &w, r);
}

static void
test_formats(void **state)
{
	struct reply_seen r;

	(void)state;
	ask_with_format(FORMAT_JSON, &r);
	assert_int_equal(r.format, FORMAT_JSON);
	assert_payload(&r, "route=/x type=application/json body=0");
	ask_with_format(FORMAT_OCTETS, &r);
	assert_payload(&r, "route=/x type= body=0");
	ask_with_format(0, &r);
	assert_int_equal(r.code, CODE_FORMAT);
	ask_with_format(60, &r);
	assert_int_equal(r.code, CODE_FORMAT);
	assert_int_equal(server.asked, 2);
}

/* Every other method, also where libcoap would answer by itself. */
static void
test_methods(void **state)
{
	static const char *const paths[] = { "/x", "/.well-known/core" };
	struct reply_seen r;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (unsigned code = 1; code <= 7; code++) {
			if (code == CODE_POST)
				continue;
			begin(&w, CON, code, ++client.mid);
			put_path(&w, paths[i]);
			client_ask(&client, &w, &r);
			assert_int_equal(r.code, CODE_METHOD);
		}
	assert_int_equal(server.asked, 0);
}

static void
ask_with_option(unsigned number, const char *value, struct reply_seen *r)
{
	struct wire w;

	begin(&w, CON, CODE_POST, ++client.mid);
	put_option(&w, number, value, strlen(value));
	client_ask(&client, &w, r);
}

/* Critical ones that are not known end the request, elective ones do not (RFC 7252 §5.4.1). */
static void
test_options(void **state)
{
	static const unsigned critical[] = { 1, 9, 21, 2049, 65001 };
	static const unsigned elective[] = { 4, 252, 258, 292, 2048, 65000 };
	struct reply_seen r;

	(void)state;
	for (size_t i = 0; i < sizeof critical / sizeof *critical; i++) {
		ask_with_option(critical[i], "x", &r);
		assert_int_equal(r.code, CODE_BAD_OPTION);
	}
	assert_int_equal(server.asked, 0);
	for (size_t i = 0; i < sizeof elective / sizeof *elective; i++) {
		ask_with_option(elective[i], "x", &r);
		assert_int_equal(r.code, CODE_CONTENT);
	}
	ask_with_option(COAP_OPTION_URI_HOST, "eim.example", &r);
	assert_int_equal(r.code, CODE_CONTENT);
	ask_with_option(COAP_OPTION_ACCEPT, "2", &r);
	assert_int_equal(r.code, CODE_CONTENT);
	ask_with_option(COAP_OPTION_PROXY_SCHEME, "coap", &r);
	assert_int_equal(r.code, CODE(5, 5));
}

static void
test_non(void **state)
{
	struct reply_seen r, again;
	struct wire w;

	(void)state;
	begin(&w, NON, CODE_POST, ++client.mid);
	put_path(&w, "/x");
	client_ask(&client, &w, &r);
	assert_int_equal(r.type, NON);
	assert_int_equal(r.code, CODE_CONTENT);
	assert_memory_equal(r.token, w.p + 4, 2);
	client_ask(&client, &w, &again);
	assert_int_equal(again.code, CODE_CONTENT);
	assert_int_equal(server.asked, 1);
}

/* While the handler has a request its repetitions are absorbed; then they get the same answer. */
static void
test_repetitions(void **state)
{
	const struct answer late = {
		.status = 200, .content_type = "text/plain", .body = SLICE_LIT("late")
	};
	int64_t absorbed = stats_get(STATS_coap_absorbed),
		repeated = stats_get(STATS_coap_repeated);
	struct reply_seen r;
	struct wire w;

	(void)state;
	begin(&w, CON, CODE_POST, ++client.mid);
	put_path(&w, "/park");
	client_send(&client, &w);
	client_send(&client, &w);
	assert_silence(&client); /* not even an empty acknowledgement */
	assert_int_equal(server.asked, 1);
	assert_int_equal(stats_get(STATS_coap_absorbed), absorbed + 1);
	request_respond(server.parked[0], &late);
	assert_true(client_receive(&client, &r, PATIENCE_MS));
	assert_int_equal(r.type, ACK);
	assert_payload(&r, "late");
	client_ask(&client, &w, &r);
	assert_int_equal(r.type, ACK);
	assert_int_equal(r.mid, client.mid);
	assert_payload(&r, "late");
	assert_int_equal(server.asked, 1);
	assert_int_equal(stats_get(STATS_coap_repeated), repeated + 1);
}

/* The same message ID with another token is another request. */
static void
test_same_id(void **state)
{
	struct reply_seen r;
	struct wire w;

	(void)state;
	client_post(&client, "/x", SLICE_NONE, &r);
	begin(&w, CON, CODE_POST, client.mid);
	w.p[5] ^= 1;
	put_path(&w, "/y");
	client_ask(&client, &w, &r);
	assert_payload(&r, "route=/y type= body=0");
	assert_int_equal(server.asked, 2);
}

/* Who waits for the handler keeps nobody else waiting. */
static void
test_slow(void **state)
{
	static const struct answer done = { .status = 204 };
	struct client other;
	struct reply_seen r;
	struct wire w;

	(void)state;
	begin(&w, CON, CODE_POST, ++client.mid);
	put_path(&w, "/park");
	client_send(&client, &w);
	client_open(&other, &server, context);
	client_post(&other, "/x", SLICE_NONE, &r);
	assert_int_equal(r.code, CODE_CONTENT);
	client_post(&client, "/x", SLICE_NONE, &r); /* nor himself */
	assert_int_equal(r.code, CODE_CONTENT);
	request_respond(server.parked[0], &done);
	assert_true(client_receive(&client, &r, PATIENCE_MS));
	assert_int_equal(r.mid, w.p[2] << 8 | w.p[3]);
	assert_int_equal(r.code, CODE_CHANGED);
	client_close(&other);
}

/* So many at a time, and no more. */
static void
test_too_many(void **state)
{
	static const struct answer done = { .status = 204 };
	struct reply_seen r;
	struct wire w;

	(void)state;
	for (int i = 0; i < 8; i++) {
		begin(&w, CON, CODE_POST, ++client.mid);
		put_path(&w, "/park");
		client_send(&client, &w);
	}
	client_post(&client, "/x", SLICE_NONE, &r);
	assert_int_equal(r.code, CODE_UNAVAILABLE);
	assert_true(r.max_age > 0);
	assert_int_equal(server.asked, 8);
	for (int i = 0; i < 8; i++)
		request_respond(server.parked[i], &done);
	for (int i = 0; i < 8; i++)
		assert_true(client_receive(&client, &r, PATIENCE_MS));
	client_post(&client, "/x", SLICE_NONE, &r);
	assert_int_equal(r.code, CODE_CONTENT);
}

/* 5.03 in the handler's place; what he says then is heard by nobody. */
static void
test_late(void **state)
{
	static const struct answer done = { .status = 204 };
	struct coap_limits hasty = easy;
	int64_t departed = stats_get(STATS_coap_departed);
	struct reply_seen r;
	struct wire w;

	(void)state;
	hasty.answer_ms = 50;
	coap_server_limits_set(server.coap, &hasty);
	begin(&w, CON, CODE_POST, ++client.mid);
	put_path(&w, "/park");
	client_ask(&client, &w, &r);
	assert_int_equal(r.type, ACK);
	assert_int_equal(r.code, CODE_UNAVAILABLE);
	assert_true(r.max_age > 0);
	client_ask(&client, &w, &r);
	assert_int_equal(r.code, CODE_UNAVAILABLE);
	request_respond(server.parked[0], &done);
	assert_silence(&client);
	assert_int_equal(stats_get(STATS_coap_departed), departed + 1);
	assert_int_equal(server.asked, 1);
}

/* A client that says goodbye while the handler is at it. */
static void
test_departed(void **state)
{
	static const struct answer done = { .status = 204 };
	int64_t departed = stats_get(STATS_coap_departed),
		open = stats_get(STATS_coap_sessions_open);
	struct client other;
	struct wire w;

	(void)state;
	client_open(&other, &server, context);
	begin(&w, CON, CODE_POST, 1);
	put_path(&w, "/park");
	client_send(&other, &w);
	SSL_shutdown(other.ssl);
	assert_true(stat_becomes(&server, STATS_coap_sessions_open, open));
	assert_int_equal(server.parked_n, 1);
	request_respond(server.parked[0], &done);
	assert_int_equal(stats_get(STATS_coap_departed), departed + 1);
	client_close(&other);
}

/* What is no CoAP, and what is no request. */
static void
test_garbage(void **state)
{
	struct reply_seen r;
	struct wire w;

	(void)state;
	w = (struct wire){ .p = "\x40", .n = 1 };
	client_send(&client, &w);
	w = (struct wire){ .p = "\x40\x02\x00\x09\xff", .n = 5 };
	client_send(&client, &w);
	begin(&w, ACK, CODE_CONTENT, 9);
	client_send(&client, &w);
	w = (struct wire){ .p = "\x40\x00\x00\x0a", .n = 4 }; /* ping */
	client_send(&client, &w);
	for (int i = 0; i < 3 && client_receive(&client, &r, 200); i++)
		assert_int_equal(r.type, RST);
	client_post(&client, "/x", SLICE_NONE, &r);
	assert_int_equal(r.code, CODE_CONTENT);
	assert_int_equal(server.asked, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(whole),
		TEST(codes),
		TEST(formats),
		TEST(methods),
		TEST(options),
		TEST(non),
		TEST(repetitions),
		TEST(same_id),
		TEST(slow),
		TEST(too_many),
		TEST(late),
		TEST(departed),
		TEST(garbage),
	};
	int failed;

	make_certificates();
	context = client_context();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	SSL_CTX_free(context);
	remove_certificates();
	return failed;
}
