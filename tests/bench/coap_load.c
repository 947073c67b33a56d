/*
 * A load of polls over DTLS from thousands of sessions, each with a port of its own: GetEimPackage (SGP.32
 * §5.14.5) by POST to /gsma/rsp2/asn1. Makes the sessions, then asks over them in turn, so many at a time, and
 * prints what that cost the server as JSON.
 *
 *   coap_load PORT SESSIONS WINDOW REQUESTS PID [EIDS]
 *
 * PID is the server's, whose CPU time and memory are read from /proc; EIDS is a file with an EID a line, for the
 * sessions in turn. A lost datagram is sent again after a second; who does not answer for two minutes ends the run.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	EID = 16,
	READY = 256,
	AGAIN_MS = 1000,
	PATIENCE_MS = 120000,
	SHAKING_MOST = 64,
	SPARE = 64
};

struct session {
	SSL *ssl;
	int fd;
	uint16_t mid;
	bool shaking, asking;
	double since, began; /* when it last sent, and first */
	uint8_t eid[EID];
};

struct run {
	struct session *sessions;
	unsigned n, window, port;
	unsigned long wanted, sent, answered, again, refused;
	int epoll;
	SSL_CTX *context;
	float *took; /* ms, of each answer */
};

static void
must(bool fine, const char *what)
{
	if (!fine) {
		fprintf(stderr, "coap_load: %s: %s\n", what, strerror(errno));
		exit(70);
	}
}

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

/* ---- the server's costs ---------------------------------------------------------------------------------- */

static double
cpu_ms(long pid)
{
	char path[64], line[1024];
	unsigned long user = 0, system = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	f = fopen(path, "r");
	must(f && fgets(line, sizeof line, f), path);
	fclose(f);
	must(sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		     &user, &system) == 2,
		path);
	return (double)(user + system) * 1000 / (double)sysconf(_SC_CLK_TCK);
}

static double
resident_kb(long pid)
{
	unsigned long pages = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/statm", pid);
	f = fopen(path, "r");
	must(f && fscanf(f, "%*u %lu", &pages) == 1, path);
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

/* ---- sessions ---------------------------------------------------------------------------------------------- */

static void
session_open(struct run *r, struct session *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)r->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = s };
	BIO *bio;

	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	must(s->fd >= 0 && connect(s->fd, (struct sockaddr *)&to, sizeof to) == 0, "socket");
	bio = BIO_new_dgram(s->fd, BIO_NOCLOSE);
	s->ssl = SSL_new(r->context);
	must(bio && s->ssl, "SSL");
	BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &to);
	SSL_set_bio(s->ssl, bio, bio);
	SSL_set_options(s->ssl, SSL_OP_NO_QUERY_MTU);
	DTLS_set_link_mtu(s->ssl, 1200);
	must(epoll_ctl(r->epoll, EPOLL_CTL_ADD, s->fd, &event) == 0, "epoll");
	s->shaking = true;
	s->began = now_ms();
}

/* True when the handshake is done. */
static bool
session_shake(struct session *s)
{
	int did = SSL_connect(s->ssl);
	int error = did == 1 ? 0 : SSL_get_error(s->ssl, did);

	must(did == 1 || error == SSL_ERROR_WANT_READ, "a handshake failed");
	s->shaking = did != 1;
	return did == 1;
}

static void
sessions_open(struct run *r)
{
	struct epoll_event ready[READY];
	unsigned open = 0, begun = 0;

	while (open < r->n) {
		int n;

		for (; begun < r->n && begun - open < SHAKING_MOST; begun++) {
			session_open(r, &r->sessions[begun]);
			open += session_shake(&r->sessions[begun]);
		}
		n = epoll_wait(r->epoll, ready, READY, 100);
		for (int i = 0; i < n; i++) {
			struct session *s = ready[i].data.ptr;

			if (s->shaking)
				open += session_shake(s);
			else
				SSL_read(s->ssl, (uint8_t[64]){ 0 }, 64); /* its ticket */
		}
		for (unsigned i = 0; !n && i < begun; i++)
			if (r->sessions[i].shaking) {
				must(now_ms() - r->sessions[i].began < PATIENCE_MS, "handshake");
				DTLSv1_handle_timeout(r->sessions[i].ssl);
			}
	}
}

/* ---- polls --------------------------------------------------------------------------------------------------- */

static void
session_send(struct session *s)
{
	static const uint8_t path[] = "\xb4gsma\x04rsp2\x04"
				      "asn1\xff\xbf\x4f\x12\x5a\x10";
	uint8_t out[64] = { 0x42, 0x02, (uint8_t)(s->mid >> 8), (uint8_t)s->mid, 0, 1 };

	memcpy(out + 6, path, sizeof path - 1);
	memcpy(out + 6 + sizeof path - 1, s->eid, EID);
	s->since = now_ms();
	SSL_write(s->ssl, out, (int)(6 + sizeof path - 1 + EID));
}

