/*
 * The database's version, at the start of the program and for `rspd --migrate`: blocking, on a connection
 * of its own. Migrations go forward only, each in a transaction that also notes its number, all under
 * one advisory lock, so that two daemons started together do not meet. The daemon itself never
 * migrates: a version it does not expect is a refusal to start.
 */
#include <stdio.h>
#include <stdlib.h>
#include "store/int.h"

/* Any number, so long as it is always the same. */
#define LOCK_SQL "select pg_advisory_lock(7238117240211)"

#define TABLE_SQL                                          \
	"create table if not exists schema_version ("      \
	"number integer primary key, title text not null," \
	"applied_at timestamptz not null default now())"

static enum store_schema
say(char words[STORE_WORDS], enum store_schema is, const char *what, const char *why)
{
	snprintf(words, STORE_WORDS, "%s%s%.*s", what, *why ? ": " : "", (int)strcspn(why, "\n"),
		why);
	return is;
}

static PGconn *
open_session(const struct store_settings *settings)
{
	struct conn_keywords k = conn_keywords_of(settings->connection);

	return PQconnectdbParams(k.keywords, k.values, 1);
}

/* NULL unless it went well. */
static PGresult *
query(PGconn *pg, const char *sql)
{
	PGresult *r = PQexec(pg, sql);

	if (remedy_of(r) == REMEDY_NONE)
		return r;
	PQclear(r);
	return NULL;
}

static bool
command(PGconn *pg, const char *sql)
{
	PGresult *r = query(pg, sql);

	PQclear(r);
	return r != NULL;
}

static void
on_notice(void *arg, const PGresult *r)
{
	(void)arg;
	(void)r;
}

/* The highest number there is; 0 for a database without ours, -1 when it cannot be asked. */
static long
read_version(PGconn *pg)
{
	PGresult *r = query(pg, "select to_regclass('schema_version') is not null");
	bool there = r && *PQgetvalue(r, 0, 0) == 't';
	long version = r ? 0 : -1;

	PQclear(r);
	if (!there)
		return version;
	r = query(pg, "select coalesce(max(number), 0) from schema_version");
	version = r ? strtol(PQgetvalue(r, 0, 0), NULL, 10) : -1;
	PQclear(r);
	return version;
}

static long
newest_of(const struct catalog *catalog)
{
	size_t n = catalog->migration_count;

	return n ? (long)catalog->migrations[n - 1].number : 0;
}

static enum store_schema
compare_version(PGconn *pg, const struct catalog *catalog, char words[STORE_WORDS])
{
	long version = read_version(pg), newest = newest_of(catalog);

	if (version < 0)
		return say(words, STORE_UNWELL, "the database's version cannot be read",
			PQerrorMessage(pg));
	snprintf(words, STORE_WORDS, "the database has version %ld, this program %ld%s", version,
		newest,
		version < newest           ? ": run rspd --migrate"
			: version > newest ? ": it needs a newer program"
					   : "");
	return version < newest ? STORE_BEHIND : version > newest ? STORE_AHEAD : STORE_CURRENT;
}

static enum store_schema
apply(PGconn *pg, const struct migration *m, char words[STORE_WORDS])
{
	char number[16], what[128];
	const char *const values[] = { number, m->title };
	PGresult *r;
	bool noted;

	snprintf(what, sizeof what, "migration %04u-%s failed", m->number, m->title);
	snprintf(number, sizeof number, "%u", m->number);
	if (!command(pg, "begin") || !command(pg, m->text))
		return say(words, STORE_UNWELL, what, PQerrorMessage(pg));
	r = PQexecParams(pg, "insert into schema_version (number, title) values ($1::integer, $2)",
		2, NULL, values, NULL, NULL, 0);
	noted = remedy_of(r) == REMEDY_NONE;
	PQclear(r);
	if (!noted || !command(pg, "commit"))
		return say(words, STORE_UNWELL, what, PQerrorMessage(pg));
	LOG(store, NOTICE, "migration=%04u-%s applied", m->number, m->title);
	return STORE_CURRENT;
}

