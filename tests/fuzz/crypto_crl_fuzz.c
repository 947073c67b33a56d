/* Revocation lists with any content: read and searched as if signed, or refused. */
#include <stdlib.h>
#include "crypto/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct crl crl;
	struct crypto_trust trust = { .crl = &crl, .crls = 1 };
	struct crypto_public nobody = { 0 };
	struct slice all = { octets, n };

	if (trust_crl_read(&crl, all))
		return 0;
	if (trust_revoked(&trust, SLICE_ARRAY(crl.facts.issuer_id), &nobody, SLICE_LIT("\1")))
		abort(); /* nobody signed it */
	crl.state = CRL_GOOD;
	for (size_t i = 0; i < crl.count; i++)
		if (!trust_revoked(
			    &trust, SLICE_ARRAY(crl.facts.issuer_id), &nobody, crl.serials[i]))
			abort();
	trust_crl_fini(&crl);
	return 0;
}
