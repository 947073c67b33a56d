/*
 * Certificate chains on both curves: every wrong certificate of SGP.26 and more, each with the outcome
 * that an LPA's test suite expects; revocation; the memory of EUM certificates; the SM-DP+'s own pair.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "crypto/chain.h"
#include "unit/crypto_pki.h"

#define EID "89049032123451234512345678901235"
enum { NOW = 1750000000 };

#define CI                                                \
	"subjectKeyIdentifier=hash\n"                     \
	"basicConstraints=critical,CA:TRUE\n"             \
	"certificatePolicies=critical,2.23.146.1.2.1.0\n" \
	"keyUsage=critical,keyCertSign,cRLSign\n"         \
	"subjectAltName=RID:2.999.1\n"
#define IDS "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
#define BASIC "basicConstraints=critical,CA:TRUE,pathlen:0\n"
#define CERT_SIGN "keyUsage=critical,keyCertSign\n"
#define SIGN "keyUsage=critical,digitalSignature\n"
#define POLICY(n) "certificatePolicies=critical,2.23.146.1.2.1." #n "\n"
#define POINTS "crlDistributionPoints=URI:http://crl.example.org/ci.crl\n"
#define NAMES                                             \
	"nameConstraints=critical,permitted;dirName:nc\n" \
	"[nc]\n1.O=RSP Test EUM\n2.serialNumber=89049032\n"
#define EUM IDS CERT_SIGN POLICY(2) "subjectAltName=RID:2.999.5\n" BASIC POINTS NAMES
#define EUICC IDS SIGN POLICY(1)
#define EUM_SUBJECT "C=ES,O=RSP Test EUM,CN=EUM Test"
#define EUICC_SUBJECT "C=ES,O=RSP Test EUM,serialNumber=" EID ",CN=Test eUICC"

/* permittedEins of v3: SEQUENCE OF PrintableString */
#define EINS(list) "2.23.146.1.2.2.0=critical,ASN1:SEQUENCE:eins\n[eins]\n" list

static struct arena mem;
static struct crypto_trust *trust;
static struct pki_node *ci, *stranger, *eum;
static const char *curve;

static int
setup(void **state)
{
	struct pki_order root = {
		.subject = "CN=Test CI,OU=TESTCERT,O=MYTEST,C=IT", .extensions = CI, .serial = 1
	};

	curve = crypto_curve_name((enum crypto_curve)(uintptr_t)*state);
	arena_init(&mem, 4 << 20, NULL, NULL);
	trust = crypto_trust_new();
	ci = pki_issue(&mem, curve, root);
	stranger = pki_issue(&mem, curve, root);
	assert_null(crypto_trust_add_root(trust, ci->der));
	eum = pki_issue(&mem, curve,
		(struct pki_order){
			.subject = EUM_SUBJECT, .extensions = EUM, .serial = 2, .issuer = ci });
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	crypto_trust_free(trust);
	arena_fini(&mem);
	return 0;
}

static enum crypto_chain
verify(struct slice eum_der, struct slice euicc_der, struct crypto_euicc *out)
{
	const char *why = NULL;
	enum crypto_chain got =
		crypto_chain_euicc_verify(trust, NOW, eum_der, euicc_der, SLICE_NONE, out, &why);

	assert_non_null(why);
	return got;
}

static struct pki_node *
issue_euicc(const struct pki_node *by)
{
	return pki_issue(&mem, curve,
		(struct pki_order){ .subject = EUICC_SUBJECT,
			.extensions = EUICC,
			.not_after = "74960124000000Z",
			.serial = 3,
			.issuer = by });
}

static void
a_right_chain_tells_the_eid(void **state)
{
	struct pki_node *euicc = issue_euicc(eum);
	struct crypto_euicc out;
	struct crypto_cert c;

	assert_int_equal(verify(eum->der, euicc->der, &out), CHAIN_OK);
	assert_string_equal(out.eid, EID);
	assert_string_equal(out.eum_name, "RSP Test EUM");
	assert_int_equal(out.key.curve, (uintptr_t)*state);
	assert_true(crypto_cert_read(&c, euicc->der));
	assert_true(crypto_public_eq(&out.key, &c.key));
	assert_true(c.not_after == 174385699200); /* 7496-01-24, beyond 32 bits */
	assert_memory_equal(out.eum_key_id, c.authority_key_id.p, 20);
	assert_true(crypto_cert_read(&c, ci->der));
	assert_memory_equal(out.ci_id, c.subject_key_id.p, 20);
	assert_non_null(crypto_trust_find(trust, c.subject_key_id));
	assert_int_equal(crypto_trust_count(trust), 1);
	assert_ptr_equal(crypto_trust_get(trust, 0), crypto_trust_find(trust, c.subject_key_id));
	/* And again, out of the memory. */
	assert_int_equal(verify(eum->der, euicc->der, &out), CHAIN_OK);
}

