/*
 * The operator's language: verbs are found and mistyped ones guessed, options become the request that
 * schemas/ctl describes, and what does not fit is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include "rspctl/verb.h"

enum { WORDS = 16 };

/* Splits at blanks, finds the verb, reads the options; the exit code. */
static int
read_line(const char *line, const struct rspctl_verb **verb)
{
	static char text[256];
	char *argv[WORDS], *save = NULL;
	int argc = 0, used, code;
	int said = dup(STDERR_FILENO);

	snprintf(text, sizeof text, "%s", line);
	for (char *word = strtok_r(text, " ", &save); word && argc < WORDS;
		word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	*verb = rspctl_verb_find(argc, argv, &used);
	assert_non_null(*verb);
	json_decref(rspctl_call.args);
	json_decref(rspctl_call.local);
	rspctl_call.args = json_object();
	rspctl_call.local = json_object();
	assert_non_null(freopen("/dev/null", "w", stderr));
	code = rspctl_options_read(*verb, argc - used, argv + used);
	fflush(stderr);
	dup2(said, STDERR_FILENO);
	close(said);
	return code;
}

static void
options_become_requests(void **state)
{
	static const struct {
		const char *line, *verb, *args, *local;
	} cases[] = {
		{ "order show 123", "order show", "{\"iccid\":\"123\"}", "{}" },
		{ "order show --id 123", "order show", "{\"id\":123}", "{}" },
		{ "order confirm 1 --cc=7 --release --matching-id A=B", "order confirm",
			"{\"iccid\":\"1\",\"confirmationCode\":\"7\",\"release\":true,"
			"\"matchingId\":\"A=B\"}",
			"{}" },
		{ "order confirm 1 --matching-id=", "order confirm",
			"{\"iccid\":\"1\",\"matchingId\":\"\"}", "{}" },
		{ "order create --type t --expires 3", "order create",
			"{\"type\":\"t\",\"expiresDays\":3}", "{}" },
		{ "order code 1 --qr --png f.png", "order code", "{\"iccid\":\"1\"}",
			"{\"qr\":true,\"png\":\"f.png\"}" },
		{ "profile import x.der --notify a=install --notify b=delete --ppr2",
			"profile import", "{\"notify\":[\"a=install\",\"b=delete\"],\"ppr2\":true}",
			"{\"PATH\":\"x.der\"}" },
		{ "trace eid 8 off", "trace eid", "{\"eid\":\"8\",\"off\":true}", "{}" },
		{ "log", "log", "{}", "{}" },
		{ "log es9 debug", "log", "{\"area\":\"es9\",\"level\":\"debug\"}", "{}" },
		{ "audit --limit 5", "audit list", "{\"limit\":5}", "{}" },
		{ "order show -- --1", "order show", "{\"iccid\":\"--1\"}", "{}" },
	};
	const struct rspctl_verb *verb;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_t *args = json_loads(cases[i].args, 0, NULL);
		json_t *local = json_loads(cases[i].local, 0, NULL);

		assert_int_equal(read_line(cases[i].line, &verb), EX_OK);
		assert_string_equal(verb->name, cases[i].verb);
		assert_true(json_equal(rspctl_call.args, args));
		assert_true(json_equal(rspctl_call.local, local));
		json_decref(args);
		json_decref(local);
	}
}

static void
what_does_not_fit_is_refused(void **state)
{
	static const char *const lines[] = { "order release", "order show 1 2",
		"order show 1 --eid 3", "order show --id x", "order code 1 --qr=yes",
		"order code 1 --png", "order list --limit x", "order list --limit -1",
		"order cancel 1", "trace eid 8 on", "profile import", "reload now" };
	const struct rspctl_verb *verb;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_int_equal(read_line(lines[i], &verb), EX_USAGE);
	assert_int_equal(read_line("profile import x --icon /nonexistent", &verb), EX_NOINPUT);
}

static void
json_may_stand_behind_the_verb(void **state)
{
	const struct rspctl_verb *verb;

	(void)state;
	rspctl_call.json = false;
	assert_int_equal(read_line("order show 1 --json", &verb), EX_OK);
	assert_true(rspctl_call.json);
	rspctl_call.json = false;
}

static void
mistyped_verbs_are_guessed(void **state)
{
	static const char *const cases[][2] = { { "oder show", "order show" }, { "statz", "stats" },
		{ "profile improt", "profile import" }, { "audit verfy", "audit verify" },
		{ "key rotat", "key rotate" } };
	char *unknown[] = { (char[]){ "nope" }, NULL };
	int used;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(rspctl_verb_nearest(cases[i][0]), cases[i][1]);
	assert_null(rspctl_verb_find(1, unknown, &used));
}

static json_t *
load_schema(const char *verb)
{
	char path[128], *blank;
	json_t *schema;

	snprintf(path, sizeof path, "schemas/ctl/%s.json", verb);
	while ((blank = strchr(path, ' ')) != NULL)
		*blank = '-';
	schema = json_load_file(path, 0, NULL);
	if (!schema)
		fail_msg("%s is missing or no JSON", path);
	return schema;
}

static bool
is_pki(const struct rspctl_verb *verb)
{
	return strncmp(verb->name, "pki ", 4) == 0;
}

static const struct rspctl_option *
find_member(const struct rspctl_verb *verb, const char *member)
{
	for (const struct rspctl_option *o = verb->options; o->name; o++)
		if (o->member && strcmp(o->member, member) == 0)
			return o;
	return NULL;
}

/* What rspctl can send is what the schemas know, and what they demand rspctl demands too. */
static void
options_are_those_of_the_schemas(void **state)
{
	const struct rspctl_verb *verb;

	(void)state;
	for (unsigned i = 0; (verb = rspctl_verb_get(i)) != NULL; i++) {
		json_t *schema, *args, *properties, *name;
		size_t k;

		if (is_pki(verb))
			continue;
		schema = load_schema(verb->name);
		args = json_object_get(json_object_get(schema, "properties"), "args");
		properties = json_object_get(args, "properties");
		for (const struct rspctl_option *o = verb->options; o->name; o++)
			if (o->member && !json_object_get(properties, o->member))
				fail_msg("%s: the schema has no %s", verb->name, o->member);
		json_array_foreach(json_object_get(args, "required"), k, name)
		{
			const struct rspctl_option *o = find_member(verb, json_string_value(name));

			/* The package comes out of PATH. */
			if (strcmp(json_string_value(name), "package") != 0)
				assert_true(o && o->must);
		}
		json_decref(schema);
	}
}

/* Every verb is told of, and its chapter in rspctl(1) is what the table makes. */
static void
manual_is_made_of_the_table(void **state)
{
	char *chapter = NULL, *page = NULL;
	size_t chapter_n, page_n;
	FILE *made = open_memstream(&chapter, &chapter_n), *file = fopen("docs/man/rspctl.1", "r");

	(void)state;
	rspctl_help_manual(made);
	fclose(made);
	assert_non_null(file);
	page_n = 0;
	assert_true(getdelim(&page, &page_n, 0, file) > 0);
	fclose(file);
	if (!strstr(page, chapter))
		fail_msg("docs/man/rspctl.1: run tests/dev/rspctl-manual to write its verbs anew");
	free(chapter);
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_become_requests),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(json_may_stand_behind_the_verb),
		cmocka_unit_test(mistyped_verbs_are_guessed),
		cmocka_unit_test(options_are_those_of_the_schemas),
		cmocka_unit_test(manual_is_made_of_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
