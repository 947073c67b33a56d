/*
 * Outgoing calls: libcurl's multi interface driven by the loop's events (its socket and timer callbacks),
 * a call an easy handle. Steps of tasks run from the loop and never from inside libcurl, so that starting
 * and cancelling a call never re-enters it. Certificates of ours are client_keys.c's.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <curl/curl.h>
#include "base/buf.h"
#include "https/client_int.h"
#include "https/int.h"
#include "stats/stats.h"

enum { KEPT = 64 }; /* idle connections at most */

/* The answer to CertificateVerify on brainpool needs the group; the list is that of our servers. */
#define GROUPS "P-256:brainpoolP256r1:X25519"

struct https_client {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	unsigned calls, most;
};

/* In the task's arena; the answer's room is taken at the start, for libcurl must not be jumped over. */
struct call {
	struct https_client *client;
	struct task *task;
	struct https_reply *out;
	struct https_keys *keys;
	CURL *easy;
	struct curl_slist *headers;
	uint8_t *answer;
	size_t answer_n, answer_most;
	bool too_long;
	char words[CURL_ERROR_SIZE];
};

/* A socket of libcurl's, as it wants it watched. */
struct watch {
	struct https_client *client;
	struct event *event;
};

/* The call leaves libcurl; its connection is closed unless it may be used again. */
static void
end_call(struct call *c)
{
	curl_multi_remove_handle(c->client->multi, c->easy);
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	https_keys_release(c->keys);
	c->client->calls--;
	stats_add_n(STATS_https_calls_open, -1);
}

static void
settle(struct call *c, CURLcode code)
{
	struct task *t = c->task;
	long status = 0;
	curl_off_t retry_after = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &retry_after);
	if (code == CURLE_OK) {
		*c->out = (struct https_reply){ .status = (unsigned)status,
			.body = slice_of(c->answer, c->answer_n),
			.retry_after = (unsigned)retry_after };
	} else {
		stats_add(STATS_https_calls_failed);
		c->out->status = 0;
		c->out->wrong = c->too_long ? "the answer is too long"
			: c->words[0]       ? c->words
					    : curl_easy_strerror(code);
	}
	end_call(c);
	task_wake(t, code == CURLE_OK ? R_OK : R_NONE, T_NONE);
}

static void
settle_ended(struct https_client *c)
{
	struct call *call;
	const CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left)))
		if (m->msg == CURLMSG_DONE) {
			CURLcode code = m->data.result;

			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &call);
			settle(call, code);
		}
}

/* ---- libcurl's sockets and timer in the loop -------------------------------------------------------- */

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct https_client *c = ((struct watch *)arg)->client;
	int running;

	curl_multi_socket_action(c->multi, fd,
		(what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0),
		&running);
	settle_ended(c);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct https_client *c = arg;
	int running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	settle_ended(c);
}

static int
watch(CURL *easy, curl_socket_t fd, int what, void *client, void *watched)
{
	struct https_client *c = client;
	struct watch *w = watched;

	(void)easy;
	if (w)
		event_free(w->event);
	if (what == CURL_POLL_REMOVE) {
		free(w);
		curl_multi_assign(c->multi, fd, NULL);
		return 0;
	}
	if (!w)
		w = calloc(1, sizeof *w);
	if (!w)
		abort();
	w->client = c;
	w->event = event_new(c->base, fd,
		(short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) |
			(what & CURL_POLL_OUT ? EV_WRITE : 0)),
		on_socket, w);
	if (!w->event || event_add(w->event, NULL) < 0)
		abort();
	curl_multi_assign(c->multi, fd, w);
	return 0;
}

/* Also for 0 ms: libcurl must not be called from inside itself. */
static int
wake_up(CURLM *multi, long ms, void *client)
{
	struct https_client *c = client;
	struct timeval in = { ms / 1000, ms % 1000 * 1000 };

	(void)multi;
	if (ms < 0)
		event_del(c->timer);
	else
		event_add(c->timer, &in);
	return 0;
}

/* ---- a call ----------------------------------------------------------------------------------------- */

static size_t
take(char *p, size_t one, size_t n, void *arg)
{
	struct call *c = arg;

	(void)one;
	if (n > c->answer_most - c->answer_n) {
		c->too_long = true;
		return 0;
	}
	memcpy(c->answer + c->answer_n, p, n);
	c->answer_n += n;
	return n;
}