static enum store_schema
migrate(PGconn *pg, const struct catalog *catalog, const struct seed *seed, char words[STORE_WORDS])
{
	enum store_schema is;
	long version;

	if (!command(pg, LOCK_SQL) || !command(pg, TABLE_SQL))
		return say(
			words, STORE_UNWELL, "the database cannot be prepared", PQerrorMessage(pg));
	is = compare_version(pg, catalog, words);
	if (is == STORE_AHEAD || is == STORE_UNWELL)
		return is;
	version = read_version(pg);
	for (size_t i = 0; i < catalog->migration_count; i++) {
		if ((long)catalog->migrations[i].number <= version)
			continue;
		is = apply(pg, &catalog->migrations[i], words);
		if (is != STORE_CURRENT)
			return is;
	}
	if (seed && !seed->write(pg))
		return say(words, STORE_UNWELL, "the tables that the program fills failed",
			PQerrorMessage(pg));
	return compare_version(pg, catalog, words);
}

/* The columns that the database says a statement has, against those that its header says. */
static bool
columns_match(const struct statement *statement, const PGresult *r, char why[STORE_WORDS])
{
	if ((size_t)PQnfields(r) != statement->column_count) {
		snprintf(why, STORE_WORDS, "it has %d columns, its header says %zu", PQnfields(r),
			statement->column_count);
		return false;
	}
	for (size_t i = 0; i < statement->column_count; i++) {
		const struct field *field = &statement->columns[i];

		if (!strcmp(PQfname(r, (int)i), field->name) &&
			PQftype(r, (int)i) == kind_oid(field->kind))
			continue;
		snprintf(why, STORE_WORDS, "column %zu is %s of type %u, its header says %s %s",
			i + 1, PQfname(r, (int)i), PQftype(r, (int)i), field->name,
			kind_name(field->kind));
		return false;
	}
	return true;
}

static bool
prepare(PGconn *pg, const struct statement *statement, char why[STORE_WORDS])
{
	Oid types[STATEMENT_PARAMS];
	PGresult *r;
	bool good;

	for (size_t i = 0; i < statement->param_count; i++)
		types[i] = kind_oid(statement->params[i].kind);
	r = PQprepare(pg, statement->name, statement->text, (int)statement->param_count, types);
	if (remedy_of(r) == REMEDY_NONE) {
		PQclear(r);
		r = PQdescribePrepared(pg, statement->name);
	}
	good = remedy_of(r) == REMEDY_NONE;
	if (good)
		good = columns_match(statement, r, why);
	else
		snprintf(why, STORE_WORDS, "%s", result_words(r));
	PQclear(r);
	return good;
}

static enum store_schema
check(PGconn *pg, const struct catalog *catalog, const struct seed *seed, char words[STORE_WORDS])
{
	enum store_schema is = compare_version(pg, catalog, words);
	char what[128], why[STORE_WORDS];

	if (is != STORE_CURRENT)
		return is;
	if (seed && !seed->is_current(pg))
		return say(words, STORE_BEHIND,
			"the tables that the program fills are of another version",
			"run rspd --migrate");
	for (size_t i = 0; i < catalog->statement_count; i++) {
		snprintf(what, sizeof what, "statement %s", catalog->statements[i].name);
		if (!prepare(pg, &catalog->statements[i], why))
			return say(words, STORE_UNWELL, what, why);
	}
	return STORE_CURRENT;
}

static enum store_schema
in_session(const struct store_settings *settings, const struct catalog *catalog,
	const struct seed *seed, char words[STORE_WORDS],
	enum store_schema (*run)(
		PGconn *, const struct catalog *, const struct seed *, char words[STORE_WORDS]))
{
	PGconn *pg = open_session(settings);
	enum store_schema is;

	if (PQstatus(pg) == CONNECTION_OK) {
		PQsetNoticeReceiver(pg, on_notice, NULL);
		is = run(pg, catalog, seed, words);
	} else {
		is = say(words, STORE_UNREACHABLE, "the database cannot be reached",
			PQerrorMessage(pg));
	}
	PQfinish(pg);
	return is;
}

enum store_schema
store_migrate_of(const struct store_settings *settings, const struct catalog *catalog,
	const struct seed *seed, char words[STORE_WORDS])
{
	return in_session(settings, catalog, seed, words, migrate);
}

enum store_schema
store_schema_check_of(const struct store_settings *settings, const struct catalog *catalog,
	const struct seed *seed, char words[STORE_WORDS])
{
	return in_session(settings, catalog, seed, words, check);
}

enum store_schema
store_migrate(const struct store_settings *settings, char words[STORE_WORDS])
{
	return store_migrate_of(settings, &store_catalog, &moves_seed, words);
}

enum store_schema
store_schema_check(const struct store_settings *settings, char words[STORE_WORDS])
{
	return store_schema_check_of(settings, &store_catalog, &moves_seed, words);
}
