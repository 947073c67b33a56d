/*
 * Calls of ours: answers with and without a body, whom we trust and as whom we show ourselves, limits of
 * time, length and number, and tasks that stop waiting.
 */
#include "https_fixture.h"
#include "https/client.h"
#include "https/int.h"

enum { TOTAL_MS = 20000, ANSWER = 4096 };

static struct server server;
static struct loop *loop;
static struct https_client *client;
static struct slice nist_pem, other_pem;

struct wish {
	struct https_call call;
	struct https_reply reply;
};

/* What the last call left behind. */
static struct {
	bool ended;
	enum got got;
	enum trouble bad;
	unsigned status, retry_after;
	char body[256], wrong[256];
} outcome;

#define STEPS(S) S(post) S(look)
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

static const struct procedure calling = { "Call", THEN(post), NULL, steps, 60000, 256 * 1024,
	sizeof(struct wish) };
static const struct procedure hasty = { "Haste", THEN(post), NULL, steps, 300, 256 * 1024,
	sizeof(struct wish) };

static const struct step *
post(struct task *t)
{
	struct wish *w = t->state;

	return https_client_post(t, client, &w->call, &w->reply, THEN(look));
}

static const struct step *
look(struct task *t)
{
	const struct wish *w = t->state;

	outcome.got = t->got;
	outcome.status = w->reply.status;
	outcome.retry_after = w->reply.retry_after;
	snprintf(outcome.body, sizeof outcome.body, "%.*s", SLICE_FMT(w->reply.body));
	snprintf(outcome.wrong, sizeof outcome.wrong, "%s", w->reply.wrong ? w->reply.wrong : "");
	FINISH;
}

static void
on_end(struct task *t)
{
	outcome.ended = true;
	outcome.bad = t->bad;
	loop_stop(loop);
}

static char url_room[128];

static const char *
url_of(const char *host, const char *path)
{
	snprintf(url_room, sizeof url_room, "https://%s:%u%s", host, server.port, path);
	return url_room;
}

/* A call that trusts the server's own certificate and says "ping". */
static struct https_call
call_of(const char *path)
{
	return (struct https_call){ .url = url_of("localhost", path),
		.body = SLICE_LIT("ping"),
		.roots = nist_pem,
		.connect_ms = TOTAL_MS,
		.total_ms = TOTAL_MS,
		.answer_most = ANSWER };
}

static void
begin_as(const struct procedure *p, const struct https_call *call)
{
	struct task *t = task_new(loop, p, NULL, on_end);

	assert_non_null(t);
	((struct wish *)t->state)->call = *call;
	task_start(t, p->first);
}

static void
run_as(const struct procedure *p, const struct https_call *call)
{
	memset(&outcome, 0, sizeof outcome);
	begin_as(p, call);
	loop_run(loop);
	assert_true(outcome.ended);
}

static void
run(const struct https_call *call)
{
	run_as(&calling, call);
	assert_int_equal(outcome.bad, T_NONE);
}

static void
is_answered(const char *path, unsigned status)
{
	struct https_call call = call_of(path);

	run(&call);
	assert_string_equal(outcome.wrong, "");
	assert_int_equal(outcome.got, R_OK);
	assert_int_equal(outcome.status, status);
}

/* No answer, and the words hold this. */
static void
has_no_answer(const struct https_call *call, const char *words)
{
	run(call);
	assert_int_equal(outcome.got, R_NONE);
	assert_int_equal(outcome.status, 0);
	if (!strstr(outcome.wrong, words))
		fail_msg("\"%s\" is not in \"%s\"", words, outcome.wrong);
}

/* ---- fixtures --------------------------------------------------------------------------------------- */

static struct slice
read_pem(const char *name)
{
	static char room[4][4096];
	static unsigned used;
	char path[128], file[40];
	char *at = room[used++];
	size_t n;
	FILE *f;

	snprintf(file, sizeof file, "%s.pem", name);
	f = fopen(file_in_folder(file, path), "r");
	assert_non_null(f);
	n = fread(at, 1, sizeof room[0], f);
	fclose(f);
	return slice_of(at, n);
}

static int
begin(void **state)
{
	static const struct loop_limits limits = { .tasks = 20 };

	(void)state;
	make_certificates();
	nist_pem = read_pem("nist");
	other_pem = read_pem("other");
	loop = loop_new(&limits);
	client = https_client_new(loop, 3);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	https_client_free(client);
	loop_free(loop);
	remove_certificates();
	return 0;
}

