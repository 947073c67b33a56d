/*
 * `rspctl pki`: a test PKI is complete and passes its own check, also as a chain to an eUICC; a request
 * carries what its role needs; check finds each thing that is wrong and says what to do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "crypto/chain.h"
#include "rspctl/pki.h"
#include "unit/crypto_pki.h"

static char folder[64];
static char said[16384]; /* by the last command */
static struct arena mem;

static const char *
in(const char *name)
{
	return arena_printf(&mem, "%s/%s", folder, name);
}

static void
run_rm(const char *what)
{
	assert_int_equal(system(arena_printf(&mem, "rm -rf '%s'", what)), 0);
}

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 4 << 20, NULL, NULL);
	strcpy(folder, "/tmp/rspctl-pki-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	run_rm(folder);
	arena_fini(&mem);
	return 0;
}

/* Runs a command, its words split at blanks; what it prints goes to `said`. */
static int
run(const char *words)
{
	char copy[2048], *at = copy, *argv[64] = { 0 };
	FILE *f = tmpfile();
	int argc = 0, code, out = dup(1), err = dup(2);
	size_t n;

	assert_true(f && strlen(words) < sizeof copy);
	strcpy(copy, words);
	while (argc < 63 && (argv[argc] = strsep(&at, " ")))
		argc++;
	fflush(stdout);
	dup2(fileno(f), 1);
	dup2(fileno(f), 2);
	code = rspctl_pki(argc, argv);
	fflush(stdout);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	rewind(f);
	n = fread(said, 1, sizeof said - 1, f);
	said[n] = 0;
	fclose(f);
	return code;
}

static int
make(const char *options)
{
	return run(arena_printf(&mem, "make-test %s%s", in("pki"), options));
}

static int
check_config(void)
{
	return run(arena_printf(&mem, "check --config %s", in("pki/rspd.conf")));
}

static void
expect_said(const char *part)
{
	if (!strstr(said, part))
		fail_msg("not said: %s\n%s", part, said);
}

static X509 *
load_cert(const char *name)
{
	FILE *f = fopen(in(name), "r");
	X509 *cert = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;

	assert_non_null(cert);
	fclose(f);
	return cert;
}

static struct slice
load_der(const char *name)
{
	X509 *cert = load_cert(name);
	uint8_t *der = NULL;
	int n = i2d_X509(cert, &der);
	struct slice out = arena_copy(&mem, slice_of(der, (size_t)n));

	OPENSSL_free(der);
	X509_free(cert);
	return out;
}

static EVP_PKEY *
load_key(const char *name)
{
	FILE *f = fopen(in(name), "r");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;

	assert_non_null(key);
	fclose(f);
	return key;
}

