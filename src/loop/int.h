#ifndef LOOP_INT_H
#define LOOP_INT_H
/* What the loop and the task runner know of each other. */
#include <setjmp.h>
#include <stddef.h>
#include <event2/event.h>
#include "loop/loop.h"
#include "loop/task.h"

enum { PROCEDURES = 64 };

/* A task and what only the runner sees of it; `task` is its first member. */
struct running {
	struct task task;
	struct arena arena;
	struct loop *loop;
	struct running *prev, *next; /* all tasks, in order of birth */
	struct running *ready_next;
	const struct step *at; /* the step that runs, or that comes after the wait */
	bool waiting, ready, ended, on_reserve;
	void (*abandon)(void *arg);
	void *abandon_arg;
	task_end *end;
	struct event *deadline;
	bool catching; /* `nomem` leads somewhere: a step or the end runs */
	jmp_buf nomem;
	max_align_t state[]; /* the procedure's struct */
};

struct loop {
	struct event_base *base;
	struct event *turn; /* active while tasks are ready */
	struct running *oldest, *newest;
	struct running *ready_first, *ready_last;
	struct loop_limits limits;
	unsigned tasks, peak;
	const struct procedure *procedures[PROCEDURES];
};

/* Runs what is ready for a few milliseconds; called by the loop's own event. */
void task_turn(struct loop *l);

#endif
