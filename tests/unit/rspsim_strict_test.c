/*
 * The simulated card refuses every wrong answer of a server with the code that SGP.22 names: each
 * row of the tables changes one part of otherwise right answers, before it is signed or after,
 * and says the step and the code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "rspsim/lpa.h"
#include "rspsim_server.h"

static const int curves[] = { NID_X9_62_prime256v1, NID_brainpoolP256r1 };

/* What the card is like before the download. */
enum card_before {
	AS_NEW,
	FORBIDS_PPR1,
	SMALL,
	HAS_THIS,
	HAS_OPERATIONAL,
	NO_CHALLENGE,
	NO_PREPARE
};

enum step { AUTHENTICATE, PREPARE, LOAD };

struct row {
	const char *name;
	enum step step; /* that refuses; earlier ones accept */
	int want;       /* its error code; 0: it accepts */
	int command;    /* bppCommandId, of LOAD */
	struct change change;
	enum card_before card;
};

/*
 * Metadata of an operational profile with policy rules: `r` names the rule bits, `o` an owner or
 * nothing.
 */
#define RULES_OWNED(r)                                                                   \
	"\xbf\x25\x1d\x5a\x0a\x98\x00\x10\x32\x54\x76\x98\x10\x32\x14\x91\x01S\x92\x01N" \
	"\xb7\x05\x80\x03\x00\xf1\x10\x99\x02\x05" r
#define RULES_BARE(r)                                                                    \
	"\xbf\x25\x16\x5a\x0a\x98\x00\x10\x32\x54\x76\x98\x10\x32\x14\x91\x01S\x92\x01N" \
	"\x99\x02\x05" r
#define PLAIN_METADATA \
	"\xbf\x25\x12\x5a\x0a\x98\x00\x10\x32\x54\x76\x98\x10\x32\x14\x91\x01S\x92\x01N"
#define OTHER_ICCID "\xbf\x25\x12\x5a\x0a\x98\x00\x10\x32\x54\x76\x98\x10\x32\x24\x91\x01S\x92\x01N"
#define CLASS_NINE                                                                               \
	"\xbf\x25\x15\x5a\x0a\x98\x00\x10\x32\x54\x76\x98\x10\x32\x14\x91\x01S\x92\x01N\x95\x01" \
	"\x09"
#define NO_ICCID "\xbf\x25\x06\x91\x01S\x92\x01N"
#define NO_NAME "\xbf\x25\x0f\x5a\x0a\x98\x00\x10\x32\x54\x76\x98\x10\x32\x14\x91\x01S"
#define ICON_ALONE \
	"\xbf\x25\x15\x5a\x0a\x98\x00\x10\x32\x54\x76\x98\x10\x32\x14\x91\x01S\x92\x01N\x94\x01x"

#define DROPPED(p)                          \
	{                                   \
		.part = (p), .action = DROP \
	}
#define FLIPPED(p)                          \
	{                                   \
		.part = (p), .action = FLIP \
	}
#define SETTO(p, v)                                                                         \
	{                                                                                   \
		.part = (p), .action = SET, .value = {(const uint8_t *)(v), sizeof(v) - 1 } \
	}
#define FORMS(a, b)                    \
	{                              \
		.auth = (a), .pb = (b) \
	}
#define SIXTEEN "0123456789abcdef"

