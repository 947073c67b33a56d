/*
 * The five functions of ES9+ in both bindings (SGP.22 §6.5, §6.6): a table of {path, tag, procedure, members
 * in, members out}, a table of the two forms, one line of log per request. A function always answers 200,
 * also when it refuses; a notification 204 (§6.3). Trouble of ours is 503, so that the LPA tries again.
 */
#include <stdlib.h>
#include "base/clock.h"
#include "base/text.h"
#include "dp/functions.h"
#include "dp/tell_refused.h"
#include "es9/es9.h"
#include "stats/stats.h"
#include "wire/asn1.h"
#include "wire/es9.h"
#include "wire/http.h"
#include "wire/json.h"

#define MEMBER(function, side, field, name, json, asn1, tag, own)                               \
	{ name, WIRE_##json, WIRE_##asn1, tag, own, offsetof(struct dp_##function, side.field), \
		false },
static const struct wire_member initiate_in[] = { WIRE_INITIATE_AUTHENTICATION_IN(MEMBER) };
static const struct wire_member initiate_out[] = { WIRE_INITIATE_AUTHENTICATION_OUT(MEMBER) };
static const struct wire_member authenticate_in[] = { WIRE_AUTHENTICATE_CLIENT_IN(MEMBER) };
static const struct wire_member authenticate_out[] = { WIRE_AUTHENTICATE_CLIENT_OUT(MEMBER) };
static const struct wire_member package_in[] = { WIRE_GET_BOUND_PROFILE_PACKAGE_IN(MEMBER) };
static const struct wire_member package_out[] = { WIRE_GET_BOUND_PROFILE_PACKAGE_OUT(MEMBER) };
static const struct wire_member notification_in[] = { WIRE_HANDLE_NOTIFICATION_IN(MEMBER) };
static const struct wire_member cancel_in[] = { WIRE_CANCEL_SESSION_IN(MEMBER) };

