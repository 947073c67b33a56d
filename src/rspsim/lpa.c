/*
 * The profile download procedure as an LPA runs it (SGP.22 §3.1.2, §3.1.3): each step makes one
 * ES9+ call out of what the card says, or tells why there is none. The card judges; the LPA
 * carries, compares and cancels.
 */
#include <stdlib.h>
#include "base/text.h"
#include <openssl/obj_mac.h>
#include "rspsim/cert.h"
#include "rspsim/crypto.h"
#include "rspsim/der.h"
#include "rspsim/lpa.h"
#include "rspsim/metadata.h"

enum { ARENA_CAP = 64 << 20 };

struct lpa {
	struct rspsim_card *card;
	struct rspsim_es9 *es9;
	const struct rspsim_download *what;
	struct rspsim_report *report;
	struct arena mem;
	/* from initiateAuthentication */
	const char *transaction; /* as the server wrote it */
	struct slice transaction_id, authenticate_request;
	/* from authenticateClient */
	struct slice metadata, prepare_request;
	/* from getBoundProfilePackage */
	struct slice bpp;
};

/* ---- calls --------------------------------------------------------------------------- */

static bool
stop(struct lpa *l, enum rspsim_outcome outcome, const char *words)
{
	l->report->outcome = outcome;
	snprintf(l->report->words, sizeof l->report->words, "%s", words);
	return false;
}

static void
drop_json(void *p)
{
	json_decref(p);
}

/*
 * One call into the report; true when the server executed it. The answer lives as long as the
 * arena.
 */
static bool
post_text(
	struct lpa *l, const char *address, const char *function, const char *body, json_t **answer)
{
	struct rspsim_report *r = l->report;
	struct rspsim_call *call = r->calls + (r->count < RSPSIM_CALLS_MAX ? r->count++ : 0);

	rspsim_es9_post(l->es9, address, function, body, call, answer);
	if (*answer)
		arena_defer(&l->mem, drop_json, *answer);
	if (call->outcome == RSPSIM_CALL_FINE)
		return true;
	if (call->outcome == RSPSIM_CALL_TRANSPORT)
		return stop(l, RSPSIM_UNREACHABLE, call->message);
	if (call->error)
		return stop(l, RSPSIM_BY_SERVER, call->message);
	return stop(l, RSPSIM_BY_SERVER,
		arena_printf(&l->mem, "%s/%s %s", call->subject, call->reason, call->message));
}

/* A member of a request: text, or octets in Base64; neither: left out. */
struct member {
	const char *name, *text;
	struct slice octets;
};

static const char *
body_of(struct lpa *l, const struct member *members, size_t count)
{
	json_t *body = json_object();
	char *text;
	const char *copy;

	for (size_t i = 0; i < count; i++) {
		const char *value = members[i].text;

		if (members[i].octets.p)
			value = (const char *)text_base64(&l->mem, members[i].octets).p;
		if (value)
			json_object_set_new(body, members[i].name, json_string(value));
	}
	text = json_dumps(body, JSON_COMPACT);
	copy = arena_string(&l->mem, slice_text(text));
	free(text);
	json_decref(body);
	return copy;
}
#define BODY(l, ...)                                       \
	body_of(l, (const struct member[]){ __VA_ARGS__ }, \
		sizeof((const struct member[]){ __VA_ARGS__ }) / sizeof(struct member))

static bool
post(struct lpa *l, const char *function, const char *body, json_t **answer)
{
	return post_text(l, l->what->code.address, function, body, answer);
}

static bool
member_octets(struct lpa *l, json_t *answer, const char *name, struct slice *out)
{
	const char *text = json_string_value(json_object_get(answer, name));

	if (text && text_unbase64(&l->mem, slice_text(text), out) && out->n)
		return true;
	return stop(l, RSPSIM_BY_CARD,
		arena_printf(&l->mem, "the answer has no %s, or it is no Base64", name));
}

/* The later answers of a session name its transaction again (§6.5.2.7, §6.5.2.8). */
static bool
check_transaction(struct lpa *l, json_t *answer)
{
	const char *text = json_string_value(json_object_get(answer, "transactionId"));
	struct slice id;

	return (text && text_unhex(&l->mem, slice_text(text), &id) &&
		       slice_eq(id, l->transaction_id)) ||
		stop(l, RSPSIM_BY_CARD, "the answer does not name this transactionId");
}

static void
save(struct lpa *l, const char *path)
{
	const char *wrong = path ? rspsim_card_write(l->card, path) : NULL;

	if (wrong)
		fprintf(stderr, "rspsim: %s: %s\n", path, wrong);
}

