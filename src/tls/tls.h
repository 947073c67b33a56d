#ifndef TLS_TLS_H
#define TLS_TLS_H
/* What TLS over TCP and DTLS over UDP have in common: certificates from files, session tickets. */
#include <stdbool.h>
#include <openssl/ssl.h>
#include "base/slice.h"

/* Room for one sentence that says what is wrong and what to do. */
enum { TLS_WHY = 512 };

/* A chain, leaf first, and its key, from PEM files. False: `why` says what is wrong. */
bool
tls_certificate_load(SSL_CTX *context, const char *certificate, const char *key, char why[TLS_WHY]);

/*
 * Session tickets under keys derived from a secret of 32 octets that instances share, or that lasts longer than a
 * process. The former one, or absent, still opens tickets. Again for a context in use: from then on these.
 */
bool tls_ticket_init(SSL_CTX *context, struct slice secret, struct slice former);

/* OpenSSL's last error, in words. */
const char *tls_last_error(void);

#endif