static void
a_test_pki_is_complete(void **state)
{
	static const char *const names[] = { "ci", "eum", "dpauth", "dppb", "dptls", "dsauth",
		"dstls", "operator" };
	static const char *const trees[] = { "nist", "brainpool" };
	static const char *const others[] = { "cluster.key", "seal.key", "nist/dptls.key" };
	struct stat st;

	(void)state;
	assert_int_equal(make(" --dns smdp.example.org,other.example.org"), 0);
	for (size_t i = 0; i < 16; i++) {
		const char *tree = trees[i % 2], *name = names[i / 2];
		X509 *cert = load_cert(arena_printf(&mem, "pki/%s/%s.pem", tree, name));
		EVP_PKEY *key = load_key(arena_printf(&mem, "pki/%s/%s.key", tree, name));

		assert_int_equal(X509_check_private_key(cert, key), 1);
		X509_free(cert);
		EVP_PKEY_free(key);
	}
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(stat(in(arena_printf(&mem, "pki/%s", others[i])), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	for (size_t i = 0; i < 2; i++) { /* the SM-DS is reached as localhost too */
		X509 *cert = load_cert(arena_printf(&mem, "pki/%s/dstls.pem", trees[i]));

		assert_int_equal(X509_check_host(cert, "localhost", 0, 0, NULL), 1);
		assert_int_equal(X509_check_host(cert, "smdp.example.org", 0, 0, NULL), 1);
		X509_free(cert);
	}
	assert_int_equal(check_config(), 0);
	assert_int_equal(run(arena_printf(&mem, "check %s", in("pki/rspd.conf"))), 0);
	expect_said("OID 2.999.10");
	expect_said("listener brainpool");
	expect_said("listener operators");
	assert_null(strstr(said, "problem"));
}

/* An eUICC issued under it passes as a real one would. */
static void
its_eum_issues_euiccs(void **state)
{
	static const char *const trees[] = { "nist", "brainpool" };
	int64_t now = clock_wall_us() / 1000000;

	(void)state;
	assert_int_equal(make(" --eum-range 8903"), 0);
	for (size_t i = 0; i < 2; i++) {
		struct crypto_trust *trust = crypto_trust_new();
		struct pki_node eum = { .cert = load_cert(
						arena_printf(&mem, "pki/%s/eum.pem", trees[i])),
			.key = load_key(arena_printf(&mem, "pki/%s/eum.key", trees[i])) };
		struct slice eum_der = load_der(arena_printf(&mem, "pki/%s/eum.pem", trees[i]));
		struct pki_order order = {
			.extensions = "authorityKeyIdentifier=keyid\n"
				      "keyUsage=critical,digitalSignature\n"
				      "certificatePolicies=critical,2.23.146.1.2.1.1\n",
			.subject = "C=ES,O=RSP Test EUM,"
				   "serialNumber=89032032123451234512345678901235,CN=x",
			.not_after = "74960124000000Z",
			.issuer = &eum
		};
		struct crypto_euicc out;
		const char *why;

		assert_null(crypto_trust_add_root(
			trust, load_der(arena_printf(&mem, "pki/%s/ci.pem", trees[i]))));
		assert_int_equal(
			crypto_chain_euicc_verify(trust, now, eum_der,
				pki_issue(&mem, crypto_curve_name((enum crypto_curve)i), order)
					->der,
				SLICE_NONE, &out, &why),
			CHAIN_OK);
		order.subject = "C=ES,O=RSP Test EUM,"
				"serialNumber=89049032123451234512345678901235,CN=x";
		assert_int_equal(
			crypto_chain_euicc_verify(trust, now, eum_der,
				pki_issue(&mem, "P-256", order)->der, SLICE_NONE, &out, &why),
			CHAIN_EUICC_INVALID);
		crypto_trust_free(trust);
		X509_free(eum.cert);
		EVP_PKEY_free(eum.key);
	}
}

static void
a_folder_with_files_is_left_alone(void **state)
{
	struct slice before;

	(void)state;
	assert_int_equal(make(""), 0);
	before = load_der("pki/nist/ci.pem");
	assert_int_equal(make(""), 73);
	expect_said("--force");
	assert_true(slice_eq(before, load_der("pki/nist/ci.pem")));
	assert_int_equal(make(" --force"), 0);
	assert_false(slice_eq(before, load_der("pki/nist/ci.pem")));
	assert_int_equal(run("make-test /proc/nowhere"), 73);
}

static void
wrong_words_are_refused(void **state)
{
	static const char *const wrong[] = { "", "nonsense", "make-test", "make-test /tmp --oops",
		"make-test a b", "csr", "csr --role x --key a --out b", "check a b",
		"check a --config b", "csr --role auth --key a --out b", "csr --role auth",
		"csr --role tls --oid 2.999.10 --key a --out b",
		"csr --role auth --oid 2.999.10 --curve x --key a --out b", "check --ci",
		"check --ci a --auth-certificate b" };

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_int_equal(run(wrong[i]), 64);
		assert_true(strlen(said) > 20);
	}
	assert_int_equal(make(" --oid not.an.oid"), 64);
	assert_int_equal(make(" --force --eum-range 8904x"), 64);
}

/* The extensions of a request as OpenSSL prints them. */
static const char *
print_request(const char *name)
{
	FILE *f = fopen(in(name), "r");
	X509_REQ *request = f ? PEM_read_X509_REQ(f, NULL, NULL, NULL) : NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	const char *text;
	EVP_PKEY *key;
	char *p;
	long n;

	assert_non_null(request);
	fclose(f);
	key = X509_REQ_get0_pubkey(request);
	assert_int_equal(X509_REQ_verify(request, key), 1);
	X509_REQ_print(bio, request);
	n = BIO_get_mem_data(bio, &p);
	text = arena_string(&mem, slice_of(p, (size_t)n));
	BIO_free(bio);
	X509_REQ_free(request);
	return text;
}

static void
requests_carry_what_their_role_needs(void **state)
{
	static const struct {
		const char *options, *want[5];
	} row[] = {
		{ "--role auth --oid 2.999.10",
			{ "Registered ID:2.999.10", "2.23.146.1.2.1.4", "Digital Signature",
				"prime256v1", "CN=2.999.10" } },
		{ "--role pb --oid 2.999.10 --curve brainpool --subject O=ACME,CN=TEST",
			{ "Registered ID:2.999.10", "2.23.146.1.2.1.5", "Digital Signature",
				"brainpoolP256r1", "O=ACME, CN=TEST" } },
		{ "--role tls --oid 2.999.10 --dns a.example.org --dns b.example.org",
			{ "DNS:a.example.org, DNS:b.example.org, Registered ID:2.999.10",
				"2.23.146.1.2.1.3", "TLS Web Client Authentication",
				"CN=a.example.org", "TLS Web Server Authentication" } },
		{ "--role eim --dns eim.example.org",
			{ "DNS:eim.example.org", "Digital Signature", "CN=eim.example.org",
				"prime256v1", "X509v3 Key Usage: critical" } },
	};
	struct stat st;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		const char *text;

		assert_int_equal(run(arena_printf(&mem, "csr %s --key %s --out %s", row[i].options,
					 in(arena_printf(&mem, "%zu.key", i)), in("out.csr"))),
			0);
		text = print_request("out.csr");
		for (size_t j = 0; j < 5; j++)
			if (!strstr(text, row[i].want[j]))
				fail_msg("%s: no %s in\n%s", row[i].options, row[i].want[j], text);
		assert_int_equal(stat(in(arena_printf(&mem, "%zu.key", i)), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

static void
a_request_names_its_files_after_the_role(void **state)
{
	char before[4096];

	(void)state;
	assert_non_null(getcwd(before, sizeof before));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(run("csr --role pb --oid 2.999.10"), 0);
	assert_int_equal(chdir(before), 0);
	assert_int_equal(access(in("dppb.key"), R_OK), 0);
	assert_non_null(strstr(print_request("dppb.csr"), "Registered ID:2.999.10"));
}

static void
a_request_uses_the_key_that_is_there(void **state)
{
	const char *words = arena_printf(&mem, "csr --role auth --oid 2.999.10 --key %s --out %s",
		in("a.key"), in("out.csr"));
	EVP_PKEY *before, *after;

	(void)state;
	assert_int_equal(run(words), 0);
	before = load_key("a.key");
	assert_int_equal(run(words), 0);
	after = load_key("a.key");
	assert_int_equal(EVP_PKEY_eq(before, after), 1);
	EVP_PKEY_free(before);
	EVP_PKEY_free(after);
	assert_int_equal(run(arena_printf(&mem, "%s --curve brainpool", words)), 66);
	assert_int_equal(truncate(in("a.key"), 10), 0);
	assert_int_equal(run(words), 66);
}

/* Each damage by a shell command in the PKI's folder, and what check says of it. */
static void
check_finds_what_is_wrong(void **state)
{
	static const struct {
		const char *damage, *said;
	} row[] = {
		{ "cp nist/dppb.key nist/dpauth.key", "is not the private key" },
		{ "cp nist/dppb.pem nist/dpauth.pem; cp nist/dppb.key nist/dpauth.key",
			"lacks the critical policy of its role" },
		{ "cp brainpool/ci.pem nist/ci.pem", "is not issued by a configured CI" },
		{ "cp nist/eum.pem nist/ci.pem", "not signed by itself" },
		{ "echo > nist/ci.pem", "not a PEM certificate" },
		{ "echo > nist/dptls.pem", "not a PEM certificate" },
		{ "chmod 644 nist/dppb.key", "chmod o-rw" },
		{ "chmod 644 seal.key", "chmod o-rw" },
		{ "rm nist/dptls.key", "cannot be read" },
		{ "echo 12 > cluster.key", "openssl rand -hex 32" },
		{ "cp nist/dpauth.pem nist/dptls.pem; cp nist/dpauth.key nist/dptls.key",
			"bears no name localhost" },
		{ "sed -i 's/names = localhost/names = x.example.org/' rspd.conf",
			"bears no name x.example.org" },
		{ "cp other/nist/dp*.* nist/", "is not issued by a configured CI" },
		{ "cp other/nist/*.* nist/", "OID 2.999.12" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		run_rm(in("pki"));
		assert_int_equal(make(""), 0);
		assert_int_equal(
			run(arena_printf(&mem, "make-test %s --oid 2.999.12", in("pki/other"))), 0);
		assert_int_equal(check_config(), 0);
		assert_int_equal(
			system(arena_printf(&mem, "cd %s && (%s)", in("pki"), row[i].damage)), 0);
		assert_int_equal(check_config(), strncmp(row[i].said, "OID", 3) ? 1 : 0);
		expect_said(row[i].said);
	}
}

/* Certificates that only a CI can make, in the place of the listener's. */
static void
check_looks_into_tls_certificates(void **state)
{
#define SERVER                                                      \
	"subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n" \
	"keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,serverAuth\n"
#define ROLE "certificatePolicies=2.23.146.1.2.1.3\n"
#define NAMED "subjectAltName=DNS:localhost,RID:2.999."
	static const struct {
		const char *extensions, *not_after, *said;
		int code;
	} row[] = {
		{ SERVER ROLE NAMED "10", NULL, "listener nist", 0 },
		{ SERVER ROLE NAMED "12", NULL, "another OID", 1 },
		{ SERVER ROLE "subjectAltName=DNS:localhost", NULL, "another OID", 1 },
		{ SERVER NAMED "10", NULL, "id-rspRole-dp-tls", 1 },
		{ SERVER ROLE NAMED "10", "20250101000000Z", "out of date", 1 },
		{ "keyUsage=critical,keyAgreement\nextendedKeyUsage=clientAuth\n" ROLE NAMED "10",
			NULL, "does not lead to a configured CI", 1 },
	};
	struct pki_node ci;

	(void)state;
	assert_int_equal(make(""), 0);
	ci = (struct pki_node){ .cert = load_cert("pki/nist/ci.pem"),
		.key = load_key("pki/nist/ci.key") };
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct pki_node *n = pki_issue(&mem, "P-256",
			(struct pki_order){ .subject = "CN=localhost",
				.extensions = row[i].extensions,
				.not_after = row[i].not_after,
				.serial = 99,
				.issuer = &ci });
		FILE *cert = fopen(in("pki/nist/dptls.pem"), "w");
		FILE *key = fopen(in("pki/nist/dptls.key"), "w");

		assert_true(cert && key && PEM_write_X509(cert, n->cert));
		assert_true(PEM_write_PrivateKey(key, n->key, NULL, NULL, 0, NULL, NULL));
		fclose(cert);
		fclose(key);
		assert_int_equal(check_config(), row[i].code);
		expect_said(row[i].said);
	}
	X509_free(ci.cert);
	EVP_PKEY_free(ci.key);
}

static void
check_takes_single_files(void **state)
{
	const char *words;

	(void)state;
	assert_int_equal(make(""), 0);
	words = arena_printf(&mem,
		"check --ci %s --crl %s --auth-certificate %s --auth-key %s --pb-certificate %s "
		"--tls-certificate %s --tls-key %s --dns localhost --json",
		in("pki/nist/ci.pem"), in("pki/nist/ci.crl.pem"), in("pki/nist/dpauth.pem"),
		in("pki/nist/dpauth.key"), in("pki/nist/dppb.pem"), in("pki/nist/dptls.pem"),
		in("pki/nist/dptls.key"));
	assert_int_equal(run(words), 0);
	expect_said("\"state\": \"ok\"");
	assert_int_equal(
		run(arena_printf(&mem, "%s --pb-key %s", words, in("pki/nist/eum.key"))), 1);
	expect_said("\"state\": \"problem\"");
	assert_int_equal(run("check --config /nowhere/rspd.conf"), 78);
	expect_said("/nowhere/rspd.conf");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_test_pki_is_complete),
		TEST(its_eum_issues_euiccs),
		TEST(a_folder_with_files_is_left_alone),
		TEST(wrong_words_are_refused),
		TEST(requests_carry_what_their_role_needs),
		TEST(a_request_names_its_files_after_the_role),
		TEST(a_request_uses_the_key_that_is_there),
		TEST(check_finds_what_is_wrong),
		TEST(check_looks_into_tls_certificates),
		TEST(check_takes_single_files),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rspctl_pki", tests, NULL, NULL);
}
