/*
 * Transaction ids and serverChallenges without state (RULES 1.1, 1.2): a MAC in the id proves that an
 * instance with the same cluster key made it, and the challenge is computed again from the id.
 */
#include <stdlib.h>
#include "base/rand.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/int.h"
#include "crypto/token.h"

enum { SET = 1, SECONDS = 2, RANDOM = 6, MAC = 12, MAC_SIZE = 4 }; /* places in the id */

struct crypto_ring {
	size_t keys; /* one or two; the current one first */
	struct ring_key {
		uint8_t id;
		uint8_t root[CRYPTO_CLUSTER_KEY_SIZE]; /* what others are derived from */
		uint8_t mac[CRYPTO_SHA256_SIZE];
		uint8_t challenge[CRYPTO_SHA256_SIZE];
	} key[2];
};

static void
derive(const struct ring_key *k, const char *label, uint8_t *out, size_t n)
{
	crypto_hkdf_sha256(SLICE_NONE, SLICE_ARRAY(k->root), slice_text(label), out, n);
}

static void
key_init(struct ring_key *k, struct slice key)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];

	must(key.n == CRYPTO_CLUSTER_KEY_SIZE);
	crypto_sha256(&key, 1, hash);
	k->id = hash[0];
	memcpy(k->root, key.p, key.n);
	derive(k, "rspd transactionId MAC", k->mac, sizeof k->mac);
	derive(k, "rspd serverChallenge", k->challenge, sizeof k->challenge);
}

struct crypto_ring *
crypto_ring_new(struct slice current, struct slice former)
{
	struct crypto_ring *r = calloc(1, sizeof *r);

	must(r);
	key_init(&r->key[r->keys++], current);
	if (former.p)
		key_init(&r->key[r->keys++], former);
	if (r->keys == 2 && r->key[0].id == r->key[1].id) {
		crypto_ring_free(r);
		return NULL;
	}
	return r;
}

void
crypto_ring_free(struct crypto_ring *r)
{
	if (!r)
		return;
	explicit_bzero(r, sizeof *r);
	free(r);
}

bool
crypto_ring_id(const struct crypto_ring *r, bool former, uint8_t *id)
{
	if (former && r->keys < 2)
		return false;
	*id = r->key[former ? 1 : 0].id;
	return true;
}

static void
put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
make_mac(const struct ring_key *k, const uint8_t *id, uint8_t mac[MAC_SIZE])
{
	struct slice head = { id, MAC };
	uint8_t out[CRYPTO_SHA256_SIZE];

	crypto_hmac_sha256(SLICE_ARRAY(k->mac), &head, 1, out);
	memcpy(mac, out, MAC_SIZE);
}

void
crypto_token_make(
	const struct crypto_ring *r, uint8_t set, int64_t now, uint8_t id[CRYPTO_TOKEN_SIZE])
{
	id[0] = r->key[0].id;
	id[SET] = set;
	put_u32(id + SECONDS, (uint32_t)now);
	rand_bytes(id + RANDOM, MAC - RANDOM);
	make_mac(&r->key[0], id, id + MAC);
}

static const struct ring_key *
find_key(const struct crypto_ring *r, struct slice id)
{
	for (size_t i = 0; id.n == CRYPTO_TOKEN_SIZE && i < r->keys; i++)
		if (r->key[i].id == id.p[0])
			return &r->key[i];
	return NULL;
}

enum crypto_token
crypto_token_check(
	const struct crypto_ring *r, struct slice id, int64_t now, struct crypto_token_facts *out)
{
	const struct ring_key *k = find_key(r, id);
	uint8_t mac[MAC_SIZE];
	int32_t age;

	if (!k)
		return id.n == CRYPTO_TOKEN_SIZE ? TOKEN_KEY_UNKNOWN : TOKEN_UNKNOWN;
	make_mac(k, id.p, mac);
	if (!secret_eq(SLICE_ARRAY(mac), slice_of(id.p + MAC, MAC_SIZE)))
		return TOKEN_UNKNOWN;
	/* The id holds the low 32 bits: the nearest moment that fits, so 2106 is a day like others. */
	age = (int32_t)((uint32_t)now - get_u32(id.p + SECONDS));
	out->set = id.p[SET];
	out->seconds = now ? now - age : get_u32(id.p + SECONDS);
	if (now && (age > CRYPTO_TOKEN_AGE || age < -CRYPTO_TOKEN_AHEAD))
		return TOKEN_EXPIRED;
	return TOKEN_OK;
}

bool
crypto_token_challenge(const struct crypto_ring *r, struct slice id, const uint8_t svn[3],
	struct slice server_address, uint8_t out[CRYPTO_CHALLENGE_SIZE])
{
	const struct ring_key *k = find_key(r, id);
	const struct slice parts[] = { id, { svn, 3 }, server_address };
	uint8_t mac[CRYPTO_SHA256_SIZE];

	if (!k)
		return false;
	crypto_hmac_sha256(SLICE_ARRAY(k->challenge), parts, 3, mac);
	memcpy(out, mac, CRYPTO_CHALLENGE_SIZE);
	return true;
}

bool
crypto_ring_derive(
	const struct crypto_ring *r, bool former, const char *label, uint8_t *out, size_t n)
{
	if (former && r->keys < 2)
		return false;
	derive(&r->key[former ? 1 : 0], label, out, n);
	return true;
}
