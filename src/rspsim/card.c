/*
 * The card in memory: its making, its credentials, what an RSP session leaves behind and what
 * ends with it.
 */
#include <openssl/objects.h>
#include <stdlib.h>
#include "base/rand.h"
#include "base/text.h"
#include "rspsim/card.h"
#include "rspsim/cert.h"
#include "rspsim/crypto.h"

enum { ARENA_CAP = 64 << 20, MEMORY = 1 << 20, FIRST_AID = 0x10 };

struct rspsim_card *
rspsim_card_new(const char *eid)
{
	struct rspsim_card *card = calloc(1, sizeof *card);
	struct slice octets;

	if (!card)
		abort();
	arena_init(&card->keys_mem, ARENA_CAP, NULL, NULL);
	arena_init(&card->state_mem, ARENA_CAP, NULL, NULL);
	arena_init(&card->session_mem, ARENA_CAP, NULL, NULL);
	snprintf(card->eid, sizeof card->eid, "%s", eid);
	if (!text_unhex(&card->keys_mem, slice_text(eid), &octets) ||
		octets.n != sizeof card->eid_octets)
		abort();
	memcpy(card->eid_octets, octets.p, octets.n);
	memcpy(card->svn, (const uint8_t[]){ 2, 2, 2 }, 3);
	memcpy(card->profile_version, (const uint8_t[]){ 2, 3, 1 }, 3);
	card->memory = MEMORY;
	card->next_aid = FIRST_AID;
	return card;
}

void
rspsim_card_end_session(struct rspsim_card *card)
{
	X509_free(card->session.dp_pb);
	explicit_bzero(&card->session, sizeof card->session);
	arena_fini(&card->session_mem);
	arena_init(&card->session_mem, ARENA_CAP, NULL, NULL);
}

void
rspsim_card_reset(struct rspsim_card *card)
{
	rspsim_card_end_session(card);
	for (struct rspsim_one_time *k = card->one_times; k; k = k->next)
		EVP_PKEY_free(k->key);
	card->one_times = NULL;
	card->profiles = NULL;
	card->notifications = NULL;
	card->iot = (struct rspsim_iot){ 0 };
	arena_fini(&card->state_mem);
	arena_init(&card->state_mem, ARENA_CAP, NULL, NULL);
}

void
rspsim_card_free(struct rspsim_card *card)
{
	if (!card)
		return;
	rspsim_card_reset(card);
	for (size_t i = 0; i < card->ci_count; i++) {
		X509_free(card->ci[i].root);
		X509_free(card->ci[i].eum);
		X509_free(card->ci[i].certificate);
		EVP_PKEY_free(card->ci[i].key);
	}
	arena_fini(&card->session_mem);
	arena_fini(&card->state_mem);
	arena_fini(&card->keys_mem);
	free(card);
}

bool
rspsim_card_add_ci(
	struct rspsim_card *card, X509 *root, X509 *eum, X509 *certificate, EVP_PKEY *key)
{
	struct rspsim_ci *ci = card->ci + card->ci_count;

	if (card->ci_count == RSPSIM_CI_MAX || rspsim_cert_key_id(root).n != 20 ||
		X509_check_private_key(certificate, key) != 1 ||
		rspsim_key_curve(key) == NID_undef) {
		X509_free(root);
		X509_free(eum);
		X509_free(certificate);
		EVP_PKEY_free(key);
		return false;
	}
	*ci = (struct rspsim_ci){ root, rspsim_cert_key_id(root), eum, certificate, key,
		rspsim_cert_der(&card->keys_mem, eum),
		rspsim_cert_der(&card->keys_mem, certificate) };
	card->ci_count++;
	return true;
}

const struct rspsim_ci *
rspsim_card_find_ci(const struct rspsim_card *card, struct slice key_id)
{
	for (size_t i = 0; i < card->ci_count; i++)
		if (slice_eq(card->ci[i].key_id, key_id))
			return card->ci + i;
	return NULL;
}

uint32_t
rspsim_card_free_memory(const struct rspsim_card *card)
{
	uint32_t used = 0;

	for (const struct rspsim_profile *p = card->profiles; p; p = p->next)
		used += p->size;
	return used < card->memory ? card->memory - used : 0;
}

struct rspsim_profile *
rspsim_card_find_profile(const struct rspsim_card *card, const uint8_t iccid[10])
{
	struct rspsim_profile *p = card->profiles;

	while (p && memcmp(p->iccid, iccid, sizeof p->iccid) != 0)
		p = p->next;
	return p;
}

void
rspsim_eid_new(const char *prefix, char eid[33])
{
	size_t n = strlen(prefix);
	unsigned rest = 0;
	uint8_t random[30];

	rand_bytes(random, sizeof random);
	for (size_t i = 0; i < 30; i++) {
		eid[i] = i < n ? prefix[i] : (char)('0' + random[i] % 10);
		rest = (rest * 10 + (unsigned)(eid[i] - '0')) % 97;
	}
	rest = 98 - rest * 100 % 97;
	snprintf(eid + 30, 3, "%02u", rest);
}