/* Who signs. */
enum by { BY_CI, BY_STRANGER, BY_ITSELF, BY_FALSE_CI, BY_RENAMED };

#define ROW(what, outcome, ...)                                          \
	{                                                                \
		.name = what, .want = outcome, .extensions = __VA_ARGS__ \
	}

static const struct row {
	const char *name;
	enum crypto_chain want;
	const char *extensions;
	const char *not_after, *not_before, *subject;
	enum by by;
} eum_rows[] = {
	ROW("self-signed, no authority, no CA", CHAIN_EUM_INVALID, CERT_SIGN POLICY(2), .by = BY_ITSELF),
	ROW("expired, and faulty otherwise", CHAIN_EUM_EXPIRED, IDS CERT_SIGN POLICY(4),
		.not_after = "20250101000000Z"),
	ROW("not yet valid", CHAIN_EUM_EXPIRED, EUM, .not_before = "20300101000000Z"),
	ROW("unknown CI, and faulty otherwise", CHAIN_CI_UNKNOWN, IDS CERT_SIGN POLICY(4),
		.by = BY_STRANGER),
	ROW("names the CI but is not signed by it", CHAIN_EUM_INVALID, EUM, .by = BY_FALSE_CI),
	ROW("the same, expired", CHAIN_EUM_INVALID, EUM, .not_after = "20250101000000Z", .by = BY_FALSE_CI),
	ROW("signed by the CI under another name", CHAIN_EUM_INVALID, EUM, .by = BY_RENAMED),
	ROW("signed, no authority", CHAIN_EUM_INVALID,
		"subjectKeyIdentifier=hash\n" CERT_SIGN POLICY(2) BASIC NAMES),
	ROW("no subject key id", CHAIN_EUM_INVALID,
		"authorityKeyIdentifier=keyid\n" CERT_SIGN POLICY(2) BASIC NAMES),
	ROW("no basicConstraints", CHAIN_EUM_INVALID, IDS CERT_SIGN POLICY(2) NAMES),
	ROW("not a CA", CHAIN_EUM_INVALID,
		IDS CERT_SIGN POLICY(2) "basicConstraints=critical,CA:FALSE\n" NAMES),
	ROW("no path length", CHAIN_EUM_INVALID,
		IDS CERT_SIGN POLICY(2) "basicConstraints=critical,CA:TRUE\n" NAMES),
	ROW("path length 1", CHAIN_EUM_INVALID,
		IDS CERT_SIGN POLICY(2) "basicConstraints=critical,CA:TRUE,pathlen:1\n" NAMES),
	ROW("no keyUsage", CHAIN_EUM_INVALID, IDS POLICY(2) BASIC NAMES),
	ROW("keyUsage of an end entity", CHAIN_EUM_INVALID, IDS SIGN POLICY(2) BASIC NAMES),
	ROW("keyUsage not critical", CHAIN_EUM_INVALID,
		IDS "keyUsage=keyCertSign\n" POLICY(2) BASIC NAMES),
	ROW("no policy", CHAIN_EUM_INVALID, IDS CERT_SIGN BASIC NAMES),
	ROW("policy of another role", CHAIN_EUM_INVALID, IDS CERT_SIGN POLICY(1) BASIC NAMES),
	ROW("policy not critical", CHAIN_EUM_INVALID,
		IDS CERT_SIGN "certificatePolicies=2.23.146.1.2.1.2\n" BASIC NAMES),
	ROW("no constraints", CHAIN_EUM_INVALID, IDS CERT_SIGN POLICY(2) BASIC),
	ROW("unknown critical extension", CHAIN_EUM_INVALID,
		IDS CERT_SIGN POLICY(2) BASIC "1.2.3.4=critical,DER:0500\n" NAMES),
	ROW("unknown extension, not critical", CHAIN_OK,
		IDS CERT_SIGN POLICY(2) BASIC "1.2.3.4=DER:0500\n" NAMES),
	ROW("ten years old but valid", CHAIN_OK, EUM, .not_before = "20150101000000Z"),
	ROW("organization as PrintableString", CHAIN_OK,
		IDS CERT_SIGN POLICY(2) BASIC
		"nameConstraints=critical,DER:"
		"3032A030302EA42C302A31153013060355040A130C5253502054657374"
		"2045554D3111300F06035504051308"
		"3839303439303332\n"),
	ROW("constraints with two issuer numbers", CHAIN_OK,
		IDS CERT_SIGN POLICY(2) BASIC
		"nameConstraints=critical,permitted;dirName:x,permitted;dirName:y\n"
		"[x]\nserialNumber=89033023\n[y]\nserialNumber=89049032\n"),
	ROW("constraints for another issuer number", CHAIN_EUICC_INVALID,
		IDS CERT_SIGN POLICY(2) BASIC
		"nameConstraints=critical,permitted;dirName:x\n"
		"[x]\n1.O=RSP Test EUM\n2.serialNumber=89033023\n"),
	ROW("constraints for another organization", CHAIN_EUICC_INVALID,
		IDS CERT_SIGN POLICY(2) BASIC
		"nameConstraints=critical,permitted;dirName:x\n"
		"[x]\n1.O=RSP Test\n2.serialNumber=89049032\n"),
	ROW("constraints that exclude", CHAIN_EUICC_INVALID,
		IDS CERT_SIGN POLICY(2) BASIC
		"nameConstraints=critical,permitted;dirName:x,excluded;dirName:y\n"
		"[x]\nserialNumber=8904\n[y]\nserialNumber=890490321\n"),
	ROW("constraints of names alone", CHAIN_EUICC_INVALID,
		IDS CERT_SIGN POLICY(2) BASIC "nameConstraints=critical,permitted;DNS:x.org\n"),
	ROW("malformed constraints", CHAIN_EUICC_INVALID,
		IDS CERT_SIGN POLICY(2) BASIC "nameConstraints=critical,DER:3005A003\n"),
	ROW("permittedEins of v3", CHAIN_OK,
		IDS CERT_SIGN POLICY(2) BASIC
		EINS("1=PRINTABLESTRING:89033023\n2=PRINTABLESTRING:89049032\n")),
	ROW("permittedEins for others", CHAIN_EUICC_INVALID,
		IDS CERT_SIGN POLICY(2) BASIC EINS("1=PRINTABLESTRING:89033023\n")),
	ROW("permittedEins, none", CHAIN_EUICC_INVALID,
		IDS CERT_SIGN POLICY(2) BASIC "2.23.146.1.2.2.0=critical,DER:3000\n"),
}, euicc_rows[] = {
	ROW("self-signed, other organization", CHAIN_EUICC_INVALID, SIGN POLICY(1),
		.subject = "C=ES,O=Other,serialNumber=" EID ",CN=Test eUICC", .by = BY_ITSELF),
	ROW("expired", CHAIN_EUICC_EXPIRED, EUICC, .not_after = "20250101000000Z"),
	ROW("expired, and faulty otherwise", CHAIN_EUICC_EXPIRED, IDS, .not_after = "20250101000000Z"),
	ROW("not yet valid", CHAIN_EUICC_EXPIRED, EUICC, .not_before = "20300101000000Z"),
	ROW("EID out of range", CHAIN_EUICC_INVALID, EUICC,
		.subject = "C=ES,O=RSP Test EUM,serialNumber=89049033123451234512345678901235,CN=x"),
	ROW("other organization", CHAIN_EUICC_INVALID, EUICC,
		.subject = "C=ES,O=RSP Test EUM 2,serialNumber=" EID ",CN=x"),
	ROW("no organization", CHAIN_EUICC_INVALID, EUICC, .subject = "serialNumber=" EID ",CN=x"),
	ROW("EID of 31 digits", CHAIN_EUICC_INVALID, EUICC,
		.subject = "C=ES,O=RSP Test EUM,serialNumber=8904903212345123451234567890123,CN=x"),
	ROW("EID with a letter", CHAIN_EUICC_INVALID, EUICC,
		.subject = "C=ES,O=RSP Test EUM,serialNumber=8904903212345123451234567890123A,CN=x"),
	ROW("no EID", CHAIN_EUICC_INVALID, EUICC, .subject = "C=ES,O=RSP Test EUM,CN=x"),
	ROW("not signed by the EUM", CHAIN_EUICC_INVALID, EUICC, .by = BY_FALSE_CI),
	ROW("signed by the EUM under another name", CHAIN_EUICC_INVALID, EUICC, .by = BY_RENAMED),
	ROW("no authority", CHAIN_EUICC_INVALID, SIGN POLICY(1)),
	ROW("no keyUsage", CHAIN_EUICC_INVALID, IDS POLICY(1)),
	ROW("keyUsage keyAgreement", CHAIN_EUICC_INVALID,
		IDS "keyUsage=critical,keyAgreement\n" POLICY(1)),
	ROW("keyUsage not critical", CHAIN_EUICC_INVALID, IDS "keyUsage=digitalSignature\n" POLICY(1)),
	ROW("policy of an EUM", CHAIN_EUICC_INVALID, IDS SIGN POLICY(2)),
	ROW("policy not critical", CHAIN_EUICC_INVALID,
		IDS SIGN "certificatePolicies=2.23.146.1.2.1.1\n"),
	ROW("a CA", CHAIN_EUICC_INVALID, EUICC "basicConstraints=critical,CA:TRUE\n"),
	ROW("unknown critical extension", CHAIN_EUICC_INVALID,
		EUICC "extendedKeyUsage=critical,serverAuth\n"),
	ROW("basicConstraints that say no", CHAIN_OK, EUICC "basicConstraints=critical,CA:FALSE\n"),
	ROW("more policies", CHAIN_OK,
		IDS SIGN "certificatePolicies=critical,1.2.3.4,2.23.146.1.2.1.1\n"),
	ROW("no subject key id", CHAIN_OK, "authorityKeyIdentifier=keyid\n" SIGN POLICY(1)),
};

