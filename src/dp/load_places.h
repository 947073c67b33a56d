#ifndef DP_LOAD_PLACES_H
#define DP_LOAD_PLACES_H
/*
 * Places of bulk loads: each has a session with the database of its own, so only a few run at a time. Who
 * finds no place waits for one a little while. A load whose rows come too slowly may take its time as long as
 * nobody waits; then it gives its place up.
 */
#include "dp/dp.h"

enum {
	DP_LOADS = 4,             /* at a time, in one instance */
	DP_LOAD_WAIT_S = 15,      /* for a place */
	DP_LOAD_PACE_ROWS = 1000, /* fewer than these … */
	DP_LOAD_PACE_S = 10,      /* … for which it was waited so long: too slow … */
	DP_LOAD_SLOW_S = 3600,    /* … and so is a load for which it was waited so long in all */
};

struct dp_rows;
struct loop_timer;

/* One load, in its procedure's struct. */
struct dp_load_place {
	struct dp_load_places *places; /* NULL: it never asked */
	struct dp_load_place *next;    /* of those that wait */
	struct task *task;
	struct slice source; /* what it loads, for people */
	int64_t asked_us;
	struct dp_rows *rows; /* these are waited for; NULL: it is at work */
	int64_t paused_us;    /* since then */
	int64_t waited_us;    /* for the rows since the pace was looked at last … */
	int64_t waited_all_us;
	int64_t paced_rows; /* … when there were so many */
	bool given_up;
};

struct dp_load_places {
	struct dp_load_place *running[DP_LOADS];
	struct dp_load_place *first; /* that waits */
	struct loop_timer *timer;    /* while one waits */
};

/* R_NONE: there was none in time. The place goes with the task. */
const struct step *dp_load_place_find(struct task *t, struct dp *dp, struct dp_load_place *p,
	struct slice source, const struct step *then) MUST_RETURN;

/* It begins to wait for rows; it goes on, when it has read so many in all. */
void dp_load_place_pause(struct dp_load_place *p, struct dp_rows *rows);
void dp_load_place_resume(struct dp_load_place *p, int64_t rows);

/* What runs, for people: "a.csv, b.csv"; in the arena. */
const char *dp_load_places_name(struct arena *mem, const struct dp_load_places *places);

void dp_load_places_fini(struct dp_load_places *places);

#endif
