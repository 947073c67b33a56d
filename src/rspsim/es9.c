/*
 * The LPA's HTTPS: TLS as SGP.22 §2.6.6 asks (server certificate of role dp-tls below a CI of the
 * card, NIST and brainpool groups), and the headers of §6.2. What an answer says is read in
 * es9_answer.c and es9_asn1.c.
 */
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/text.h"
#include "rspsim/cert.h"
#include "rspsim/es9_asn1.h"

enum { ANSWER_MAX = 4 << 20, TIMEOUT_SECONDS = 60, ARENA_CAP = 64 << 20 };

struct rspsim_es9 {
	const struct rspsim_card *card;
	struct rspsim_es9_options options;
	CURL *curl;
	struct curl_slist *headers, *connect;
	size_t connect_now; /* which of the options' addresses is in use */
	bool fresh;
	char *answer;
	size_t answer_size;
	char fault[CURL_ERROR_SIZE]; /* libcurl's words for the last one */
};

/* After OpenSSL has built the chain: the server's certificate is one of the role (§4.5.2.1). */
static int
check_role(int good, X509_STORE_CTX *store, enum rspsim_role role)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);
	int last = sk_X509_num(chain) - 1;

	if (!good || X509_STORE_CTX_get_error_depth(store) > 0)
		return good;
	if (last == 1 &&
		rspsim_cert_check(sk_X509_value(chain, 0), sk_X509_value(chain, last), role) ==
			RSPSIM_CERT_FINE)
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static int
check_dp(int good, X509_STORE_CTX *store)
{
	return check_role(good, store, RSPSIM_ROLE_DP_TLS);
}

static int
check_ds(int good, X509_STORE_CTX *store)
{
	return check_role(good, store, RSPSIM_ROLE_DS_TLS);
}

static CURLcode
configure_tls(CURL *curl, void *ssl_ctx, void *arg)
{
	char groups[] = "P-256:brainpoolP256r1:X25519";
	const struct rspsim_es9 *es9 = arg;
	const struct rspsim_card *card = es9->card;
	X509_STORE *store = SSL_CTX_get_cert_store(ssl_ctx);

	(void)curl;
	for (size_t i = 0; i < card->ci_count; i++)
		X509_STORE_add_cert(store, card->ci[i].root);
	SSL_CTX_set1_groups_list(ssl_ctx, groups);
	if (!card->trusting)
		SSL_CTX_set_verify(
			ssl_ctx, SSL_VERIFY_PEER, es9->options.sm_ds ? check_ds : check_dp);
	return CURLE_OK;
}

static size_t
take(char *p, size_t one, size_t n, void *arg)
{
	struct rspsim_es9 *es9 = arg;
	char *grown;

	if (es9->answer_size + n > ANSWER_MAX)
		return 0;
	grown = realloc(es9->answer, es9->answer_size + n + 1);
	if (!grown)
		return 0;
	memcpy(grown + es9->answer_size, p, n);
	es9->answer = grown;
	es9->answer_size += n;
	grown[es9->answer_size] = 0;
	return n * one;
}

struct rspsim_es9 *
rspsim_es9_new(const struct rspsim_card *card, const struct rspsim_es9_options *options)
{
	struct rspsim_es9 *es9 = calloc(1, sizeof *es9);
	CURL *c = curl_easy_init();

	if (!es9 || !c)
		abort();
	*es9 = (struct rspsim_es9){ .card = card, .options = *options, .curl = c };
	es9->headers = curl_slist_append(NULL,
		options->asn1 ? "Content-Type: " RSPSIM_ASN1_TYPE
			      : "Content-Type: application/json");
	es9->headers = curl_slist_append(es9->headers, "X-Admin-Protocol: gsma/rsp/v2.2.2");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, es9->headers);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "gsma-rsp-lpad");
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)TIMEOUT_SECONDS);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, card->trusting ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, card->trusting ? 0L : 2L);
	curl_easy_setopt(c, CURLOPT_SSL_SESSIONID_CACHE, options->resume ? 1L : 0L);
	curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, configure_tls);
	curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, es9);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, es9);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, es9->fault);
	return es9;
}

void
rspsim_es9_free(struct rspsim_es9 *es9)
{
	if (!es9)
		return;
	curl_easy_cleanup(es9->curl);
	curl_slist_free_all(es9->headers);
	curl_slist_free_all(es9->connect);
	free(es9->answer);
	free(es9);
}