/* Signed by another key under the name and key id of `as`. */
static struct pki_node *
impostor(const struct pki_node *as)
{
	struct pki_node *n = ARENA_NEW(&mem, struct pki_node);

	*n = (struct pki_node){ .key = stranger->key, .cert = as->cert };
	return n;
}

/* The same key with the same key id, of another name. */
static struct pki_node *
renamed(const struct pki_node *as)
{
	return pki_issue(&mem, curve,
		(struct pki_order){ .subject = "CN=Somebody else",
			.extensions = CI,
			.serial = 78,
			.key = as->key });
}

static struct pki_node *
issue_row(const struct row *r, const char *subject, const struct pki_node *by)
{
	const struct pki_node *issuer = r->by == BY_CI ? by
		: r->by == BY_STRANGER                 ? stranger
		: r->by == BY_FALSE_CI                 ? impostor(by)
		: r->by == BY_RENAMED                  ? renamed(by)
						       : NULL;

	return pki_issue(&mem, curve,
		(struct pki_order){ .subject = r->subject ? r->subject : subject,
			.extensions = r->extensions,
			.not_before = r->not_before,
			.not_after = r->not_after,
			.serial = 77,
			.issuer = issuer });
}

static void
expect(const struct row *r, struct slice eum_der, struct slice euicc_der)
{
	struct crypto_euicc out = { 0 };
	enum crypto_chain got = verify(eum_der, euicc_der, &out);

	if (got != r->want)
		fail_msg("%s: %d instead of %d", r->name, got, r->want);
	assert_int_equal(out.eid[0] != 0, got == CHAIN_OK);
}

