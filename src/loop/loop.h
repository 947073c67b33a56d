#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H
/*
 * The one event loop of the process, on libevent: it owns the queue of tasks that are ready to run, and
 * whatever else wants to be told of time, sockets and signals registers with its event base.
 */
#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct loop;

struct loop_limits {
	unsigned tasks; /* at most this many at a time; beyond, task_new says no */
};

/* One loop a process. NULL without memory. */
struct loop *loop_new(const struct loop_limits *limits);
/* Only when no task is left. */
void loop_free(struct loop *l);
void loop_limits_set(struct loop *l, const struct loop_limits *limits);

/* Runs until loop_stop. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* For modules that watch sockets, timers or signals; borrowed. */
struct event_base *loop_base_get(struct loop *l);

/* Tasks alive now, and the most there ever were. */
unsigned loop_tasks_get(const struct loop *l);
unsigned loop_tasks_peak_get(const struct loop *l);

/* A timer that repeats until loop_timer_free; `ms` from now and then every `ms`. */
struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *l, uint32_t ms, void (*fire)(void *arg), void *arg);
void loop_timer_free(struct loop_timer *timer);

/* Calls fire(arg) when the signal comes, in the loop, never inside a handler. */
struct loop_signal;
struct loop_signal *loop_signal_new(struct loop *l, int number, void (*fire)(void *arg), void *arg);
void loop_signal_free(struct loop_signal *sig);

#endif
