/*
 * The five functions of ES9+ by path (SGP.22 §6.5.2): a table of {path, members in, procedure, members
 * out}, one line of log per request. A function always answers 200, also when it refuses; a notification
 * 204 (§6.3). Trouble of ours is 503, so that the LPA tries again.
 */
#include <stdlib.h>
#include "base/clock.h"
#include "base/rand.h"
#include "base/text.h"
#include "dp/functions.h"
#include "es9/es9.h"
#include "es9/json.h"
#include "stats/stats.h"

#define IN(function, member) offsetof(struct dp_##function, in.member)
#define OUT(function, member) offsetof(struct dp_##function, out.member)
#define TRANSACTION_ID                                                              \
	{                                                                           \
		"transactionId", JSON_HEX, offsetof(struct dp_call, transaction_id) \
	}

/* clang-format off */
static const struct json_member initiate_in[] = {
	{ "euiccChallenge", JSON_BASE64, IN(initiate_authentication, euicc_challenge) },
	{ "euiccInfo1", JSON_BASE64, IN(initiate_authentication, euicc_info1) },
	{ "smdpAddress", JSON_TEXT, IN(initiate_authentication, smdp_address) },
};
static const struct json_member initiate_out[] = {
	TRANSACTION_ID,
	{ "serverSigned1", JSON_BASE64, OUT(initiate_authentication, server_signed1) },
	{ "serverSignature1", JSON_BASE64, OUT(initiate_authentication, server_signature1) },
	{ "euiccCiPKIdToBeUsed", JSON_BASE64, OUT(initiate_authentication, ci_pkid) },
	{ "serverCertificate", JSON_BASE64, OUT(initiate_authentication, server_certificate) },
};
static const struct json_member authenticate_in[] = {
	TRANSACTION_ID,
	{ "authenticateServerResponse", JSON_BASE64, IN(authenticate_client, authenticate_server_response) },
};
static const struct json_member authenticate_out[] = {
	TRANSACTION_ID,
	{ "profileMetadata", JSON_BASE64, OUT(authenticate_client, profile_metadata) },
	{ "smdpSigned2", JSON_BASE64, OUT(authenticate_client, smdp_signed2) },
	{ "smdpSignature2", JSON_BASE64, OUT(authenticate_client, smdp_signature2) },
	{ "smdpCertificate", JSON_BASE64, OUT(authenticate_client, smdp_certificate) },
};
static const struct json_member package_in[] = {
	TRANSACTION_ID,
	{ "prepareDownloadResponse", JSON_BASE64, IN(get_bound_profile_package, prepare_download_response) },
};
static const struct json_member package_out[] = {
	TRANSACTION_ID,
	{ "boundProfilePackage", JSON_BASE64, OUT(get_bound_profile_package, bound_profile_package) },
};
static const struct json_member notification_in[] = {
	{ "pendingNotification", JSON_BASE64, IN(handle_notification, pending_notification) },
};
static const struct json_member cancel_in[] = {
	TRANSACTION_ID,
	{ "cancelSessionResponse", JSON_BASE64, IN(cancel_session, cancel_session_response) },
};

#define MEMBERS(table) table, sizeof table / sizeof *table
static const struct function {
	const char *path;
	const struct procedure *procedure;
	const struct json_member *in;
	size_t in_n;
	const struct json_member *out;
	size_t out_n;
	bool notification; /* answered 204, whatever became of it */
} functions[] = {
	{ "/gsma/rsp2/es9plus/initiateAuthentication", &dp_initiate_authentication,
		MEMBERS(initiate_in), MEMBERS(initiate_out), false },
	{ "/gsma/rsp2/es9plus/authenticateClient", &dp_authenticate_client,
		MEMBERS(authenticate_in), MEMBERS(authenticate_out), false },
	{ "/gsma/rsp2/es9plus/getBoundProfilePackage", &dp_get_bound_profile_package,
		MEMBERS(package_in), MEMBERS(package_out), false },
	{ "/gsma/rsp2/es9plus/handleNotification", &dp_handle_notification,
		MEMBERS(notification_in), NULL, 0, true },
	{ "/gsma/rsp2/es9plus/cancelSession", &dp_cancel_session,
		MEMBERS(cancel_in), NULL, 0, false },
};
/* clang-format on */

enum { FUNCTIONS = sizeof functions / sizeof *functions };
static struct stats_latency latencies[FUNCTIONS];

