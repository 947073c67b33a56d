/*
 * TLS session tickets (RFC 5077 and RFC 8446 §4.6.1) whose keys derive from a secret that all instances
 * share, so that a client resumes at any of them, and after a restart. The former secret still opens
 * tickets, which are then made anew under the present one.
 */
#include <assert.h>
#include <stdlib.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "base/rand.h"
#include "tls/tls.h"

enum { NAME = 16, KEY = 32, SECRET = 32 };

struct ticket_key {
	uint8_t name[NAME], cipher[KEY], mac[KEY];
	bool present;
};

/* Tied to the SSL_CTX, until it gets others: handshakes in progress may outlast a reload. */
struct ticket_keys {
	struct ticket_key current, former;
	EVP_CIPHER *cipher;
};

static void
derive(struct slice secret, const char *label, uint8_t *out, size_t n)
{
	uint8_t block[KEY];
	unsigned length = sizeof block;

	if (!HMAC(EVP_sha256(), secret.p, (int)secret.n, (const uint8_t *)label, strlen(label),
		    block, &length))
		abort();
	memcpy(out, block, n);
	explicit_bzero(block, sizeof block);
}

static void
derive_key(struct ticket_key *k, struct slice secret)
{
	if (!secret.p)
		return;
	assert(secret.n == SECRET);
	derive(secret, "rspd TLS ticket name", k->name, NAME);
	derive(secret, "rspd TLS ticket cipher", k->cipher, KEY);
	derive(secret, "rspd TLS ticket mac", k->mac, KEY);
	k->present = true;
}

static void
free_keys(void *parent, void *p, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
	struct ticket_keys *keys = p;

	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	if (!keys)
		return;
	EVP_CIPHER_free(keys->cipher);
	OPENSSL_clear_free(keys, sizeof *keys);
}

static int
keys_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_keys);
	return index;
}

static bool
set_mac_key(EVP_MAC_CTX *mac, struct ticket_key *k)
{
	static char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k->mac, KEY),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params);
}

/* OpenSSL's callback: 1 go on, 2 go on and make a new ticket, 0 no resumption, -1 failure. */
static int
on_ticket(SSL *ssl, unsigned char name[NAME], unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, int sealing)
{
	struct ticket_keys *keys = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keys_index());
	struct ticket_key *k = &keys->current;

	if (sealing) {
		memcpy(name, k->name, NAME);
		rand_bytes(iv, (size_t)EVP_CIPHER_get_iv_length(keys->cipher));
		return EVP_EncryptInit_ex(cipher, keys->cipher, NULL, k->cipher, iv) == 1 &&
				set_mac_key(mac, k)
			? 1
			: -1;
	}
	if (memcmp(name, k->name, NAME) != 0)
		k = &keys->former;
	if (!k->present || memcmp(name, k->name, NAME) != 0)
		return 0;
	if (EVP_DecryptInit_ex(cipher, keys->cipher, NULL, k->cipher, iv) != 1 ||
		!set_mac_key(mac, k))
		return -1;
	/* A ticket of TLS 1.3 is for one use (RFC 8446 §C.4), so there is always a next one. */
	return k == &keys->current && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
}

bool
tls_ticket_init(SSL_CTX *context, struct slice secret, struct slice former)
{
	struct ticket_keys *keys = OPENSSL_zalloc(sizeof *keys);

	if (!keys)
		return false;
	derive_key(&keys->current, secret);
	derive_key(&keys->former, former);
	keys->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	free_keys(NULL, SSL_CTX_get_ex_data(context, keys_index()), NULL, 0, 0, NULL);
	if (keys->cipher && SSL_CTX_set_ex_data(context, keys_index(), keys))
		return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1;
	free_keys(NULL, keys, NULL, 0, 0, NULL);
	return false;
}
