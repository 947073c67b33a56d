#ifndef RSPD_COAP_FRONT_H
#define RSPD_COAP_FRONT_H
/* The [coap] sections of the configuration, as front.h has the [listener] sections. */
#include "coap/coap.h"
#include "conf/conf.h"
#include "dp/dp.h"

struct coap_front;

/* Everything that a reload needs, loaded and checked, with nothing swapped yet. */
struct coap_front_plan;

/*
 * No listener yet. Who serves the requests is said before the first plan; NULL: nobody, and each is answered
 * 5.03.
 */
struct coap_front *coap_front_new(
	struct loop *loop, const struct conf *conf, coap_request_handler *handler, void *binding);
void coap_front_free(struct coap_front *f); /* after coap_front_drain told so */

/*
 * Loads certificates and keys and binds what is new; `world` gives the ticket secrets. NULL: `why` says what
 * is wrong, and nothing has changed.
 */
struct coap_front_plan *coap_front_plan_new(struct coap_front *f, const struct conf *conf,
	const struct dp_world *world, char why[COAP_WHY]);
void coap_front_plan_free(struct coap_front_plan *p);

/* Makes it so, for new sessions; listeners that are not in it any more are stopped. Frees the plan. */
void coap_front_plan_start(struct coap_front *f, struct coap_front_plan *p);

/* Stops all of them; done(arg) when the last one is gone. */
void coap_front_drain(struct coap_front *f, uint32_t ms, void (*done)(void *arg), void *arg);

#endif
