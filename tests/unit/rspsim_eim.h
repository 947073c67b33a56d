/*
 * A tiny eIM for tests of the simulated IoT eUICC: it signs packages and reads results, with DER
 * by hand. Beside it a card with five profiles. Octets are written in hexadecimal.
 */
#ifndef RSPSIM_EIM_H
#define RSPSIM_EIM_H
#include "base/text.h"
#include "rspsim/crypto.h"
#include "rspsim/iot_int.h"
#include "rspsim_server.h"

#define EID "89049032123451234512345678901235"
#define EIM_ID "eim.example.com"
#define TRANSACTION "0102030405060708"
/* Enabled; disabled; fallback allowed; PPR2; Emergency Profile. */
#define ICCID_A "98001032547698103210"
#define ICCID_B "98001032547698103214"
#define ICCID_C "98001032547698103218"
#define ICCID_D "98001032547698103222"
#define ICCID_E "98001032547698103226"
#define ICCID_NONE "98001032547698103299"

struct eim {
	struct server server;
	struct rspsim_card *card;
	EVP_PKEY *key;
	const char *id, *eid;
	const char *what; /* the row of a table, for the one who reads a failure */
	uint32_t counter;
	bool has_token, no_transaction;
	uint32_t token;
};

static struct slice
hex(struct eim *e, const char *digits)
{
	struct slice out = SLICE_NONE;

	if (digits[0])
		assert_true(text_unhex(&e->server.mem, slice_text(digits), &out));
	return out;
}

static void
assert_hex(struct eim *e, struct slice got, const char *want)
{
	const char *text = (const char *)text_hex(&e->server.mem, got).p;

	assert_non_null(got.p);
	if (strcasecmp(text, want) != 0)
		fail_msg("%s: got %s, not %s", e->what ? e->what : "octets", text, want);
}

static void
add_profile(struct eim *e, const char *iccid, const char *members, enum rspsim_profile_state state)
{
	struct rspsim_profile **end = &e->card->profiles,
			      *p = ARENA_NEW(&e->card->state_mem, struct rspsim_profile);
	struct slice metadata = RSPSIM_DER(&e->card->state_mem, 0xbf25,
		RSPSIM_DER(&e->server.mem, 0x5a, hex(e, iccid)),
		SLICE_LIT("\x91\x03SPN\x92\x04Name"), hex(e, members));

	while (*end)
		end = &(*end)->next;
	memcpy(p->iccid, hex(e, iccid).p, sizeof p->iccid);
	p->metadata = arena_copy(&e->card->state_mem, metadata);
	p->state = state;
	p->aid = e->card->next_aid++;
	*end = p;
}

static struct rspsim_profile *
profile(struct eim *e, const char *iccid)
{
	return rspsim_card_find_profile(e->card, hex(e, iccid).p);
}

static bool
is_enabled(struct eim *e, const char *iccid)
{
	const struct rspsim_profile *p = profile(e, iccid);

	return p && p->state == RSPSIM_ENABLED;
}

/* SubjectPublicKeyInfo of the eIM's key, its content under `A0`. */
static struct slice
eim_public(struct eim *e)
{
	uint8_t *p = NULL;
	int n = i2d_PUBKEY(e->key, &p);
	struct slice copy = arena_copy(&e->server.mem, slice_of(p, (size_t)n));
	struct rspsim_tlv all;

	OPENSSL_free(p);
	assert_true(rspsim_der_read_only(copy, 0x30, &all));
	return RSPSIM_DER(&e->server.mem, 0xa0, all.value);
}

/* EimConfigurationData's content: identifier, counter 0, what is given in between, the key. */
static struct slice
eim_configuration(struct eim *e, const char *token)
{
	return RSPSIM_DER(&e->server.mem, 0, RSPSIM_DER(&e->server.mem, 0x80, slice_text(e->id)),
		hex(e, "830100"), hex(e, token), RSPSIM_DER(&e->server.mem, 0xa5, eim_public(e)));
}

static struct slice
add_initial(struct eim *e, struct slice configuration)
{
	return rspsim_iot_add_initial_eim(e->card, &e->server.mem,
		RSPSIM_DER(&e->server.mem, 0xbf57,
			RSPSIM_DER(&e->server.mem, 0xa0,
				RSPSIM_DER(&e->server.mem, 0x30, configuration))));
}

static struct slice
token_tlv(struct eim *e)
{
	return rspsim_der_u32(&e->server.mem, 0x84, e->has_token ? e->token : 0);
}

