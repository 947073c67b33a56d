/* What reaches the handler, what does not, and what each client gets to hear. */
#include "https_fixture.h"

static struct server server;
static SSL_CTX *context;
static struct client client;

static int
begin(void **state)
{
	(void)state;
	make_certificates();
	server_start(&server, &easy, identity_of("nist", 1, 0, NULL));
	context = client_context();
	return 0;
}

static int
end(void **state)
{
	(void)state;
	SSL_CTX_free(context);
	server_stop(&server);
	remove_certificates();
	return 0;
}

static int
connect_client(void **state)
{
	(void)state;
	return client_open(&client, server.port, context, NULL) ? 0 : -1;
}

static int
disconnect_client(void **state)
{
	(void)state;
	client_close(&client);
	return 0;
}

static void
a_request_arrives_with_route_body_and_peer(void **state)
{
	(void)state;
	assert_int_equal(client_ask(&client,
				 "POST /a/b?c=d HTTP/1.1\r\nHost: h\r\n"
				 "X-ADMIN-protocol: v1\r\nContent-Length: 3\r\n\r\nabc"),
		200);
	assert_non_null(strstr(client.answer, "route=/a/b header=v1 body=3 127.0.0.1:"));
	assert_non_null(strstr(client.answer, "Content-Type: text/plain\r\n"));
	assert_non_null(strstr(client.answer, "X-Admin-Protocol: gsma/rsp/v2.5.0\r\n"));
	assert_null(strcasestr(client.answer, "\r\nServer:"));
}

static void
a_connection_is_kept(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(client_ask(&client,
					 "POST /echo HTTP/1.1\r\nHost: h\r\n"
					 "Content-Length: 4\r\n\r\nping"),
			200);
		assert_non_null(strstr(client.answer, "\r\n\r\nping"));
		assert_null(strcasestr(client.answer, "\r\nConnection: close"));
	}
}

static void
requests_sent_ahead_are_answered_in_turn(void **state)
{
	(void)state;
	assert_true(client_send(&client,
		"POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\na"
		"POST /nothing HTTP/1.1\r\nContent-Length: 1\r\n\r\nb"));
	assert_true(client_read(&client));
	assert_int_equal(client.status, 200);
	/* the second may have come along with the first, or follow */
	if (!strstr(client.answer, "HTTP/1.1 204"))
		assert_true(client_read(&client));
	assert_non_null(strstr(client.answer, "HTTP/1.1 204"));
}

