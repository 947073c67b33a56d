/* Records of personal data with any content: what is read is written the same again. */
#include <stdlib.h>
#include "profile/personal.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct slice record = { octets, n };
	struct profile_personal in;
	struct arena mem;
	const char *why = NULL;

	arena_init(&mem, 1u << 20, NULL, NULL);
	if (profile_record_read(record, &in, &why)) {
		if (!slice_eq(profile_record_write(&mem, &in), record))
			abort();
	} else if (!why) {
		abort();
	}
	arena_fini(&mem);
	return 0;
}
