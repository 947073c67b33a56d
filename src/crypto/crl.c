/*
 * Reading revocation lists (RFC 5280 §5; SGP.22 §4.6): which serial numbers their issuer took back.
 * Indirect and delta lists are refused, since SGP.22 knows none; the numbers of partial lists
 * (2.23.146.1.2.0.n) are understood: each part counts by itself.
 */
#include <stdlib.h>
#include "crypto/int.h"
#include "crypto/trust.h"
#include "crypto/x509.h"

static int
compare(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return memcmp(x->p, y->p, x->n);
}

static bool
read_entries(struct crl *crl, struct slice entries)
{
	struct slice entry, serial;
	size_t room = 0;

	while (entries.n) {
		if (!der_read(&entries, DER_SEQUENCE, &entry) ||
			!der_read(&entry, DER_INTEGER, &serial))
			return false;
		if (crl->count == room) {
			room = room ? 2 * room : 16;
			crl->serials = realloc(crl->serials, room * sizeof *crl->serials);
			must(crl->serials);
		}
		crl->serials[crl->count++] = serial;
	}
	if (crl->count)
		qsort(crl->serials, crl->count, sizeof *crl->serials, compare);
	return true;
}

/* issuingDistributionPoint: indirectCRL [4] would name certificates of other issuers. */
static bool
is_indirect(struct slice value)
{
	struct slice all;
	struct der d;

	if (!der_read(&value, DER_SEQUENCE, &all))
		return true;
	while (der_next(&all, &d))
		if (d.tag == 0x84 && d.content.n && d.content.p[0])
			return true;
	return !all.p;
}

static bool
read_extensions(struct crl *crl, struct slice in)
{
	static const uint8_t authority[] = { 0x55, 0x1d, 35 }, number[] = { 0x55, 0x1d, 20 };
	static const uint8_t point[] = { 0x55, 0x1d, 28 };
	static const uint8_t partial[] = { 0x67, 0x81, 0x12, 0x01, 0x02, 0x00 };
	struct slice all, id = SLICE_NONE;
	struct x509_extension e;

	if (!der_read(&in, DER_SEQUENCE, &all))
		return false;
	while (all.n) {
		if (!x509_extension_read(&all, &e))
			return false;
		if (slice_eq(e.oid, SLICE_ARRAY(authority))) {
			if (!x509_authority_read(e.value, &id))
				return false;
		} else if (slice_eq(e.oid, SLICE_ARRAY(point))) {
			if (is_indirect(e.value))
				return false;
		} else if (e.critical && !slice_eq(e.oid, SLICE_ARRAY(number)) &&
			!slice_eq(slice_sub(e.oid, 0, sizeof partial), SLICE_ARRAY(partial))) {
			return false;
		}
	}
	if (id.n != CRYPTO_KEY_ID_SIZE)
		return false;
	memcpy(crl->facts.issuer_id, id.p, id.n);
	return true;
}

static bool
is_time(struct slice in)
{
	return in.n && (in.p[0] == DER_UTC_TIME || in.p[0] == DER_GENERALIZED_TIME);
}

/* TBSCertList, version 2. */
static bool
read_list(struct crl *crl, struct slice in)
{
	static const uint8_t v2[] = { 1 };
	struct slice version, issuer, entries, extra;

	return der_read(&in, DER_INTEGER, &version) && slice_eq(version, SLICE_ARRAY(v2)) &&
		x509_algorithm_read(&in) && der_read(&in, DER_SEQUENCE, &issuer) &&
		der_read_time(&in, &crl->facts.this_update) &&
		(!is_time(in) || der_read_time(&in, &crl->facts.next_update)) &&
		der_read_optional(&in, DER_SEQUENCE, &entries) && der_read(&in, 0xa0, &extra) &&
		in.n == 0 && read_entries(crl, entries) && read_extensions(crl, extra);
}

const char *
trust_crl_read(struct crl *crl, struct slice der)
{
	struct x509_envelope e;
	uint8_t *copy = malloc(der.n + 1);

	must(copy);
	if (der.n)
		memcpy(copy, der.p, der.n);
	*crl = (struct crl){ .facts = { .der = slice_of(copy, der.n) } };
	if (!x509_envelope_read(crl->facts.der, &e) || !read_list(crl, e.tbs)) {
		trust_crl_fini(crl);
		return "not a complete version 2 revocation list with an authority key identifier";
	}
	crl->tbs = e.tbs_whole;
	crl->signature = e.signature;
	return NULL;
}

void
trust_crl_fini(struct crl *crl)
{
	free((void *)(uintptr_t)crl->facts.der.p);
	free(crl->serials);
	*crl = (struct crl){ 0 };
}

bool
trust_revoked(const struct crypto_trust *t, struct slice issuer_id,
	const struct crypto_public *issuer, struct slice serial)
{
	for (size_t i = 0; i < t->crls; i++) {
		struct crl *c = &t->crl[i];

		if (!slice_eq(issuer_id, SLICE_ARRAY(c->facts.issuer_id)))
			continue;
		if (c->state == CRL_UNVERIFIED)
			c->state = crypto_verify_der(issuer, c->tbs, c->signature) ? CRL_GOOD
										   : CRL_FORGED;
		if (c->state == CRL_GOOD && c->count &&
			bsearch(&serial, c->serials, c->count, sizeof serial, compare))
			return true;
	}
	return false;
}
