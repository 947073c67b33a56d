/*
 * One peer of the control socket: its lines in, its answers out, one request at a time. While a request
 * runs, and until its answer has gone, nothing more is read, so a peer's memory here is bounded by one line
 * and one answer. Octets that follow the request of a verb that streams are read as the verb takes them,
 * and the peer sends no more than it was allowed. A peer that has left is forgotten at once, or when its
 * request has ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include "ctl/int.h"
#include "loop/loop.h"

enum {
	IDLE_SECONDS = 120,
	WRITE_SECONDS = 30,
	LEAVE_SECONDS = 5,
	STREAM_WINDOW = 512 * 1024, /* octets on their way */
	STREAM_STEP = 64 * 1024,    /* so many were used before more are allowed */
	FRAME_HEAD = 12,            /* digits and line end of a frame's length, at most */
};

struct stream {
	bool open;             /* the request streams, and its answer has not been given */
	bool ended, gone;      /* the peer said so; or it left, or broke the frames */
	size_t frame;          /* octets of the frame that are still to come */
	struct evbuffer *lent; /* what the verb reads now; ours, so that it outlives the peer */
	uint64_t used;         /* octets so far */
	uint64_t allowed;      /* as the peer was told */
	struct task *task;     /* waits */
};

struct ctl_connection {
	struct ctl *ctl;
	struct ctl_connection *prev, *next;
	struct bufferevent *bev; /* NULL: the peer has left while its request runs */
	bool busy;               /* a request runs */
	bool last;               /* what is written is the end; what still comes is thrown away */
	bool left;               /* the peer sends nothing more: drop it when all is written */
	struct stream stream;
	char actor[CTL_ACTOR];
};

static void
drop(struct ctl_connection *n)
{
	if (n->bev)
		bufferevent_free(n->bev);
	if (n->stream.open)
		evbuffer_free(n->stream.lent);
	if (n->prev)
		n->prev->next = n->next;
	else
		n->ctl->connections = n->next;
	if (n->next)
		n->next->prev = n->prev;
	n->ctl->count--;
	free(n);
}

static void
write_line(struct ctl_connection *n, const json_t *answer)
{
	char *text = n->bev ? json_dumps(answer, JSON_COMPACT) : NULL;

	if (!text)
		return;
	bufferevent_write(n->bev, text, strlen(text));
	bufferevent_write(n->bev, "\n", 1);
	free(text);
}

/*
 * All that is written goes out, then the peer is told that nothing follows. It may still be sending, and
 * closing at once would take our last words away from it: so it has a few seconds to leave.
 */
static void
end_when_written(struct ctl_connection *n)
{
	static const struct timeval leave = { LEAVE_SECONDS, 0 };

	n->last = true;
	bufferevent_set_timeouts(n->bev, &leave, &leave);
	bufferevent_enable(n->bev, EV_READ | EV_WRITE);
	if (evbuffer_get_length(bufferevent_get_output(n->bev)) == 0)
		shutdown(bufferevent_getfd(n->bev), SHUT_WR);
}

static bool
has_line(struct ctl_connection *n)
{
	return evbuffer_search(bufferevent_get_input(n->bev), "\n", 1, NULL).pos >= 0;
}

/* Starts the next request, if a whole line of it is there. */
static void
take_line(struct ctl_connection *n)
{
	struct evbuffer *in = bufferevent_get_input(n->bev);
	struct evbuffer_ptr end = evbuffer_search(in, "\n", 1, NULL);
	json_error_t fault;
	json_t *request;

	if (n->last)
		evbuffer_drain(in, evbuffer_get_length(in));
	if (n->busy || n->last || evbuffer_get_length(bufferevent_get_output(n->bev)))
		return;
	if (end.pos < 0 ? evbuffer_get_length(in) >= CTL_LINE_MAX : end.pos >= CTL_LINE_MAX) {
		json_t *answer = ctl_error_new("line-too-long", "a request is longer than 2 MiB",
			"send one request a line");

		write_line(n, answer);
		json_decref(answer);
		end_when_written(n);
		return;
	}
	if (end.pos < 0)
		return;
	request = json_loadb((const char *)evbuffer_pullup(in, end.pos + 1), (size_t)end.pos,
		JSON_REJECT_DUPLICATES, &fault);
	evbuffer_drain(in, (size_t)end.pos + 1);
	n->busy = true;
	bufferevent_disable(n->bev, EV_READ);
	ctl_call_start(n->ctl, n, n->actor, request);
}