static const struct row rows[] = {
	{ "all is right, protection keys", LOAD, 0, 0, { 0 }, AS_NEW },
	{ "all is right, session keys", LOAD, 0, 0, { .session_keys = true }, AS_NEW },
	{ "all is right, metadata in two segments", LOAD, 0, 0, { .metadata_cut = true }, AS_NEW },
	{ "all is right, small segments", LOAD, 0, 0, { .cut = 100 }, AS_NEW },
	{ "all is right, Confirmation Code", LOAD, 0, 0, { .cc = true }, AS_NEW },
	{ "all is right, operational class", LOAD, 0, 0, SETTO(B_METADATA, PLAIN_METADATA),
		AS_NEW },
	{ "no proprietary data is right", LOAD, 0, 0, SETTO(B_CONFIGURE, "\xbf\x24\x00"), AS_NEW },

	{ "authenticate without a challenge", AUTHENTICATE, 4, 0, { 0 }, NO_CHALLENGE },
	{ "no transactionId in serverSigned1", AUTHENTICATE, 127, 0, DROPPED(A_ID), AS_NEW },
	{ "a transactionId of 17 octets", AUTHENTICATE, 127, 0, SETTO(A_ID, "\x80\x11" SIXTEEN "x"),
		AS_NEW },
	{ "no euiccChallenge", AUTHENTICATE, 127, 0, DROPPED(A_CHALLENGE), AS_NEW },
	{ "another euiccChallenge, signed", AUTHENTICATE, 6, 0, FLIPPED(A_CHALLENGE), AS_NEW },
	{ "an euiccChallenge of 15 octets", AUTHENTICATE, 127, 0,
		SETTO(A_CHALLENGE,
			"\x81\x0f"
			"123456789012345"),
		AS_NEW },
	{ "no serverAddress", AUTHENTICATE, 127, 0, DROPPED(A_ADDRESS), AS_NEW },
	{ "no serverChallenge", AUTHENTICATE, 127, 0, DROPPED(A_SERVER_CHALLENGE), AS_NEW },
	{ "no serverSigned1", AUTHENTICATE, 127, 0, DROPPED(A_SIGNED1), AS_NEW },
	{ "serverSigned1 flipped after signing", AUTHENTICATE, 2, 0, FLIPPED(A_SIGNED1), AS_NEW },
	{ "no serverSignature1", AUTHENTICATE, 127, 0, DROPPED(A_SIGNATURE), AS_NEW },
	{ "serverSignature1 flipped", AUTHENTICATE, 2, 0, FLIPPED(A_SIGNATURE), AS_NEW },
	{ "serverSignature1 too short", AUTHENTICATE, 2, 0,
		SETTO(A_SIGNATURE, "\x5f\x37\x10" SIXTEEN), AS_NEW },
	{ "no CI to be used", AUTHENTICATE, 127, 0, DROPPED(A_CI), AS_NEW },
	{ "a CI that the card has not", AUTHENTICATE, 7, 0, FLIPPED(A_CI), AS_NEW },
	{ "no CERT.DPauth", AUTHENTICATE, 127, 0, DROPPED(A_CERT), AS_NEW },
	{ "CERT.DPauth flipped", AUTHENTICATE, 1, 0, FLIPPED(A_CERT), AS_NEW },
	{ "CERT.DPauth is no certificate", AUTHENTICATE, 1, 0, SETTO(A_CERT, "\x30\x02\x05\x00"),
		AS_NEW },
	{ "no ctxParams1", AUTHENTICATE, 127, 0, DROPPED(A_CONTEXT), AS_NEW },
	{ "CERT.DPauth of role DPpb", AUTHENTICATE, 5, 0, FORMS(ROLE, FINE), AS_NEW },
	{ "CERT.DPauth of role TLS", AUTHENTICATE, 5, 0, FORMS(TLS_ROLE, FINE), AS_NEW },
	{ "CERT.DPauth, its policy not critical", AUTHENTICATE, 5, 0,
		FORMS(POLICY_NOT_CRITICAL, FINE), AS_NEW },
	{ "CERT.DPauth without an OID", AUTHENTICATE, 5, 0, FORMS(NO_OID, FINE), AS_NEW },
	{ "CERT.DPauth expired", AUTHENTICATE, 1, 0, FORMS(EXPIRED, FINE), AS_NEW },
	{ "CERT.DPauth not for signatures", AUTHENTICATE, 1, 0, FORMS(NO_USAGE, FINE), AS_NEW },
	{ "CERT.DPauth may sign certificates", AUTHENTICATE, 1, 0, FORMS(CA_USAGE, FINE), AS_NEW },
	{ "CERT.DPauth with an unknown critical extension", AUTHENTICATE, 1, 0,
		FORMS(UNKNOWN_CRITICAL, FINE), AS_NEW },
	{ "CERT.DPauth signed by another key", AUTHENTICATE, 1, 0, FORMS(FORGED, FINE), AS_NEW },
	{ "CERT.DPauth without authority key id", AUTHENTICATE, 1, 0, FORMS(NO_AUTHORITY, FINE),
		AS_NEW },
	{ "CERT.DPauth below an unknown CI", AUTHENTICATE, 7, 0, FORMS(UNKNOWN_CI, FINE), AS_NEW },
	{ "CERT.DPauth on the other curve", AUTHENTICATE, 3, 0, FORMS(OTHER_CURVE, FINE), AS_NEW },

	{ "prepare without authentication", PREPARE, 4, 0, { 0 }, NO_PREPARE },
	{ "no transactionId in smdpSigned2", PREPARE, 127, 0, DROPPED(P_ID), AS_NEW },
	{ "a foreign transactionId, signed", PREPARE, 5, 0, FLIPPED(P_ID), AS_NEW },
	{ "no ccRequiredFlag", PREPARE, 127, 0, DROPPED(P_CC), AS_NEW },
	{ "no smdpSigned2", PREPARE, 127, 0, DROPPED(P_SIGNED2), AS_NEW },
	{ "smdpSigned2 flipped after signing", PREPARE, 2, 0, FLIPPED(P_SIGNED2), AS_NEW },
	{ "no smdpSignature2", PREPARE, 127, 0, DROPPED(P_SIGNATURE), AS_NEW },
	{ "smdpSignature2 flipped", PREPARE, 2, 0, FLIPPED(P_SIGNATURE), AS_NEW },
	{ "no hashCc though one is required", PREPARE, 127, 0,
		{ .part = P_HASH, .action = DROP, .cc = true }, AS_NEW },
	{ "a hashCc of 16 octets", PREPARE, 127, 0,
		{ .part = P_HASH,
			.action = SET,
			.value = { (const uint8_t *)"\x04\x10" SIXTEEN, 18 },
			.cc = true },
		AS_NEW },
	{ "no CERT.DPpb", PREPARE, 127, 0, DROPPED(P_CERT), AS_NEW },
	{ "CERT.DPpb flipped", PREPARE, 1, 0, FLIPPED(P_CERT), AS_NEW },
	{ "CERT.DPpb of role DPauth", PREPARE, 1, 0, FORMS(FINE, ROLE), AS_NEW },
	{ "CERT.DPpb of role TLS", PREPARE, 1, 0, FORMS(FINE, TLS_ROLE), AS_NEW },
	{ "CERT.DPpb expired", PREPARE, 1, 0, FORMS(FINE, EXPIRED), AS_NEW },
	{ "CERT.DPpb not for signatures", PREPARE, 1, 0, FORMS(FINE, NO_USAGE), AS_NEW },
	{ "CERT.DPpb without an OID", PREPARE, 1, 0, FORMS(FINE, NO_OID), AS_NEW },
	{ "CERT.DPpb of another SM-DP+", PREPARE, 1, 0, FORMS(FINE, OTHER_OID), AS_NEW },
	{ "CERT.DPpb signed by another key", PREPARE, 1, 0, FORMS(FINE, FORGED), AS_NEW },
	{ "CERT.DPpb without authority key id", PREPARE, 1, 0, FORMS(FINE, NO_AUTHORITY), AS_NEW },
	{ "CERT.DPpb below an unknown CI", PREPARE, 1, 0, FORMS(FINE, UNKNOWN_CI), AS_NEW },
	{ "CERT.DPpb on the other curve", PREPARE, 3, 0, FORMS(FINE, OTHER_CURVE), AS_NEW },

	{ "no InitialiseSecureChannel", LOAD, 1, 0, DROPPED(O_WHOLE), AS_NEW },
	{ "no remoteOpId", LOAD, 1, 0, DROPPED(O_OPERATION), AS_NEW },
	{ "remoteOpId 2, signed", LOAD, 5, 0, SETTO(O_OPERATION, "\x82\x01\x02"), AS_NEW },
	{ "no transactionId in the package", LOAD, 1, 0, DROPPED(O_ID), AS_NEW },
	{ "a foreign transactionId in the package, signed", LOAD, 3, 0, FLIPPED(O_ID), AS_NEW },
	{ "no key type", LOAD, 1, 0, DROPPED(O_KEY_TYPE), AS_NEW },
	{ "key type 80, signed", LOAD, 4, 0, SETTO(O_KEY_TYPE, "\x80\x01\x80"), AS_NEW },
	{ "no key length", LOAD, 1, 0, DROPPED(O_KEY_LENGTH), AS_NEW },
	{ "key length 32, signed", LOAD, 4, 0, SETTO(O_KEY_LENGTH, "\x81\x01\x20"), AS_NEW },
	{ "no host id", LOAD, 1, 0, DROPPED(O_HOST), AS_NEW },
	{ "a host id of 17 octets, signed", LOAD, 4, 0, SETTO(O_HOST, "\x84\x11" SIXTEEN "x"),
		AS_NEW },
	{ "an empty host id, signed", LOAD, 4, 0, SETTO(O_HOST, "\x84\x00"), AS_NEW },
	{ "no otPK.DP", LOAD, 1, 0, DROPPED(O_POINT), AS_NEW },
	{ "otPK.DP off the curve, signed", LOAD, 1, 0, FLIPPED(O_POINT), AS_NEW },
	{ "another otPK.DP than agreed with", LOAD, 2, 0, FLIPPED(O_SENT_POINT), AS_NEW },
	{ "smdpSign without otPK.EUICC", LOAD, 2, 0, DROPPED(O_OWN_POINT), AS_NEW },
	{ "smdpSign over another otPK.EUICC", LOAD, 2, 0, FLIPPED(O_OWN_POINT), AS_NEW },
	{ "no smdpSign", LOAD, 1, 0, DROPPED(O_SIGNATURE), AS_NEW },
	{ "smdpSign flipped", LOAD, 2, 0, FLIPPED(O_SIGNATURE), AS_NEW },
	{ "the host id changed after signing", LOAD, 2, 0, FLIPPED(O_SENT_CRT), AS_NEW },
	{ "no remoteOpId sent", LOAD, 1, 0, DROPPED(O_SENT_OPERATION), AS_NEW },
	{ "no transactionId sent", LOAD, 1, 0, DROPPED(O_SENT_ID), AS_NEW },

	{ "no group A0", LOAD, 7, 1, DROPPED(B_GROUP0), AS_NEW },
	{ "group A0 empty", LOAD, 7, 1, SETTO(B_GROUP0, "\xa0\x00"), AS_NEW },
	{ "the ConfigureISDP segment flipped", LOAD, 8, 1, FLIPPED(B_CONFIGURE_SEGMENT), AS_NEW },
	{ "ConfigureISDP is another command", LOAD, 1, 1, SETTO(B_CONFIGURE, "\xbf\x25\x00"),
		AS_NEW },
	{ "dpOid of another SM-DP+", LOAD, 1, 1,
		SETTO(B_CONFIGURE, "\xbf\x24\x07\xb8\x05\x06\x03\x88\x37\x0c"), AS_NEW },
	{ "proprietary data without dpOid", LOAD, 1, 1, SETTO(B_CONFIGURE, "\xbf\x24\x02\xb8\x00"),
		AS_NEW },
	{ "no group A1", LOAD, 7, 2, DROPPED(B_GROUP1), AS_NEW },
	{ "group A1 empty", LOAD, 7, 2, SETTO(B_GROUP1, "\xa1\x00"), AS_NEW },
	{ "the metadata segment flipped", LOAD, 8, 2, FLIPPED(B_METADATA_SEGMENT), AS_NEW },
	{ "the second metadata segment flipped", LOAD, 8, 3,
		{ .part = B_METADATA_SEGMENT2, .action = FLIP, .metadata_cut = true }, AS_NEW },
	{ "the second metadata segment missing", LOAD, 1, 2,
		{ .part = B_METADATA_SEGMENT2, .action = DROP, .metadata_cut = true }, AS_NEW },
	{ "metadata without an ICCID", LOAD, 1, 2, SETTO(B_METADATA, NO_ICCID), AS_NEW },
	{ "metadata without a name", LOAD, 1, 2, SETTO(B_METADATA, NO_NAME), AS_NEW },
	{ "an icon without its type", LOAD, 1, 2, SETTO(B_METADATA, ICON_ALONE), AS_NEW },
	{ "an unknown profile class", LOAD, 6, 2, SETTO(B_METADATA, CLASS_NINE), AS_NEW },
	{ "policy rules without an owner", LOAD, 1, 2, SETTO(B_METADATA, RULES_BARE("\x40")),
		AS_NEW },
	{ "policy rules that the card allows", LOAD, 0, 0, SETTO(B_METADATA, RULES_OWNED("\x40")),
		AS_NEW },
	{ "policy rules that the card forbids", LOAD, 15, 2, SETTO(B_METADATA, RULES_OWNED("\x40")),
		FORBIDS_PPR1 },
	{ "another rule than the card forbids", LOAD, 0, 0, SETTO(B_METADATA, RULES_OWNED("\x20")),
		FORBIDS_PPR1 },
	{ "PPR1 beside an operational profile", LOAD, 15, 2, SETTO(B_METADATA, RULES_OWNED("\x40")),
		HAS_OPERATIONAL },
	{ "PPR2 beside an operational profile", LOAD, 0, 0, SETTO(B_METADATA, RULES_OWNED("\x20")),
		HAS_OPERATIONAL },
	{ "an ICCID that the card has", LOAD, 9, 2, { 0 }, HAS_THIS },

	{ "group A2 empty", LOAD, 7, 4, SETTO(B_GROUP2, "\xa2\x00"), AS_NEW },
	{ "group A2 left out under protection keys", LOAD, 8, 5, DROPPED(B_GROUP2), AS_NEW },
	{ "the keys segment flipped", LOAD, 8, 4, FLIPPED(B_KEYS_SEGMENT), AS_NEW },
	{ "ReplaceSessionKeys without its keys", LOAD, 1, 4, SETTO(B_KEYS, "\xbf\x26\x00"),
		AS_NEW },
	{ "ReplaceSessionKeys is another command", LOAD, 1, 4, SETTO(B_KEYS, "\xbf\x24\x00"),
		AS_NEW },

	{ "no group A3", LOAD, 7, 5, DROPPED(B_GROUP3), AS_NEW },
	{ "group A3 empty", LOAD, 7, 5, SETTO(B_GROUP3, "\xa3\x00"), AS_NEW },
	{ "something behind group A3", LOAD, 7, 5, SETTO(B_TAIL, "\xa3\x00"), AS_NEW },
	{ "a profile segment flipped", LOAD, 8, 5, FLIPPED(B_PROFILE_SEGMENT), AS_NEW },
	{ "the first profile segment missing", LOAD, 8, 5, DROPPED(B_PROFILE_SEGMENT), AS_NEW },
	{ "the last profile segment missing", LOAD, 12, 5, DROPPED(B_LAST_SEGMENT), AS_NEW },
	{ "segments beyond 1020 octets", LOAD, 7, 5, { .cut = 1008 }, AS_NEW },
	{ "a segment of another kind", LOAD, 7, 5,
		SETTO(B_PROFILE_SEGMENT,
			"\x87\x08"
			"12345678"),
		AS_NEW },
	{ "no room", LOAD, 10, 5, { 0 }, SMALL },

	{ "no major version", LOAD, 12, 5, DROPPED(U_MAJOR), AS_NEW },
	{ "a package version beyond the card's", LOAD, 12, 5, SETTO(U_MAJOR, "\x80\x01\x09"),
		AS_NEW },
	{ "no services", LOAD, 12, 5, DROPPED(U_SERVICES), AS_NEW },
	{ "a service that the card has not", LOAD, 12, 5, SETTO(U_SERVICES, "\xa5\x03\x9f\x40\x00"),
		AS_NEW },
	{ "no ICCID in the header", LOAD, 12, 5, DROPPED(U_HEADER_ICCID), AS_NEW },
	{ "another ICCID in the header", LOAD, 13, 5, FLIPPED(U_HEADER_ICCID), AS_NEW },
	{ "no EF.ICCID", LOAD, 13, 5, DROPPED(U_FILE), AS_NEW },
	{ "another EF.ICCID", LOAD, 13, 5, FLIPPED(U_FILE), AS_NEW },
	{ "another ICCID in the metadata", LOAD, 13, 5, SETTO(B_METADATA, OTHER_ICCID), AS_NEW },
	{ "a test profile with another K", LOAD, 14, 5, FLIPPED(U_KEY), AS_NEW },
	{ "no end", LOAD, 12, 5, DROPPED(U_END), AS_NEW },
};

