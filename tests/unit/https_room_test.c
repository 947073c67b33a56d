/* At a cap, who keeps us waiting makes way; who is being served does not, and then newcomers wait. */
#include "https_fixture.h"

static struct server server;
static SSL_CTX *context;

static const char ping[] = "POST /echo HTTP/1.1\r\nContent-Length: 4\r\n\r\nping";
static const char park[] = "POST /park HTTP/1.1\r\nContent-Length: 0\r\n\r\n";

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

static void
answer_parked(struct server *s, const void *arg)
{
	struct answer answer = { 204, NULL, SLICE_NONE, 0, NULL };

	(void)arg;
	request_respond(s->parked, &answer);
}

static void
connections_over_the_cap_wait_for_what_is_served(void **state)
{
	struct https_limits limits = easy;
	struct client first, second;
	int64_t before;
	int waiting;

	(void)state;
	limits.connections = 1;
	serve_with(limits);
	before = stat_of(&server, STATS_https_connections);
	assert_true(client_open(&first, server.port, context, NULL));
	assert_true(client_send(&first, park));
	sem_wait(&server.parking);
	waiting = tcp_open(server.port); /* the kernel takes it */
	assert_true(waiting >= 0);
	usleep(1500000);
	assert_int_equal(stat_of(&server, STATS_https_connections), before + 1);
	on_loop(&server, answer_parked, NULL);
	assert_true(client_read(&first));
	assert_int_equal(first.status, 204);
	close(waiting);
	client_close(&first);
	/* the one that waited left; the next is served */
	assert_true(client_open(&second, server.port, context, NULL));
	assert_int_equal(client_ask(&second, ping), 200);
	client_close(&second);
	server_stop(&server);
}

static void
the_longest_idle_connection_makes_way(void **state)
{
	struct https_limits limits = easy;
	struct client idle[2], newcomer;
	int64_t before;

	(void)state;
	limits.connections = 2;
	serve_with(limits);
	before = stat_of(&server, STATS_https_evicted);
	for (int i = 0; i < 2; i++)
		assert_true(client_open(&idle[i], server.port, context, NULL));
	/* not the first accepted, but the first to idle, is the oldest */
	assert_int_equal(client_ask(&idle[1], ping), 200);
	assert_int_equal(client_ask(&idle[0], ping), 200);
	assert_true(client_open(&newcomer, server.port, context, NULL));
	assert_int_equal(client_ask(&newcomer, ping), 200);
	assert_int_equal(stat_of(&server, STATS_https_evicted), before + 1);
	assert_true(client_ended(&idle[1]));
	assert_int_equal(client_ask(&idle[0], ping), 200);
	client_close(&idle[0]);
	client_close(&idle[1]);
	client_close(&newcomer);
	server_stop(&server);
}

static void
a_connection_without_a_request_makes_way(void **state)
{
	struct https_limits limits = easy;
	struct client silent, newcomer;

	(void)state;
	limits.connections = 1;
	serve_with(limits);
	assert_true(client_open(&silent, server.port, context, NULL));
	assert_true(client_open(&newcomer, server.port, context, NULL));
	assert_int_equal(client_ask(&newcomer, ping), 200);
	assert_true(client_ended(&silent));
	client_close(&silent);
	client_close(&newcomer);
	server_stop(&server);
}

/* Before those that have said hello, and long before the deadline. */
static void
a_silent_handshake_makes_way(void **state)
{
	struct https_limits limits = easy;
	SSL *ssl = SSL_new(context);
	int silent, greeted;
	struct client c;
	char octet;

	(void)state;
	limits.handshakes = 2;
	serve_with(limits);
	greeted = tcp_open(server.port);
	SSL_set_fd(ssl, greeted);
	fcntl(greeted, F_SETFL, O_NONBLOCK);
	assert_int_equal(SSL_connect(ssl), -1); /* sends the ClientHello, and we stop there */
	silent = tcp_open(server.port);
	assert_true(stat_becomes(&server, STATS_https_handshakes_open, 2));
	assert_true(client_open(&c, server.port, context, NULL));
	assert_int_equal(client_ask(&c, ping), 200);
	assert_int_equal(recv(silent, &octet, 1, 0), 0);
	assert_int_equal(stat_of(&server, STATS_https_handshakes_open), 1);
	client_close(&c);
	SSL_free(ssl);
	close(greeted);
	close(silent);
	server_stop(&server);
}

/* A burst over the cap: nobody who has sent his part is closed, however long we take for ours. */
static void
a_burst_over_the_cap_is_served(void **state)
{
	enum { BURST = 12 };
	struct https_limits limits = easy;
	SSL *ssl[BURST];
	int fds[BURST];
	int64_t before;

	(void)state;
	limits.handshakes = 2;
	serve_with(limits);
	before = stat_of(&server, STATS_https_evicted);
	for (int i = 0; i < BURST; i++) {
		fds[i] = tcp_open(server.port);
		ssl[i] = SSL_new(context);
		SSL_set_fd(ssl[i], fds[i]);
		fcntl(fds[i], F_SETFL, O_NONBLOCK);
		SSL_connect(ssl[i]);
	}
	for (int i = 0; i < BURST; i++) {
		fcntl(fds[i], F_SETFL, 0);
		assert_int_equal(SSL_connect(ssl[i]), 1);
	}
	assert_int_equal(stat_of(&server, STATS_https_evicted), before);
	for (int i = 0; i < BURST; i++) {
		SSL_free(ssl[i]);
		close(fds[i]);
	}
	server_stop(&server);
}

/* 127.0.0.LAST, which is another client than 127.0.0.1. */
static int
tcp_open_from(uint8_t last, uint16_t port)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last) };
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

static void
an_address_holds_a_share_of_the_silent_handshakes(void **state)
{
	enum { SHARE = 10, CROWD = 30 };
	struct https_limits limits = easy;
	int fds[CROWD], other;
	int64_t before;
	char octet;

	(void)state;
	limits.handshakes = SHARE * 4;
	serve_with(limits);
	before = stat_of(&server, STATS_https_evicted);
	other = tcp_open_from(2, server.port);
	assert_true(stat_becomes(&server, STATS_https_handshakes_open, 1));
	for (int i = 0; i < CROWD; i++)
		fds[i] = tcp_open_from(3, server.port);
	assert_true(stat_becomes(&server, STATS_https_evicted, before + CROWD - SHARE));
	assert_true(stat_becomes(&server, STATS_https_handshakes_open, SHARE + 1));
	/* the oldest went, and nobody of another address */
	assert_int_equal(recv(fds[0], &octet, 1, 0), 0);
	assert_int_equal(recv(fds[CROWD - 1], &octet, 1, MSG_DONTWAIT), -1);
	assert_int_equal(recv(other, &octet, 1, MSG_DONTWAIT), -1);
	for (int i = 0; i < CROWD; i++)
		close(fds[i]);
	close(other);
	server_stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_over_the_cap_wait_for_what_is_served),
		cmocka_unit_test(the_longest_idle_connection_makes_way),
		cmocka_unit_test(a_connection_without_a_request_makes_way),
		cmocka_unit_test(a_silent_handshake_makes_way),
		cmocka_unit_test(a_burst_over_the_cap_is_served),
		cmocka_unit_test(an_address_holds_a_share_of_the_silent_handshakes),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
