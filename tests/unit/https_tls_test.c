/* TLS: curves, suites, ALPN, tickets over reloads and instances, and identities that must be refused. */
#include "https_fixture.h"
#include <sys/stat.h>
#include <sys/wait.h>

static SSL_SESSION *kept; /* by the client, for the next connection */

static const char ping[] = "POST /echo HTTP/1.1\r\nContent-Length: 4\r\n\r\nping";

static int
begin(void **state)
{
	(void)state;
	make_certificates();
	return 0;
}

static int
end(void **state)
{
	(void)state;
	SSL_SESSION_free(kept);
	remove_certificates();
	return 0;
}

/* True when a client that offers up to `version` with these groups and suite is served by TLS 1.2. */
static bool
served_by_1_2(uint16_t port, int version, const char *groups, const char *suite)
{
	SSL_CTX *context = client_context();
	char list[64];
	struct client c;
	bool fine;

	strcpy(list, groups);
	assert_true(SSL_CTX_set1_groups_list(context, list));
	assert_true(SSL_CTX_set_max_proto_version(context, version));
	assert_true(SSL_CTX_set_cipher_list(context, suite));
	fine = client_open(&c, port, context, NULL) && SSL_version(c.ssl) == TLS1_2_VERSION &&
		client_ask(&c, ping) == 200 && strcmp(SSL_get_cipher_name(c.ssl), suite) == 0;
	client_close(&c);
	SSL_CTX_free(context);
	return fine;
}

static const char gcm[] = "ECDHE-ECDSA-AES128-GCM-SHA256", cbc[] = "ECDHE-ECDSA-AES128-SHA256";

static void
nist_listeners_serve_1_3_and_1_2(void **state)
{
	struct server server;
	SSL_CTX *context = client_context();
	struct client c;

	(void)state;
	server_start(&server, &easy, identity_of("nist", 1, 0, NULL));
	assert_true(client_open(&c, server.port, context, NULL));
	assert_int_equal(SSL_version(c.ssl), TLS1_3_VERSION);
	assert_int_equal(client_ask(&c, ping), 200);
	client_close(&c);
	SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
	/* the suites of SGP.22 §2.6.6, each alone */
	for (int i = 0; i < 2; i++) {
		SSL_CTX_set_cipher_list(context, i ? cbc : gcm);
		assert_true(client_open(&c, server.port, context, NULL));
		assert_string_equal(SSL_get_cipher_name(c.ssl), i ? cbc : gcm);
		assert_int_equal(client_ask(&c, ping), 200);
		client_close(&c);
	}
	SSL_CTX_free(context);
	server_stop(&server);
}

static void
older_versions_are_refused(void **state)
{
	struct server server;
	SSL_CTX *context = client_context();
	struct client c;

	(void)state;
	server_start(&server, &easy, identity_of("nist", 1, 0, NULL));
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
	assert_false(client_open(&c, server.port, context, NULL));
	client_close(&c);
	SSL_CTX_free(context);
	server_stop(&server);
}

/* A client that offers 1.3 gets 1.2, for OpenSSL 3.0 has no brainpool in 1.3. */
static void
brainpool_listeners_serve_1_2(void **state)
{
	struct server server;

	(void)state;
	server_start(&server, &easy, identity_of("brainpool", 1, 0, NULL));
	assert_true(served_by_1_2(server.port, TLS1_2_VERSION, "brainpoolP256r1", gcm));
	assert_true(served_by_1_2(server.port, TLS1_2_VERSION, "brainpoolP256r1", cbc));
	assert_true(served_by_1_2(server.port, TLS1_3_VERSION, "brainpoolP256r1:P-256", gcm));
	assert_true(served_by_1_2(server.port, TLS1_3_VERSION, "P-256:brainpoolP256r1", cbc));
	assert_true(
		served_by_1_2(server.port, TLS1_3_VERSION, "X25519:P-384:brainpoolP256r1", gcm));
	/* who does not know the certificate's curve cannot be served */
	assert_false(served_by_1_2(server.port, TLS1_3_VERSION, "P-256", gcm));
	server_stop(&server);
}

