/*
 * The SM-DP+'s own certificates, CERT.DPauth and CERT.DPpb (SGP.22 §4.5.2.1.0.4 and .5): would an eUICC
 * take them? Asked when the configuration is loaded or checked, not in a session.
 */
#include "crypto/trust.h"
#include "crypto/x509.h"

/* One of the two; NULL when it is fine. */
static const char *
check_one(const struct crypto_trust *trust, int64_t now, const struct crypto_cert *c,
	enum crypto_role role)
{
	const struct root *root = trust_root_find(trust, c->authority_key_id);

	if (!root)
		return "is not issued by a configured CI: add the CI's certificate";
	if (!crypto_verify_der(&root->facts.key, c->tbs, c->signature))
		return "is not signed by the CI that it names";
	if (now < c->not_before || now > c->not_after)
		return "is out of date: have a new one issued";
	if (now < root->facts.not_before || now > root->facts.not_after)
		return "hangs on a CI that is out of date";
	if (c->ca || !(c->usage & CRYPTO_USAGE_SIGN) || !c->usage_critical)
		return "must have critical keyUsage digitalSignature and be no CA";
	if (!(c->roles & 1U << role) || !c->policies_critical)
		return "lacks the critical policy of its role: is it the other certificate?";
	if (c->unknown_critical)
		return "has a critical extension that eUICCs do not know";
	if (!crypto_cert_oid(c).n)
		return "has no OID (registeredID) in its subjectAltName";
	if (trust_revoked(trust, c->authority_key_id, &root->facts.key, c->serial))
		return "is revoked: have a new one issued";
	return NULL;
}

/* What the two must have in common: the eUICC compares their OIDs (SGP.22 §5.7.5). */
static const char *
check_pair(const struct crypto_cert *auth, const struct crypto_cert *pb)
{
	if (!slice_eq(crypto_cert_oid(auth), crypto_cert_oid(pb)))
		return "have different OIDs in subjectAltName: they belong to different SM-DP+";
	if (!slice_eq(auth->authority_key_id, pb->authority_key_id))
		return "are issued by different CIs";
	if (auth->key.curve != pb->key.curve)
		return "are on different curves";
	return NULL;
}

static const char *
tell(struct crypto_credential *out, const struct crypto_cert *auth, const struct crypto_cert *pb)
{
	struct slice oid = crypto_cert_oid(auth);

	if (oid.n > sizeof out->oid || !crypto_oid_text(oid, out->oid_text, sizeof out->oid_text))
		return "have no usable OID in subjectAltName";
	memcpy(out->oid, oid.p, oid.n);
	out->oid_n = oid.n;
	memcpy(out->ci_id, auth->authority_key_id.p, CRYPTO_KEY_ID_SIZE);
	out->curve = auth->key.curve;
	out->auth = auth->key;
	out->pb = pb->key;
	out->not_after = auth->not_after < pb->not_after ? auth->not_after : pb->not_after;
	return NULL;
}

const char *
crypto_credential_check(const struct crypto_trust *trust, int64_t now, struct slice auth_der,
	struct slice pb_der, struct crypto_credential *out)
{
	struct crypto_cert auth, pb;
	const char *wrong;

	*out = (struct crypto_credential){ .which = "auth certificate" };
	if (!crypto_cert_read(&auth, auth_der))
		return "is not an X.509 version 3 certificate on P-256 or brainpoolP256r1";
	wrong = check_one(trust, now, &auth, ROLE_DP_AUTH);
	if (wrong)
		return wrong;
	out->which = "pb certificate";
	if (!crypto_cert_read(&pb, pb_der))
		return "is not an X.509 version 3 certificate on P-256 or brainpoolP256r1";
	wrong = check_one(trust, now, &pb, ROLE_DP_PB);
	if (wrong)
		return wrong;
	out->which = "auth and pb certificates";
	wrong = check_pair(&auth, &pb);
	return wrong ? wrong : tell(out, &auth, &pb);
}
