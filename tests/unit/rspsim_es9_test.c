/*
 * The simulated LPA against a TLS server in a thread: it talks only to a server of role dp-tls
 * below a CI of its card and of the right name, finds the listener of its CI, sends the headers
 * of an LPA, and reads the status block.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "rspsim/cert.h"
#include "rspsim/crypto.h"
#include "rspsim/es9.h"

#define SUCCESS \
	"{\"header\":{\"functionExecutionStatus\":{\"status\":\"Executed-Success\"}},\"x\":\"y\"}"
#define FAILED                                                                                 \
	"{\"header\":{\"functionExecutionStatus\":{\"status\":\"Failed\",\"statusCodeData\":{" \
	"\"subjectCode\":\"8.2.6\",\"reasonCode\":\"3.8\",\"message\":\"no such id\"}}}}"

/* One CI with what stands below it. */
struct tree {
	int curve;
	EVP_PKEY *ci_key, *key;
	X509 *ci;
};

static void
tree_init(struct tree *t, int curve)
{
	const struct rspsim_cert_form form = { .subject = { { "CN", "Test CI" } },
		.extensions = { { "subjectKeyIdentifier", "hash" },
			{ "basicConstraints", "critical,CA:TRUE" },
			{ "keyUsage", "critical,keyCertSign,cRLSign" } },
		.serial = 1,
		.days = 30 };

	*t = (struct tree){ curve, rspsim_key_new(curve), rspsim_key_new(curve), NULL };
	t->ci = rspsim_cert_issue(&form, t->ci_key, NULL, NULL);
	assert_non_null(t->ci);
}

static void
tree_fini(struct tree *t)
{
	EVP_PKEY_free(t->ci_key);
	EVP_PKEY_free(t->key);
	X509_free(t->ci);
}

/* A server's certificate; a right one has policy .3, the name smdp.test and an OID. */
static X509 *
tls_certificate(struct tree *t, const char *policy, const char *names, int days)
{
	const struct rspsim_cert_form form = { .subject = { { "CN", "smdp.test" } },
		.extensions = { { "keyUsage", "critical,digitalSignature" },
			{ "extendedKeyUsage", "critical,serverAuth,clientAuth" },
			{ "certificatePolicies", policy }, { "subjectKeyIdentifier", "hash" },
			{ "authorityKeyIdentifier", "keyid" }, { "subjectAltName", names } },
		.serial = 9,
		.days = days };
	X509 *cert = rspsim_cert_issue(&form, t->key, t->ci, t->ci_key);

	assert_non_null(cert);
	return cert;
}

/* A card whose only CI is the tree's; its own certificate plays no part here. */
static struct rspsim_card *
tree_card(struct tree *t)
{
	const struct rspsim_cert_form form = {
		.subject = { { "CN", "x" } }, .serial = 1, .days = 1
	};
	struct rspsim_card *card = rspsim_card_new("89049032123451234512345678901235");
	EVP_PKEY *key = rspsim_key_new(t->curve);

	X509_up_ref(t->ci);
	assert_true(rspsim_card_add_ci(card, t->ci, rspsim_cert_issue(&form, key, NULL, NULL),
		rspsim_cert_issue(&form, key, NULL, NULL), key));
	return card;
}

/* ---- the server ---------------------------------------------------------------------- */

struct server {
	pthread_t thread;
	int listener;
	char where[32]; /* HOST:PORT */
	SSL_CTX *tls;
	const char *status, *body; /* what it answers */
	char request[4096];        /* what it got */
};

static size_t
read_request(SSL *ssl, char *p, size_t room)
{
	size_t n = 0, body = 0;
	const char *end = NULL, *length;

	while (n < room - 1 && (!end || n < (size_t)(end - p) + 4 + body)) {
		int got = SSL_read(ssl, p + n, (int)(room - 1 - n));

		if (got <= 0)
			return 0;
		n += (size_t)got;
		p[n] = 0;
		end = strstr(p, "\r\n\r\n");
		length = strstr(p, "Content-Length: ");
		if (length)
			body = strtoul(length + 16, NULL, 10);
	}
	return n;
}

static void
serve(struct server *s, int fd)
{
	SSL *ssl = SSL_new(s->tls);
	char head[200];
	int n;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && read_request(ssl, s->request, sizeof s->request)) {
		n = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n",
			s->status, strlen(s->body));
		SSL_write(ssl, head, n);
		if (s->body[0])
			SSL_write(ssl, s->body, (int)strlen(s->body));
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	close(fd);
}

static void *
run_server(void *arg)
{
	struct server *s = arg;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0)
		serve(s, fd);
	return NULL;
}