/* RULES 1.6: P-256 first whatever the client prefers, for brainpool costs fifteen times as much. */
static void
key_agreement_is_of_the_cheapest_group(void **state)
{
	static const struct {
		int version;
		const char *offered, *chosen;
	} row[] = {
		{ TLS1_2_VERSION, "P-256", "prime256v1" },
		{ TLS1_2_VERSION, "brainpoolP256r1:P-256", "prime256v1" },
		{ TLS1_2_VERSION, "brainpoolP256r1:X25519:P-256", "prime256v1" },
		{ TLS1_3_VERSION, "P-256", "prime256v1" },
		{ TLS1_3_VERSION, "P-384:P-256", "prime256v1" },
		{ TLS1_3_VERSION, "X25519", "X25519" },
	};
	struct server server;

	(void)state;
	server_start(&server, &easy, identity_of("nist", 1, 0, NULL));
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		SSL_CTX *context = client_context();
		EVP_PKEY *agreed = NULL;
		char list[64], name[64];
		struct client c;

		strcpy(list, row[i].offered);
		assert_true(SSL_CTX_set1_groups_list(context, list));
		SSL_CTX_set_max_proto_version(context, row[i].version);
		assert_true(client_open(&c, server.port, context, NULL));
		assert_int_equal(SSL_version(c.ssl), row[i].version);
		assert_true(SSL_get_peer_tmp_key(c.ssl, &agreed));
		if (!EVP_PKEY_get_group_name(agreed, name, sizeof name, NULL))
			strcpy(name, EVP_PKEY_get0_type_name(agreed));
		assert_string_equal(name, row[i].chosen);
		assert_int_equal(client_ask(&c, ping), 200);
		EVP_PKEY_free(agreed);
		client_close(&c);
		SSL_CTX_free(context);
	}
	server_stop(&server);
}

static void
http_1_1_is_the_only_protocol(void **state)
{
	static const uint8_t both[] = "\x02h2\x08http/1.1", h2[] = "\x02h2";
	struct server server;
	SSL_CTX *context = client_context();
	const unsigned char *chosen;
	unsigned n;
	struct client c;

	(void)state;
	server_start(&server, &easy, identity_of("nist", 1, 0, NULL));
	SSL_CTX_set_alpn_protos(context, both, sizeof both - 1);
	assert_true(client_open(&c, server.port, context, NULL));
	SSL_get0_alpn_selected(c.ssl, &chosen, &n);
	assert_int_equal(n, 8);
	assert_memory_equal(chosen, "http/1.1", 8);
	client_close(&c);
	SSL_CTX_set_alpn_protos(context, h2, sizeof h2 - 1);
	assert_true(client_open(&c, server.port, context, NULL));
	SSL_get0_alpn_selected(c.ssl, &chosen, &n);
	assert_int_equal(n, 0);
	client_close(&c);
	SSL_CTX_free(context);
	server_stop(&server);
}

/* ---- tickets ------------------------------------------------------------------------------------- */

static SSL_CTX *
context_up_to(int version)
{
	SSL_CTX *context = client_context();

	SSL_CTX_set_max_proto_version(context, version);
	return context;
}

/* One request; offers the kept session when told to and keeps the new; was it resumed? */
static bool
ask_resuming(struct server *s, SSL_CTX *context, bool offer)
{
	struct client c;
	bool resumed;

	assert_true(client_open(&c, s->port, context, offer ? kept : NULL));
	resumed = SSL_session_reused(c.ssl);
	assert_int_equal(client_ask(&c, ping), 200);
	SSL_SESSION_free(kept);
	kept = SSL_get1_session(c.ssl);
	client_close(&c);
	return resumed;
}

static void
set_identity(struct server *s, const void *id)
{
	https_listener_identity_set(s->listener, *(struct https_identity *const *)id);
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static void
tickets_outlast_a_reload(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		SSL_CTX *context = context_up_to(versions[i]);
		struct server server;
		struct https_identity *id = identity_of("other", 1, 0, NULL);

		server_start(&server, &easy, identity_of("nist", 1, 0, NULL));
		assert_false(ask_resuming(&server, context, false));
		assert_true(ask_resuming(&server, context, true));
		on_loop(&server, set_identity, &id);
		assert_true(ask_resuming(&server, context, true));
		server_stop(&server);
		SSL_CTX_free(context);
	}
}

static void
tickets_are_good_at_every_instance(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		SSL_CTX *context = context_up_to(versions[i]);
		struct server a, b, c;

		server_start(&a, &easy, identity_of("nist", 1, 0, NULL));
		server_start(&b, &easy, identity_of("nist", 1, 0, NULL));
		server_start(&c, &easy, identity_of("nist", 3, 0, NULL));
		assert_false(ask_resuming(&a, context, false));
		assert_true(ask_resuming(&b, context, true));
		assert_false(ask_resuming(&c, context, true)); /* another secret */
		server_stop(&a);
		server_stop(&b);
		server_stop(&c);
		SSL_CTX_free(context);
	}
}

