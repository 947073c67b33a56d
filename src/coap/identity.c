/*
 * What a listener shows to its clients: a certificate, or keys that both sides know (laboratories only, and
 * never one that is built in). Everything is loaded and checked before it is used: a reload that fails leaves
 * the former identity in place.
 *
 * DTLS 1.2 is what OpenSSL 3.0 speaks. Suites for constrained devices stand beside those of TLS: RFC 7252 §9.1
 * makes CCM_8 the one that every CoAP client knows. A certificate is proved with P-256 or brainpoolP256r1.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/log.h"
#include "coap/int.h"
#include "tls/tls.h"

enum {
	PSK_IDENTITY_MOST = 63, /* octets; libcoap knows no longer ones */
	PSK_LEAST = 16,
	PSK_MOST = 64, /* octets of a key */
	PSK_LINES = 100000,
	FRAGMENT = 2048, /* octets of a record that we send: more never fits into a datagram */
};

struct psk {
	char identity[PSK_IDENTITY_MOST + 1];
	uint8_t key[PSK_MOST];
	size_t n;
};

#define CERTIFICATE_SUITES                                                                     \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-CCM:"        \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-CCM8:ECDHE-ECDSA-AES256-CCM:"        \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"
#define PSK_SUITES                                                                    \
	"PSK-AES128-GCM-SHA256:PSK-AES128-CCM8:PSK-AES128-CCM:PSK-AES256-GCM-SHA384:" \
	"PSK-AES128-CBC-SHA256:ECDHE-PSK-AES128-CBC-SHA256:ECDHE-PSK-CHACHA20-POLY1305"
static const char certificate_suites[] = CERTIFICATE_SUITES;
static const char psk_suites[] = PSK_SUITES;
static const char all_suites[] = CERTIFICATE_SUITES ":" PSK_SUITES;
static char groups[] = "P-256:brainpoolP256r1:X25519"; /* OpenSSL's macro wants no const */

/* ---- keys that both sides know --------------------------------------------------------------------- */

static bool
unhex(const char *hex, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned octet;

		if (!isxdigit((unsigned char)hex[2 * i]) ||
			!isxdigit((unsigned char)hex[2 * i + 1]) ||
			sscanf(hex + 2 * i, "%2x", &octet) != 1)
			return false;
		out[i] = (uint8_t)octet;
	}
	return true;
}

/* "identity:hexadecimal key" without its line end. What is wrong, or NULL. */
static const char *
psk_read(struct psk *k, char *line)
{
	char *colon = strrchr(line, ':');
	size_t digits = colon ? strlen(colon + 1) : 0;

	if (!colon)
		return "is not \"identity:hexadecimal key\"";
	if (colon == line || colon - line > PSK_IDENTITY_MOST)
		return "has an identity of none or of more than 63 characters";
	if (digits < 2 * PSK_LEAST || digits > 2 * PSK_MOST || digits % 2)
		return "has a key of less than 16 or more than 64 octets";
	k->n = digits / 2;
	if (!unhex(colon + 1, k->key, k->n))
		return "has a key that is not hexadecimal";
	memcpy(k->identity, line, (size_t)(colon - line));
	return NULL;
}

static struct psk *
psk_add(struct coap_identity *id)
{
	struct psk *more = calloc(id->psk_n + 1, sizeof *more);

	if (!more)
		abort();
	if (id->psk_n) {
		memcpy(more, id->psks, id->psk_n * sizeof *more);
		explicit_bzero(id->psks, id->psk_n * sizeof *more);
	}
	free(id->psks);
	id->psks = more;
	return &more[id->psk_n++];
}

static bool
psk_lines_read(struct coap_identity *id, FILE *f, const char *path, char why[COAP_WHY])
{
	char line[PSK_IDENTITY_MOST + 2 * PSK_MOST + 8];
	const char *wrong = NULL;
	unsigned n = 0;

	while (!wrong && fgets(line, sizeof line, f) && n++ < PSK_LINES) {
		line[strcspn(line, "\r\n")] = 0;
		if (!*line || *line == '#')
			continue;
		wrong = psk_read(psk_add(id), line);
	}
	explicit_bzero(line, sizeof line);
	if (wrong)
		snprintf(why, COAP_WHY, "psk_file %s: line %u %s", path, n, wrong);
	else if (!id->psk_n)
		snprintf(why, COAP_WHY, "psk_file %s holds no key", path);
	return !wrong && id->psk_n;
}

