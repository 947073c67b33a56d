/*
 * The least that answering over DTLS must cost with libcoap on this machine: a bare server of it that reads in
 * batches and answers a fixed body, "no package for you" of GetEimPackage (SGP.32 §5.14.5). No eIM, no database.
 *
 *   coap_floor CERTIFICATE KEY PORT      PEM files; serves on the loopback until it is killed; prints "ready"
 */
#include <arpa/inet.h>
#include <coap3/coap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { BATCH = 64, SESSIONS = 1000000 };

static void
must(bool fine, const char *what)
{
	if (!fine) {
		fprintf(stderr, "coap_floor: %s\n", what);
		exit(70);
	}
}

static void
on_request(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
	const coap_string_t *query, coap_pdu_t *response)
{
	static const uint8_t nothing[] = { 0xbf, 0x4f, 0x03, 0x02, 0x01, 0x01 };

	(void)resource;
	(void)session;
	(void)request;
	(void)query;
	coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTENT);
	coap_add_data(response, sizeof nothing, nothing);
}

static coap_context_t *
make_server(const char *certificate, const char *key, unsigned port)
{
	coap_dtls_pki_t pki = { .version = COAP_DTLS_PKI_SETUP_VERSION,
		.pki_key = { .key_type = COAP_PKI_KEY_PEM,
			.key.pem = { .public_cert = certificate, .private_key = key } } };
	coap_context_t *context = coap_new_context(NULL);
	coap_resource_t *all = coap_resource_unknown_init(on_request);
	coap_address_t address;

	coap_address_init(&address);
	address.addr.sin.sin_family = AF_INET;
	address.addr.sin.sin_port = htons((uint16_t)port);
	address.addr.sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.size = sizeof address.addr.sin;
	must(context && all, "no memory");
	coap_context_set_block_mode(context, 0);
	coap_context_set_max_handshake_sessions(context, SESSIONS);
	coap_context_set_session_timeout(context, 86400);
	coap_register_request_handler(all, COAP_REQUEST_POST, on_request);
	coap_add_resource(context, all);
	must(coap_context_set_pki(context, &pki), "the certificate or the key cannot be used");
	must(coap_new_endpoint(context, &address, COAP_PROTO_DTLS), "the port cannot be used");
	return context;
}

/* libcoap walks over all its sessions after each array of events: so the endpoint's stands there many times. */
static void
serve(coap_context_t *context)
{
	struct epoll_event ready[4], batch[BATCH + 4];

	for (;;) {
		int n = epoll_wait(coap_context_get_coap_fd(context), ready, 4, -1);
		size_t batch_n = 0;

		for (int i = 0; i < n; i++)
			for (int times = ready[i].data.ptr ? BATCH : 1; times; times--)
				if (batch_n < BATCH + 4)
					batch[batch_n++] = ready[i];
		coap_io_do_epoll(context, batch, batch_n);
	}
}

int
main(int argc, char **argv)
{
	coap_context_t *context;

	must(argc == 4, "usage: coap_floor CERTIFICATE KEY PORT");
	coap_startup();
	coap_set_log_level(0);
	context = make_server(argv[1], argv[2], (unsigned)atoi(argv[3]));
	puts("ready");
	fflush(stdout);
	serve(context);
	return 0;
}
