/* Metadata with any content; what is read and can be written again must mean the same. */
#include <stdlib.h>
#include "codec/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct codec_metadata first, second;
	struct slice written, again;
	struct arena mem;
	const char *why = NULL;

	arena_init(&mem, 1u << 20, NULL, NULL);
	if (!codec_store_metadata_read(&mem, slice_of(octets, n), &first, &why)) {
		if (!why)
			abort();
	} else if (codec_store_metadata_write(&mem, &first, &written, &why)) {
		if (!codec_store_metadata_read(&mem, written, &second, &why) ||
			!codec_store_metadata_write(&mem, &second, &again, &why) ||
			!slice_eq(written, again))
			abort();
	}
	arena_fini(&mem);
	return 0;
}
