/*
 * What the simulated card demands of a server's certificate (SGP.22 §4.5.2): OpenSSL reads it and
 * verifies the signature; role, usage, object identifier and curve are looked at by hand, since
 * OpenSSL knows nothing of them.
 */
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "rspsim/cert.h"
#include "rspsim/crypto.h"

X509 *
rspsim_cert_read(const char *path)
{
	FILE *f = fopen(path, "r");
	X509 *cert = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;

	if (f)
		fclose(f);
	ERR_clear_error();
	return cert;
}

EVP_PKEY *
rspsim_key_read(const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;

	if (f)
		fclose(f);
	ERR_clear_error();
	return key;
}

X509 *
rspsim_cert_from_der(struct slice der)
{
	const uint8_t *p = der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.n);

	ERR_clear_error();
	if (cert && p != der.p + der.n) {
		X509_free(cert);
		cert = NULL;
	}
	return cert;
}

struct slice
rspsim_cert_der(struct arena *mem, X509 *cert)
{
	int n = i2d_X509(cert, NULL);
	uint8_t *p = arena_alloc(mem, (size_t)n), *q = p;

	i2d_X509(cert, &q);
	return slice_of(p, (size_t)n);
}

static struct slice
octets_of(const ASN1_OCTET_STRING *s)
{
	return s ? slice_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)) : SLICE_NONE;
}

struct slice
rspsim_cert_key_id(X509 *cert)
{
	return octets_of(X509_get0_subject_key_id(cert));
}

struct slice
rspsim_cert_authority_id(X509 *cert)
{
	return octets_of(X509_get0_authority_key_id(cert));
}

struct slice
rspsim_cert_oid(struct arena *mem, X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	struct slice oid = SLICE_NONE;
	size_t count = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_RID)
			continue;
		oid = arena_copy(mem,
			slice_of(OBJ_get0_data(name->d.registeredID),
				OBJ_length(name->d.registeredID)));
		count++;
	}
	GENERAL_NAMES_free(names);
	return count == 1 ? oid : SLICE_NONE;
}

bool
rspsim_oid_is(struct slice oid, const char *dotted)
{
	ASN1_OBJECT *wanted = OBJ_txt2obj(dotted, 1);
	bool same = wanted && slice_eq(oid, slice_of(OBJ_get0_data(wanted), OBJ_length(wanted)));

	ASN1_OBJECT_free(wanted);
	ERR_clear_error();
	return same;
}

/* The policy must be the role's alone; it is critical except for TLS (§4.5.2.1). */
static bool
has_role(X509 *cert, enum rspsim_role role)
{
	int critical = -1;
	CERTIFICATEPOLICIES *policies =
		X509_get_ext_d2i(cert, NID_certificate_policies, &critical, NULL);
	char wanted[32], got[32] = "";

	snprintf(wanted, sizeof wanted, "2.23.146.1.2.1.%d", (int)role);
	if (sk_POLICYINFO_num(policies) == 1)
		OBJ_obj2txt(got, sizeof got, sk_POLICYINFO_value(policies, 0)->policyid, 1);
	CERTIFICATEPOLICIES_free(policies);
	return strcmp(wanted, got) == 0 &&
		(critical == 1 || role == RSPSIM_ROLE_DP_TLS || role == RSPSIM_ROLE_DS_TLS);
}

static bool
usage_is_signing(X509 *cert)
{
	int critical = -1;
	ASN1_BIT_STRING *usage = X509_get_ext_d2i(cert, NID_key_usage, &critical, NULL);
	bool good = usage && critical == 1 && ASN1_BIT_STRING_get_bit(usage, 0) &&
		!ASN1_BIT_STRING_get_bit(usage, 5);

	ASN1_BIT_STRING_free(usage);
	return good;
}

static bool
dates_hold(X509 *cert)
{
	return X509_cmp_current_time(X509_get0_notBefore(cert)) < 0 &&
		X509_cmp_current_time(X509_get0_notAfter(cert)) > 0;
}

