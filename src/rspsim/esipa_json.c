/*
 * The JSON binding of ESipa (SGP.32 §6.1.2, §6.4) by a table of the functions: a request's members
 * out of its DER, and the response message out of an answer's members. Status codes become the
 * integers of the ASN.1 module, so that the IPA knows one form.
 */
#include <stdlib.h>
#include "base/text.h"
#include "rspsim/der.h"
#include "rspsim/esipa.h"

enum form {
	ELEMENT,   /* Base64 of the whole element */
	CONTENT,   /* Base64 of its content; in answers of the element too, as some write it */
	HEX,       /* its content in hexadecimal */
	TEXT,      /* its content as text */
	NUMBER,    /* its content as a number */
	FLAG,      /* true when it is there */
	INSIDE,    /* Base64 of what is inside it */
	RETAGGED,  /* Base64 of the element under its function's tag */
	ALTERNATE, /* as ELEMENT, with any tag */
};

struct member {
	const char *name;
	uint32_t tag;
	enum form form;
	bool optional;
};

struct code {
	const char *subject, *reason;
	uint32_t number;
};

enum { MEMBERS = 9, CODES = 16 };

static const struct function {
	struct member in[MEMBERS];
	uint32_t arm; /* of a success; 0: the members stand in the message itself */
	struct member out[MEMBERS];
	uint32_t error; /* tag of an error's integer */
	struct code codes[CODES];
} functions[RSPSIM_ESIPA_FUNCTIONS] = {
	[RSPSIM_ESIPA_INITIATE] = { { { "euiccChallenge", 0x81, CONTENT, false },
					    { "smdpAddress", 0x83, TEXT, true },
					    { "euiccInfo1", 0xbf20, ELEMENT, true },
					    { "eimTransactionId", 0x82, HEX, true } },
		0xa0,
		{ { "transactionId", 0x80, HEX, true }, { "serverSigned1", 0x30, ELEMENT, false },
			{ "serverSignature1", 0x5f37, ELEMENT, false },
			{ "euiccCiPKIdentifierToBeUsed", 0x04, ELEMENT, false },
			{ "serverCertificate", 0x30, ELEMENT, false },
			{ "matchingId", 0x0c, TEXT, true }, { "ctxParams1", 0xa2, INSIDE, true } },
		0x81,
		{ { "8.8.1", "3.8", 1 }, { "8.9.1", "3.8", 1 }, { "8.8.3", "3.1", 2 },
			{ "8.8.2", "3.1", 3 }, { "8.8.4", "3.7", 3 }, { "8.8.1", "3.10", 50 },
			{ "8.8", "3.10", 51 }, { "8.31.2", "3.10", 52 } } },
	[RSPSIM_ESIPA_AUTHENTICATE] = { { { "transactionId", 0x80, HEX, false },
						{ "authenticateServerResponse", 0xbf38, ELEMENT,
							false } },
		0xa0,
		{ { "transactionId", 0x80, HEX, true },
			{ "profileMetadata", 0xbf25, ELEMENT, true },
			{ "smdpSigned2", 0x30, ELEMENT, false },
			{ "smdpSignature2", 0x5f37, ELEMENT, false },
			{ "smdpCertificate", 0x30, ELEMENT, false },
			{ "hashCc", 0x04, CONTENT, true } },
		0x82,
		{ { "8.1.2", "6.1", 1 }, { "8.1.2", "6.3", 2 }, { "8.1.3", "6.1", 3 },
			{ "8.1.3", "6.3", 4 }, { "8.1", "6.1", 5 }, { "8.2.6", "3.8", 6 },
			{ "8.1.1", "3.8", 7 }, { "8.2.5", "4.3", 8 }, { "8.11.1", "3.9", 9 },
			{ "8.10.1", "3.9", 10 }, { "8.1", "4.8", 11 }, { "8.2.8", "1.2", 50 },
			{ "8.9.5", "3.9", 56 } } },
	[RSPSIM_ESIPA_GET_BPP] = { { { "transactionId", 0x80, HEX, false },
					   { "prepareDownloadResponse", 0xbf21, ELEMENT, false } },
		0xa0,
		{ { "transactionId", 0x80, HEX, true },
			{ "boundProfilePackage", 0xbf36, ELEMENT, false } },
		0x81,
		{ { "8.1", "6.1", 1 }, { "8.2.7", "2.2", 2 }, { "8.2.7", "3.8", 3 },
			{ "8.2.7", "6.4", 4 }, { "8.2", "3.7", 5 }, { "8.8.5", "4.10", 6 },
			{ "8.2.9", "3.11", 50 }, { "8.10.1", "3.9", 95 } } },
	[RSPSIM_ESIPA_CANCEL] = { { { "transactionId", 0x80, HEX, false },
					  { "cancelSessionResponse", 0xa1, RETAGGED, false } },
		0xa0, { { NULL, 0, TEXT, false } }, 0x81,
		{ { "8.10.1", "3.9", 1 }, { "8.1", "6.1", 2 }, { "8.8", "3.10", 127 } } },
	[RSPSIM_ESIPA_NOTIFY] = { { { "pendingNotification", 0xa0, INSIDE, true },
					  { "provideEimPackageResult", 0xbf50, ELEMENT, true } },
		0, { { NULL, 0, TEXT, false } }, 0, { { NULL, NULL, 0 } } },
	[RSPSIM_ESIPA_GET_PACKAGE] = { { { "eidValue", 0x5a, HEX, false },
					       { "notifyStateChange", 0x80, FLAG, true },
					       { "stateChangeCause", 0x81, NUMBER, true } },
		0,
		{ { "euiccPackageRequest", 0xbf51, ELEMENT, true },
			{ "ipaEuiccDataRequest", 0xbf52, ELEMENT, true },
			{ "profileDownloadTriggerRequest", 0xbf54, ELEMENT, true },
			{ "eimPackageError", 0x02, NUMBER, true } },
		0x02,
		{ { "8.1.1", "3.7", 1 }, { "8.1.1", "3.9", 2 }, { "8.1.1", "2.1", 3 },
			{ "8.1.1", "2.2", 4 } } },
	[RSPSIM_ESIPA_PROVIDE] = { { { "eidValue", 0x5a, HEX, true },
					   { "eimPackageResult", 0, ALTERNATE, false } },
		0, { { "eimAcknowledgements", 0xbf53, ELEMENT, true } }, 0x02,
		{ { "8.1.1", "3.9", 2 }, { "8.1.1", "2.1", 3 }, { "8.1.1", "2.2", 4 } } },
};

