/* rspd.conf: what a good file gives, and that each kind of mistake is told with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "conf/conf.h"
#include "conf/int.h"

static struct conf_errors errors;

static const char good[] = "# a comment\n"
			   "[rspd]\n"
			   "cluster_key = keys/cluster.key\n"
			   "seal_key = /etc/seal.key\n"
			   "[database]\n"
			   "connection = host=/run/pg dbname=rspd\n"
			   "[ci nist]\n"
			   "certificate = ci.pem\n"
			   "crl = a.pem, /b.pem\n"
			   "[credential nist]\n"
			   "auth_certificate = a\n"
			   "auth_key = b\n"
			   "pb_certificate = c\n"
			   "pb_key = d\n"
			   "[listener nist]\n"
			   "names = one.example, two.example\n"
			   "certificate = tls.pem\n"
			   "key = tls.key\n"
			   "[listener brainpool]\n"
			   "address = ::1\n"
			   "port = 8443\n"
			   "names = three.example\n"
			   "certificate = btls.pem\n"
			   "key = btls.key\n"
			   "[limits]\n"
			   "body = 64KiB\n"
			   "head = 2048 ; octets\n"
			   "[dp]\n"
			   "svn_lowest = 2.1.0\n"
			   "[log]\n"
			   "level = warning\n"
			   "es9 = debug\n";

static const struct conf *
read_text(const char *text)
{
	return conf_read_text(slice_text(text), "etc/rspd.conf", &errors);
}

static void
a_good_file_fills_the_structs(void **state)
{
	const struct conf *c = read_text(good);

	(void)state;
	assert_non_null(c);
	assert_int_equal(errors.n, 0);
	assert_string_equal(c->rspd.control, "/run/rspd/control.sock");
	assert_null(c->rspd.control_group);
	assert_null(c->rspd.former_cluster_key);
	assert_string_equal(c->rspd.cluster_key, "etc/keys/cluster.key");
	assert_string_equal(c->rspd.seal_key, "/etc/seal.key");
	assert_string_equal(c->database.connection, "host=/run/pg dbname=rspd");
	assert_int_equal(c->database.online_connections, 8);
	assert_int_equal(c->ci_n, 1);
	assert_string_equal(c->cis[0].name, "nist");
	assert_int_equal(c->cis[0].line, 7);
	assert_int_equal(c->cis[0].crl.n, 2);
	assert_string_equal(c->cis[0].crl.at[0], "etc/a.pem");
	assert_string_equal(c->cis[0].crl.at[1], "/b.pem");
	assert_int_equal(c->listener_n, 2);
	assert_string_equal(c->listeners[0].address, "0.0.0.0");
	assert_int_equal(c->listeners[0].port, 443);
	assert_int_equal(c->listeners[0].names.n, 2);
	assert_string_equal(c->listeners[0].names.at[1], "two.example");
	assert_string_equal(c->listeners[1].name, "brainpool");
	assert_string_equal(c->listeners[1].address, "::1");
	assert_int_equal(c->limits.body, 65536);
	assert_int_equal(c->limits.head, 2048);
	assert_int_equal(c->limits.idle_seconds, 60);
	assert_int_equal(c->dp.svn_lowest.minor, 1);
	assert_int_equal(c->dp.svn_highest.patch, 255);
	assert_string_equal(c->dp.address, "one.example");
	assert_string_equal(c->log.es9, "debug");
	assert_null(c->log.store);
	conf_release(c);
}

static void
levels_reach_the_log(void **state)
{
	const struct conf *c = read_text(good);

	(void)state;
	conf_log_apply(c);
	assert_int_equal(log_level_get(LOG_es9), LOG_DEBUG);
	assert_int_equal(log_level_get(LOG_store), LOG_WARNING);
	conf_release(c);
}

/* The good file with one piece of it replaced. */
static char *
changed(const char *from, const char *to)
{
	const char *at = strstr(good, from);
	char *text = malloc(sizeof good + strlen(to));

	assert_non_null(at);
	assert_non_null(text);
	sprintf(text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
	return text;
}

static void
each_mistake_is_told_with_its_line(void **state)
{
	static const struct {
		const char *from, *to, *error;
	} mistakes[] = {
		{ "port = 8443", "port = 70000",
			"etc/rspd.conf:21: [listener brainpool] port must be a number from 1 to "
			"65535" },
		{ "port = 8443", "port = 84x", ":21: [listener brainpool] port must be a number" },
		{ "port = 8443", "port = -1", ":21: [listener brainpool] port must be a number" },
		{ "port = 8443", "port = 99999999999999999999",
			":21: [listener brainpool] port must" },
		{ "port = 8443", "prt = 8443",
			":21: [listener brainpool] has no option prt; it has role, esipa, "
			"address, port" },
		{ "port = 8443", "port", ":21: [listener brainpool] port has no value" },
		{ "port = 8443", "port =", ":21: [listener brainpool] port must be a number" },
		{ "port = 8443", "address = ::1",
			":21: [listener brainpool] address is given already in line 20" },
		{ "address = ::1", "address = localhost",
			":20: [listener brainpool] address must be an IPv4 or IPv6 address" },
		{ "address = ::1\nport = 8443\n", "address = 0.0.0.0\n",
			":19: [listener brainpool] has the address and port of [listener nist]" },
		{ "names = three.example", "names = a,,b",
			":22: [listener brainpool] names must be host names" },
		{ "names = three.example", "names = a/b",
			":22: [listener brainpool] names must be" },
		{ "[listener brainpool]", "[listener nist]",
			":19: [listener nist] stands already in line 15" },
		{ "[listener brainpool]", "[listener]", ":19: [listener] needs a name of its own" },
		{ "[listener brainpool]", "[listner brainpool]",
			":19: there is no section [listner]; rspd knows [rspd], [database], [ci "
			"NAME]" },
		{ "[listener brainpool]", "[listener brainpool",
			":19: the section's head has no ]" },
		{ "[limits]", "[limits all]", ":25: [limits] has no name: write [limits]" },
		{ "[limits]", "[dp]\n[limits]", ":29: [dp] stands already in line 25" },
		{ "[limits]", "[ci empty]\n[limits]",
			":25: [ci empty] lacks certificate: add certificate = pki/nist/ci.pem" },
		{ "# a comment", "port = 1", ":1: port stands before the first [section]" },
		{ "seal_key = /etc/seal.key\n", "",
			":2: [rspd] lacks seal_key: add seal_key = pki/seal.key" },
		{ "[database]\nconnection = host=/run/pg dbname=rspd\n", "",
			"etc/rspd.conf: [database] lacks connection" },
		{ "[ci nist]\ncertificate = ci.pem\ncrl = a.pem, /b.pem\n", "",
			"etc/rspd.conf: at least one section [ci NAME] is needed" },
		{ "64KiB", "64kB", ":26: [limits] body must be a number of octets from 1024" },
		{ "64KiB", "5000MiB", ":26: [limits] body must be a number of octets" },
		{ "64KiB", "1", ":26: [limits] body must be a number of octets" },
		{ "level = warning", "level = loud",
			":31: [log] level must be error, warning, notice" },
		{ "svn_lowest = 2.1.0", "svn_lowest = 2.1",
			":29: [dp] svn_lowest must be a version such as 2.2.1" },
		{ "svn_lowest = 2.1.0", "svn_lowest = 2.1.256", ":29: [dp] svn_lowest must be" },
		{ "svn_lowest = 2.1.0", "svn_lowest = 3.1.0",
			":28: [dp] svn_lowest is above svn_highest" },
		{ "[limits]", "[smds main]\naddress = https://ds.example\n[limits]",
			":26: [smds main] address must be a host name, perhaps with a colon" },
		{ "[limits]", "[smds main]\naddress = ds.example:\n[limits]",
			":26: [smds main] address must be" },
		{ "keys/cluster.key", "$CREDENTIALS_DIRECTORY/cluster",
			":3: [rspd] cluster_key must be a file name: $CREDENTIALS_DIRECTORY is "
			"set" },
	};

	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		char *text = changed(mistakes[i].from, mistakes[i].to);

		assert_null(read_text(text));
		if (!strstr(errors.text[0], mistakes[i].error))
			fail_msg("wanted: %s\n   got: %s", mistakes[i].error, errors.text[0]);
		free(text);
	}
}

