/*
 * A small SM-DS: ES12 for SM-DP+s (RegisterEvent, DeleteEvent; SGP.22 §5.9), ES11 for LPAs
 * (InitiateAuthentication, AuthenticateClient with event records; §5.8). An event belongs to the object
 * identifier in its owner's certificate. Events are kept in memory, and in a file when one is named.
 */
#include <jansson.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>
#include "base/rand.h"
#include "base/text.h"
#include "rspsim/cert.h"
#include "rspsim/crypto.h"
#include "rspsim/der.h"
#include "rspsim/serve.h"
#include "rspsim/verbs.h"

enum { CURVES = 2, SESSIONS = 64 };

struct tree {
	X509 *ci, *auth;
	EVP_PKEY *auth_key;
};

/* One ES11 session, from InitiateAuthentication on. */
struct session {
	uint8_t id[16], challenge[16];
};

struct sm_ds {
	struct tree trees[CURVES];
	size_t tree_n;
	json_t *events; /* array of {eid, eventId, rspServerAddress, owner, forwarding} */
	const char *file;
	struct session sessions[SESSIONS];
	size_t next;
};

/* ---- answers ------------------------------------------------------------------------------------------- */

static struct rspsim_answer
answer_json(struct arena *mem, json_t *members, const char *status, const char *subject,
	const char *reason)
{
	json_t *execution = json_pack("{s:s}", "status", status);
	char *text;

	if (subject)
		json_object_set_new(execution, "statusCodeData",
			json_pack("{s:s, s:s}", "subjectCode", subject, "reasonCode", reason));
	if (!members)
		members = json_object();
	json_object_set_new(
		members, "header", json_pack("{s:o}", "functionExecutionStatus", execution));
	text = json_dumps(members, JSON_COMPACT);
	json_decref(members);
	arena_defer(mem, free, text);
	return (struct rspsim_answer){ .status = 200, .body = text };
}

static struct rspsim_answer
fine(struct arena *mem, json_t *members)
{
	return answer_json(mem, members, "Executed-Success", NULL, NULL);
}

static struct rspsim_answer
refuse(struct arena *mem, const char *subject, const char *reason)
{
	return answer_json(mem, NULL, "Failed", subject, reason);
}

/* ---- ES12 ---------------------------------------------------------------------------------------------- */

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* In one piece: whoever reads it meanwhile reads the former one. */
static void
keep(const struct sm_ds *s, struct arena *mem)
{
	const char *next = arena_printf(mem, "%s.new", s->file ? s->file : "");

	if (s->file && json_dump_file(s->events, next, JSON_INDENT(1)) == 0)
		rename(next, s->file);
}

/* The place of an owner's event; the number of events when there is none. */
static size_t
find_event(const struct sm_ds *s, const json_t *call, const char *owner)
{
	size_t i, n = json_array_size(s->events);

	for (i = 0; i < n; i++) {
		const json_t *e = json_array_get(s->events, i);

		if (strcmp(text_of(e, "eid"), text_of(call, "eid")) == 0 &&
			strcmp(text_of(e, "eventId"), text_of(call, "eventId")) == 0 &&
			strcmp(text_of(e, "owner"), owner) == 0)
			break;
	}
	return i;
}

static struct rspsim_answer
register_event(struct sm_ds *s, struct arena *mem, const json_t *call, const char *owner)
{
	if (!*text_of(call, "eid") || !*text_of(call, "eventId") ||
		!*text_of(call, "rspServerAddress") ||
		!json_is_boolean(json_object_get(call, "forwardingIndicator")))
		return refuse(mem, "8.9.5", "2.2");
	if (find_event(s, call, owner) < json_array_size(s->events))
		return refuse(mem, "8.9.5", "3.3");
	json_array_append_new(s->events,
		json_pack("{s:s, s:s, s:s, s:s, s:b}", "eid", text_of(call, "eid"), "eventId",
			text_of(call, "eventId"), "rspServerAddress",
			text_of(call, "rspServerAddress"), "owner", owner, "forwarding",
			json_is_true(json_object_get(call, "forwardingIndicator"))));
	keep(s, mem);
	return fine(mem, NULL);
}

static struct rspsim_answer
delete_event(struct sm_ds *s, struct arena *mem, const json_t *call, const char *owner)
{
	size_t i = find_event(s, call, owner);

	if (i == json_array_size(s->events))
		return refuse(mem, "8.9.5", "3.9");
	json_array_remove(s->events, i);
	keep(s, mem);
	return fine(mem, NULL);
}

/* ---- ES11 ---------------------------------------------------------------------------------------------- */

static bool
member_octets(struct arena *mem, const json_t *call, const char *name, struct slice *out)
{
	return text_unbase64(mem, slice_text(text_of(call, name)), out) && out->n;
}

