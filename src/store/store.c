/* The store as a whole: its lanes and its listener begin, end, and are looked at. */
#include <stdlib.h>
#include "store/int.h"

/* Statements end before the procedures that wait for them: a peer's in 10 s, an operator's in 60 s. */
enum { ONLINE_MS = 9000, BACKGROUND_MS = 55000 };

struct store *
store_new_of(
	struct loop *loop, const struct store_settings *settings, const struct catalog *catalog)
{
	struct store *s = calloc(1, sizeof *s);
	const struct lane_settings lanes[] = {
		{ LANE_ONLINE, settings->online_connections, settings->queue, ONLINE_MS },
		{ LANE_BACKGROUND, settings->background_connections, settings->queue,
			BACKGROUND_MS },
	};

	if (!s)
		abort();
	s->loop = loop;
	s->base = loop_base_get(loop);
	s->conninfo = strdup(settings->connection);
	s->catalog = catalog;
	s->stats = calloc(catalog->statement_count + 1, sizeof *s->stats);
	if (!s->conninfo || !s->stats)
		abort();
	for (size_t i = 0; i < catalog->statement_count; i++)
		s->stats[i].tells = strstr(catalog->statements[i].text, "insert into outbox");
	for (size_t i = 0; i < LANE_COUNT; i++)
		lane_init(&s->lanes[i], s, &lanes[i]);
	listener_init(&s->listener, s);
	return s;
}

struct store *
store_new(struct loop *loop, const struct store_settings *settings)
{
	return store_new_of(loop, settings, &store_catalog);
}

void
store_free(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < LANE_COUNT; i++)
		lane_fini(&s->lanes[i]);
	listener_fini(&s->listener);
	free(s->stats);
	free(s->conninfo);
	free(s);
}

void
store_told_set(struct store *s, void (*told)(void *arg), void *arg)
{
	s->told = told;
	s->told_arg = arg;
}

bool
store_ready(const struct store *s)
{
	return s->lanes[LANE_ONLINE].down_since_us == 0;
}

bool
store_idle(const struct store *s)
{
	for (size_t i = 0; i < LANE_COUNT; i++)
		if (!lane_is_idle(&s->lanes[i]))
			return false;
	return listener_is_idle(&s->listener);
}

void
store_statements_each(const struct store *s,
	void (*visit)(void *arg, const struct store_statement_view *v), void *arg)
{
	for (size_t i = 0; i < s->catalog->statement_count; i++) {
		const struct statement_stats *stats = &s->stats[i];
		const struct store_statement_view v = { .name = s->catalog->statements[i].name,
			.count = stats->count,
			.errors = stats->errors,
			.us = stats->us };

		visit(arg, &v);
	}
}

void
store_lanes_each(
	const struct store *s, void (*visit)(void *arg, const struct store_lane_view *v), void *arg)
{
	for (size_t i = 0; i < LANE_COUNT; i++) {
		const struct lane *l = &s->lanes[i];
		struct store_lane_view v = { .name = l->name,
			.connections = l->conn_count,
			.queued = l->queued,
			.queue_peak = l->queue_peak,
			.refused = l->refused,
			.repeated = l->repeated,
			.lost = l->lost };

		for (unsigned k = 0; k < l->conn_count; k++) {
			v.connected += conn_is_up(&l->conns[k]);
			v.busy += l->conns[k].state == CONN_BUSY;
		}
		visit(arg, &v);
	}
}