static void
all_mistakes_are_told_at_once_but_not_endlessly(void **state)
{
	char text[100 * 10 + 8] = "[dp]\n";

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(text, "bad = 1\n");
	assert_null(read_text(text));
	/* besides: two keys, the connection, three kinds of sections */
	assert_int_equal(errors.n, 106);
	assert_non_null(strstr(errors.text[CONF_ERRORS - 1], ":21: "));
}

static void
long_lines_zero_octets_and_long_files_are_refused(void **state)
{
	size_t n = 2 * 1024 * 1024;
	char *text = malloc(n);
	static const char zero[] = "[dp]\naddress = a\0b\n";

	(void)state;
	assert_non_null(text);
	memset(text, 'x', n);
	memcpy(text, "[dp]\n", 5);
	assert_null(conf_read_text(slice_of(text, 10000), "f", &errors));
	assert_string_equal(errors.text[0], "f:2: the line is longer than 8189 octets");
	assert_null(conf_read_text(slice_of(text, n), "f", &errors));
	assert_string_equal(errors.text[0], "f: the file is longer than 1048576 octets");
	assert_null(conf_read_text(SLICE_LIT(zero), "f", &errors));
	assert_string_equal(
		errors.text[0], "f:2: the line holds a zero octet: this is no text file");
	free(text);
}

static void
a_long_value_and_crlf_are_taken(void **state)
{
	char value[2048], *text;
	const struct conf *c;

	(void)state;
	memset(value, 'v', 1900);
	strcpy(value + 1900, "\r\nonline_connections = 9\r");
	text = changed("host=/run/pg dbname=rspd", value);
	c = read_text(text);
	assert_non_null(c);
	assert_int_equal(strlen(c->database.connection), 1900);
	assert_int_equal(c->database.online_connections, 9);
	conf_release(c);
	free(text);
}

