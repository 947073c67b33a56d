/*
 * The clients of all operators. A pinned certificate is found by its SHA-256; another by its subject, and
 * then its chain is verified up to the CA that was named. That costs signatures, so what held is kept, by
 * SHA-256 of the whole chain, as long as the list is and until the chain expires.
 */
#include <stdlib.h>
#include <string.h>
#include "dp/clients.h"

enum { MEMORY = 64 * 1024 * 1024, DIGEST = 64, VERIFIED = 256 };

/* A chain that was verified. */
struct verified {
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	const struct store_client *client;
	int64_t until;
};

struct dp_clients {
	struct arena mem;
	struct store_client
		*rows; /* settled: pinned ones first, these by SHA-256; others by subject */
	size_t n, room, pinned;
	char digest[DIGEST];
	struct verified verified[VERIFIED];
	unsigned next; /* of `verified` to be overwritten */
};

struct dp_clients *
dp_clients_new(void)
{
	struct dp_clients *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	arena_init(&c->mem, MEMORY, NULL, NULL);
	return c;
}

void
dp_clients_free(struct dp_clients *c)
{
	if (!c)
		return;
	arena_fini(&c->mem);
	free(c->rows);
	free(c);
}

void
dp_clients_add(struct dp_clients *c, const struct store_client *row)
{
	struct store_client *own;

	if (c->n == c->room) {
		c->room = c->room ? c->room * 2 : 16;
		c->rows = reallocarray(c->rows, c->room, sizeof *c->rows);
		if (!c->rows)
			abort();
	}
	own = &c->rows[c->n++];
	*own = *row;
	own->operator_name = arena_copy(&c->mem, row->operator_name);
	own->requester = row->requester.p ? arena_copy(&c->mem, row->requester) : SLICE_NONE;
	own->certificate = row->certificate.p ? arena_copy(&c->mem, row->certificate) : SLICE_NONE;
	own->sha256 = arena_copy(&c->mem, row->sha256);
	own->subject = arena_copy(&c->mem, row->subject);
	c->pinned += row->pinned;
}

static int
compare_slices(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int
compare_clients(const void *a, const void *b)
{
	const struct store_client *x = a, *y = b;

	if (x->pinned != y->pinned)
		return y->pinned - x->pinned;
	return x->pinned ? compare_slices(x->sha256, y->sha256)
			 : compare_slices(x->subject, y->subject);
}

void
dp_clients_settle(struct dp_clients *c, struct slice digest)
{
	if (c->n)
		qsort(c->rows, c->n, sizeof *c->rows, compare_clients);
	memcpy(c->digest, digest.p, digest.n < DIGEST ? digest.n : DIGEST - 1);
}

struct slice
dp_clients_digest(const struct dp_clients *c)
{
	return slice_text(c->digest);
}

size_t
dp_clients_count(const struct dp_clients *c)
{
	return c->n;
}

static const struct store_client *
find_pinned(const struct dp_clients *c, const struct crypto_client *own)
{
	struct store_client key = { .pinned = true, .sha256 = SLICE_ARRAY(own->sha256) };

	return c->pinned ? bsearch(&key, c->rows, c->pinned, sizeof key, compare_clients) : NULL;
}

/* The first of those with this subject; they stand together. */
static const struct store_client *
find_subject(const struct dp_clients *c, struct slice subject)
{
	size_t low = c->pinned, high = c->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_slices(c->rows[middle].subject, subject) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->n && slice_eq(c->rows[low].subject, subject) ? &c->rows[low] : NULL;
}

static const struct store_client *
recall(const struct dp_clients *c, const uint8_t sha256[CRYPTO_SHA256_SIZE], int64_t now)
{
	for (unsigned i = 0; i < VERIFIED; i++)
		if (c->verified[i].client && c->verified[i].until >= now &&
			memcmp(c->verified[i].sha256, sha256, CRYPTO_SHA256_SIZE) == 0)
			return c->verified[i].client;
	return NULL;
}

static const struct store_client *
find_under_ca(struct dp_clients *c, struct slice certificates, struct slice subject, int64_t now)
{
	const struct store_client *one = find_subject(c, subject), *end = c->rows + c->n, *known;
	struct verified *place = &c->verified[c->next];
	uint8_t sha256[CRYPTO_SHA256_SIZE];

	if (!one)
		return NULL;
	crypto_sha256(&certificates, 1, sha256);
	known = recall(c, sha256, now);
	if (known)
		return known;
	for (; one < end && slice_eq(one->subject, subject); one++) {
		int64_t until;

		if (!crypto_client_verify(certificates, one->certificate, now, &until))
			continue;
		memcpy(place->sha256, sha256, sizeof sha256);
		place->client = one;
		place->until = until;
		c->next = (c->next + 1) % VERIFIED;
		return one;
	}
	return NULL;
}

const struct store_client *
dp_clients_find(struct dp_clients *c, struct slice certificates, const struct crypto_client *own,
	int64_t now, const char **why)
{
	const struct store_client *client = find_pinned(c, own);

	if (!client)
		client = find_under_ca(c, certificates, own->subject, now);
	*why = NULL;
	if (!client)
		*why = "nobody's-certificate";
	else if (client->pinned && now < own->not_before)
		*why = "certificate-not-yet-valid";
	else if (client->pinned && now > own->not_after && !client->expired)
		*why = "certificate-expired";
	return *why ? NULL : client;
}

bool
dp_clients_requester_is_others(
	const struct dp_clients *c, struct slice requester, int64_t operator_id)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->rows[i].requester.p && slice_eq(c->rows[i].requester, requester))
			return c->rows[i].operator_id != operator_id;
	return false;
}