static void
each_fault_of_an_eum_has_its_outcome(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof eum_rows / sizeof eum_rows[0]; i++) {
		struct pki_node *n = issue_row(&eum_rows[i], EUM_SUBJECT, ci);
		/* Without a key id OpenSSL cannot issue below it; nobody looks that far. */
		bool has_id = strstr(eum_rows[i].extensions, "subjectKeyId") != NULL;
		struct slice euicc = issue_euicc(has_id ? n : eum)->der;

		expect(&eum_rows[i], n->der, euicc);
		expect(&eum_rows[i], n->der, euicc); /* perhaps remembered by now */
	}
}

static void
each_fault_of_an_euicc_has_its_outcome(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof euicc_rows / sizeof euicc_rows[0]; i++)
		expect(&euicc_rows[i], eum->der,
			issue_row(&euicc_rows[i], EUICC_SUBJECT, eum)->der);
}

static void
the_chosen_ci_must_be_at_the_top(void **state)
{
	struct slice euicc = issue_euicc(eum)->der;
	struct crypto_cert one, other;
	struct crypto_euicc out;
	const char *why;

	(void)state;
	assert_null(crypto_trust_add_root(trust, stranger->der));
	assert_true(crypto_cert_read(&one, ci->der) && crypto_cert_read(&other, stranger->der));
	for (int i = 0; i < 2; i++) { /* anew, then remembered */
		assert_int_equal(crypto_chain_euicc_verify(trust, NOW, eum->der, euicc,
					 one.subject_key_id, &out, &why),
			CHAIN_OK);
		assert_int_equal(crypto_chain_euicc_verify(trust, NOW, eum->der, euicc,
					 other.subject_key_id, &out, &why),
			CHAIN_CI_UNKNOWN);
	}
}

