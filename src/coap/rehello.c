/*
 * A client that lost its memory and says hello again from the address and port of a session that lives (RFC 6347
 * §4.2.8): devices like to use one port for ever. libcoap hands its ClientHello to the old session, where OpenSSL
 * drops it, until the session has idled out. So we look at what a session receives, and when it is a plain
 * ClientHello we answer with a cookie ourselves. Only a client that receives at that address returns it; then
 * the old session ends, and the ClientHello that comes next makes a new one.
 *
 * The cookies are ours for all handshakes (libcoap's are known to it alone), so that the client's second hello
 * is good for the new session too. To learn for whom libcoap asks for a cookie we must know its BIO, which is why
 * this is done with the version of it that has been read, and with no other.
 */
#include <stdio.h>
#include <openssl/bio.h>
#include <openssl/hmac.h>
#include "base/log.h"
#include "base/secret.h"
#include "coap/int.h"
#include "stats/stats.h"

enum {
	COOKIE = 32,
	RECORD_HEAD = 13,
	MESSAGE_HEAD = 12,      /* RFC 6347 §4.3.1, §4.2.2 */
	BEFORE_SESSION_ID = 34, /* version and random of a ClientHello */
	CONTENT_HANDSHAKE = 22,
	CLIENT_HELLO = 1,
	HELLO_VERIFY_REQUEST = 3,
};

static const char read_version[] = "libcoap 4.3.1";

static void
cookie_make(const struct coap_listener *l, const coap_session_t *session, uint8_t out[COOKIE])
{
	const coap_address_t *a = coap_session_get_addr_remote(session);
	uint8_t who[18] = { 0 };
	unsigned n = COOKIE;

	if (a->addr.sa.sa_family == AF_INET6) {
		memcpy(who, &a->addr.sin6.sin6_addr, 16);
		memcpy(who + 16, &a->addr.sin6.sin6_port, 2);
	} else {
		memcpy(who, &a->addr.sin.sin_addr, 4);
		memcpy(who + 16, &a->addr.sin.sin_port, 2);
	}
	if (!HMAC(EVP_sha256(), l->cookie_key, sizeof l->cookie_key, who, sizeof who, out, &n))
		abort();
}

/* What libcoap's BIO begins with. */
static const coap_session_t *
session_of(SSL *ssl)
{
	return *(coap_session_t *const *)BIO_get_data(SSL_get_rbio(ssl));
}

static const struct coap_listener *
listener_of(const coap_session_t *session)
{
	return coap_get_app_data(coap_session_get_context(session));
}

static int
on_cookie_make(SSL *ssl, unsigned char *cookie, unsigned *n)
{
	const coap_session_t *session = session_of(ssl);

	cookie_make(listener_of(session), session, cookie);
	*n = COOKIE;
	return 1;
}

static int
on_cookie_check(SSL *ssl, const unsigned char *cookie, unsigned n)
{
	const coap_session_t *session = session_of(ssl);
	uint8_t right[COOKIE];

	cookie_make(listener_of(session), session, right);
	return secret_eq(slice_of(cookie, n), SLICE_ARRAY(right));
}

/* ---- on a session that lives ----------------------------------------------------------------------- */

/* The cookie in a datagram that is a ClientHello before any cipher; absent: it is something else. */
static struct slice
hello_read(struct slice d)
{
	static const uint8_t epoch_0[2];
	const uint8_t *p = d.p;
	size_t at = RECORD_HEAD + MESSAGE_HEAD + BEFORE_SESSION_ID;

	if (d.n <= at || p[0] != CONTENT_HANDSHAKE || memcmp(p + 3, epoch_0, 2) != 0 ||
		p[RECORD_HEAD] != CLIENT_HELLO)
		return SLICE_NONE;
	at += 1 + (size_t)p[at]; /* session id */
	if (at >= d.n || p[at] > d.n - at - 1)
		return SLICE_NONE;
	return slice_of(p + at + 1, p[at]);
}

/* HelloVerifyRequest (RFC 6347 §4.2.1), under the number of the record that it answers. */
static void
cookie_send(const struct peer *p, SSL *ssl, const uint8_t *hello)
{
	enum { BODY = 3 + COOKIE };
	uint8_t out[RECORD_HEAD + MESSAGE_HEAD + BODY] = { CONTENT_HANDSHAKE, 0xfe, 0xff };
	uint8_t *message = out + RECORD_HEAD, *body = message + MESSAGE_HEAD;

	memcpy(out + 5, hello + 5, 6);
	out[12] = MESSAGE_HEAD + BODY;
	message[0] = HELLO_VERIFY_REQUEST;
	message[3] = message[11] = BODY;
	body[0] = 0xfe;
	body[1] = 0xff;
	body[2] = COOKIE;
	cookie_make(p->listener, p->session, body + 3);
	BIO_write(SSL_get_wbio(ssl), out, sizeof out);
}

static void
look(struct peer *p, SSL *ssl, struct slice datagram)
{
	struct slice cookie = hello_read(datagram);
	uint8_t right[COOKIE];

	if (!cookie.p)
		return;
	cookie_make(p->listener, p->session, right);
	if (!secret_eq(cookie, SLICE_ARRAY(right))) {
		cookie_send(p, ssl, datagram.p);
		return;
	}
	stats_add(STATS_coap_returned);
	LOG(coap, INFO, "listener=%s peer=%s text=\"begins anew\"", p->listener->name, p->address);
	event_active(p->ending, EV_TIMEOUT, 0);
}

static long
on_bio(BIO *bio, int what, const char *octets, size_t n, int argi, long argl, int result,
	size_t *done)
{
	SSL *ssl = (SSL *)BIO_get_callback_arg(bio);
	struct peer *p = coap_peer_find(ssl);

	(void)n;
	(void)argi;
	(void)argl;
	if (what == (BIO_CB_READ | BIO_CB_RETURN) && result > 0 && p && done)
		look(p, ssl, slice_of(octets, *done));
	return result;
}

void
coap_rehello_watch(struct peer *p, SSL *ssl)
{
	if (strcmp(coap_package_version(), read_version) != 0)
		return;
	(void)p;
	BIO_set_callback_arg(SSL_get_rbio(ssl), (char *)ssl);
	BIO_set_callback_ex(SSL_get_rbio(ssl), on_bio);
}

void
coap_rehello_init(struct coap_listener *l)
{
	if (strcmp(coap_package_version(), read_version) != 0) {
		LOG(coap, NOTICE,
			"listener=%s library=\"%s\" text=\"not the version that knows of "
			"clients which begin anew\"",
			l->name, coap_package_version());
		return;
	}
	coap_set_app_data(l->context, l);
	SSL_CTX_set_cookie_generate_cb(l->ssl_context, on_cookie_make);
	SSL_CTX_set_cookie_verify_cb(l->ssl_context, on_cookie_check);
}
