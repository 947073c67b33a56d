/*
 * The conversation with rspd over its control socket: newline-delimited JSON, one request after the
 * other on one connection (docs/control-socket.md).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>
#include "rspctl/progress.h"
#include "rspctl/talk.h"
#include "rspctl/verb.h"

enum { STREAM_PIECE = 64 * 1024 };

/* One stream each way: stdio does not turn round on a socket. */
static FILE *to_daemon, *from_daemon;

static void
connect_daemon(void)
{
	struct sockaddr_un where = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *advice = "start rspd, or name its socket with -s or $RSPD_CONTROL";

	if (strlen(rspctl_call.socket) >= sizeof where.sun_path)
		exit(rspctl_fail(EX_USAGE, "name another with -s", "%s is too long for a socket",
			rspctl_call.socket));
	snprintf(where.sun_path, sizeof where.sun_path, "%s", rspctl_call.socket);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&where, sizeof where) < 0) {
		if (errno == EACCES)
			advice = "become root, the daemon's user, or a member of its control_group";
		exit(rspctl_fail(EX_UNAVAILABLE, advice, "no daemon answers on %s: %s",
			rspctl_call.socket, strerror(errno)));
	}
	to_daemon = fdopen(fd, "w");
	from_daemon = fdopen(dup(fd), "r");
	if (!to_daemon || !from_daemon)
		abort();
}

static void
lost(void)
{
	exit(rspctl_fail(EX_UNAVAILABLE, "look at its log, then try again",
		"the daemon closed the connection without an answer"));
}

static void
send_request(const char *verb, json_t *args)
{
	json_t *request = json_pack("{ss sO}", "verb", verb, "args", args);

	if (json_dumpf(request, to_daemon, JSON_COMPACT) < 0 || fputc('\n', to_daemon) == EOF ||
		fflush(to_daemon) == EOF)
		clearerr(to_daemon); /* a daemon that refuses us says why before it closes */
	json_decref(request);
}

/* The daemon's next line. */
static void
read_answer(struct rspctl_answer *answer)
{
	static char *line;
	static size_t room;
	ssize_t n = getline(&line, &room, from_daemon);

	if (n <= 0)
		lost();
	if (!rspctl_answer_read(line, (size_t)n, answer))
		exit(rspctl_fail(EX_PROTOCOL, "is it rspd that has this socket?",
			"what %s said is no answer", rspctl_call.socket));
}

json_t *
rspctl_ask(const char *verb, json_t *args)
{
	struct rspctl_answer answer;

	if (!to_daemon)
		connect_daemon();
	send_request(verb, args);
	for (;;) {
		read_answer(&answer);
		if (answer.last)
			return answer.last;
		rspctl_progress(answer.done, answer.of);
	}
}

/* A frame of so many octets; none is the end. A daemon that is gone is noticed when we read. */
static void
send_frame(const char *octets, size_t n)
{
	fprintf(to_daemon, "%zu\n", n);
	fwrite(octets, 1, n, to_daemon);
	if (fflush(to_daemon) == EOF)
		clearerr(to_daemon);
}

json_t *
rspctl_stream(const char *verb, json_t *args, rspctl_read *read_more, void *arg, long long size)
{
	char piece[STREAM_PIECE];
	struct rspctl_answer answer;
	long long sent = 0, go = 0;
	ssize_t n = 1;

	if (!to_daemon)
		connect_daemon();
	send_request(verb, args);
	for (;;) {
		while (n > 0 && go - sent >= (long long)sizeof piece) {
			n = read_more(arg, piece, sizeof piece);
			if (n < 0)
				return NULL;
			send_frame(piece, (size_t)n);
			sent += n;
			rspctl_progress(sent < size ? sent : size, size);
		}
		read_answer(&answer);
		if (answer.last)
			break;
		go = answer.go ? answer.go : go;
	}
	explicit_bzero(piece, sizeof piece);
	return answer.last;
}