static void
time_passes_for_what_is_remembered(void **state)
{
	static const struct {
		int64_t now;
		enum crypto_chain want;
	} row[] = { { NOW, CHAIN_OK }, { 1577836799, CHAIN_CI_UNKNOWN },    /* before 2020 */
		{ 2524608000, CHAIN_OK }, { 2524608001, CHAIN_CI_UNKNOWN }, /* past 2050 */
		{ NOW, CHAIN_OK } };
	struct slice euicc = issue_euicc(eum)->der;
	struct pki_node *brief = pki_issue(&mem, curve,
		(struct pki_order){ .subject = EUM_SUBJECT,
			.extensions = EUM,
			.not_after = "20300101000000Z",
			.serial = 4,
			.issuer = ci });
	struct crypto_euicc out;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_int_equal(crypto_chain_euicc_verify(trust, row[i].now, eum->der, euicc,
					 SLICE_NONE, &out, &why),
			row[i].want);
	euicc = issue_euicc(brief)->der;
	assert_int_equal(verify(brief->der, euicc, &out), CHAIN_OK);
	assert_int_equal(crypto_chain_euicc_verify(
				 trust, 1893456001, brief->der, euicc, SLICE_NONE, &out, &why),
		CHAIN_EUM_EXPIRED);
}

static void
more_eums_than_are_remembered(void **state)
{
	struct pki_node *n[70];
	struct slice euicc[70];
	struct crypto_euicc out;

	(void)state;
	for (long i = 0; i < 70; i++) {
		n[i] = pki_issue(&mem, curve,
			(struct pki_order){ .subject = EUM_SUBJECT,
				.extensions = EUM,
				.serial = 1000 + i,
				.issuer = ci });
		euicc[i] = issue_euicc(n[i])->der;
	}
	for (int i = 0; i < 140; i++)
		assert_int_equal(verify(n[i % 70]->der, euicc[i % 70], &out), CHAIN_OK);
	assert_int_equal(verify(n[0]->der, euicc[1], &out), CHAIN_EUICC_INVALID);
}

#define CRL "authorityKeyIdentifier=keyid\n"
#define CRL_POINT                                      \
	CRL "issuingDistributionPoint=critical,@idp\n" \
	    "2.23.146.1.2.0.2=critical,DER:020101\n"   \
	    "[idp]\nfullname=URI:http://crl.example.org/ci.crl\n"

static void
revoked_certificates_are_refused(void **state)
{
	static const long others[] = { 1, 3, 128, 255, 256, 65536 }, with_eum[] = { 300, 2, 5, 1 };
	static const long with_euicc[] = { 3 };
	struct slice euicc = issue_euicc(eum)->der;
	struct crypto_euicc out;

	(void)state;
	assert_int_equal(verify(eum->der, euicc, &out), CHAIN_OK);
	assert_null(crypto_trust_add_crl(trust, pki_crl(&mem, ci, CRL, NULL, 0)));
	assert_null(crypto_trust_add_crl(trust, pki_crl(&mem, ci, CRL_POINT, others, 6)));
	assert_int_equal(crypto_trust_get(trust, 0)->crls, 2);
	assert_true(crypto_trust_get(trust, 0)->crl_next_update == 1800000000);
	assert_int_equal(verify(eum->der, euicc, &out), CHAIN_OK);
	/* One that claims to be the EUM's but is not changes nothing. */
	assert_null(crypto_trust_add_crl(trust, pki_crl(&mem, impostor(eum), CRL, with_euicc, 1)));
	assert_int_equal(verify(eum->der, euicc, &out), CHAIN_OK);
	assert_null(crypto_trust_add_crl(trust, pki_crl(&mem, eum, CRL, with_euicc, 1)));
	assert_int_equal(verify(eum->der, euicc, &out), CHAIN_EUICC_INVALID);
	/* The EUM that was remembered a moment ago. */
	assert_null(crypto_trust_add_crl(trust, pki_crl(&mem, ci, CRL, with_eum, 4)));
	assert_int_equal(verify(eum->der, euicc, &out), CHAIN_EUM_INVALID);
}

