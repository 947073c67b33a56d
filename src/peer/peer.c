/*
 * What calls to other servers share (SGP.22 §6.2, §6.5.1): JSON over HTTPS POST, the request header with
 * requester and call identifier, the status in the answer's header. TLS is https/client.c's.
 */
#include <assert.h>
#include <stdlib.h>
#include "base/log.h"
#include "base/text.h"
#include "peer/int.h"

struct peer *
peer_new(struct loop *l, unsigned calls)
{
	struct peer *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->client = https_client_new(l, calls);
	return p;
}

void
peer_free(struct peer *p)
{
	if (p->set)
		p->settings.drop(p->settings.owner);
	https_client_free(p->client);
	free(p);
}

void
peer_settings_set(struct peer *p, const struct peer_settings *settings, unsigned calls)
{
	if (p->set)
		p->settings.drop(p->settings.owner);
	p->settings = *settings;
	p->set = true;
	https_client_limit_set(p->client, calls);
}

static void
drop_json(void *json)
{
	json_decref(json);
}

json_t *
peer_json_new(struct arena *mem)
{
	json_t *json = json_object();

	if (!json)
		abort();
	arena_defer(mem, drop_json, json);
	return json;
}

json_t *
peer_json_read(struct arena *mem, struct slice text)
{
	json_t *json = json_loadb((const char *)text.p, text.n, 0, NULL);

	if (json)
		arena_defer(mem, drop_json, json);
	return json_is_object(json) ? json : NULL;
}

const char *
peer_uuid_text(struct arena *mem, struct slice octets)
{
	struct buf text;

	assert(octets.n == 16);
	buf_init(&text, mem, 64);
	for (size_t i = 0; i < 16; i++)
		buf_printf(&text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			octets.p[i]);
	return (const char *)buf_get(&text).p;
}

void
peer_header_put(struct peer *p, json_t *body, const char *call_id)
{
	json_object_set_new(body, "header",
		json_pack("{s:s, s:s}", "functionRequesterIdentifier", p->settings.requester,
			"functionCallIdentifier", call_id));
}

const struct step *
peer_fail(struct https_reply *out, const char *wrong, const struct step *then)
{
	*out = (struct https_reply){ .wrong = wrong };
	return then;
}

const struct step *
peer_post(struct task *t, struct peer *p, const struct peer_call *call, struct https_reply *out,
	const struct step *then)
{
	static const char *const headers[] = { "Content-Type: application/json;charset=UTF-8",
		"X-Admin-Protocol: gsma/rsp/v2.5.0", NULL };
	size_t n = json_dumpb(call->body, NULL, 0, JSON_COMPACT);
	char *text = arena_alloc(t->mem, n);
	uint32_t ms = p->settings.call_ms;

	json_dumpb(call->body, text, n, JSON_COMPACT);
	if (call->most_ms && call->most_ms < ms)
		ms = call->most_ms;
	return https_client_post(t, p->client,
		&(struct https_call){ .url = call->url,
			.headers = headers,
			.body = slice_of(text, n),
			.roots = call->roots,
			.keys = call->keys,
			.connect_ms = ms,
			.total_ms = ms,
			.answer_most = PEER_ANSWER },
		out, then);
}

bool
peer_status_read(struct arena *mem, struct slice body, struct peer_status *out)
{
	json_t *all = peer_json_read(mem, body), *status, *codes;

	*out = (struct peer_status){ 0 };
	status = json_object_get(json_object_get(all, "header"), "functionExecutionStatus");
	out->status = json_string_value(json_object_get(status, "status"));
	codes = json_object_get(status, "statusCodeData");
	out->subject = json_string_value(json_object_get(codes, "subjectCode"));
	out->reason = json_string_value(json_object_get(codes, "reasonCode"));
	out->message = json_string_value(json_object_get(codes, "message"));
	return out->status != NULL;
}
