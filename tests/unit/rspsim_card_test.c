/*
 * Cards of a test PKI, and their file: what is written comes back, and nothing else is taken for
 * a card.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rspsim/card.h"
#include "rspsim/cert.h"
#include "rspsim/crypto.h"
#include "rspsim/iot_euicc.h"

static char folder[] = "/tmp/rspsim-card-XXXXXX";

static const char *
path(const char *name)
{
	static char text[200];

	snprintf(text, sizeof text, "%s/%s", folder, name);
	return text;
}

static void
write_pem(const char *name, X509 *cert, EVP_PKEY *key)
{
	FILE *f = fopen(path(name), "w");

	assert_non_null(f);
	if (cert)
		PEM_write_X509(f, cert);
	else
		PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
}

/* ci.pem, eum.pem, eum.key of one curve in a folder of the PKI. */
static void
write_tree(const char *tree, int curve)
{
	static const struct rspsim_cert_form ci_form = { .subject = { { "CN", "CI" } },
		.extensions = { { "subjectKeyIdentifier", "hash" },
			{ "basicConstraints", "critical,CA:TRUE" } },
		.serial = 1,
		.days = 30 };
	static const struct rspsim_cert_form eum_form = { .subject = { { "O", "Some EUM" } },
		.extensions = { { "authorityKeyIdentifier", "keyid" },
			{ "subjectKeyIdentifier", "hash" },
			{ "nameConstraints",
				"critical,DER:"
				"302EA02C302AA42830263111300F060355040A0C08536F6D652045554D31"
				"11300F060355040513083839303333303233" } },
		.serial = 2,
		.days = 30 };
	EVP_PKEY *ci_key = rspsim_key_new(curve), *eum_key = rspsim_key_new(curve);
	X509 *ci = rspsim_cert_issue(&ci_form, ci_key, NULL, NULL);
	X509 *eum = rspsim_cert_issue(&eum_form, eum_key, ci, ci_key);
	char name[64];

	assert_non_null(ci);
	assert_non_null(eum);
	mkdir(path(tree), 0700);
	snprintf(name, sizeof name, "%s/ci.pem", tree);
	write_pem(name, ci, NULL);
	snprintf(name, sizeof name, "%s/eum.pem", tree);
	write_pem(name, eum, NULL);
	snprintf(name, sizeof name, "%s/eum.key", tree);
	write_pem(name, NULL, eum_key);
	X509_free(ci);
	X509_free(eum);
	EVP_PKEY_free(ci_key);
	EVP_PKEY_free(eum_key);
}

static int
setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	write_tree("nist", NID_X9_62_prime256v1);
	write_tree("brainpool", NID_brainpoolP256r1);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "nist/ci.pem", "nist/eum.pem", "nist/eum.key",
		"brainpool/ci.pem", "brainpool/eum.pem", "brainpool/eum.key", "card.json", "nist",
		"brainpool" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		remove(path(names[i]));
	return rmdir(folder);
}

static void
an_eid_has_right_check_digits(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		unsigned rest = 0;
		char eid[33];

		rspsim_eid_new("89049032", eid);
		assert_int_equal(strlen(eid), 32);
		assert_memory_equal(eid, "89049032", 8);
		for (size_t k = 0; k < 32; k++)
			rest = (rest * 10 + (unsigned)(eid[k] - '0')) % 97;
		assert_int_equal(rest, 1);
	}
}

static void
a_card_is_issued_below_each_eum(void **state)
{
	static const int curves[] = { NID_X9_62_prime256v1, NID_brainpoolP256r1 };
	struct rspsim_card *card = rspsim_card_new("89033023123451234512345678901224");
	char prefix[33], text[65];

	(void)state;
	rspsim_pki_prefix(folder, prefix);
	assert_string_equal(prefix, "89033023");
	assert_null(rspsim_card_issue(card, folder));
	assert_int_equal(card->ci_count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct rspsim_ci *ci = card->ci + i;

		assert_int_equal(rspsim_key_curve(ci->key), curves[i]);
		assert_int_equal(X509_verify(ci->certificate, X509_get0_pubkey(ci->eum)), 1);
		X509_NAME_get_text_by_NID(X509_get_subject_name(ci->certificate), NID_serialNumber,
			text, sizeof text);
		assert_string_equal(text, card->eid);
		X509_NAME_get_text_by_NID(X509_get_subject_name(ci->certificate),
			NID_organizationName, text, sizeof text);
		assert_string_equal(text, "Some EUM");
	}
	rspsim_card_free(card);
	card = rspsim_card_new("89033023123451234512345678901224");
	assert_null(rspsim_card_issue(card, path("brainpool")));
	assert_int_equal(card->ci_count, 1);
	assert_int_equal(rspsim_key_curve(card->ci[0].key), NID_brainpoolP256r1);
	assert_non_null(rspsim_card_issue(card, path("nowhere")));
	rspsim_card_free(card);
}

