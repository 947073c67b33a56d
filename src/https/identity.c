/*
 * A listener's certificate, key and TLS settings. Everything is loaded and checked before it is used:
 * a reload that fails leaves the former identity in place.
 *
 * TLS as SGP.22 §2.6.6 and RULES 1.6 want it: versions 1.2 and 1.3; P-256 and brainpoolP256r1 for key
 * agreement, P-256 first because the other costs fifteen times as much; http/1.1 as the only ALPN answer,
 * since some clients break over HTTP/2. OpenSSL 3.0 has no brainpool in TLS 1.3, so a brainpool
 * certificate negotiates 1.2 by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <openssl/x509v3.h>
#include "base/log.h"
#include "https/int.h"
#include "tls/tls.h"

enum { CLIENT_CHAIN_MOST = 16 * 1024 }; /* octets of a client's certificates */

/* The two suites of SGP.22 §2.6.6 for TLS 1.2, among others of their strength. */
static const char suites[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
			     "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA256:"
			     "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"
			     "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";
/* Those of TLS 1.3, as strong as the certificate's key first: the rest costs a handshake a tenth more. */
static const char suites_1_3[] =
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static char groups[] = "P-256:brainpoolP256r1:X25519"; /* OpenSSL's macro wants no const */

static int
select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_n,
	const unsigned char *offered, unsigned offered_n, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_n, ours, sizeof ours - 1, offered, offered_n) !=
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool
set_up(SSL_CTX *context, const struct https_identity_settings *s)
{
	size_t n = strlen(s->name);

	SSL_CTX_set_options(context,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
			SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* Chains are as the file gives them: looking for issuers costs each handshake a path check. */
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_read_ahead(context, 1); /* connection.c sees to what was read ahead */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context, 1);
	SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
	SSL_CTX_set_client_hello_cb(context, https_connection_hello, NULL);
	SSL_CTX_set_info_callback(context, https_connection_info);
	return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
		SSL_CTX_set_cipher_list(context, suites) &&
		SSL_CTX_set_ciphersuites(context, suites_1_3) &&
		SSL_CTX_set1_groups_list(context, groups) &&
		SSL_CTX_set_session_id_context(context, (const unsigned char *)s->name,
			n < SSL_MAX_SID_CTX_LENGTH ? (unsigned)n : SSL_MAX_SID_CTX_LENGTH) &&
		tls_ticket_init(context, s->ticket_secret, s->former_ticket_secret);
}

/* Who the client is decides the handler, for each request: here it only proves that it has the key. */
static int
accept_any(X509_STORE_CTX *check, void *arg)
{
	(void)arg;
	X509_STORE_CTX_set_error(check, X509_V_OK);
	return 1;
}

static void
ask_client(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(context, accept_any, NULL);
	SSL_CTX_set_max_cert_list(context, CLIENT_CHAIN_MOST);
	/* A ticket holds the client's certificate, but not what leads to its CA. */
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(context, 0);
}

/* What does not stop a listener, but what its clients will complain about. */
static void
warn(SSL_CTX *context, const struct https_identity_settings *s)
{
	X509 *leaf = SSL_CTX_get0_certificate(context);

	if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
		LOG(https, WARNING, "listener=%s certificate=%s text=\"is not valid yet\"", s->name,
			s->certificate);
	if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
		LOG(https, WARNING, "listener=%s certificate=%s text=\"has expired\"", s->name,
			s->certificate);
	for (unsigned i = 0; i < s->name_n; i++)
		if (X509_check_host(leaf, s->names[i], strlen(s->names[i]), 0, NULL) != 1)
			LOG(https, WARNING,
				"listener=%s certificate=%s text=\"does not bear the name %s\"",
				s->name, s->certificate, s->names[i]);
}

struct https_identity *
https_identity_new(const struct https_identity_settings *s, char why[HTTPS_WHY])
{
	struct https_identity *id = calloc(1, sizeof *id);

	if (!id)
		abort();
	id->context = SSL_CTX_new(TLS_server_method());
	if (!id->context || !set_up(id->context, s)) {
		snprintf(why, HTTPS_WHY, "TLS cannot be set up: %s", tls_last_error());
		https_identity_free(id);
		return NULL;
	}
	if (s->ask_client)
		ask_client(id->context);
	if (!tls_certificate_load(id->context, s->certificate, s->key, why)) {
		https_identity_free(id);
		return NULL;
	}
	warn(id->context, s);
	return id;
}

void
https_identity_free(struct https_identity *id)
{
	if (!id)
		return;
	SSL_CTX_free(id->context);
	free(id);
}