static void
no_content_has_no_body(void **state)
{
	(void)state;
	assert_int_equal(
		client_ask(&client, "POST /nothing HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), 204);
	assert_null(strcasestr(client.answer, "\r\nContent-Length"));
	assert_null(strcasestr(client.answer, "\r\nContent-Type"));
	assert_int_equal(
		client_ask(&client, "POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), 200);
}

static void
busy_says_when_to_come_again(void **state)
{
	(void)state;
	assert_int_equal(
		client_ask(&client, "POST /busy HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), 503);
	assert_non_null(strstr(client.answer, "\r\nRetry-After: 7\r\n"));
}

static void
only_post_is_allowed(void **state)
{
	int64_t before = stat_of(&server, STATS_https_405);

	(void)state;
	assert_int_equal(client_ask(&client, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n"), 405);
	assert_non_null(strstr(client.answer, "\r\nAllow: POST\r\n"));
	assert_non_null(strstr(client.answer, "\r\nX-Admin-Protocol: gsma/rsp/v2.5.0\r\n"));
	assert_int_equal(
		client_ask(&client, "PUT /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), 405);
	assert_int_equal(client_ask(&client, "DELETE / HTTP/1.1\r\nHost: h\r\n\r\n"), 405);
	assert_int_equal(stat_of(&server, STATS_https_405), before + 3);
	assert_int_equal(
		client_ask(&client, "POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), 200);
}

static void
head_is_refused_without_a_body(void **state)
{
	(void)state;
	assert_true(client_send(&client, "HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n"));
	assert_false(client_read(&client) && client.status != 405);
	assert_non_null(strstr(client.answer, "HTTP/1.1 405"));
}

static void
an_unknown_method_is_refused(void **state)
{
	(void)state;
	assert_int_equal(client_ask(&client, "BREW /echo HTTP/1.1\r\nHost: h\r\n\r\n"), 501);
	assert_non_null(strstr(client.answer, "\r\nX-Admin-Protocol: gsma/rsp/v2.5.0\r\n"));
}

static void
what_is_not_http_is_refused(void **state)
{
	static const char *const bad[] = { "hello\r\n\r\n", "POST\r\n\r\n",
		"POST /echo HTTP/1.1\r\nno colon\r\n\r\n",
		"POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"POST /echo HTTP/1.1\r\nContent-Length: many\r\n\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int64_t before = stat_of(&server, STATS_https_400);
		struct client c;

		assert_true(client_open(&c, server.port, context, NULL));
		assert_int_equal(client_ask(&c, bad[i]), 400);
		assert_true(client_ended(&c));
		assert_true(stat_becomes(&server, STATS_https_400, before + 1));
		client_close(&c);
	}
}

static void
a_long_head_is_refused(void **state)
{
	char text[12000];

	(void)state;
	memset(text, 'x', sizeof text);
	memcpy(text, "POST /echo HTTP/1.1\r\nX: ", 24);
	text[sizeof text - 1] = 0;
	assert_int_equal(client_ask(&client, text), 400);
	assert_true(client_ended(&client));
}

static void
a_body_over_the_limit_is_refused_unread(void **state)
{
	int64_t before = stat_of(&server, STATS_https_413);
	int64_t requests = stat_of(&server, STATS_https_requests);

	(void)state;
	assert_int_equal(
		client_ask(&client, "POST /echo HTTP/1.1\r\nContent-Length: 10000000\r\n\r\nabc"),
		413);
	assert_non_null(strstr(client.answer, "\r\nX-Admin-Protocol: gsma/rsp/v2.5.0\r\n"));
	assert_true(client_ended(&client));
	assert_int_equal(stat_of(&server, STATS_https_413), before + 1);
	assert_int_equal(stat_of(&server, STATS_https_requests), requests);
}

static void
chunks_over_the_limit_are_refused(void **state)
{
	char chunk[2100] = "800\r\n";

	(void)state;
	memset(chunk + 5, 'x', 2048);
	strcpy(chunk + 5 + 2048, "\r\n");
	assert_true(
		client_send(&client, "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"));
	assert_true(client_send(&client, chunk) && client_send(&client, chunk));
	assert_int_equal(client_ask(&client, chunk), 413);
}

static void
chunks_within_the_limit_are_taken(void **state)
{
	(void)state;
	assert_true(client_send(
		&client, "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"));
	assert_int_equal(client_ask(&client, "2\r\nde\r\n0\r\n\r\n"), 200);
	assert_non_null(strstr(client.answer, "\r\n\r\nabcde"));
}

static void
a_client_that_asks_first_is_told_to_go_on(void **state)
{
	(void)state;
	assert_int_equal(client_ask(&client,
				 "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\n"
				 "Content-Length: 2\r\n\r\n"),
		100);
	assert_int_equal(client_ask(&client, "ok"), 200);
	assert_non_null(strstr(client.answer, "\r\n\r\nok"));
	assert_int_equal(client_ask(&client,
				 "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\n"
				 "Content-Length: 5000\r\n\r\n"),
		413);
}

static void
limit_body(struct server *s, const void *octets)
{
	https_listener_body_set(s->listener, *(const size_t *)octets);
}

static void
a_new_limit_holds_for_new_connections(void **state)
{
	static const size_t small = 2, usual = 4096;
	struct client c;

	(void)state;
	on_loop(&server, limit_body, &small);
	assert_int_equal(
		client_ask(&client, "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"), 200);
	assert_true(client_open(&c, server.port, context, NULL));
	assert_int_equal(
		client_ask(&c, "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"), 413);
	client_close(&c);
	on_loop(&server, limit_body, &usual);
}

static void
answer_parked(struct server *s, const void *text)
{
	struct answer answer = {
		.status = 200, .content_type = "text/plain", .body = slice_text(text)
	};

	request_respond(s->parked, &answer);
	s->parked = NULL;
}

static void
an_answer_may_come_later(void **state)
{
	(void)state;
	assert_true(client_send(&client, "POST /park HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"));
	sem_wait(&server.parking);
	on_loop(&server, answer_parked, "late");
	assert_true(client_read(&client));
	assert_non_null(strstr(client.answer, "\r\n\r\nlate"));
}

static void
an_answer_to_a_departed_client_is_harmless(void **state)
{
	(void)state;
	assert_true(client_send(&client, "POST /park HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"));
	sem_wait(&server.parking);
	client_close(&client);
	on_loop(&server, answer_parked, "too late");
	assert_true(stat_becomes(&server, STATS_https_connections_open, 0));
	assert_true(client_open(&client, server.port, context, NULL));
	assert_int_equal(
		client_ask(&client, "POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), 200);
}

static void
plain_http_gets_nothing(void **state)
{
	int64_t before = stat_of(&server, STATS_https_handshakes_failed);
	int fd = tcp_open(server.port);
	char text[64] = "GET / HTTP/1.1\r\n\r\n";
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	n = read(fd, text, sizeof text);
	assert_true(n <= 0 || memcmp(text, "HTTP", 4) != 0);
	close(fd);
	assert_true(stat_becomes(&server, STATS_https_handshakes_failed, before + 1));
}

#define WITH_CLIENT(f) cmocka_unit_test_setup_teardown(f, connect_client, disconnect_client)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CLIENT(a_request_arrives_with_route_body_and_peer),
		WITH_CLIENT(a_connection_is_kept),
		WITH_CLIENT(requests_sent_ahead_are_answered_in_turn),
		WITH_CLIENT(no_content_has_no_body),
		WITH_CLIENT(busy_says_when_to_come_again),
		WITH_CLIENT(only_post_is_allowed),
		WITH_CLIENT(head_is_refused_without_a_body),
		WITH_CLIENT(an_unknown_method_is_refused),
		cmocka_unit_test(what_is_not_http_is_refused),
		WITH_CLIENT(a_long_head_is_refused),
		WITH_CLIENT(a_body_over_the_limit_is_refused_unread),
		WITH_CLIENT(chunks_over_the_limit_are_refused),
		WITH_CLIENT(chunks_within_the_limit_are_taken),
		WITH_CLIENT(a_client_that_asks_first_is_told_to_go_on),
		WITH_CLIENT(a_new_limit_holds_for_new_connections),
		WITH_CLIENT(an_answer_may_come_later),
		WITH_CLIENT(an_answer_to_a_departed_client_is_harmless),
		cmocka_unit_test(plain_http_gets_nothing),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