/* The next line; not at once, for a run of bad lines would become as many calls inside each other. */
static void
go_on(struct ctl_connection *n)
{
	bufferevent_enable(n->bev, EV_READ);
	bufferevent_trigger(n->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_OPT_DEFER_CALLBACKS);
}

/* ---- octets behind a request ---- */

static void
wake(struct ctl_connection *n)
{
	struct task *t = n->stream.task;

	n->stream.task = NULL;
	if (n->bev)
		bufferevent_disable(n->bev, EV_READ);
	if (t)
		task_wake(t, R_OK, T_NONE);
}

/* The peer may go on when it has used up a good part of what it was allowed. */
static void
allow(struct ctl_connection *n)
{
	struct stream *s = &n->stream;
	json_t *go;

	if (s->allowed - s->used > STREAM_WINDOW - STREAM_STEP)
		return;
	s->allowed = s->used + STREAM_WINDOW;
	go = json_pack("{sI}", "go", (json_int_t)s->allowed);
	write_line(n, go);
	json_decref(go);
}

void
ctl_stream_start(struct ctl_connection *n)
{
	n->stream = (struct stream){ .open = true, .lent = evbuffer_new() };
	if (!n->stream.lent)
		abort();
	bufferevent_set_max_single_read(n->bev, STREAM_STEP * 2);
	allow(n);
}

/* False when it is not there yet, or is none. */
static bool
read_head(struct ctl_connection *n)
{
	struct evbuffer *in = bufferevent_get_input(n->bev);
	struct evbuffer_ptr end = evbuffer_search(in, "\n", 1, NULL);
	struct stream *s = &n->stream;
	char text[FRAME_HEAD + 1];
	uint64_t size;

	if (end.pos < 0 && evbuffer_get_length(in) < FRAME_HEAD)
		return false;
	if (end.pos < 0 || end.pos >= FRAME_HEAD ||
		evbuffer_remove(in, text, (size_t)end.pos + 1) < 0 ||
		!slice_to_u64(slice_of(text, (size_t)end.pos), STREAM_WINDOW, &size)) {
		s->gone = true;
		return false;
	}
	s->frame = size;
	s->ended = size == 0;
	return size > 0;
}

enum ctl_stream_got
ctl_stream_read(struct ctl_connection *n, struct slice *piece)
{
	struct stream *s = &n->stream;
	size_t used = evbuffer_get_length(s->lent), have;
	struct evbuffer *in;

	evbuffer_drain(s->lent, used);
	if (!n->bev)
		return STREAM_GONE;
	in = bufferevent_get_input(n->bev);
	s->used += used;
	if (!s->ended && !s->gone)
		allow(n);
	if (s->gone || (s->frame == 0 && !s->ended && !read_head(n) && s->gone))
		return STREAM_GONE;
	if (s->ended)
		return STREAM_END;
	have = evbuffer_get_contiguous_space(in);
	if (s->frame == 0 || have == 0)
		return STREAM_WAIT;
	if (have > s->frame)
		have = s->frame;
	if (evbuffer_remove_buffer(in, s->lent, have) != (int)have)
		abort();
	s->frame -= have;
	*piece = slice_of(evbuffer_pullup(s->lent, -1), have);
	return STREAM_PIECE;
}

static void
forget_task(void *arg)
{
	((struct ctl_connection *)arg)->stream.task = NULL;
}

const struct step *
ctl_stream_wait(struct ctl_connection *n, struct task *t, const struct step *then)
{
	const struct step *wait = task_wait(t, then, forget_task, n);

	n->stream.task = t;
	bufferevent_enable(n->bev, EV_READ);
	return wait;
}

