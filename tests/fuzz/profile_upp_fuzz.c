/*
 * Profile packages with any content, as an operator may import them. One that is taken must take another ICCID
 * and still be taken, and must give metadata.
 */
#include <stdlib.h>
#include "profile/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct slice all = { octets, n }, changed, written;
	struct profile_upp upp, again;
	struct profile_fault fault;
	struct codec_metadata metadata;
	struct arena mem;
	const char *why;

	arena_init(&mem, 16u << 20, NULL, NULL);
	if (profile_upp_read(&mem, all, &upp, &fault)) {
		if (!profile_upp_rewrite_iccid(
			    &mem, &upp, SLICE_LIT("8949449999999990023"), &changed) ||
			!profile_upp_read(&mem, changed, &again, &fault))
			abort();
		profile_metadata_init(&mem, &upp, SLICE_LIT("a.b"), &metadata);
		profile_metadata_write(&mem, &upp, &metadata, &written, &why);
	} else if (!fault.reason) {
		abort();
	}
	arena_fini(&mem);
	return 0;
}
