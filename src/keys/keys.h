#ifndef KEYS_KEYS_H
#define KEYS_KEYS_H
/*
 * The server's own keys: private keys that sign, and the symmetric keys of sealing and of transaction
 * ids. Signing is awaited, though a file key answers at once, so that a key in hardware will change no
 * caller. Files must not be open to others; what was read is wiped.
 */
#include "crypto/seal.h"
#include "crypto/token.h"
#include "loop/task.h"
#include "crypto/ecdsa.h"

struct keys_private;

/*
 * Loads a PEM key on one of the two curves. NULL when done, else what is wrong (words to follow the
 * file's name). The same for the two below, whose files hold 64 hexadecimal digits; `former` may be
 * NULL or empty.
 */
const char *keys_private_load(const char *file, struct keys_private **out);
const char *keys_ring_load(const char *current, const char *former, struct crypto_ring **out);
const char *keys_sealer_load(const char *current, const char *former, struct crypto_sealer **out);

/* Wipes it. NULL is fine. */
void keys_private_free(struct keys_private *key);

/* Does the certificate with this public key belong to it? */
bool keys_private_matches(const struct keys_private *key, const struct crypto_public *public);
const struct crypto_public *keys_public_get(const struct keys_private *key);

/*
 * For whom it signs. Anybody may have the server sign for brainpool; half of what is allowed is kept for
 * calls whose eUICC has proved itself, so that a flood of the others ends no download.
 */
enum keys_caller { KEYS_ANONYMOUS, KEYS_VERIFIED };

/*
 * Signs the parts as one run: 64 octets r‖s in the task's arena, where `signature` points when `then`
 * runs. T_BUSY when brainpool signatures are asked for faster than they are allowed (RULES 1.6).
 */
const struct step *keys_sign(struct task *t, struct keys_private *key, enum keys_caller caller,
	const struct slice *parts, size_t n, struct slice *signature,
	const struct step *then) MUST_RETURN;

/* How many brainpool signatures the process makes in a second, and at once; zero: none. */
void keys_brainpool_limit_set(unsigned per_second);

#endif
