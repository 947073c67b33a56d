/*
 * The one connection that listens. NOTIFY is never part of a fact's statement, since it makes commits
 * queue behind each other; whoever has news says so here, and a channel is notified at most once per
 * 100 ms. Whoever listens is also called after each new connection: timers make the rest certain. It also
 * holds the lock by which other instances see that this one lives.
 */
#include <assert.h>
#include <stdio.h>
#include "base/clock.h"
#include "store/int.h"

enum { NOTIFY_MS = 100, ANSWER_MS = 5000 };

static const struct field notify_params[] = { { "channel", KIND_TEXT } };
static const struct statement notify_statement = {
	.name = "store_notify",
	.params = notify_params,
	.param_count = 1,
	.text = "select pg_notify($1, '')",
};
static const struct statement *const statements[] = { &notify_statement };

static struct channel *
find_channel(struct listener *l, const char *name)
{
	for (size_t i = 0; i < l->channel_count; i++)
		if (!strcmp(l->channels[i].name, name))
			return &l->channels[i];
	return NULL;
}

/* Names are the program's constants; they stand in SQL as they are. */
static struct channel *
add_channel(struct listener *l, const char *name)
{
	struct channel *channel = find_channel(l, name);

	if (channel)
		return channel;
	assert(l->channel_count < LISTEN_CHANNELS);
	assert(strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name));
	channel = &l->channels[l->channel_count++];
	channel->name = name;
	return channel;
}

static void
send_pending(struct listener *l)
{
	int64_t now = clock_mono_us();

	for (size_t i = 0; i < l->channel_count; i++) {
		struct channel *channel = &l->channels[i];
		const char *octets[] = { channel->name };
		int lengths[] = { (int)strlen(channel->name) };

		if (!channel->pending || l->conn.state != CONN_FREE ||
			(now - channel->sent_us < NOTIFY_MS * 1000 && !l->draining))
			continue;
		channel->pending = false;
		channel->sent_us = now;
		conn_send(&l->conn, channel, &notify_statement,
			&(struct values){ octets, lengths, 1 });
	}
}

/* Runs while something is pending and not longer. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	struct timeval wait = { 0, NOTIFY_MS * 1000 };

	(void)fd;
	(void)what;
	send_pending(l);
	for (size_t i = 0; i < l->channel_count; i++)
		if (l->channels[i].pending)
			event_add(l->timer, &wait);
}

static void
on_up(struct conn *c)
{
	struct listener *l = c->owner;

	if (l->held)
		l->held(l->held_arg, true);
	for (size_t i = 0; i < l->channel_count; i++)
		if (l->channels[i].heard)
			l->channels[i].heard(l->channels[i].arg);
	send_pending(l);
}

static void
on_answered(struct conn *c, PGresult *r)
{
	c->asker = NULL;
	if (remedy_of(r) != REMEDY_NONE)
		LOG(store, ERROR, "statement=%s %s", c->statement->name, result_words(r));
	send_pending(c->owner);
}

static void
on_down(struct conn *c)
{
	const struct listener *l = c->owner;
	struct channel *channel = c->asker;

	if (l->held)
		l->held(l->held_arg, false);
	if (channel)
		store_notify(c->store, channel->name);
}

static void
on_heard(struct conn *c, const char *name)
{
	struct channel *channel = find_channel(c->owner, name);

	if (channel && channel->heard)
		channel->heard(channel->arg);
}

static const struct conn_user listening = { "listen", on_up, on_answered, on_down, on_heard };

void
listener_init(struct listener *l, struct store *s)
{
	l->timer = evtimer_new(s->base, on_timer, l);
	conn_init(&l->conn, s, &listening, l);
	l->conn.commands = l->commands;
	l->conn.statements = statements;
	l->conn.statement_count = 1;
	l->conn.answer_ms = ANSWER_MS;
	conn_start(&l->conn);
}

void
listener_fini(struct listener *l)
{
	conn_fini(&l->conn);
	event_free(l->timer);
}

bool
listener_is_idle(const struct listener *l)
{
	for (size_t i = 0; i < l->channel_count; i++)
		if (l->channels[i].pending)
			return false;
	return l->conn.state != CONN_BUSY;
}

void
store_listen(struct store *s, const char *name, void (*heard)(void *arg), void *arg)
{
	struct listener *l = &s->listener;
	struct channel *channel = add_channel(l, name);

	assert(!channel->heard);
	channel->heard = heard;
	channel->arg = arg;
	snprintf(channel->command, sizeof channel->command, "listen %s", name);
	l->commands[l->conn.command_count++] = channel->command;
	conn_renew(&l->conn);
}

void
store_hold(struct store *s, struct slice owner, void (*held)(void *arg, bool is_held), void *arg)
{
	struct listener *l = &s->listener;
	char uuid[33];

	assert(!l->held && owner.n == 16);
	for (size_t i = 0; i < owner.n; i++)
		snprintf(uuid + 2 * i, 3, "%02x", owner.p[i]);
	l->held = held;
	l->held_arg = arg;
	snprintf(l->lock, sizeof l->lock, "select pg_advisory_lock_shared(outbox_owner_key('%s'))",
		uuid);
	l->commands[l->conn.command_count++] = l->lock;
	conn_renew(&l->conn);
}

void
store_notify(struct store *s, const char *name)
{
	struct listener *l = &s->listener;

	add_channel(l, name)->pending = true;
	if (!event_pending(l->timer, EV_TIMEOUT, NULL))
		on_timer(-1, 0, l);
}

void
store_drain(struct store *s)
{
	s->listener.draining = true;
	send_pending(&s->listener);
}
