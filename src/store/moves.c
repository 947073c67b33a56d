/*
 * profile_move: the life of a profile as the statements look it up, filled from src/profile/moves.def so
 * that the table in C and the guard in the database cannot tell two stories.
 */
#include "base/buf.h"
#include "profile/life.h"
#include "store/int.h"

enum { SQL_MAX = 65536 };

static bool
run(PGconn *pg, struct buf *sql, ExecStatusType wanted, int rows)
{
	PGresult *r = PQexec(pg, (const char *)buf_get(sql).p);
	bool good = PQresultStatus(r) == wanted && PQntuples(r) == rows;

	PQclear(r);
	return good;
}

/* `before` values (…), (…) `after`: words of the two enums only. */
static bool
run_with_moves(PGconn *pg, const char *before, const char *after, ExecStatusType wanted)
{
	struct arena mem;
	struct buf sql;
	unsigned n;
	const struct profile_move *moves = profile_moves_get(&n);
	bool good;

	arena_init(&mem, 4 * SQL_MAX, NULL, NULL);
	buf_init(&sql, &mem, SQL_MAX);
	buf_printf(&sql, "%s values ", before);
	for (unsigned i = 0; i < n; i++)
		buf_printf(&sql, "%s('%s', '%s', '%s')", i ? ", " : "",
			profile_event_name(moves[i].event), profile_state_name(moves[i].from),
			profile_state_name(moves[i].to));
	buf_put_text(&sql, after);
	good = run(pg, &sql, wanted, 0);
	arena_fini(&mem);
	return good;
}

static bool
is_current(PGconn *pg)
{
	return run_with_moves(pg, "with program (event, from_state, to_state) as (",
		") (table program except table profile_move)"
		" union all (table profile_move except table program)",
		PGRES_TUPLES_OK);
}

static bool
write_moves(PGconn *pg)
{
	return run_with_moves(pg,
		"begin; delete from profile_move; insert into profile_move (event, from_state, "
		"to_state)",
		"; commit", PGRES_COMMAND_OK);
}

const struct seed moves_seed = { is_current, write_moves };