/* ---- running a row ------------------------------------------------------------------- */

static void
arrange(struct rspsim_card *card, enum card_before before)
{
	static const uint8_t other[10] = { 0x98, 0x44 };
	struct rspsim_profile *p = ARENA_NEW(&card->state_mem, struct rspsim_profile);

	if (before == FORBIDS_PPR1)
		card->forbidden_rules = RSPSIM_PPR1;
	if (before == SMALL)
		card->memory = 2000;
	if (before != HAS_THIS && before != HAS_OPERATIONAL)
		return;
	memcpy(p->iccid, before == HAS_THIS ? test_iccid : other, sizeof p->iccid);
	p->metadata = SLICE_LIT(OTHER_ICCID);
	card->profiles = p;
}

/* `A1 { 80, 02 code }` of an ES10b answer; 0 for the good alternative, -1 for neither. */
static int
error_of(struct slice response, uint32_t tag)
{
	struct rspsim_tlv all, alternative, code;
	uint32_t value;

	if (!rspsim_der_read_only(response, tag, &all))
		return -1;
	if (rspsim_der_read_only(all.value, 0xa0, &alternative))
		return 0;
	if (!rspsim_der_read_only(all.value, 0xa1, &alternative) ||
		!rspsim_der_find(alternative.value, 0x02, &code) ||
		!rspsim_der_to_u32(code.value, &value))
		return -1;
	return (int)value;
}

