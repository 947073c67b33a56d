/*
 * What is left of a download when nothing is done in it: one TLS connection with four empty calls, served by
 * epoll and OpenSSL alone, without HTTP, JSON, log or limits; and one statement that asks PostgreSQL nothing.
 * Together with the cryptography of floor.c this bounds from below what any server with this kernel, this
 * OpenSSL and this libpq can reach. The server's CPU alone is counted; sixteen clients ask at a time, since
 * they do so where rspd is measured.
 *
 *   bare CONNINFO
 *
 * Prints medians of five runs in milliseconds as JSON.
 */
#include <errno.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 5, CLIENTS = 16, SESSIONS = 30, CALLS = 4, STATEMENTS = 400, EVENTS = 64, CALL = 16 };

static void
must(bool fine)
{
	if (!fine) {
		fputs("bare: failed\n", stderr);
		exit(70);
	}
}

static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *values)
{
	qsort(values, RUNS, sizeof *values, by_size);
	return values[RUNS / 2];
}

/* ---- one client: sessions one after the other ---------------------------------------------------------- */

static void
one_session(SSL_CTX *context, const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	SSL *ssl = SSL_new(context);
	char call[CALL] = "";

	must(fd >= 0 && ssl && connect(fd, (const struct sockaddr *)to, sizeof *to) == 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	must(SSL_set_fd(ssl, fd) && SSL_connect(ssl) == 1);
	for (int i = 0; i < CALLS; i++)
		must(SSL_write(ssl, call, CALL) == CALL && SSL_read(ssl, call, CALL) == CALL);
	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

static pid_t
client_start(const struct sockaddr_in *to)
{
	pid_t pid = fork();
	SSL_CTX *context;

	if (pid)
		return pid;
	context = SSL_CTX_new(TLS_client_method());
	must(context && SSL_CTX_set1_groups_list(context, "P-256"));
	for (int i = 0; i < SESSIONS; i++)
		one_session(context, to);
	_exit(0);
}

/* ---- the server ------------------------------------------------------------------------------------------ */

struct server {
	SSL_CTX *context;
	int epoll, fd;
	unsigned left; /* sessions of this run */
	struct sockaddr_in address;
};

struct session {
	SSL *ssl;
	int fd;
};

static SSL_CTX *
context_new(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	must(c && key && cert && X509_set_version(cert, 2) &&
		X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
		X509_gmtime_adj(X509_getm_notAfter(cert), 3600) && X509_set_pubkey(cert, key) &&
		X509_sign(cert, key, EVP_sha256()));
	must(SSL_CTX_use_certificate(c, cert) > 0 && SSL_CTX_use_PrivateKey(c, key) > 0 &&
		SSL_CTX_set1_groups_list(c, "P-256") &&
		SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256"));
	SSL_CTX_set_mode(c, SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(c, 0);
	SSL_CTX_set_read_ahead(c, 1);
	X509_free(cert);
	EVP_PKEY_free(key);
	return c;
}

static void
server_init(struct server *s)
{
	struct epoll_event event = { .events = EPOLLIN };
	socklen_t n = sizeof s->address;
	int on = 1;

	*s = (struct server){ .context = context_new() };
	s->address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	s->epoll = epoll_create1(0);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	must(s->epoll >= 0 && s->fd >= 0 &&
		setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
		bind(s->fd, (struct sockaddr *)&s->address, n) == 0 && listen(s->fd, 100) == 0 &&
		getsockname(s->fd, (struct sockaddr *)&s->address, &n) == 0 &&
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->fd, &event) == 0);
}

static void
take(struct server *s)
{
	struct session *session = malloc(sizeof *session);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = session };

	must(session);
	session->fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK);
	session->ssl = SSL_new(s->context);
	must(session->fd >= 0 && session->ssl && SSL_set_fd(session->ssl, session->fd) &&
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, session->fd, &event) == 0);
	SSL_set_accept_state(session->ssl);
}

/* Reads what there is and answers each call with as many octets. */
static void
serve(struct server *s, struct session *session)
{
	char call[CALL];
	int got;

	do {
		got = SSL_read(session->ssl, call, CALL);
		if (got > 0)
			must(got == CALL && SSL_write(session->ssl, call, CALL) == CALL);
	} while (got > 0 && SSL_has_pending(session->ssl));
	if (got > 0 || SSL_get_error(session->ssl, got) == SSL_ERROR_WANT_READ)
		return;
	must(SSL_get_error(session->ssl, got) == SSL_ERROR_ZERO_RETURN);
	SSL_shutdown(session->ssl);
	SSL_free(session->ssl);
	close(session->fd);
	free(session);
	s->left--;
}

static double
run(struct server *s)
{
	struct epoll_event events[EVENTS];
	pid_t clients[CLIENTS];
	double from;
	int status;

	s->left = CLIENTS * SESSIONS;
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = client_start(&s->address);
	from = cpu_ms();
	while (s->left) {
		int n = epoll_wait(s->epoll, events, EVENTS, 30000);

		must(n > 0 || (n < 0 && errno == EINTR));
		for (int i = 0; i < n; i++)
			if (events[i].data.ptr)
				serve(s, events[i].data.ptr);
			else
				take(s);
	}
	from = cpu_ms() - from;
	for (int i = 0; i < CLIENTS; i++)
		must(waitpid(clients[i], &status, 0) == clients[i] && status == 0);
	return from / (CLIENTS * SESSIONS);
}

static double
measure_session(void)
{
	struct server s;
	double each[RUNS];

	signal(SIGPIPE, SIG_IGN);
	server_init(&s);
	for (int i = 0; i < RUNS; i++)
		each[i] = run(&s);
	return median(each);
}

/* ---- one statement --------------------------------------------------------------------------------------- */

static double
measure_statement(const char *conninfo)
{
	PGconn *pg = PQconnectdb(conninfo);
	double each[RUNS];

	must(PQstatus(pg) == CONNECTION_OK);
	PQclear(PQprepare(pg, "nothing", "select", 0, NULL));
	for (int run = 0; run < RUNS; run++) {
		double from = cpu_ms();

		for (int i = 0; i < STATEMENTS; i++) {
			PGresult *r = PQexecPrepared(pg, "nothing", 0, NULL, NULL, NULL, 1);

			must(PQresultStatus(r) == PGRES_TUPLES_OK);
			PQclear(r);
		}
		each[run] = (cpu_ms() - from) / STATEMENTS;
	}
	PQfinish(pg);
	return median(each);
}

int
main(int argc, char **argv)
{
	must(argc == 2);
	printf("{\"session_ms\": %.4f, ", measure_session());
	printf("\"statement_ms\": %.4f}\n", measure_statement(argv[1]));
	return 0;
}
