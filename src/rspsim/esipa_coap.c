/*
 * ESipa over CoAP and DTLS (SGP.32 §6.2): libcoap as a client that waits, block-wise both ways
 * (RFC 7959), the path telling the binding and no Content-Format. The server is judged by
 * esipa_trust.c, as over HTTPS; a pre-shared key is for labs. libcoap
 * offers OpenSSL's own curves: P-256, not brainpool.
 */
#include <coap3/coap.h>
#include <netdb.h>
#include <stdlib.h>
#include "base/clock.h"
#include "rspsim/esipa.h"

enum { COAPS_PORT = 5684, PATIENCE = 120, TURN_MS = 1000, DEFAULT_MAX_AGE = 60 };

struct coap {
	const struct rspsim_esipa_options *options;
	coap_context_t *context;
	coap_session_t *session;
	coap_address_t at;
	struct rspsim_place server;
	SSL_SESSION *former;                     /* to be resumed */
	void (*note_tls)(const SSL *, int, int); /* libcoap's own */
	/* the exchange in hand */
	struct arena *mem;
	struct rspsim_exchange *x;
	bool over;
};

/* ---- what libcoap calls ------------------------------------------------------------------ */

static coap_response_t
take_answer(coap_session_t *session, const coap_pdu_t *sent, const coap_pdu_t *received,
	const coap_mid_t mid)
{
	struct coap *c = coap_get_app_data(coap_session_get_context(session));
	coap_pdu_code_t code = coap_pdu_get_code(received);
	coap_opt_iterator_t walk;
	const uint8_t *data;
	size_t n, offset, total;
	coap_opt_t *age;

	(void)sent;
	(void)mid;
	if (!c->x || c->over)
		return COAP_RESPONSE_OK;
	c->x->status = (long)COAP_RESPONSE_CLASS(code) * 100 + (code & 0x1f);
	if (coap_get_data_large(received, &n, &data, &offset, &total))
		c->x->answer = arena_copy(c->mem, slice_of(data, n));
	age = coap_check_option(received, COAP_OPTION_MAXAGE, &walk);
	c->x->retry_after = DEFAULT_MAX_AGE;
	if (age)
		c->x->retry_after =
			coap_decode_var_bytes(coap_opt_value(age), coap_opt_length(age));
	c->over = true;
	return COAP_RESPONSE_OK;
}

static void
give_up(coap_session_t *session, const coap_pdu_t *sent, const coap_nack_reason_t reason,
	const coap_mid_t mid)
{
	static const char *const words[] = {
		[COAP_NACK_TOO_MANY_RETRIES] = "no answer to any repetition",
		[COAP_NACK_NOT_DELIVERABLE] = "not deliverable",
		[COAP_NACK_RST] = "the server knows nothing of it (RST)",
		[COAP_NACK_TLS_FAILED] = "DTLS failed: the server is not trusted, or refuses",
		[COAP_NACK_ICMP_ISSUE] = "nobody listens there",
	};
	struct coap *c = coap_get_app_data(coap_session_get_context(session));
	size_t i = (size_t)reason;

	(void)sent;
	(void)mid;
	if (!c->x || c->over)
		return;
	snprintf(c->x->fault, sizeof c->x->fault, "%s",
		i < sizeof words / sizeof words[0] && words[i] ? words[i] : "CoAP failed");
	c->over = true;
}

/* A handshake that fails is told as an event, before or instead of a NACK. */
static int
note_event(coap_session_t *session, const coap_event_t event)
{
	struct coap *c = coap_get_app_data(coap_session_get_context(session));

	if (event == COAP_EVENT_DTLS_ERROR && c->x && !c->over) {
		snprintf(c->x->fault, sizeof c->x->fault,
			"DTLS failed: the server is not trusted, or refuses");
		c->over = true;
	}
	return 0;
}

/* ---- resumption ------------------------------------------------------------------------- */

/* Where a TLS context keeps whose it is. */
static int
owner_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

/*
 * libcoap makes a session and begins its handshake in one call; OpenSSL tells of the beginning before
 * the ClientHello is written, so that this is the moment to put the former session in.
 */
static void
note_tls(const SSL *ssl, int where, int value)
{
	const struct coap *c = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), owner_index());

	if (where & SSL_CB_HANDSHAKE_START && c->former && !SSL_get_session(ssl))
		SSL_set_session((SSL *)(uintptr_t)ssl, c->former);
	if (c->note_tls)
		c->note_tls(ssl, where, value);
}

/* Of the context that all sessions share, once. */
static void
watch_handshakes(struct coap *c, const SSL *ssl)
{
	SSL_CTX *context = SSL_get_SSL_CTX(ssl);

	if (SSL_CTX_get_ex_data(context, owner_index()))
		return;
	SSL_CTX_set_ex_data(context, owner_index(), c);
	c->note_tls = SSL_CTX_get_info_callback(context);
	SSL_CTX_set_info_callback(context, note_tls);
}

static void
keep_session(struct coap *c)
{
	coap_tls_library_t library;
	SSL *ssl = coap_session_get_tls(c->session, &library);
	SSL_SESSION *now = ssl ? SSL_get1_session(ssl) : NULL;

	if (!now || !SSL_SESSION_is_resumable(now)) {
		SSL_SESSION_free(now);
		return;
	}
	SSL_SESSION_free(c->former);
	c->former = now;
}

/* ---- sessions ---------------------------------------------------------------------------- */

