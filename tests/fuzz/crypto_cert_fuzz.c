/*
 * Certificates with any content: as the EUM's and eUICC's of an AuthenticateClient, as a root, and past the
 * signature: names, OID and the check of an EUM's constraints, which a careless CI could feed with anything.
 */
#include <stdlib.h>
#include "crypto/x509.h"
#include "crypto/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

/* Every slice lies in the octets that were given. */
static void
must_be_inside(struct slice s, struct slice all)
{
	if (s.p && (s.p < all.p || s.n > all.n || s.p + s.n > all.p + all.n))
		abort();
}

static void
use(const struct crypto_cert *c, struct slice all)
{
	const struct slice parts[] = { c->tbs, c->signature, c->serial, c->issuer, c->subject,
		c->authority_key_id, c->subject_key_id, c->name_constraints, c->permitted_eins,
		c->alt_names, crypto_cert_oid(c), crypto_name_find(c->subject, ATTRIBUTE_SERIAL) };
	struct slice eid = SLICE_LIT("89049032123451234512345678901235");
	const char *why;
	char text[64];

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		must_be_inside(parts[i], all);
	if (crypto_oid_text(crypto_cert_oid(c), text, sizeof text) && strlen(text) >= sizeof text)
		abort();
	if (!x509_name_eq(c->subject, c->subject))
		abort();
	x509_name_eq(c->issuer, c->subject);
	x509_constraints_allow(c, c, eid, &why);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static struct crypto_trust *trust;
	struct slice all = { octets, n };
	struct crypto_cert c;
	struct crypto_euicc out;
	const char *why;

	if (!trust)
		trust = crypto_trust_new();
	if (crypto_cert_read(&c, all))
		use(&c, all);
	if (crypto_chain_euicc_verify(trust, 1750000000, all, all, SLICE_NONE, &out, &why) ==
		CHAIN_OK)
		abort();
	return 0;
}
