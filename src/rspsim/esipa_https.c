/* ESipa over HTTPS (SGP.32 §6.1): libcurl, the headers of the standard, TLS as esipa_trust.c asks. */
#include <curl/curl.h>
#include <stdlib.h>
#include "base/buf.h"
#include "rspsim/esipa.h"

enum { ANSWER_MAX = 1 << 20, TIMEOUT_SECONDS = 60, HTTPS_PORT = 443 };

struct https {
	const struct rspsim_esipa_options *options;
	CURL *curl;
	struct curl_slist *headers, *connect;
	struct rspsim_place server;
	struct arena *mem; /* of the exchange in hand */
	struct buf answer;
	char fault[CURL_ERROR_SIZE];
};

static CURLcode
configure_tls(CURL *curl, void *ssl_ctx, void *arg)
{
	const struct https *h = arg;

	(void)curl;
	return rspsim_trust_apply(&h->options->trust, ssl_ctx) ? CURLE_OK
							       : CURLE_SSL_CACERT_BADFILE;
}

static size_t
take(char *p, size_t one, size_t n, void *arg)
{
	struct https *h = arg;

	buf_put(&h->answer, slice_of(p, n * one));
	return h->answer.overflow ? 0 : n * one;
}

static void
set_up(struct https *h)
{
	const struct rspsim_esipa_options *o = h->options;
	CURL *c = h->curl;

	h->headers = curl_slist_append(NULL,
		o->transport == RSPSIM_JSON ? "Content-Type: application/json;charset=UTF-8"
					    : "Content-Type: application/x-gsma-rsp-asn1");
	h->headers = curl_slist_append(h->headers, "X-Admin-Protocol: gsma/rsp/v2.2.0");
	h->headers = curl_slist_append(h->headers, "Expect:");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, h->headers);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "gsma-rsp-ipad");
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)TIMEOUT_SECONDS);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	/* esipa_trust.c judges certificate and name: a pinned one needs no name */
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(c, CURLOPT_SSL_SESSIONID_CACHE, o->connections == RSPSIM_RESUME ? 1L : 0L);
	curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, configure_tls);
	curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, h);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, o->connections == RSPSIM_KEEP ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, o->connections == RSPSIM_KEEP ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->fault);
	if (o->connect) {
		char map[300];

		snprintf(map, sizeof map, "::%s", o->connect);
		h->connect = curl_slist_append(NULL, map);
		curl_easy_setopt(c, CURLOPT_CONNECT_TO, h->connect);
	}
}

static void *
start(const struct rspsim_esipa_options *options, const char **wrong)
{
	struct https *h = calloc(1, sizeof *h);

	if (!h)
		abort();
	h->options = options;
	if (!rspsim_place_read(options->server, HTTPS_PORT, &h->server)) {
		*wrong = "the eIM's name cannot be read";
		free(h);
		return NULL;
	}
	h->curl = curl_easy_init();
	if (!h->curl)
		abort();
	set_up(h);
	return h;
}

static void
stop(void *carrier)
{
	struct https *h = carrier;

	curl_easy_cleanup(h->curl);
	curl_slist_free_all(h->headers);
	curl_slist_free_all(h->connect);
	free(h);
}

static void
post(void *carrier, struct arena *mem, struct rspsim_exchange *x)
{
	struct https *h = carrier;
	curl_off_t wait = 0;
	char *type = NULL;
	CURLcode code;

	buf_init(&h->answer, mem, ANSWER_MAX);
	h->fault[0] = 0;
	curl_easy_setopt(h->curl, CURLOPT_URL,
		arena_printf(mem, "https://%s:%u%s", h->server.host, h->server.port, x->path));
	curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, x->body.p);
	curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE, (long)x->body.n);
	code = curl_easy_perform(h->curl);
	if (code != CURLE_OK) {
		snprintf(x->fault, sizeof x->fault, "%s",
			h->fault[0] ? h->fault : curl_easy_strerror(code));
		return;
	}
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &x->status);
	curl_easy_getinfo(h->curl, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &wait);
	snprintf(x->answer_type, sizeof x->answer_type, "%s", type ? type : "");
	x->retry_after = wait > 0 && wait < UINT16_MAX ? (unsigned)wait : 0;
	x->answer = buf_get(&h->answer);
}

const struct rspsim_carrier rspsim_carrier_https = { start, post, stop };