static void
tickets_outlast_one_rotation_of_the_secret(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		SSL_CTX *context = context_up_to(versions[i]);
		struct server server;
		struct https_identity *rotated = identity_of("nist", 2, 1, NULL);
		struct https_identity *later = identity_of("nist", 2, 0, NULL);
		struct https_identity *again = identity_of("nist", 4, 3, NULL);

		server_start(&server, &easy, identity_of("nist", 1, 0, NULL));
		assert_false(ask_resuming(&server, context, false));
		on_loop(&server, set_identity, &rotated);
		assert_true(ask_resuming(&server, context, true));
		/* it was renewed under the present secret */
		on_loop(&server, set_identity, &later);
		assert_true(ask_resuming(&server, context, true));
		on_loop(&server, set_identity, &again);
		assert_false(ask_resuming(&server, context, true));
		server_stop(&server);
		SSL_CTX_free(context);
	}
}

static void
a_reload_changes_the_certificate_of_new_connections_only(void **state)
{
	SSL_CTX *context = client_context();
	struct https_identity *id = identity_of("other", 1, 0, NULL);
	struct server server;
	struct client before, after;
	X509 *old, *new;

	(void)state;
	server_start(&server, &easy, identity_of("nist", 1, 0, NULL));
	assert_true(client_open(&before, server.port, context, NULL));
	on_loop(&server, set_identity, &id);
	assert_int_equal(client_ask(&before, ping), 200);
	assert_true(client_open(&after, server.port, context, NULL));
	assert_int_equal(client_ask(&before, ping), 200);
	assert_int_equal(client_ask(&after, ping), 200);
	old = SSL_get0_peer_certificate(before.ssl);
	new = SSL_get0_peer_certificate(after.ssl);
	assert_int_not_equal(X509_cmp(old, new), 0);
	client_close(&before);
	client_close(&after);
	SSL_CTX_free(context);
	server_stop(&server);
}

/* ---- what must be refused ------------------------------------------------------------------------ */

static void
a_wrong_identity_says_what_is_wrong(void **state)
{
	uint8_t secret[32] = { 0 };
	char nist[128], key[128], other[128], none[128], why[HTTPS_WHY];
	struct https_identity_settings s = { .name = "test",
		.ticket_secret = SLICE_ARRAY(secret),
		.certificate = file_in_folder("nist.pem", nist),
		.key = file_in_folder("other.key", other) };

	(void)state;
	file_in_folder("nist.key", key);
	file_in_folder("none.pem", none);
	assert_null(https_identity_new(&s, why));
	assert_non_null(strstr(why, "other.key cannot be used: key values mismatch"));
	s.key = none;
	assert_null(https_identity_new(&s, why));
	assert_non_null(strstr(why, "none.pem cannot be used: No such file or directory"));
	s.key = key;
	s.certificate = none;
	assert_null(https_identity_new(&s, why));
	assert_non_null(strstr(why, "certificate "));
	assert_non_null(strstr(why, "No such file or directory"));
	s.certificate = key; /* a PEM file, but no certificate in it */
	assert_null(https_identity_new(&s, why));
	assert_non_null(strstr(why, "nist.key cannot be used: no start line"));
}

/* Neither waits for a FIFO's writer nor reads a device to its end. */
static void
only_regular_files_are_opened(void **state)
{
	uint8_t secret[32] = { 1 };
	char nist[128], key[128], fifo[128], large[128], why[HTTPS_WHY];
	struct https_identity_settings s = { .name = "x",
		.certificate = fifo,
		.key = file_in_folder("nist.key", key),
		.ticket_secret = SLICE_ARRAY(secret) };
	FILE *f;

	(void)state;
	file_in_folder("nist.pem", nist);
	assert_int_equal(mkfifo(file_in_folder("fifo", fifo), 0600), 0);
	assert_null(https_identity_new(&s, why));
	assert_non_null(strstr(why, "fifo cannot be used: it is not a regular file"));
	s.certificate = "/dev/zero";
	assert_null(https_identity_new(&s, why));
	assert_non_null(strstr(why, "certificate /dev/zero cannot be used: it is not a regular"));
	s.certificate = nist;
	s.key = fifo;
	assert_null(https_identity_new(&s, why));
	assert_non_null(strstr(why, "fifo cannot be used: it is not a regular file"));
	f = fopen(file_in_folder("large", large), "w");
	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), 1024 * 1024 + 1), 0);
	fclose(f);
	s.key = large;
	assert_null(https_identity_new(&s, why));
	assert_non_null(strstr(why, "large cannot be used: it is larger than 1 MiB"));
	unlink(fifo);
	unlink(large);
}

