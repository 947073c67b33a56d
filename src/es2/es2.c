/*
 * The four functions of ES2+ that operators call (SGP.22 §5.3.1 to §5.3.4): a table of {path, procedure,
 * members in, members out}, one line of log per request. Who calls is known by the client's certificate; one of
 * nobody is answered 401. A function always answers 200, also when it refuses; trouble of ours is 503, so
 * that the operator tries again.
 */
#include <jansson.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/text.h"
#include "dp/clients.h"
#include "dp/orders.h"
#include "dp/tell_refused.h"
#include "es2/es2.h"
#include "es2/json.h"
#include "stats/stats.h"
#include "wire/http.h"
#include "wire/json.h"

#define IN(function, member) offsetof(struct dp_##function, in.member)
#define ICCID_IN                                                                            \
	{                                                                                   \
		"iccid", ES2_ICCID, offsetof(struct dp_call, iccid), REFUSE(ICCID_MISSING), \
			REFUSE(ICCID_INVALID)                                               \
	}
#define ICCID_MAY_IN                                                                             \
	{                                                                                        \
		"iccid", ES2_ICCID, offsetof(struct dp_call, iccid), NULL, REFUSE(ICCID_INVALID) \
	}
#define EID_IN                                                                           \
	{                                                                                \
		"eid", ES2_EID, offsetof(struct dp_call, eid), NULL, REFUSE(EID_INVALID) \
	}
#define MATCHING_ID_IN(function)                                             \
	{                                                                    \
		"matchingId", ES2_ANY_TEXT, IN(function, matching_id), NULL, \
			REFUSE(MATCHING_ID_INVALID)                          \
	}

/* clang-format off */
static const struct es2_member download_in[] = {
	EID_IN,
	ICCID_MAY_IN,
	{ "profileType", ES2_TEXT, IN(download_order, type_name), NULL, REFUSE(TYPE_INVALID) },
};
static const struct es2_member confirm_in[] = {
	ICCID_IN,
	EID_IN,
	MATCHING_ID_IN(confirm_order),
	{ "confirmationCode", ES2_TEXT, IN(confirm_order, confirmation_code), NULL, REFUSE(CODE_INVALID) },
	{ "smdsAddress", ES2_TEXT, IN(confirm_order, smds_address), NULL, REFUSE(SMDS_UNREACHABLE) },
	{ "releaseFlag", ES2_FLAG, IN(confirm_order, release), REFUSE(MEMBER_MISSING), REFUSE(MEMBER_INVALID) },
};
static const struct es2_member cancel_in[] = {
	ICCID_IN,
	EID_IN,
	MATCHING_ID_IN(cancel_order),
	{ "finalProfileStatusIndicator", ES2_FINAL, IN(cancel_order, available),
		REFUSE(FINAL_STATE_MISSING), REFUSE(FINAL_STATE_INVALID) },
};
static const struct es2_member release_in[] = { ICCID_IN };

#define OUT(name, type, member) { name, WIRE_TEXT, WIRE_VALUE, 0, 0, offsetof(struct type, member), false }
static const struct wire_member download_out[] = { OUT("iccid", dp_download_order, out.iccid) };
static const struct wire_member confirm_out[] = {
	OUT("eid", dp_confirm_order, out.eid),
	OUT("matchingId", dp_confirm_order, out.matching_id),
	OUT("smdpAddress", dp_confirm_order, smdp_address),
};

