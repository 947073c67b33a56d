/* rspd, the remote SIM provisioning daemon: arguments, limits of the process, and what was asked for. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include "rspd/daemon.h"
#include "store/store.h"

enum act { ACT_RUN, ACT_CHECK, ACT_MIGRATE };

static const char usage[] =
	"usage: rspd -c FILE [--check-config | --migrate]\n"
	"       rspd --version | --help\n"
	"  -c, --config FILE   the configuration, see rspd.conf(5)\n"
	"  --check-config      read it and every file that it names, say what is wrong, and end\n"
	"  --migrate           bring the database to this program's version, and end\n";

static const struct conf *
configuration_read(const char *path)
{
	struct conf_errors *errors = calloc(1, sizeof *errors);
	const struct conf *conf;

	if (!errors)
		abort();
	conf = conf_read(path, errors);
	for (unsigned i = 0; i < errors->n && i < CONF_ERRORS; i++)
		fprintf(stderr, "rspd: %s\n", errors->text[i]);
	if (errors->n > CONF_ERRORS)
		fprintf(stderr, "rspd: and %u more\n", errors->n - CONF_ERRORS);
	free(errors);
	return conf;
}

static int
migrate(const struct conf *conf)
{
	struct store_settings settings = { .connection = conf->database.connection,
		.online_connections = 1,
		.background_connections = 1,
		.queue = 1 };
	char words[STORE_WORDS];
	enum store_schema found = store_migrate(&settings, words);

	fprintf(stderr, "rspd: %s\n", words);
	if (found == STORE_CURRENT)
		return EX_OK;
	return found == STORE_UNREACHABLE ? EX_UNAVAILABLE : EX_SOFTWARE;
}

/* Room for the connections that the configuration allows, and no keys in core files. */
static void
limit_process(const struct conf *conf)
{
	struct rlimit files, none = { 0, 0 };
	rlim_t wanted = conf->limits.connections + 256;

	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__
	prctl(PR_SET_DUMPABLE, 0);
#endif
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= wanted)
		return;
	files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < wanted)
		LOG(rspd, WARNING, "alarm=files allowed=%llu wanted=%llu",
			(unsigned long long)files.rlim_cur, (unsigned long long)wanted);
}

static int
act_on(enum act act, const char *path)
{
	const struct conf *conf = configuration_read(path);
	int status;

	if (!conf)
		return EX_CONFIG;
	if (act == ACT_RUN) {
		limit_process(conf);
		return daemon_run(conf);
	}
	status = act == ACT_MIGRATE ? migrate(conf) : daemon_check(conf);
	if (act == ACT_CHECK && status == EX_OK)
		printf("%s: fine\n", path);
	conf_release(conf);
	return status;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'k' }, { "migrate", no_argument, NULL, 'm' },
		{ "version", no_argument, NULL, 'v' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	enum act act = ACT_RUN;
	const char *path = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'k':
			act = ACT_CHECK;
			break;
		case 'm':
			act = ACT_MIGRATE;
			break;
		case 'v':
			printf("rspd %s\n", RSPD_VERSION);
			return EX_OK;
		case 'h':
			fputs(usage, stdout);
			return EX_OK;
		default:
			fputs(usage, stderr);
			return EX_USAGE;
		}
	if (!path || optind < argc) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	return act_on(act, path);
}