enum rspsim_cert_fault
rspsim_cert_check(X509 *cert, X509 *ci, enum rspsim_role role)
{
	uint32_t flags = X509_get_extension_flags(cert);
	EVP_PKEY *key = X509_get0_pubkey(cert), *ci_key = X509_get0_pubkey(ci);
	struct arena mem;
	bool named;

	if (!ci_key || X509_verify(cert, ci_key) != 1 ||
		X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(ci)) != 0) {
		ERR_clear_error();
		return RSPSIM_CERT_INVALID;
	}
	if (!dates_hold(cert) || !dates_hold(ci) || X509_get_version(cert) != X509_VERSION_3 ||
		flags & (EXFLAG_INVALID | EXFLAG_CRITICAL | EXFLAG_CA) || !usage_is_signing(cert))
		return RSPSIM_CERT_INVALID;
	arena_init(&mem, 1 << 16, NULL, NULL);
	named = rspsim_cert_oid(&mem, cert).n > 0;
	arena_fini(&mem);
	if (!has_role(cert, role) || !named)
		return RSPSIM_CERT_ROLE;
	if (!key || rspsim_key_curve(key) == NID_undef ||
		rspsim_key_curve(key) != rspsim_key_curve(ci_key))
		return RSPSIM_CERT_CURVE;
	return RSPSIM_CERT_FINE;
}

static bool
put_extensions(X509 *cert, X509 *issuer, const char *const extension[9][2])
{
	CONF *none = NCONF_new(
		NULL); /* policies ask for a configuration, though they need nothing of it */
	X509V3_CTX ctx;
	bool good = none != NULL;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, none);
	for (size_t i = 0; good && i < 9 && extension[i][0]; i++) {
		X509_EXTENSION *e = X509V3_EXT_nconf(none, &ctx, extension[i][0], extension[i][1]);

		good = e && X509_add_ext(cert, e, -1);
		X509_EXTENSION_free(e);
	}
	NCONF_free(none);
	return good;
}

static void
put_dates(X509 *cert, int days)
{
	X509_gmtime_adj(X509_getm_notBefore(cert), days < 0 ? -86400L * (1 - days) : -3600);
	X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, NULL);
}

X509 *
rspsim_cert_issue(
	const struct rspsim_cert_form *form, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), form->serial);
	put_dates(cert, form->days);
	for (size_t i = 0; i < 5 && form->subject[i][0]; i++)
		X509_NAME_add_entry_by_txt(name, form->subject[i][0], MBSTRING_UTF8,
			(const uint8_t *)form->subject[i][1], -1, -1, 0);
	X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : name);
	X509_set_pubkey(cert, key);
	if (!put_extensions(cert, issuer ? issuer : cert, form->extensions) ||
		!X509_sign(cert, issuer ? issuer_key : key, EVP_sha256())) {
		ERR_clear_error();
		X509_free(cert);
		return NULL;
	}
	return cert;
}

void
rspsim_eum_range(X509 *eum, struct rspsim_eum_range *out)
{
	NAME_CONSTRAINTS *limits = X509_get_ext_d2i(eum, NID_name_constraints, NULL, NULL);

	*out = (struct rspsim_eum_range){ "", "" };
	for (int i = 0; limits && i < sk_GENERAL_SUBTREE_num(limits->permittedSubtrees); i++) {
		const GENERAL_NAME *base =
			sk_GENERAL_SUBTREE_value(limits->permittedSubtrees, i)->base;

		if (base->type != GEN_DIRNAME)
			continue;
		X509_NAME_get_text_by_NID(base->d.directoryName, NID_organizationName,
			out->organization, sizeof out->organization);
		X509_NAME_get_text_by_NID(
			base->d.directoryName, NID_serialNumber, out->prefix, sizeof out->prefix);
	}
	NAME_CONSTRAINTS_free(limits);
}
