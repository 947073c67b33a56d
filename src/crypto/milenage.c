/*
 * OPc of Milenage (TS 35.206 §4.1): operators hand out either OP, the same for all their subscribers, or OPc,
 * which cards hold. One block under AES-128; CBC without a chaining value is that.
 */
#include "crypto/int.h"
#include "crypto/milenage.h"

void
crypto_milenage_opc(const uint8_t k[16], const uint8_t op[16], uint8_t opc[16])
{
	static const uint8_t zeros[16];
	EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
	uint8_t block[16];
	int n;

	must(aes && EVP_EncryptInit_ex2(aes, crypto_ossl()->cbc, k, zeros, NULL) &&
		EVP_CIPHER_CTX_set_padding(aes, 0) &&
		EVP_EncryptUpdate(aes, block, &n, op, sizeof block) && n == sizeof block);
	for (int i = 0; i < 16; i++)
		opc[i] = op[i] ^ block[i];
	EVP_CIPHER_CTX_free(aes); /* wipes the key schedule */
	explicit_bzero(block, sizeof block);
}