/* ---- requests ---------------------------------------------------------------------------- */

static json_t *
text_of(struct slice text)
{
	return json_stringn(text.p ? (const char *)text.p : "", text.n);
}

static json_t *
member_write(struct arena *mem, const struct member *m, const struct rspsim_tlv *tlv)
{
	uint32_t number = 0;

	switch (m->form) {
	case ELEMENT:
	case ALTERNATE:
		return text_of(text_base64(mem, tlv->whole));
	case CONTENT:
	case INSIDE:
		return text_of(text_base64(mem, tlv->value));
	case RETAGGED:
		return text_of(text_base64(mem, RSPSIM_DER(mem, 0xbf41, tlv->value)));
	case HEX:
		return text_of(text_hex(mem, tlv->value));
	case TEXT:
		return text_of(tlv->value);
	case NUMBER:
		rspsim_der_to_u32(tlv->value, &number);
		return json_integer(number);
	case FLAG:
		break;
	}
	return json_true();
}

/* The first member that is there in this order; a request is our own, so nothing else is. */
struct slice
rspsim_esipa_json_write(
	struct arena *mem, enum rspsim_esipa_function function, struct slice request)
{
	const struct function *f = functions + function;
	json_t *body = json_object();
	struct rspsim_tlv all = { 0 }, one;
	struct slice in, text;
	char *dump;

	rspsim_der_read_only(request, rspsim_esipa_tag(function), &all);
	in = all.value;
	while (rspsim_der_read(&in, &one))
		for (size_t i = 0; i < MEMBERS && f->in[i].name; i++)
			if (f->in[i].tag == one.tag || f->in[i].form == ALTERNATE) {
				json_object_set_new(
					body, f->in[i].name, member_write(mem, f->in + i, &one));
				break;
			}
	dump = json_dumps(body, JSON_COMPACT);
	text = arena_copy(mem, slice_text(dump));
	free(dump);
	json_decref(body);
	return text;
}

/* ---- answers ----------------------------------------------------------------------------- */

static struct slice
refused(struct arena *mem, enum rspsim_esipa_function function, uint32_t number)
{
	return RSPSIM_DER(mem, rspsim_esipa_tag(function),
		rspsim_der_u32(mem, functions[function].error, number));
}

/* The integer of a subject and reason; 127 undefinedError for those that the table has not. */
static uint32_t
number_of(const struct function *f, const struct rspsim_call *call)
{
	for (size_t i = 0; i < CODES && f->codes[i].subject; i++)
		if (strcmp(f->codes[i].subject, call->subject) == 0 &&
			strcmp(f->codes[i].reason, call->reason) == 0)
			return f->codes[i].number;
	return 127;
}

