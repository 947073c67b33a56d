/*
 * libcoap's own clients, over a link that drops, doubles and reorders datagrams: every request is carried out
 * once, and every body arrives as it was sent.
 */
#include <spawn.h>
#include <sys/wait.h>
#include "unit/coap_fixture.h"

extern char **environ;

/* ---- a link that is not good --------------------------------------------------------------------------- */

/* Between a client and the server; each way a datagram may be kept until the next has passed. */
struct link {
	struct server *server;
	struct event *events[2];
	int fd[2]; /* toward the client, toward the server */
	struct sockaddr_in client;
	unsigned drop, twice, swap; /* of a hundred */
	unsigned drop_first;        /* datagrams of the client's, for certain */
	uint32_t seed;
	struct {
		uint8_t p[2048];
		ssize_t n;
	} kept[2];
	unsigned dropped, doubled, swapped;
};

static bool
happens(struct link *l, unsigned percent)
{
	l->seed = l->seed * 1103515245 + 12345;
	return (l->seed >> 16) % 100 < percent;
}

static void
pass(struct link *l, int side, const uint8_t *p, ssize_t n)
{
	if (side == 0)
		send(l->fd[1], p, (size_t)n, 0);
	else
		sendto(l->fd[0], p, (size_t)n, 0, (struct sockaddr *)&l->client, sizeof l->client);
}

static void
carry(struct link *l, int side, const uint8_t *p, ssize_t n)
{
	if ((side == 0 && l->drop_first && l->drop_first--) || happens(l, l->drop)) {
		l->dropped++;
		return;
	}
	if (!l->kept[side].n && happens(l, l->swap)) {
		memcpy(l->kept[side].p, p, (size_t)n);
		l->kept[side].n = n;
		l->swapped++;
		return;
	}
	pass(l, side, p, n);
	if (happens(l, l->twice)) {
		pass(l, side, p, n);
		l->doubled++;
	}
	if (l->kept[side].n)
		pass(l, side, l->kept[side].p, l->kept[side].n);
	l->kept[side].n = 0;
}

static void
on_datagram(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	int side = fd == l->fd[1];
	socklen_t size = sizeof l->client;
	uint8_t octets[2048];
	ssize_t n;

	(void)what;
	while ((n = recvfrom(fd, octets, sizeof octets, MSG_DONTWAIT,
			side ? NULL : (struct sockaddr *)&l->client, side ? NULL : &size)) > 0)
		carry(l, side, octets, n);
}

static uint16_t
link_start(struct link *l, struct server *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	*l = (struct link){ .server = s, .seed = 4711 };
	l->fd[0] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(l->fd[0], (struct sockaddr *)&at, sizeof at), 0);
	l->fd[1] = udp_open(0, s->port);
	for (int i = 0; i < 2; i++) {
		l->events[i] = event_new(
			loop_base_get(s->loop), l->fd[i], EV_READ | EV_PERSIST, on_datagram, l);
		event_add(l->events[i], NULL);
	}
	return own_port_of(l->fd[0]);
}

static void
link_stop(struct link *l)
{
	for (int i = 0; i < 2; i++) {
		event_free(l->events[i]);
		close(l->fd[i]);
	}
}

/* ---- a client of libcoap's ----------------------------------------------------------------------------- */

struct asker {
	struct server *server;
	coap_context_t *context;
	coap_session_t *session;
	unsigned answers, code;
	size_t n;
	uint32_t sum;
};

static coap_response_t
on_answer(coap_session_t *session, const coap_pdu_t *sent, const coap_pdu_t *got,
	const coap_mid_t mid)
{
	struct asker *a = coap_get_app_data(coap_session_get_context(session));
	size_t offset, total;
	const uint8_t *p = NULL;

	(void)sent;
	(void)mid;
	a->answers++;
	a->code = coap_pdu_get_code(got);
	a->n = 0;
	coap_get_data_large(got, &a->n, &p, &offset, &total);
	a->sum = sum_of(p, a->n);
	return COAP_RESPONSE_OK;
}

static void
asker_start(struct asker *a, struct server *s, uint16_t port)
{
	coap_dtls_pki_t pki = { .version = COAP_DTLS_PKI_SETUP_VERSION };
	coap_address_t to;

	coap_address_init(&to);
	to.addr.sin.sin_family = AF_INET;
	to.addr.sin.sin_port = htons(port);
	to.addr.sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.size = sizeof to.addr.sin;
	*a = (struct asker){ .server = s, .context = coap_new_context(NULL) };
	coap_set_app_data(a->context, a);
	coap_context_set_block_mode(a->context, COAP_BLOCK_USE_LIBCOAP | COAP_BLOCK_SINGLE_BODY);
	coap_register_response_handler(a->context, on_answer);
	a->session = coap_new_client_session_pki(a->context, NULL, &to, COAP_PROTO_DTLS, &pki);
	assert_non_null(a->session);
	coap_session_set_ack_timeout(a->session, (coap_fixed_point_t){ 1, 0 }); /* no less */
	coap_session_set_ack_random_factor(a->session, (coap_fixed_point_t){ 1, 1 });
	coap_session_set_max_retransmit(a->session, 10);
}

