/*
 * The functions of ESipa in both bindings (SGP.32 §6.3.2, §6.4.1): a table of {path, tag, procedure, members in,
 * members out}, a table of the two forms, one line of log per request. A function always answers 200, also when it
 * refuses; a notification 204 (§6.1.1). Trouble of ours is 503, so that the IPA tries again; so is one that asks
 * too often for what it has got.
 */
#include "esipa/esipa.h"
#include <stdlib.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "eim/functions.h"
#include "stats/stats.h"
#include "wire/asn1.h"
#include "wire/esipa.h"
#include "wire/http.h"
#include "wire/json.h"

#define ROW(function, side, field, name, json, asn1, tag, own, optional)                         \
	{ name, WIRE_##json, WIRE_##asn1, tag, own, offsetof(struct eim_##function, side.field), \
		optional },
#define MUST(...) ROW(__VA_ARGS__, false)
#define MAY(...) ROW(__VA_ARGS__, true)
static const struct wire_member get_in[] = { WIRE_GET_EIM_PACKAGE_IN(MUST, MAY) };
static const struct wire_member get_out[] = { WIRE_GET_EIM_PACKAGE_OUT(MUST, MAY) };
static const struct wire_member provide_in[] = { WIRE_PROVIDE_EIM_PACKAGE_RESULT_IN(MUST, MAY) };
static const struct wire_member provide_out[] = { WIRE_PROVIDE_EIM_PACKAGE_RESULT_OUT(MUST, MAY) };
static const struct wire_member result_in[] = { WIRE_HANDLE_RESULT_IN(MUST, MAY) };
static const struct wire_member notification_in[] = { WIRE_ESIPA_NOTIFICATION_IN(MUST, MAY) };

/* The error of a function as a member, in JSON. */
static const struct wire_member error_member = { "eimPackageError", WIRE_NUMBER, WIRE_VALUE, 0x02,
	0, 0, true };

/* clang-format off */
#define MEMBERS(table) { table, sizeof table / sizeof *table }
static const struct function {
	const char *path;  /* in JSON */
	uint32_t tag;      /* in ASN.1 */
	uint32_t error;    /* … of its error */
	const struct procedure *procedure;
	struct wire_message in, out;
	struct slice empty;         /* in ASN.1 when there is no member (emptyResponse); absent: never so */
	bool names_error;           /* in JSON, beside the status */
	bool notification;          /* answered 204, whatever became of it */
	bool of_result;             /* §5.14.7 has two forms: this is the one with a package's result */
} functions[] = {
	{ "/gsma/rsp2/esipa/getEimPackage", WIRE_TAG_GET_EIM_PACKAGE, 0x02, &eim_get_eim_package,
		MEMBERS(get_in), MEMBERS(get_out), { NULL, 0 }, true, false, false },
	{ "/gsma/rsp2/esipa/provideEimPackageResult", WIRE_TAG_PROVIDE_EIM_PACKAGE_RESULT, 0x02,
		&eim_provide_eim_package_result,
		MEMBERS(provide_in), MEMBERS(provide_out), { (const uint8_t *)"\x30\x00", 2 }, false, false,
		false },
	{ "/gsma/rsp2/esipa/handleNotification", WIRE_TAG_ESIPA_NOTIFICATION, 0,
		&eim_provide_eim_package_result,
		MEMBERS(result_in), { NULL, 0 }, { NULL, 0 }, false, true, true },
	{ "/gsma/rsp2/esipa/handleNotification", WIRE_TAG_ESIPA_NOTIFICATION, 0, &eim_handle_notification,
		MEMBERS(notification_in), { NULL, 0 }, { NULL, 0 }, false, true, false },
};
/* clang-format on */

enum {
	FUNCTIONS = sizeof functions / sizeof *functions,
	PROTOCOL_MAX = 40,
	SLOW_DOWN_SECONDS = 60
};
static struct stats_latency latencies[FUNCTIONS];

struct form;

/* What a request is beside its function's state. */
struct asked {
	const struct function *f;
	const struct form *form;
	char protocol[PROTOCOL_MAX + 1]; /* X-Admin-Protocol of the answer */
};

static struct asked *
asked_of(const struct task *t)
{
	return ((struct eim_call *)t->state)->binding;
}

/* ---- the two forms ---------------------------------------------------------------------------------- */

