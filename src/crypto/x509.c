/* The parts that certificates and revocation lists share: envelope, extensions, names (RFC 5280). */
#include "crypto/x509.h"

bool
x509_algorithm_read(struct slice *in)
{
	/* 1.2.840.10045.4.3.2, without parameters */
	static const uint8_t want[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03,
		0x02 };
	struct slice algorithm;

	return der_read(in, DER_SEQUENCE, &algorithm) && slice_eq(algorithm, SLICE_ARRAY(want));
}

bool
x509_envelope_read(struct slice der, struct x509_envelope *out)
{
	struct slice all;
	struct der tbs;

	if (!der_read(&der, DER_SEQUENCE, &all) || der.n || !der_next(&all, &tbs) ||
		tbs.tag != DER_SEQUENCE || !x509_algorithm_read(&all) ||
		!der_read_bits(&all, &out->signature) || all.n)
		return false;
	out->tbs = tbs.content;
	out->tbs_whole = tbs.whole;
	return true;
}

bool
x509_extension_read(struct slice *in, struct x509_extension *out)
{
	struct slice extension, critical;

	if (!der_read(in, DER_SEQUENCE, &extension) || !der_read(&extension, DER_OID, &out->oid) ||
		!der_read_optional(&extension, DER_BOOLEAN, &critical) ||
		!der_read(&extension, DER_OCTET_STRING, &out->value) || extension.n)
		return false;
	out->critical = critical.n && critical.p[0];
	return true;
}

bool
x509_authority_read(struct slice value, struct slice *id)
{
	struct slice all;

	return der_read(&value, DER_SEQUENCE, &all) && der_read_optional(&all, 0x80, id);
}

void
x509_walk_init(struct x509_walk *w, struct slice name)
{
	w->set = SLICE_NONE;
	if (!der_read(&name, DER_SEQUENCE, &w->names))
		w->names = SLICE_NONE;
}

bool
x509_walk_next(struct x509_walk *w, struct x509_attribute *out)
{
	struct slice pair;
	struct der value;

	while (w->set.n == 0)
		if (!der_read(&w->names, DER_SET, &w->set))
			return false;
	if (!der_read(&w->set, DER_SEQUENCE, &pair) || !der_read(&pair, DER_OID, &out->oid) ||
		!der_next(&pair, &value)) {
		w->names = SLICE_NONE;
		return false;
	}
	out->tag = value.tag;
	out->text = value.content;
	return true;
}

bool
x509_name_eq(struct slice a, struct slice b)
{
	struct x509_attribute in_a, in_b;
	struct x509_walk wa, wb;
	bool more;

	if (slice_eq(a, b))
		return true;
	x509_walk_init(&wa, a);
	x509_walk_init(&wb, b);
	do {
		more = x509_walk_next(&wa, &in_a);
		if (x509_walk_next(&wb, &in_b) != more)
			return false;
		if (more && (!slice_eq(in_a.oid, in_b.oid) || !slice_eq(in_a.text, in_b.text)))
			return false;
	} while (more);
	return true;
}
