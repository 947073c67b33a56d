/* Whose certificate is it: pinned ones by their octets, others by subject and chain (SGP.22 §2.6.6, §5.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include "dp/clients.h"

enum { NOW = 1700000000, DAY = 86400 };

static struct arena mem;

/* A certificate with its key. */
struct made {
	X509 *x;
	EVP_PKEY *key;
	struct slice der;
};

static void
extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static struct made
make(const char *name, const struct made *issuer, bool ca, int64_t begins, int64_t ends)
{
	struct made m = { .x = X509_new(), .key = EVP_EC_gen("P-256") };
	X509_NAME *subject = X509_get_subject_name(m.x);
	uint8_t *der = NULL;
	int n;

	X509_NAME_add_entry_by_txt(
		subject, "O", MBSTRING_UTF8, (const uint8_t *)"Example", -1, -1, 0);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0);
	X509_set_version(m.x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(m.x), 1);
	X509_set_issuer_name(m.x, issuer ? X509_get_subject_name(issuer->x) : subject);
	ASN1_TIME_set(X509_getm_notBefore(m.x), begins);
	ASN1_TIME_set(X509_getm_notAfter(m.x), ends);
	X509_set_pubkey(m.x, m.key);
	extend(m.x, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	assert_true(X509_sign(m.x, issuer ? issuer->key : m.key, EVP_sha256()) > 0);
	n = i2d_X509(m.x, &der);
	assert_true(n > 0);
	m.der = arena_copy(&mem, slice_of(der, (size_t)n));
	OPENSSL_free(der);
	return m;
}

static void
drop(struct made *m)
{
	X509_free(m->x);
	EVP_PKEY_free(m->key);
}

static struct crypto_client
read_client(struct slice chain)
{
	struct crypto_client own;

	assert_true(crypto_client_read(&mem, chain, &own));
	return own;
}

/* A row of the database for this certificate. */
static void
add(struct dp_clients *c, int64_t id, bool pinned, struct slice certificate, const char *subject,
	bool expired)
{
	struct crypto_client facts = read_client(certificate);

	dp_clients_add(c,
		&(struct store_client){ .client_id = id,
			.operator_id = id * 10,
			.operator_name = SLICE_LIT("acme"),
			.expired = expired,
			.pinned = pinned,
			.certificate = pinned ? SLICE_NONE : certificate,
			.sha256 = SLICE_ARRAY(facts.sha256),
			.subject = pinned ? facts.subject : slice_text(subject) });
}

/* The client's number; 0 with the reason. */
static int64_t
find(struct dp_clients *c, struct slice chain, int64_t now, const char **why)
{
	struct crypto_client own = read_client(chain);
	const struct store_client *client = dp_clients_find(c, chain, &own, now, why);

	return client ? client->client_id : 0;
}

static struct slice
join(struct slice a, struct slice b)
{
	uint8_t *both = arena_alloc(&mem, a.n + b.n);

	memcpy(both, a.p, a.n);
	memcpy(both + a.n, b.p, b.n);
	return slice_of(both, a.n + b.n);
}

static void
facts_are_read(void **state)
{
	struct made one = make("es2", NULL, false, NOW - DAY, NOW + DAY);
	struct made ca = make("ca", NULL, true, NOW - DAY, NOW + DAY);
	struct crypto_client own = read_client(join(one.der, ca.der));

	(void)state;
	assert_true(slice_eq(own.subject, SLICE_LIT("CN=es2,O=Example")));
	assert_int_equal(own.not_before, NOW - DAY);
	assert_int_equal(own.not_after, NOW + DAY);
	assert_true(slice_eq(own.der, one.der));
	assert_true(crypto_client_is_ca(ca.der));
	assert_false(crypto_client_is_ca(one.der));
	assert_false(crypto_client_is_ca(SLICE_LIT("no certificate")));
	assert_false(crypto_client_read(&mem, SLICE_LIT("0"), &own));
	assert_false(crypto_client_read(&mem, slice_sub(one.der, 0, one.der.n - 1), &own));
	drop(&one);
	drop(&ca);
}

static void
pinned_ones_are_known_by_their_octets(void **state)
{
	struct made many[20], alike = make("es2-3", NULL, false, NOW - DAY, NOW + DAY);
	struct dp_clients *c = dp_clients_new();
	const char *why;

	(void)state;
	for (int i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof name, "es2-%d", i);
		many[i] = make(name, NULL, false, NOW - DAY, NOW + DAY);
		add(c, i + 1, true, many[i].der, NULL, false);
	}
	dp_clients_settle(c, SLICE_LIT("digest"));
	assert_int_equal(dp_clients_count(c), 20);
	assert_true(slice_eq(dp_clients_digest(c), SLICE_LIT("digest")));
	for (int i = 0; i < 20; i++) {
		assert_int_equal(find(c, many[i].der, NOW, &why), i + 1);
		drop(&many[i]);
	}
	assert_int_equal(find(c, alike.der, NOW, &why), 0);
	assert_string_equal(why, "nobody's-certificate");
	drop(&alike);
	dp_clients_free(c);
}

