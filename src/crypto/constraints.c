/*
 * Which EIDs an EUM may sign for: nameConstraints (SGP.22 v2) and permittedEins (v3). SGP.22 compares
 * the serialNumber by prefix, RFC 5280 whole attributes; OpenSSL's path check therefore refuses every
 * eUICC certificate, and this file takes its place.
 */
#include "crypto/x509.h"

static bool
has_prefix(struct slice text, struct slice prefix)
{
	return prefix.n && slice_eq(slice_sub(text, 0, prefix.n), prefix);
}

static bool
is_serial(struct slice oid)
{
	static const uint8_t serial[] = { 0x55, 0x04, ATTRIBUTE_SERIAL };

	return slice_eq(oid, SLICE_ARRAY(serial));
}

/* Does the subject have an attribute of this kind with this text? */
static bool
has_attribute(struct slice subject, const struct x509_attribute *want)
{
	struct x509_attribute a;
	struct x509_walk w;

	x509_walk_init(&w, subject);
	while (x509_walk_next(&w, &a))
		if (slice_eq(a.oid, want->oid) && slice_eq(a.text, want->text))
			return true;
	return false;
}

/* Every attribute of the constraint is met: the EID by prefix, the others (organizationName) whole. */
static bool
name_matches(struct slice constraint, struct slice subject, struct slice eid)
{
	struct x509_attribute want;
	struct x509_walk w;
	bool any = false;

	x509_walk_init(&w, constraint);
	while (x509_walk_next(&w, &want)) {
		any = true;
		if (is_serial(want.oid) ? !has_prefix(eid, want.text)
					: !has_attribute(subject, &want))
			return false;
	}
	return any && w.names.p; /* a walk that broke off is no match */
}

/* GeneralSubtrees: is there a directoryName that matches? */
static bool
subtree_matches(struct slice subtrees, struct slice subject, struct slice eid)
{
	struct slice subtree, name;

	while (der_read(&subtrees, DER_SEQUENCE, &subtree))
		if (der_read(&subtree, 0xa4, &name) && name_matches(name, subject, eid))
			return true;
	return false;
}

static bool
eins_match(struct slice eins, struct slice eid)
{
	struct slice list;
	struct der prefix;

	if (!der_read(&eins, DER_SEQUENCE, &list))
		return false;
	while (der_next(&list, &prefix))
		if (has_prefix(eid, prefix.content))
			return true;
	return false;
}

bool
x509_constraints_allow(const struct crypto_cert *eum, const struct crypto_cert *euicc,
	struct slice eid, const char **why)
{
	struct slice in = eum->name_constraints, all, permitted, excluded;

	*why = "the EUM may not issue for this EID or organization";
	if (eum->permitted_eins.p && !eins_match(eum->permitted_eins, eid))
		return false;
	if (!eum->name_constraints.p)
		return eum->permitted_eins.p != NULL;
	if (!der_read(&in, DER_SEQUENCE, &all) || !der_read_optional(&all, 0xa0, &permitted) ||
		!der_read_optional(&all, 0xa1, &excluded))
		return false;
	return subtree_matches(permitted, euicc->subject, eid) &&
		!subtree_matches(excluded, euicc->subject, eid);
}