/*
 * The same of a ProfileInstallationResult; its signature must hold, and its names be those of the
 * session.
 */
static int
result_of(struct server *s, struct rspsim_card *card, struct slice result, int *command)
{
	struct rspsim_tlv all, data, signature, id, oid, final, error, code;
	uint32_t value = 0;

	assert_true(rspsim_der_read_only(result, 0xbf37, &all));
	assert_true(rspsim_der_read_tag(&all.value, 0xbf27, &data));
	assert_true(rspsim_der_read_only(all.value, 0x5f37, &signature));
	assert_true(rspsim_verify(card->ci[0].key, data.whole, signature.value));
	assert_true(rspsim_der_find(data.value, 0x80, &id));
	assert_true(slice_eq(id.value, s->transaction_id));
	assert_true(rspsim_der_find(data.value, 0x06, &oid));
	assert_true(rspsim_oid_is(oid.value, "2.999.10"));
	assert_true(rspsim_der_find(data.value, 0xa2, &final));
	if (rspsim_der_read_only(final.value, 0xa0, &error)) {
		assert_true(rspsim_der_find(error.value, 0x4f, &code));
		assert_int_equal(code.value.n, 16);
		assert_true(rspsim_der_find(error.value, 0x04, &code));
		assert_true(
			slice_eq(code.value, SLICE_LIT("\x30\x07\xa0\x05\x30\x03\x80\x01\x00")));
		return 0;
	}
	assert_true(rspsim_der_read_only(final.value, 0xa1, &error));
	assert_true(rspsim_der_find(error.value, 0x80, &code));
	assert_true(rspsim_der_to_u32(code.value, &value));
	*command = (int)value;
	assert_true(rspsim_der_find(error.value, 0x81, &code));
	assert_true(rspsim_der_to_u32(code.value, &value));
	return (int)value;
}