static void
lists_that_cannot_be_trusted_are_refused(void **state)
{
	static const long serial[] = { 2 };
	struct slice good = pki_crl(&mem, ci, CRL, serial, 1);
	uint8_t *copy = arena_alloc(&mem, good.n);

	(void)state;
	assert_non_null(crypto_trust_add_crl(trust, pki_crl(&mem, impostor(ci), CRL, serial, 1)));
	assert_non_null(crypto_trust_add_crl(
		trust, pki_crl(&mem, ci, "crlNumber=DER:020101\n", serial, 1)));
	assert_non_null(crypto_trust_add_crl(
		trust, pki_crl(&mem, ci, CRL "1.2.3=critical,DER:0500\n", serial, 1)));
	assert_non_null(crypto_trust_add_crl(trust,
		pki_crl(&mem, ci,
			CRL "issuingDistributionPoint=critical,@idp\n[idp]\nindirectCRL=TRUE\n",
			serial, 1)));
	assert_non_null(crypto_trust_add_crl(
		trust, pki_crl(&mem, ci, CRL "deltaCRL=critical,DER:020101\n", serial, 1)));
	for (size_t i = 0; i < good.n; i++)
		assert_non_null(crypto_trust_add_crl(trust, slice_of(good.p, i)));
	memcpy(copy, good.p, good.n);
	copy[good.n / 2] ^= 1;
	assert_non_null(crypto_trust_add_crl(trust, slice_of(copy, good.n)));
	assert_int_equal(crypto_trust_get(trust, 0)->crls, 0);
}

static void
lists_are_replaced_all_or_none(void **state)
{
	static const long with_eum[] = { 2 };
	struct slice euicc = issue_euicc(eum)->der;
	struct slice empty = pki_crl(&mem, ci, CRL, NULL, 0);
	struct slice full = pki_crl(&mem, ci, CRL, with_eum, 1);
	struct slice forged = pki_crl(&mem, impostor(ci), CRL, NULL, 0);
	struct crypto_euicc out;
	size_t bad;

	(void)state;
	assert_null(crypto_trust_add_crl(trust, empty));
	assert_int_equal(verify(eum->der, euicc, &out), CHAIN_OK);
	assert_null(
		crypto_trust_replace_crls(trust, (const struct slice[]){ empty, full }, 2, &bad));
	assert_int_equal(crypto_trust_crl_count(trust), 2);
	assert_int_equal(crypto_trust_get(trust, 0)->crls, 2);
	assert_true(crypto_trust_crl_get(trust, 1)->next_update == 1800000000);
	assert_true(slice_eq(crypto_trust_crl_get(trust, 1)->der, full));
	assert_int_equal(verify(eum->der, euicc, &out), CHAIN_EUM_INVALID);
	/* One that is broken: the others stay as they were. */
	assert_non_null(
		crypto_trust_replace_crls(trust, (const struct slice[]){ empty, forged }, 2, &bad));
	assert_int_equal(bad, 1);
	assert_int_equal(crypto_trust_crl_count(trust), 2);
	assert_int_equal(crypto_trust_get(trust, 0)->crls, 2);
	assert_int_equal(verify(eum->der, euicc, &out), CHAIN_EUM_INVALID);
	/* What was revoked is not, and the EUM that was refused is judged anew. */
	assert_null(crypto_trust_replace_crls(trust, &empty, 1, &bad));
	assert_int_equal(verify(eum->der, euicc, &out), CHAIN_OK);
	assert_null(crypto_trust_replace_crls(trust, NULL, 0, &bad));
	assert_int_equal(crypto_trust_get(trust, 0)->crls, 0);
	assert_true(crypto_trust_get(trust, 0)->crl_next_update == 0);
}

static void
roots_are_looked_at(void **state)
{
	struct pki_order root = {
		.subject = "CN=Test CI", .extensions = CI, .serial = 1, .key = ci->key
	};
	uint8_t *copy = arena_alloc(&mem, ci->der.n);
	struct pki_node *later;
	char *id;

	(void)state;
	assert_non_null(crypto_trust_add_root(trust, eum->der));
	assert_non_null(crypto_trust_add_root(trust, slice_sub(ci->der, 0, ci->der.n - 1)));
	memcpy(copy, ci->der.p, ci->der.n);
	copy[ci->der.n - 1] ^= 1;
	assert_non_null(crypto_trust_add_root(trust, slice_of(copy, ci->der.n)));
	root.extensions = "subjectKeyIdentifier=hash\nbasicConstraints=CA:FALSE\n";
	assert_non_null(crypto_trust_add_root(trust, pki_issue(&mem, curve, root)->der));
	root.extensions = "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\n";
	assert_non_null(crypto_trust_add_root(trust, pki_issue(&mem, curve, root)->der));
	/* The same key, renewed: the later end counts, whichever comes first. */
	root.extensions = CI;
	root.not_after = "20590716000000Z";
	later = pki_issue(&mem, curve, root);
	assert_null(crypto_trust_add_root(trust, later->der));
	assert_null(crypto_trust_add_root(trust, ci->der));
	assert_int_equal(crypto_trust_count(trust), 1);
	assert_true(crypto_trust_get(trust, 0)->not_after == 2825539200);
	/* Another key that claims the id. */
	root.key = stranger->key;
	id = OPENSSL_buf2hexstr(crypto_trust_get(trust, 0)->id, 20);
	root.extensions = arena_printf(&mem,
		"subjectKeyIdentifier=%s\nbasicConstraints=CA:TRUE\nkeyUsage=keyCertSign\n", id);
	OPENSSL_free(id);
	assert_non_null(crypto_trust_add_root(trust, pki_issue(&mem, curve, root)->der));
}

