/*
 * Association of eIMs with the simulated IoT eUICC (SGP.32 §3.5): AddInitialEim, the eCOs with all
 * their codes, tokens that never come twice, certificates in both forms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>
#include <cmocka.h>
#pragma GCC diagnostic ignored "-Wunused-function"
#include "rspsim_eim.h"

static struct slice
content(struct eim *e, const char *id, const char *middle, struct slice key, const char *end)
{
	return RSPSIM_DER(&e->server.mem, 0, RSPSIM_DER(&e->server.mem, 0x80, slice_text(id)),
		hex(e, middle), key.p ? RSPSIM_DER(&e->server.mem, 0xa5, key) : SLICE_NONE,
		hex(e, end));
}

/* CERT.EIM below the server's CI, or another, under `A1`: its members, or it whole. */
static struct slice
eim_certificate(struct eim *e, EVP_PKEY *signer, bool whole)
{
	static const struct rspsim_cert_form form = { .subject = { { "CN", "eim" } },
		.extensions = { { "authorityKeyIdentifier", "keyid" },
			{ "keyUsage", "critical,digitalSignature" } },
		.serial = 5,
		.days = 30 };
	X509 *cert = rspsim_cert_issue(&form, e->key, e->server.ci, signer);
	struct slice der = rspsim_cert_der(&e->server.mem, cert);
	struct rspsim_tlv all;

	X509_free(cert);
	assert_true(rspsim_der_read_only(der, 0x30, &all));
	return RSPSIM_DER(&e->server.mem, 0xa1, whole ? der : all.value);
}

static struct slice
result_of(struct eim *e, uint32_t tag, struct slice command)
{
	struct arena *mem = &e->server.mem;

	return results_of(e,
		load(e,
			package_of(e, rspsim_der_u32(mem, 0x81, ++e->counter), 0xa1,
				RSPSIM_DER(mem, tag, command))));
}

static struct slice
add(struct eim *e, struct slice configuration)
{
	return result_of(e, 0xa8, configuration);
}

static void
an_eim_is_added_with_every_code(void **state)
{
	struct eim e;
	struct slice key;

	(void)state;
	eim_init(&e);
	key = eim_public(&e);
	assert_hex(&e, add(&e, content(&e, "second", "830100", key, "")), "a803020100");
	assert_hex(&e, add(&e, content(&e, "second", "830100", key, "")), "a803020102");
	assert_hex(&e, add(&e, content(&e, EIM_ID, "830100", key, "")), "a803020102");
	assert_hex(&e, add(&e, content(&e, "third", "830100840105", key, "")), "a803020105");
	assert_hex(&e, add(&e, content(&e, "third", "830400800000", key, "")), "a803020106");
	assert_hex(&e, add(&e, content(&e, "third", "8301ff", key, "")), "a803020106");
	assert_hex(&e, add(&e, content(&e, "third", "", key, "")), "a803020107");
	assert_hex(&e, add(&e, content(&e, "third", "830100", SLICE_NONE, "")), "a803020107");
	assert_hex(
		&e, add(&e, content(&e, "third", "830100", hex(&e, "a0023000"), "")), "a803020107");
	assert_hex(&e, add(&e, content(&e, "", "830100", key, "")), "a803020107");
	assert_hex(&e, add(&e, content(&e, "third", "830100", key, "9000")), "a803020107");
	assert_hex(&e, add(&e, content(&e, "third", "830100", key, "8803010203")), "a803020103");
	assert_hex(&e, add(&e, content(&e, "third", "8307ffffffffffffff", key, "")), "a803020106");
	assert_hex(&e, add(&e, content(&e, "third", "8303800000", key, "")), "a803020106");
	assert_hex(&e, add(&e, content(&e, "third", "83037fffff", key, "")), "a803020100");
	for (char c = '4'; c <= '8'; c++)
		assert_hex(&e, add(&e, content(&e, (char[]){ c, 0 }, "830100", key, "")),
			"a803020100");
	assert_hex(&e, add(&e, content(&e, "ninth", "830100", key, "")), "a803020101");
	eim_fini(&e);
}