/* clang-format off */
#define MEMBERS(table) { table, sizeof table / sizeof *table }
static const struct function {
	const char *path; /* in JSON */
	uint32_t tag;     /* in ASN.1 */
	const struct procedure *procedure;
	struct wire_message in, out;
	bool notification; /* answered 204, whatever became of it */
} functions[] = {
	{ "/gsma/rsp2/es9plus/initiateAuthentication", WIRE_TAG_INITIATE_AUTHENTICATION,
		&dp_initiate_authentication, MEMBERS(initiate_in), MEMBERS(initiate_out), false },
	{ "/gsma/rsp2/es9plus/authenticateClient", WIRE_TAG_AUTHENTICATE_CLIENT,
		&dp_authenticate_client, MEMBERS(authenticate_in), MEMBERS(authenticate_out), false },
	{ "/gsma/rsp2/es9plus/getBoundProfilePackage", WIRE_TAG_GET_BOUND_PROFILE_PACKAGE,
		&dp_get_bound_profile_package, MEMBERS(package_in), MEMBERS(package_out), false },
	{ "/gsma/rsp2/es9plus/handleNotification", WIRE_TAG_HANDLE_NOTIFICATION,
		&dp_handle_notification, MEMBERS(notification_in), { NULL, 0 }, true },
	{ "/gsma/rsp2/es9plus/cancelSession", WIRE_TAG_CANCEL_SESSION,
		&dp_cancel_session, MEMBERS(cancel_in), { NULL, 0 }, false },
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

/* ---- the two forms ---------------------------------------------------------------------------------- */

/* One way of writing ES9+ down. */
struct form {
	const char *name;
	const char *path; /* of all functions, or NULL: each has its own */
	const char *media_type, *content_type;
	enum wire_fault (*read)(struct task *t, const struct function *f, const char **name);
	struct slice (*write)(
		struct task *t, const struct function *f, const struct dp_refusal *no);
};

static enum wire_fault
json_read(struct task *t, const struct function *f, const char **name)
{
	return wire_json_read(t->mem, t->request->body, &f->in, t->state, name);
}

static struct slice
json_write(struct task *t, const struct function *f, const struct dp_refusal *no)
{
	struct wire_status failed;

	if (!no)
		return wire_json_answer_write(t->mem, NULL, &f->out, t->state);
	failed = (struct wire_status){ no->subject, no->reason, no->base.words };
	return wire_json_answer_write(t->mem, &failed, &WIRE_NOTHING, t->state);
}

static enum wire_fault
asn1_read(struct task *t, const struct function *f, const char **name)
{
	return wire_asn1_read(t->mem, t->request->body, &f->in, t->state, name);
}

static struct slice
asn1_write(struct task *t, const struct function *f, const struct dp_refusal *no)
{
	unsigned error = no ? wire_es9_error(f->tag, no->subject, no->reason) : 0;

	return wire_asn1_answer_write(t->mem, f->tag, error, &f->out, t->state);
}

static const struct form json = { "json", NULL, "application/json",
	"application/json;charset=UTF-8", json_read, json_write };
static const struct form asn1 = { "asn1", "/gsma/rsp2/asn1", "application/x-gsma-rsp-asn1",
	"application/x-gsma-rsp-asn1", asn1_read, asn1_write };

static const struct form *
form_of(const struct request *r)
{
	return slice_eq(r->route, slice_text(asn1.path)) ? &asn1 : &json;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* The body itself is wrong, so no function can answer it: HTTP does (docs/interpretations.md). */
static const struct refusal UNREADABLE = { "UNREADABLE", LOG_NOTICE,
	"the body is no message of this binding" };

#define STEPS(S) S(read_members)
STEPS(DECLARE_STEP)

static const struct step *
read_members(struct task *t)
{
	const struct function *f = function_of(t->procedure);
	struct dp_call *call = t->state;
	const char *name;

	switch (form_of(t->request)->read(t, f, &name)) {
	case WIRE_FINE:
		return f->procedure->first;
	case WIRE_UNREADABLE:
		return task_refuse(t, &UNREADABLE);
	case WIRE_MISSING:
		call->note = name;
		return task_refuse(t, REFUSE(MEMBER_MISSING));
	case WIRE_INVALID:
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
	const struct dp_refusal *no = t->no && t->no != &UNREADABLE ? dp_refusal_of(t->no) : NULL;
	enum log_level level = t->no ? t->no->level : t->bad ? LOG_WARNING : LOG_NOTICE;
	int64_t us = clock_mono_us() - t->began_us;
	bool traced = log_traced(call->eid);
	char note[512];

	if (!f->notification || !t->bad)
		stats_latency_add(&latencies[f - functions], us);
	if (!traced && !log_wanted(LOG_es9, level))
		return;
	log_line(LOG_es9, level,
		"function=%s binding=%s peer=%.*s status=%u result=%s subject=%s reason=%s "
		"transaction=%s eid=%s iccid=%s order=%lld waits=%u us=%lld note=%s",
		t->procedure->name, form_of(t->request)->name, SLICE_FMT(t->request->peer), status,
		t->no                   ? t->no->name
			: t->bad        ? trouble_name(t->bad)
			: call->ignored ? "ignored"
					: "ok",
		no ? no->subject : "", no ? no->reason : "",
		(const char *)text_hex(t->mem, slice_sub(call->transaction_id, 0, LOGGED_OCTETS)).p,
		identifier(t, call->eid, traced), identifier(t, call->iccid, traced),
		(long long)call->order_id, t->waits, (long long)us,
		log_value(slice_text(call->note), note));
}

static void
respond(struct task *t)
{
	const struct function *f = function_of(t->procedure);
	const struct form *form = form_of(t->request);
	struct answer answer = { .status = 200 };

	if (t->bad) {
		answer.status = 503;
		answer.retry_after = wire_retry_after();
	} else if (t->no == &UNREADABLE) {
		answer.status = 400;
	} else if (f->notification) {
		answer.status = 204;
	} else {
		const struct dp_refusal *no = t->no ? dp_refusal_of(t->no) : NULL;

		if (no)
			dp_refusal_count(no);
		answer.content_type = form->content_type;
		answer.body = form->write(t, f, no);
	}
	log_request(t, f, answer.status);
	dp_refused_put(t, SLICE_LIT("es9+"), t->request->peer, SLICE_LIT(""));
	request_respond(t->request, &answer);
}

/* ---- routing ---------------------------------------------------------------------------------------- */

static void
respond_bare(struct request *r, unsigned status, const char *why)
{
	char route[512];

	LOG(es9, NOTICE, "route=%s peer=%.*s status=%u note=%s", log_value(r->route, route),
		SLICE_FMT(r->peer), status, why);
	request_respond(r,
		&(struct answer){
			.status = status, .retry_after = status == 503 ? wire_retry_after() : 0 });
}

static const struct function *
function_by_path(struct slice path)
{
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (slice_eq(path, slice_text(functions[i].path)))
			return &functions[i];
	return NULL;
}

static const struct function *
function_by_tag(struct slice body)
{
	uint32_t tag;

	if (!wire_asn1_request_find(body, &tag))
		return NULL;
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (functions[i].tag == tag)
			return &functions[i];
	return NULL;
}

static void
start(struct request *r, const struct function *f)
{
	struct dp *dp = r->binding;
	struct dp_call *call;
	struct task *t;

	wire_protocol_count(request_header_get(r, "X-Admin-Protocol"));
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

void
es9_handle(struct request *r)
{
	const struct form *form = form_of(r);
	const struct function *f = form == &json ? function_by_path(r->route) : NULL;

	if (form == &json && !f) {
		respond_bare(r, 404, "no-such-function");
		return;
	}
	if (!wire_media_type_fits(request_header_get(r, "Content-Type"), form->media_type)) {
		respond_bare(r, 415, "another-media-type");
		return;
	}
	if (form == &asn1)
		f = function_by_tag(r->body);
	if (!f) {
		respond_bare(r, 400, "no-such-request");
		return;
	}
	start(r, f);
}