/* One way of writing ESipa down. */
struct form {
	const char *name;
	const char *path; /* of all functions, or NULL: each has its own */
	const char *media_type, *content_type;
	enum wire_fault (*read)(struct task *t, const struct function *f, const char **name);
	struct slice (*write)(
		struct task *t, const struct function *f, const struct eim_refusal *no);
};

static enum wire_fault
json_read(struct task *t, const struct function *f, const char **name)
{
	return wire_json_read(t->mem, t->request->body, &f->in, t->state, name);
}

static struct slice
json_write(struct task *t, const struct function *f, const struct eim_refusal *no)
{
	static const struct wire_message error = { &error_member, 1 };
	struct wire_status failed;
	uint8_t code;
	struct slice number;

	if (!no)
		return wire_json_answer_write(t->mem, NULL, &f->out, t->state);
	failed = (struct wire_status){ no->subject, no->reason, no->base.words };
	if (!f->names_error)
		return wire_json_answer_write(t->mem, &failed, &WIRE_NOTHING, t->state);
	code = (uint8_t)no->code;
	number = slice_of(&code, 1);
	return wire_json_answer_write(t->mem, &failed, &error, &number);
}

static enum wire_fault
asn1_read(struct task *t, const struct function *f, const char **name)
{
	struct slice members;
	uint32_t tag;

	*name = "octets that are no TLV";
	if (!wire_asn1_whole_read(t->request->body, &tag, &members))
		return WIRE_UNREADABLE;
	return wire_asn1_members_read(t->mem, members, &f->in, t->state, name);
}

