/*
 * The HTTPS server under rspsim's SM-DS and operator: OpenSSL, blocking, a thread for each connection. Good
 * for tests and demonstrations, where the one that is looked at is at the other end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>
#include "rspsim/serve.h"
#include "rspsim/verbs.h"

enum { HEAD_MOST = 16 * 1024, BODY_MOST = 1024 * 1024, LINE = 256 };

struct server {
	const struct rspsim_serve *set;
	SSL_CTX *context;
	pthread_mutex_t lock; /* held while a handler runs */
	struct rspsim_failing failing;
};

struct connection {
	struct server *server;
	SSL *ssl;
	int fd;
	char head[HEAD_MOST + 1];
	size_t n; /* octets in `head`, of which some may be the body's already */
};

/* ---- a request ----------------------------------------------------------------------------------------- */

/* The head, to its blank line; its length, or 0 at the end of the connection. */
static size_t
read_head(struct connection *c)
{
	const char *end;
	int got;

	for (;;) {
		c->head[c->n] = 0;
		end = strstr(c->head, "\r\n\r\n");
		if (end)
			return (size_t)(end + 4 - c->head);
		if (c->n == HEAD_MOST)
			return 0;
		got = SSL_read(c->ssl, c->head + c->n, (int)(HEAD_MOST - c->n));
		if (got <= 0)
			return 0;
		c->n += (size_t)got;
	}
}

static bool
read_body(struct connection *c, struct arena *mem, size_t head, struct slice *body)
{
	const char *field = strcasestr(c->head, "\r\nContent-Length:");
	size_t wanted = field && field < c->head + head ? strtoul(field + 17, NULL, 10) : 0, n;
	uint8_t *octets;
	int got;

	if (wanted > BODY_MOST)
		return false;
	octets = arena_alloc(mem, wanted + 1);
	n = c->n - head < wanted ? c->n - head : wanted;
	memcpy(octets, c->head + head, n);
	memmove(c->head, c->head + head + n, c->n - head - n);
	c->n -= head + n;
	while (n < wanted) {
		got = SSL_read(c->ssl, octets + n, (int)(wanted - n));
		if (got <= 0)
			return false;
		n += (size_t)got;
	}
	*body = slice_of(octets, wanted);
	return true;
}

/* ---- an answer, or what is one no more ----------------------------------------------------------------- */

/* What this call meets; one less is left. */
static struct rspsim_failing
next_failing(struct rspsim_failing *f)
{
	struct rspsim_failing now = *f;

	if (!f->calls)
		now.what = RSPSIM_FAIL_NOT;
	else if (f->calls != UINT32_MAX)
		f->calls--;
	return now;
}

static struct slice
body_of(const struct rspsim_answer *a)
{
	return a->body ? slice_text(a->body) : a->octets;
}

/* Of a failure that does nothing it is the whole answer. */
static const char *
head_of(struct arena *mem, struct rspsim_failing now, const struct rspsim_answer *a)
{
	if (now.what == RSPSIM_FAIL_GARBAGE)
		return "\x16\x03\x01 this is none of HTTP\r\n\r\n";
	if (now.what == RSPSIM_FAIL_STATUS)
		return arena_printf(
			mem, "HTTP/1.1 %u As Told\r\nContent-Length: 0\r\n\r\n", now.value);
	if (now.what == RSPSIM_FAIL_RETRY)
		return arena_printf(mem,
			"HTTP/1.1 503 As Told\r\nRetry-After: %u\r\nContent-Length: 0\r\n\r\n",
			now.value);
	if (now.what == RSPSIM_FAIL_REDIRECT)
		return "HTTP/1.1 307 As Told\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
	return arena_printf(mem,
		"HTTP/1.1 %u %s\r\nX-Admin-Protocol: gsma/rsp/v2.5.0\r\n%sContent-Length: "
		"%zu\r\n\r\n",
		a->status,
		a->status == 200           ? "OK"
			: a->status == 204 ? "No Content"
					   : "As It Is",
		a->body           ? "Content-Type: application/json;charset=UTF-8\r\n"
			: a->type ? arena_printf(mem, "Content-Type: %s\r\n", a->type)
				  : "",
		body_of(a).n);
}

