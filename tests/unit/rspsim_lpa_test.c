/*
 * The download procedure over HTTPS against the tiny server in a thread: which calls are made,
 * what each carries, and what the LPA does when the server, the card or it itself refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "rspsim/lpa.h"
#include "rspsim_answers.h"

enum { REQUEST_MAX = 65536 };

/* The server, what it got, and where it shall refuse. */
struct web {
	struct server *dp;
	pthread_t thread;
	int listener;
	char where[32];
	SSL_CTX *tls;
	struct slice announced;           /* metadata of authenticateClient */
	const char *refuse;               /* the function that answers Failed 8.2.6/3.8, or NULL */
	char calls[512];                  /* functions in order, a blank behind each */
	struct slice cancelled, notified; /* what cancelSession and handleNotification carried */
};

/* One request of a connection that is kept; false at its end. */
static bool
serve_one(struct web *w, SSL *ssl, char *p)
{
	char function[64] = "", head[200], *end = NULL, *text;
	const char *status = "Executed-Success", *length;
	size_t n = 0, body = 0;
	json_t *answer, *request;
	int used;

	while (!end || n < (size_t)(end - p) + 4 + body) {
		int got =
			n < REQUEST_MAX - 1 ? SSL_read(ssl, p + n, (int)(REQUEST_MAX - 1 - n)) : 0;

		if (got <= 0)
			return false;
		n += (size_t)got;
		p[n] = 0;
		end = strstr(p, "\r\n\r\n");
		length = strstr(p, "Content-Length: ");
		body = length ? strtoul(length + 16, NULL, 10) : 0;
	}
	sscanf(p, "POST /gsma/rsp2/es9plus/%63[A-Za-z]", function);
	strcat(strcat(w->calls, function), " ");
	request = json_loads(end + 4, 0, NULL);
	if (w->refuse && strcmp(w->refuse, function) == 0) {
		status = "Failed";
		answer = json_object();
	} else {
		answer = server_answer(w->dp, function, request, w->announced);
	}
	if (strcmp(function, "cancelSession") == 0)
		w->cancelled = get_octets(w->dp, request, "cancelSessionResponse");
	if (strcmp(function, "handleNotification") == 0)
		w->notified = get_octets(w->dp, request, "pendingNotification");
	json_object_set_new(answer, "header",
		json_pack("{s:{s:s, s:{s:s, s:s}}}", "functionExecutionStatus", "status", status,
			"statusCodeData", "subjectCode", "8.2.6", "reasonCode", "3.8"));
	text = json_dumps(answer, 0);
	if (strcmp(function, "handleNotification") == 0)
		used = snprintf(head, sizeof head, "HTTP/1.1 204 No Content\r\n\r\n");
	else
		used = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
			strlen(text));
	SSL_write(ssl, head, used);
	if (strcmp(function, "handleNotification") != 0)
		SSL_write(ssl, text, (int)strlen(text));
	free(text);
	json_decref(answer);
	json_decref(request);
	return true;
}

static void *
run_web(void *arg)
{
	struct web *w = arg;
	char *room = malloc(REQUEST_MAX);
	int fd;

	while (room && (fd = accept(w->listener, NULL, NULL)) >= 0) {
		SSL *ssl = SSL_new(w->tls);

		SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) == 1)
			while (serve_one(w, ssl, room))
				continue;
		SSL_free(ssl);
		close(fd);
	}
	free(room);
	return NULL;
}

static void
web_start(struct web *w, struct server *dp)
{
	const struct rspsim_cert_form form = { .subject = { { "CN", "smdp.test1" } },
		.extensions = { { "keyUsage", "critical,digitalSignature" },
			{ "extendedKeyUsage", "critical,serverAuth,clientAuth" },
			{ "certificatePolicies", "2.23.146.1.2.1.3" },
			{ "subjectKeyIdentifier", "hash" }, { "authorityKeyIdentifier", "keyid" },
			{ "subjectAltName", "DNS:smdp.test1,RID:2.999.10" } },
		.serial = 9,
		.days = 9 };
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	EVP_PKEY *key = rspsim_key_new(dp->curve);
	X509 *cert = rspsim_cert_issue(&form, key, dp->ci, dp->ci_key);
	socklen_t n = sizeof at;

	assert_non_null(cert);
	*w = (struct web){ .dp = dp, .announced = SLICE_LIT(TEST_METADATA) };
	w->tls = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate(w->tls, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(w->tls, key), 1);
	X509_free(cert);
	EVP_PKEY_free(key);
	w->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(w->listener, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(w->listener, 8), 0);
	assert_int_equal(getsockname(w->listener, (struct sockaddr *)&at, &n), 0);
	snprintf(w->where, sizeof w->where, "127.0.0.1:%u", ntohs(at.sin_port));
	assert_int_equal(pthread_create(&w->thread, NULL, run_web, w), 0);
}

static void
web_stop(struct web *w)
{
	shutdown(w->listener, SHUT_RDWR);
	pthread_join(w->thread, NULL);
	close(w->listener);
	SSL_CTX_free(w->tls);
}

