/*
 * Private keys from PEM files, and signing with them. Brainpool signatures cost fifteen times those of
 * P-256, so a flood of first calls for that curve must not take the processor: a token bucket (RULES
 * 1.6) holds one second's worth, half of it for calls whose eUICC is verified.
 */
#include <stdlib.h>
#include "base/clock.h"
#include "keys/file.h"
#include "keys/keys.h"

struct keys_private {
	struct crypto_private *key;
};

/* One for the process: it outlives a reload, as the processor does. */
static struct {
	unsigned per_second;
	int64_t level_us; /* filled time: a signature takes 1/per_second of it */
	int64_t seen_us;  /* clock_mono_us of the last look */
} bucket = { 20, 1000000, 0 };

void
keys_brainpool_limit_set(unsigned per_second)
{
	bucket.per_second = per_second;
}

static bool
take_token(enum keys_caller caller)
{
	int64_t now = clock_mono_us(), price, kept;

	if (bucket.per_second == 0)
		return false;
	price = 1000000 / bucket.per_second;
	kept = caller == KEYS_ANONYMOUS ? price * (bucket.per_second / 2) : 0;
	bucket.level_us += now - bucket.seen_us;
	if (bucket.level_us > 1000000)
		bucket.level_us = 1000000;
	bucket.seen_us = now;
	if (bucket.level_us < price + kept)
		return false;
	bucket.level_us -= price;
	return true;
}

const char *
keys_private_load(const char *file, struct keys_private **out)
{
	struct keys_private *k;
	struct slice pem;
	const char *wrong = keys_file_read(file, &pem);

	*out = NULL;
	if (wrong)
		return wrong;
	k = calloc(1, sizeof *k);
	if (k)
		k->key = crypto_private_new(pem);
	keys_file_wipe(pem);
	if (!k || !k->key) {
		free(k);
		return "holds no unencrypted PEM key on P-256 or brainpoolP256r1";
	}
	*out = k;
	return NULL;
}

void
keys_private_free(struct keys_private *k)
{
	if (!k)
		return;
	crypto_private_free(k->key);
	free(k);
}

const struct crypto_public *
keys_public_get(const struct keys_private *k)
{
	return crypto_private_public(k->key);
}

bool
keys_private_matches(const struct keys_private *k, const struct crypto_public *public)
{
	return crypto_public_eq(keys_public_get(k), public);
}

const struct step *
keys_sign(struct task *t, struct keys_private *k, enum keys_caller caller,
	const struct slice *parts, size_t n, struct slice *signature, const struct step *then)
{
	uint8_t *out;

	if (keys_public_get(k)->curve == CURVE_BRAINPOOL_P256R1 && !take_token(caller))
		return task_trouble(t, T_BUSY);
	out = arena_alloc(t->mem, CRYPTO_SIGNATURE_SIZE);
	crypto_private_sign(k->key, parts, n, out);
	*signature = slice_of(out, CRYPTO_SIGNATURE_SIZE);
	t->got = R_OK;
	return then;
}