/* A card with an associated eIM. */
static void
eim_init(struct eim *e)
{
	*e = (struct eim){ .id = EIM_ID, .eid = EID };
	server_init(&e->server, NID_X9_62_prime256v1, NULL);
	e->card = server_card(&e->server);
	e->key = rspsim_key_new(NID_X9_62_prime256v1);
	rspsim_iot_start(e->card, false);
	add_profile(e, ICCID_A, "b612301080020470810a736d64702e7465737431", RSPSIM_ENABLED);
	add_profile(e, ICCID_B, "b612301080020470810a736d64702e7465737431", RSPSIM_DISABLED);
	add_profile(e, ICCID_C, "9f6701ff", RSPSIM_DISABLED);
	add_profile(e, ICCID_D, "b705800300f11099020520", RSPSIM_DISABLED);
	add_profile(e, ICCID_E, "9f7b01ff", RSPSIM_DISABLED);
	assert_hex(e, add_initial(e, eim_configuration(e, "")), "bf5704a0020500");
}

static void
eim_fini(struct eim *e)
{
	rspsim_card_free(e->card);
	EVP_PKEY_free(e->key);
	server_fini(&e->server);
}

/* ---- packages ---------------------------------------------------------------------------- */

static struct slice
sign_package(struct eim *e, struct slice signed_part)
{
	struct arena *mem = &e->server.mem;

	return RSPSIM_DER(mem, 0xbf51, signed_part,
		RSPSIM_DER(mem, 0x5f37,
			rspsim_sign(mem, e->key, RSPSIM_DER(mem, 0, signed_part, token_tlv(e)))));
}

static struct slice
package_of(struct eim *e, struct slice counter, uint32_t tag, struct slice commands)
{
	struct arena *mem = &e->server.mem;

	return sign_package(e,
		RSPSIM_DER(mem, 0x30, RSPSIM_DER(mem, 0x80, slice_text(e->id)),
			RSPSIM_DER(mem, 0x5a, hex(e, e->eid)), counter,
			hex(e, e->no_transaction ? "" : "8208" TRANSACTION),
			RSPSIM_DER(mem, tag, commands)));
}

static struct slice
load(struct eim *e, struct slice package)
{
	return rspsim_iot_load_package(e->card, &e->server.mem, package);
}

/* With the next counter. */
static struct slice
send_package(struct eim *e, uint32_t tag, const char *commands)
{
	return load(e,
		package_of(e, rspsim_der_u32(&e->server.mem, 0x81, ++e->counter), tag,
			hex(e, commands)));
}

/* The content of a signed arm (A0 or A1), whose signature covers it and the token. */
static struct slice
signed_content(struct eim *e, struct slice result, uint32_t arm, struct slice seal)
{
	struct rspsim_tlv all, inner, data, signature;
	struct slice in;

	assert_true(rspsim_der_read_only(result, 0xbf51, &all));
	assert_true(rspsim_der_read_only(all.value, arm, &inner));
	in = inner.value;
	assert_true(rspsim_der_read_tag(&in, 0x30, &data));
	assert_true(rspsim_der_read_tag(&in, 0x5f37, &signature));
	assert_int_equal(in.n, 0);
	assert_true(rspsim_verify(X509_get0_pubkey(e->card->ci->certificate),
		RSPSIM_DER(&e->server.mem, 0, data.whole, seal), signature.value));
	return data.value;
}

/* euiccResult's content of a result with everything else in its place. */
static struct slice
results_of(struct eim *e, struct slice result)
{
	struct slice in = signed_content(e, result, 0xa0, token_tlv(e));
	struct rspsim_tlv tlv;
	uint32_t number;

	assert_true(rspsim_der_read_tag(&in, 0x80, &tlv));
	assert_true(slice_eq(tlv.value, slice_text(e->id)));
	assert_true(rspsim_der_read_tag(&in, 0x81, &tlv));
	assert_true(rspsim_der_to_u32(tlv.value, &number));
	assert_int_equal(number, e->counter);
	if (!e->no_transaction)
		assert_true(rspsim_der_read_tag(&in, 0x82, &tlv));
	assert_true(rspsim_der_read_tag(&in, 0x83, &tlv));
	assert_true(rspsim_der_read_tag(&in, 0x30, &tlv));
	assert_int_equal(in.n, 0);
	return tlv.value;
}

#endif
