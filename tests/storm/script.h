#ifndef STORM_SCRIPT_H
#define STORM_SCRIPT_H
/*
 * In place of the store's engine: a script that answers each statement with the row that the stage writes,
 * or, at chosen waits, with any other outcome, in time or after the task's deadline. No time passes: a
 * deadline comes when the script says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <event2/event.h>
#include "loop/int.h"
#include "store/query.h"

enum outcome { AS_WRITTEN, NO_ROW, CONFLICTING, BUSY, UNSURE, BROKEN, OUTCOMES };

/* When the answer comes: at once, or after the deadline; the statement is then still queued, or sent. */
enum moment { IN_TIME, LATE_QUEUED, LATE_SENT, MOMENTS };

enum { SCRIPT_WAITS = 16, SCRIPT_TURNS = 10000 };

static struct {
	enum outcome outcomes[SCRIPT_WAITS + 1]; /* by wait, from 1 */
	unsigned late;                           /* the wait whose answer is late; 0: none */
	enum moment moment;
	void (*write)(unsigned query, const struct want *want); /* the row, or rows */

	unsigned waits, abandoned;
	struct task *held; /* waits for its late answer */
	enum outcome held_outcome;
	struct event *tick;
	unsigned turns, quiet;
} script;

/* Nothing is disturbed. */
static inline void
script_clear(void)
{
	memset(script.outcomes, 0, sizeof script.outcomes);
	script.late = 0;
	script.moment = IN_TIME;
}

static inline void
script_on_abandon(void *arg)
{
	(void)arg;
	script.abandoned++;
	script.held = NULL;
}

static inline void
script_answer(struct task *t, enum outcome outcome)
{
	static const enum trouble troubles[OUTCOMES] = {
		[BUSY] = T_BUSY, [UNSURE] = T_UNSURE, [BROKEN] = T_BROKEN
	};

	task_wake(t,
		outcome == NO_ROW                ? R_NONE
			: outcome == CONFLICTING ? R_CONFLICT
						 : R_OK,
		troubles[outcome]);
}

/* The linker takes this one, not the engine's (store/lane.c). */
const struct step *
query_start(struct task *t, struct store *s, unsigned query, const struct param *params, size_t n,
	struct want want, const struct step *then)
{
	unsigned wait = ++script.waits;
	enum outcome outcome = wait <= SCRIPT_WAITS ? script.outcomes[wait] : AS_WRITTEN;
	bool late = wait == script.late;
	const struct step *waiting = task_wait(t, then, script_on_abandon, NULL);

	(void)s;
	(void)params;
	(void)n;
	if (want.rows)
		*want.rows = (struct rows){ NULL, 0, false };
	if (outcome == AS_WRITTEN)
		script.write(query, &want);
	if (store_catalog.statements[query].writes && !(late && script.moment == LATE_QUEUED))
		t->writing = true;
	if (late) {
		script.held = t;
		script.held_outcome = outcome;
		event_active(((struct running *)t)->deadline, EV_TIMEOUT, 0);
	} else {
		script_answer(t, outcome);
	}
	return waiting;
}

static inline void
script_on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	struct task *held = script.held;

	(void)fd;
	(void)what;
	if (held && ((struct running *)held)->ended) {
		script.held = NULL;
		script_answer(held, script.held_outcome);
	}
	script.quiet = loop_tasks_get(l) ? 0 : script.quiet + 1;
	if (script.quiet > 3 || ++script.turns > SCRIPT_TURNS)
		loop_stop(l);
	else
		event_active(script.tick, EV_TIMEOUT, 0);
}

/* Runs the loop until no task is left, and a little longer: nothing may come after the end. */
static inline void
script_play(struct loop *l)
{
	script.turns = script.quiet = 0;
	script.tick = event_new(loop_base_get(l), -1, 0, script_on_turn, l);
	event_active(script.tick, EV_TIMEOUT, 0);
	loop_run(l);
	event_free(script.tick);
}

#endif
