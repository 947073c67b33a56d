/* ES2+ as a client, on libcurl: one connection, JSON both ways, the header of §6.5.1.3. */
#include <curl/curl.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/rand.h"
#include "base/text.h"
#include "rspsim/es2.h"

enum { ANSWER_MAX = 64 * 1024, TIMEOUT_SECONDS = 60, IDENTIFIER = 16 };

struct rspsim_es2 {
	const struct rspsim_es2_options *options;
	CURL *curl;
	struct curl_slist *headers, *connect;
	char answer[ANSWER_MAX + 1];
	size_t answer_n;
	char fault[CURL_ERROR_SIZE];
};

static size_t
take(char *p, size_t one, size_t n, void *arg)
{
	struct rspsim_es2 *es2 = arg;

	if (es2->answer_n + n > ANSWER_MAX)
		return 0;
	memcpy(es2->answer + es2->answer_n, p, n);
	es2->answer_n += n;
	es2->answer[es2->answer_n] = 0;
	return n * one;
}

struct rspsim_es2 *
rspsim_es2_new(const struct rspsim_es2_options *o)
{
	struct rspsim_es2 *es2 = calloc(1, sizeof *es2);
	CURL *c = curl_easy_init();
	char map[300];

	if (!es2 || !c)
		abort();
	es2->options = o;
	es2->curl = c;
	es2->headers = curl_slist_append(NULL, "Content-Type: application/json");
	es2->headers = curl_slist_append(es2->headers, "X-Admin-Protocol: gsma/rsp/v2.2.2");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, es2->headers);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)TIMEOUT_SECONDS);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, o->trusting ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, o->trusting ? 0L : 2L);
	curl_easy_setopt(c, CURLOPT_SSLCERT, o->certificate);
	curl_easy_setopt(c, CURLOPT_SSLKEY, o->key);
	if (o->ca)
		curl_easy_setopt(c, CURLOPT_CAINFO, o->ca);
	if (o->connect) {
		snprintf(map, sizeof map, "::%s", o->connect);
		es2->connect = curl_slist_append(NULL, map);
		curl_easy_setopt(c, CURLOPT_CONNECT_TO, es2->connect);
	}
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, es2);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, es2->fault);
	return es2;
}

void
rspsim_es2_free(struct rspsim_es2 *es2)
{
	curl_easy_cleanup(es2->curl);
	curl_slist_free_all(es2->headers);
	curl_slist_free_all(es2->connect);
	free(es2);
}

static json_t *
header_new(const struct rspsim_es2 *es2, const char *identifier)
{
	uint8_t random[IDENTIFIER];
	struct arena mem;
	json_t *header;

	arena_init(&mem, 1024, NULL, NULL);
	rand_bytes(random, sizeof random);
	if (!identifier)
		identifier = (const char *)text_hex(&mem, SLICE_ARRAY(random)).p;
	header = json_pack("{s:s, s:s}", "functionRequesterIdentifier", es2->options->requester,
		"functionCallIdentifier", identifier);
	arena_fini(&mem);
	return header;
}

void
rspsim_es2_post(struct rspsim_es2 *es2, const char *function, json_t *members,
	const char *identifier, struct rspsim_call *call, json_t **answer)
{
	char url[400], *body;
	int64_t from;
	CURLcode code;

	*call = (struct rspsim_call){ .function = function, .outcome = RSPSIM_CALL_TRANSPORT };
	*answer = NULL;
	json_object_set_new(members, "header", header_new(es2, identifier));
	body = json_dumps(members, JSON_COMPACT);
	json_decref(members);
	snprintf(
		url, sizeof url, "https://%s/gsma/rsp2/es2plus/%s", es2->options->server, function);
	curl_easy_setopt(es2->curl, CURLOPT_URL, url);
	curl_easy_setopt(es2->curl, CURLOPT_POSTFIELDS, body);
	es2->answer_n = 0;
	es2->fault[0] = 0;
	from = clock_mono_us();
	code = curl_easy_perform(es2->curl);
	call->us = clock_mono_us() - from;
	curl_easy_getinfo(es2->curl, CURLINFO_RESPONSE_CODE, &call->http);
	if (code == CURLE_OK)
		rspsim_es9_answer_read(slice_of(es2->answer, es2->answer_n), call, answer);
	else
		snprintf(call->message, sizeof call->message, "%s",
			es2->fault[0] ? es2->fault : curl_easy_strerror(code));
	if (es2->options->trace)
		fprintf(stderr, "> %s %s\n< %ld %.*s\n", url, body, call->http, (int)es2->answer_n,
			es2->answer);
	free(body);
}
