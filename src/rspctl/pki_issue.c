/*
 * Certificates, requests and revocation lists by the profiles of SGP.22 §4.5.2 (SGP.26 has examples):
 * which extensions each role has, in the words of OpenSSL's configuration files, and their signing.
 */
#include <openssl/conf.h>
#include <openssl/x509v3.h>
#include "base/buf.h"
#include "rspctl/pki_int.h"

#define SIGN "keyUsage=critical,digitalSignature\n"
#define POLICY "certificatePolicies=critical,2.23.146.1.2.1."
#define NAMES                                                \
	"nameConstraints=critical,permitted;dirName:names\n" \
	"[names]\n1.O=%s\n2.serialNumber=%s\n"

static const struct {
	const char *extensions; /* besides key ids, subjectAltName and CRL points */
	bool key_id;            /* subjectKeyIdentifier */
	bool points;            /* says where revocation lists are */
	int days;
	long serial; /* in a test PKI */
} profiles[PKI_ROLES] = {
	[PKI_CI] = { "basicConstraints=critical,CA:TRUE\n" POLICY "0\n"
		     "keyUsage=critical,keyCertSign,cRLSign\n",
		true, true, 12783, 0x01 },
	[PKI_EUM] = { "basicConstraints=critical,CA:TRUE,pathlen:0\n" POLICY "2\n"
		      "keyUsage=critical,keyCertSign\n",
		true, true, 12410, 0x02 },
	[PKI_AUTH] = { SIGN POLICY "4\n", true, true, 3652, 0x100 },
	[PKI_PB] = { SIGN POLICY "5\n", true, true, 3652, 0x101 },
	[PKI_TLS] = { SIGN "extendedKeyUsage=critical,serverAuth,clientAuth\n"
			   "certificatePolicies=2.23.146.1.2.1.3\n",
		true, true, 398, 0x09 },
	[PKI_EIM] = { SIGN, false, false, 2555, 0x20 },
	[PKI_DS_AUTH] = { SIGN POLICY "7\n", true, true, 3652, 0x102 },
	[PKI_DS_TLS] = { SIGN "extendedKeyUsage=critical,serverAuth,clientAuth\n"
			      "certificatePolicies=2.23.146.1.2.1.6\n",
		true, true, 398, 0x0a },
	/* ES2+ has no profile in the standard: a certificate for both ends of TLS. */
	[PKI_OPERATOR] = { SIGN "extendedKeyUsage=critical,serverAuth,clientAuth\n", true, true,
		398, 0x0b },
	/* ESipa over HTTPS and over DTLS. */
	[PKI_EIM_TLS] = { SIGN "extendedKeyUsage=critical,serverAuth,clientAuth\n", true, true, 398,
		0x0c },
};

static void
put_alt_names(struct buf *b, const struct pki_party *party)
{
	const char *before = "subjectAltName=";

	for (unsigned i = 0; i < party->name_n; i++) {
		buf_printf(b, "%sDNS:%s", before, party->names[i]);
		before = ",";
	}
	if (party->oid) {
		buf_printf(b, "%sRID:%s", before, party->oid);
		before = ",";
	}
	if (*before == ',')
		buf_put_text(b, "\n");
}

/* The organizationName of a subject, for the constraint of an EUM. */
static const char *
organization_of(struct arena *mem, const char *subject)
{
	const char *o = strstr(subject, "O=");

	return o ? arena_string(mem, slice_of(o + 2, strcspn(o + 2, ","))) : "";
}

const char *
pki_extensions(struct arena *mem, enum pki_role role, const struct pki_party *party, bool request)
{
	struct buf b;

	buf_init(&b, mem, 16384);
	if (!request && profiles[role].key_id)
		buf_put_text(&b, "subjectKeyIdentifier=hash\n");
	if (!request && role != PKI_CI)
		buf_put_text(&b, "authorityKeyIdentifier=keyid\n");
	buf_put_text(&b, profiles[role].extensions);
	put_alt_names(&b, party);
	if (profiles[role].points && party->crl)
		buf_printf(&b, "crlDistributionPoints=URI:%s\n", party->crl);
	if (role == PKI_EUM)
		buf_printf(&b, NAMES, organization_of(mem, party->subject), party->range);
	return (const char *)buf_get(&b).p;
}

bool
pki_name_set(X509_NAME *name, const char *subject)
{
	char type[32];

	while (*subject) {
		size_t n = strcspn(subject, ","), sign = strcspn(subject, "=");

		if (sign == 0 || sign >= n || sign >= sizeof type || n - sign > 256)
			return false;
		memcpy(type, subject, sign);
		type[sign] = 0;
		if (!X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8,
			    (const uint8_t *)subject + sign + 1, (int)(n - sign - 1), -1, 0))
			return false;
		subject += n + (subject[n] == ',');
	}
	return X509_NAME_entry_count(name) > 0;
}