static void
put_octets(struct arena *mem, json_t *answer, const char *name, struct slice octets)
{
	json_object_set_new(answer, name, json_string((const char *)text_base64(mem, octets).p));
}

/* The first of our CIs that the card verifies with (A9 of euiccInfo1). */
static const struct tree *
choose_tree(const struct sm_ds *s, struct slice info1)
{
	struct rspsim_tlv all, list, id;

	if (!rspsim_der_read_only(info1, 0xbf20, &all) || !rspsim_der_find(all.value, 0xa9, &list))
		return NULL;
	while (rspsim_der_read(&list.value, &id))
		for (size_t i = 0; i < s->tree_n; i++)
			if (slice_eq(id.value, rspsim_cert_key_id(s->trees[i].ci)))
				return &s->trees[i];
	return NULL;
}

/* §5.8.1 */
static struct rspsim_answer
initiate(struct sm_ds *s, struct arena *mem, const json_t *call)
{
	struct session *session = &s->sessions[s->next++ % SESSIONS];
	struct slice challenge, info1, signed1;
	const struct tree *t;
	json_t *answer;

	if (!member_octets(mem, call, "euiccChallenge", &challenge) ||
		!member_octets(mem, call, "euiccInfo1", &info1))
		return refuse(mem, "8.9", "2.1");
	t = choose_tree(s, info1);
	if (!t)
		return refuse(mem, "8.9.2", "3.1");
	rand_bytes(session, sizeof *session);
	signed1 = RSPSIM_DER(mem, 0x30, RSPSIM_DER(mem, 0x80, SLICE_ARRAY(session->id)),
		RSPSIM_DER(mem, 0x81, challenge),
		RSPSIM_DER(mem, 0x83, slice_text(text_of(call, "smdpAddress"))),
		RSPSIM_DER(mem, 0x84, SLICE_ARRAY(session->challenge)));
	answer = json_pack("{s:s}", "transactionId", text_hex(mem, SLICE_ARRAY(session->id)).p);
	put_octets(mem, answer, "serverSigned1", signed1);
	put_octets(mem, answer, "serverSignature1",
		RSPSIM_DER(mem, 0x5f37, rspsim_sign(mem, t->auth_key, signed1)));
	put_octets(mem, answer, "euiccCiPKIdToBeUsed",
		RSPSIM_DER(mem, 0x04, rspsim_cert_key_id(t->ci)));
	put_octets(mem, answer, "serverCertificate", rspsim_cert_der(mem, t->auth));
	return fine(mem, answer);
}

static struct session *
find_session(struct sm_ds *s, struct arena *mem, const json_t *call)
{
	struct slice id;

	if (!text_unhex(mem, slice_text(text_of(call, "transactionId")), &id))
		return NULL;
	for (size_t i = 0; i < SESSIONS; i++)
		if (slice_eq(id, SLICE_ARRAY(s->sessions[i].id)))
			return &s->sessions[i];
	return NULL;
}

/* The EUM below one of our CIs, the eUICC below the EUM. */
static bool
chain_holds(const struct sm_ds *s, X509 *euicc, X509 *eum)
{
	bool ours = false;

	for (size_t i = 0; i < s->tree_n; i++)
		ours = ours || X509_verify(eum, X509_get0_pubkey(s->trees[i].ci)) == 1;
	return ours && X509_verify(euicc, X509_get0_pubkey(eum)) == 1;
}

/* The EID that AuthenticateServerResponse proves; false when it proves none. */
static bool
read_proof(
	const struct sm_ds *s, const struct session *session, struct slice response, char eid[33])
{
	struct rspsim_tlv all, good, signed1, signature, first, second, challenge;
	X509 *euicc = NULL, *eum = NULL;
	bool proved = false;

	if (!rspsim_der_read_only(response, 0xbf38, &all) ||
		!rspsim_der_read_only(all.value, 0xa0, &good) ||
		!rspsim_der_read_tag(&good.value, 0x30, &signed1) ||
		!rspsim_der_read_tag(&good.value, 0x5f37, &signature) ||
		!rspsim_der_read_tag(&good.value, 0x30, &first) ||
		!rspsim_der_read_tag(&good.value, 0x30, &second) ||
		!rspsim_der_find(signed1.value, 0x84, &challenge))
		return false;
	euicc = rspsim_cert_from_der(first.whole);
	eum = rspsim_cert_from_der(second.whole);
	if (euicc && eum)
		proved = chain_holds(s, euicc, eum) &&
			slice_eq(challenge.value, SLICE_ARRAY(session->challenge)) &&
			rspsim_verify(X509_get0_pubkey(euicc), signed1.whole, signature.value) &&
			X509_NAME_get_text_by_NID(
				X509_get_subject_name(euicc), NID_serialNumber, eid, 33) == 32;
	X509_free(euicc);
	X509_free(eum);
	return proved;
}

