#ifndef HTTPS_CLIENT_INT_H
#define HTTPS_CLIENT_INT_H
/* What client.c and client_keys.c know of each other. */
#include <openssl/ssl.h>
#include "https/client.h"

/* Another one for each set there ever was; 0 for NULL. */
uint64_t https_keys_number(const struct https_keys *k);

/* SSL_CTX_set_cert_cb's: the server has asked who we are, and `keys` answers. */
int https_keys_choose(SSL *ssl, void *keys);

#endif
