/*
 * Who may load now, who waits, and who gives up a place because others wait. Only the time for which a load's
 * peer let it wait counts against it, never that of the database.
 */
#include "dp/load_places.h"
#include "base/buf.h"
#include "base/clock.h"
#include "dp/orders.h"
#include "loop/loop.h"

enum { LOOK_MS = 500, NAMES_MAX = 200 };

#define SECONDS(n) ((n)*INT64_C(1000000))

static struct dp_load_place **
find(struct dp_load_places *places, const struct dp_load_place *p)
{
	for (size_t i = 0; i < DP_LOADS; i++)
		if (places->running[i] == p)
			return &places->running[i];
	return NULL;
}

/* How long it was waited for its rows by now: since the last look at its pace, or in all. */
static int64_t
waited(const struct dp_load_place *p, int64_t so_far, int64_t now)
{
	return so_far + (p->rows ? now - p->paused_us : 0);
}

static bool
is_slow(const struct dp_load_place *p, int64_t now)
{
	return p->rows && !p->given_up &&
		(waited(p, p->waited_us, now) >= SECONDS(DP_LOAD_PACE_S) ||
			waited(p, p->waited_all_us, now) >= SECONDS(DP_LOAD_SLOW_S));
}

/* The slowest one goes for the next that waits; nobody when all get on, or one is on its way out. */
static void
make_room(struct dp_load_places *places, int64_t now)
{
	struct dp_load_place *slowest = NULL;

	for (size_t i = 0; i < DP_LOADS; i++) {
		struct dp_load_place *p = places->running[i];

		if (p && p->given_up)
			return;
		if (p && is_slow(p, now) &&
			(!slowest ||
				waited(p, p->waited_all_us, now) >
					waited(slowest, slowest->waited_all_us, now)))
			slowest = p;
	}
	if (slowest) {
		slowest->given_up = true;
		slowest->rows->stop(slowest->rows, slowest->task);
	}
}

static void
leave_queue(struct dp_load_place *p)
{
	struct dp_load_places *places = p->places;
	struct dp_load_place **at = &places->first;

	while (*at && *at != p)
		at = &(*at)->next;
	if (*at)
		*at = p->next;
	if (!places->first && places->timer) {
		loop_timer_free(places->timer);
		places->timer = NULL;
	}
}

static void
wake(struct dp_load_place *p, enum got got)
{
	leave_queue(p);
	task_wake(p->task, got, T_NONE);
}

static void
look(void *arg)
{
	struct dp_load_places *places = arg;
	int64_t now = clock_mono_us();

	while (places->first && now - places->first->asked_us >= SECONDS(DP_LOAD_WAIT_S))
		wake(places->first, R_NONE);
	if (places->first)
		make_room(places, now);
}

/* The task ends. */
static void
leave(void *arg)
{
	struct dp_load_place *p = arg, **held = find(p->places, p);
	struct dp_load_place *next = p->places->first;

	if (!held)
		return;
	*held = next;
	if (next)
		wake(next, R_OK);
}

/* The task's deadline came, or it is refused otherwise. */
static void
abandon(void *arg)
{
	leave_queue(arg);
}

const struct step *
dp_load_place_find(struct task *t, struct dp *dp, struct dp_load_place *p, struct slice source,
	const struct step *then)
{
	struct dp_load_places *places = dp->loads;
	struct dp_load_place **free = find(places, NULL), **last = &places->first;
	const struct step *wait;

	*p = (struct dp_load_place){
		.places = places, .task = t, .source = source, .asked_us = clock_mono_us()
	};
	arena_defer(t->mem, leave, p);
	if (free) {
		*free = p;
		t->got = R_OK;
		return then;
	}
	wait = task_wait(t, then, abandon, p);
	while (*last)
		last = &(*last)->next;
	*last = p;
	if (!places->timer)
		places->timer = loop_timer_new(dp->loop, LOOK_MS, look, places);
	make_room(places, p->asked_us);
	return wait;
}

void
dp_load_place_pause(struct dp_load_place *p, struct dp_rows *rows)
{
	p->rows = rows;
	p->paused_us = clock_mono_us();
}

void
dp_load_place_resume(struct dp_load_place *p, int64_t rows)
{
	int64_t paused = p->rows ? clock_mono_us() - p->paused_us : 0;

	p->rows = NULL;
	p->waited_us += paused;
	p->waited_all_us += paused;
	if (rows - p->paced_rows >= DP_LOAD_PACE_ROWS) {
		p->paced_rows = rows;
		p->waited_us = 0;
	}
}

const char *
dp_load_places_name(struct arena *mem, const struct dp_load_places *places)
{
	const char *names = "";

	for (size_t i = 0; i < DP_LOADS; i++)
		if (places->running[i])
			names = arena_printf(mem, "%s%s%.*s", names, *names ? ", " : "",
				(int)(places->running[i]->source.n < NAMES_MAX
						? places->running[i]->source.n
						: NAMES_MAX),
				(const char *)places->running[i]->source.p);
	return names;
}

void
dp_load_places_fini(struct dp_load_places *places)
{
	if (places->timer)
		loop_timer_free(places->timer);
	places->timer = NULL;
}
