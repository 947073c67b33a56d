/* Certificates and keys from PEM files: what every server and client of TLS or DTLS begins with. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/err.h>
#include "tls/tls.h"

enum { FILE_MOST = 1024 * 1024 }; /* octets of a PEM file */

const char *
tls_last_error(void)
{
	unsigned long error = ERR_peek_error();
	const char *words = ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error))
						    : ERR_reason_error_string(error);

	ERR_clear_error();
	return words ? words : "unknown error";
}

/* A key file with a passphrase must not make the daemon ask for one. */
static int
no_passphrase(char *out, int room, int writing, void *arg)
{
	(void)out;
	(void)room;
	(void)writing;
	(void)arg;
	return -1;
}

/* OpenSSL would wait for a FIFO's writer and read a device for ever. */
static bool
check_file(const char *what, const char *path, char why[TLS_WHY])
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat file;
	const char *wrong = NULL;

	if (fd < 0 || fstat(fd, &file) < 0)
		wrong = strerror(errno);
	else if (!S_ISREG(file.st_mode))
		wrong = "it is not a regular file";
	else if (file.st_size > FILE_MOST)
		wrong = "it is larger than 1 MiB";
	if (fd >= 0)
		close(fd);
	if (wrong)
		snprintf(why, TLS_WHY, "%s %s cannot be used: %s", what, path, wrong);
	return !wrong;
}

bool
tls_certificate_load(SSL_CTX *context, const char *certificate, const char *key, char why[TLS_WHY])
{
	ERR_clear_error();
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	if (!check_file("certificate", certificate, why) || !check_file("key", key, why))
		return false;
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
		snprintf(why, TLS_WHY,
			"certificate %s cannot be used: %s; it must be PEM, leaf first",
			certificate, tls_last_error());
		return false;
	}
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
		snprintf(why, TLS_WHY,
			"key %s cannot be used: %s; it must be PEM without a passphrase and belong "
			"to %s",
			key, tls_last_error(), certificate);
		return false;
	}
	return true;
}