/* The transactionId to send beside signed data, perhaps a foreign one. */
static const char *
transaction(struct lpa *l, enum rspsim_break foreign)
{
	if (l->card->fault != foreign)
		return l->transaction;
	return (const char *)text_hex(&l->mem, rspsim_break_flip(&l->mem, l->transaction_id, 1)).p;
}

/* ---- cancelling (§3.1.3.1) ----------------------------------------------------------- */

static bool
cancel(struct lpa *l, enum rspsim_cancel_reason reason)
{
	struct slice response = rspsim_euicc_cancel_session(l->card, &l->mem,
		RSPSIM_DER(&l->mem, 0xbf41, RSPSIM_DER(&l->mem, 0x80, l->transaction_id),
			rspsim_der_u32(&l->mem, 0x81, reason)));
	const char *body = BODY(l,
		{ .name = "transactionId",
			.text = transaction(l, RSPSIM_BREAK_CANCEL_TRANSACTION) },
		{ .name = "cancelSessionResponse", .octets = response });
	json_t *answer;
	bool good = post(l, "cancelSession", body, &answer);

	if (good && l->card->fault == RSPSIM_BREAK_CANCEL_TWICE)
		good = post(l, "cancelSession", body, &answer);
	return good;
}

/* The LPA's own objection: the server hears of it by a cancellation. */
static bool
object(struct lpa *l, const struct rspsim_objection *o)
{
	if (!o->cancel)
		return true;
	if (cancel(l, o->reason))
		stop(l, RSPSIM_BY_CARD, o->words);
	l->report->card_code = o->reason;
	return false;
}

static bool
cancel_as_asked(struct lpa *l)
{
	if (cancel(l, l->what->cancel_reason))
		stop(l, RSPSIM_DONE, "session cancelled as asked");
	return false;
}

/* ---- initiateAuthentication (§3.1.2 steps 1 to 8) ------------------------------------ */

static const char *
initiate_body(struct lpa *l)
{
	enum rspsim_break fault = l->card->fault;
	struct slice challenge = rspsim_euicc_challenge(l->card, &l->mem);
	struct slice info = rspsim_euicc_info1(l->card, &l->mem);
	const char *address = l->what->code.address;

	if (fault == RSPSIM_BREAK_INITIATE_NOT_JSON)
		return "{ this is not JSON";
	if (fault == RSPSIM_BREAK_INITIATE_CHALLENGE_SHORT)
		challenge = rspsim_break_cut(challenge);
	if (fault == RSPSIM_BREAK_INITIATE_CHALLENGE_MISSING)
		challenge = SLICE_NONE;
	if (fault == RSPSIM_BREAK_INITIATE_CUT)
		info = rspsim_break_cut(info);
	if (fault == RSPSIM_BREAK_INITIATE_ADDRESS)
		address = "somebody-else.example.com";
	return BODY(l, { .name = "euiccChallenge", .octets = challenge },
		{ .name = "euiccInfo1", .octets = info },
		{ .name = "smdpAddress", .text = address });
}

static struct slice
context(struct lpa *l)
{
	struct slice token = slice_text(l->what->code.matching_id);

	if (l->card->fault == RSPSIM_BREAK_AUTHENTICATE_MATCHING)
		token = SLICE_LIT("NOBODY-GAVE-THIS-OUT");
	return rspsim_lpa_context(&l->mem, token);
}

/* §4.1: the OID in the activation code is that of the certificate which authenticates. */
static bool
check_oid(struct lpa *l, struct slice der)
{
	X509 *cert;
	bool same;

	if (!l->what->code.oid[0])
		return true;
	cert = rspsim_cert_from_der(der);
	same = cert && rspsim_oid_is(rspsim_cert_oid(&l->mem, cert), l->what->code.oid);
	X509_free(cert);
	return same ||
		stop(l, RSPSIM_BY_CARD, "the server's OID is not the one in the activation code");
}

static bool
initiate(struct lpa *l)
{
	struct slice signed1, signature, ci, certificate;
	const char *wrong;
	json_t *answer;

	if (!post(l, "initiateAuthentication", initiate_body(l), &answer))
		return false;
	l->transaction = json_string_value(json_object_get(answer, "transactionId"));
	if (!l->transaction || !text_unhex(&l->mem, slice_text(l->transaction), &l->transaction_id))
		return stop(l, RSPSIM_BY_CARD, "the answer has no transactionId");
	if (!member_octets(l, answer, "serverSigned1", &signed1) ||
		!member_octets(l, answer, "serverSignature1", &signature) ||
		!member_octets(l, answer, "euiccCiPKIdToBeUsed", &ci) ||
		!member_octets(l, answer, "serverCertificate", &certificate))
		return false;
	wrong = rspsim_lpa_check_signed1(signed1, l->what->code.address, l->transaction_id);
	if (wrong)
		return stop(l, RSPSIM_BY_CARD, wrong);
	l->authenticate_request =
		RSPSIM_DER(&l->mem, 0xbf38, signed1, signature, ci, certificate, context(l));
	return check_oid(l, certificate);
}

