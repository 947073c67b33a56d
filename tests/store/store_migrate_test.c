/* The start of the program: the connection string, the database's version, migrations, bad statements. */
#include "harness.h"
#include "store-engine/queries.c"

static struct store_settings settings;
static char words[STORE_WORDS];

static void
use_database(const char *name)
{
	database_new(name);
	settings = (struct store_settings){ conninfo_of(name), 1, 1, 1 };
}

static enum store_schema
migrate(const struct catalog *catalog)
{
	return store_migrate_of(&settings, catalog, NULL, words);
}

static enum store_schema
check(const struct catalog *catalog)
{
	return store_schema_check_of(&settings, catalog, NULL, words);
}

static void
names_are_not_looked_up(void **state)
{
	static const struct {
		const char *conninfo;
		bool good;
	} rows[] = {
		{ "host=/run/postgresql dbname=rspd", true },
		{ "host=/run/a,/run/b", true },
		{ "host=@abstract", true },
		{ "hostaddr=192.0.2.1 dbname=rspd", true },
		{ "host=db.example.org hostaddr=192.0.2.1", true },
		{ "host=a,b hostaddr=192.0.2.1,2001:db8::1", true },
		{ "postgresql:///rspd?host=/run/postgresql", true },
		{ "", false },
		{ "dbname=rspd", false },
		{ "host=localhost", false },
		{ "host=/run/a,localhost", false },
		{ "host=/run/a,", false },
		{ "host=a,b hostaddr=192.0.2.1,", false },
		{ "host=a,b hostaddr=,192.0.2.1", false },
		{ "service=rspd host=/run/postgresql", false },
		{ "nonsense", false },
		{ "host=/run/postgresql colour=red", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		words[0] = '\0';
		settings = (struct store_settings){ rows[i].conninfo, 1, 1, 1 };
		if (store_settings_check(&settings, words) != rows[i].good)
			fail_msg("%s: %s", rows[i].conninfo, words);
		assert_int_equal(words[0] != '\0', !rows[i].good);
	}
}

static void
a_database_out_of_reach_is_said(void **state)
{
	(void)state;
	settings = (struct store_settings){ "host=/nowhere dbname=rspd", 1, 1, 1 };
	assert_int_equal(check(&engine_catalog), STORE_UNREACHABLE);
	assert_non_null(strstr(words, "/nowhere"));
	assert_int_equal(migrate(&engine_catalog), STORE_UNREACHABLE);
}

static void
versions_go_forward_only(void **state)
{
	struct catalog first = engine_catalog;

	(void)state;
	first.migration_count = 1;
	use_database("forward");
	assert_int_equal(check(&engine_catalog), STORE_BEHIND);
	assert_non_null(strstr(words, "rspd --migrate"));
	assert_int_equal(migrate(&first), STORE_CURRENT);
	assert_int_equal(check(&first), STORE_CURRENT);
	assert_int_equal(check(&engine_catalog), STORE_BEHIND);
	assert_int_equal(migrate(&engine_catalog), STORE_CURRENT);
	assert_int_equal(migrate(&engine_catalog), STORE_CURRENT); /* nothing to do */
	assert_int_equal(check(&engine_catalog), STORE_CURRENT);
	assert_int_equal(sql_number("forward", "select count(*) from schema_version"), 2);
	/* a program that is older than its database */
	assert_int_equal(check(&first), STORE_AHEAD);
	assert_int_equal(migrate(&first), STORE_AHEAD);
}

/* A number that was given up is none that the database lacks. */
static void
numbers_may_leave_gaps(void **state)
{
	const struct migration both[] = { engine_catalog.migrations[0],
		{ 5, "later", "create table later (id bigint)" } };
	struct catalog catalog = engine_catalog;

	(void)state;
	catalog.migrations = both;
	catalog.statement_count = 0;
	use_database("gaps");
	assert_int_equal(migrate(&catalog), STORE_CURRENT);
	assert_int_equal(migrate(&catalog), STORE_CURRENT);
	assert_int_equal(check(&catalog), STORE_CURRENT);
	assert_int_equal(sql_number("gaps", "select max(number) from schema_version"), 5);
	catalog.migration_count = 1;
	assert_int_equal(check(&catalog), STORE_AHEAD);
}

static void
a_failed_migration_leaves_nothing(void **state)
{
	const struct migration both[] = { engine_catalog.migrations[0],
		{ 2, "wrong", "create table half (id bigint); select nonsense" } };
	struct catalog catalog = engine_catalog;

	(void)state;
	catalog.migrations = both;
	use_database("failed");
	assert_int_equal(migrate(&catalog), STORE_UNWELL);
	assert_non_null(strstr(words, "0002-wrong"));
	assert_non_null(strstr(words, "nonsense"));
	assert_int_equal(sql_number("failed", "select count(*) from schema_version"), 1);
	assert_int_equal(
		sql_number("failed", "select count(*) from pg_class where relname = 'half'"), 0);
	assert_int_equal(migrate(&engine_catalog), STORE_CURRENT);
}

/* One migrates while the other holds the lock: it waits, and finds the work done. */
static void
two_that_migrate_do_not_meet(void **state)
{
	PGconn *other;

	(void)state;
	use_database("two");
	other = PQconnectdb(settings.connection);
	PQclear(PQexec(other, "select pg_advisory_lock(7238117240211)"));
	PQsendQuery(other, "select pg_sleep(0.3), pg_advisory_unlock(7238117240211)");
	assert_int_equal(migrate(&engine_catalog), STORE_CURRENT);
	/* it came after the other's unlocking, or the other would still be at it */
	PQconsumeInput(other);
	assert_false(PQisBusy(other));
	PQfinish(other);
}

static void
a_statement_that_does_not_fit_is_named(void **state)
{
	static const struct field columns[] = { { "id", KIND_INT8 } };
	static const struct field params[] = { { "id", KIND_INT8 } };
	static const struct {
		struct statement statement;
		const char *said;
	} rows[] = {
		{ { .name = "unknown_table", .text = "select id from nothing" }, "nothing" },
		{ { .name = "wrong_type",
			  .columns = columns,
			  .column_count = 1,
			  .text = "select id::text as id from thing" },
			"bigint" },
		{ { .name = "wrong_name",
			  .columns = columns,
			  .column_count = 1,
			  .text = "select id as other from thing" },
			"other" },
		{ { .name = "wrong_count",
			  .columns = columns,
			  .column_count = 1,
			  .text = "select 1, 2" },
			"2 columns" },
		{ { .name = "wrong_parameter",
			  .params = params,
			  .param_count = 1,
			  .text = "select from thing where owner = $1" },
			"operator" },
	};

	(void)state;
	use_database("statements");
	assert_int_equal(migrate(&engine_catalog), STORE_CURRENT);
	assert_int_equal(check(&engine_catalog), STORE_CURRENT);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct catalog catalog = engine_catalog;

		catalog.statements = &rows[i].statement;
		catalog.statement_count = 1;
		assert_int_equal(check(&catalog), STORE_UNWELL);
		if (!strstr(words, rows[i].statement.name) || !strstr(words, rows[i].said))
			fail_msg("%s: %s", rows[i].statement.name, words);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_not_looked_up),
		cmocka_unit_test(a_database_out_of_reach_is_said),
		cmocka_unit_test(versions_go_forward_only),
		cmocka_unit_test(numbers_may_leave_gaps),
		cmocka_unit_test(a_failed_migration_leaves_nothing),
		cmocka_unit_test(two_that_migrate_do_not_meet),
		cmocka_unit_test(a_statement_that_does_not_fit_is_named),
	};

	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