void
ctl_stream_stop(struct ctl_connection *n)
{
	n->stream.gone = true;
	wake(n);
}

void
ctl_connections_drain(struct ctl *c)
{
	for (struct ctl_connection *n = c->connections; n; n = n->next)
		if (n->stream.open && !n->stream.ended)
			ctl_stream_stop(n);
}

/* A stream whose end has not come cannot be told from the next request: the connection ends with it. */
static bool
end_stream(struct ctl_connection *n)
{
	bool cut = n->stream.open && !n->stream.ended;

	if (n->stream.open)
		evbuffer_free(n->stream.lent);
	n->stream.open = false;
	return cut && n->bev;
}

void
ctl_connection_answer(struct ctl_connection *n, json_t *answer)
{
	n->busy = false;
	write_line(n, answer);
	json_decref(answer);
	if (end_stream(n))
		end_when_written(n);
	else if (!n->bev)
		drop(n);
	else if (evbuffer_get_length(bufferevent_get_output(n->bev)) == 0)
		go_on(n); /* else on_write does, when the peer has taken it */
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct ctl_connection *n = arg;

	(void)bev;
	if (n->stream.open)
		wake(n);
	else
		take_line(n);
}

static void
on_write(struct bufferevent *bev, void *arg)
{
	struct ctl_connection *n = arg;

	(void)bev;
	if (n->left)
		drop(n);
	else if (n->last)
		shutdown(bufferevent_getfd(n->bev), SHUT_WR);
	else if (!n->busy)
		go_on(n);
}

/* The peer sends nothing more: it goes when its answers have gone. */
static void
drop_when_written(struct ctl_connection *n)
{
	if (evbuffer_get_length(bufferevent_get_output(n->bev)) == 0)
		drop(n);
	else
		n->left = true;
}

/* A peer that has only ended its own sending still gets its answers. */
static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct ctl_connection *n = arg;

	if (n->stream.open) {
		bufferevent_free(bev);
		n->bev = NULL;
		wake(n);
	} else if (what & BEV_EVENT_EOF) {
		take_line(n); /* lines may still wait; reading again after them comes back here */
		if (!n->busy && !has_line(n))
			drop_when_written(n);
	} else if (n->busy) {
		bufferevent_free(bev);
		n->bev = NULL;
	} else {
		drop(n);
	}
}

static struct ctl_connection *
connection_new(struct ctl *c, int fd, const char *actor)
{
	static const struct timeval idle = { IDLE_SECONDS, 0 }, slow = { WRITE_SECONDS, 0 };
	struct ctl_connection *n = calloc(1, sizeof *n);

	if (!n)
		abort();
	n->ctl = c;
	n->next = c->connections;
	if (n->next)
		n->next->prev = n;
	c->connections = n;
	c->count++;
	snprintf(n->actor, sizeof n->actor, "%s", actor);
	n->bev = bufferevent_socket_new(loop_base_get(c->loop), fd, BEV_OPT_CLOSE_ON_FREE);
	if (!n->bev)
		abort();
	bufferevent_setcb(n->bev, on_read, on_write, on_event, n);
	bufferevent_setwatermark(n->bev, EV_READ, 0, CTL_LINE_MAX + 1);
	bufferevent_set_timeouts(n->bev, &idle, &slow);
	return n;
}

void
ctl_connection_new(struct ctl *c, int fd, const char *actor)
{
	bufferevent_enable(connection_new(c, fd, actor)->bev, EV_READ | EV_WRITE);
}

void
ctl_connection_refuse(
	struct ctl *c, int fd, const char *code, const char *words, const char *advice)
{
	struct ctl_connection *n = connection_new(c, fd, "");
	json_t *answer = ctl_error_new(code, words, advice);

	write_line(n, answer);
	json_decref(answer);
	end_when_written(n);
}

void
ctl_connections_free(struct ctl *c)
{
	while (c->connections)
		drop(c->connections);
}