static void
server_start(struct server *s, struct tree *t, X509 *certificate)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char groups[] = "P-256:brainpoolP256r1";
	socklen_t n = sizeof at;

	memset(s, 0, sizeof *s);
	s->status = "200 OK";
	s->body = SUCCESS;
	s->tls = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set1_groups_list(s->tls, groups);
	assert_int_equal(SSL_CTX_use_certificate(s->tls, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(s->tls, t->key), 1);
	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &n), 0);
	snprintf(s->where, sizeof s->where, "127.0.0.1:%u", ntohs(at.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, run_server, s), 0);
}

static void
server_stop(struct server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
	SSL_CTX_free(s->tls);
}

/* ---- tests --------------------------------------------------------------------------- */

static struct rspsim_call
call_in(bool asn1, struct rspsim_card *card, const char *const *where, size_t count,
	json_t **answer)
{
	struct rspsim_es9_options options = { .connect_count = count, .asn1 = asn1 };
	struct rspsim_call call;
	struct rspsim_es9 *es9;

	for (size_t i = 0; i < count; i++)
		options.connect[i] = where[i];
	es9 = rspsim_es9_new(card, &options);
	rspsim_es9_post(es9, "smdp.test", "initiateAuthentication", "{\"a\":\"b\"}", &call, answer);
	rspsim_es9_free(es9);
	return call;
}

static struct rspsim_call
call_at(struct rspsim_card *card, const char *const *where, size_t count, json_t **answer)
{
	return call_in(false, card, where, count, answer);
}

static enum rspsim_call_outcome
outcome_with(struct tree *t, struct rspsim_card *card, X509 *certificate)
{
	struct rspsim_call call;
	struct server s;
	json_t *answer;

	server_start(&s, t, certificate);
	call = call_at(card, (const char *[]){ s.where }, 1, &answer);
	server_stop(&s);
	json_decref(answer);
	X509_free(certificate);
	return call.outcome;
}

static void
only_the_right_server_is_talked_to(void **state)
{
	static const int curves[] = { NID_X9_62_prime256v1, NID_brainpoolP256r1 };
	static const char right[] = "2.23.146.1.2.1.3", names[] = "DNS:smdp.test,RID:2.999.10";

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct tree t, foreign;
		struct rspsim_card *card;

		tree_init(&t, curves[i]);
		tree_init(&foreign, curves[i]);
		card = tree_card(&t);
		assert_int_equal(outcome_with(&t, card, tls_certificate(&t, right, names, 9)),
			RSPSIM_CALL_FINE);
		assert_int_equal(
			outcome_with(&t, card,
				tls_certificate(&t, "critical,2.23.146.1.2.1.4", names, 9)),
			RSPSIM_CALL_TRANSPORT);
		assert_int_equal(
			outcome_with(&t, card,
				tls_certificate(&t, right, "DNS:other.test,RID:2.999.10", 9)),
			RSPSIM_CALL_TRANSPORT);
		assert_int_equal(
			outcome_with(&t, card, tls_certificate(&t, right, "DNS:smdp.test", 9)),
			RSPSIM_CALL_TRANSPORT);
		assert_int_equal(outcome_with(&t, card, tls_certificate(&t, right, names, -1)),
			RSPSIM_CALL_TRANSPORT);
		assert_int_equal(
			outcome_with(&foreign, card, tls_certificate(&foreign, right, names, 9)),
			RSPSIM_CALL_TRANSPORT);
		card->trusting = true;
		assert_int_equal(
			outcome_with(&foreign, card, tls_certificate(&foreign, right, names, 9)),
			RSPSIM_CALL_FINE);
		rspsim_card_free(card);
		tree_fini(&t);
		tree_fini(&foreign);
	}
}

static void
a_card_finds_the_listener_of_its_ci(void **state)
{
	struct tree nist, brainpool;
	struct server first, second;
	struct rspsim_card *card;
	struct rspsim_call call;
	X509 *a, *b;
	json_t *answer;

	(void)state;
	tree_init(&nist, NID_X9_62_prime256v1);
	tree_init(&brainpool, NID_brainpoolP256r1);
	a = tls_certificate(&nist, "2.23.146.1.2.1.3", "DNS:smdp.test,RID:2.999.10", 9);
	b = tls_certificate(&brainpool, "2.23.146.1.2.1.3", "DNS:smdp.test,RID:2.999.10", 9);
	server_start(&first, &nist, a);
	server_start(&second, &brainpool, b);
	card = tree_card(&brainpool);
	call = call_at(card, (const char *[]){ first.where, second.where }, 2, &answer);
	assert_int_equal(call.outcome, RSPSIM_CALL_FINE);
	json_decref(answer);
	assert_int_equal(first.request[0], 0);
	call = call_at(card, (const char *[]){ first.where }, 1, &answer);
	assert_int_equal(call.outcome, RSPSIM_CALL_TRANSPORT);
	server_stop(&first);
	server_stop(&second);
	X509_free(a);
	X509_free(b);
	rspsim_card_free(card);
	tree_fini(&nist);
	tree_fini(&brainpool);
}

