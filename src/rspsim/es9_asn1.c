/*
 * The ASN.1 binding of ES9+ (SGP.22 §6.6), by a table of the five functions: tags, members and the names
 * of the error integers as the module RSPDefinitions has them.
 */
#include "rspsim/es9_asn1.h"

#include "base/text.h"
#include "rspsim/der.h"

/* RemoteProfileProvisioningRequest and -Response; the arms of a function's response. */
enum { MESSAGE = 0xa2, OK = 0xa0, ERROR = 0x81 };

enum form {
	TEXT,     /* text under the tag */
	HEX,      /* octets under the tag, in hexadecimal in JSON */
	OCTETS,   /* octets under the tag */
	ELEMENT,  /* the tag is the element's own */
	REPLACED, /* the tag takes the place of the element's own */
	AROUND    /* the element stands under the tag */
};

struct member {
	const char *name;
	uint32_t tag;
	enum form form;
};

struct error {
	uint32_t number;
	const char *name;
};

static const struct error undefined = { 127, "undefinedError" };

static const struct function {
	const char *name;
	uint32_t tag;
	struct member in[4], out[6]; /* up to the one without a name */
	struct error errors[12];
} functions[] = {
	{ "initiateAuthentication", 0xbf39,
		{ { "euiccChallenge", 0x81, OCTETS }, { "smdpAddress", 0x83, TEXT },
			{ "euiccInfo1", 0xbf20, ELEMENT } },
		{ { "transactionId", 0x80, HEX }, { "serverSigned1", 0x30, ELEMENT },
			{ "serverSignature1", 0x5f37, ELEMENT },
			{ "euiccCiPKIdToBeUsed", 0x04, ELEMENT },
			{ "serverCertificate", 0x30, ELEMENT } },
		{ { 1, "invalidDpAddress" }, { 2, "euiccVersionNotSupportedByDp" },
			{ 3, "ciPKNotSupported" } } },
	{ "authenticateClient", 0xbf3b,
		{ { "transactionId", 0x80, HEX },
			{ "authenticateServerResponse", 0xbf38, ELEMENT } },
		{ { "transactionId", 0x80, HEX }, { "profileMetadata", 0xbf25, ELEMENT },
			{ "smdpSigned2", 0x30, ELEMENT }, { "smdpSignature2", 0x5f37, ELEMENT },
			{ "smdpCertificate", 0x30, ELEMENT } },
		{ { 1, "eumCertificateInvalid" }, { 2, "eumCertificateExpired" },
			{ 3, "euiccCertificateInvalid" }, { 4, "euiccCertificateExpired" },
			{ 5, "euiccSignatureInvalid" }, { 6, "matchingIdRefused" },
			{ 7, "eidMismatch" }, { 8, "noEligibleProfile" }, { 9, "ciPKUnknown" },
			{ 10, "invalidTransactionId" }, { 11, "insufficientMemory" } } },
	{ "getBoundProfilePackage", 0xbf3a,
		{ { "transactionId", 0x80, HEX }, { "prepareDownloadResponse", 0xbf21, ELEMENT } },
		{ { "transactionId", 0x80, HEX }, { "boundProfilePackage", 0xbf36, ELEMENT } },
		{ { 1, "euiccSignatureInvalid" }, { 2, "confirmationCodeMissing" },
			{ 3, "confirmationCodeRefused" }, { 4, "confirmationCodeRetriesExceeded" },
			{ 5, "bppRebindingRefused" }, { 6, "downloadOrderExpired" },
			{ 95, "invalidTransactionId" } } },
	{ "cancelSession", 0xbf41,
		{ { "transactionId", 0x80, HEX }, { "cancelSessionResponse", 0xa1, REPLACED } },
		{ { NULL, 0, TEXT } },
		{ { 1, "invalidTransactionId" }, { 2, "euiccSignatureInvalid" } } },
	{ "handleNotification", 0xbf3d, { { "pendingNotification", 0xa0, AROUND } },
		{ { NULL, 0, TEXT } }, { { 0, NULL } } },
};

static const struct function *
find(const char *name)
{
	const struct function *f = functions;

	while (strcmp(f->name, name) != 0)
		f++;
	return f;
}

