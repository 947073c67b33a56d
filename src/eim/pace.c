/*
 * A token bucket for each of the EIDs that polled last: a table of fixed size, in which a newcomer takes the
 * place of another. So a stranger with many EIDs makes it forgetful, never unjust.
 */
#include "eim/pace.h"
#include <stdlib.h>
#include "base/clock.h"
#include "base/rand.h"

enum { PLACES = 16384, MINUTE_US = 60000000 };

struct place {
	uint64_t key; /* 0: nobody's */
	int64_t paid_until_us;
};

struct eim_pace {
	uint64_t salt;
	struct place places[PLACES];
};

struct eim_pace *
eim_pace_new(void)
{
	struct eim_pace *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	rand_bytes(&p->salt, sizeof p->salt);
	return p;
}

void
eim_pace_free(struct eim_pace *p)
{
	free(p);
}

/* FNV-1a under a salt, so that nobody can choose EIDs that share a place. */
static uint64_t
key_of(const struct eim_pace *p, struct slice eid)
{
	uint64_t h = p->salt ^ UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < eid.n; i++)
		h = (h ^ eid.p[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 29;
	return h ? h : 1;
}

bool
eim_pace_exceeded(const struct eim_pace *p, struct slice eid, unsigned per_minute)
{
	uint64_t key = key_of(p, eid);
	const struct place *at = &p->places[key % PLACES];

	return per_minute && at->key == key && at->paid_until_us - clock_mono_us() > MINUTE_US;
}

/* A poll costs its part of a minute; who is a whole minute ahead has come too often. */
void
eim_pace_count(struct eim_pace *p, struct slice eid, unsigned per_minute)
{
	uint64_t key = key_of(p, eid);
	struct place *at = &p->places[key % PLACES];
	int64_t now = clock_mono_us();

	if (!per_minute)
		return;
	if (at->key != key)
		*at = (struct place){ key, 0 };
	if (at->paid_until_us < now)
		at->paid_until_us = now;
	at->paid_until_us += MINUTE_US / per_minute;
}

void
eim_pace_forget(struct eim_pace *p, struct slice eid)
{
	uint64_t key = key_of(p, eid);
	struct place *at = &p->places[key % PLACES];

	if (at->key == key)
		at->key = 0;
}