/* Runs the procedure up to where it stops: the step and its code. */
static enum step
run(struct server *s, struct rspsim_card *card, enum card_before before, int *code, int *command)
{
	struct slice challenge = SLICE_LIT(SIXTEEN), response;

	if (before != NO_CHALLENGE)
		challenge = rspsim_euicc_challenge(card, &s->mem);
	response =
		rspsim_euicc_authenticate_server(card, &s->mem, server_authenticate(s, challenge));
	*code = error_of(response, 0xbf38);
	if (*code)
		return AUTHENTICATE;
	if (before == NO_PREPARE)
		rspsim_euicc_challenge(card, &s->mem);
	response = rspsim_euicc_prepare_download(
		card, &s->mem, server_prepare(s, response, SLICE_NONE));
	*code = error_of(response, 0xbf21);
	if (*code)
		return PREPARE;
	assert_true(server_take_key(s, response));
	*code = result_of(s, card, rspsim_euicc_load_bpp(card, &s->mem, server_bpp(s)), command);
	return LOAD;
}

/*
 * Everything differs in nothing but the row's change; installed is what was accepted, and nothing
 * else.
 */
static void
run_row(const struct row *row, int curve)
{
	bool accepted = row->step == LOAD && row->want == 0;
	int code = -1, command = 0;
	struct rspsim_card *card;
	struct server s;
	enum step step;

	server_init(&s, curve, &row->change);
	card = server_card(&s);
	arrange(card, row->card);
	step = run(&s, card, row->card, &code, &command);
	if (step != row->step || code != row->want || command != row->command)
		fail_msg("%s: step %d code %d command %d, not %d %d %d", row->name, (int)step, code,
			command, (int)row->step, row->want, row->command);
	if (row->card != HAS_THIS)
		assert_int_equal(rspsim_card_find_profile(card, test_iccid) != NULL, accepted);
	if (step == LOAD)
		assert_int_equal(card->notifications != NULL, true);
	else
		assert_null(card->notifications);
	rspsim_card_free(card);
	server_fini(&s);
}