static void
a_key_with_a_passphrase_is_refused_without_asking(void **state)
{
	uint8_t secret[32] = { 0 };
	char certificate[128], path[128], why[HTTPS_WHY];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *f = fopen(file_in_folder("locked.key", path), "w");
	struct https_identity_settings s = { .name = "test",
		.ticket_secret = SLICE_ARRAY(secret),
		.certificate = file_in_folder("nist.pem", certificate),
		.key = path };
	unsigned char word[] = "word";

	(void)state;
	assert_non_null(f);
	PEM_write_PrivateKey(f, key, EVP_aes_128_cbc(), word, 4, NULL, NULL);
	fclose(f);
	assert_null(https_identity_new(&s, why));
	assert_non_null(strstr(why, "PEM without a passphrase"));
	unlink(path);
	EVP_PKEY_free(key);
}

static void
a_wrong_address_says_what_is_wrong(void **state)
{
	static const struct loop_limits loop_limits = { .tasks = 1 };
	struct loop *loop = loop_new(&loop_limits);
	struct https *h = https_new(loop, &easy);
	struct https_identity *id = identity_of("nist", 1, 0, NULL);
	struct https_listener_settings s = { .name = "test", .address = "192.0.2.1", .port = 8443 };
	char why[HTTPS_WHY];

	(void)state;
	assert_null(https_listener_new(h, &s, id, handle, NULL, why));
	assert_non_null(strstr(why, "cannot listen on 192.0.2.1 port 8443: Cannot assign"));
	s.address = "localhost";
	assert_null(https_listener_new(h, &s, id, handle, NULL, why));
	assert_non_null(strstr(why, "cannot listen on localhost port 8443: Invalid argument"));
	https_identity_free(id);
	https_free(h);
	loop_free(loop);
}

/* The reason that a user without privileges gets, or NULL when the system lets him have the port. */
static const char *
reason_without_privileges(struct https *h, struct https_identity *id)
{
	struct https_listener_settings s = { .name = "test", .address = "127.0.0.1", .port = 1 };
	static char why[HTTPS_WHY];
	int report[2];
	ssize_t n;

	assert_int_equal(pipe(report), 0);
	if (fork() == 0) {
		if (getuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(1);
		if (!https_listener_new(h, &s, id, handle, NULL, why))
			(void)!write(report[1], why, sizeof why);
		_exit(0);
	}
	close(report[1]);
	n = read(report[0], why, sizeof why);
	close(report[0]);
	wait(NULL);
	return n > 0 ? why : NULL;
}

static void
a_privileged_port_says_that_a_restart_is_needed(void **state)
{
	static const struct loop_limits loop_limits = { .tasks = 1 };
	struct loop *loop = loop_new(&loop_limits);
	struct https *h = https_new(loop, &easy);
	struct https_identity *id = identity_of("nist", 1, 0, NULL);
	const char *why = reason_without_privileges(h, id);

	(void)state;
	https_identity_free(id);
	https_free(h);
	loop_free(loop);
	if (!why)
		skip(); /* net.ipv4.ip_unprivileged_port_start allows it */
	assert_non_null(strstr(why, "port 1 is privileged"));
	assert_non_null(strstr(why, "restart rspd"));
}

static void
the_address_of_ipv6_takes_both(void **state)
{
	SSL_CTX *context = client_context();
	int probe = socket(AF_INET6, SOCK_STREAM, 0);
	struct server server;
	struct client c;

	(void)state;
	if (probe < 0)
		skip();
	close(probe);
	server_address = "::";
	server_start(&server, &easy, identity_of("nist", 1, 0, NULL));
	server_address = "127.0.0.1";
	assert_true(client_open(&c, server.port, context, NULL));
	assert_int_equal(client_ask(&c, "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), 200);
	assert_non_null(strstr(c.answer, "[::ffff:127.0.0.1"));
	client_close(&c);
	SSL_CTX_free(context);
	server_stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nist_listeners_serve_1_3_and_1_2),
		cmocka_unit_test(older_versions_are_refused),
		cmocka_unit_test(brainpool_listeners_serve_1_2),
		cmocka_unit_test(key_agreement_is_of_the_cheapest_group),
		cmocka_unit_test(http_1_1_is_the_only_protocol),
		cmocka_unit_test(tickets_outlast_a_reload),
		cmocka_unit_test(tickets_are_good_at_every_instance),
		cmocka_unit_test(tickets_outlast_one_rotation_of_the_secret),
		cmocka_unit_test(a_reload_changes_the_certificate_of_new_connections_only),
		cmocka_unit_test(a_wrong_identity_says_what_is_wrong),
		cmocka_unit_test(only_regular_files_are_opened),
		cmocka_unit_test(a_key_with_a_passphrase_is_refused_without_asking),
		cmocka_unit_test(a_wrong_address_says_what_is_wrong),
		cmocka_unit_test(a_privileged_port_says_that_a_restart_is_needed),
		cmocka_unit_test(the_address_of_ipv6_takes_both),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
