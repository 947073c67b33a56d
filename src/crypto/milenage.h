#ifndef CRYPTO_MILENAGE_H
#define CRYPTO_MILENAGE_H
/* Of Milenage (TS 35.206) what a server for profiles needs: OPc out of OP. */
#include <stdint.h>

/* OPc = OP xor E_K(OP) (§4.1); 16 octets each. */
void crypto_milenage_opc(const uint8_t k[16], const uint8_t op[16], uint8_t opc[16]);

#endif
