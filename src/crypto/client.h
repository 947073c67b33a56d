#ifndef CRYPTO_CLIENT_H
#define CRYPTO_CLIENT_H
/*
 * Certificates by which clients of ours (operators on ES2+, SGP.22 §2.6.6) are known: any X.509, any key
 * that TLS takes, self-signed or under a CA that is no CI.
 */
#include <stdint.h>
#include "base/arena.h"
#include "crypto/digest.h"

struct crypto_client {
	struct slice der; /* the client's own, out of the octets given */
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	struct slice subject;          /* RFC 4514: "CN=es2,O=Example"; in the arena */
	int64_t not_before, not_after; /* seconds since 1970 */
};

/*
 * Reads the first certificate of a chain (DER, one behind the other, the client's own first). False when it
 * is none, or its subject is longer than 1000 characters.
 */
bool crypto_client_read(struct arena *mem, struct slice chain, struct crypto_client *out);

/* May sign certificates: a CA. */
bool crypto_client_is_ca(struct slice der);

/*
 * True when the chain leads to this CA at this time (seconds since 1970), within four certificates, and
 * the first may be a TLS client's. `*until`: when the first of them expires, or the CA.
 */
bool crypto_client_verify(struct slice chain, struct slice ca, int64_t now, int64_t *until);

#endif
