/* The event loop: libevent's base, timers and signals, and the turn in which ready tasks run. */
#include <stdlib.h>
#include "base/log.h"
#include "loop/int.h"

struct loop_timer {
	struct event *event;
	void (*fire)(void *arg);
	void *arg;
};

struct loop_signal {
	struct event *event;
	void (*fire)(void *arg);
	void *arg;
};

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	task_turn(arg);
}

/* libevent's own words, as lines of ours. */
static void
on_libevent(int severity, const char *words)
{
	if (severity >= EVENT_LOG_WARN)
		LOG(loop, WARNING, "libevent=\"%s\"", words);
	else
		LOG(loop, DEBUG, "libevent=\"%s\"", words);
}

struct loop *
loop_new(const struct loop_limits *limits)
{
	struct loop *l = calloc(1, sizeof *l);
	struct event_config *config = event_config_new();

	if (!l || !config)
		abort();
	event_set_log_callback(on_libevent);
	/* Descriptors that change their interest twice in a turn cost no system call; none is dup'ed. */
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	l->limits = *limits;
	l->base = event_base_new_with_config(config);
	event_config_free(config);
	if (l->base)
		l->turn = event_new(l->base, -1, 0, on_turn, l);
	if (!l->turn)
		abort();
	return l;
}

void
loop_free(struct loop *l)
{
	event_free(l->turn);
	event_base_free(l->base);
	free(l);
}

void
loop_limits_set(struct loop *l, const struct loop_limits *limits)
{
	l->limits = *limits;
}

void
loop_run(struct loop *l)
{
	event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void
loop_stop(struct loop *l)
{
	event_base_loopbreak(l->base);
}

struct event_base *
loop_base_get(struct loop *l)
{
	return l->base;
}

unsigned
loop_tasks_get(const struct loop *l)
{
	return l->tasks;
}

unsigned
loop_tasks_peak_get(const struct loop *l)
{
	return l->peak;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *timer = arg;

	(void)fd;
	(void)what;
	timer->fire(timer->arg);
}

struct loop_timer *
loop_timer_new(struct loop *l, uint32_t ms, void (*fire)(void *arg), void *arg)
{
	struct loop_timer *timer = calloc(1, sizeof *timer);
	struct timeval every = { ms / 1000, ms % 1000 * 1000 };

	if (!timer)
		abort();
	timer->fire = fire;
	timer->arg = arg;
	timer->event = event_new(l->base, -1, EV_PERSIST, on_timer, timer);
	if (!timer->event || event_add(timer->event, &every) < 0)
		abort();
	return timer;
}

void
loop_timer_free(struct loop_timer *timer)
{
	if (!timer)
		return;
	event_free(timer->event);
	free(timer);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct loop_signal *sig = arg;

	(void)fd;
	(void)what;
	sig->fire(sig->arg);
}

struct loop_signal *
loop_signal_new(struct loop *l, int number, void (*fire)(void *arg), void *arg)
{
	struct loop_signal *sig = calloc(1, sizeof *sig);

	if (!sig)
		abort();
	sig->fire = fire;
	sig->arg = arg;
	sig->event = evsignal_new(l->base, number, on_signal, sig);
	if (!sig->event || event_add(sig->event, NULL) < 0)
		abort();
	return sig;
}

void
loop_signal_free(struct loop_signal *sig)
{
	if (!sig)
		return;
	event_free(sig->event);
	free(sig);
}
