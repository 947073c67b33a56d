/*
 * Reading certificates (SGP.22 §4.5.2, RFC 5280) by a walk over their DER: a chain check is a few
 * microseconds beside its signature, where OpenSSL's parser takes longer than the signature itself
 * (docs/crypto.md). Judging what was read is chain.c's business.
 */
#include <stdio.h>
#include "crypto/x509.h"

static bool
read_authority(struct crypto_cert *c, const struct x509_extension *e)
{
	return x509_authority_read(e->value, &c->authority_key_id);
}

static bool
read_subject_key(struct crypto_cert *c, const struct x509_extension *e)
{
	struct slice in = e->value;

	return der_read(&in, DER_OCTET_STRING, &c->subject_key_id);
}

static bool
read_usage(struct crypto_cert *c, const struct x509_extension *e)
{
	struct slice in = e->value, bits;

	if (!der_read(&in, DER_BIT_STRING, &bits) || bits.n < 2)
		return false;
	for (unsigned i = 0; i < 8; i++)
		if (bits.p[1] & 0x80 >> i)
			c->usage |= 1U << i;
	c->usage_critical = e->critical;
	return true;
}

static bool
read_basic(struct crypto_cert *c, const struct x509_extension *e)
{
	struct slice in = e->value, all, ca, length;

	if (!der_read(&in, DER_SEQUENCE, &all) || !der_read_optional(&all, DER_BOOLEAN, &ca) ||
		!der_read_optional(&all, DER_INTEGER, &length) || all.n)
		return false;
	c->ca = ca.n && ca.p[0];
	if (length.p && (length.n != 1 || length.p[0] > 127))
		return false;
	if (length.p)
		c->path_length = length.p[0];
	return true;
}

static bool
read_policies(struct crypto_cert *c, const struct x509_extension *e)
{
	static const uint8_t arc[] = { 0x67, 0x81, 0x12, 0x01, 0x02, 0x01 }; /* 2.23.146.1.2.1 */
	struct slice in = e->value, all, policy, oid;

	if (!der_read(&in, DER_SEQUENCE, &all))
		return false;
	while (all.n) {
		if (!der_read(&all, DER_SEQUENCE, &policy) || !der_read(&policy, DER_OID, &oid))
			return false;
		if (oid.n == sizeof arc + 1 && memcmp(oid.p, arc, sizeof arc) == 0 &&
			oid.p[sizeof arc] < ROLE_COUNT)
			c->roles |= 1U << oid.p[sizeof arc];
	}
	c->policies_critical = e->critical;
	return true;
}

static bool
read_alt_names(struct crypto_cert *c, const struct x509_extension *e)
{
	c->alt_names = e->value;
	return true;
}

static bool
read_constraints(struct crypto_cert *c, const struct x509_extension *e)
{
	c->name_constraints = e->value;
	return true;
}

static bool
read_eins(struct crypto_cert *c, const struct x509_extension *e)
{
	c->permitted_eins = e->value;
	return true;
}

/* Understood in that it says nothing that concerns us: where revocation lists are fetched. */
static bool
read_points(struct crypto_cert *c, const struct x509_extension *e)
{
	(void)c;
	(void)e;
	return true;
}

static const struct {
	uint8_t oid[7], n;
	bool (*read)(struct crypto_cert *c, const struct x509_extension *e);
} extensions[] = {
	{ { 0x55, 0x1d, 14 }, 3, read_subject_key },
	{ { 0x55, 0x1d, 15 }, 3, read_usage },
	{ { 0x55, 0x1d, 17 }, 3, read_alt_names },
	{ { 0x55, 0x1d, 19 }, 3, read_basic },
	{ { 0x55, 0x1d, 30 }, 3, read_constraints },
	{ { 0x55, 0x1d, 31 }, 3, read_points },
	{ { 0x55, 0x1d, 32 }, 3, read_policies },
	{ { 0x55, 0x1d, 35 }, 3, read_authority },
	{ { 0x67, 0x81, 0x12, 0x01, 0x02, 0x02, 0x00 }, 7, read_eins },
};
enum { EXTENSIONS = sizeof extensions / sizeof extensions[0] };

static bool
read_extension(struct crypto_cert *c, struct slice *in, unsigned *seen)
{
	struct x509_extension e;

	if (!x509_extension_read(in, &e))
		return false;
	for (unsigned i = 0; i < EXTENSIONS; i++) {
		if (!slice_eq(e.oid, slice_of(extensions[i].oid, extensions[i].n)))
			continue;
		if (*seen & 1U << i)
			return false; /* RFC 5280 §4.2: at most one of each */
		*seen |= 1U << i;
		return extensions[i].read(c, &e);
	}
	c->unknown_critical |= e.critical;
	return true;
}

static bool
read_extensions(struct crypto_cert *c, struct slice in)
{
	struct slice all;
	unsigned seen = 0;

	if (!der_read(&in, DER_SEQUENCE, &all) || in.n)
		return false;
	while (all.n)
		if (!read_extension(c, &all, &seen))
			return false;
	return true;
}

