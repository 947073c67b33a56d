/* What the eIM's procedures share: the world that a reload swaps, and whose address is ours. */
#include "eim/eim.h"
#include "eim/pace.h"
#include "eim/poll.h"

void
eim_init(struct eim *eim)
{
	eim->gather = eim_gather_new(eim);
	eim->pace = eim_pace_new();
}

void
eim_fini(struct eim *eim)
{
	eim_gather_free(eim->gather);
	eim_pace_free(eim->pace);
	eim_world_release(eim->world);
	eim->world = NULL;
}

void
eim_world_set(struct eim *eim, struct eim_world *w)
{
	eim_world_release(eim->world);
	eim->world = w;
}

void
eim_world_release(struct eim_world *w)
{
	if (w && !--w->references)
		w->drop(w->owner);
}

static void
let_go(void *world)
{
	eim_world_release(world);
}

struct eim_world *
eim_world_hold(struct eim *eim, struct task *t)
{
	if (!eim->world)
		return NULL;
	eim->world->references++;
	arena_defer(t->mem, let_go, eim->world);
	return eim->world;
}

/* Without port and trailing dot, as addresses are written in profiles and activation codes. */
static struct slice
host_of(struct slice address)
{
	const uint8_t *colon = address.n ? memchr(address.p, ':', address.n) : NULL;

	if (colon)
		address.n = (size_t)(colon - address.p);
	if (address.n && address.p[address.n - 1] == '.')
		address.n--;
	return address;
}

bool
eim_address_ours(const struct eim_world *w, struct slice address)
{
	struct slice host = host_of(slice_trim(address));

	for (size_t i = 0; i < w->settings.name_n; i++)
		if (slice_eq_nocase(host, w->settings.names[i]))
			return true;
	return false;
}