static bool
resolve(struct coap *c, const char **wrong)
{
	const struct rspsim_esipa_options *o = c->options;
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found = NULL;
	struct rspsim_place to;
	char port[8];

	if (!rspsim_place_read(o->server, COAPS_PORT, &c->server) ||
		!rspsim_place_read(o->connect ? o->connect : o->server, COAPS_PORT, &to)) {
		*wrong = "the eIM's name cannot be read";
		return false;
	}
	snprintf(port, sizeof port, "%u", to.port);
	if (getaddrinfo(to.host, port, &hints, &found) != 0) {
		*wrong = "the eIM's name has no address";
		return false;
	}
	coap_address_init(&c->at);
	c->at.size = found->ai_addrlen;
	memcpy(&c->at.addr, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return true;
}

static coap_session_t *
open_session(struct coap *c)
{
	const struct rspsim_esipa_options *o = c->options;
	coap_dtls_pki_t pki = { .version = COAP_DTLS_PKI_SETUP_VERSION,
		.verify_peer_cert = 1,
		.allow_self_signed = 1,
		.client_sni = c->server.host,
		.pki_key = { .key_type = COAP_PKI_KEY_PEM } };
	coap_dtls_cpsk_t psk = { .version = COAP_DTLS_CPSK_SETUP_VERSION,
		.client_sni = c->server.host };

	coap_tls_library_t library;
	coap_session_t *session;
	SSL *ssl;

	if (!o->psk_identity) {
		session = coap_new_client_session_pki(
			c->context, NULL, &c->at, COAP_PROTO_DTLS, &pki);
		/* its ClientHello is under way, what the server shows comes later: here is the moment */
		ssl = session ? coap_session_get_tls(session, &library) : NULL;
		if (ssl && o->connections == RSPSIM_RESUME)
			watch_handshakes(c, ssl);
		if (ssl && rspsim_trust_apply_ssl(&o->trust, ssl))
			return session;
		coap_session_release(session);
		return NULL;
	}
	psk.psk_info.identity.s = (const uint8_t *)o->psk_identity;
	psk.psk_info.identity.length = strlen(o->psk_identity);
	psk.psk_info.key.s = o->psk_key.p;
	psk.psk_info.key.length = o->psk_key.n;
	return coap_new_client_session_psk2(c->context, NULL, &c->at, COAP_PROTO_DTLS, &psk);
}

static void
close_session(struct coap *c)
{
	if (!c->session)
		return;
	if (c->options->connections == RSPSIM_RESUME)
		keep_session(c);
	coap_session_release(c->session);
	c->session = NULL;
}

static void *
start(const struct rspsim_esipa_options *options, const char **wrong)
{
	struct coap *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	c->options = options;
	coap_startup();
	coap_set_log_level(LOG_EMERG);
	coap_dtls_set_log_level(LOG_EMERG);
	if (options->lose) {
		char share[16];

		snprintf(share, sizeof share, "%u%%", options->lose);
		coap_debug_set_packet_loss(share);
	}
	if (!resolve(c, wrong)) {
		free(c);
		return NULL;
	}
	c->context = coap_new_context(NULL);
	if (!c->context)
		abort();
	coap_set_app_data(c->context, c);
	coap_context_set_block_mode(c->context, COAP_BLOCK_USE_LIBCOAP | COAP_BLOCK_SINGLE_BODY);
	coap_register_response_handler(c->context, take_answer);
	coap_register_nack_handler(c->context, give_up);
	coap_register_event_handler(c->context, note_event);
	return c;
}

static void
stop(void *carrier)
{
	struct coap *c = carrier;

	close_session(c);
	coap_free_context(c->context);
	SSL_SESSION_free(c->former);
	free(c);
}

/* ---- an exchange ------------------------------------------------------------------------- */

static void
put_path(coap_pdu_t *pdu, const char *path)
{
	while (*path) {
		size_t n;

		path += *path == '/';
		n = strcspn(path, "/");
		coap_add_option(pdu, COAP_OPTION_URI_PATH, n, (const uint8_t *)path);
		path += n;
	}
}

static bool
send_request(struct coap *c, const struct rspsim_exchange *x)
{
	coap_pdu_t *pdu = coap_new_pdu(COAP_MESSAGE_CON, COAP_REQUEST_CODE_POST, c->session);
	uint8_t token[8];
	size_t n;

	if (!pdu)
		return false;
	coap_session_new_token(c->session, &n, token);
	coap_add_token(pdu, n, token);
	put_path(pdu, x->path);
	if (!coap_add_data_large_request(c->session, pdu, x->body.n, x->body.p, NULL, NULL)) {
		coap_delete_pdu(pdu);
		return false;
	}
	return coap_send(c->session, pdu) != COAP_INVALID_MID;
}

static void
post(void *carrier, struct arena *mem, struct rspsim_exchange *x)
{
	struct coap *c = carrier;
	unsigned patience = c->options->patience ? c->options->patience : PATIENCE;
	int64_t until = clock_mono_us() + patience * INT64_C(1000000);

	c->mem = mem;
	c->x = x;
	c->over = false;
	if (!c->session)
		c->session = open_session(c);
	if (!c->session || !send_request(c, x)) {
		if (!x->fault[0])
			snprintf(x->fault, sizeof x->fault, "the request could not be sent");
		c->over = true;
	}
	while (!c->over && clock_mono_us() < until)
		if (coap_io_process(c->context, TURN_MS) < 0)
			break;
	if (!c->over)
		snprintf(x->fault, sizeof x->fault, "no answer in time");
	c->x = NULL;
	/* a session that failed may be one that the server has forgotten */
	if (c->options->connections != RSPSIM_KEEP || !x->status)
		close_session(c);
}

const struct rspsim_carrier rspsim_carrier_coap = { start, post, stop };
