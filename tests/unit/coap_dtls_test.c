/* DTLS under a CoAP listener: certificates and keys, resumption, reload, caps, clients that begin anew. */
#include <openssl/err.h>
#include "unit/coap_fixture.h"

static struct server server;

static void
start(const struct coap_limits *limits, const char *certificate, const char *psk, uint8_t secret)
{
	char why[COAP_WHY] = "";
	struct coap_identity *id = identity_of(certificate, psk, secret, why);

	assert_string_equal(why, "");
	server_start(&server, limits, id);
}

/* The name in the certificate that the server showed. */
static void
assert_certificate(struct client *c, const char *name)
{
	X509 *x = SSL_get1_peer_certificate(c->ssl);
	char text[64] = "";

	assert_non_null(x);
	X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, text, sizeof text);
	assert_string_equal(text, name);
	X509_free(x);
}

static void
assert_served(struct client *c)
{
	struct reply_seen r;

	client_post(c, "/x", SLICE_NONE, &r);
	assert_int_equal(r.code, CODE_CONTENT);
}

static void
assert_unserved(struct client *c)
{
	struct reply_seen r;
	struct wire w;

	begin(&w, CON, CODE_POST, ++c->mid);
	SSL_write(c->ssl, w.p, (int)w.n);
	assert_false(client_receive(c, &r, 100));
	ERR_clear_error();
}

/* ---- certificates ------------------------------------------------------------------------------------ */

static void
test_certificates(void **state)
{
	static const char *const names[] = { "nist", "brainpool" };
	static const char *const suites[] = { "ECDHE-ECDSA-AES128-GCM-SHA256",
		"ECDHE-ECDSA-AES128-CCM8", "ECDHE-ECDSA-AES128-SHA256" };
	struct client c;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *context = client_context();

		SSL_CTX_set1_groups_list(context, "brainpoolP256r1:P-256");
		start(&easy, names[i], NULL, 0);
		for (size_t j = 0; j < 3; j++) {
			SSL_CTX_set_cipher_list(context, suites[j]);
			client_open(&c, &server, context);
			assert_string_equal(SSL_get_cipher_name(c.ssl), suites[j]);
			assert_certificate(&c, names[i]);
			assert_served(&c);
			client_close(&c);
		}
		server_stop(&server);
		SSL_CTX_free(context);
	}
}

/* Standing sessions are not disturbed, new ones see the new certificate. */
static void
test_reload(void **state)
{
	SSL_CTX *context = client_context();
	struct client before, after;
	char why[COAP_WHY];

	(void)state;
	start(&easy, "nist", NULL, 7);
	client_open(&before, &server, context);
	coap_listener_identity_set(server.listener, identity_of("other", NULL, 8, why));
	client_open(&after, &server, context);
	assert_certificate(&before, "nist");
	assert_certificate(&after, "other");
	assert_served(&before);
	assert_served(&after);
	client_close(&before);
	client_close(&after);
	server_stop(&server);
	SSL_CTX_free(context);
}

static bool
resumes(SSL_CTX *context, SSL_SESSION *session)
{
	int64_t resumed = stats_get(STATS_coap_handshakes_resumed);
	struct client c;
	bool reused;

	client_init(&c, &server, context, session, udp_open(0, server.port));
	assert_true(client_shake(&c, PATIENCE_MS));
	assert_served(&c);
	reused = SSL_session_reused(c.ssl);
	assert_int_equal(stats_get(STATS_coap_handshakes_resumed), resumed + reused);
	client_close(&c);
	return reused;
}

/* A ticket is good at the same daemon, after its restart, and not under another secret. */
static void
test_resumption(void **state)
{
	SSL_CTX *context = client_context();
	SSL_SESSION *session;
	struct client c;

	(void)state;
	start(&easy, "nist", NULL, 7);
	client_open(&c, &server, context);
	session = SSL_get1_session(c.ssl);
	client_close(&c);
	assert_true(resumes(context, session));
	server_stop(&server);
	start(&easy, "nist", NULL, 7);
	assert_true(resumes(context, session));
	server_stop(&server);
	start(&easy, "nist", NULL, 8);
	assert_false(resumes(context, session));
	server_stop(&server);
	SSL_SESSION_free(session);
	SSL_CTX_free(context);
}