static int
start(void **state)
{
	(void)state;
	server_start(&server, &easy, identity_of("nist", 1, 0, NULL));
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	server_stop(&server);
	return 0;
}

/* ---- answers ---------------------------------------------------------------------------------------- */

static void
answers_with_a_body(void **state)
{
	(void)state;
	is_answered("/echo", 200);
	assert_string_equal(outcome.body, "ping");
}

static void
answers_without_a_body(void **state)
{
	(void)state;
	is_answered("/nothing", 204);
	assert_string_equal(outcome.body, "");
}

static void
retry_after_is_told(void **state)
{
	(void)state;
	is_answered("/busy", 503);
	assert_int_equal(outcome.retry_after, 7);
}

static void
headers_are_sent(void **state)
{
	static const char *const headers[] = { "X-Admin-Protocol: gsma/rsp/v2.1.0", NULL };
	struct https_call call = call_of("/anything");

	(void)state;
	call.headers = headers;
	run(&call);
	assert_non_null(strstr(outcome.body, "header=gsma/rsp/v2.1.0 body=4"));
}

static void
connections_are_used_again(void **state)
{
	int64_t before;

	(void)state;
	is_answered("/echo", 200);
	before = stat_of(&server, STATS_https_connections);
	is_answered("/echo", 200);
	assert_int_equal(stat_of(&server, STATS_https_connections), before);
}

/* ---- trust ------------------------------------------------------------------------------------------ */

static void
strangers_are_not_trusted(void **state)
{
	struct https_call call = call_of("/echo");

	(void)state;
	call.roots = other_pem;
	has_no_answer(&call, "certificate");
	call.roots = SLICE_NONE;
	has_no_answer(&call, "certificate");
}

static void
the_name_must_fit(void **state)
{
	struct https_call call = call_of("/echo");

	(void)state;
	call.url = url_of("127.0.0.1", "/echo");
	has_no_answer(&call, "127.0.0.1");
}

static void
only_https_is_spoken(void **state)
{
	struct https_call call = call_of("/echo");

	(void)state;
	call.url = "http://localhost/";
	has_no_answer(&call, "http");
}

static struct https_keys *
keys_of(const char *first, const char *second)
{
	const char *const names[] = { first, second };
	struct https_keys *keys = https_keys_new();
	char certificate[128], key[128], file[40], why[HTTPS_WHY];

	for (size_t i = 0; i < 2 && names[i]; i++) {
		snprintf(file, sizeof file, "%s.pem", names[i]);
		file_in_folder(file, certificate);
		snprintf(file, sizeof file, "%s.key", names[i]);
		file_in_folder(file, key);
		assert_true(https_keys_add(keys, certificate, key, why));
	}
	return keys;
}

static char shown[64];

/* The subject of what a client shows; everything is welcome. */
static int
note_client(int good, X509_STORE_CTX *store)
{
	X509 *cert = X509_STORE_CTX_get0_cert(store);

	(void)good;
	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, shown, sizeof shown);
	return 1;
}

/* A server that wants a certificate, and says whose when `named` is given. */
static void
start_asking(const char *name, const char *named)
{
	struct https_identity *id = identity_of(name, 1, 0, NULL);
	char path[128];

	SSL_CTX_set_verify(
		id->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, note_client);
	if (named)
		SSL_CTX_set_client_CA_list(
			id->context, SSL_load_client_CA_file(file_in_folder(named, path)));
	memset(shown, 0, sizeof shown);
	server_start(&server, &easy, id);
}

static void
shows(struct https_keys *keys, struct slice roots, const char *expected)
{
	struct https_call call = call_of("/echo");

	call.keys = keys;
	call.roots = roots;
	run(&call);
	server_stop(&server);
	assert_string_equal(outcome.wrong, "");
	assert_int_equal(outcome.status, 200);
	assert_string_equal(shown, expected);
	https_keys_release(keys);
}

static void
the_certificate_fits_the_server(void **state)
{
	(void)state;
	start_asking("nist", NULL);
	shows(keys_of("brainpool", "other"), nist_pem, "other");
	start_asking("brainpool", NULL);
	shows(keys_of("other", "brainpool"), read_pem("brainpool"), "brainpool");
	start_asking("nist", "nist.pem");
	shows(keys_of("other", "nist"), nist_pem, "nist");
}

static void
no_certificate_no_answer(void **state)
{
	struct https_call call;

	(void)state;
	start_asking("nist", NULL);
	call = call_of("/echo");
	has_no_answer(&call, "");
	server_stop(&server);
}

