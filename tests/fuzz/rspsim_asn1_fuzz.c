/*
 * What a server answers to the simulated LPA in ASN.1. The first octet chooses the function, the rest is the
 * body of an answer with HTTP status 200. A success has all its members, a refusal its integer, and nothing
 * that is not DER is either.
 */
#include <stdlib.h>
#include "rspsim/es9_asn1.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static const struct {
	const char *name;
	size_t members;
} functions[] = { { "initiateAuthentication", 5 }, { "authenticateClient", 5 },
	{ "getBoundProfilePackage", 2 }, { "cancelSession", 0 }, { "handleNotification", 0 } };
enum { FUNCTIONS = sizeof functions / sizeof *functions };

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct rspsim_call call = { .http = 200 };
	json_t *answer = NULL;
	struct arena mem;
	unsigned f;

	if (n == 0)
		return 0;
	f = octets[0] % FUNCTIONS;
	call.function = functions[f].name;
	arena_init(&mem, 16u << 20, NULL, NULL);
	rspsim_es9_asn1_read(&mem, slice_of(octets + 1, n - 1), &call, &answer);
	if (call.outcome == RSPSIM_CALL_FINE && json_object_size(answer) != functions[f].members)
		abort();
	if ((call.outcome == RSPSIM_CALL_REFUSED) != (call.error > 0))
		abort();
	if (call.outcome != RSPSIM_CALL_TRANSPORT && (n < 7 || octets[1] != 0xa2))
		abort();
	json_decref(answer);
	arena_fini(&mem);
	return 0;
}