static bool
write_answer(struct connection *c, struct arena *mem, struct rspsim_failing now,
	const struct rspsim_answer *a)
{
	struct slice head = slice_text(head_of(mem, now, a)), body = body_of(a);
	size_t n = head.n + body.n, part = now.what == RSPSIM_FAIL_DRIP ? 1 : n;
	uint8_t *text = arena_alloc(mem, n);

	memcpy(text, head.p, head.n);
	if (body.n)
		memcpy(text + head.n, body.p, body.n);
	if (now.what == RSPSIM_FAIL_DELAY)
		usleep(now.value * 1000);
	for (size_t i = 0; i < n; i += part) {
		if (SSL_write(c->ssl, text + i, (int)part) <= 0)
			return false;
		if (part != n)
			usleep(now.value * 1000);
	}
	return true;
}

static struct rspsim_answer
ask_handler(struct connection *c, struct arena *mem, const char *path, struct slice body)
{
	const struct rspsim_serve *set = c->server->set;
	struct rspsim_answer answer;

	pthread_mutex_lock(&c->server->lock);
	answer = set->handler(set->arg, mem, path, body, SSL_get0_peer_certificate(c->ssl));
	pthread_mutex_unlock(&c->server->lock);
	return answer;
}

#define FAIL_DOES(NAME, name, value, does) [RSPSIM_FAIL_##NAME] = does,
static const bool does[] = { RSPSIM_FAILURES(FAIL_DOES) };
#undef FAIL_DOES

static bool
answer_one(struct connection *c, struct arena *mem, const char *path, struct slice body)
{
	struct rspsim_answer answer = { 0 };
	struct rspsim_failing now;
	char rest;

	pthread_mutex_lock(&c->server->lock);
	now = next_failing(&c->server->failing);
	pthread_mutex_unlock(&c->server->lock);
	if (now.what == RSPSIM_FAIL_LATE)
		usleep(now.value * 1000);
	if (does[now.what])
		answer = ask_handler(c, mem, path, body);
	if (now.what == RSPSIM_FAIL_HANG)
		while (SSL_read(c->ssl, &rest, 1) > 0)
			;
	if (now.what == RSPSIM_FAIL_HANG || now.what == RSPSIM_FAIL_CUT ||
		now.what == RSPSIM_FAIL_LOSE)
		return false;
	return write_answer(c, mem, now, &answer);
}

static bool
serve_one(struct connection *c)
{
	size_t head = read_head(c);
	char path[LINE] = "";
	struct slice body;
	struct arena mem;
	bool good;

	if (!head || sscanf(c->head, "POST %255s HTTP/1.1", path) != 1)
		return false;
	arena_init(&mem, 8 << 20, NULL, NULL);
	good = read_body(c, &mem, head, &body) && answer_one(c, &mem, path, body);
	arena_fini(&mem);
	return good;
}

static void *
serve_connection(void *arg)
{
	struct connection *c = arg;

	if (SSL_accept(c->ssl) == 1)
		while (serve_one(c))
			;
	SSL_free(c->ssl);
	close(c->fd);
	free(c);
	return NULL;
}

/* ---- the server ---------------------------------------------------------------------------------------- */

static int
any_client(int good, X509_STORE_CTX *store)
{
	(void)store;
	return good;
}

static const char *
set_up(struct server *s)
{
	const struct rspsim_serve *set = s->set;
	char groups[] = "P-256:brainpoolP256r1:X25519";
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

	s->context = SSL_CTX_new(TLS_server_method());
	if (!s->context || !SSL_CTX_set_min_proto_version(s->context, TLS1_2_VERSION) ||
		!SSL_CTX_set1_groups_list(s->context, groups))
		return "TLS cannot be set up";
	SSL_CTX_set_session_cache_mode(s->context, SSL_SESS_CACHE_OFF);
	for (size_t i = 0; i < 2 && set->certificate[i]; i++)
		if (SSL_CTX_use_certificate_chain_file(s->context, set->certificate[i]) != 1 ||
			SSL_CTX_use_PrivateKey_file(s->context, set->key[i], SSL_FILETYPE_PEM) != 1)
			return "certificate or key cannot be read, or do not belong together";
	for (size_t i = 0; i < 2 && set->roots[i]; i++) {
		if (!SSL_add_file_cert_subjects_to_stack(names, set->roots[i]) ||
			SSL_CTX_load_verify_file(s->context, set->roots[i]) != 1)
			return "the roots of clients cannot be read";
		SSL_CTX_set_verify(s->context,
			SSL_VERIFY_PEER | (set->only ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
			any_client);
		X509_VERIFY_PARAM_set_flags(
			SSL_CTX_get0_param(s->context), X509_V_FLAG_PARTIAL_CHAIN);
	}
	SSL_CTX_set_client_CA_list(s->context, names);
	return NULL;
}

/* HOST:PORT, bound and listened on; -1 when it cannot be. */
static int
open_socket(const char *where)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	const char *colon = strrchr(where, ':');
	uint64_t port;
	char host[64];
	int fd, on = 1;

	if (!colon || (size_t)(colon - where) >= sizeof host)
		return -1;
	snprintf(host, sizeof host, "%.*s", (int)(colon - where), where);
	if (!slice_to_u64(slice_text(colon + 1), UINT16_MAX, &port) ||
		inet_pton(AF_INET, host, &at.sin_addr) != 1)
		return -1;
	at.sin_port = htons((uint16_t)port);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 128) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void *