static void
drop_conf(void *p)
{
	NCONF_free(p);
}

/* NULL when the words make no sense, which is the user's doing: a strange name or OID. */
static CONF *
read_conf(struct arena *mem, const char *text)
{
	CONF *conf = NCONF_new(NULL);
	BIO *bio = BIO_new_mem_buf(text, -1);
	bool fine = conf && bio && NCONF_load_bio(conf, bio, NULL) > 0;

	BIO_free(bio);
	if (conf)
		arena_defer(mem, drop_conf, conf);
	return fine ? conf : NULL;
}

static void
drop_cert(void *p)
{
	X509_free(p);
}

static bool
fill(X509 *cert, enum pki_role role, const struct pki_party *party, EVP_PKEY *key)
{
	return X509_set_version(cert, X509_VERSION_3) &&
		ASN1_INTEGER_set(X509_get_serialNumber(cert), profiles[role].serial) &&
		pki_name_set(X509_get_subject_name(cert), party->subject) &&
		X509_gmtime_adj(X509_getm_notBefore(cert), -86400) &&
		X509_time_adj_ex(X509_getm_notAfter(cert), profiles[role].days, 0, NULL) &&
		X509_set_pubkey(cert, key);
}

X509 *
pki_cert_issue(struct arena *mem, enum pki_role role, const struct pki_party *party, EVP_PKEY *key,
	X509 *issuer, EVP_PKEY *issuer_key)
{
	CONF *conf = read_conf(mem, pki_extensions(mem, role, party, false));
	X509 *cert = X509_new();
	X509V3_CTX ctx;

	if (!cert)
		return NULL;
	arena_defer(mem, drop_cert, cert);
	if (!conf || !fill(cert, role, party, key) ||
		!X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert)))
		return NULL;
	X509V3_set_ctx(&ctx, issuer ? issuer : cert, cert, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	if (!X509V3_EXT_add_nconf(conf, &ctx, "default", cert) ||
		X509_sign(cert, issuer ? issuer_key : key, EVP_sha256()) <= 0)
		return NULL;
	return cert;
}

static void
drop_crl(void *p)
{
	X509_CRL_free(p);
}

X509_CRL *
pki_crl_issue(struct arena *mem, const char *point, X509 *issuer, EVP_PKEY *key)
{
	CONF *conf = read_conf(mem,
		arena_printf(mem,
			"authorityKeyIdentifier=keyid\ncrlNumber=DER:020101\n"
			"issuingDistributionPoint=critical,@point\n[point]\nfullname=URI:%s\n",
			point));
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = X509_gmtime_adj(NULL, -86400),
		  *to = X509_time_adj_ex(NULL, 1095, 0, NULL);
	X509V3_CTX ctx;
	bool fine;

	if (crl)
		arena_defer(mem, drop_crl, crl);
	X509V3_set_ctx(&ctx, issuer, NULL, NULL, crl, 0);
	if (conf)
		X509V3_set_nconf(&ctx, conf);
	fine = conf && crl && from && to && X509_CRL_set_version(crl, X509_CRL_VERSION_2) &&
		X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) &&
		X509_CRL_set1_lastUpdate(crl, from) && X509_CRL_set1_nextUpdate(crl, to) &&
		X509V3_EXT_CRL_add_nconf(conf, &ctx, "default", crl) &&
		X509_CRL_sign(crl, key, EVP_sha256()) > 0;
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return fine ? crl : NULL;
}

static void
drop_request(void *p)
{
	X509_REQ_free(p);
}

X509_REQ *
pki_request_new(struct arena *mem, enum pki_role role, const struct pki_party *party, EVP_PKEY *key)
{
	CONF *conf = read_conf(mem, pki_extensions(mem, role, party, true));
	X509_REQ *request = X509_REQ_new();
	X509V3_CTX ctx;

	if (!request)
		return NULL;
	arena_defer(mem, drop_request, request);
	X509V3_set_ctx(&ctx, NULL, NULL, request, NULL, 0);
	if (!conf || !X509_REQ_set_version(request, X509_REQ_VERSION_1) ||
		!pki_name_set(X509_REQ_get_subject_name(request), party->subject) ||
		!X509_REQ_set_pubkey(request, key))
		return NULL;
	X509V3_set_nconf(&ctx, conf);
	if (!X509V3_EXT_REQ_add_nconf(conf, &ctx, "default", request) ||
		X509_REQ_sign(request, key, EVP_sha256()) <= 0)
		return NULL;
	return request;
}