static void
asker_stop(struct asker *a)
{
	coap_session_release(a->session);
	coap_free_context(a->context);
}

static void
asker_turns(struct asker *a, int ms)
{
	for (int64_t end = clock_mono_us() + ms * 1000; clock_mono_us() < end;) {
		coap_io_process(a->context, COAP_IO_NO_WAIT);
		wait_for(a->server, -1, 1);
	}
}

static void
asker_post(struct asker *a, const char *path, size_t n)
{
	unsigned answers = a->answers;
	coap_pdu_t *pdu = coap_new_pdu(COAP_MESSAGE_CON, COAP_REQUEST_CODE_POST, a->session);
	int64_t end = clock_mono_us() + 60 * 1000000;
	uint8_t token[8];
	size_t token_n;

	coap_session_new_token(a->session, &token_n, token);
	coap_add_token(pdu, token_n, token);
	coap_add_option(pdu, COAP_OPTION_URI_PATH, strlen(path), (const uint8_t *)path);
	if (n)
		assert_true(coap_add_data_large_request(a->session, pdu, n, big, NULL, NULL));
	assert_int_not_equal(coap_send(a->session, pdu), COAP_INVALID_MID);
	while (a->answers == answers && clock_mono_us() < end)
		asker_turns(a, 2);
	assert_int_equal(a->answers, answers + 1);
}

/* ---- tests --------------------------------------------------------------------------------------------- */

static void
start(struct server *s)
{
	char why[COAP_WHY];

	server_start(s, &easy, identity_of("nist", NULL, 0, why));
}

/* 20 kB up and down, 40 kB down, small ones: over a good link. */
static void
test_good_link(void **state)
{
	struct server server;
	struct asker a;

	(void)state;
	start(&server);
	asker_start(&a, &server, server.port);
	asker_post(&a, "echo", 20000);
	assert_int_equal(a.code, CODE_CONTENT);
	assert_int_equal(a.n, 20000);
	assert_int_equal(a.sum, sum_of(big, 20000));
	asker_post(&a, "big", 0);
	assert_int_equal(a.n, sizeof big);
	assert_int_equal(a.sum, sum_of(big, sizeof big));
	asker_post(&a, "nothing", 10);
	assert_int_equal(a.code, CODE_CHANGED);
	assert_int_equal(server.asked, 3);
	asker_stop(&a);
	server_stop(&server);
}

/* libcoap's client waits a second for each loss, so this is short. */
static void
test_bad_link(void **state)
{
	struct server server;
	struct asker a;
	struct link l;
	uint16_t port;

	(void)state;
	start(&server);
	port = link_start(&l, &server);
	asker_start(&a, &server, port);
	asker_post(&a, "x", 0);
	l.drop = 8;
	l.twice = 20;
	asker_post(&a, "echo", 8000);
	assert_int_equal(a.code, CODE_CONTENT);
	assert_int_equal(a.n, 8000);
	assert_int_equal(a.sum, sum_of(big, 8000));
	assert_int_equal(server.asked, 2); /* once each */
	asker_stop(&a);
	link_stop(&l);
	server_stop(&server);
}

/* A client with no patience: sends the same again until something with its message ID comes. */
static void
insist(struct client *c, const struct wire *w, struct reply_seen *r)
{
	uint16_t mid = (uint16_t)(w->p[2] << 8 | w->p[3]);

	for (int i = 0; i < 1000; i++) {
		client_send(c, w);
		while (client_receive(c, r, 10))
			if (r->mid == mid)
				return;
	}
	fail();
}

static void
echo(struct client *c, size_t total)
{
	struct reply_seen r = { 0 };
	uint8_t *body = malloc(total);
	struct wire w;

	for (unsigned num = 0; num * 1024 < total; num++) {
		size_t n = total - num * 1024 < 1024 ? total - num * 1024 : 1024;

		begin(&w, CON, CODE_POST, ++c->mid);
		put_path(&w, "/echo");
		put_number(&w, COAP_OPTION_BLOCK1, block_of(num, num * 1024 + n < total, 6));
		put_payload(&w, big + num * 1024, n);
		insist(c, &w, &r);
	}
	assert_int_equal(r.code, CODE_CONTENT);
	for (unsigned num = 0;; num++) {
		memcpy(body + num * 1024, r.payload, r.payload_n);
		if (!(r.block2 & 8))
			break;
		begin(&w, CON, CODE_POST, ++c->mid);
		put_path(&w, "/echo");
		put_number(&w, COAP_OPTION_BLOCK2, block_of(num + 1, false, 6));
		insist(c, &w, &r);
		assert_int_equal(r.code, CODE_CONTENT);
		assert_int_equal(r.block2 >> 4, num + 1);
	}
	assert_memory_equal(body, big, total);
	free(body);
}