static void
test_bad_identities(void **state)
{
	char why[COAP_WHY] = "", path[128];

	(void)state;
	assert_null(identity_of(NULL, NULL, 0, why));
	assert_non_null(strstr(why, "neither a certificate nor a psk_file"));
	assert_null(identity_of("absent", NULL, 0, why));
	assert_non_null(strstr(why, "absent.pem"));
	assert_null(coap_identity_new(&(struct coap_identity_settings){ .name = "test",
					      .certificate = file_in_folder("nist.pem", path) },
		why));
	assert_non_null(strstr(why, "go together"));
}

/* ---- keys that both sides know ----------------------------------------------------------------------- */

static void
psk_file_write(const char *text, mode_t mode)
{
	char path[128];
	FILE *f = fopen(file_in_folder("psk", path), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
}

static const char *psk_identity;
static uint8_t psk_octet;

static unsigned
on_client_psk(SSL *ssl, const char *hint, char *identity, unsigned identity_most, uint8_t *psk,
	unsigned psk_most)
{
	(void)ssl;
	(void)hint;
	assert_true(psk_most >= 16);
	snprintf(identity, identity_most, "%s", psk_identity);
	memset(psk, psk_octet, 16);
	return 16;
}

static bool
shakes_by_psk(const char *identity, uint8_t octet)
{
	SSL_CTX *context = client_context();
	struct client c;
	bool ok;

	psk_identity = identity;
	psk_octet = octet;
	SSL_CTX_set_cipher_list(context, "PSK-AES128-CCM8:PSK-AES128-GCM-SHA256");
	SSL_CTX_set_psk_client_callback(context, on_client_psk);
	client_init(&c, &server, context, NULL, udp_open(0, server.port));
	ok = client_shake(&c, 500);
	if (ok)
		assert_served(&c);
	ERR_clear_error();
	client_close(&c);
	SSL_CTX_free(context);
	return ok;
}

#define ONES "11111111111111111111111111111111"

static void
test_psk(void **state)
{
	SSL_CTX *context = client_context();
	struct client c;
	char why[COAP_WHY];

	(void)state;
	psk_file_write("# of the laboratory\n\nsensor 1:" ONES "\nurn:x:2:" ONES "2222\n", 0600);
	start(&easy, NULL, "psk", 0);
	assert_true(shakes_by_psk("sensor 1", 0x11));
	assert_false(shakes_by_psk("sensor 1", 0x12));
	assert_false(shakes_by_psk("sensor 2", 0x11));
	assert_false(shakes_by_psk("", 0x11));
	/* with a certificate beside, clients choose; without a file again nobody has a key */
	coap_listener_identity_set(server.listener, identity_of("nist", "psk", 0, why));
	assert_true(shakes_by_psk("sensor 1", 0x11));
	client_open(&c, &server, context);
	assert_certificate(&c, "nist");
	client_close(&c);
	coap_listener_identity_set(server.listener, identity_of("nist", NULL, 0, why));
	assert_false(shakes_by_psk("sensor 1", 0x11));
	client_open(&c, &server, context);
	client_close(&c);
	server_stop(&server);
	SSL_CTX_free(context);
}

static void
test_psk_files(void **state)
{
	static const struct {
		const char *text, *complaint;
	} bad[] = {
		{ "", "holds no key" },
		{ "nobody\n", "line 1 is not" },
		{ "a:" ONES "\n:" ONES "\n", "line 2 has an identity of none" },
		{ "a:1111\n", "line 1 has a key of less than 16" },
		{ "a:" ONES "1\n", "line 1 has a key of less than 16" },
		{ "a:g" ONES "1\n", "not hexadecimal" },
	};
	char why[COAP_WHY], path[128];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		psk_file_write(bad[i].text, 0600);
		assert_null(identity_of(NULL, "psk", 0, why));
		assert_non_null(strstr(why, bad[i].complaint));
		assert_null(strstr(why, ONES)); /* keys are not shown */
	}
	psk_file_write("a:" ONES "\n", 0644);
	assert_null(identity_of(NULL, "psk", 0, why));
	assert_non_null(strstr(why, "open to all users"));
	unlink(file_in_folder("psk", path));
	assert_null(identity_of(NULL, "psk", 0, why));
	assert_non_null(strstr(why, "cannot be used"));
}