/* §5.8.2: what waits for this eUICC. */
static struct rspsim_answer
authenticate(struct sm_ds *s, struct arena *mem, const json_t *call)
{
	struct session *session = find_session(s, mem, call);
	json_t *entries, *event;
	struct slice response;
	char eid[33];
	size_t i;

	if (!session)
		return refuse(mem, "8.10.1", "3.9");
	if (!member_octets(mem, call, "authenticateServerResponse", &response) ||
		!read_proof(s, session, response, eid))
		return refuse(mem, "8.1", "6.1");
	memset(session, 0, sizeof *session);
	entries = json_array();
	json_array_foreach(s->events, i, event)
	{
		if (strcmp(text_of(event, "eid"), eid) == 0)
			json_array_append_new(entries,
				json_pack("{s:s, s:s}", "eventId", text_of(event, "eventId"),
					"rspServerAddress", text_of(event, "rspServerAddress")));
	}
	return fine(mem,
		json_pack("{s:s, s:o}", "transactionId", text_of(call, "transactionId"),
			"eventEntries", entries));
}

/* ---- the server ---------------------------------------------------------------------------------------- */

static struct rspsim_answer
dispatch(struct sm_ds *s, struct arena *mem, const char *path, const json_t *call, X509 *client)
{
	static const char es12[] = "/gsma/rsp2/es12/", es9[] = "/gsma/rsp2/es9plus/";
	struct slice oid = client ? rspsim_cert_oid(mem, client) : SLICE_NONE;
	const char *owner = (const char *)text_hex(mem, oid).p;

	if (strncmp(path, es12, sizeof es12 - 1) == 0) {
		path += sizeof es12 - 1;
		if (!oid.n)
			return (struct rspsim_answer){ .status = 401 };
		if (strcmp(path, "registerEvent") == 0)
			return register_event(s, mem, call, owner);
		if (strcmp(path, "deleteEvent") == 0)
			return delete_event(s, mem, call, owner);
	} else if (strncmp(path, es9, sizeof es9 - 1) == 0) {
		path += sizeof es9 - 1;
		if (strcmp(path, "initiateAuthentication") == 0)
			return initiate(s, mem, call);
		if (strcmp(path, "authenticateClient") == 0)
			return authenticate(s, mem, call);
	}
	return (struct rspsim_answer){ .status = 404 };
}

static struct rspsim_answer
take(void *arg, struct arena *mem, const char *path, struct slice body, X509 *client)
{
	struct sm_ds *s = arg;
	json_t *call = json_loadb((const char *)body.p, body.n, 0, NULL);
	struct rspsim_answer answer = { .status = 400 };

	if (call)
		answer = dispatch(s, mem, path, call, client);
	json_decref(call);
	return answer;
}

static const char *const folders[] = { "nist", "brainpool", "." };

/* The curves of which the folder has an SM-DS's certificates. */
static const char *
read_pki(struct sm_ds *s, struct rspsim_serve *set, struct arena *mem, const char *pki)
{
	for (size_t i = 0; i < sizeof folders / sizeof *folders && s->tree_n < CURVES; i++) {
		struct tree *t = &s->trees[s->tree_n];
		const char *at = arena_printf(mem, "%s/%s", pki, folders[i]);
		const char *tls = arena_printf(mem, "%s/dstls.pem", at);

		if (access(tls, R_OK) != 0)
			continue;
		t->ci = rspsim_cert_read(arena_printf(mem, "%s/ci.pem", at));
		t->auth = rspsim_cert_read(arena_printf(mem, "%s/dsauth.pem", at));
		t->auth_key = rspsim_key_read(arena_printf(mem, "%s/dsauth.key", at));
		if (!t->ci || !t->auth || !t->auth_key)
			return "ci.pem, dsauth.pem or dsauth.key cannot be read";
		set->certificate[s->tree_n] = tls;
		set->key[s->tree_n] = arena_printf(mem, "%s/dstls.key", at);
		set->roots[s->tree_n++] = arena_printf(mem, "%s/ci.pem", at);
	}
	return s->tree_n ? NULL : "no dstls.pem in the folder, its nist/ or its brainpool/";
}

int
rspsim_verb_sm_ds_serve(const struct rspsim_options *o)
{
	struct sm_ds s = { .file = o->record };
	struct rspsim_serve set = {
		.listen = o->listen, .fail = o->fail, .handler = take, .arg = &s
	};
	const char *wrong;
	struct arena mem;

	arena_init(&mem, 1 << 20, NULL, NULL);
	wrong = read_pki(&s, &set, &mem, o->pki);
	if (wrong)
		return rspsim_complain(EX_DATAERR, o->pki, wrong);
	s.events = s.file ? json_load_file(s.file, 0, NULL) : NULL;
	if (!s.events)
		s.events = json_array();
	return rspsim_serve(&set);
}