static const struct function *
function_of(const struct procedure *p)
{
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (functions[i].procedure == p)
			return &functions[i];
	abort();
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* The body itself is wrong, so no function can answer it: HTTP does (docs/interpretations.md). */
static const struct refusal NOT_JSON = { "NOT_JSON", LOG_NOTICE, "the body is not a JSON object" };

#define STEPS(S) S(read_members)
STEPS(DECLARE_STEP)

static const struct step *
read_members(struct task *t)
{
	const struct function *f = function_of(t->procedure);
	struct dp_call *call = t->state;
	const char *name;

	switch (json_members_read(t->mem, t->request->body, f->in, f->in_n, t->state, &name)) {
	case JSON_FINE:
		return f->procedure->first;
	case JSON_NO_JSON:
		return task_refuse(t, &NOT_JSON);
	case JSON_MISSING:
		call->note = name;
		return task_refuse(t, REFUSE(MEMBER_MISSING));
	case JSON_INVALID:
		call->note = name;
		/* Not hexadecimal: then it is no transaction of ours (§5.2.6). */
		return task_refuse(t,
			strcmp(name, "transactionId") == 0 ? REFUSE(TRANSACTION_UNKNOWN)
							   : REFUSE(MEMBER_INVALID));
	}
	abort();
}

/* ---- answering -------------------------------------------------------------------------------------- */

/* Masked, but for who is traced. */
static const char *
identifier(struct task *t, struct slice digits, bool traced)
{
	return traced ? arena_string(t->mem, digits)
		      : log_masked(digits, arena_alloc(t->mem, LOG_MASKED));
}

/* Of a transactionId, which has no more; what a peer sends in its place may be of any length. */
enum { LOGGED_OCTETS = 16 };

static void
log_request(struct task *t, const struct function *f, unsigned status)
{
	const struct dp_call *call = t->state;
	const struct dp_refusal *no = t->no && t->no != &NOT_JSON ? dp_refusal_of(t->no) : NULL;
	enum log_level level = t->no ? t->no->level : t->bad ? LOG_WARNING : LOG_NOTICE;
	int64_t us = clock_mono_us() - t->began_us;
	bool traced = log_traced(call->eid);
	char note[512];

	if (!f->notification || !t->bad)
		stats_latency_add(&latencies[f - functions], us);
	if (!traced && !log_wanted(LOG_es9, level))
		return;
	log_line(LOG_es9, level,
		"function=%s peer=%.*s status=%u result=%s subject=%s reason=%s transaction=%s "
		"eid=%s iccid=%s order=%lld waits=%u us=%lld note=%s",
		t->procedure->name, SLICE_FMT(t->request->peer), status,
		t->no            ? t->no->name
			: t->bad ? trouble_name(t->bad)
				 : "ok",
		no ? no->subject : "", no ? no->reason : "",
		(const char *)text_hex(t->mem, slice_sub(call->transaction_id, 0, LOGGED_OCTETS)).p,
		identifier(t, call->eid, traced), identifier(t, call->iccid, traced),
		(long long)call->order_id, t->waits, (long long)us,
		log_value(slice_text(call->note), note));
}

/* Two to five seconds, so that those who were turned away together do not come back together. */
static unsigned
retry_after(void)
{
	uint8_t random;

	rand_bytes(&random, 1);
	return 2 + random % 4;
}

static void
respond(struct task *t)
{
	const struct function *f = function_of(t->procedure);
	struct answer answer = { .status = 200 };

	if (t->bad) {
		answer.status = 503;
		answer.retry_after = retry_after();
	} else if (t->no == &NOT_JSON) {
		answer.status = 400;
	} else if (f->notification) {
		answer.status = 204;
	} else {
		const struct dp_refusal *no = t->no ? dp_refusal_of(t->no) : NULL;

		if (no)
			dp_refusal_count(no);
		answer.content_type = "application/json;charset=UTF-8";
		answer.body = json_answer_write(t->mem, no, f->out, f->out_n, t->state);
	}
	log_request(t, f, answer.status);
	request_respond(t->request, &answer);
}

/* ---- routing ---------------------------------------------------------------------------------------- */

/* Clients write charset parameters of every kind; only the type counts. Nothing said: take it as JSON. */
static bool
is_json(struct slice content_type)
{
	const uint8_t *semicolon =
		content_type.p ? memchr(content_type.p, ';', content_type.n) : NULL;
	struct slice type = content_type;

	if (semicolon)
		type.n = (size_t)(semicolon - content_type.p);
	if (semicolon &&
		!slice_eq_nocase(slice_trim(slice_sub(content_type, type.n + 1, content_type.n)),
			SLICE_LIT("charset=utf-8")))
		stats_add(STATS_lenient_media_type);
	return !content_type.p || slice_eq_nocase(slice_trim(type), SLICE_LIT("application/json"));
}

static void
check_protocol(struct request *r)
{
	struct slice value = request_header_get(r, "X-Admin-Protocol");

	if (value.n < 12 || memcmp(value.p, "gsma/rsp/v", 10) != 0 || value.p[10] < '2' ||
		value.p[10] > '3' || value.p[11] != '.')
		stats_add(STATS_lenient_admin_protocol);
}

static void
respond_bare(struct request *r, unsigned status, const char *why)
{
	char route[512];

	LOG(es9, NOTICE, "route=%s peer=%.*s status=%u note=%s", log_value(r->route, route),
		SLICE_FMT(r->peer), status, why);
	request_respond(r,
		&(struct answer){
			.status = status, .retry_after = status == 503 ? retry_after() : 0 });
}

void
es9_handle(struct request *r)
{
	const struct function *f = functions;
	struct dp *dp = r->binding;
	struct dp_call *call;
	struct task *t;

	while (f < functions + FUNCTIONS && !slice_eq(r->route, slice_text(f->path)))
		f++;
	if (f == functions + FUNCTIONS) {
		respond_bare(r, 404, "no-such-function");
		return;
	}
	if (!is_json(request_header_get(r, "Content-Type"))) {
		respond_bare(r, 415, "not-application/json");
		return;
	}
	check_protocol(r);
	latencies[f - functions].name = f->procedure->name;
	t = task_new(dp->loop, f->procedure, r, respond);
	if (!t) {
		respond_bare(r, 503, "too-many-tasks");
		return;
	}
	call = t->state;
	call->dp = dp;
	/* Copied: after a late answer the request is gone while the task still writes. */
	if (f->procedure == &dp_authenticate_client)
		((struct dp_authenticate_client *)t->state)->in.peer = arena_copy(t->mem, r->peer);
	task_start(t, THEN(read_members));
}