accept_all(void *arg)
{
	struct server *s = arg;
	int fd = open_socket(s->set->listen), on = 1;
	struct connection *c;
	pthread_t thread;

	if (fd < 0)
		exit(rspsim_complain(EX_UNAVAILABLE, s->set->listen,
			"cannot listen there; give an IPv4 address and a free port"));
	printf("listening on %s\n", s->set->listen);
	fflush(stdout);
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer < 0)
			continue;
		setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		c = calloc(1, sizeof *c);
		if (!c)
			abort();
		*c = (struct connection){ .server = s, .fd = peer, .ssl = SSL_new(s->context) };
		SSL_set_fd(c->ssl, peer);
		if (pthread_create(&thread, NULL, serve_connection, c) != 0)
			abort();
		pthread_detach(thread);
	}
	return NULL;
}

const char *
rspsim_failing_read(const char *text, struct rspsim_failing *out)
{
#define FAIL_KNOWN(NAME, name, value, does) { name, RSPSIM_FAIL_##NAME, value },
	static const struct {
		const char *name;
		enum rspsim_failure what;
		bool value;
	} known[] = { RSPSIM_FAILURES(FAIL_KNOWN) };
#undef FAIL_KNOWN
	size_t n = strcspn(text, ":*");
	const char *star = strchr(text, '*');
	const char *end = star ? star : text + strlen(text);
	uint64_t value = 0, calls = UINT32_MAX;

	if ((text[n] == ':' &&
		    !slice_to_u64(slice_of(text + n + 1, (size_t)(end - text) - n - 1), 600000,
			    &value)) ||
		(star && !slice_to_u64(slice_text(star + 1), 1000000, &calls)))
		n = 0; /* which is no failure's name */
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (!slice_eq(slice_of(text, n), slice_text(known[i].name)) ||
			known[i].value != (text[n] == ':'))
			continue;
		*out = (struct rspsim_failing){ known[i].what, (unsigned)value, (unsigned)calls };
		return NULL;
	}
	return "failures are status:N, retry:SECONDS, delay:MS, late:MS, drip:MS, redirect, "
	       "garbage, hang, "
	       "cut and lose, each perhaps with *CALLS behind, or no";
}

int
rspsim_serve(const struct rspsim_serve *set)
{
	static struct server s; /* threads outlive this frame until the process ends */
	const char *wrong = set->fail ? rspsim_failing_read(set->fail, &s.failing) : NULL;
	char line[LINE];
	pthread_t thread;

	if (wrong)
		return rspsim_complain(EX_USAGE, set->fail, wrong);
	s.set = set;
	pthread_mutex_init(&s.lock, NULL);
	signal(SIGPIPE, SIG_IGN);
	wrong = set_up(&s);
	if (wrong)
		return rspsim_complain(EX_DATAERR, set->certificate[0], wrong);
	if (pthread_create(&thread, NULL, accept_all, &s) != 0)
		return EX_OSERR;
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		pthread_mutex_lock(&s.lock);
		wrong = rspsim_failing_read(line, &s.failing);
		pthread_mutex_unlock(&s.lock);
		puts(wrong ? wrong : "as you say");
		fflush(stdout);
	}
	pthread_join(thread, NULL);
	return EX_OK;
}
