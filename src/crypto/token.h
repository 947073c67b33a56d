#ifndef CRYPTO_TOKEN_H
#define CRYPTO_TOKEN_H
/*
 * Transaction ids that prove themselves, and the challenges derived from them (RULES 1.1, 1.2), so that
 * InitiateAuthentication keeps no state. Keys derive from a cluster key that all instances share.
 *   key id 1 ‖ credential set 1 ‖ seconds 4 ‖ random 6 ‖ MAC 4
 */
#include "base/slice.h"

enum { CRYPTO_TOKEN_SIZE = 16, CRYPTO_CLUSTER_KEY_SIZE = 32, CRYPTO_CHALLENGE_SIZE = 16 };
enum { CRYPTO_TOKEN_AGE = 15 * 60, CRYPTO_TOKEN_AHEAD = 60 }; /* seconds */

struct crypto_ring;

/* `former` (32 octets) or absent. NULL when the two keys have one id (the first octet of SHA-256). */
struct crypto_ring *crypto_ring_new(struct slice current, struct slice former);
void crypto_ring_free(struct crypto_ring *ring);

/* The key id in transaction ids made under that key; false when there is no former one. */
bool crypto_ring_id(const struct crypto_ring *ring, bool former, uint8_t *id);

/* `now` in seconds since 1970. */
void crypto_token_make(
	const struct crypto_ring *ring, uint8_t set, int64_t now, uint8_t id[CRYPTO_TOKEN_SIZE]);

enum crypto_token {
	TOKEN_OK,
	TOKEN_UNKNOWN,     /* not of 16 octets, or a wrong MAC */
	TOKEN_KEY_UNKNOWN, /* made under a key that is not in the ring; or just anything */
	TOKEN_EXPIRED,
};
struct crypto_token_facts {
	uint8_t set;     /* number of the credential set */
	int64_t seconds; /* when it was made */
};

/* With `now` zero the age is not looked at: later calls of a session that is already recorded. */
enum crypto_token crypto_token_check(const struct crypto_ring *ring, struct slice id, int64_t now,
	struct crypto_token_facts *out);

/* serverChallenge for an id that crypto_token_check knows; false when its key is not in the ring. */
bool crypto_token_challenge(const struct crypto_ring *ring, struct slice id, const uint8_t svn[3],
	struct slice server_address, uint8_t out[CRYPTO_CHALLENGE_SIZE]);

/* Another key for another use (TLS tickets), `n` octets by HKDF with its own label; former: false when none. */
bool crypto_ring_derive(
	const struct crypto_ring *ring, bool former, const char *label, uint8_t *out, size_t n);

#endif