/* Lost, doubled, reordered, by the hundred: each body is handed on once, as it was sent. */
static void
test_worse_link(void **state)
{
	SSL_CTX *context = client_context();
	struct server server;
	struct client c;
	struct link l;
	uint16_t port;

	(void)state;
	start(&server);
	port = link_start(&l, &server);
	client_init(&c, &server, context, NULL, udp_open(0, port));
	assert_true(client_shake(&c, PATIENCE_MS));
	l.drop = 25;
	l.twice = 25;
	l.swap = 25;
	for (unsigned i = 1; i <= 10; i++) {
		echo(&c, 20000);
		assert_int_equal(server.asked, i);
		assert_int_equal(server.body_n, 20000);
	}
	assert_true(l.dropped > 100 && l.doubled > 100 && l.swapped > 100);
	client_close(&c);
	link_stop(&l);
	server_stop(&server);
	SSL_CTX_free(context);
}

/* The handshake gets through too: its messages are repeated by either side. */
static void
test_bad_handshake(void **state)
{
	struct server server;
	struct asker a;
	struct link l;
	uint16_t port;

	(void)state;
	start(&server);
	port = link_start(&l, &server);
	l.drop_first = 1;
	l.twice = 50;
	l.swap = 20;
	asker_start(&a, &server, port);
	asker_post(&a, "x", 100);
	assert_int_equal(a.code, CODE_CONTENT);
	assert_int_equal(server.asked, 1);
	asker_stop(&a);
	link_stop(&l);
	server_stop(&server);
}

/* An answer that takes longer than the client's first retransmissions, over the bad link. */
static void
test_slow_answer(void **state)
{
	const struct answer late = {
		.status = 200, .content_type = "text/plain", .body = SLICE_LIT("late")
	};
	int64_t absorbed = stats_get(STATS_coap_absorbed);
	struct server server;
	struct asker a;
	coap_pdu_t *pdu;

	(void)state;
	start(&server);
	asker_start(&a, &server, server.port);
	asker_post(&a, "x", 0);
	pdu = coap_new_pdu(COAP_MESSAGE_CON, COAP_REQUEST_CODE_POST, a.session);
	coap_add_option(pdu, COAP_OPTION_URI_PATH, 4, (const uint8_t *)"park");
	assert_int_not_equal(coap_send(a.session, pdu), COAP_INVALID_MID);
	asker_turns(&a, 1500);
	assert_true(stats_get(STATS_coap_absorbed) > absorbed);
	assert_int_equal(server.parked_n, 1);
	assert_int_equal(a.answers, 1);
	request_respond(server.parked[0], &late);
	asker_turns(&a, 200);
	assert_int_equal(a.answers, 2);
	assert_int_equal(a.n, 4);
	asker_stop(&a);
	server_stop(&server);
}

/* Debian's command-line client. */
static void
test_command(void **state)
{
	static char name[] = "coap-client-openssl",
		    options[][6] = { "-n", "-v", "3", "-m", "post", "-e" };
	char uri[64], payload[] = "hello", out[4096] = "";
	char *argv[] = { name, options[0], options[1], options[2], options[3], options[4],
		options[5], payload, uri, NULL };
	posix_spawn_file_actions_t actions;
	struct server server;
	int pipes[2], status;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	(void)state;
	start(&server);
	snprintf(uri, sizeof uri, "coaps://127.0.0.1:%u/gsma/rsp2/asn1", server.port);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
	assert_int_equal(
		posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ), 0); /* libcoap3-bin */
	close(pipes[1]);
	while (n < sizeof out - 1 && wait_for(&server, pipes[0], PATIENCE_MS) &&
		(got = read(pipes[0], out + n, sizeof out - 1 - n)) > 0)
		n += (size_t)got;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_non_null(strstr(out, "route=/gsma/rsp2/asn1 type= body=5"));
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[0]);
	server_stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_link),
		cmocka_unit_test(test_bad_link),
		cmocka_unit_test(test_worse_link),
		cmocka_unit_test(test_bad_handshake),
		cmocka_unit_test(test_slow_answer),
		cmocka_unit_test(test_command),
	};
	int failed;

	make_certificates();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	remove_certificates();
	return failed;
}
