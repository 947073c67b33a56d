#ifndef RSPSIM_ES9_ASN1_H
#define RSPSIM_ES9_ASN1_H
/*
 * ES9+ in its ASN.1 binding (SGP.22 §6.6) as a client. The LPA knows members by their JSON names; here
 * they become a RemoteProfileProvisioningRequest, and a RemoteProfileProvisioningResponse becomes
 * members again. Written from the module, apart from the server's own.
 */
#include "rspsim/es9.h"

#define RSPSIM_ASN1_PATH "/gsma/rsp2/asn1"
#define RSPSIM_ASN1_TYPE "application/x-gsma-rsp-asn1"

/* The request that says what the JSON body does; a body that is no JSON object goes as it is. */
struct slice rspsim_es9_asn1_write(struct arena *mem, const char *function, const char *body);

/*
 * The outcome of a call whose function and HTTP status stand in it, and the answer's members by
 * their JSON names, out of the body's octets. Anything but DER of the module is a fault.
 */
void rspsim_es9_asn1_read(
	struct arena *mem, struct slice body, struct rspsim_call *call, json_t **answer);

#endif
