/*
 * ESipa's transports against small servers: CoAP over DTLS block-wise both ways and under loss, what
 * statuses mean, and whom the IPA takes for its eIM. The servers are processes of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>
#include <cmocka.h>
#pragma GCC diagnostic ignored "-Wunused-function"
#include <coap3/coap.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "rspsim_eim.h"
#include "rspsim/esipa.h"

enum { BIG = 40000, REQUEST = 20000 };

static struct eim eim;
static char folder[] = "/tmp/rspsim-esipa-XXXXXX";
static uint16_t port;
static pid_t child;
static X509 *certificate;
static EVP_PKEY *tls_key;

static const char *
path(const char *name)
{
	static char text[2][200], which;

	which ^= 1;
	snprintf(text[(int)which], sizeof text[0], "%s/%s", folder, name);
	return text[(int)which];
}

/* ---- the server -------------------------------------------------------------------------- */

static unsigned busy; /* so many calls are answered 5.03 */

/* By the first octet of what is asked; the answer of all others is as large as a package. */
static void
answer(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
	const coap_string_t *query, coap_pdu_t *response)
{
	static uint8_t big[BIG];
	const uint8_t *data = NULL;
	size_t n = 0, offset, total;
	coap_opt_iterator_t walk;

	coap_get_data_large(request, &n, &data, &offset, &total);
	memcpy(big, "\xbf\x4f\x82\x9c\x3b\x04\x82\x9c\x37", 9);
	if (n && data[0] == 0xbf && data[1] == 0x3d) {
		coap_pdu_set_code(response, COAP_RESPONSE_CODE_CHANGED);
	} else if (coap_check_option(request, COAP_OPTION_CONTENT_FORMAT, &walk)) {
		coap_pdu_set_code(response, COAP_RESPONSE_CODE_UNSUPPORTED_CONTENT_FORMAT);
	} else if (n == 3) { /* BF4F00 */
		coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTENT);
		coap_add_data(response, 6, (const uint8_t *)"\xbf\x4f\x03\x02\x01\x01");
	} else if (n == 4) {
		coap_pdu_set_code(response, COAP_RESPONSE_CODE_BAD_REQUEST);
	} else if (busy++ == 0) {
		uint8_t second = 1;

		coap_pdu_set_code(response, COAP_RESPONSE_CODE_SERVICE_UNAVAILABLE);
		coap_add_option(response, COAP_OPTION_MAXAGE, 1, &second);
	} else {
		big[BIG - 1] = n == REQUEST && data[REQUEST - 1] == 0x77 ? 0x55 : 0;
		coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTENT);
		coap_add_data_large_response(resource, session, request, response, query,
			COAP_MEDIATYPE_APPLICATION_OCTET_STREAM, -1, 0, BIG, big, NULL, NULL);
	}
}

static void
serve_coap(int told)
{
	coap_context_t *context = coap_new_context(NULL);
	coap_resource_t *resource;
	coap_address_t at;
	coap_endpoint_t *endpoint;
	coap_dtls_pki_t pki = { .version = COAP_DTLS_PKI_SETUP_VERSION,
		.pki_key = { .key_type = COAP_PKI_KEY_PEM,
			.key.pem = { .public_cert = path("cert.pem"),
				.private_key = path("key.pem") } } };

	coap_set_log_level(LOG_EMERG);
	coap_dtls_set_log_level(LOG_EMERG);
	coap_context_set_block_mode(context, COAP_BLOCK_USE_LIBCOAP | COAP_BLOCK_SINGLE_BODY);
	coap_context_set_pki(context, &pki);
	coap_context_set_psk(context, "", (const uint8_t *)"0123456789abcdef", 16);
	coap_address_init(&at);
	at.addr.sin.sin_family = AF_INET;
	at.addr.sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.size = sizeof at.addr.sin;
	for (port = (uint16_t)(20000 + getpid() % 20000);; port++) {
		at.addr.sin.sin_port = htons(port);
		endpoint = coap_new_endpoint(context, &at, COAP_PROTO_DTLS);
		if (endpoint)
			break;
	}
	resource = coap_resource_init(coap_new_str_const((const uint8_t *)"gsma/rsp2/asn1", 14),
		COAP_RESOURCE_FLAGS_RELEASE_URI);
	coap_register_handler(resource, COAP_REQUEST_POST, answer);
	coap_add_resource(context, resource);
	if (write(told, &port, sizeof port) != sizeof port)
		_exit(1);
	while (getppid() != 1 && coap_io_process(context, 1000) >= 0)
		;
	_exit(0);
}

static void
write_pem(const char *name, X509 *cert, EVP_PKEY *key)
{
	FILE *f = fopen(path(name), "w");

	assert_non_null(f);
	if (cert)
		PEM_write_X509(f, cert);
	else
		PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
}

