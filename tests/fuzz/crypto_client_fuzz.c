/* Any octets as the certificates of a client: they are read, and lead to no CA. */
#include <stdlib.h>
#include "crypto/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct slice chain = slice_of(octets, n);
	struct crypto_client own;
	struct arena mem;
	int64_t until;

	arena_init(&mem, 1u << 20, NULL, NULL);
	if (crypto_client_read(&mem, chain, &own)) {
		if (own.der.p != octets || own.der.n > n)
			abort();
		crypto_client_is_ca(own.der);
		crypto_client_verify(chain, own.der, own.not_before, &until);
	} else if (crypto_client_verify(chain, chain, 0, &until)) {
		abort();
	}
	arena_fini(&mem);
	return 0;
}
