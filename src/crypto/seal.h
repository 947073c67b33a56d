#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H
/*
 * Sealed values: what is secret in the database. AES-256-GCM, bound to its place by associated data.
 *   version 1 (01) ‖ key id 4 ‖ nonce 12 ‖ ciphertext ‖ tag 16
 * The key id is the first octets of the key's SHA-256; associated data is the text "table.column:row".
 */
#include "base/arena.h"

enum { CRYPTO_SEAL_KEY_SIZE = 32, CRYPTO_SEAL_EXTRA = 33 };

struct crypto_sealer;

/* `former` (32 octets) opens what was sealed before a rotation; absent: none. NULL when the ids are equal. */
struct crypto_sealer *crypto_sealer_new(struct slice current, struct slice former);
void crypto_sealer_free(struct crypto_sealer *sealer);

/* Where a value lives. */
struct crypto_place {
	const char *column; /* "table.column" */
	struct slice row;   /* the row's key, as text */
};

/* plain.n + CRYPTO_SEAL_EXTRA octets in the arena. */
struct slice crypto_seal(struct crypto_sealer *sealer, struct arena *mem, struct crypto_place place,
	struct slice plain);

/* SEAL_FORMER: opened, but with the former key; seal it again. */
enum crypto_opened { SEAL_OK, SEAL_FORMER, SEAL_BROKEN, SEAL_KEY_UNKNOWN };
enum crypto_opened crypto_open(struct crypto_sealer *sealer, struct arena *mem,
	struct crypto_place place, struct slice sealed, struct slice *plain);

/* The id of the current key, for a query that looks for values to seal again. */
void crypto_sealer_id(const struct crypto_sealer *sealer, uint8_t id[4]);

#endif
