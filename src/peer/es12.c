/*
 * ES12 (SGP.22 §5.9): RegisterEvent before an order with an SM-DS is confirmed, DeleteEvent when its event is
 * over. Mutual TLS with CERT.DP.TLS; of those of our listeners the one that the SM-DS accepts is shown. To
 * register an event that exists, or to delete one that does not, is as good as done.
 */
#include <string.h>
#include "peer/es12.h"
#include "peer/int.h"

#define PATH "/gsma/rsp2/es12/"

/* A ConfirmOrder waits for RegisterEvent, and its own caller for ten seconds. */
enum { MOST_MS = 7000 };

static bool
is_same(struct slice a, struct slice b)
{
	struct slice host_a, host_b;
	unsigned port_a, port_b;

	return slice_read_server(a, 443, &host_a, &port_a) &&
		slice_read_server(b, 443, &host_b, &port_b) && port_a == port_b &&
		slice_eq_nocase(host_a, host_b);
}

static const struct peer_smds *
find_smds(const struct peer *p, struct slice address)
{
	for (size_t i = 0; i < p->settings.smds_n; i++)
		if (is_same(address, slice_text(p->settings.smds[i].address)))
			return &p->settings.smds[i];
	return NULL;
}

struct slice
peer_es12_known(struct task *t, const struct peer *p, struct slice address)
{
	const struct peer_smds *known = find_smds(p, address);

	return known ? arena_copy(t->mem, slice_text(known->address)) : SLICE_NONE;
}

static const struct step *
post(struct task *t, struct peer *p, const char *function, json_t *body, struct slice smds,
	struct slice call_id, struct https_reply *out, const struct step *then)
{
	const struct peer_smds *known = find_smds(p, smds);

	peer_header_put(p, body, peer_uuid_text(t->mem, call_id));
	return peer_post(t, p,
		&(struct peer_call){ .url = arena_printf(t->mem, "https://%.*s" PATH "%s",
					     SLICE_FMT(smds), function),
			.body = body,
			.roots = known && known->roots.p ? known->roots : p->settings.roots,
			.keys = p->settings.tls_keys,
			.most_ms = MOST_MS },
		out, then);
}

static json_t *
text_json(struct slice text)
{
	return json_stringn((const char *)text.p, text.n);
}

const struct step *
peer_es12_register(struct task *t, struct peer *p, const struct peer_es12_event *in,
	struct https_reply *out, const struct step *then)
{
	const struct peer_smds *known = find_smds(p, in->smds);
	json_t *body = peer_json_new(t->mem);

	json_object_set_new(body, "eid", text_json(in->eid));
	json_object_set_new(body, "rspServerAddress", json_string(p->settings.server_address));
	json_object_set_new(body, "eventId", text_json(in->event_id));
	json_object_set_new(body, "forwardingIndicator", json_boolean(known && known->forwarding));
	return post(t, p, "registerEvent", body, in->smds, in->call_id, out, then);
}

static const struct step *
delete_event(struct task *t, struct peer *p, const struct peer_es12_event *in,
	struct https_reply *out, const struct step *then)
{
	json_t *body = peer_json_new(t->mem);

	json_object_set_new(body, "eid", text_json(in->eid));
	json_object_set_new(body, "eventId", text_json(in->event_id));
	return post(t, p, "deleteEvent", body, in->smds, in->call_id, out, then);
}

static bool
is_code(const struct peer_status *s, const char *subject, const char *reason)
{
	return s->subject && s->reason && strcmp(s->subject, subject) == 0 &&
		strcmp(s->reason, reason) == 0;
}

/* Beside success: the reason, of subject 8.9.5, that says that it was done before. */
static enum peer_es12_outcome
judge(struct task *t, const struct https_reply *reply, const char *before, const char **wrong)
{
	struct peer_status s;

	if (!reply->status) {
		*wrong = reply->wrong;
		return PEER_ES12_UNREACHABLE;
	}
	if (reply->status != 200 || !peer_status_read(t->mem, reply->body, &s)) {
		*wrong = arena_printf(
			t->mem, "HTTP status %u, and no status of ES12", reply->status);
		return PEER_ES12_UNREACHABLE;
	}
	if (strcmp(s.status, "Executed-Success") == 0 ||
		strcmp(s.status, "Executed-WithWarning") == 0 || is_code(&s, "8.9.5", before))
		return PEER_ES12_DONE;
	*wrong = arena_printf(t->mem, "the SM-DS answers %s/%s %s", s.subject ? s.subject : "",
		s.reason ? s.reason : "", s.message ? s.message : "");
	return PEER_ES12_REFUSED;
}

enum peer_es12_outcome
peer_es12_register_judge(struct task *t, const struct https_reply *reply, const char **wrong)
{
	return judge(t, reply, "3.3", wrong); /* the event exists */
}

enum peer_es12_outcome
peer_es12_delete_judge(struct task *t, const struct https_reply *reply, const char **wrong)
{
	return judge(t, reply, "3.9", wrong); /* there is none (any more) */
}

static bool
is_register(const struct peer_delivery *in)
{
	return slice_eq(in->type, SLICE_LIT("es12.register"));
}

static struct slice
member_text(const json_t *event, const char *name)
{
	const json_t *value = json_object_get(event, name);

	return slice_of(json_string_value(value), json_string_length(value));
}

const struct step *
peer_es12_send(struct task *t, struct peer *p, const struct peer_delivery *in,
	struct https_reply *out, const struct step *then)
{
	json_t *event = peer_json_read(t->mem, in->data);
	struct peer_es12_event what = { .smds = in->address,
		.eid = member_text(event, "eid"),
		.event_id = member_text(event, "matchingId"),
		.call_id = in->event_id };

	if (!what.eid.p || !what.event_id.p)
		return peer_fail(out, "the event cannot be read", then);
	if (is_register(in))
		return peer_es12_register(t, p, &what, out, then);
	return delete_event(t, p, &what, out, then);
}

const char *
peer_es12_send_judge(
	struct task *t, const struct peer_delivery *in, const struct https_reply *reply)
{
	const char *wrong = NULL;

	if (is_register(in))
		peer_es12_register_judge(t, reply, &wrong);
	else
		peer_es12_delete_judge(t, reply, &wrong);
	return wrong;
}