/* A TLS certificate of the eIM below the CI, and a server that shows it. */
static int
setup(void **state)
{
	static const struct rspsim_cert_form form = { .subject = { { "CN", "eim.example.com" } },
		.extensions = { { "authorityKeyIdentifier", "keyid" },
			{ "subjectAltName", "DNS:eim.example.com" } },
		.serial = 77,
		.days = 30 };
	int pipes[2];

	(void)state;
	eim_init(&eim);
	tls_key = rspsim_key_new(NID_X9_62_prime256v1);
	certificate = rspsim_cert_issue(&form, tls_key, eim.server.ci, eim.server.ci_key);
	if (!certificate || !mkdtemp(folder) || pipe(pipes) != 0)
		return -1;
	write_pem("cert.pem", certificate, NULL);
	write_pem("key.pem", NULL, tls_key);
	write_pem("ca.pem", eim.server.ci, NULL);
	child = fork();
	if (child == 0)
		serve_coap(pipes[1]);
	return read(pipes[0], &port, sizeof port) == sizeof port ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	remove(path("cert.pem"));
	remove(path("key.pem"));
	remove(path("ca.pem"));
	X509_free(certificate);
	EVP_PKEY_free(tls_key);
	eim_fini(&eim);
	return rmdir(folder);
}

/* ---- the IPA ----------------------------------------------------------------------------- */

static char connect_to[32];

static struct rspsim_esipa_options
coap_options(void)
{
	struct rspsim_esipa_options o = { .transport = RSPSIM_COAP, .server = "eim.example.com" };

	snprintf(connect_to, sizeof connect_to, "127.0.0.1:%u", port);
	o.connect = connect_to;
	snprintf(o.trust.name, sizeof o.trust.name, "eim.example.com");
	o.trust.ca_file = arena_string(&eim.server.mem, slice_text(path("ca.pem")));
	return o;
}

static struct slice
post(struct rspsim_esipa *esipa, enum rspsim_esipa_function function, struct slice request,
	struct rspsim_call *call)
{
	struct slice got;

	rspsim_esipa_post(esipa, &eim.server.mem, function, request, call, &got);
	return got;
}

static enum rspsim_call_outcome
poll_once(const struct rspsim_esipa_options *o)
{
	const char *wrong = NULL;
	struct rspsim_esipa *esipa = rspsim_esipa_new(o, &wrong);
	struct rspsim_call call;
	struct slice got;

	assert_non_null(esipa);
	got = post(esipa, RSPSIM_ESIPA_GET_PACKAGE, SLICE_LIT("\xbf\x4f\x00"), &call);
	if (call.outcome == RSPSIM_CALL_FINE)
		assert_hex(&eim, got, "bf4f03020101");
	rspsim_esipa_free(esipa);
	return call.outcome;
}

static void
large_messages_go_in_blocks(void **state)
{
	struct rspsim_esipa_options o = coap_options();
	const char *wrong = NULL;
	struct rspsim_esipa *esipa = rspsim_esipa_new(&o, &wrong);
	uint8_t *request = arena_alloc(&eim.server.mem, REQUEST);
	struct rspsim_call call;
	struct slice got;

	(void)state;
	request[REQUEST - 1] = 0x77;
	got = post(esipa, RSPSIM_ESIPA_GET_PACKAGE, slice_of(request, REQUEST), &call);
	assert_int_equal(call.outcome, RSPSIM_CALL_FINE); /* after a 5.03 */
	assert_int_equal(call.http, 205);
	assert_int_equal(got.n, BIG);
	assert_int_equal(got.p[BIG - 1], 0x55);
	/* the session lives on */
	got = post(esipa, RSPSIM_ESIPA_GET_PACKAGE, SLICE_LIT("\xbf\x4f\x00"), &call);
	assert_hex(&eim, got, "bf4f03020101");
	got = post(esipa, RSPSIM_ESIPA_NOTIFY, SLICE_LIT("\xbf\x3d\x00"), &call);
	assert_int_equal(call.outcome, RSPSIM_CALL_FINE);
	assert_int_equal(got.n, 0);
	post(esipa, RSPSIM_ESIPA_PROVIDE, SLICE_LIT("\xbf\x50\x01\x00"), &call);
	assert_int_equal(call.outcome, RSPSIM_CALL_TRANSPORT);
	assert_string_equal(call.message, "status 400");
	/* an answer of another function */
	post(esipa, RSPSIM_ESIPA_PROVIDE, SLICE_LIT("\xbf\x50\x00"), &call);
	assert_int_equal(call.outcome, RSPSIM_CALL_TRANSPORT);
	rspsim_esipa_free(esipa);
}