/* Who shows another certificate does not get the connection of who was here before. */
static void
connections_are_of_one_certificate(void **state)
{
	struct https_keys *first = keys_of("nist", NULL), *second = keys_of("other", NULL);
	struct https_call call;

	(void)state;
	start_asking("nist", NULL);
	call = call_of("/echo");
	call.keys = first;
	run(&call);
	assert_string_equal(shown, "nist");
	call = call_of("/echo");
	call.keys = second;
	run(&call);
	assert_string_equal(shown, "other");
	server_stop(&server);
	https_keys_release(first);
	https_keys_release(second);
}

/* A server that knows this group alone, and has a certificate of this curve. */
static void
speaks(const char *name, struct slice roots, const char *group)
{
	struct https_identity *id = identity_of(name, 1, 0, NULL);
	struct https_call call;

	assert_int_equal(SSL_CTX_set1_groups_list(id->context, group), 1);
	server_start(&server, &easy, id);
	call = call_of("/echo");
	call.roots = roots;
	run(&call);
	server_stop(&server);
	assert_string_equal(outcome.wrong, "");
	assert_int_equal(outcome.status, 200);
}

static void
servers_of_each_curve_are_called(void **state)
{
	(void)state;
	speaks("nist", nist_pem, "P-256");
	speaks("nist", nist_pem, "X25519");
	speaks("brainpool", read_pem("brainpool"), "brainpoolP256r1");
}

/* ---- limits ----------------------------------------------------------------------------------------- */

static void
long_answers_are_refused(void **state)
{
	struct https_call call = call_of("/big");

	(void)state;
	has_no_answer(&call, "too long");
}

/* The server's own request ends with its answer, also when nobody is there any more. */
static void
answer_parked(struct server *s, const void *arg)
{
	static const struct answer nothing = { 204, NULL, { NULL, 0 }, 0, NULL };

	(void)arg;
	request_respond(s->parked, &nothing);
}

static void
end_parked(void)
{
	while (sem_trywait(&server.parking) != 0)
		event_base_loop(loop_base_get(loop), EVLOOP_NONBLOCK);
	on_loop(&server, answer_parked, NULL);
}

static void
answers_have_their_time(void **state)
{
	struct https_call call = call_of("/park");

	(void)state;
	call.total_ms = 100;
	has_no_answer(&call, "timed out");
	end_parked();
}

static void
nobody_listens(void **state)
{
	struct https_call call = call_of("/echo");

	(void)state;
	call.url = "https://localhost:1/";
	has_no_answer(&call, "onnect");
}

static void
a_task_that_ends_takes_its_call_along(void **state)
{
	struct https_call call = call_of("/park");

	(void)state;
	run_as(&hasty, &call);
	assert_int_equal(outcome.bad, T_LATE);
	assert_int_equal(stats_get(STATS_https_calls_open), 0);
	end_parked();
	is_answered("/echo", 200);
}

static void
calls_have_a_cap(void **state)
{
	struct https_call call = call_of("/park");

	(void)state;
	https_client_limit_set(client, 1);
	begin_as(&calling, &call);
	memset(&outcome, 0, sizeof outcome);
	run_as(&calling, &call);
	assert_int_equal(outcome.bad, T_BUSY);
	end_parked();
	while (loop_tasks_get(loop))
		loop_run(loop);
	assert_int_equal(outcome.bad, T_NONE);
	assert_int_equal(stats_get(STATS_https_calls_open), 0);
	is_answered("/echo", 200);
}

int
main(void)
{
#define WITH_SERVER(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		WITH_SERVER(answers_with_a_body),
		WITH_SERVER(answers_without_a_body),
		WITH_SERVER(retry_after_is_told),
		WITH_SERVER(headers_are_sent),
		WITH_SERVER(connections_are_used_again),
		WITH_SERVER(strangers_are_not_trusted),
		WITH_SERVER(the_name_must_fit),
		WITH_SERVER(only_https_is_spoken),
		cmocka_unit_test(the_certificate_fits_the_server),
		cmocka_unit_test(no_certificate_no_answer),
		cmocka_unit_test(servers_of_each_curve_are_called),
		cmocka_unit_test(connections_are_of_one_certificate),
		WITH_SERVER(long_answers_are_refused),
		WITH_SERVER(answers_have_their_time),
		WITH_SERVER(nobody_listens),
		WITH_SERVER(a_task_that_ends_takes_its_call_along),
		WITH_SERVER(calls_have_a_cap),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