static struct slice
asn1_write(struct task *t, const struct function *f, const struct eim_refusal *no)
{
	struct slice members = no ? wire_asn1_number_write(t->mem, f->error, no->code)
				  : wire_asn1_members_write(t->mem, &f->out, t->state);

	return wire_asn1_tagged_write(t->mem, f->tag, members.n ? members : f->empty);
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

/* The body itself is wrong, so no function can answer it: the transport does (docs/interpretations.md). */
static const struct refusal UNREADABLE = { "UNREADABLE", LOG_NOTICE,
	"the body is no message of this binding" };

#define STEPS(S) S(read_members)
STEPS(DECLARE_STEP)

static const struct step *
read_members(struct task *t)
{
	const struct asked *asked = asked_of(t);
	struct eim_call *call = t->state;
	const char *name;

	switch (asked->form->read(t, asked->f, &name)) {
	case WIRE_FINE:
		return asked->f->procedure->first;
	case WIRE_UNREADABLE:
		return task_refuse(t, &UNREADABLE);
	case WIRE_MISSING:
		call->note = name;
		return task_refuse(t, &EIM_MEMBER_MISSING.base);
	case WIRE_INVALID:
		call->note = name;
		return task_refuse(t,
			strcmp(name, "eidValue") == 0 ? &EIM_EID_INVALID.base
						      : &EIM_MEMBER_INVALID.base);
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

/* Of an eimTransactionId, which has no more; what a peer sends in its place may be of any length. */
enum { LOGGED_OCTETS = 16 };

static void
log_request(struct task *t, unsigned status)
{
	const struct asked *asked = asked_of(t);
	const struct eim_call *call = t->state;
	enum log_level level = t->no ? t->no->level : t->bad ? LOG_WARNING : LOG_NOTICE;
	int64_t us = clock_mono_us() - t->began_us;
	bool traced = log_traced(call->eid);
	char note[512];

	if (!t->bad)
		stats_latency_add(&latencies[asked->f - functions], us);
	if (!traced && !log_wanted(LOG_esipa, level))
		return;
	log_line(LOG_esipa, level,
		"function=%s binding=%s peer=%.*s status=%u result=%s transaction=%s eid=%s "
		"package=%lld "
		"waits=%u us=%lld note=%s",
		t->procedure->name, asked->form->name, SLICE_FMT(t->request->peer), status,
		t->no                   ? t->no->name
			: t->bad        ? trouble_name(t->bad)
			: call->ignored ? "ignored"
					: "ok",
		(const char *)text_hex(
			t->mem, slice_sub(call->eim_transaction_id, 0, LOGGED_OCTETS))
			.p,
		identifier(t, call->eid, traced), (long long)call->package_id, t->waits,
		(long long)us, log_value(slice_text(call->note), note));
}

static void
respond(struct task *t)
{
	const struct asked *asked = asked_of(t);
	struct answer answer = { .status = 200, .admin_protocol = asked->protocol };

	if (t->bad || t->no == &EIM_SLOW_DOWN.base) {
		answer.status = 503;
		answer.retry_after = t->bad ? wire_retry_after() : SLOW_DOWN_SECONDS;
	} else if (t->no == &UNREADABLE) {
		answer.status = 400;
	} else if (asked->f->notification) {
		answer.status = 204;
	} else {
		const struct eim_refusal *no = t->no ? eim_refusal_of(t->no) : NULL;

		answer.content_type = asked->form->content_type;
		answer.body = asked->form->write(t, asked->f, no);
	}
	if (t->no && t->no != &UNREADABLE)
		eim_refusal_count(eim_refusal_of(t->no));
	log_request(t, answer.status);
	request_respond(t->request, &answer);
}

/* ---- routing ---------------------------------------------------------------------------------------- */

static void
respond_bare(struct request *r, unsigned status, const char *why)
{
	char route[512];

	LOG(esipa, NOTICE, "route=%s peer=%.*s status=%u note=%s", log_value(r->route, route),
		SLICE_FMT(r->peer), status, why);
	request_respond(r,
		&(struct answer){ .status = status,
			.admin_protocol = ESIPA_ADMIN_PROTOCOL,
			.retry_after = status == 503 ? wire_retry_after() : 0 });
}

/* Does a HandleNotification carry the result of a package? By the tag in it, or the member's name. */
static bool
carries_result(const struct request *r, const struct form *form)
{
	static const char name[] = "\"provideEimPackageResult\"";
	struct slice value;
	uint32_t tag;

	if (form == &json)
		return r->body.n && memmem(r->body.p, r->body.n, name, sizeof name - 1);
	return wire_asn1_whole_read(r->body, &tag, &value) && wire_asn1_tag_find(value, &tag) &&
		(tag == 0xa1 || tag == WIRE_TAG_PROVIDE_EIM_PACKAGE_RESULT);
}

static const struct function *
function_of(const struct request *r, const struct form *form)
{
	uint32_t tag = 0;

	if (form == &asn1 && !wire_asn1_tag_find(r->body, &tag))
		return NULL;
	for (size_t i = 0; i < FUNCTIONS; i++) {
		const struct function *f = &functions[i];
		bool named =
			form == &asn1 ? f->tag == tag : slice_eq(r->route, slice_text(f->path));

		if (named && (!f->of_result || carries_result(r, form)))
			return f;
	}
	return NULL;
}

/* The IPA's own version comes back to it; nobody knows whether it is one of SGP.22 or of SGP.32. */
static void
protocol_put(struct asked *asked, struct slice theirs)
{
	static const char prefix[] = "gsma/rsp/";
	bool usable = theirs.n <= PROTOCOL_MAX && text_is_printable(theirs) &&
		slice_eq(slice_sub(theirs, 0, sizeof prefix - 1), slice_text(prefix));

	if (!usable)
		theirs = slice_text(ESIPA_ADMIN_PROTOCOL);
	memcpy(asked->protocol, theirs.p, theirs.n);
}

static void
start(struct request *r, const struct function *f, const struct form *form)
{
	struct eim *eim = r->binding;
	struct eim_call *call;
	struct asked *asked;
	struct task *t;

	latencies[f - functions].name = f->procedure->name;
	t = task_new(eim->loop, f->procedure, r, respond);
	if (!t) {
		respond_bare(r, 503, "too-many-tasks");
		return;
	}
	asked = ARENA_NEW(t->mem, struct asked);
	asked->f = f;
	asked->form = form;
	protocol_put(asked, request_header_get(r, "X-Admin-Protocol"));
	call = t->state;
	call->eim = eim;
	call->binding = asked;
	task_start(t, THEN(read_members));
}

void
esipa_handle(struct request *r)
{
	const struct form *form = form_of(r);
	const struct function *f = function_of(r, form);

	if (form == &json && !f) {
		respond_bare(r, 404, "no-such-function");
		return;
	}
	if (!wire_media_type_fits(request_header_get(r, "Content-Type"), form->media_type)) {
		respond_bare(r, 415, "another-media-type");
		return;
	}
	if (!f) {
		respond_bare(r, 400, "no-such-request");
		return;
	}
	start(r, f, form);
}

bool
esipa_is_request(const struct request *r)
{
	static const char prefix[] = "/gsma/rsp2/esipa/";
	uint32_t tag;

	if (form_of(r) == &json)
		return slice_eq(slice_sub(r->route, 0, sizeof prefix - 1), slice_text(prefix));
	return wire_asn1_tag_find(r->body, &tag) && tag >> 8 == 0xbf;
}