static void
ask_next(struct run *r)
{
	for (unsigned tries = 0; r->sent < r->wanted && tries < r->n; tries++) {
		struct session *s = &r->sessions[(r->sent + tries) % r->n];

		if (s->asking)
			continue;
		s->asking = true;
		s->mid++;
		r->sent++;
		s->began = now_ms();
		session_send(s);
		return;
	}
}

static void
session_read(struct run *r, struct session *s)
{
	uint8_t in[2048];

	while (SSL_read(s->ssl, in, sizeof in) >= 4) {
		if (!s->asking || (in[2] << 8 | in[3]) != s->mid)
			continue;
		s->asking = false;
		if (in[1] != 0x45)
			r->refused++;
		r->took[r->answered++] = (float)(now_ms() - s->began);
		ask_next(r);
	}
}

static void
insist(struct run *r)
{
	double now = now_ms();

	for (unsigned i = 0; i < r->n; i++) {
		struct session *s = &r->sessions[i];

		if (!s->asking || now - s->since < AGAIN_MS)
			continue;
		must(now - s->began < PATIENCE_MS, "no answer");
		r->again++;
		session_send(s);
	}
}

static void
poll_all(struct run *r)
{
	struct epoll_event ready[READY];
	double insisted = now_ms();

	for (unsigned i = 0; i < r->window; i++)
		ask_next(r);
	while (r->answered < r->wanted) {
		int n = epoll_wait(r->epoll, ready, READY, 100);

		for (int i = 0; i < n; i++)
			session_read(r, ready[i].data.ptr);
		if (now_ms() - insisted > AGAIN_MS) {
			insist(r);
			insisted = now_ms();
		}
	}
}

/* ---- the run ------------------------------------------------------------------------------------------------- */

static void
eids_read(struct run *r, const char *path)
{
	FILE *f = path ? fopen(path, "r") : NULL;
	char line[64];

	must(!path || f, "EIDs");
	for (unsigned i = 0; i < r->n; i++) {
		snprintf(line, sizeof line, "8904903212345123451234%010u", i);
		if (f && !fgets(line, sizeof line, f)) {
			rewind(f);
			must(fgets(line, sizeof line, f), "EIDs");
		}
		for (int j = 0; j < EID; j++)
			r->sessions[i].eid[j] =
				(uint8_t)((line[2 * j] - '0') << 4 | (line[2 * j + 1] - '0'));
	}
	if (f)
		fclose(f);
}

static int
by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void
run(struct run *r, long pid)
{
	double memory = resident_kb(pid), cpu = cpu_ms(pid), shaken, asked, began;

	sessions_open(r);
	shaken = cpu_ms(pid) - cpu;
	memory = resident_kb(pid) - memory;
	cpu = cpu_ms(pid);
	began = now_ms();
	poll_all(r);
	began = now_ms() - began;
	asked = cpu_ms(pid) - cpu;
	qsort(r->took, r->answered, sizeof *r->took, by_size);
	printf("{\"sessions\": %u, \"handshake_cpu_ms\": %.4f, \"kb_per_session\": %.1f, "
	       "\"poll_cpu_ms\": %.5f, \"rate\": %.0f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, "
	       "\"again\": %lu, \"refused\": %lu}\n",
		r->n, shaken / r->n, memory / r->n, asked / (double)r->answered,
		(double)r->answered / began * 1000, (double)r->took[r->answered / 2],
		(double)r->took[r->answered - 1 - r->answered / 100], r->again, r->refused);
}

int
main(int argc, char **argv)
{
	struct rlimit files;
	struct run r = { 0 };

	must(argc == 6 || argc == 7, "usage: coap_load PORT SESSIONS WINDOW REQUESTS PID [EIDS]");
	r.port = (unsigned)atoi(argv[1]);
	r.n = (unsigned)atoi(argv[2]);
	r.window = (unsigned)atoi(argv[3]);
	r.wanted = strtoul(argv[4], NULL, 10);
	must(r.n && r.window && r.wanted, "numbers");
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < r.n + SPARE)
		files.rlim_max = r.n + SPARE; /* for those who may */
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	r.epoll = epoll_create1(0);
	r.sessions = calloc(r.n, sizeof *r.sessions);
	r.took = calloc(r.wanted, sizeof *r.took);
	r.context = SSL_CTX_new(DTLS_client_method());
	must(r.sessions && r.took && r.context, "memory");
	SSL_CTX_set_session_cache_mode(r.context, SSL_SESS_CACHE_OFF);
	eids_read(&r, argc == 7 ? argv[6] : NULL);
	run(&r, atol(argv[5]));
	return 0;
}