#define MEMBERS(table) table, sizeof table / sizeof *table
static const struct function {
	const char *path;
	const struct procedure *procedure;
	size_t actor; /* place of its struct dp_actor */
	const struct es2_member *in;
	size_t in_n;
	struct wire_message out;
} functions[] = {
	{ "/gsma/rsp2/es2plus/downloadOrder", &dp_download_order, IN(download_order, actor),
		MEMBERS(download_in), { MEMBERS(download_out) } },
	{ "/gsma/rsp2/es2plus/confirmOrder", &dp_confirm_order, IN(confirm_order, actor),
		MEMBERS(confirm_in), { MEMBERS(confirm_out) } },
	{ "/gsma/rsp2/es2plus/cancelOrder", &dp_cancel_order, IN(cancel_order, actor),
		MEMBERS(cancel_in), { NULL, 0 } },
	{ "/gsma/rsp2/es2plus/releaseProfile", &dp_release_profile, IN(release_profile, actor),
		MEMBERS(release_in), { NULL, 0 } },
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

static struct dp_actor *
actor_of(struct task *t)
{
	return (struct dp_actor *)((uint8_t *)t->state + function_of(t->procedure)->actor);
}

/* A request with who makes it, in the arena of its task; the task's `request` is the first member. */
struct es2_call {
	struct request request;
	struct request *outer; /* the transport's */
	struct slice operator_name;
	struct slice requester; /* absent: any */
	bool remember;
	struct es2_header header;
};

/* ---- reading ---------------------------------------------------------------------------------------- */

/* The body itself is wrong, so no function can answer it: HTTP does (docs/interpretations.md). */
static const struct refusal NOT_JSON = { "NOT_JSON", LOG_NOTICE, "the body is not a JSON object" };

#define STEPS(S) S(read_members)
STEPS(DECLARE_STEP)

/* Of longer identifiers the audit trail keeps the beginning. */
enum { IDENTIFIER_TOLD = 64 };

static struct slice
identifier_told(struct arena *mem, struct slice id)
{
	struct slice told = text_beginning(id, IDENTIFIER_TOLD);

	return told.n == id.n ? id : slice_text(arena_printf(mem, "%.*s…", SLICE_FMT(told)));
}

/*
 * An empty identifier identifies nothing, so its call is not remembered. Nor does one of a client that sends
 * the same in all calls, and is to be forgotten: those are known by function and content alone.
 */
static void
actor_fill(struct task *t, const struct es2_call *call, const struct function *f)
{
	const struct dp_call *common = t->state;
	struct dp_actor *actor = actor_of(t);
	const struct dp_world *world = common->dp->world;
	int64_t seconds = world ? world->settings.call_memory : 0;
	bool remember = call->remember && seconds && call->header.call.n;
	struct es2_header header = { call->header.requester,
		remember ? call->header.call : SLICE_NONE };
	uint8_t *mark = arena_alloc(t->mem, CRYPTO_SHA256_SIZE);

	if (call->header.call.n)
		actor->why = identifier_told(t->mem, call->header.call);
	es2_key_make(f->procedure->name, &header, f->in, f->in_n, t->state, mark);
	actor->call.mark = slice_of(mark, CRYPTO_SHA256_SIZE);
	if (!remember)
		return;
	actor->call.key = actor->call.mark;
	actor->call.seconds = seconds;
}

/* The one that is agreed; when none is, whichever is not agreed with another operator (§5.3). */
static bool
requester_fits(struct task *t, const struct es2_call *call)
{
	const struct dp_call *common = t->state;
	struct slice requester = call->header.requester;

	if (call->requester.p)
		return slice_eq(call->requester, requester);
	return !dp_clients_requester_is_others(
		common->dp->clients, requester, actor_of(t)->call.operator_id);
}

static const struct step *
read_members(struct task *t)
{
	const struct function *f = function_of(t->procedure);
	struct es2_call *call = (struct es2_call *)t->request;
	struct dp_call *common = t->state;
	json_t *root = wire_json_object_read(t->mem, call->request.body);
	const struct refusal *no;

	if (!root)
		return task_refuse(t, &NOT_JSON);
	no = es2_header_read(t->mem, root, &call->header, &common->note);
	if (no)
		return task_refuse(t, no);
	if (!requester_fits(t, call))
		return task_refuse(t, REFUSE(REQUESTER_REFUSED));
	no = es2_members_read(t->mem, root, f->in, f->in_n, t->state, &common->note);
	if (no)
		return task_refuse(t, no);
	if (common->eid.p)
		dp_eid_set(t, common->eid);
	actor_fill(t, call, f);
	return f->procedure->first;
}

/* ---- answering -------------------------------------------------------------------------------------- */

/* Masked, but for who is traced. */
static const char *
identifier(struct task *t, struct slice digits, bool traced)
{
	return traced ? arena_string(t->mem, digits)
		      : log_masked(digits, arena_alloc(t->mem, LOG_MASKED));
}

static void
log_request(struct task *t, const struct es2_call *call, unsigned status)
{
	const struct dp_call *common = t->state;
	const struct dp_refusal *no = t->no && t->no != &NOT_JSON ? dp_refusal_of(t->no) : NULL;
	enum log_level level = t->no ? t->no->level : t->bad ? LOG_WARNING : LOG_NOTICE;
	int64_t us = clock_mono_us() - t->began_us;
	bool traced = log_traced(common->eid);
	char id[512], note[512];

	stats_latency_add(&latencies[function_of(t->procedure) - functions], us);
	if (!traced && !log_wanted(LOG_es2, level))
		return;
	log_line(LOG_es2, level,
		"function=%s peer=%.*s operator=%.*s client=%lld call=%s status=%u result=%s "
		"subject=%s reason=%s eid=%s iccid=%s order=%lld waits=%u us=%lld note=%s",
		t->procedure->name, SLICE_FMT(call->request.peer), SLICE_FMT(call->operator_name),
		(long long)actor_of(t)->call.client_id, log_value(call->header.call, id), status,
		t->no            ? t->no->name
			: t->bad ? trouble_name(t->bad)
				 : "ok",
		no ? no->subject : "", no ? no->reason : "", identifier(t, common->eid, traced),
		identifier(t, common->iccid, traced), (long long)common->order_id, t->waits,
		(long long)us, log_value(slice_text(common->note), note));
}

/* Peers before v2.2 want 20 characters: one of 19 digits goes out with the pad. */
static struct slice
iccid_padded(struct arena *mem, struct slice iccid)
{
	return iccid.n == 19 ? slice_text(arena_printf(mem, "%.*sF", SLICE_FMT(iccid))) : iccid;
}

static struct slice
body_write(struct task *t, const struct function *f)
{
	const struct dp_refusal *no = t->no ? dp_refusal_of(t->no) : NULL;
	struct dp_download_order *order = t->state;
	struct wire_status failed;

	if (no) {
		dp_refusal_count(no);
		failed = (struct wire_status){ no->subject, no->reason, no->base.words };
		return wire_json_answer_write(t->mem, &failed, &WIRE_NOTHING, t->state);
	}
	if (f->procedure == &dp_download_order)
		order->out.iccid = iccid_padded(t->mem, order->out.iccid);
	return wire_json_answer_write(t->mem, NULL, &f->out, t->state);
}

static void
respond(struct task *t)
{
	struct es2_call *call = (struct es2_call *)t->request;
	struct answer answer = { .status = 200 };

	if (t->bad) {
		answer.status = 503;
		answer.retry_after = wire_retry_after();
	} else if (t->no == &NOT_JSON) {
		answer.status = 400;
	} else {
		answer.content_type = "application/json;charset=UTF-8";
		answer.body = body_write(t, function_of(t->procedure));
	}
	log_request(t, call, answer.status);
	dp_refused_put(t, actor_of(t)->name, call->request.peer, actor_of(t)->why);
	request_respond(call->outer, &answer);
}

/* ---- who calls, and what ---------------------------------------------------------------------------- */

static void
respond_bare(struct request *r, unsigned status, const char *why)
{
	char route[512];

	LOG(es2, NOTICE, "route=%s peer=%.*s status=%u note=%s", log_value(r->route, route),
		SLICE_FMT(r->peer), status, why);
	request_respond(r,
		&(struct answer){
			.status = status, .retry_after = status == 503 ? wire_retry_after() : 0 });
}

/* With what an administrator needs to make this certificate somebody's. */
static void
refuse_stranger(
	struct request *r, const struct crypto_client *own, struct arena *mem, const char *why)
{
	char subject[512];

	LOG(es2, NOTICE, "peer=%.*s status=401 note=%s sha256=%s subject=%s", SLICE_FMT(r->peer),
		why, own ? (const char *)text_hex(mem, SLICE_ARRAY(own->sha256)).p : "",
		log_value(own ? own->subject : SLICE_NONE, subject));
	stats_add(STATS_es2_unauthorized);
	request_respond(r, &(struct answer){ .status = 401 });
}

/* NULL when it was refused. */
static const struct store_client *
client_find(struct request *r, struct arena *mem)
{
	struct dp *dp = r->binding;
	const struct store_client *client;
	struct crypto_client own;
	const char *why;

	if (!dp->clients) {
		respond_bare(r, 503, "clients-not-yet-known");
		return NULL;
	}
	if (!r->certificates.n) {
		refuse_stranger(r, NULL, mem, "no-certificate");
		return NULL;
	}
	if (!crypto_client_read(mem, r->certificates, &own)) {
		refuse_stranger(r, NULL, mem, "unreadable-certificate");
		return NULL;
	}
	client = dp_clients_find(
		dp->clients, r->certificates, &own, clock_wall_us() / 1000000, &why);
	if (!client)
		refuse_stranger(r, &own, mem, why);
	return client;
}

static const struct function *
function_find(struct request *r)
{
	const struct function *f = functions;

	while (f < functions + FUNCTIONS && !slice_eq(r->route, slice_text(f->path)))
		f++;
	if (f == functions + FUNCTIONS) {
		respond_bare(r, 404, "no-such-function");
		return NULL;
	}
	if (!wire_media_type_fits(request_header_get(r, "Content-Type"), "application/json")) {
		respond_bare(r, 415, "not-application/json");
		return NULL;
	}
	return f;
}

static void
start(struct request *r, const struct function *f, const struct store_client *client)
{
	struct dp *dp = r->binding;
	struct es2_call *call;
	struct dp_actor *actor;
	struct task *t;

	wire_protocol_count(request_header_get(r, "X-Admin-Protocol"));
	latencies[f - functions].name = f->procedure->name;
	t = task_new(dp->loop, f->procedure, r, respond);
	if (!t) {
		respond_bare(r, 503, "too-many-tasks");
		return;
	}
	*(struct dp_call *)t->state = (struct dp_call){ .dp = dp, .proved = true };
	call = arena_alloc(t->mem, sizeof *call);
	call->request = *r;
	call->outer = r;
	call->operator_name = arena_copy(t->mem, client->operator_name);
	call->requester = client->requester.p ? arena_copy(t->mem, client->requester) : SLICE_NONE;
	call->remember = client->remember;
	t->request = &call->request;
	actor = actor_of(t);
	actor->name = slice_text(arena_printf(t->mem, "es2+:%.*s(client=%lld)",
		SLICE_FMT(call->operator_name), (long long)client->client_id));
	actor->why = SLICE_LIT("");
	actor->call.operator_id = client->operator_id;
	actor->call.client_id = client->client_id;
	task_start(t, THEN(read_members));
}

enum { CERTIFICATE_ARENA = 64 * 1024 };

void
es2_handle(struct request *r)
{
	const struct store_client *client;
	const struct function *f;
	struct arena mem;

	arena_init(&mem, CERTIFICATE_ARENA, NULL, NULL);
	client = client_find(r, &mem);
	arena_fini(&mem);
	f = client ? function_find(r) : NULL;
	if (f)
		start(r, f, client);
}