/* ---- requests ------------------------------------------------------------------------ */

static struct slice
member_write(struct arena *mem, const struct member *m, struct slice text)
{
	struct slice octets = SLICE_NONE;
	struct rspsim_tlv element;

	if (m->form == TEXT)
		return RSPSIM_DER(mem, m->tag, text);
	if (!(m->form == HEX ? text_unhex(mem, text, &octets) : text_unbase64(mem, text, &octets)))
		return SLICE_NONE;
	if (m->form == ELEMENT)
		return octets;
	if (m->form == REPLACED && rspsim_der_read(&octets, &element))
		octets = element.value;
	return RSPSIM_DER(mem, m->tag, octets);
}

struct slice
rspsim_es9_asn1_write(struct arena *mem, const char *function, const char *body)
{
	const struct function *f = find(function);
	struct slice parts[sizeof f->in / sizeof f->in[0]];
	json_t *members = json_loads(body, 0, NULL);
	size_t n = 0;

	if (!members)
		return arena_copy(mem, slice_text(body));
	for (const struct member *m = f->in; m->name; m++) {
		const char *text = json_string_value(json_object_get(members, m->name));

		if (text)
			parts[n++] = member_write(mem, m, slice_text(text));
	}
	json_decref(members);
	return RSPSIM_DER(mem, MESSAGE, rspsim_der_join(mem, f->tag, parts, n));
}

/* ---- answers ------------------------------------------------------------------------- */

static void
fault(struct rspsim_call *call, const char *words)
{
	snprintf(call->message, sizeof call->message, "%s", words);
}

/* An INTEGER above zero, in its shortest form. */
static void
read_error(const struct function *f, struct slice value, struct rspsim_call *call)
{
	const struct error *e = f->errors;
	uint32_t number;

	if (!rspsim_der_to_u32(value, &number) || number == 0 ||
		(value.n > 1 && value.p[0] == 0 && !(value.p[1] & 0x80))) {
		fault(call, "the answer's error is no number above zero");
		return;
	}
	while (e->name && e->number != number)
		e++;
	if (!e->name && number != undefined.number) {
		fault(call, "the answer's error is none of this function");
		return;
	}
	call->outcome = RSPSIM_CALL_REFUSED;
	call->error = number;
	snprintf(call->message, sizeof call->message, "%s(%u)", e->name ? e->name : undefined.name,
		number);
}

/* Exactly the members of a success, in their order. */
static bool
read_members(struct arena *mem, const struct function *f, struct slice in, json_t *out)
{
	for (const struct member *m = f->out; m->name; m++) {
		struct rspsim_tlv tlv;
		struct slice text;

		if (!rspsim_der_read_tag(&in, m->tag, &tlv))
			return false;
		if (m->form == HEX && (tlv.value.n == 0 || tlv.value.n > 16))
			return false;
		text = m->form == HEX ? text_hex(mem, tlv.value) : text_base64(mem, tlv.whole);
		json_object_set_new(out, m->name, json_string((const char *)text.p));
	}
	return in.n == 0;
}

void
rspsim_es9_asn1_read(
	struct arena *mem, struct slice body, struct rspsim_call *call, json_t **answer)
{
	const struct function *f = find(call->function);
	struct rspsim_tlv message, response, arm;

	call->outcome = RSPSIM_CALL_TRANSPORT;
	if (call->http == 204 && body.n == 0) {
		call->outcome = RSPSIM_CALL_FINE;
		return;
	}
	if (call->http != 200) {
		snprintf(call->message, sizeof call->message, "HTTP status %ld", call->http);
		return;
	}
	if (!rspsim_der_read_only(body, MESSAGE, &message) ||
		!rspsim_der_read_only(message.value, f->tag, &response)) {
		fault(call, "the answer is no RemoteProfileProvisioningResponse of this function");
		return;
	}
	if (rspsim_der_read_only(response.value, ERROR, &arm)) {
		read_error(f, arm.value, call);
		return;
	}
	*answer = json_object();
	if (!rspsim_der_read_only(response.value, OK, &arm) ||
		!read_members(mem, f, arm.value, *answer)) {
		fault(call, "the answer's members are not those of the function");
		return;
	}
	call->outcome = RSPSIM_CALL_FINE;
}