/* No file, no key: not even the one that libcoap was given to look busy. */
static void
test_no_psk(void **state)
{
	(void)state;
	start(&easy, "nist", NULL, 0);
	assert_false(shakes_by_psk("a", 0));
	assert_false(shakes_by_psk("CoAP", 0));
	server_stop(&server);
}

/* ---- caps ---------------------------------------------------------------------------------------------- */

static void
test_session_cap(void **state)
{
	static const struct answer done = { .status = 204 };
	struct coap_limits few = easy;
	SSL_CTX *context = client_context();
	int64_t evicted = stats_get(STATS_coap_evicted);
	struct client c[4];
	struct reply_seen r;
	struct wire w;

	(void)state;
	few.sessions = 3;
	start(&few, "nist", NULL, 0);
	for (int i = 0; i < 3; i++)
		client_open(&c[i], &server, context);
	begin(&w, CON, CODE_POST, 7);
	put_path(&w, "/park");
	client_send(&c[0], &w); /* who waits for the handler stays */
	assert_served(&c[1]);   /* so this one was silent longest */
	assert_served(&c[2]);
	client_open(&c[3], &server, context);
	assert_int_equal(stats_get(STATS_coap_evicted), evicted + 1);
	assert_int_equal(stats_get(STATS_coap_sessions_open), 3);
	assert_unserved(&c[1]);
	assert_served(&c[3]);
	assert_served(&c[2]);
	request_respond(server.parked[0], &done);
	assert_true(client_receive(&c[0], &r, PATIENCE_MS));
	assert_int_equal(r.code, CODE_CHANGED);
	for (int i = 0; i < 4; i++)
		client_close(&c[i]);
	server_stop(&server);
	SSL_CTX_free(context);
}

/* As far as the server's certificate: the server waits for the client's key. */
static void
begin_handshake(struct client *c, SSL_CTX *context)
{
	int64_t open = stats_get(STATS_coap_handshakes_open);

	client_init(c, &server, context, NULL, udp_open(0, server.port));
	assert_int_equal(client_step(c), 0); /* ClientHello */
	assert_true(wait_for(&server, c->fd, PATIENCE_MS));
	assert_int_equal(
		stats_get(STATS_coap_handshakes_open), open); /* nothing before the cookie */
	assert_int_equal(client_step(c), 0);                  /* the cookie */
	assert_true(wait_for(&server, c->fd, PATIENCE_MS));
}

static void
test_handshake_cap(void **state)
{
	struct coap_limits few = easy;
	SSL_CTX *context = client_context();
	int64_t evicted = stats_get(STATS_coap_evicted);
	struct client c[4];

	(void)state;
	few.handshakes = 3;
	start(&few, "nist", NULL, 0);
	for (int i = 0; i < 4; i++)
		begin_handshake(&c[i], context);
	assert_int_equal(stats_get(STATS_coap_handshakes_open), 3);
	assert_int_equal(stats_get(STATS_coap_evicted), evicted + 1);
	assert_true(client_shake(&c[3], PATIENCE_MS));
	assert_true(client_shake(&c[1], PATIENCE_MS));
	assert_false(client_shake(&c[0], 300)); /* the oldest made way */
	ERR_clear_error();
	for (int i = 0; i < 4; i++)
		client_close(&c[i]);
	server_stop(&server);
	SSL_CTX_free(context);
}

static void
test_handshake_time(void **state)
{
	struct coap_limits hasty = easy;
	SSL_CTX *context = client_context();
	int64_t late = stats_get(STATS_coap_timeout_handshake);
	int64_t failed = stats_get(STATS_coap_handshakes_failed);
	struct client c;

	(void)state;
	hasty.handshake_ms = 50;
	start(&hasty, "nist", NULL, 0);
	begin_handshake(&c, context);
	assert_true(stat_becomes(&server, STATS_coap_timeout_handshake, late + 1));
	assert_int_equal(stats_get(STATS_coap_handshakes_failed), failed + 1);
	assert_int_equal(stats_get(STATS_coap_sessions_open), 0);
	client_close(&c);
	server_stop(&server);
	SSL_CTX_free(context);
}

static void
test_idle(void **state)
{
	struct coap_limits hasty = easy;
	SSL_CTX *context = client_context();
	struct client c;

	(void)state;
	hasty.idle_ms = 1000;
	start(&hasty, "nist", NULL, 0);
	client_open(&c, &server, context);
	assert_served(&c);
	assert_int_equal(stats_get(STATS_coap_sessions_open), 1);
	assert_true(stat_becomes(&server, STATS_coap_sessions_open, 0));
	client_close(&c);
	server_stop(&server);
	SSL_CTX_free(context);
}