static void
credentials_come_from_systemds_folder(void **state)
{
	char *text = changed("keys/cluster.key", "$CREDENTIALS_DIRECTORY/cluster");
	const struct conf *c;

	(void)state;
	setenv("CREDENTIALS_DIRECTORY", "/run/credentials/rspd.service", 1);
	c = read_text(text);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_non_null(c);
	assert_string_equal(c->rspd.cluster_key, "/run/credentials/rspd.service/cluster");
	conf_release(c);
	free(text);
}

static void
files_are_read_and_missing_ones_told(void **state)
{
	char path[] = "/tmp/rspd-conf-test-XXXXXX";
	int fd = mkstemp(path);
	const struct conf *c;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, good, sizeof good - 1), sizeof good - 1);
	close(fd);
	c = conf_read(path, &errors);
	assert_non_null(c);
	assert_string_equal(c->path, path);
	assert_string_equal(c->rspd.cluster_key, "/tmp/keys/cluster.key");
	conf_release(c);
	unlink(path);
	assert_null(conf_read(path, &errors));
	assert_non_null(strstr(errors.text[0], "cannot be read: No such file or directory"));
	assert_null(conf_read("/", &errors));
	assert_string_equal(errors.text[0], "/: cannot be read: it is not a regular file");
	assert_int_equal(mkfifo(path, 0600), 0); /* nobody will ever write to it */
	assert_null(conf_read(path, &errors));
	assert_int_equal(unlink(path), 0);
	assert_non_null(strstr(errors.text[0], "it is not a regular file"));
}

static void
a_snapshot_lives_as_long_as_a_holder(void **state)
{
	const struct conf *c = conf_hold(read_text(good));

	(void)state;
	conf_release(c);
	assert_string_equal(c->listeners[1].names.at[0], "three.example");
	conf_release(c);
	conf_release(NULL);
}

static void
reload_names_what_needs_a_restart(void **state)
{
	static const struct {
		const char *from, *to, *error;
	} changes[] = {
		{ "level = warning", "level = debug", NULL },
		{ "names = one.example", "names = new.example", NULL },
		{ "[listener brainpool]\naddress = ::1\nport = 8443\n",
			"[listener new]\nport = 1\n", NULL },
		{ "port = 8443", "port = 8444",
			"etc/rspd.conf:21: [listener brainpool] port cannot change while rspd "
			"runs: "
			"restart rspd, or put the former value back" },
		{ "port = 8443\n", "", "etc/rspd.conf: [listener brainpool] port cannot change" },
		{ "dbname=rspd", "dbname=other", ":6: [database] connection cannot change" },
		{ "[database]\n", "[database]\nonline_connections = 3\n",
			":6: [database] online_connections cannot change" },
		{ "[rspd]\n", "[rspd]\ncontrol_group = adm\n", ":3: [rspd] control_group cannot" },
	};
	const struct conf *running = read_text(good);

	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		char *text = changed(changes[i].from, changes[i].to);
		const struct conf *wanted = read_text(text);

		assert_non_null(wanted);
		assert_int_equal(conf_reloadable(running, wanted, &errors), !changes[i].error);
		assert_int_equal(errors.n, changes[i].error != NULL);
		if (changes[i].error)
			assert_non_null(strstr(errors.text[0], changes[i].error));
		conf_release(wanted);
		free(text);
	}
	conf_release(running);
}

/* Defaults and examples are what the sample shows: each must pass its own reader. */
static void
every_value_of_the_table_is_of_its_type(void **state)
{
	(void)state;
	for (int i = 0; i < CONF_OPTIONS; i++) {
		const struct conf_option *o = &conf_options[i];
		struct arena mem;
		char why[CONF_WHY];
		max_align_t at[2];

		arena_init(&mem, 65536, NULL, NULL);
		if (!conf_value_read(&mem, o, o->value, ".", at, why))
			fail_msg("[%s] %s = %s", o->section->kind, o->name, o->value);
		assert_int_equal(o->help[strlen(o->help) - 1], '.');
		arena_fini(&mem);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_file_fills_the_structs),
		cmocka_unit_test(levels_reach_the_log),
		cmocka_unit_test(each_mistake_is_told_with_its_line),
		cmocka_unit_test(all_mistakes_are_told_at_once_but_not_endlessly),
		cmocka_unit_test(long_lines_zero_octets_and_long_files_are_refused),
		cmocka_unit_test(a_long_value_and_crlf_are_taken),
		cmocka_unit_test(credentials_come_from_systemds_folder),
		cmocka_unit_test(files_are_read_and_missing_ones_told),
		cmocka_unit_test(a_snapshot_lives_as_long_as_a_holder),
		cmocka_unit_test(reload_names_what_needs_a_restart),
		cmocka_unit_test(every_value_of_the_table_is_of_its_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