static CURLcode
set_up_tls(CURL *easy, void *context, void *arg)
{
	(void)easy;
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	if (arg)
		SSL_CTX_set_cert_cb(context, https_keys_choose, arg);
	return CURLE_OK;
}

/*
 * libcurl uses a connection again for whoever trusts the same roots by octets; naming our keys before
 * them, where PEM allows any words, keeps connections apart that showed other certificates.
 */
static struct slice
trust_of(struct arena *mem, const struct https_call *in)
{
	struct buf pem;

	buf_init(&pem, mem, in->roots.n + 64);
	buf_printf(&pem, "keys %llu\n", (unsigned long long)https_keys_number(in->keys));
	buf_put(&pem, in->roots);
	return buf_get(&pem);
}

static void
set_trust(struct call *c, struct slice pem)
{
	struct curl_blob blob = { (void *)(uintptr_t)pem.p, pem.n, CURL_BLOB_COPY };

	curl_easy_setopt(c->easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(c->easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(c->easy, CURLOPT_CAINFO_BLOB, &blob);
	curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c->easy, CURLOPT_SSL_EC_CURVES, GROUPS);
	curl_easy_setopt(c->easy, CURLOPT_SSL_CTX_FUNCTION, set_up_tls);
	curl_easy_setopt(c->easy, CURLOPT_SSL_CTX_DATA, c->keys);
}

static void
set_limits(struct call *c, const struct https_call *in)
{
	curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(c->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	/* Cancelling must not wait for the thread that resolves a name. */
	curl_easy_setopt(c->easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)in->connect_ms);
	curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)in->total_ms);
	curl_easy_setopt(c->easy, CURLOPT_TCP_KEEPALIVE, 1L);
}

static void
set_content(struct call *c, const struct https_call *in, struct slice body)
{
	for (size_t i = 0; in->headers && in->headers[i]; i++)
		c->headers = curl_slist_append(c->headers, in->headers[i]);
	c->headers = curl_slist_append(c->headers, "Expect:");
	curl_easy_setopt(c->easy, CURLOPT_URL, in->url);
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(c->easy, CURLOPT_USERAGENT, "rspd/" RSPD_VERSION);
	curl_easy_setopt(c->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, body.p);
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->words);
	curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
}

/* The task stops waiting. */
static void
abandon(void *arg)
{
	end_call(arg);
}

const struct step *
https_client_post(struct task *t, struct https_client *client, const struct https_call *in,
	struct https_reply *out, const struct step *then)
{
	struct call *c = ARENA_NEW(t->mem, struct call);
	struct slice trust = trust_of(t->mem, in), body = arena_copy(t->mem, in->body);

	*c = (struct call){ .client = client,
		.task = t,
		.out = out,
		.answer = arena_alloc(t->mem, in->answer_most + 1),
		.answer_most = in->answer_most };
	*out = (struct https_reply){ 0 };
	if (client->calls >= client->most)
		return task_trouble(t, T_BUSY);
	/* From here to the wait nothing is taken from the arena, which jumps away when it is full. */
	c->easy = curl_easy_init();
	if (!c->easy)
		abort();
	c->keys = https_keys_hold(in->keys);
	set_limits(c, in);
	set_trust(c, trust);
	set_content(c, in, body);
	client->calls++;
	stats_add(STATS_https_calls);
	stats_add(STATS_https_calls_open);
	if (curl_multi_add_handle(client->multi, c->easy) != CURLM_OK)
		abort();
	return task_wait(t, then, abandon, c);
}

/* ---- the client ------------------------------------------------------------------------------------- */

struct https_client *
https_client_new(struct loop *l, unsigned calls)
{
	struct https_client *c = calloc(1, sizeof *c);

	if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	c->base = loop_base_get(l);
	c->most = calls;
	c->multi = curl_multi_init();
	c->timer = evtimer_new(c->base, on_timer, c);
	if (!c->multi || !c->timer)
		abort();
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, wake_up);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)KEPT);
	return c;
}

void
https_client_limit_set(struct https_client *c, unsigned calls)
{
	c->most = calls;
}

void
https_client_free(struct https_client *c)
{
	assert(!c->calls);
	curl_multi_cleanup(c->multi);
	event_free(c->timer);
	free(c);
	curl_global_cleanup();
}
