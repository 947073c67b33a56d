/* Clients that dribble, stall, idle or do not read are closed at the deadline of their phase. */
#include "https_fixture.h"

static struct server server;
static SSL_CTX *context;

/* Short enough to test, long enough for a busy machine: only the phase under test is short. */
enum { SHORT_MS = 200, DRIBBLES = 3000 };

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

static void
serve_with(struct https_limits limits)
{
	server_start(&server, &limits, identity_of("nist", 1, 0, NULL));
}

/* Writes `text` and then an octet every few milliseconds; true when the server ends that. */
static bool
dribble_until_closed(struct client *c, const char *text)
{
	if (!client_send(c, text))
		return false;
	for (int i = 0; i < DRIBBLES; i++) {
		if (!client_send(c, "x"))
			return true;
		usleep(10000);
	}
	return false;
}

static void
a_dribbling_handshake_is_ended(void **state)
{
	static const uint8_t hello[] = { 22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3 };
	struct https_limits limits = easy;
	bool closed = false;
	int fd;

	(void)state;
	limits.handshake_ms = SHORT_MS;
	serve_with(limits);
	fd = tcp_open(server.port);
	assert_int_equal(write(fd, hello, sizeof hello), sizeof hello);
	for (int i = 0; i < DRIBBLES / 10 && !closed; i++) {
		closed = write(fd, "x", 1) != 1;
		usleep(20000);
	}
	assert_true(closed);
	assert_true(stat_becomes(&server, STATS_https_timeout_handshake, 1));
	assert_true(stat_becomes(&server, STATS_https_handshakes_failed, 1));
	assert_int_equal(stat_of(&server, STATS_https_handshakes_open), 0);
	close(fd);
	server_stop(&server);
}

