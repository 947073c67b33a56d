/*
 * One ESipa message there and one back (SGP.32 §6): the binding and the path of the transport, what
 * a status means, and patience with a busy eIM. What the messages say is the IPA's business.
 */
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/text.h"
#include "rspsim/der.h"
#include "rspsim/es9_asn1.h"
#include "rspsim/esipa.h"

enum { REPEATS = 6, WAIT_MAX = 30 };

static const struct {
	const char *name;
	uint32_t tag;
} functions[RSPSIM_ESIPA_FUNCTIONS] = {
	[RSPSIM_ESIPA_INITIATE] = { "initiateAuthentication", 0xbf39 },
	[RSPSIM_ESIPA_AUTHENTICATE] = { "authenticateClient", 0xbf3b },
	[RSPSIM_ESIPA_GET_BPP] = { "getBoundProfilePackage", 0xbf3a },
	[RSPSIM_ESIPA_CANCEL] = { "cancelSession", 0xbf41 },
	[RSPSIM_ESIPA_NOTIFY] = { "handleNotification", 0xbf3d },
	[RSPSIM_ESIPA_GET_PACKAGE] = { "getEimPackage", 0xbf4f },
	[RSPSIM_ESIPA_PROVIDE] = { "provideEimPackageResult", 0xbf50 },
};

struct rspsim_esipa {
	struct rspsim_esipa_options options;
	const struct rspsim_carrier *carrier;
	void *carried;
};

bool
rspsim_transport_is_json(enum rspsim_transport transport)
{
	return transport == RSPSIM_JSON || transport == RSPSIM_COAP_JSON;
}

bool
rspsim_transport_is_coap(enum rspsim_transport transport)
{
	return transport == RSPSIM_COAP || transport == RSPSIM_COAP_JSON;
}

const char *
rspsim_esipa_name(enum rspsim_esipa_function function)
{
	return functions[function].name;
}

uint32_t
rspsim_esipa_tag(enum rspsim_esipa_function function)
{
	return functions[function].tag;
}

bool
rspsim_place_read(const char *text, uint16_t otherwise, struct rspsim_place *out)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	uint64_t port = otherwise;

	if (n == 0 || n >= sizeof out->host ||
		(colon && (!slice_to_u64(slice_text(colon + 1), UINT16_MAX, &port) || !port)))
		return false;
	snprintf(out->host, sizeof out->host, "%.*s", (int)n, text);
	out->port = (uint16_t)port;
	return true;
}

struct rspsim_esipa *
rspsim_esipa_new(const struct rspsim_esipa_options *options, const char **wrong)
{
	struct rspsim_esipa *esipa = calloc(1, sizeof *esipa);

	if (!esipa)
		abort();
	esipa->options = *options;
	esipa->carrier = rspsim_transport_is_coap(options->transport) ? &rspsim_carrier_coap
								      : &rspsim_carrier_https;
	esipa->carried = esipa->carrier->start(&esipa->options, wrong);
	if (esipa->carried)
		return esipa;
	free(esipa);
	return NULL;
}

void
rspsim_esipa_free(struct rspsim_esipa *esipa)
{
	if (!esipa)
		return;
	esipa->carrier->stop(esipa->carried);
	free(esipa);
}

static void
trace(const struct rspsim_esipa *esipa, struct arena *mem, const struct rspsim_exchange *x)
{
	struct slice body = x->body, answer = x->answer;

	if (!rspsim_transport_is_json(esipa->options.transport)) {
		body = text_hex(mem, body);
		answer = text_hex(mem, answer);
	}
	fprintf(stderr, "> %s %.*s\n< %ld %.*s\n", x->path, SLICE_FMT(body), x->status,
		SLICE_FMT(answer));
}

/* 200 and 2.05 carry an answer, 204 and 2.04 none; some eIMs answer 2.04 with a payload (§6.2). */
static bool
is_success(const struct rspsim_exchange *x, bool coap)
{
	return x->status == 200 || x->status == 204 || (coap && x->status == 205);
}

/* §6.1: the answer's media type is the binding's own; CoAP has none. */
static bool
type_holds(const struct rspsim_exchange *x, enum rspsim_transport transport)
{
	size_t n = strcspn(x->answer_type, ";");

	if (rspsim_transport_is_coap(transport))
		return true;
	return slice_eq_nocase(slice_trim(slice_of(x->answer_type, n)), slice_text(x->type));
}

static void
judge(const struct rspsim_esipa *esipa, struct arena *mem, enum rspsim_esipa_function function,
	const struct rspsim_exchange *x, struct rspsim_call *call, struct slice *answer)
{
	enum rspsim_transport transport = esipa->options.transport;
	struct rspsim_tlv all;

	call->http = x->status;
	call->outcome = RSPSIM_CALL_TRANSPORT;
	if (!is_success(x, rspsim_transport_is_coap(transport))) {
		snprintf(call->message, sizeof call->message, "%s",
			x->status ? arena_printf(mem, "status %ld", x->status) : x->fault);
		return;
	}
	if (function == RSPSIM_ESIPA_NOTIFY) {
		call->outcome = RSPSIM_CALL_FINE;
		if (x->answer.n || x->status == 200) {
			call->outcome = RSPSIM_CALL_TRANSPORT;
			snprintf(call->message, sizeof call->message,
				"HandleNotification has no answer");
		}
		return;
	}
	if (!type_holds(x, transport)) {
		snprintf(call->message, sizeof call->message, "the answer is not %s", x->type);
		return;
	}
	*answer = x->answer;
	if (rspsim_transport_is_json(transport))
		*answer = rspsim_esipa_json_read(mem, function, x->answer, call);
	if (rspsim_der_read_only(*answer, functions[function].tag, &all)) {
		call->outcome = RSPSIM_CALL_FINE;
		return;
	}
	*answer = SLICE_NONE;
	if (!call->message[0])
		snprintf(call->message, sizeof call->message,
			"the answer is no message of this function");
}

static struct rspsim_exchange
letter(const struct rspsim_esipa *esipa, struct arena *mem, enum rspsim_esipa_function function,
	struct slice request)
{
	if (!rspsim_transport_is_json(esipa->options.transport))
		return (struct rspsim_exchange){
			.path = RSPSIM_ASN1_PATH, .type = RSPSIM_ASN1_TYPE, .body = request
		};
	return (struct rspsim_exchange){ .path = arena_printf(mem, "/gsma/rsp2/esipa/%s",
						 functions[function].name),
		.type = "application/json",
		.body = rspsim_esipa_json_write(mem, function, request) };
}

void
rspsim_esipa_post(struct rspsim_esipa *esipa, struct arena *mem,
	enum rspsim_esipa_function function, struct slice request, struct rspsim_call *call,
	struct slice *answer)
{
	struct rspsim_exchange x;
	int64_t from = clock_mono_us();

	*call = (struct rspsim_call){ .function = functions[function].name };
	*answer = SLICE_NONE;
	for (int i = 0; i < REPEATS; i++) {
		x = letter(esipa, mem, function, request);
		esipa->carrier->post(esipa->carried, mem, &x);
		if (esipa->options.trace)
			trace(esipa, mem, &x);
		if (x.status != 503 || !x.retry_after || x.retry_after > WAIT_MAX)
			break;
		sleep(x.retry_after);
	}
	call->us = clock_mono_us() - from;
	judge(esipa, mem, function, &x, call, answer);
}
