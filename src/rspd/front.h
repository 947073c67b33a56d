#ifndef RSPD_FRONT_H
#define RSPD_FRONT_H
/* The listeners of the configuration: made, checked, reloaded and stopped together. */
#include "conf/conf.h"
#include "dp/dp.h"
#include "eim/eim.h"
#include "https/https.h"

struct front;

/* Everything that a reload needs, loaded and checked, with nothing swapped yet. */
struct front_plan;

/* No listener yet. */
struct front *front_new(struct loop *loop, struct dp *dp, struct eim *eim, const struct conf *conf);
void front_free(struct front *f); /* after front_drain told so */

/*
 * Loads certificates and binds what is new; `world` gives the ticket secrets. NULL: `why` says what is
 * wrong, and nothing has changed.
 */
struct front_plan *front_plan_new(struct front *f, const struct conf *conf,
	const struct dp_world *world, char why[HTTPS_WHY]);
void front_plan_free(struct front_plan *p);

/* Makes it so, for new connections; listeners that are not in it any more are stopped. Frees the plan. */
void front_plan_start(struct front *f, struct front_plan *p);

/* Stops all of them; done(arg) when the last connection is gone. */
void front_drain(struct front *f, uint32_t ms, void (*done)(void *arg), void *arg);

#endif