/* ---- clients that begin anew --------------------------------------------------------------------------- */

static void
test_begins_anew(void **state)
{
	int64_t returned = stats_get(STATS_coap_returned);
	SSL_CTX *context = client_context();
	struct client c, again;
	uint16_t port;

	(void)state;
	start(&easy, "nist", NULL, 0);
	for (int i = 0; i < 2; i++) {
		client_open(&c, &server, context);
		assert_served(&c);
		port = own_port_of(c.fd);
		client_close(&c); /* its memory is lost, not its port */
		client_init(&again, &server, context, NULL, udp_open(port, server.port));
		assert_true(client_shake(&again, PATIENCE_MS));
		assert_served(&again);
		assert_int_equal(stats_get(STATS_coap_returned), returned + i + 1);
		client_close(&again);
	}
	server_stop(&server);
	SSL_CTX_free(context);
}

/* Somebody else who writes the client's address on his datagrams does not see the cookie. */
static void
test_forged_beginning(void **state)
{
	int64_t returned = stats_get(STATS_coap_returned);
	SSL_CTX *context = client_context();
	uint8_t hello[2048], answer[2048];
	struct client c, forger;
	ssize_t n;

	(void)state;
	start(&easy, "nist", NULL, 0);
	client_open(&c, &server, context);
	client_init(&forger, &server, context, NULL, udp_open(0, server.port));
	SSL_set_bio(forger.ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_connect(forger.ssl);
	n = BIO_read(SSL_get_wbio(forger.ssl), hello, sizeof hello);
	assert_true(n > 60);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(send(c.fd, hello, (size_t)n, 0), n);
		assert_true(wait_for(&server, c.fd, PATIENCE_MS));
		assert_true(recv(c.fd, answer, sizeof answer, 0) > 0);
		assert_int_equal(answer[13], 3); /* HelloVerifyRequest, for the client's eyes */
	}
	for (ssize_t cut = 13; cut < n; cut += 3) /* and what is broken */
		assert_int_equal(send(c.fd, hello, (size_t)cut, 0), cut);
	wait_for(&server, -1, 50);
	while (recv(c.fd, answer, sizeof answer, 0) > 0)
		;
	assert_served(&c);
	assert_int_equal(stats_get(STATS_coap_returned), returned);
	client_close(&c);
	client_close(&forger);
	server_stop(&server);
	SSL_CTX_free(context);
}

/* ---- an address and port belong to one instance -------------------------------------------------------- */

static bool
can_listen(uint16_t port, const char *complaint)
{
	char why[COAP_WHY] = "", unused[COAP_WHY];
	struct coap_identity *id = identity_of("nist", NULL, 0, unused);
	struct coap_listener *l = coap_listener_new(server.coap,
		&(struct coap_listener_settings){
			.name = "second", .address = "127.0.0.1", .port = port },
		id, handle, &server, why);

	if (l) {
		coap_listener_stop(l, 0);
		wait_for(&server, -1, 20);
		return true;
	}
	assert_non_null(strstr(why, complaint));
	coap_identity_free(id);
	return false;
}

static void
test_lock(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
	socklen_t n = sizeof at;

	(void)state;
	start(&easy, "nist", NULL, 0);
	assert_false(can_listen(server.port, "another process has 127.0.0.1 UDP port"));
	/* one that shares, as libcoap's own do */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	getsockname(fd, (struct sockaddr *)&at, &n);
	assert_false(can_listen(ntohs(at.sin_port), "each belongs to one instance"));
	close(fd);
	assert_true(can_listen(ntohs(at.sin_port), ""));
	assert_true(can_listen(ntohs(at.sin_port), "")); /* the former let go of it */
	server_stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_bad_identities),
		cmocka_unit_test(test_psk),
		cmocka_unit_test(test_psk_files),
		cmocka_unit_test(test_no_psk),
		cmocka_unit_test(test_session_cap),
		cmocka_unit_test(test_handshake_cap),
		cmocka_unit_test(test_handshake_time),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_begins_anew),
		cmocka_unit_test(test_forged_beginning),
		cmocka_unit_test(test_lock),
	};
	int failed;

	make_certificates();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	remove_certificates();
	return failed;
}