static void
each_change_is_refused_with_its_code(void **state)
{
	(void)state;
	for (size_t c = 0; c < 2; c++)
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
			run_row(rows + i, curves[c]);
}

/* ---- what tables do not show --------------------------------------------------------- */

/*
 * Each octet of a whole package, flipped, is noticed: nothing that a server sends is left
 * unprotected.
 */
static void
no_octet_of_a_package_is_unprotected(void **state)
{
	struct rspsim_card *card;
	struct server s;
	struct slice response, request, bpp;
	int command;

	(void)state;
	server_init(&s, NID_X9_62_prime256v1, NULL);
	card = server_card(&s);
	response = rspsim_euicc_challenge(card, &s.mem);
	response =
		rspsim_euicc_authenticate_server(card, &s.mem, server_authenticate(&s, response));
	request = server_prepare(&s, response, SLICE_NONE);
	assert_true(server_take_key(&s, rspsim_euicc_prepare_download(card, &s.mem, request)));
	bpp = server_bpp(&s);
	for (size_t i = 1; i <= bpp.n; i += i % 97 == 0 || i > bpp.n - 500 ? 1 : 7) {
		struct rspsim_session kept = card->session;
		struct slice result;

		X509_up_ref(kept.dp_pb);
		kept.transaction_id = s.transaction_id;
		kept.dp_oid = SLICE_LIT("\x88\x37\x0a");
		kept.address = "smdp.test1";
		result = rspsim_euicc_load_bpp(card, &s.mem, rspsim_break_flip(&s.mem, bpp, i));
		if (result.n) {
			assert_int_not_equal(result_of(&s, card, result, &command), 0);
			card->session = kept;
		} else {
			X509_free(kept.dp_pb);
		}
		assert_null(card->profiles);
	}
	rspsim_card_free(card);
	server_fini(&s);
}

/* Up to PrepareDownload; the card's one-time key afterwards is in s->one_time_point. */
static void
prepare(struct server *s, struct rspsim_card *card, struct slice offered)
{
	struct slice response = rspsim_euicc_challenge(card, &s->mem);

	response =
		rspsim_euicc_authenticate_server(card, &s->mem, server_authenticate(s, response));
	response =
		rspsim_euicc_prepare_download(card, &s->mem, server_prepare(s, response, offered));
	assert_true(server_take_key(s, response));
}

static void
a_retry_keeps_the_one_time_key_when_offered(void **state)
{
	struct rspsim_card *card;
	struct server s;
	struct slice first, second;
	int command;

	(void)state;
	server_init(&s, NID_X9_62_prime256v1, NULL);
	card = server_card(&s);
	prepare(&s, card, SLICE_NONE);
	first = s.one_time_point;
	prepare(&s, card, first);
	assert_true(slice_eq(s.one_time_point, first));
	prepare(&s, card, SLICE_NONE);
	second = s.one_time_point;
	assert_false(slice_eq(first, second));
	prepare(&s, card, first); /* no longer held */
	assert_false(slice_eq(s.one_time_point, first));
	assert_int_equal(
		result_of(&s, card, rspsim_euicc_load_bpp(card, &s.mem, server_bpp(&s)), &command),
		0);
	assert_null(card->one_times);
	rspsim_card_free(card);
	server_fini(&s);
}

static unsigned
count_notifications(const struct rspsim_card *card, enum rspsim_event event, const char *address)
{
	unsigned count = 0;

	for (const struct rspsim_notification *n = card->notifications; n; n = n->next)
		count += n->event == event && strcmp(n->address, address) == 0;
	return count;
}

