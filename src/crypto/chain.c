/*
 * CI → EUM → eUICC as SGP.22 §4.5.2.2 and §5.6.3 want it checked, in the order that gives the status
 * codes LPAs are tested for: the CI, then of each certificate signature, dates, extensions. Expired
 * certificates of the test set have wrong extensions too, so dates come first.
 */
#include "crypto/trust.h"
#include "crypto/x509.h"

struct check {
	struct crypto_trust *trust;
	int64_t now;
	struct slice ci_id; /* wanted; absent: any */
	const char **why;
};

static bool
is_current(int64_t from, int64_t to, int64_t now)
{
	return now >= from && now <= to;
}

/* What an EUM certificate must say of itself (SGP.22 §4.5.2.1.0.2). */
static const char *
judge_eum(const struct crypto_trust *trust, const struct crypto_cert *c, const struct root *root)
{
	if (!c->ca || c->path_length != 0)
		return "EUM certificate: basicConstraints must say CA with a path length of 0";
	if (!(c->usage & CRYPTO_USAGE_CERT_SIGN) || !c->usage_critical)
		return "EUM certificate: critical keyUsage keyCertSign is missing";
	if (!(c->roles & 1U << ROLE_EUM) || !c->policies_critical)
		return "EUM certificate: critical policy id-rspRole-eum is missing";
	if (c->unknown_critical)
		return "EUM certificate: unknown critical extension";
	if (c->subject_key_id.n != CRYPTO_KEY_ID_SIZE)
		return "EUM certificate: no subject key identifier";
	if (!c->name_constraints.p && !c->permitted_eins.p)
		return "EUM certificate: neither nameConstraints nor permittedEins";
	if (!x509_name_eq(c->issuer, root->subject))
		return "EUM certificate: its issuer's name is not the CI's";
	if (trust_revoked(trust, c->authority_key_id, &root->facts.key, c->serial))
		return "EUM certificate: revoked";
	return NULL;
}

/* The root that the certificate points at, if it is trusted, wanted and within its own dates. */
static const struct root *
find_root(const struct check *k, const struct crypto_cert *c)
{
	const struct root *root = trust_root_find(k->trust, c->authority_key_id);

	if (!root || (k->ci_id.p && !slice_eq(k->ci_id, SLICE_ARRAY(root->facts.id))) ||
		!is_current(root->facts.not_before, root->facts.not_after, k->now))
		return NULL;
	return root;
}

static enum crypto_chain
check_eum(const struct check *k, struct slice der, const struct eum **out)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct crypto_cert read;
	const struct crypto_cert *c = &read;
	const struct root *root;

	crypto_sha256(&der, 1, hash);
	*out = trust_eum_find(k->trust, hash);
	*k->why = "EUM certificate: not a version 3 certificate with an authority key identifier";
	if (*out)
		c = &(*out)->cert;
	else if (!crypto_cert_read(&read, der) || !read.authority_key_id.p)
		return CHAIN_EUM_INVALID;
	root = find_root(k, c);
	*k->why = "EUM certificate: its CI is not trusted, not the chosen one, or out of date";
	if (!root)
		return CHAIN_CI_UNKNOWN;
	*k->why = "EUM certificate: not signed by the CI";
	if (!*out && !crypto_verify_der(&root->facts.key, c->tbs, c->signature))
		return CHAIN_EUM_INVALID;
	*k->why = "EUM certificate: out of date";
	if (!is_current(c->not_before, c->not_after, k->now))
		return CHAIN_EUM_EXPIRED;
	if (*out)
		return CHAIN_OK;
	*k->why = judge_eum(k->trust, c, root);
	if (*k->why)
		return CHAIN_EUM_INVALID;
	*out = trust_eum_add(k->trust, hash, der);
	return CHAIN_OK;
}

/* What an eUICC certificate must say of itself (SGP.22 §4.5.2.1.0.3), and that its EUM may say it. */
static const char *
judge_euicc(const struct crypto_trust *trust, const struct crypto_cert *c,
	const struct crypto_cert *eum, struct slice eid)
{
	const char *why;

	if (!slice_eq(c->authority_key_id, eum->subject_key_id))
		return "eUICC certificate: its authority key identifier is not the EUM's";
	if (c->ca)
		return "eUICC certificate: says it is a CA";
	if (!(c->usage & CRYPTO_USAGE_SIGN) || !c->usage_critical)
		return "eUICC certificate: critical keyUsage digitalSignature is missing";
	if (!(c->roles & 1U << ROLE_EUICC) || !c->policies_critical)
		return "eUICC certificate: critical policy id-rspRole-euicc is missing";
	if (c->unknown_critical)
		return "eUICC certificate: unknown critical extension";
	if (!x509_name_eq(c->issuer, eum->subject))
		return "eUICC certificate: its issuer's name is not the EUM's";
	if (eid.n != 32 || !slice_is_digits(eid))
		return "eUICC certificate: no EID of 32 digits";
	if (!x509_constraints_allow(eum, c, eid, &why))
		return why;
	if (trust_revoked(trust, c->authority_key_id, &eum->key, c->serial))
		return "eUICC certificate: revoked";
	return NULL;
}

static void
tell(struct crypto_euicc *out, const struct crypto_cert *c, const struct crypto_cert *eum,
	struct slice eid)
{
	struct slice name = crypto_name_find(eum->subject, ATTRIBUTE_ORGANIZATION);

	*out = (struct crypto_euicc){ .key = c->key };
	memcpy(out->eid, eid.p, 32);
	memcpy(out->ci_id, eum->authority_key_id.p, CRYPTO_KEY_ID_SIZE);
	memcpy(out->eum_key_id, eum->subject_key_id.p, CRYPTO_KEY_ID_SIZE);
	name = slice_sub(name, 0, sizeof out->eum_name - 1);
	if (name.n)
		memcpy(out->eum_name, name.p, name.n);
}

enum crypto_chain
crypto_chain_euicc_verify(struct crypto_trust *trust, int64_t now, struct slice eum_der,
	struct slice euicc_der, struct slice ci_id, struct crypto_euicc *out, const char **why)
{
	const struct check k = { trust, now, ci_id, why };
	const struct eum *eum;
	struct crypto_cert c;
	struct slice eid;
	enum crypto_chain outcome = check_eum(&k, eum_der, &eum);

	if (outcome != CHAIN_OK)
		return outcome;
	*why = "eUICC certificate: not a version 3 certificate";
	if (!crypto_cert_read(&c, euicc_der))
		return CHAIN_EUICC_INVALID;
	*why = "eUICC certificate: not signed by the EUM";
	if (!crypto_verify_der(&eum->cert.key, c.tbs, c.signature))
		return CHAIN_EUICC_INVALID;
	*why = "eUICC certificate: out of date";
	if (!is_current(c.not_before, c.not_after, now))
		return CHAIN_EUICC_EXPIRED;
	eid = crypto_name_find(c.subject, ATTRIBUTE_SERIAL);
	*why = judge_euicc(trust, &c, &eum->cert, eid);
	if (*why)
		return CHAIN_EUICC_INVALID;
	tell(out, &c, &eum->cert, eid);
	*why = "fine";
	return CHAIN_OK;
}