static void
a_pinned_one_counts_while_it_is_valid_or_its_operator_says_so(void **state)
{
	struct made strict = make("strict", NULL, false, NOW - DAY, NOW + DAY);
	struct made easy = make("easy", NULL, false, NOW - DAY, NOW + DAY);
	struct dp_clients *c = dp_clients_new();
	const char *why;

	(void)state;
	add(c, 1, true, strict.der, NULL, false);
	add(c, 2, true, easy.der, NULL, true);
	dp_clients_settle(c, SLICE_LIT("d"));
	assert_int_equal(find(c, strict.der, NOW + DAY, &why), 1);
	assert_int_equal(find(c, strict.der, NOW + DAY + 1, &why), 0);
	assert_string_equal(why, "certificate-expired");
	assert_int_equal(find(c, easy.der, NOW + DAY + 1, &why), 2);
	assert_int_equal(find(c, easy.der, NOW - DAY - 1, &why), 0);
	assert_string_equal(why, "certificate-not-yet-valid");
	drop(&strict);
	drop(&easy);
	dp_clients_free(c);
}

static void
others_are_known_by_subject_and_chain(void **state)
{
	struct made ca = make("ca", NULL, true, NOW - DAY, NOW + 9 * DAY);
	struct made twin = make("ca", NULL, true, NOW - DAY, NOW + 9 * DAY);
	struct made between = make("between", &ca, true, NOW - DAY, NOW + 2 * DAY);
	struct made direct = make("es2", &ca, false, NOW - DAY, NOW + DAY);
	struct made behind = make("es2", &between, false, NOW - DAY, NOW + 5 * DAY);
	struct made other = make("es3", &ca, false, NOW - DAY, NOW + DAY);
	struct made forged = make("es2", &twin, false, NOW - DAY, NOW + DAY);
	struct slice chain = join(behind.der, between.der);
	struct dp_clients *c = dp_clients_new();
	const char *why;

	(void)state;
	add(c, 1, false, twin.der, "CN=es2,O=Example", false);
	add(c, 2, false, ca.der, "CN=es2,O=Example", false);
	dp_clients_settle(c, SLICE_LIT("d"));
	for (int i = 0; i < 2; i++) { /* verified, and then remembered */
		assert_int_equal(find(c, direct.der, NOW, &why), 2);
		assert_int_equal(find(c, chain, NOW, &why), 2);
		assert_int_equal(find(c, forged.der, NOW, &why), 1);
	}
	assert_int_equal(find(c, behind.der, NOW, &why), 0); /* what leads to the CA is missing */
	assert_int_equal(find(c, other.der, NOW, &why), 0);
	/* Remembered no longer than the first of the chain lasts. */
	assert_int_equal(find(c, direct.der, NOW + DAY + 1, &why), 0);
	assert_int_equal(find(c, chain, NOW + 2 * DAY + 1, &why), 0);
	drop(&ca);
	drop(&twin);
	drop(&between);
	drop(&direct);
	drop(&behind);
	drop(&other);
	drop(&forged);
	dp_clients_free(c);
}

static void
a_requester_is_of_one_operator(void **state)
{
	struct made own = make("own", NULL, false, NOW - DAY, NOW + DAY);
	struct store_client row = { .operator_name = SLICE_LIT("x"),
		.sha256 = SLICE_LIT("1"),
		.subject = SLICE_LIT("CN=x") };
	struct dp_clients *c = dp_clients_new();

	(void)state;
	add(c, 1, true, own.der, NULL, false); /* nothing is agreed with it */
	for (int64_t id = 20; id < 40; id += 5) {
		char oid[16];

		snprintf(oid, sizeof oid, "2.999.%d", (int)(id / 10));
		row.operator_id = id / 10;
		row.requester = slice_text(oid);
		dp_clients_add(c, &row);
	}
	dp_clients_settle(c, SLICE_LIT("d"));
	assert_true(dp_clients_requester_is_others(c, SLICE_LIT("2.999.2"), 10));
	assert_true(dp_clients_requester_is_others(c, SLICE_LIT("2.999.3"), 2));
	assert_false(dp_clients_requester_is_others(c, SLICE_LIT("2.999.3"), 3));
	assert_false(dp_clients_requester_is_others(c, SLICE_LIT("2.999.4"), 10));
	assert_false(dp_clients_requester_is_others(c, SLICE_LIT(""), 10));
	drop(&own);
	dp_clients_free(c);
}

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 1 << 20, NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_fini(&mem);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(facts_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			pinned_ones_are_known_by_their_octets, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_pinned_one_counts_while_it_is_valid_or_its_operator_says_so, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			others_are_known_by_subject_and_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(a_requester_is_of_one_operator, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
