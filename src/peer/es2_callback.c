/*
 * HandleDownloadProgressInfo (SGP.22 §5.3.5): tells the server of an operator how a download goes. The
 * statement that made the fact true wrote what is told (sql/query, `es2.progress`); here it gets the
 * standard's form (§6.5.2.5). The identifier of the event is the functionCallIdentifier, the same in each
 * attempt, so that the operator can drop what comes twice.
 */
#include <string.h>
#include "peer/es2_callback.h"
#include "peer/int.h"

#define PATH "/gsma/rsp2/es2plus/handleDownloadProgressInfo"

/* Members as the function knows them; what an event has beside is ours. */
static const char *const members[] = { "eid", "iccid", "profileType", "timestamp",
	"notificationPointId", "notificationPointStatus", "resultData" };

/* Peers before v2.2 need 20 characters: the pad of a 19-digit ICCID is written. */
static json_t *
iccid_json(struct arena *mem, const json_t *iccid)
{
	const char *digits = json_string_value(iccid);

	return json_string(
		digits && strlen(digits) == 19 ? arena_printf(mem, "%sF", digits) : digits);
}

static json_t *
body_of(struct task *t, struct peer *p, const struct peer_delivery *in)
{
	json_t *event = peer_json_read(t->mem, in->data), *body, *value;

	if (!event)
		return NULL;
	body = peer_json_new(t->mem);
	peer_header_put(p, body, peer_uuid_text(t->mem, in->event_id));
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		value = json_object_get(event, members[i]);
		if (!value)
			continue;
		if (strcmp(members[i], "iccid") == 0)
			json_object_set_new(body, members[i], iccid_json(t->mem, value));
		else
			json_object_set(body, members[i], value);
	}
	return body;
}

/* The URL as the operator gave it, or with the standard's path when it has none. */
static const char *
url_of(struct arena *mem, struct slice address)
{
	const char *url = arena_string(mem, address), *host = strstr(url, "://"), *path;

	path = host ? strchr(host + 3, '/') : NULL;
	if (path && path[1])
		return url;
	return arena_printf(mem, "%.*s" PATH, path ? (int)(path - url) : (int)strlen(url), url);
}

/* The only one there is when the operator names none. TLS is mutual (§5.3): without one nothing is sent. */
static bool
find_keys(const struct peer *p, struct slice name, struct https_keys **keys)
{
	const struct peer_settings *s = &p->settings;

	*keys = NULL;
	if (!name.p) {
		*keys = s->clients[0].keys;
		return s->client_n == 1;
	}
	for (size_t i = 0; i < s->client_n; i++)
		if (slice_eq(name, slice_text(s->clients[i].name))) {
			*keys = s->clients[i].keys;
			return true;
		}
	return false;
}

bool
peer_es2_client_known(const struct peer *p, struct slice name)
{
	struct https_keys *keys;

	return name.p ? find_keys(p, name, &keys) : p->settings.client_n > 0;
}

const struct step *
peer_es2_progress_send(struct task *t, struct peer *p, const struct peer_delivery *in,
	struct https_reply *out, const struct step *then)
{
	struct peer_call call = { .url = url_of(t->mem, in->address),
		.roots = in->roots.p ? in->roots : p->settings.roots };

	if (!find_keys(p, in->client, &call.keys))
		return peer_fail(out,
			"which [client NAME] of the configuration shall show itself; say it with "
			"rspctl operator callback --certificate",
			then);
	call.body = body_of(t, p, in);
	if (!call.body)
		return peer_fail(out, "the event cannot be read", then);
	return peer_post(t, p, &call, out, then);
}

const char *
peer_es2_progress_judge(
	struct task *t, const struct peer_delivery *in, const struct https_reply *reply)
{
	(void)in;
	if (!reply->status)
		return reply->wrong;
	if (reply->status == 204)
		return NULL;
	return arena_printf(t->mem, "HTTP status %u where 204 is due", reply->status);
}