/* Each kept notification but the first is signed over its head by the card. */
static void
assert_signed(const struct rspsim_card *card)
{
	for (const struct rspsim_notification *n = card->notifications->next; n; n = n->next) {
		struct rspsim_tlv all, head, signature;

		assert_true(rspsim_der_read_only(n->octets, 0x30, &all));
		assert_true(rspsim_der_read_tag(&all.value, 0xbf2f, &head));
		assert_true(rspsim_der_read_tag(&all.value, 0x5f37, &signature));
		assert_true(rspsim_verify(card->ci[0].key, head.whole, signature.value));
		assert_true(n->next == NULL || n->next->sequence == n->sequence + 1);
	}
}

static void
switching_makes_the_notifications_asked_for(void **state)
{
	struct rspsim_card *card;
	struct server s;

	(void)state;
	server_init(&s, NID_brainpoolP256r1, NULL);
	card = server_card(&s);
	assert_int_equal(rspsim_euicc_enable(card, test_iccid), RSPSIM_SWITCH_NOT_FOUND);
	prepare(&s, card, SLICE_NONE);
	rspsim_euicc_load_bpp(card, &s.mem, server_bpp(&s));
	assert_int_equal(count_notifications(card, RSPSIM_INSTALL, "smdp.test1"), 1);
	assert_int_equal(count_notifications(card, RSPSIM_INSTALL, "other.test"), 0);
	assert_int_equal(rspsim_euicc_disable(card, test_iccid), RSPSIM_SWITCH_WRONG_STATE);
	assert_int_equal(rspsim_euicc_enable(card, test_iccid), RSPSIM_SWITCH_OK);
	assert_int_equal(rspsim_euicc_enable(card, test_iccid), RSPSIM_SWITCH_WRONG_STATE);
	assert_int_equal(count_notifications(card, RSPSIM_ENABLE, "smdp.test1"), 1);
	assert_int_equal(count_notifications(card, RSPSIM_ENABLE, "other.test"), 1);
	assert_int_equal(rspsim_euicc_delete(card, test_iccid), RSPSIM_SWITCH_WRONG_STATE);
	assert_int_equal(rspsim_euicc_disable(card, test_iccid), RSPSIM_SWITCH_OK);
	assert_int_equal(count_notifications(card, RSPSIM_DISABLE, "other.test"), 1);
	assert_int_equal(rspsim_euicc_delete(card, test_iccid), RSPSIM_SWITCH_OK);
	assert_int_equal(count_notifications(card, RSPSIM_DELETE, "smdp.test1"), 1);
	assert_null(card->profiles);
	assert_signed(card);
	rspsim_card_free(card);
	server_fini(&s);
}