/* No bit of the eUICC certificate may change; no cut of it may be taken for one. */
static void
bent_certificates_are_refused(void **state)
{
	struct slice euicc = issue_euicc(eum)->der;
	uint8_t *copy = arena_alloc(&mem, euicc.n);
	struct crypto_euicc out;

	(void)state;
	memcpy(copy, euicc.p, euicc.n);
	for (size_t i = 0; i < euicc.n; i++) {
		copy[i] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(verify(eum->der, slice_of(copy, euicc.n), &out), CHAIN_OK);
		copy[i] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(verify(eum->der, slice_of(copy, i), &out), CHAIN_EUICC_INVALID);
		assert_int_equal(verify(slice_of(eum->der.p, i < eum->der.n ? i : 0), euicc, &out),
			CHAIN_EUM_INVALID);
	}
	assert_int_equal(verify(eum->der, slice_of(copy, euicc.n), &out), CHAIN_OK);
}

#define DP(n) IDS SIGN POLICY(n) POINTS
#define RID "subjectAltName=RID:2.999.10\n"

static const char *
credential(const char *auth_ext, const char *pb_ext, const struct pki_node *pb_by,
	const char *not_after, struct crypto_credential *out)
{
	struct pki_order o = { .subject = "O=ACME,CN=TEST SM-DP+",
		.extensions = auth_ext,
		.serial = 0x100,
		.issuer = ci,
		.not_after = not_after };
	struct slice auth = pki_issue(&mem, curve, o)->der;

	o.extensions = pb_ext;
	o.issuer = pb_by;
	o.serial++;
	return crypto_credential_check(trust, NOW, auth, pki_issue(&mem, curve, o)->der, out);
}

static void
our_own_pair_is_checked(void **state)
{
	static const uint8_t oid[] = { 0x88, 0x37, 0x0a };
	static const long pb_serial[] = { 0x101 };
	static const struct {
		const char *auth, *pb, *which;
	} row[] = {
		{ DP(5) RID, DP(5) RID, "auth certificate" },
		{ DP(4) RID, DP(4) RID, "pb certificate" },
		{ DP(4), DP(5) RID, "auth certificate" },
		{ DP(4) RID, DP(5) "subjectAltName=RID:2.999.12\n", "auth and pb certificates" },
		{ IDS POLICY(4) RID, DP(5) RID, "auth certificate" },
		{ DP(4) RID, DP(5) RID "1.2.3=critical,DER:0500\n", "pb certificate" },
		{ SIGN POLICY(4) RID, DP(5) RID, "auth certificate" },
	};
	struct crypto_credential out;

	assert_null(credential(DP(4) RID, DP(5) RID, ci, "20280101000000Z", &out));
	assert_string_equal(out.oid_text, "2.999.10");
	assert_int_equal(out.oid_n, 3);
	assert_memory_equal(out.oid, oid, 3);
	assert_int_equal(out.curve, (uintptr_t)*state);
	assert_true(out.not_after == 1830297600);
	assert_memory_equal(out.ci_id, crypto_trust_get(trust, 0)->id, 20);
	assert_false(crypto_public_eq(&out.auth, &out.pb));
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_non_null(credential(row[i].auth, row[i].pb, ci, NULL, &out));
		assert_string_equal(out.which, row[i].which);
	}
	assert_non_null(credential(DP(4) RID, DP(5) RID, ci, "20250101000000Z", &out));
	assert_non_null(credential(DP(4) RID, DP(5) RID, stranger, NULL, &out));
	assert_non_null(credential(DP(4) RID, DP(5) RID, impostor(ci), NULL, &out));
	assert_null(crypto_trust_add_root(trust, stranger->der));
	assert_non_null(credential(DP(4) RID, DP(5) RID, stranger, NULL, &out));
	assert_string_equal(out.which, "auth and pb certificates");
	assert_null(crypto_trust_add_crl(trust, pki_crl(&mem, ci, CRL, pb_serial, 1)));
	assert_non_null(credential(DP(4) RID, DP(5) RID, ci, NULL, &out));
	assert_string_equal(out.which, "pb certificate");
}

