/* Notifications with any content: nobody authenticates who brings them. */
#include <stdlib.h>
#include "codec/notification.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct codec_notification out;
	struct arena mem;
	const char *why = NULL;

	arena_init(&mem, 256u << 10, NULL, NULL);
	if (codec_pending_notification_read(&mem, slice_of(octets, n), &out, &why)) {
		if (out.signed_part.p < octets ||
			out.signed_part.p + out.signed_part.n > octets + n)
			abort();
		if (out.signature.n != 64 || out.operation > CODEC_DELETE)
			abort();
		if ((out.iccid.p && out.iccid.n != 10) || out.sequence < 0 || !out.address.p)
			abort();
	} else if (!why) {
		abort();
	}
	arena_fini(&mem);
	return 0;
}