static void
a_dribbling_head_is_ended(void **state)
{
	int64_t before;
	struct https_limits limits = easy;
	struct client c;

	(void)state;
	limits.head_ms = SHORT_MS;
	serve_with(limits);
	before = stat_of(&server, STATS_https_timeout_head);
	assert_true(client_open(&c, server.port, context, NULL));
	assert_true(dribble_until_closed(&c, "POST /echo HTTP/1.1\r\nX: "));
	assert_int_equal(stat_of(&server, STATS_https_timeout_head), before + 1);
	client_close(&c);
	/* the same in a later request of a kept connection */
	assert_true(client_open(&c, server.port, context, NULL));
	assert_int_equal(client_ask(&c, "POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), 200);
	assert_true(dribble_until_closed(&c, "POST /echo HTTP/1.1\r\nX: "));
	assert_int_equal(stat_of(&server, STATS_https_timeout_head), before + 2);
	client_close(&c);
	server_stop(&server);
}

static void
silence_after_the_handshake_is_ended(void **state)
{
	struct https_limits limits = easy;
	struct client c;

	(void)state;
	limits.head_ms = SHORT_MS;
	serve_with(limits);
	assert_true(client_open(&c, server.port, context, NULL));
	assert_true(client_ended(&c));
	client_close(&c);
	server_stop(&server);
}

static void
a_dribbling_body_is_ended(void **state)
{
	struct https_limits limits = easy;
	int64_t before;
	struct client c;

	(void)state;
	limits.body_ms = SHORT_MS;
	serve_with(limits);
	before = stat_of(&server, STATS_https_timeout_body);
	assert_true(client_open(&c, server.port, context, NULL));
	assert_true(
		dribble_until_closed(&c, "POST /echo HTTP/1.1\r\nContent-Length: 4000\r\n\r\n"));
	assert_int_equal(stat_of(&server, STATS_https_timeout_body), before + 1);
	client_close(&c);
	server_stop(&server);
}

static void
an_idle_connection_is_ended(void **state)
{
	struct https_limits limits = easy;
	int64_t before;
	struct client c;

	(void)state;
	limits.idle_ms = SHORT_MS;
	serve_with(limits);
	before = stat_of(&server, STATS_https_timeout_idle);
	assert_true(client_open(&c, server.port, context, NULL));
	assert_int_equal(client_ask(&c, "POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), 200);
	assert_true(client_ended(&c));
	/* told by a notice, not cut */
	assert_int_equal(SSL_get_shutdown(c.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
	assert_int_equal(stat_of(&server, STATS_https_timeout_idle), before + 1);
	client_close(&c);
	server_stop(&server);
}

static void
a_client_that_does_not_read_is_ended(void **state)
{
	struct https_limits limits = easy;
	int64_t before;
	struct client c;

	(void)state;
	limits.answer_ms = SHORT_MS;
	serve_with(limits);
	before = stat_of(&server, STATS_https_timeout_answer);
	assert_true(client_open(&c, server.port, context, NULL));
	assert_true(client_send(&c, "POST /big HTTP/1.1\r\nContent-Length: 0\r\n\r\n"));
	assert_true(stat_becomes(&server, STATS_https_timeout_answer, before + 1));
	assert_true(stat_becomes(&server, STATS_https_connections_open, 0));
	client_close(&c);
	server_stop(&server);
}

/* The handler may take longer than any deadline of a client's phase. */
static void
answer_parked(struct server *s, const void *arg)
{
	struct answer answer = { 204, NULL, SLICE_NONE, 0, NULL };

	(void)arg;
	request_respond(s->parked, &answer);
}

static void
waiting_for_the_handler_has_no_deadline(void **state)
{
	struct https_limits limits = easy;
	struct client c;

	(void)state;
	limits.head_ms = limits.body_ms = limits.idle_ms = limits.answer_ms = SHORT_MS;
	serve_with(limits);
	assert_true(client_open(&c, server.port, context, NULL));
	assert_true(client_send(&c, "POST /park HTTP/1.1\r\nContent-Length: 0\r\n\r\n"));
	sem_wait(&server.parking);
	usleep(3 * SHORT_MS * 1000);
	on_loop(&server, answer_parked, NULL);
	assert_true(client_read(&c));
	assert_int_equal(c.status, 204);
	client_close(&c);
	server_stop(&server);
}

/*
 * Answers that nobody reads: the kernel takes some 2,000 of them, and no more requests are served then. Without
 * TCP_NOTSENT_LOWAT it takes more than 20,000.
 */
static void
answers_sent_ahead_of_the_reader_are_ended(void **state)
{
	enum { BATCH = 200, BATCHES = 50 };
	static const char request[] = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
	static char batch[BATCH * sizeof request];
	struct https_limits limits = easy;
	int64_t before, served;
	struct client c;
	int sent = 0;

	(void)state;
	for (int i = 0; i < BATCH; i++)
		strcat(batch, request);
	limits.answer_ms = SHORT_MS;
	serve_with(limits);
	before = stat_of(&server, STATS_https_timeout_answer);
	served = stat_of(&server, STATS_https_405);
	assert_true(client_open(&c, server.port, context, NULL));
	for (; sent < BATCHES && client_send(&c, batch); sent++)
		for (int i = 0;
			i < 100 && stat_of(&server, STATS_https_405) < served + (sent + 1) * BATCH;
			i++)
			usleep(10000);
	assert_true(sent < BATCHES);
	assert_int_equal(stat_of(&server, STATS_https_timeout_answer), before + 1);
	assert_true(stat_becomes(&server, STATS_https_connections_open, 0));
	client_close(&c);
	server_stop(&server);
}

static void
a_client_that_sends_instead_of_reading_is_ended(void **state)
{
	static char much[16384 + 1];
	int64_t before;
	struct client c;
	int sent = 0;

	(void)state;
	memset(much, 'x', sizeof much - 1);
	serve_with(easy);
	before = stat_of(&server, STATS_https_flooded);
	assert_true(client_open(&c, server.port, context, NULL));
	assert_true(client_send(&c, "POST /big HTTP/1.1\r\nContent-Length: 0\r\n\r\n"));
	while (sent < 1000 && client_send(&c, much))
		sent++;
	assert_true(sent < 1000);
	assert_true(stat_becomes(&server, STATS_https_flooded, before + 1));
	assert_true(stat_becomes(&server, STATS_https_connections_open, 0));
	client_close(&c);
	server_stop(&server);
}

static void
set_limits(struct server *s, const void *limits)
{
	https_limits_set(s->https, limits);
}

static void
new_limits_hold_at_once(void **state)
{
	struct https_limits limits = easy, wider = easy;
	struct client first, second;

	(void)state;
	limits.connections = 1;
	wider.idle_ms = SHORT_MS;
	serve_with(limits);
	assert_true(client_open(&first, server.port, context, NULL));
	on_loop(&server, set_limits, &wider);
	assert_true(client_open(&second, server.port, context, NULL));
	assert_int_equal(
		client_ask(&first, "POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), 200);
	assert_true(client_ended(&first));
	client_close(&first);
	client_close(&second);
	server_stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dribbling_handshake_is_ended),
		cmocka_unit_test(a_dribbling_head_is_ended),
		cmocka_unit_test(silence_after_the_handshake_is_ended),
		cmocka_unit_test(a_dribbling_body_is_ended),
		cmocka_unit_test(an_idle_connection_is_ended),
		cmocka_unit_test(a_client_that_does_not_read_is_ended),
		cmocka_unit_test(waiting_for_the_handler_has_no_deadline),
		cmocka_unit_test(answers_sent_ahead_of_the_reader_are_ended),
		cmocka_unit_test(a_client_that_sends_instead_of_reading_is_ended),
		cmocka_unit_test(new_limits_hold_at_once),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