static void
lost_datagrams_come_again(void **state)
{
	struct rspsim_esipa_options o = coap_options();
	uint8_t *request = arena_alloc(&eim.server.mem, REQUEST);
	const char *wrong = NULL;
	struct rspsim_esipa *esipa;
	struct rspsim_call call;

	(void)state;
	esipa = rspsim_esipa_new(&o, &wrong);
	post(esipa, RSPSIM_ESIPA_GET_PACKAGE, SLICE_LIT("\xbf\x4f\x00"), &call);
	coap_debug_set_packet_loss("5%");
	request[REQUEST - 1] = 0x77;
	post(esipa, RSPSIM_ESIPA_GET_PACKAGE, slice_of(request, REQUEST), &call);
	coap_debug_set_packet_loss("0%");
	assert_int_equal(call.outcome, RSPSIM_CALL_FINE);
	rspsim_esipa_free(esipa);
}

static void
each_call_may_have_its_session(void **state)
{
	struct rspsim_esipa_options o = coap_options();
	const char *wrong = NULL;
	struct rspsim_esipa *esipa;
	struct rspsim_call call;

	(void)state;
	for (int kind = RSPSIM_NEW; kind <= RSPSIM_RESUME; kind++) {
		o.connections = (enum rspsim_connections)kind;
		esipa = rspsim_esipa_new(&o, &wrong);
		for (int i = 0; i < 3; i++) {
			post(esipa, RSPSIM_ESIPA_GET_PACKAGE, SLICE_LIT("\xbf\x4f\x00"), &call);
			assert_int_equal(call.outcome, RSPSIM_CALL_FINE);
		}
		rspsim_esipa_free(esipa);
	}
}

static struct rspsim_public
public_key(EVP_PKEY *key)
{
	uint8_t *p = NULL;
	int n = i2d_PUBKEY(key, &p);
	struct slice der = arena_copy(&eim.server.mem, slice_of(p, (size_t)n));

	OPENSSL_free(p);
	return (struct rspsim_public){ RSPSIM_PUBLIC_KEY, der };
}

static struct rspsim_public
public_certificate(X509 *cert)
{
	return (struct rspsim_public){ RSPSIM_PUBLIC_CERTIFICATE,
		rspsim_cert_der(&eim.server.mem, cert) };
}

/* Who is pinned needs no name; who stands below a CA does. */
static void
the_eim_is_known_by_what_was_pinned(void **state)
{
	struct rspsim_esipa_options o = coap_options();

	(void)state;
	assert_int_equal(poll_once(&o), RSPSIM_CALL_FINE);
	snprintf(o.trust.name, sizeof o.trust.name, "somebody-else.example.com");
	assert_int_equal(poll_once(&o), RSPSIM_CALL_TRANSPORT);
	o.trust.ca_file = NULL;
	o.trust.pinned = public_key(tls_key);
	assert_int_equal(poll_once(&o), RSPSIM_CALL_FINE);
	o.trust.pinned = public_certificate(certificate);
	assert_int_equal(poll_once(&o), RSPSIM_CALL_FINE);
	o.trust.pinned = public_certificate(eim.server.ci);
	assert_int_equal(poll_once(&o), RSPSIM_CALL_TRANSPORT);
	snprintf(o.trust.name, sizeof o.trust.name, "eim.example.com");
	assert_int_equal(poll_once(&o), RSPSIM_CALL_FINE);
	o.trust.pinned = public_key(eim.key);
	assert_int_equal(poll_once(&o), RSPSIM_CALL_TRANSPORT);
	o.trust.pinned = public_certificate(eim.server.eum);
	assert_int_equal(poll_once(&o), RSPSIM_CALL_TRANSPORT);
	o.trust.pinned.kind = RSPSIM_PUBLIC_NONE;
	assert_int_equal(poll_once(&o), RSPSIM_CALL_TRANSPORT); /* nobody is trusted */
	o.trust.anybody = true;
	assert_int_equal(poll_once(&o), RSPSIM_CALL_FINE);
}

static void
a_pre_shared_key_is_for_labs(void **state)
{
	struct rspsim_esipa_options o = coap_options();

	(void)state;
	o.psk_identity = "device";
	o.psk_key = SLICE_LIT("0123456789abcdef");
	assert_int_equal(poll_once(&o), RSPSIM_CALL_FINE);
	o.psk_key = SLICE_LIT("0123456789abcdeX");
	o.patience = 2; /* the server is silent then, as it should be */
	assert_int_equal(poll_once(&o), RSPSIM_CALL_TRANSPORT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_messages_go_in_blocks),
		cmocka_unit_test(lost_datagrams_come_again),
		cmocka_unit_test(each_call_may_have_its_session),
		cmocka_unit_test(the_eim_is_known_by_what_was_pinned),
		cmocka_unit_test(a_pre_shared_key_is_for_labs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspsim_esipa", tests, setup, teardown);
}
