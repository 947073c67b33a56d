/* Stopping gracefully: what is in progress is answered, what idles is closed, nobody is cut before time. */
#include "https_fixture.h"

static const char ping[] = "POST /echo HTTP/1.1\r\nContent-Length: 4\r\n\r\nping";
static const char park[] = "POST /park HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody";
static const uint32_t long_ms = 30000, short_ms = 100;

static struct server server;
static SSL_CTX *context;

static int
begin(void **state)
{
	(void)state;
	make_certificates();
	context = client_context();
	return 0;
}

static int
end(void **state)
{
	(void)state;
	SSL_CTX_free(context);
	remove_certificates();
	return 0;
}

static int
start(void **state)
{
	(void)state;
	server_start(&server, &easy, identity_of("nist", 1, 0, NULL));
	return 0;
}

static void
answer_parked(struct server *s, const void *text)
{
	struct answer answer = { 200, "text/plain", slice_text(text), 0, NULL };

	/* whatever became of the connection, the request's body is still there */
	assert_true(slice_eq(s->parked->body, SLICE_LIT("body")));
	request_respond(s->parked, &answer);
}

static bool
has_drained(void)
{
	return sem_trywait(&server.drained) == 0;
}

static void
nothing_to_wait_for(void **state)
{
	(void)state;
	on_loop(&server, drain, &long_ms);
	sem_wait(&server.drained);
	assert_int_equal(tcp_open(server.port), -1);
	server_end(&server);
}

static void
idle_connections_are_closed_with_a_notice(void **state)
{
	struct client c;

	(void)state;
	assert_true(client_open(&c, server.port, context, NULL));
	assert_int_equal(client_ask(&c, ping), 200);
	on_loop(&server, drain, &long_ms);
	assert_true(client_ended(&c));
	assert_int_equal(SSL_get_shutdown(c.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
	sem_wait(&server.drained);
	client_close(&c);
	server_end(&server);
}

static void
a_request_in_progress_is_answered(void **state)
{
	struct client c;

	(void)state;
	assert_true(client_open(&c, server.port, context, NULL));
	assert_true(client_send(&c, park));
	sem_wait(&server.parking);
	on_loop(&server, drain, &long_ms);
	assert_false(has_drained());
	assert_int_equal(tcp_open(server.port), -1);
	on_loop(&server, answer_parked, "in time");
	assert_true(client_read(&c));
	assert_non_null(strstr(c.answer, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(c.answer, "\r\n\r\nin time"));
	assert_true(client_ended(&c));
	sem_wait(&server.drained);
	client_close(&c);
	server_end(&server);
}

static void
a_request_on_its_way_is_answered(void **state)
{
	struct client c;

	(void)state;
	assert_true(client_open(&c, server.port, context, NULL));
	assert_true(client_send(&c, "POST /echo HTTP/1.1\r\nContent-Le"));
	usleep(20000);
	on_loop(&server, drain, &long_ms);
	assert_int_equal(client_ask(&c, "ngth: 1\r\n\r\nx"), 200);
	assert_non_null(strstr(c.answer, "\r\nConnection: close\r\n"));
	assert_true(client_ended(&c));
	sem_wait(&server.drained);
	client_close(&c);
	server_end(&server);
}

static void
patience_ends(void **state)
{
	int64_t departed = stat_of(&server, STATS_https_departed);
	struct client pending, silent;

	(void)state;
	assert_true(client_open(&pending, server.port, context, NULL));
	assert_true(client_open(&silent, server.port, context, NULL));
	assert_true(client_send(&pending, park));
	sem_wait(&server.parking);
	on_loop(&server, drain, &short_ms);
	assert_true(client_read(&pending));
	assert_int_equal(pending.status, 503);
	assert_non_null(strstr(pending.answer, "\r\nRetry-After: "));
	assert_true(client_ended(&pending));
	assert_true(client_ended(&silent));
	sem_wait(&server.drained);
	/* the handler answers after all, when even the listener is gone */
	on_loop(&server, answer_parked, "too late");
	assert_int_equal(stat_of(&server, STATS_https_departed), departed + 1);
	assert_int_equal(stat_of(&server, STATS_https_connections_open), 0);
	client_close(&pending);
	client_close(&silent);
	server_end(&server);
}

static void
a_client_that_never_reads_does_not_hold_it_up(void **state)
{
	struct client c;

	(void)state;
	assert_true(client_open(&c, server.port, context, NULL));
	assert_true(client_send(&c, "POST /big HTTP/1.1\r\nContent-Length: 0\r\n\r\n"));
	usleep(50000);
	on_loop(&server, drain, &short_ms);
	sem_wait(&server.drained);
	client_close(&c);
	server_end(&server);
}

static void
stop_listener(struct server *s, const void *ms)
{
	https_listener_stop(s->listener, *(const uint32_t *)ms);
	s->listener = NULL;
}

static void
add_listener(struct server *s, const void *port)
{
	struct https_listener_settings settings = { .name = "second",
		.address = "127.0.0.1",
		.port = *(const uint16_t *)port,
		.body = 100 };
	char why[HTTPS_WHY];

	s->listener = https_listener_new(
		s->https, &settings, identity_of("brainpool", 1, 0, NULL), handle, s, why);
	if (!s->listener)
		abort();
	https_listener_start(s->listener);
	s->port = https_listener_port_get(s->listener);
}

/* As a reload does it: one listener goes, another comes, and requests of the first are answered. */
static void
listeners_come_and_go(void **state)
{
	static const uint16_t any = 0;
	uint16_t old_port = server.port;
	char groups[] = "brainpoolP256r1:P-256";
	SSL_CTX *brainpool = client_context();
	struct client first, second;

	(void)state;
	SSL_CTX_set1_groups_list(brainpool, groups);
	assert_true(client_open(&first, server.port, context, NULL));
	assert_true(client_send(&first, park));
	sem_wait(&server.parking);
	on_loop(&server, stop_listener, &long_ms);
	on_loop(&server, add_listener, &any);
	assert_int_equal(tcp_open(old_port), -1);
	assert_true(client_open(&second, server.port, brainpool, NULL));
	assert_int_equal(client_ask(&second, ping), 200);
	on_loop(&server, answer_parked, "first");
	assert_true(client_read(&first));
	assert_non_null(strstr(first.answer, "\r\n\r\nfirst"));
	assert_int_equal(client_ask(&second, ping), 200);
	client_close(&first);
	client_close(&second);
	SSL_CTX_free(brainpool);
	server_stop(&server);
}

/* Two listeners of one address, as two instances of rspd on a host are. */
static void
an_address_may_be_shared(void **state)
{
	uint16_t port = server.port;

	(void)state;
	on_loop(&server, add_listener, &port);
	assert_int_equal(server.port, port);
	server_stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_to_wait_for, start),
		cmocka_unit_test_setup(idle_connections_are_closed_with_a_notice, start),
		cmocka_unit_test_setup(a_request_in_progress_is_answered, start),
		cmocka_unit_test_setup(a_request_on_its_way_is_answered, start),
		cmocka_unit_test_setup(patience_ends, start),
		cmocka_unit_test_setup(a_client_that_never_reads_does_not_hold_it_up, start),
		cmocka_unit_test_setup(listeners_come_and_go, start),
		cmocka_unit_test_setup(an_address_may_be_shared, start),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
