#ifndef UNIT_CERTIFICATES_H
#define UNIT_CERTIFICATES_H
/* Self-signed certificates in a folder of the test's own, for whoever serves TLS or DTLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static char folder[] = "/tmp/rspd-tls-test-XXXXXX";

static inline const char *
file_in_folder(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", folder, name);
	return path;
}

/* NAME.pem, self-signed for "localhost", and NAME.key. */
static inline void
make_certificate(const char *name, const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve);
	X509 *x = X509_new();
	X509_NAME *subject = X509_get_subject_name(x);
	X509_EXTENSION *names =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
	char file[40], path[128];
	FILE *f;

	assert_non_null(key);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(
		subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, subject);
	X509_set_pubkey(x, key);
	X509_add_ext(x, names, -1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	snprintf(file, sizeof file, "%s.pem", name);
	f = fopen(file_in_folder(file, path), "w");
	assert_non_null(f);
	PEM_write_X509(f, x);
	fclose(f);
	snprintf(file, sizeof file, "%s.key", name);
	f = fopen(file_in_folder(file, path), "w");
	assert_non_null(f);
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	X509_EXTENSION_free(names);
	X509_free(x);
	EVP_PKEY_free(key);
}

static inline void
make_certificates(void)
{
	assert_non_null(mkdtemp(folder));
	make_certificate("nist", "P-256");
	make_certificate("other", "P-256");
	make_certificate("brainpool", "brainpoolP256r1");
}

static inline void
remove_certificates(void)
{
	static const char *const names[] = { "nist.pem", "nist.key", "other.pem", "other.key",
		"brainpool.pem", "brainpool.key" };
	char path[128];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(file_in_folder(names[i], path));
	rmdir(folder);
}

#endif
