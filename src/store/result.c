/*
 * From libpq's result to what the wrapper asked for, and from PostgreSQL's error codes to what the store
 * does about them. Here PGresult ends: rows are structs in the arena of the task that waits.
 */
#include <setjmp.h>
#include <stdlib.h>
#include "store/int.h"

/* By SQLSTATE, the longest match first. Whatever is not listed is broken. */
static const struct {
	const char *code;
	enum remedy remedy;
} remedies[] = {
	{ "40001", REMEDY_REPEAT },    /* serialization_failure */
	{ "40P01", REMEDY_REPEAT },    /* deadlock_detected */
	{ "23505", REMEDY_REPEAT },    /* unique_violation: another was first; run again it shows */
	{ "55P03", REMEDY_BUSY },      /* lock_not_available */
	{ "57014", REMEDY_BUSY },      /* query_canceled: statement_timeout */
	{ "57P01", REMEDY_LOST },      /* admin_shutdown */
	{ "57P02", REMEDY_LOST },      /* crash_shutdown */
	{ "57P03", REMEDY_LOST },      /* cannot_connect_now */
	{ "57P05", REMEDY_LOST },      /* idle_session_timeout */
	{ "0A000", REMEDY_RECONNECT }, /* cached plan must not change result type */
	{ "26000", REMEDY_RECONNECT }, /* the prepared statement is gone */
	{ "25006", REMEDY_RECONNECT }, /* read-only: this server is no longer the first one */
	{ "53", REMEDY_BUSY },         /* insufficient resources */
	{ "08", REMEDY_LOST },         /* connection exceptions */
};

enum remedy
remedy_of(const PGresult *r)
{
	ExecStatusType status = PQresultStatus(r);
	const char *code = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return REMEDY_NONE;
	if (!code) /* libpq's own complaint: the connection */
		return REMEDY_LOST;
	for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++)
		if (!strncmp(code, remedies[i].code, strlen(remedies[i].code)))
			return remedies[i].remedy;
	return REMEDY_BROKEN;
}

const char *
result_words(const PGresult *r)
{
	const char *words = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

	return words ? words : "the connection was lost";
}

static bool
read_row(const struct query *q, struct arena *mem, const PGresult *r, int row, void *out)
{
	for (size_t i = 0; i < q->want.column_count; i++) {
		const struct column *column = &q->want.columns[i];

		if (value_read(column, mem, r, row, (int)i, out))
			continue;
		LOG(store, ERROR, "statement=%s column=%s: %s", q->statement->name, column->name,
			PQgetisnull(r, row, (int)i) ? "is NULL" : "has an unexpected length");
		return false;
	}
	return true;
}

static bool
read_rows(const struct query *q, struct arena *mem, const PGresult *r, size_t n)
{
	struct rows *rows = q->want.rows;
	uint8_t *row;

	rows->more = n > q->want.max;
	rows->n = rows->more ? q->want.max : n;
	row = rows->n ? arena_alloc(mem, rows->n * q->want.row_size) : NULL;
	rows->first = row;
	for (size_t i = 0; i < rows->n; i++)
		if (!read_row(q, mem, r, (int)i, row + i * q->want.row_size))
			return false;
	return true;
}

static enum trouble
read_result(struct query *q, PGresult *r, enum got *got)
{
	size_t n = (size_t)PQntuples(r);

	if (PQresultStatus(r) == PGRES_COMMAND_OK)
		n = (size_t)strtoull(PQcmdTuples(r), NULL, 10);
	*got = n ? R_OK : q->statement->zero;
	if (!q->want.columns)
		return T_NONE;
	if ((size_t)PQnfields(r) != q->want.column_count || (q->want.row && n > 1)) {
		LOG(store, ERROR, "statement=%s rows=%zu columns=%d: not what was expected",
			q->statement->name, n, PQnfields(r));
		return T_BROKEN;
	}
	if (q->want.rows)
		return read_rows(q, q->task->mem, r, n) ? T_NONE : T_BROKEN;
	return !n || read_row(q, q->task->mem, r, 0, q->want.row) ? T_NONE : T_BROKEN;
}

static void
arena_full(void *arg)
{
	longjmp(*(jmp_buf *)arg, 1);
}

/*
 * The task does not run now, so a full arena must not jump into its runner: for the time of the copying
 * it comes back here, and the task is told.
 */
enum trouble
result_take(struct query *q, PGresult *r, enum got *got)
{
	struct arena *mem = q->task->mem;
	void (*full)(void *) = mem->full;
	void *full_arg = mem->full_arg;
	volatile enum trouble bad = T_NOMEM;
	jmp_buf nomem;

	*got = R_OK;
	mem->full = arena_full;
	mem->full_arg = &nomem;
	if (!setjmp(nomem))
		bad = read_result(q, r, got);
	mem->full = full;
	mem->full_arg = full_arg;
	return bad;
}