/* SubjectPublicKeyInfo: id-ecPublicKey, a named curve, an uncompressed point. */
static bool
read_key(struct slice *in, struct crypto_public *key)
{
	static const uint8_t ec[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
	static const uint8_t p256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
	static const uint8_t bp[] = { 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07 };
	struct slice info, algorithm, oid, curve, point;

	if (!der_read(in, DER_SEQUENCE, &info) || !der_read(&info, DER_SEQUENCE, &algorithm) ||
		!der_read(&algorithm, DER_OID, &oid) || !der_read(&algorithm, DER_OID, &curve) ||
		algorithm.n || !der_read_bits(&info, &point) || info.n ||
		!slice_eq(oid, SLICE_ARRAY(ec)) || point.n != CRYPTO_POINT_SIZE || point.p[0] != 4)
		return false;
	if (slice_eq(curve, SLICE_ARRAY(p256)))
		key->curve = CURVE_P256;
	else if (slice_eq(curve, SLICE_ARRAY(bp)))
		key->curve = CURVE_BRAINPOOL_P256R1;
	else
		return false;
	memcpy(key->point, point.p, sizeof key->point);
	return true;
}

static bool
read_validity(struct slice *in, struct crypto_cert *c)
{
	struct slice validity;

	return der_read(in, DER_SEQUENCE, &validity) && der_read_time(&validity, &c->not_before) &&
		der_read_time(&validity, &c->not_after) && validity.n == 0;
}

static bool
read_name(struct slice *in, struct slice *name)
{
	struct der d;

	if (!der_next(in, &d) || d.tag != DER_SEQUENCE)
		return false;
	*name = d.whole;
	return true;
}

bool
crypto_cert_read(struct crypto_cert *c, struct slice der)
{
	static const uint8_t v3[] = { 0x02, 0x01, 0x02 };
	struct x509_envelope e;
	struct slice in, version, unique, extra;

	*c = (struct crypto_cert){ .der = der, .path_length = -1 };
	if (!x509_envelope_read(der, &e))
		return false;
	c->tbs = e.tbs_whole;
	c->signature = e.signature;
	in = e.tbs;
	return der_read(&in, 0xa0, &version) && slice_eq(version, SLICE_ARRAY(v3)) &&
		der_read(&in, DER_INTEGER, &c->serial) && x509_algorithm_read(&in) &&
		read_name(&in, &c->issuer) && read_validity(&in, c) &&
		read_name(&in, &c->subject) && read_key(&in, &c->key) &&
		der_read_optional(&in, 0x81, &unique) && der_read_optional(&in, 0x82, &unique) &&
		der_read(&in, 0xa3, &extra) && in.n == 0 && read_extensions(c, extra);
}

/* UTF8String, PrintableString, T61String, IA5String: all hold ASCII as it is. */
static bool
is_text(uint8_t tag)
{
	return tag == 0x0c || tag == 0x13 || tag == 0x14 || tag == 0x16;
}

struct slice
crypto_name_find(struct slice name, enum crypto_attribute attribute)
{
	const uint8_t oid[] = { 0x55, 0x04, (uint8_t)attribute };
	struct x509_attribute a;
	struct x509_walk w;

	x509_walk_init(&w, name);
	while (x509_walk_next(&w, &a))
		if (is_text(a.tag) && slice_eq(a.oid, SLICE_ARRAY(oid)))
			return a.text;
	return SLICE_NONE;
}

struct slice
crypto_cert_oid(const struct crypto_cert *c)
{
	struct slice in = c->alt_names, names;
	struct der d;

	if (in.n && der_read(&in, DER_SEQUENCE, &names))
		while (der_next(&names, &d))
			if (d.tag == 0x88) /* registeredID */
				return d.content;
	return SLICE_NONE;
}

bool
crypto_oid_text(struct slice content, char *out, size_t room)
{
	uint64_t arc = 0;
	size_t at = 0;
	int n;

	if (content.n == 0 || content.p[content.n - 1] & 0x80)
		return false;
	for (size_t i = 0; i < content.n; i++) {
		if (arc >> 56 || (arc == 0 && content.p[i] == 0x80))
			return false;
		arc = arc << 7 | (content.p[i] & 0x7f);
		if (content.p[i] & 0x80)
			continue;
		if (at == 0) { /* the first two arcs are one number */
			unsigned first = arc < 80 ? (unsigned)(arc / 40) : 2;

			n = snprintf(out, room, "%u.%llu", first,
				(unsigned long long)(arc - first * 40ULL));
		} else {
			n = snprintf(out + at, room - at, ".%llu", (unsigned long long)arc);
		}
		if (n < 0 || (size_t)n >= room - at)
			return false;
		at += (size_t)n;
		arc = 0;
	}
	return true;
}
