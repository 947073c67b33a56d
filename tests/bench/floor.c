/*
 * The least CPU time that a complete download must cost, with this OpenSSL on this machine: 3 signatures, 4
 * verifications, 1 key generation and 1 key agreement on P-256 (serverSignature1, smdpSignature2, smdpSign; the
 * eUICC's certificate and its three signatures; otSK.DP with otPK.EUICC, SGP.22 §2.6). No protocol, no TLS. Beside
 * it, what one full TLS 1.3 handshake costs the server alone.
 *
 * Everything that can be made once is made once, so that nobody can go below this with the same library. Prints
 * medians of five runs in milliseconds as JSON.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 5, SETS = 400, HANDSHAKES = 400, SIGNATURES = 3, VERIFICATIONS = 4 };

static void
must(bool fine)
{
	if (!fine) {
		fputs("floor: OpenSSL failed\n", stderr);
		exit(70);
	}
}

static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *values)
{
	qsort(values, RUNS, sizeof *values, by_size);
	return values[RUNS / 2];
}

/* ---- the cryptography of one download ---------------------------------------------------------------------- */

struct tools {
	EVP_PKEY *peer;
	EVP_PKEY_CTX *sign, *verify, *generate;
	EVP_MD *sha256;
	uint8_t digest[32], signature[80];
	size_t signature_n;
};

static void
tools_init(struct tools *t)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	*t = (struct tools){ .peer = EVP_EC_gen("P-256"), .signature_n = sizeof t->signature };
	t->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	t->sign = EVP_PKEY_CTX_new(key, NULL);
	t->verify = EVP_PKEY_CTX_new(key, NULL);
	t->generate = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	must(key && t->peer && t->sha256 && EVP_PKEY_sign_init(t->sign) > 0 &&
		EVP_PKEY_verify_init(t->verify) > 0 && EVP_PKEY_keygen_init(t->generate) > 0 &&
		EVP_PKEY_CTX_set_group_name(t->generate, "P-256") > 0);
	must(EVP_PKEY_sign(t->sign, t->signature, &t->signature_n, t->digest, sizeof t->digest) >
		0);
	EVP_PKEY_free(key);
}

static void
tools_fini(struct tools *t)
{
	EVP_PKEY_CTX_free(t->sign);
	EVP_PKEY_CTX_free(t->verify);
	EVP_PKEY_CTX_free(t->generate);
	EVP_PKEY_free(t->peer);
	EVP_MD_free(t->sha256);
}

/* otSK.DP and ShS. */
static void
agree(struct tools *t)
{
	EVP_PKEY *one_time = NULL;
	EVP_PKEY_CTX *derive;
	uint8_t shared[32];
	size_t n = sizeof shared;

	must(EVP_PKEY_generate(t->generate, &one_time) > 0);
	derive = EVP_PKEY_CTX_new(one_time, NULL);
	must(derive && EVP_PKEY_derive_init(derive) > 0 &&
		EVP_PKEY_derive_set_peer_ex(derive, t->peer, 0) > 0 &&
		EVP_PKEY_derive(derive, shared, &n) > 0);
	EVP_PKEY_CTX_free(derive);
	EVP_PKEY_free(one_time);
}

static void
one_download(struct tools *t)
{
	static const uint8_t message[256];
	uint8_t digest[32], signature[80];
	size_t n;

	for (int i = 0; i < SIGNATURES; i++) {
		n = sizeof signature;
		must(EVP_Digest(message, sizeof message, digest, NULL, t->sha256, NULL) &&
			EVP_PKEY_sign(t->sign, signature, &n, digest, sizeof digest) > 0);
	}
	for (int i = 0; i < VERIFICATIONS; i++)
		must(EVP_Digest(message, sizeof message, digest, NULL, t->sha256, NULL) &&
			EVP_PKEY_verify(t->verify, t->signature, t->signature_n, t->digest,
				sizeof t->digest) == 1);
	agree(t);
}

static double
measure_floor(void)
{
	struct tools t;
	double each[RUNS];

	tools_init(&t);
	for (int run = 0; run < RUNS; run++) {
		double from = cpu_ms();

		for (int i = 0; i < SETS; i++)
			one_download(&t);
		each[run] = (cpu_ms() - from) / SETS;
	}
	tools_fini(&t);
	return median(each);
}

/* ---- one TLS handshake ------------------------------------------------------------------------------------- */

static SSL_CTX *
server_new(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	must(c && key && cert && X509_set_version(cert, 2) &&
		X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
		X509_gmtime_adj(X509_getm_notAfter(cert), 3600) && X509_set_pubkey(cert, key) &&
		X509_sign(cert, key, EVP_sha256()));
	must(SSL_CTX_use_certificate(c, cert) > 0 && SSL_CTX_use_PrivateKey(c, key) > 0 &&
		SSL_CTX_set1_groups_list(c, "P-256"));
	X509_free(cert);
	EVP_PKEY_free(key);
	return c;
}

/* The server's part of one full handshake, in milliseconds of CPU. */
static double
handshake(SSL_CTX *server_context, SSL_CTX *client_context)
{
	SSL *client = SSL_new(client_context), *server;
	BIO *to_server, *to_client;
	double from = cpu_ms(), spent;
	bool over = false;

	server = SSL_new(server_context);
	spent = cpu_ms() - from;
	must(client && server && BIO_new_bio_pair(&to_server, 0, &to_client, 0));
	SSL_set_bio(client, to_server, to_server);
	SSL_set_bio(server, to_client, to_client);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	while (!over) {
		SSL_do_handshake(client);
		from = cpu_ms();
		over = SSL_do_handshake(server) == 1;
		spent += cpu_ms() - from;
	}
	SSL_free(client);
	from = cpu_ms();
	SSL_free(server);
	return spent + cpu_ms() - from;
}

static double
measure_tls(void)
{
	SSL_CTX *server = server_new(), *client = SSL_CTX_new(TLS_client_method());
	double each[RUNS] = { 0 };

	must(client && SSL_CTX_set1_groups_list(client, "P-256"));
	for (int run = 0; run < RUNS; run++) {
		for (int i = 0; i < HANDSHAKES; i++)
			each[run] += handshake(server, client);
		each[run] /= HANDSHAKES;
	}
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	return median(each);
}

int
main(void)
{
	double floor_ms = measure_floor(), tls_ms = measure_tls();

	printf("{\"floor_ms\": %.4f, \"tls_ms\": %.4f}\n", floor_ms, tls_ms);
	return 0;
}
