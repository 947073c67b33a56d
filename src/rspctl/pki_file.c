/* PEM files of `rspctl pki`: reading with the arena as owner, writing with the right mode. */
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rspctl/pki_int.h"

static void
drop_cert(void *p)
{
	X509_free(p);
}

static void
drop_crl(void *p)
{
	X509_CRL_free(p);
}

static void
drop_key(void *p)
{
	EVP_PKEY_free(p);
}

X509 *
pki_cert_load(struct arena *mem, const char *file)
{
	BIO *bio = BIO_new_file(file, "r");
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (cert)
		arena_defer(mem, drop_cert, cert);
	return cert;
}

X509_CRL *
pki_crl_load(struct arena *mem, const char *file)
{
	BIO *bio = BIO_new_file(file, "r");
	X509_CRL *crl = bio ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (crl)
		arena_defer(mem, drop_crl, crl);
	return crl;
}

/* A key with a passphrase is no key for a daemon. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

EVP_PKEY *
pki_key_load(struct arena *mem, const char *file)
{
	BIO *bio = BIO_new_file(file, "r");
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (key)
		arena_defer(mem, drop_key, key);
	return key;
}

EVP_PKEY *
pki_key_new(struct arena *mem, enum crypto_curve curve)
{
	EVP_PKEY *key = EVP_EC_gen(crypto_curve_name(curve));

	if (key)
		arena_defer(mem, drop_key, key);
	return key;
}

struct slice
pki_cert_der(struct arena *mem, X509 *cert)
{
	int n = i2d_X509(cert, NULL);
	uint8_t *p = arena_alloc(mem, n > 0 ? (size_t)n : 0), *end = p;

	n = i2d_X509(cert, &end);
	return slice_of(p, n > 0 ? (size_t)n : 0);
}

static bool
write_content(BIO *bio, struct pki_content what)
{
	if (what.cert)
		return PEM_write_bio_X509(bio, what.cert);
	if (what.request)
		return PEM_write_bio_X509_REQ(bio, what.request);
	if (what.crl)
		return PEM_write_bio_X509_CRL(bio, what.crl);
	if (what.key)
		return PEM_write_bio_PrivateKey(bio, what.key, NULL, NULL, 0, NULL, NULL);
	return BIO_puts(bio, what.text) >= 0;
}

bool
pki_file_write(const char *file, unsigned mode, struct pki_content what)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	BIO *bio;
	bool fine;

	if (fd < 0)
		return false;
	/* A file that was there keeps its mode otherwise, and the umask might be odd. */
	bio = fchmod(fd, mode) == 0 ? BIO_new_fd(fd, BIO_NOCLOSE) : NULL;
	fine = bio && write_content(bio, what);
	BIO_free(bio);
	return close(fd) == 0 && fine;
}