/* ---- authenticateClient (§3.1.2 steps 9 to 16, §3.1.3 steps 1 to 7) ------------------ */

static struct slice
mangle(struct lpa *l, struct slice response, enum rspsim_break cut)
{
	static const uint8_t huge[] = { 0xbf, 0x38, 0x84, 0xff, 0xff, 0xff, 0xff, 0xa0 };

	if (l->card->fault == cut)
		return rspsim_break_cut(response);
	if (l->card->fault == RSPSIM_BREAK_AUTHENTICATE_HUGE &&
		cut == RSPSIM_BREAK_AUTHENTICATE_CUT)
		return SLICE_ARRAY(huge);
	return response;
}

static const char *
authenticate_body(struct lpa *l, struct slice response)
{
	return BODY(l,
		{ .name = "transactionId",
			.text = transaction(l, RSPSIM_BREAK_AUTHENTICATE_TRANSACTION) },
		{ .name = "authenticateServerResponse",
			.octets = mangle(l, response, RSPSIM_BREAK_AUTHENTICATE_CUT) });
}

/* The card refused: the server is told why, and its answer changes nothing. */
static bool
tell_refusal(struct lpa *l, const char *function, const char *body, const char *words)
{
	json_t *answer;

	post(l, function, body, &answer);
	return stop(l, RSPSIM_BY_CARD, arena_printf(&l->mem, "the card refuses: %s", words));
}

static bool
same_answer(struct lpa *l, json_t *first, json_t *second)
{
	if (json_equal(first, second))
		return true;
	return stop(l, RSPSIM_BY_CARD, "the same body got another answer the second time");
}

/* --break authenticate:replay and authenticate:other-body. */
static bool
authenticate_again(struct lpa *l, const char *body, json_t *first)
{
	json_t *second;

	if (l->card->fault == RSPSIM_BREAK_AUTHENTICATE_REPLAY)
		return post(l, "authenticateClient", body, &second) &&
			same_answer(l, first, second);
	if (l->card->fault != RSPSIM_BREAK_AUTHENTICATE_OTHER)
		return true;
	l->card->session.state = RSPSIM_SESSION_CHALLENGED;
	body = authenticate_body(
		l, rspsim_euicc_authenticate_server(l->card, &l->mem, l->authenticate_request));
	return post(l, "authenticateClient", body, &second) &&
		stop(l, RSPSIM_BY_CARD, "a second, different body was answered");
}

static void
note_profile(struct lpa *l)
{
	struct rspsim_metadata m;

	if (!rspsim_metadata_read(l->metadata, &m))
		return;
	if (!text_bcd_to_iccid(m.iccid, l->report->iccid))
		l->report->iccid[0] = 0;
	snprintf(l->report->name, sizeof l->report->name, "%.*s", SLICE_FMT(m.name));
}

/* Confirmation Code by the user, hashed, when the server asks for one (§3.1.3 step 8). */
static bool
confirmation(struct lpa *l, struct slice signed2, struct slice *hash)
{
	uint8_t *octets = arena_alloc(&l->mem, 32);
	const char *code = l->what->cc;
	struct rspsim_tlv all, required;

	*hash = SLICE_NONE;
	if (!rspsim_der_read_only(signed2, 0x30, &all) ||
		!rspsim_der_find(all.value, 0x01, &required) || required.value.n != 1 ||
		(required.value.p[0] && required.value.p[0] != 0xff)) /* DER */
		return stop(l, RSPSIM_BY_CARD, "smdpSigned2 cannot be read");
	if (!required.value.p[0])
		return true;
	if (!code &&
		(l->card->fault == RSPSIM_BREAK_PREPARE_CC ||
			l->card->fault == RSPSIM_BREAK_PREPARE_NO_CC))
		code = "";
	if (!code) {
		if (cancel(l, RSPSIM_CANCEL_POSTPONED))
			stop(l, RSPSIM_BY_CARD,
				"the server asks for a confirmation code: give it with --cc");
		return false;
	}
	rspsim_hash_cc(code, l->transaction_id, octets);
	*hash = RSPSIM_DER(&l->mem, 0x04, slice_of(octets, 32));
	return true;
}