static void
oids_become_text(void **state)
{
	static const struct {
		const char *content, *want;
		size_t n;
	} row[] = { { "\x88\x37\x0a", "2.999.10", 3 },
		{ "\x67\x81\x12\x01\x02\x01\x04", "2.23.146.1.2.1.4", 7 },
		{ "\x2b\x06", "1.3.6", 2 }, { "\x00", "0.0", 1 }, { "\x4f\x00", "1.39.0", 2 },
		{ "\x50", "2.0", 1 }, { "", NULL, 0 }, { "\x88", NULL, 1 },
		{ "\x2b\x80\x01", NULL, 3 },
		{ "\x2b\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", NULL, 11 } };
	char out[96];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		bool fine = crypto_oid_text(slice_of(row[i].content, row[i].n), out, sizeof out);

		assert_int_equal(fine, row[i].want != NULL);
		if (fine)
			assert_string_equal(out, row[i].want);
	}
	assert_false(crypto_oid_text(slice_of("\x88\x37\x0a", 3), out, 8));
	assert_true(crypto_oid_text(slice_of("\x88\x37\x0a", 3), out, 9));
}

/* The published files, when they are beside the repository. */
static struct slice
sgp26(const char *name, const char *set)
{
	char path[256];
	uint8_t *p = arena_alloc(&mem, 8192);
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "../shared/spec/sgp26/%s_%s.der", name, set);
	f = fopen(path, "rb");
	if (!f)
		return SLICE_NONE;
	n = fread(p, 1, 8192, f);
	fclose(f);
	return slice_of(p, n);
}

static void
the_files_of_sgp_26_pass(void **state)
{
	const char *set = *state ? "BRP" : "NIST";
	struct slice root = sgp26("CertificateIssuer/CERT_CI_ECDSA", set);
	struct crypto_credential pair;
	struct crypto_euicc out;

	if (!root.p)
		skip();
	assert_null(crypto_trust_add_root(trust, root));
	assert_int_equal(verify(sgp26("EUM/CERT_EUM_ECDSA", set),
				 sgp26("eUICC/CERT_EUICC_ECDSA", set), &out),
		CHAIN_OK);
	assert_string_equal(out.eid, EID);
	assert_null(crypto_credential_check(trust, NOW, sgp26("DPauth/CERT_S_SM_DPauth_ECDSA", set),
		sgp26("DPpb/CERT_S_SM_DPpb_ECDSA", set), &pair));
	assert_string_equal(pair.oid_text, "2.999.10");
	assert_non_null(
		crypto_credential_check(trust, NOW, sgp26("DPauth/CERT_S_SM_DPauth_ECDSA", set),
			sgp26("DPpb/CERT_S_SM_DP2pb_ECDSA", set), &pair));
}

#define TEST(f, c)                                             \
	{                                                      \
#f, f, setup, teardown, (void *)(uintptr_t)(c) \
	}
#define ON_BOTH(f) TEST(f, CURVE_P256), TEST(f, CURVE_BRAINPOOL_P256R1)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(a_right_chain_tells_the_eid),
		ON_BOTH(each_fault_of_an_eum_has_its_outcome),
		ON_BOTH(each_fault_of_an_euicc_has_its_outcome),
		ON_BOTH(the_chosen_ci_must_be_at_the_top),
		ON_BOTH(time_passes_for_what_is_remembered),
		TEST(more_eums_than_are_remembered, CURVE_P256),
		ON_BOTH(revoked_certificates_are_refused),
		TEST(lists_that_cannot_be_trusted_are_refused, CURVE_P256),
		TEST(lists_are_replaced_all_or_none, CURVE_P256),
		TEST(roots_are_looked_at, CURVE_P256),
		TEST(bent_certificates_are_refused, CURVE_P256),
		ON_BOTH(our_own_pair_is_checked),
		TEST(oids_become_text, CURVE_P256),
		ON_BOTH(the_files_of_sgp_26_pass),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("crypto_chain", tests, NULL, NULL);
}