/* Both forms of a certificate, under its CI; who has another signature is no eIM. */
static void
certificates_stand_below_a_ci(void **state)
{
	struct eim e;
	char ci[64];
	EVP_PKEY *stranger;

	(void)state;
	eim_init(&e);
	stranger = rspsim_key_new(NID_X9_62_prime256v1);
	snprintf(ci, sizeof ci, "8814%s",
		(const char *)text_hex(&e.server.mem, e.card->ci->key_id).p);
	assert_hex(&e,
		add(&e,
			content(&e, "a", "830100", eim_certificate(&e, e.server.ci_key, false),
				ci)),
		"a803020100");
	assert_hex(&e,
		add(&e, content(&e, "b", "830100", eim_certificate(&e, e.server.ci_key, true), "")),
		"a803020100");
	assert_hex(&e,
		add(&e, content(&e, "c", "830100", eim_certificate(&e, stranger, false), ci)),
		"a803020107");
	assert_hex(&e,
		add(&e,
			content(&e, "c", "830100", eim_certificate(&e, e.server.ci_key, false),
				"881401020304050607080910111213141516171819"
				"20")),
		"a803020103");
	assert_hex(
		&e, add(&e, content(&e, "c", "830100", hex(&e, "a10430020500"), ci)), "a803020107");
	/* the one with a certificate is believed by its key */
	e.id = "a";
	e.counter = 0;
	assert_hex(&e, results_of(&e, send_package(&e, 0xa0, "a700")), "870100");
	EVP_PKEY_free(stranger);
	eim_fini(&e);
}

static void
tokens_are_made_by_the_card_and_never_twice(void **state)
{
	struct eim e;
	struct slice key;

	(void)state;
	eim_init(&e);
	key = eim_public(&e);
	assert_hex(&e, add(&e, content(&e, "second", "8301008401ff", key, "")), "a803840101");
	assert_hex(&e, add(&e, content(&e, "third", "8301008401ff", key, "")), "a803840102");
	assert_hex(&e, result_of(&e, 0xa9, hex(&e, "80067365636f6e64")), "890100");
	assert_hex(&e, add(&e, content(&e, "second", "8301008401ff", key, "")), "a803840103");
	/* its packages are signed with it from now on */
	e.id = "second";
	e.has_token = true;
	e.token = 3;
	e.counter = 0;
	assert_hex(&e, results_of(&e, send_package(&e, 0xa0, "a700")), "870100");
	eim_fini(&e);
}

static void
the_first_eim_needs_no_signature(void **state)
{
	struct eim e;

	(void)state;
	eim_init(&e);
	assert_hex(&e, add_initial(&e, eim_configuration(&e, "")), "bf5703810102");
	e.card->iot.eims = NULL;
	assert_hex(&e, add_initial(&e, hex(&e, "800161")), "bf5703810107");
	assert_hex(&e, add_initial(&e, eim_configuration(&e, "840105")), "bf5703810105");
	assert_hex(&e, rspsim_iot_add_initial_eim(e.card, &e.server.mem, hex(&e, "bf5702a000")),
		"bf5703810107");
	assert_null(e.card->iot.eims);
	assert_hex(&e, add_initial(&e, eim_configuration(&e, "8401ff")), "bf5705a003840101");
	assert_int_equal(e.card->iot.eims->token, 1);
	eim_fini(&e);
}

static void
the_last_eim_may_go(void **state)
{
	struct eim e;

	(void)state;
	eim_init(&e);
	assert_hex(&e, result_of(&e, 0xa9, hex(&e, "80056f74686572")), "890101");
	assert_hex(&e, add(&e, content(&e, "other", "830100", eim_public(&e), "")), "a803020100");
	assert_hex(&e, result_of(&e, 0xa9, hex(&e, "80056f74686572")), "890100");
	/* its own identifier: the result is still signed as the package was */
	assert_hex(&e, result_of(&e, 0xa9, RSPSIM_DER(&e.server.mem, 0x80, slice_text(EIM_ID))),
		"890102");
	assert_null(e.card->iot.eims);
	assert_hex(&e, add_initial(&e, eim_configuration(&e, "")), "bf5704a0020500");
	eim_fini(&e);
}