/*
 * ---- one download, and what came of it
 * -------------------------------------------------------------
 */

struct scene {
	struct server dp;
	struct web web;
	struct rspsim_card *card;
	struct rspsim_report report;
};

struct setting {
	const char *name;
	struct change change;
	struct rspsim_download what;
	enum rspsim_break fault;
	const char *announced; /* NULL: TEST_METADATA */
	size_t announced_size;
	const char *refuse;
	/* what must come of it */
	enum rspsim_outcome outcome;
	int card_code;
	const char *calls;
	int cancel_reason; /* in the CancelSession that came; -1: none came */
	bool installed;
};

#define I "initiateAuthentication "
#define A "authenticateClient "
#define G "getBoundProfilePackage "
#define C "cancelSession "
#define N "handleNotification "
#define CODE                                     \
	{                                        \
		"smdp.test1", "TOKEN", "", false \
	}
#define OTHER_NAME "\xbf\x25\x12\x5a\x0a\x98\x00\x10\x32\x54\x76\x98\x10\x32\x14\x91\x01S\x92\x01X"

static const struct setting settings[] = {
	{ .name = "a plain download",
		.what = { .code = CODE },
		.outcome = RSPSIM_DONE,
		.calls = I A G N,
		.cancel_reason = -1,
		.installed = true },
	{ .name = "the OID is the right one",
		.what = { .code = { "smdp.test1", "TOKEN", "2.999.10", false } },
		.outcome = RSPSIM_DONE,
		.calls = I A G N,
		.cancel_reason = -1,
		.installed = true },
	{ .name = "the OID is another",
		.what = { .code = { "smdp.test1", "TOKEN", "2.999.11", false } },
		.outcome = RSPSIM_BY_CARD,
		.calls = I,
		.cancel_reason = -1 },
	{ .name = "the notification is kept",
		.what = { .code = CODE, .keep_notification = true },
		.outcome = RSPSIM_DONE,
		.calls = I A G,
		.cancel_reason = -1,
		.installed = true },
	{ .name = "the server refuses",
		.what = { .code = CODE },
		.refuse = "authenticateClient",
		.outcome = RSPSIM_BY_SERVER,
		.calls = I A,
		.cancel_reason = -1 },
	{ .name = "the card refuses the server, and the server hears of it",
		.change = { .part = A_SIGNATURE, .action = FLIP },
		.what = { .code = CODE },
		.outcome = RSPSIM_BY_CARD,
		.card_code = 2,
		.calls = I A,
		.cancel_reason = -1 },
	{ .name = "the card refuses the offer, and the server hears of it",
		.change = { .part = P_SIGNATURE, .action = FLIP },
		.what = { .code = CODE },
		.outcome = RSPSIM_BY_CARD,
		.card_code = 2,
		.calls = I A G,
		.cancel_reason = -1 },
	{ .name = "the card refuses the package by a signed result",
		.change = { .part = B_PROFILE_SEGMENT, .action = FLIP },
		.what = { .code = CODE },
		.outcome = RSPSIM_BY_CARD,
		.card_code = 8,
		.calls = I A G N,
		.cancel_reason = -1 },
	{ .name = "other metadata than announced",
		.what = { .code = CODE },
		.announced = OTHER_NAME,
		.announced_size = sizeof OTHER_NAME - 1,
		.outcome = RSPSIM_BY_CARD,
		.card_code = RSPSIM_CANCEL_METADATA,
		.calls = I A G C,
		.cancel_reason = RSPSIM_CANCEL_METADATA },
	{ .name = "no metadata in the package",
		.change = { .part = B_GROUP1, .action = DROP },
		.what = { .code = CODE },
		.outcome = RSPSIM_BY_CARD,
		.card_code = RSPSIM_CANCEL_LOAD,
		.calls = I A G C,
		.cancel_reason = RSPSIM_CANCEL_LOAD },
	{ .name = "a Confirmation Code",
		.change = { .cc = true },
		.what = { .code = CODE, .cc = "1234" },
		.outcome = RSPSIM_DONE,
		.calls = I A G N,
		.cancel_reason = -1,
		.installed = true },
	{ .name = "no Confirmation Code at hand",
		.change = { .cc = true },
		.what = { .code = CODE },
		.outcome = RSPSIM_BY_CARD,
		.calls = I A C,
		.cancel_reason = RSPSIM_CANCEL_POSTPONED },
	{ .name = "cancelled after the offer",
		.what = { .code = CODE, .cancel = true, .cancel_reason = RSPSIM_CANCEL_TIMEOUT },
		.outcome = RSPSIM_DONE,
		.calls = I A C,
		.cancel_reason = RSPSIM_CANCEL_TIMEOUT },
	{ .name = "cancelled after the package",
		.what = { .code = CODE,
			.cancel = true,
			.cancel_late = true,
			.cancel_reason = RSPSIM_CANCEL_REJECTED },
		.outcome = RSPSIM_DONE,
		.calls = I A G C,
		.cancel_reason = RSPSIM_CANCEL_REJECTED },
	{ .name = "an interruption is told",
		.what = { .code = CODE },
		.fault = RSPSIM_BREAK_INSTALL_INTERRUPTED,
		.outcome = RSPSIM_BY_CARD,
		.card_code = RSPSIM_INSTALL_INTERRUPTED,
		.calls = I A G N,
		.cancel_reason = -1 },
	{ .name = "a notification sent twice",
		.what = { .code = CODE },
		.fault = RSPSIM_BREAK_NOTIFY_TWICE,
		.outcome = RSPSIM_DONE,
		.calls = I A G N N,
		.cancel_reason = -1,
		.installed = true },
};