/* One member as it stands in the message; absent when the value is not of its form. */
static struct slice
member_read(struct arena *mem, const struct member *m, const json_t *value)
{
	const char *text = json_string_value(value);
	struct slice octets, whole;
	struct rspsim_tlv tlv;

	if (m->form == NUMBER)
		return json_is_integer(value) && json_integer_value(value) >= 0
			? rspsim_der_u32(mem, m->tag, (uint32_t)json_integer_value(value))
			: SLICE_NONE;
	if (!text)
		return SLICE_NONE;
	if (m->form == TEXT)
		return RSPSIM_DER(mem, m->tag, slice_text(text));
	if (m->form == HEX)
		return text_unhex(mem, slice_text(text), &octets) ? RSPSIM_DER(mem, m->tag, octets)
								  : SLICE_NONE;
	if (!text_unbase64(mem, slice_text(text), &octets) || !octets.n)
		return SLICE_NONE;
	if (m->form == CONTENT && !rspsim_der_read_only(octets, m->tag, &tlv))
		return RSPSIM_DER(mem, m->tag, octets);
	whole = octets;
	if (!rspsim_der_read(&whole, &tlv) || whole.n)
		return SLICE_NONE;
	if (m->form == INSIDE)
		return tlv.tag == m->tag ? octets : RSPSIM_DER(mem, m->tag, octets);
	return tlv.tag == m->tag ? octets : SLICE_NONE;
}

/* §6.4: the members of the table and the header, and no other. */
static const char *
stranger(const struct function *f, json_t *answer)
{
	const char *name;
	json_t *value;

	json_object_foreach(answer, name, value)
	{
		bool known = strcmp(name, "header") == 0 ||
			(f == functions + RSPSIM_ESIPA_AUTHENTICATE &&
				strcmp(name, "profileDownloadTrigger") == 0);

		for (size_t i = 0; i < MEMBERS && f->out[i].name; i++)
			known |= strcmp(f->out[i].name, name) == 0;
		if (!known)
			return name;
	}
	return NULL;
}

static bool
complain(struct rspsim_call *call, const char *what, const char *name)
{
	snprintf(call->message, sizeof call->message, "%s: %s", what, name);
	return false;
}

static bool
read_members(struct arena *mem, const struct function *f, json_t *answer, struct slice *out,
	struct rspsim_call *call)
{
	const char *odd = stranger(f, answer);

	*out = SLICE_NONE;
	if (odd)
		return complain(call, "the answer has a member that the standard has not", odd);
	for (size_t i = 0; i < MEMBERS && f->out[i].name; i++) {
		json_t *value = json_object_get(answer, f->out[i].name);
		struct slice one;

		if (!value && f->out[i].optional)
			continue;
		one = value ? member_read(mem, f->out + i, value) : SLICE_NONE;
		if (!one.p)
			return complain(call, "the answer lacks a right", f->out[i].name);
		*out = RSPSIM_DER(mem, 0, *out, one);
	}
	return true;
}

/* The SM-DS arm of AuthenticateClient: `A1 { 80 transactionId, BF54 }`. */
static struct slice
read_trigger(struct arena *mem, json_t *answer)
{
	static const struct member id = { "transactionId", 0x80, HEX, true };
	static const struct member trigger = { "profileDownloadTrigger", 0xbf54, ELEMENT, true };

	return RSPSIM_DER(mem, 0xbf3b,
		RSPSIM_DER(mem, 0xa1, member_read(mem, &id, json_object_get(answer, id.name)),
			member_read(mem, &trigger, json_object_get(answer, trigger.name))));
}

static struct slice
read_success(struct arena *mem, enum rspsim_esipa_function function, json_t *answer,
	struct rspsim_call *call)
{
	const struct function *f = functions + function;
	struct slice members;

	if (function == RSPSIM_ESIPA_AUTHENTICATE &&
		json_object_get(answer, "profileDownloadTrigger"))
		return read_trigger(mem, answer);
	if (!read_members(mem, f, answer, &members, call))
		return SLICE_NONE;
	if (function == RSPSIM_ESIPA_PROVIDE && !members.n)
		members = SLICE_LIT("\x30\x00"); /* emptyResponse */
	if (f->arm)
		members = RSPSIM_DER(mem, f->arm, members);
	return RSPSIM_DER(mem, rspsim_esipa_tag(function), members);
}

struct slice
rspsim_esipa_json_read(struct arena *mem, enum rspsim_esipa_function function, struct slice body,
	struct rspsim_call *call)
{
	struct slice message = SLICE_NONE;
	json_t *answer = NULL;

	call->http = 200;
	rspsim_es9_answer_read(body, call, &answer);
	if (call->outcome == RSPSIM_CALL_REFUSED)
		message = refused(mem, function, number_of(functions + function, call));
	else if (call->outcome == RSPSIM_CALL_FINE && answer)
		message = read_success(mem, function, answer, call);
	json_decref(answer);
	call->outcome = RSPSIM_CALL_TRANSPORT; /* until the message was read */
	return message;
}
