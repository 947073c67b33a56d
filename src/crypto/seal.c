/*
 * Sealing secret columns (docs/keys.md) with AES-256-GCM, and opening them under the
 * current or the former key. Which values to seal again after a rotation is for the store to find.
 */
#include <openssl/err.h>
#include "crypto/digest.h"
#include "crypto/int.h"
#include "crypto/seal.h"
#include "base/rand.h"

enum { VERSION = 1, ID = 4, NONCE = 12, TAG = 16, HEAD = 1 + ID + NONCE };

struct crypto_sealer {
	size_t keys; /* one or two; the current one first */
	struct seal_key {
		uint8_t id[ID];
		EVP_CIPHER_CTX *seal, *open; /* each with its key schedule */
	} key[2];
};

static void
key_init(struct seal_key *k, struct slice key)
{
	const struct ossl *o = crypto_ossl();
	uint8_t hash[CRYPTO_SHA256_SIZE];

	must(key.n == CRYPTO_SEAL_KEY_SIZE);
	crypto_sha256(&key, 1, hash);
	memcpy(k->id, hash, ID);
	k->seal = EVP_CIPHER_CTX_new();
	k->open = EVP_CIPHER_CTX_new();
	must(k->seal && k->open && EVP_EncryptInit_ex2(k->seal, o->gcm, key.p, NULL, NULL) &&
		EVP_DecryptInit_ex2(k->open, o->gcm, key.p, NULL, NULL));
}

struct crypto_sealer *
crypto_sealer_new(struct slice current, struct slice former)
{
	struct crypto_sealer *s = calloc(1, sizeof *s);

	must(s);
	key_init(&s->key[s->keys++], current);
	if (former.p)
		key_init(&s->key[s->keys++], former);
	if (s->keys == 2 && memcmp(s->key[0].id, s->key[1].id, ID) == 0) {
		crypto_sealer_free(s);
		return NULL;
	}
	return s;
}

void
crypto_sealer_free(struct crypto_sealer *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->keys; i++) {
		EVP_CIPHER_CTX_free(s->key[i].seal);
		EVP_CIPHER_CTX_free(s->key[i].open);
	}
	free(s);
}

void
crypto_sealer_id(const struct crypto_sealer *s, uint8_t id[ID])
{
	memcpy(id, s->key[0].id, ID);
}

/* "table.column:row" as associated data. */
static void
put_place(EVP_CIPHER_CTX *c, struct crypto_place place)
{
	struct slice part[] = { slice_text(place.column), SLICE_LIT(":"), place.row };
	int n;

	for (size_t i = 0; i < 3; i++)
		if (part[i].n)
			must(EVP_CipherUpdate(c, NULL, &n, part[i].p, (int)part[i].n));
}

struct slice
crypto_seal(
	struct crypto_sealer *s, struct arena *mem, struct crypto_place place, struct slice plain)
{
	EVP_CIPHER_CTX *c = s->key[0].seal;
	uint8_t *out = arena_alloc(mem, plain.n + CRYPTO_SEAL_EXTRA), *p = out;
	int n;

	*p++ = VERSION;
	memcpy(p, s->key[0].id, ID);
	p += ID;
	rand_bytes(p, NONCE);
	must(EVP_EncryptInit_ex2(c, NULL, NULL, p, NULL));
	p += NONCE;
	put_place(c, place);
	if (plain.n)
		must(EVP_EncryptUpdate(c, p, &n, plain.p, (int)plain.n));
	p += plain.n;
	must(EVP_EncryptFinal_ex(c, p, &n) &&
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, p));
	return slice_of(out, plain.n + CRYPTO_SEAL_EXTRA);
}

static struct seal_key *
find_key(struct crypto_sealer *s, const uint8_t *id)
{
	for (size_t i = 0; i < s->keys; i++)
		if (memcmp(s->key[i].id, id, ID) == 0)
			return &s->key[i];
	return NULL;
}

enum crypto_opened
crypto_open(struct crypto_sealer *s, struct arena *mem, struct crypto_place place,
	struct slice sealed, struct slice *plain)
{
	struct seal_key *k;
	uint8_t tag[TAG], *out;
	size_t size;
	bool fine;
	int n;

	if (sealed.n < CRYPTO_SEAL_EXTRA || sealed.p[0] != VERSION)
		return SEAL_BROKEN;
	k = find_key(s, sealed.p + 1);
	if (!k)
		return SEAL_KEY_UNKNOWN;
	size = sealed.n - CRYPTO_SEAL_EXTRA;
	out = arena_alloc(mem, size + 1); /* text may be used as a C string, as arena_copy's */
	memcpy(tag, sealed.p + HEAD + size, TAG);
	must(EVP_DecryptInit_ex2(k->open, NULL, NULL, sealed.p + 1 + ID, NULL) &&
		EVP_CIPHER_CTX_ctrl(k->open, EVP_CTRL_AEAD_SET_TAG, TAG, tag));
	put_place(k->open, place);
	if (size)
		must(EVP_DecryptUpdate(k->open, out, &n, sealed.p + HEAD, (int)size));
	ERR_set_mark();
	fine = EVP_DecryptFinal_ex(k->open, out + size, &n) > 0;
	ERR_pop_to_mark();
	if (!fine) {
		explicit_bzero(out, size); /* what was not authentic is not seen */
		return SEAL_BROKEN;
	}
	*plain = slice_of(out, size);
	return k == s->key ? SEAL_OK : SEAL_FORMER;
}