static bool
psk_file_read(struct coap_identity *id, const char *path, char why[COAP_WHY])
{
	const char *wrong = NULL;
	FILE *f = fopen(path, "re");
	struct stat file;
	bool ok = false;

	if (!f || fstat(fileno(f), &file) < 0)
		wrong = strerror(errno);
	else if (!S_ISREG(file.st_mode))
		wrong = "it is not a regular file";
	else if (file.st_mode & (S_IROTH | S_IWOTH))
		wrong = "it is open to all users: chmod o-rw it";
	if (wrong)
		snprintf(why, COAP_WHY, "psk_file %s cannot be used: %s", path, wrong);
	else
		ok = psk_lines_read(id, f, path, why);
	if (f)
		fclose(f);
	return ok;
}

struct slice
coap_identity_psk_find(const struct coap_identity *id, struct slice identity)
{
	for (size_t i = 0; i < id->psk_n; i++)
		if (slice_eq(slice_text(id->psks[i].identity), identity))
			return slice_of(id->psks[i].key, id->psks[i].n);
	return SLICE_NONE;
}

/* ---- the identity ---------------------------------------------------------------------------------- */

static bool
certificate_read(
	struct coap_identity *id, const struct coap_identity_settings *s, char why[COAP_WHY])
{
	X509 *leaf;
	int type;

	if (!tls_certificate_load(id->context, s->certificate, s->key, why))
		return false;
	leaf = SSL_CTX_get0_certificate(id->context);
	type = EVP_PKEY_get_base_id(X509_get0_pubkey(leaf));
	if (type != EVP_PKEY_EC && type != EVP_PKEY_RSA) {
		snprintf(why, COAP_WHY, "certificate %s: its key is neither EC nor RSA",
			s->certificate);
		return false;
	}
	if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
		LOG(coap, WARNING, "listener=%s certificate=%s text=\"is not valid yet\"", s->name,
			s->certificate);
	if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
		LOG(coap, WARNING, "listener=%s certificate=%s text=\"has expired\"", s->name,
			s->certificate);
	id->has_certificate = true;
	return true;
}

static void
secret_keep(uint8_t out[32], bool *has, struct slice secret)
{
	*has = secret.p && secret.n == 32;
	if (*has)
		memcpy(out, secret.p, 32);
}

struct coap_identity *
coap_identity_new(const struct coap_identity_settings *s, char why[COAP_WHY])
{
	struct coap_identity *id = calloc(1, sizeof *id);
	bool ok = false;

	if (!id)
		abort();
	id->context = SSL_CTX_new(DTLS_method());
	if (!id->context)
		snprintf(why, COAP_WHY, "DTLS cannot be set up: %s", tls_last_error());
	else if (!s->certificate != !s->key)
		snprintf(why, COAP_WHY, "[coap %s]: certificate and key go together", s->name);
	else if (!s->certificate && !s->psk_file)
		snprintf(why, COAP_WHY, "[coap %s] has neither a certificate nor a psk_file",
			s->name);
	else
		ok = (!s->certificate || certificate_read(id, s, why)) &&
			(!s->psk_file || psk_file_read(id, s->psk_file, why));
	secret_keep(id->ticket_secret, &id->has_ticket_secret, s->ticket_secret);
	secret_keep(id->former_ticket_secret, &id->has_former, s->former_ticket_secret);
	if (ok)
		return id;
	coap_identity_free(id);
	return NULL;
}

void
coap_identity_free(struct coap_identity *id)
{
	if (!id)
		return;
	SSL_CTX_free(id->context);
	if (id->psks)
		explicit_bzero(id->psks, id->psk_n * sizeof *id->psks);
	free(id->psks);
	explicit_bzero(id, sizeof *id);
	free(id);
}

/* ---- in use ---------------------------------------------------------------------------------------- */

bool
coap_identity_prepare(const struct coap_identity *id, SSL_CTX *context)
{
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
	/* Sessions are in their tickets, and nowhere else. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	return SSL_CTX_set_max_send_fragment(context, FRAGMENT) &&
		SSL_CTX_set_cipher_list(context, certificate_suites) &&
		SSL_CTX_set1_groups_list(context, groups) &&
		(!id->has_ticket_secret ||
			tls_ticket_init(context, SLICE_ARRAY(id->ticket_secret),
				id->has_former ? SLICE_ARRAY(id->former_ticket_secret)
					       : SLICE_NONE));
}

static bool
certificate_put(const struct coap_identity *id, SSL *ssl)
{
	STACK_OF(X509) *chain = NULL;

	SSL_CTX_get0_chain_certs(id->context, &chain);
	return SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(id->context),
		       SSL_CTX_get0_privatekey(id->context), chain, 1) == 1;
}

bool
coap_identity_dress(const struct coap_identity *id, SSL *ssl)
{
	if (!id->psk_n)
		SSL_set_psk_server_callback(ssl, NULL);
	else if (!SSL_set_cipher_list(ssl, id->has_certificate ? all_suites : psk_suites))
		return false;
	return !id->has_certificate || certificate_put(id, ssl);
}
