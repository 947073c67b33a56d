#ifndef RSPSIM_ANSWERS_H
#define RSPSIM_ANSWERS_H
/* The tiny server's right answers as ES9+ has them in JSON (SGP.22 §6.5.2). */
#include <jansson.h>
#include "base/text.h"
#include "rspsim_server.h"

static void
put_octets(struct server *s, json_t *answer, const char *name, struct slice octets)
{
	json_object_set_new(
		answer, name, json_string((const char *)text_base64(&s->mem, octets).p));
}

static struct slice
get_octets(struct server *s, json_t *request, const char *name)
{
	const char *text = json_string_value(json_object_get(request, name));
	struct slice out = SLICE_NONE;

	if (text)
		text_unbase64(&s->mem, slice_text(text), &out);
	return out;
}

/* The members of an ES10b request, named as JSON has them. */
static void
put_members(struct server *s, json_t *answer, struct slice request, const char *const *names)
{
	struct rspsim_tlv all, member;

	for (rspsim_der_read(&request, &all); *names && rspsim_der_read(&all.value, &member);
		names++) {
		if (member.tag == 0x04 && strcmp(*names, "smdpCertificate") == 0)
			rspsim_der_read(&all.value, &member); /* hashCc is the LPA's */
		put_octets(s, answer, *names, member.whole);
	}
}

/* All members of a right answer but the header; those that the card's request does not allow are left out. */
static json_t *
server_answer(struct server *s, const char *function, json_t *request, struct slice announced)
{
	static const char *const initiate[] = { "serverSigned1", "serverSignature1",
		"euiccCiPKIdToBeUsed", "serverCertificate", NULL };
	static const char *const authenticate[] = { "smdpSigned2", "smdpSignature2",
		"smdpCertificate", NULL };
	json_t *answer = json_object();

	json_object_set_new(answer, "transactionId",
		json_string((const char *)text_hex(&s->mem, s->transaction_id).p));
	if (strcmp(function, "initiateAuthentication") == 0) {
		put_members(s, answer,
			server_authenticate(s, get_octets(s, request, "euiccChallenge")), initiate);
	} else if (strcmp(function, "authenticateClient") == 0) {
		put_octets(s, answer, "profileMetadata", announced);
		put_members(s, answer,
			server_prepare(s, get_octets(s, request, "authenticateServerResponse"),
				SLICE_NONE),
			authenticate);
	} else if (strcmp(function, "getBoundProfilePackage") == 0 &&
		server_take_key(s, get_octets(s, request, "prepareDownloadResponse"))) {
		put_octets(s, answer, "boundProfilePackage", server_bpp(s));
	}
	return answer;
}

#endif