static void
an_update_changes_what_it_names(void **state)
{
	EVP_PKEY *former, *next;
	struct rspsim_eim *eim;
	struct slice new_key;
	struct eim e;

	(void)state;
	eim_init(&e);
	eim = e.card->iot.eims;
	assert_hex(&e, result_of(&e, 0xaa, content(&e, "other", "", SLICE_NONE, "")), "8a0101");
	assert_hex(
		&e, result_of(&e, 0xaa, content(&e, EIM_ID, "8401ff", SLICE_NONE, "")), "8a0107");
	assert_hex(&e, result_of(&e, 0xaa, content(&e, EIM_ID, "8303800000", SLICE_NONE, "")),
		"8a0106");
	assert_hex(&e, result_of(&e, 0xaa, content(&e, EIM_ID, "", SLICE_NONE, "8803010203")),
		"8a0103");
	assert_hex(&e, result_of(&e, 0xaa, content(&e, EIM_ID, "", SLICE_NONE, "9000")), "8a0107");
	assert_hex(&e,
		result_of(&e, 0xaa,
			content(&e, EIM_ID,
				"810a6e65772e73657276657283015082010"
				"2",
				SLICE_NONE, "")),
		"8a0107"); /* members in another order */
	assert_hex(&e,
		result_of(&e, 0xaa,
			content(&e, EIM_ID, "810a6e65772e736572766572820102830150", SLICE_NONE,
				"870206c08900")),
		"8a0100");
	assert_string_equal(eim->fqdn, "new.server");
	assert_int_equal(eim->counter, 0x50);
	assert_int_equal(eim->id_type, 2);
	assert_int_equal(eim->protocols, 0xc0);
	assert_true(eim->indirect);
	/* another key: this package's result is the last of the old one */
	e.counter = 0x50;
	former = e.key;
	next = rspsim_key_new(NID_brainpoolP256r1);
	e.key = next;
	new_key = eim_public(&e);
	e.key = former;
	assert_hex(&e, result_of(&e, 0xaa, content(&e, EIM_ID, "", new_key, "")), "8a0100");
	assert_hex(&e, send_package(&e, 0xa0, "a700"),
		"bf511da21b800f65696d2e6578616d706c652e636f6d82080102030405060708");
	e.counter--;
	e.key = next;
	EVP_PKEY_free(former);
	assert_hex(&e, results_of(&e, send_package(&e, 0xa0, "a700")), "870100");
	eim_fini(&e);
}

static void
eims_are_listed_by_their_identifiers(void **state)
{
	struct eim e;

	(void)state;
	eim_init(&e);
	assert_hex(&e, result_of(&e, 0xab, SLICE_NONE),
		"ab15a0133011800f65696d2e6578616d706c652e636f6d");
	add(&e, content(&e, "2", "820102830100", eim_public(&e), ""));
	assert_hex(&e, result_of(&e, 0xab, SLICE_NONE),
		"ab1da01b3011800f65696d2e6578616d706c652e636f6d3006800132820102");
	assert_hex(&e, result_of(&e, 0xab, hex(&e, "0500")), "020102");
	assert_hex(&e, result_of(&e, 0xac, SLICE_NONE), "020102");
	eim_fini(&e);
}

static void
v10_has_other_tags_and_codes(void **state)
{
	struct rspsim_tlv all, arm, data, results;
	struct slice result;
	struct eim e;

	(void)state;
	eim_init(&e);
	e.card->iot.v10 = true;
	e.card->iot.eims->id_type = 3;
	result = send_package(&e, 0xa1, "ab00");
	assert_true(rspsim_der_read_only(result, 0xbf51, &all));
	assert_true(rspsim_der_read_only(all.value, 0xa0, &arm));
	assert_true(rspsim_der_read(&arm.value, &data));
	assert_true(rspsim_der_find(data.value, 0x30, &results));
	assert_hex(&e, results.value, "ab18a0163014800f65696d2e6578616d706c652e636f6d840103");
	eim_fini(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_eim_is_added_with_every_code),
		cmocka_unit_test(certificates_stand_below_a_ci),
		cmocka_unit_test(tokens_are_made_by_the_card_and_never_twice),
		cmocka_unit_test(the_first_eim_needs_no_signature),
		cmocka_unit_test(the_last_eim_may_go),
		cmocka_unit_test(an_update_changes_what_it_names),
		cmocka_unit_test(eims_are_listed_by_their_identifiers),
		cmocka_unit_test(v10_has_other_tags_and_codes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspsim_eco", tests, NULL, NULL);
}