static void
policy_rules_hold_an_installed_profile(void **state)
{
	static const struct {
		struct change change;
		enum rspsim_switch_result disable, delete;
	} row[] = {
		{ SETTO(B_METADATA, RULES_OWNED("\x40")), RSPSIM_SWITCH_POLICY,
			RSPSIM_SWITCH_WRONG_STATE },
		{ SETTO(B_METADATA, RULES_OWNED("\x20")), RSPSIM_SWITCH_OK, RSPSIM_SWITCH_POLICY },
		{ SETTO(B_METADATA, RULES_OWNED("\x80")), RSPSIM_SWITCH_OK, RSPSIM_SWITCH_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct rspsim_card *card;
		struct server s;

		server_init(&s, NID_X9_62_prime256v1, &row[i].change);
		card = server_card(&s);
		prepare(&s, card, SLICE_NONE);
		rspsim_euicc_load_bpp(card, &s.mem, server_bpp(&s));
		assert_int_equal(rspsim_euicc_enable(card, test_iccid), RSPSIM_SWITCH_OK);
		assert_int_equal(rspsim_euicc_disable(card, test_iccid), row[i].disable);
		assert_int_equal(rspsim_euicc_delete(card, test_iccid), row[i].delete);
		rspsim_card_free(card);
		server_fini(&s);
	}
}

static void
a_session_is_cancelled_once_and_with_a_signature(void **state)
{
	struct rspsim_card *card;
	struct rspsim_tlv all, good, data, signature, oid, reason, code;
	struct slice request, response;
	struct server s;

	(void)state;
	server_init(&s, NID_X9_62_prime256v1, NULL);
	card = server_card(&s);
	request = RSPSIM_DER(
		&s.mem, 0xbf41, tlv(&s, 0x80, s.transaction_id), SLICE_LIT("\x81\x01\x01"));
	response = rspsim_euicc_cancel_session(card, &s.mem, request);
	assert_true(rspsim_der_read_only(response, 0xbf41, &all));
	assert_true(rspsim_der_read_only(all.value, 0x81, &code));
	assert_int_equal(code.value.p[0], 5);
	prepare(&s, card, SLICE_NONE);
	response = rspsim_euicc_cancel_session(card, &s.mem, request);
	assert_true(rspsim_der_read_only(response, 0xbf41, &all));
	assert_true(rspsim_der_read_only(all.value, 0xa0, &good));
	assert_true(rspsim_der_read_tag(&good.value, 0x30, &data));
	assert_true(rspsim_der_read_only(good.value, 0x5f37, &signature));
	assert_true(rspsim_verify(card->ci[0].key, data.whole, signature.value));
	assert_true(rspsim_der_find(data.value, 0x81, &oid));
	assert_true(rspsim_oid_is(oid.value, "2.999.10"));
	assert_true(rspsim_der_find(data.value, 0x82, &reason));
	assert_int_equal(reason.value.p[0], RSPSIM_CANCEL_POSTPONED);
	response = rspsim_euicc_cancel_session(card, &s.mem, request);
	assert_true(rspsim_der_read_only(response, 0xbf41, &all));
	assert_true(rspsim_der_read_only(all.value, 0x81, &code));
	rspsim_card_free(card);
	server_fini(&s);
}

/* ---- the LPA's own checks ------------------------------------------------------------ */

static void
the_lpa_compares_address_and_transaction(void **state)
{
	static const struct {
		struct change change;
		const char *want;
	} row[] = {
		{ { 0 }, NULL },
		{ FLIPPED(A_ADDRESS), "serverAddress in serverSigned1 is not the address called" },
		{ FLIPPED(A_ID), "the transactionId in serverSigned1 is not the one beside it" },
		{ DROPPED(A_ADDRESS), "serverSigned1 cannot be read" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct rspsim_tlv all, signed1;
		struct server s;
		const char *got;

		server_init(&s, NID_X9_62_prime256v1, &row[i].change);
		assert_true(rspsim_der_read_only(
			server_authenticate(&s, SLICE_LIT(SIXTEEN)), 0xbf38, &all));
		assert_true(rspsim_der_read(&all.value, &signed1));
		got = rspsim_lpa_check_signed1(signed1.whole, "smdp.test1", s.transaction_id);
		if (row[i].want)
			assert_string_equal(got, row[i].want);
		else
			assert_null(got);
		server_fini(&s);
	}
}

static void
the_lpa_cancels_for_other_metadata_than_announced(void **state)
{
	static const struct {
		struct change change;
		struct slice announced;
		bool cancel;
		enum rspsim_cancel_reason reason;
	} row[] = {
		{ { 0 }, { (const uint8_t *)TEST_METADATA, sizeof TEST_METADATA - 1 }, false, 0 },
		{ { .metadata_cut = true },
			{ (const uint8_t *)TEST_METADATA, sizeof TEST_METADATA - 1 }, false, 0 },
		{ { 0 }, { (const uint8_t *)PLAIN_METADATA, sizeof PLAIN_METADATA - 1 }, true,
			RSPSIM_CANCEL_METADATA },
		{ SETTO(B_METADATA, RULES_OWNED("\x40")),
			{ (const uint8_t *)RULES_OWNED("\x20"), sizeof RULES_OWNED("\x20") - 1 },
			true, RSPSIM_CANCEL_RULES },
		{ DROPPED(B_GROUP1), { (const uint8_t *)TEST_METADATA, sizeof TEST_METADATA - 1 },
			true, RSPSIM_CANCEL_LOAD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct rspsim_objection got;
		struct rspsim_card *card;
		struct server s;

		server_init(&s, NID_X9_62_prime256v1, &row[i].change);
		card = server_card(&s);
		prepare(&s, card, SLICE_NONE);
		got = rspsim_lpa_check_bpp(&s.mem, server_bpp(&s), row[i].announced);
		assert_int_equal(got.cancel, row[i].cancel);
		assert_int_equal(got.reason, row[i].reason);
		rspsim_card_free(card);
		server_fini(&s);
	}
}

static void
the_lpa_cancels_for_forbidden_rules(void **state)
{
	struct rspsim_objection got;
	struct rspsim_card *card;
	struct server s;

	(void)state;
	server_init(&s, NID_X9_62_prime256v1, NULL);
	card = server_card(&s);
	got = rspsim_lpa_check_metadata(card, SLICE_LIT(RULES_OWNED("\x40")));
	assert_false(got.cancel);
	card->forbidden_rules = RSPSIM_PPR1;
	got = rspsim_lpa_check_metadata(card, SLICE_LIT(RULES_OWNED("\x40")));
	assert_true(got.cancel);
	assert_int_equal(got.reason, RSPSIM_CANCEL_RULES);
	got = rspsim_lpa_check_metadata(card, SLICE_LIT(NO_ICCID));
	assert_true(got.cancel);
	assert_int_equal(got.reason, RSPSIM_CANCEL_UNDEFINED);
	rspsim_card_free(card);
	server_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_is_refused_with_its_code),
		cmocka_unit_test(no_octet_of_a_package_is_unprotected),
		cmocka_unit_test(a_retry_keeps_the_one_time_key_when_offered),
		cmocka_unit_test(switching_makes_the_notifications_asked_for),
		cmocka_unit_test(policy_rules_hold_an_installed_profile),
		cmocka_unit_test(a_session_is_cancelled_once_and_with_a_signature),
		cmocka_unit_test(the_lpa_compares_address_and_transaction),
		cmocka_unit_test(the_lpa_cancels_for_other_metadata_than_announced),
		cmocka_unit_test(the_lpa_cancels_for_forbidden_rules),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspsim_strict", tests, NULL, NULL);
}