static bool
authenticate(struct lpa *l)
{
	struct slice response, signed2, signature, certificate, hash;
	struct rspsim_objection objection;
	const char *body;
	json_t *answer;

	response = rspsim_euicc_authenticate_server(l->card, &l->mem, l->authenticate_request);
	body = authenticate_body(l, response);
	l->report->card_code = rspsim_lpa_card_error(response, 0xbf38);
	if (l->report->card_code)
		return tell_refusal(l, "authenticateClient", body,
			rspsim_authenticate_error_name(l->report->card_code));
	if (l->card->fault == RSPSIM_BREAK_PREPARE_SKIP)
		return true;
	if (!post(l, "authenticateClient", body, &answer) || !authenticate_again(l, body, answer) ||
		!check_transaction(l, answer) ||
		!member_octets(l, answer, "profileMetadata", &l->metadata) ||
		!member_octets(l, answer, "smdpSigned2", &signed2) ||
		!member_octets(l, answer, "smdpSignature2", &signature) ||
		!member_octets(l, answer, "smdpCertificate", &certificate))
		return false;
	note_profile(l);
	objection = rspsim_lpa_check_metadata(l->card, l->metadata);
	if (!object(l, &objection))
		return false;
	if (l->what->cancel && !l->what->cancel_late)
		return cancel_as_asked(l);
	if (!confirmation(l, signed2, &hash))
		return false;
	l->prepare_request = RSPSIM_DER(&l->mem, 0xbf21, signed2, signature, hash, certificate);
	return true;
}

/* ---- getBoundProfilePackage (§3.1.3.2) ----------------------------------------------- */

/*
 * --break prepare:skip-authenticate: signed as it should be, but for an offer that was never
 * made.
 */
static struct slice
forge_prepared(struct lpa *l)
{
	EVP_PKEY *key = rspsim_key_new(NID_X9_62_prime256v1);
	struct slice signed2 =
		RSPSIM_DER(&l->mem, 0x30, RSPSIM_DER(&l->mem, 0x80, l->transaction_id),
			RSPSIM_DER(&l->mem, 0x5f49, rspsim_key_point(&l->mem, key)));
	struct slice signature = RSPSIM_DER(
		&l->mem, 0x5f37, rspsim_sign(&l->mem, l->card->session.own->key, signed2));

	EVP_PKEY_free(key);
	return RSPSIM_DER(&l->mem, 0xbf21, RSPSIM_DER(&l->mem, 0xa0, signed2, signature));
}

static bool
get_package(struct lpa *l)
{
	struct rspsim_objection objection;
	struct slice response;
	json_t *answer, *second;
	const char *body;

	if (l->card->fault == RSPSIM_BREAK_PREPARE_SKIP)
		response = forge_prepared(l);
	else
		response = rspsim_euicc_prepare_download(l->card, &l->mem, l->prepare_request);
	save(l, l->what->card_file);
	body = BODY(l,
		{ .name = "transactionId",
			.text = transaction(l, RSPSIM_BREAK_PREPARE_TRANSACTION) },
		{ .name = "prepareDownloadResponse",
			.octets = mangle(l, response, RSPSIM_BREAK_PREPARE_CUT) });
	l->report->card_code = rspsim_lpa_card_error(response, 0xbf21);
	if (l->report->card_code)
		return tell_refusal(l, "getBoundProfilePackage", body,
			rspsim_download_error_name(l->report->card_code));
	if (!post(l, "getBoundProfilePackage", body, &answer))
		return false;
	if (l->card->fault == RSPSIM_BREAK_PREPARE_REPLAY &&
		(!post(l, "getBoundProfilePackage", body, &second) ||
			!same_answer(l, answer, second)))
		return false;
	if (!check_transaction(l, answer) ||
		!member_octets(l, answer, "boundProfilePackage", &l->bpp))
		return false;
	objection = rspsim_lpa_check_bpp(&l->mem, l->bpp, l->metadata);
	if (!object(l, &objection))
		return false;
	return l->what->cancel ? cancel_as_asked(l) : true;
}

/* ---- installation and notifications (§3.1.3.3, §3.5) --------------------------------- */

static bool
deliver(struct lpa *l, const struct rspsim_notification *n)
{
	struct slice octets = n->octets;
	const char *body;
	json_t *answer;
	bool good;

	if (l->card->fault == RSPSIM_BREAK_NOTIFY_CUT)
		octets = rspsim_break_cut(octets);
	body = BODY(l, { .name = "pendingNotification", .octets = octets });
	good = post_text(l, n->address, "handleNotification", body, &answer);
	if (good && l->card->fault == RSPSIM_BREAK_NOTIFY_TWICE)
		good = post_text(l, n->address, "handleNotification", body, &answer);
	return good;
}