void
rspsim_es9_reconnect(struct rspsim_es9 *es9)
{
	es9->fresh = true;
}

static CURLcode
perform(struct rspsim_es9 *es9)
{
	char map[300];

	if (es9->options.connect_count) {
		snprintf(map, sizeof map, "::%s", es9->options.connect[es9->connect_now]);
		curl_slist_free_all(es9->connect);
		es9->connect = curl_slist_append(NULL, map);
		curl_easy_setopt(es9->curl, CURLOPT_CONNECT_TO, es9->connect);
	}
	es9->answer_size = 0;
	es9->fault[0] = 0;
	return curl_easy_perform(es9->curl);
}

/* A listener of another CI fails in TLS; a card of one CI goes on to the next address. */
static CURLcode
perform_anywhere(struct rspsim_es9 *es9)
{
	CURLcode code = perform(es9);

	for (size_t i = 1; i < es9->options.connect_count &&
		(code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
			code == CURLE_COULDNT_CONNECT);
		i++) {
		es9->connect_now = (es9->connect_now + 1) % es9->options.connect_count;
		code = perform(es9);
	}
	return code;
}

/* The answer's Content-Type is the binding's own (§6.6). */
static bool
is_asn1(struct rspsim_es9 *es9)
{
	char *type = NULL;

	curl_easy_getinfo(es9->curl, CURLINFO_CONTENT_TYPE, &type);
	return type && strcmp(type, RSPSIM_ASN1_TYPE) == 0;
}

static void
judge(struct rspsim_es9 *es9, struct arena *mem, CURLcode code, struct rspsim_call *call,
	json_t **answer)
{
	struct slice octets = slice_of(es9->answer, es9->answer_size);

	call->outcome = RSPSIM_CALL_TRANSPORT;
	if (code != CURLE_OK) {
		snprintf(call->message, sizeof call->message, "%s",
			es9->fault[0] ? es9->fault : curl_easy_strerror(code));
		return;
	}
	curl_easy_getinfo(es9->curl, CURLINFO_RESPONSE_CODE, &call->http);
	if (!es9->options.asn1)
		rspsim_es9_answer_read(octets, call, answer);
	else if (call->http == 200 && !is_asn1(es9))
		snprintf(
			call->message, sizeof call->message, "the answer is not " RSPSIM_ASN1_TYPE);
	else
		rspsim_es9_asn1_read(mem, octets, call, answer);
}

static void
trace(const struct rspsim_es9 *es9, struct arena *mem, const char *url, struct slice body,
	long http)
{
	struct slice answer = slice_of(es9->answer, es9->answer_size);

	if (es9->options.asn1) {
		body = text_hex(mem, body);
		answer = text_hex(mem, answer);
	}
	fprintf(stderr, "> %s %.*s\n< %ld %.*s\n", url, SLICE_FMT(body), http, SLICE_FMT(answer));
}

void
rspsim_es9_post(struct rspsim_es9 *es9, const char *address, const char *function, const char *body,
	struct rspsim_call *call, json_t **answer)
{
	long fresh = es9->fresh || es9->options.connection_per_call;
	struct slice octets = slice_text(body);
	struct arena mem;
	char url[400];
	int64_t from;
	CURLcode code;

	arena_init(&mem, ARENA_CAP, NULL, NULL);
	*call = (struct rspsim_call){ .function = function };
	*answer = NULL;
	snprintf(url, sizeof url, "https://%s/gsma/rsp2/es9plus/%s", address, function);
	if (es9->options.asn1) {
		snprintf(url, sizeof url, "https://%s" RSPSIM_ASN1_PATH, address);
		octets = rspsim_es9_asn1_write(&mem, function, body);
	}
	curl_easy_setopt(es9->curl, CURLOPT_URL, url);
	curl_easy_setopt(es9->curl, CURLOPT_POSTFIELDS, octets.p);
	curl_easy_setopt(es9->curl, CURLOPT_POSTFIELDSIZE, (long)octets.n);
	curl_easy_setopt(es9->curl, CURLOPT_FRESH_CONNECT, fresh);
	curl_easy_setopt(
		es9->curl, CURLOPT_FORBID_REUSE, es9->options.connection_per_call ? 1L : 0L);
	es9->fresh = false;
	from = clock_mono_us();
	code = perform_anywhere(es9);
	call->us = clock_mono_us() - from;
	judge(es9, &mem, code, call, answer);
	if (es9->options.trace)
		trace(es9, &mem, url, octets, call->http);
	arena_fini(&mem);
}