static void
download(struct scene *s, const struct setting *setting)
{
	struct rspsim_es9_options options = { .connect = { s->web.where }, .connect_count = 1 };
	struct rspsim_es9 *es9 = rspsim_es9_new(s->card, &options);

	s->web.refuse = setting->refuse;
	if (setting->announced)
		s->web.announced = slice_of(setting->announced, setting->announced_size);
	s->card->fault = setting->fault;
	rspsim_lpa_download(s->card, es9, &setting->what, &s->report);
	rspsim_es9_free(es9);
}

static int
cancel_reason(const struct web *w)
{
	struct rspsim_tlv all, good, data, reason;

	if (!w->cancelled.p)
		return -1;
	assert_true(rspsim_der_read_only(w->cancelled, 0xbf41, &all));
	assert_true(rspsim_der_read_only(all.value, 0xa0, &good));
	assert_true(rspsim_der_find(good.value, 0x30, &data));
	assert_true(rspsim_der_find(data.value, 0x82, &reason));
	return reason.value.p[0];
}

static void
each_download_makes_its_calls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
		const struct setting *want = settings + i;
		struct scene s = { 0 };

		server_init(&s.dp, NID_X9_62_prime256v1, &want->change);
		web_start(&s.web, &s.dp);
		s.card = server_card(&s.dp);
		download(&s, want);
		web_stop(&s.web);
		if (s.report.outcome != want->outcome || s.report.card_code != want->card_code ||
			strcmp(s.web.calls, want->calls) != 0)
			fail_msg("%s: outcome %d code %d calls %s(%s)", want->name,
				(int)s.report.outcome, s.report.card_code, s.web.calls,
				s.report.words);
		assert_int_equal(cancel_reason(&s.web), want->cancel_reason);
		assert_int_equal(
			rspsim_card_find_profile(s.card, test_iccid) != NULL, want->installed);
		assert_int_equal(s.card->notifications != NULL, want->what.keep_notification);
		assert_int_equal(strstr(want->calls, N) != NULL, s.web.notified.p != NULL);
		rspsim_card_free(s.card);
		server_fini(&s.dp);
	}
}

static void
undelivered_notifications_stay(void **state)
{
	static const struct setting plain = { .what = { .code = CODE, .keep_notification = true } };
	/* the server serves one connection at a time */
	struct rspsim_es9_options options = { .connect_count = 1, .connection_per_call = true };
	struct rspsim_es9 *es9;
	struct scene s = { 0 };

	(void)state;
	server_init(&s.dp, NID_X9_62_prime256v1, NULL);
	web_start(&s.web, &s.dp);
	s.card = server_card(&s.dp);
	download(&s, &plain);
	assert_int_equal(rspsim_euicc_enable(s.card, test_iccid), RSPSIM_SWITCH_OK);
	options.connect[0] = s.web.where;
	es9 = rspsim_es9_new(s.card, &options);
	rspsim_lpa_notify(s.card, es9, NULL, &s.report);
	rspsim_es9_free(es9);
	web_stop(&s.web);
	/*
	 * the result and one enable went to the server; the other address has no right
	 * certificate
	 */
	assert_string_equal(s.web.calls, I A G N N);
	assert_int_equal(s.report.outcome, RSPSIM_UNREACHABLE);
	assert_non_null(s.card->notifications);
	assert_null(s.card->notifications->next);
	assert_string_equal(s.card->notifications->address, "other.test");
	rspsim_card_free(s.card);
	server_fini(&s.dp);
}

static void
breaks_have_names(void **state)
{
	(void)state;
	assert_int_equal(
		rspsim_break_find("authenticate:signature"), RSPSIM_BREAK_AUTHENTICATE_SIGNATURE);
	assert_int_equal(rspsim_break_find("cancel:twice"), RSPSIM_BREAK_CANCEL_TWICE);
	assert_int_equal(rspsim_break_find("cancel"), RSPSIM_BREAK_NONE);
	assert_int_equal(rspsim_break_find("cancel:"), RSPSIM_BREAK_NONE);
	assert_int_equal(rspsim_break_find("nothing:signature"), RSPSIM_BREAK_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_download_makes_its_calls),
		cmocka_unit_test(undelivered_notifications_stay),
		cmocka_unit_test(breaks_have_names),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN); /* a client that refuses the server hangs up */
	curl_global_init(CURL_GLOBAL_DEFAULT);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("rspsim_lpa", tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
