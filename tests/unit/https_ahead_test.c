/*
 * What a client sends ahead: records that come in one segment are read by one system call, so that all but
 * the first lie in OpenSSL's buffer, where the socket tells nobody of them.
 */
#include <time.h>
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

/* From now on records are gathered; SSL_get_wbio has them. */
static void
gather(struct client *c)
{
	SSL_set0_wbio(c->ssl, BIO_new(BIO_s_mem()));
}

/* All that was gathered, in one segment. */
static void
send_gathered(struct client *c)
{
	BIO *records = SSL_get_wbio(c->ssl);
	char *octets;
	long n = BIO_get_mem_data(records, &octets);

	assert_true(n > 0);
	assert_int_equal(send(c->fd, octets, (size_t)n, MSG_NOSIGNAL), n);
	assert_int_equal(BIO_reset(records), 1);
}

static void
ask_echo(struct client *c, const char *body)
{
	assert_true(client_send(c, "POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\n"));
	assert_true(client_send(c, body));
}

static void
read_echo(struct client *c, const char *body)
{
	const char *end;

	assert_true(client_read(c));
	assert_int_equal(c->status, 200);
	end = strstr(c->answer, "\r\n\r\n");
	assert_string_equal(end + 4, body);
}

static void
a_request_in_many_records_of_one_segment_is_answered(void **state)
{
	static const char request[] = "POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nx";

	(void)state;
	gather(&client);
	for (const char *p = request; *p; p++)
		assert_int_equal(SSL_write(client.ssl, p, 1), 1);
	send_gathered(&client);
	read_echo(&client, "x");
}

static void
requests_in_one_segment_are_answered_in_turn(void **state)
{
	(void)state;
	gather(&client);
	ask_echo(&client, "a");
	ask_echo(&client, "b");
	ask_echo(&client, "c");
	send_gathered(&client);
	read_echo(&client, "a");
	read_echo(&client, "b");
	read_echo(&client, "c");
}

static void
answer_parked(struct server *s, const void *text)
{
	struct answer answer = { 200, "text/plain", slice_text(text), 0, NULL };

	request_respond(s->parked, &answer);
	s->parked = NULL;
}

static void
what_was_read_ahead_waits_for_the_answer_before_it(void **state)
{
	(void)state;
	gather(&client);
	assert_true(client_send(&client, "POST /park HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"));
	ask_echo(&client, "b");
	send_gathered(&client);
	sem_wait(&server.parking);
	on_loop(&server, answer_parked, "a");
	read_echo(&client, "a");
	read_echo(&client, "b");
}

static void
what_comes_while_a_request_is_handled_waits_without_work(void **state)
{
	struct timespec nap = { 0, 200 * 1000 * 1000 }, before, after;
	clockid_t clock;

	(void)state;
	assert_true(client_send(&client, "POST /park HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"));
	sem_wait(&server.parking);
	assert_int_equal(pthread_getcpuclockid(server.thread, &clock), 0);
	clock_gettime(clock, &before);
	ask_echo(&client, "b");
	nanosleep(&nap, NULL);
	clock_gettime(clock, &after);
	/* A loop that is told of the same octets over and over takes all it can get. */
	assert_true((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec <
		nap.tv_nsec / 10);
	on_loop(&server, answer_parked, "a");
	read_echo(&client, "a");
	read_echo(&client, "b");
}

/* Both ways through memory, so that the client's last message waits for the request. */
static void
shake_hands(struct client *c)
{
	char flight[16384];

	SSL_set0_rbio(c->ssl, BIO_new(BIO_s_mem()));
	BIO_set_mem_eof_return(SSL_get_rbio(c->ssl), -1);
	gather(c);
	while (SSL_connect(c->ssl) != 1) {
		ssize_t n;

		if (BIO_pending(SSL_get_wbio(c->ssl)))
			send_gathered(c);
		n = recv(c->fd, flight, sizeof flight, 0);
		assert_true(n > 0);
		assert_int_equal(BIO_write(SSL_get_rbio(c->ssl), flight, (int)n), n);
	}
	SSL_set0_rbio(c->ssl, BIO_new_socket(c->fd, BIO_NOCLOSE));
}

static void
a_request_along_with_the_end_of_the_handshake_is_answered(void **state)
{
	(void)state;
	client.fd = tcp_open(server.port);
	client.ssl = SSL_new(context);
	assert_true(client.fd >= 0 && client.ssl);
	shake_hands(&client);
	ask_echo(&client, "a");
	send_gathered(&client);
	read_echo(&client, "a");
}

#define WITH_CLIENT(f) cmocka_unit_test_setup_teardown(f, connect_client, disconnect_client)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CLIENT(a_request_in_many_records_of_one_segment_is_answered),
		WITH_CLIENT(requests_in_one_segment_are_answered_in_turn),
		WITH_CLIENT(what_was_read_ahead_waits_for_the_answer_before_it),
		WITH_CLIENT(what_comes_while_a_request_is_handled_waits_without_work),
		cmocka_unit_test_teardown(a_request_along_with_the_end_of_the_handshake_is_answered,
			disconnect_client),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