/* All pending ones; true when none is left. What was acknowledged is removed at once. */
static bool
deliver_all(struct lpa *l, const char *card_file)
{
	const struct rspsim_notification *n = l->card->notifications, *next;
	bool all = true;

	for (; n; n = next) {
		next = n->next;
		if (deliver(l, n)) {
			rspsim_euicc_remove_notification(l->card, n->sequence);
			save(l, card_file);
		} else {
			all = false;
		}
	}
	return all;
}

static bool
install(struct lpa *l)
{
	static const struct rspsim_objection unloadable = { true, RSPSIM_CANCEL_LOAD,
		"the card cannot load the package" };
	struct rspsim_report *r = l->report;
	struct slice result = rspsim_euicc_load_bpp(l->card, &l->mem, l->bpp);
	bool good = rspsim_lpa_read_result(result, &r->card_command, &r->card_code);

	if (!result.n)
		return object(l, &unloadable);
	save(l, l->what->card_file);
	if (!l->what->keep_notification && !deliver_all(l, l->what->card_file) && good)
		return false;
	if (!good)
		return stop(l, RSPSIM_BY_CARD,
			arena_printf(&l->mem, "the card refuses the package at command %d: %s",
				r->card_command, rspsim_install_error_name(r->card_code)));
	return stop(l, RSPSIM_DONE, "installed");
}

static void
begin(struct lpa *l, struct rspsim_report *report)
{
	*report = (struct rspsim_report){ .outcome = RSPSIM_DONE };
	l->report = report;
	arena_init(&l->mem, ARENA_CAP, NULL, NULL);
}

void
rspsim_lpa_download(struct rspsim_card *card, struct rspsim_es9 *es9,
	const struct rspsim_download *what, struct rspsim_report *report)
{
	static bool (*const steps[])(
		struct lpa *) = { initiate, authenticate, get_package, install };
	struct lpa l = { .card = card, .es9 = es9, .what = what };
	size_t i = 0;

	begin(&l, report);
	while (i < sizeof steps / sizeof steps[0] && steps[i](&l))
		i++;
	rspsim_card_end_session(card);
	arena_fini(&l.mem);
}

/* ---- discovery (ES11, §3.6.2) --------------------------------------------------------- */

static bool
discover(struct lpa *l, struct rspsim_events *events)
{
	struct slice response =
		rspsim_euicc_authenticate_server(l->card, &l->mem, l->authenticate_request);
	const char *body = authenticate_body(l, response);
	json_t *answer, *entry;
	size_t i;

	l->report->card_code = rspsim_lpa_card_error(response, 0xbf38);
	if (l->report->card_code)
		return tell_refusal(l, "authenticateClient", body,
			rspsim_authenticate_error_name(l->report->card_code));
	if (!post(l, "authenticateClient", body, &answer))
		return false;
	json_array_foreach(json_object_get(answer, "eventEntries"), i, entry)
	{
		const char *id = json_string_value(json_object_get(entry, "eventId"));
		const char *at = json_string_value(json_object_get(entry, "rspServerAddress"));

		if (!id || !at || events->count == RSPSIM_EVENTS_MAX)
			return stop(
				l, RSPSIM_BY_CARD, "an event cannot be read, or is one too many");
		snprintf(events->id[events->count], sizeof events->id[0], "%s", id);
		snprintf(events->address[events->count++], sizeof events->address[0], "%s", at);
	}
	return stop(l, RSPSIM_DONE, events->count ? "events wait" : "no event waits");
}

void
rspsim_lpa_discover(struct rspsim_card *card, struct rspsim_es9 *es9,
	const struct rspsim_download *what, struct rspsim_report *report,
	struct rspsim_events *events)
{
	struct lpa l = { .card = card, .es9 = es9, .what = what };

	*events = (struct rspsim_events){ 0 };
	begin(&l, report);
	if (initiate(&l))
		discover(&l, events);
	rspsim_card_end_session(card);
	arena_fini(&l.mem);
}

void
rspsim_lpa_notify(struct rspsim_card *card, struct rspsim_es9 *es9, const char *card_file,
	struct rspsim_report *report)
{
	struct lpa l = { .card = card, .es9 = es9 };

	begin(&l, report);
	if (deliver_all(&l, card_file))
		stop(&l, RSPSIM_DONE, "all notifications delivered");
	arena_fini(&l.mem);
}