static void
what_is_written_comes_back(void **state)
{
	static const uint8_t iccid[10] = { 0x98, 0x00, 0x10, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32,
		0x14 };
	struct rspsim_card *card = rspsim_card_new("89033023123451234512345678901224"), *back;
	struct rspsim_notification n = { NULL, 7, RSPSIM_ENABLE, "smdp.test",
		SLICE_LIT("octets\0more") };
	struct rspsim_profile p = { .state = RSPSIM_ENABLED,
		.fallback = true,
		.aid = 17,
		.size = 12345,
		.metadata = SLICE_LIT("\xbf\x25\x00") };
	struct rspsim_one_time k = { NULL, SLICE_LIT("\x88\x37\x0a"),
		rspsim_key_new(NID_brainpoolP256r1) };
	struct stat st;

	(void)state;
	memcpy(p.iccid, iccid, sizeof iccid);
	assert_null(rspsim_card_issue(card, folder));
	card->notifications = &n;
	card->profiles = &p;
	card->one_times = &k;
	card->sequence = 9;
	card->forbidden_rules = RSPSIM_PPR2;
	assert_null(rspsim_card_write(card, path("card.json")));
	assert_int_equal(stat(path("card.json"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_null(rspsim_card_read(path("card.json"), &back));
	assert_string_equal(back->eid, card->eid);
	assert_int_equal(back->ci_count, 2);
	assert_true(slice_eq(back->ci[1].certificate_der, card->ci[1].certificate_der));
	assert_int_equal(EVP_PKEY_eq(back->ci[1].key, card->ci[1].key), 1);
	assert_int_equal(back->sequence, 9);
	assert_int_equal(back->forbidden_rules, RSPSIM_PPR2);
	assert_int_equal(back->memory, card->memory);
	assert_memory_equal(back->svn, card->svn, 3);
	assert_memory_equal(back->profiles->iccid, iccid, sizeof iccid);
	assert_int_equal(back->profiles->state, RSPSIM_ENABLED);
	assert_true(back->profiles->fallback);
	assert_false(back->profiles->marked_fallback);
	assert_false(back->iot.on);
	assert_int_equal(back->profiles->size, 12345);
	assert_true(slice_eq(back->profiles->metadata, p.metadata));
	assert_int_equal(back->notifications->sequence, 7);
	assert_int_equal(back->notifications->event, RSPSIM_ENABLE);
	assert_string_equal(back->notifications->address, "smdp.test");
	assert_true(slice_eq(back->notifications->octets, n.octets));
	assert_true(slice_eq(back->one_times->oid, k.oid));
	assert_int_equal(EVP_PKEY_eq(back->one_times->key, k.key), 1);
	rspsim_card_free(card);
	rspsim_card_free(back);
}

/* Every member of the IoT part, each with a value of its own. */
static void
an_iot_card_comes_back(void **state)
{
	static const uint8_t iccid[10] = { 0x98, 1 }, later[10] = { 0x98, 2 };
	struct rspsim_card *card = rspsim_card_new("89033023123451234512345678901224"), *back;
	struct rspsim_eim second = { .id = "1.2.3", .id_type = 1, .counter = 5 };
	struct rspsim_eim first = { &second, "eim.test", "eim.test", 2, 8388607, true, 77,
		{ RSPSIM_PUBLIC_KEY, SLICE_LIT("\x30\x00") },
		{ RSPSIM_PUBLIC_CERTIFICATE, SLICE_LIT("\x30\x01\x00") }, true, 0xc0,
		SLICE_LIT("12345678901234567890"), true };
	struct rspsim_kept kept = { NULL, 9, SLICE_LIT("\xbf\x51\x00") };
	const struct rspsim_iot *iot;

	(void)state;
	assert_null(rspsim_card_issue(card, folder));
	rspsim_iot_start(card, true);
	card->iot.next_token = 78;
	card->iot.eims = &first;
	card->iot.results = &kept;
	card->iot.default_dp = "smdp.test";
	card->iot.root_ds = "smds.test";
	card->iot.immediate = true;
	card->iot.immediate_oid = SLICE_LIT("\x88\x37");
	card->iot.immediate_address = "other.test";
	card->iot.before_fallback.known = true;
	memcpy(card->iot.before_fallback.octets, iccid, sizeof iccid);
	card->iot.way_back = (struct rspsim_way_back){ .open = true,
		.former = card->iot.before_fallback,
		.eim_id = "eim.test",
		.counter = SLICE_LIT("\x81\x01\x05"),
		.seal = SLICE_LIT("\x84\x01\x4d"),
		.results = SLICE_LIT("\x83\x01\x00"),
		.sequence = 9,
		.last = 11 };
	card->iot.way_back.now.known = true;
	memcpy(card->iot.way_back.now.octets, later, sizeof later);
	card->iot.features = 0x54;
	card->iot.protocols = 0x40;
	card->iot.told_certificates = true;
	card->iot.cause = RSPSIM_CAUSE_FALLBACK;
	assert_null(rspsim_card_write(card, path("card.json")));
	assert_null(rspsim_card_read(path("card.json"), &back));
	iot = &back->iot;
	assert_true(iot->on && iot->v10 && iot->immediate && iot->told_certificates);
	assert_int_equal(iot->next_token, 78);
	assert_string_equal(iot->eims->id, "eim.test");
	assert_string_equal(iot->eims->fqdn, "eim.test");
	assert_int_equal(iot->eims->id_type, 2);
	assert_int_equal(iot->eims->counter, 8388607);
	assert_true(iot->eims->has_token && iot->eims->has_protocols && iot->eims->indirect);
	assert_int_equal(iot->eims->token, 77);
	assert_int_equal(iot->eims->protocols, 0xc0);
	assert_int_equal(iot->eims->key.kind, RSPSIM_PUBLIC_KEY);
	assert_true(slice_eq(iot->eims->key.der, first.key.der));
	assert_int_equal(iot->eims->tls.kind, RSPSIM_PUBLIC_CERTIFICATE);
	assert_true(slice_eq(iot->eims->tls.der, first.tls.der));
	assert_true(slice_eq(iot->eims->ci_key_id, first.ci_key_id));
	assert_string_equal(iot->eims->next->id, "1.2.3");
	assert_null(iot->eims->next->fqdn);
	assert_false(iot->eims->next->has_token || iot->eims->next->has_protocols);
	assert_null(iot->eims->next->next);
	assert_int_equal(iot->results->sequence, 9);
	assert_true(slice_eq(iot->results->octets, kept.octets));
	assert_string_equal(iot->default_dp, "smdp.test");
	assert_string_equal(iot->root_ds, "smds.test");
	assert_string_equal(iot->immediate_address, "other.test");
	assert_true(slice_eq(iot->immediate_oid, card->iot.immediate_oid));
	assert_memory_equal(iot->before_fallback.octets, iccid, sizeof iccid);
	assert_false(iot->before_emergency.known);
	assert_true(iot->way_back.open && iot->way_back.former.known && iot->way_back.now.known);
	assert_memory_equal(iot->way_back.now.octets, later, sizeof later);
	assert_string_equal(iot->way_back.eim_id, "eim.test");
	assert_true(slice_eq(iot->way_back.counter, card->iot.way_back.counter));
	assert_false(iot->way_back.transaction.n);
	assert_true(slice_eq(iot->way_back.seal, card->iot.way_back.seal));
	assert_true(slice_eq(iot->way_back.results, card->iot.way_back.results));
	assert_int_equal(iot->way_back.sequence, 9);
	assert_int_equal(iot->way_back.last, 11);
	assert_int_equal(iot->features, 0x54);
	assert_int_equal(iot->protocols, 0x40);
	assert_int_equal(iot->cause, RSPSIM_CAUSE_FALLBACK);
	rspsim_card_free(card);
	rspsim_card_free(back);
}

static void
other_files_are_no_cards(void **state)
{
	static const char *const texts[] = { "", "{}", "[]", "{\"eid\":\"1\"}",
		"{\"eid\":\"89033023123451234512345678901224\"}",
		"{\"eid\":\"89033023123451234512345678901224\",\"cis\":[{}]}" };
	struct rspsim_card *card;

	(void)state;
	assert_non_null(rspsim_card_read(path("nowhere.json"), &card));
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		FILE *f = fopen(path("card.json"), "w");

		assert_non_null(f);
		fputs(texts[i], f);
		fclose(f);
		assert_non_null(rspsim_card_read(path("card.json"), &card));
		assert_null(card);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_eid_has_right_check_digits),
		cmocka_unit_test(a_card_is_issued_below_each_eum),
		cmocka_unit_test(what_is_written_comes_back),
		cmocka_unit_test(an_iot_card_comes_back),
		cmocka_unit_test(other_files_are_no_cards),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspsim_card", tests, setup, teardown);
}