static void
requests_are_those_of_an_lpa(void **state)
{
	static const char *const lines[] = {
		"POST /gsma/rsp2/es9plus/initiateAuthentication HTTP/1.1\r\n",
		"Host: smdp.test\r\n", "User-Agent: gsma-rsp-lpad\r\n",
		"X-Admin-Protocol: gsma/rsp/v2.2.2\r\n", "Content-Type: application/json\r\n",
		"\r\n\r\n{\"a\":\"b\"}"
	};
	struct rspsim_card *card;
	struct server s;
	struct tree t;
	json_t *answer;
	X509 *cert;

	(void)state;
	tree_init(&t, NID_X9_62_prime256v1);
	card = tree_card(&t);
	cert = tls_certificate(&t, "2.23.146.1.2.1.3", "DNS:smdp.test,RID:2.999.10", 9);
	server_start(&s, &t, cert);
	call_at(card, (const char *[]){ s.where }, 1, &answer);
	server_stop(&s);
	assert_string_equal(json_string_value(json_object_get(answer, "x")), "y");
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		assert_non_null(strstr(s.request, lines[i]));
	json_decref(answer);
	X509_free(cert);
	rspsim_card_free(card);
	tree_fini(&t);
}

static void
asn1_has_its_own_path_and_media_type(void **state)
{
	static const char *const heads[] = { "200 OK\r\nContent-Type: application/x-gsma-rsp-asn1",
		"200 OK\r\nContent-Type: application/json", "200 OK" };
	struct rspsim_card *card;
	struct server s;
	struct tree t;
	json_t *answer;
	X509 *cert;

	(void)state;
	tree_init(&t, NID_X9_62_prime256v1);
	card = tree_card(&t);
	cert = tls_certificate(&t, "2.23.146.1.2.1.3", "DNS:smdp.test,RID:2.999.10", 9);
	server_start(&s, &t, cert);
	s.body = "\xa2\x06\xbf\x39\x03\x81\x01\x02";
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		struct rspsim_call call;

		s.status = heads[i];
		call = call_in(true, card, (const char *[]){ s.where }, 1, &answer);
		assert_int_equal(call.outcome, i ? RSPSIM_CALL_TRANSPORT : RSPSIM_CALL_REFUSED);
		assert_int_equal(call.error, i ? 0 : 2);
		assert_null(answer);
	}
	server_stop(&s);
	assert_non_null(strstr(s.request, "POST /gsma/rsp2/asn1 HTTP/1.1\r\n"));
	assert_non_null(strstr(s.request, "Content-Type: application/x-gsma-rsp-asn1\r\n"));
	X509_free(cert);
	rspsim_card_free(card);
	tree_fini(&t);
}

static void
answers_are_told_apart(void **state)
{
	static const struct {
		const char *status, *body;
		enum rspsim_call_outcome want;
		const char *subject, *reason;
	} row[] = {
		{ "200 OK", SUCCESS, RSPSIM_CALL_FINE, "", "" },
		{ "200 OK", FAILED, RSPSIM_CALL_REFUSED, "8.2.6", "3.8" },
		{ "204 No Content", "", RSPSIM_CALL_FINE, "", "" },
		{ "503 Busy", "", RSPSIM_CALL_TRANSPORT, "", "" },
		{ "200 OK", "", RSPSIM_CALL_TRANSPORT, "", "" },
		{ "200 OK", "[]", RSPSIM_CALL_TRANSPORT, "", "" },
		{ "200 OK", "{}", RSPSIM_CALL_TRANSPORT, "", "" },
		{ "400 Bad", FAILED, RSPSIM_CALL_TRANSPORT, "", "" },
	};
	struct rspsim_card *card;
	struct tree t;
	X509 *cert;

	(void)state;
	tree_init(&t, NID_X9_62_prime256v1);
	card = tree_card(&t);
	cert = tls_certificate(&t, "2.23.146.1.2.1.3", "DNS:smdp.test,RID:2.999.10", 9);
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct rspsim_call call;
		struct server s;
		json_t *answer;

		server_start(&s, &t, cert);
		s.status = row[i].status;
		s.body = row[i].body;
		call = call_at(card, (const char *[]){ s.where }, 1, &answer);
		server_stop(&s);
		assert_int_equal(call.outcome, row[i].want);
		assert_string_equal(call.subject, row[i].subject);
		assert_string_equal(call.reason, row[i].reason);
		json_decref(answer);
	}
	X509_free(cert);
	rspsim_card_free(card);
	tree_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_right_server_is_talked_to),
		cmocka_unit_test(a_card_finds_the_listener_of_its_ci),
		cmocka_unit_test(requests_are_those_of_an_lpa),
		cmocka_unit_test(asn1_has_its_own_path_and_media_type),
		cmocka_unit_test(answers_are_told_apart),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN); /* a client that refuses the server hangs up */
	curl_global_init(CURL_GLOBAL_DEFAULT);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("rspsim_es9", tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
