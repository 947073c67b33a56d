/*
 * Compact answers with any content. The first octet of the input says which facts are known, for a missing one
 * must be named; what comes out must be one TLV of the form's own tag.
 */
#include <stdlib.h>
#include "codec/compact.h"
#include "codec/der.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

/* The same for all facts: lengths that they have. */
static const uint8_t fact[65] = { 4, 1, 2, 3 };
static const uint8_t info2[] = { 0xbf, 0x22, 0x08, 0x81, 0x01, 0x02, 0x84, 0x00, 0x85, 0x01, 0x00 };

static void
must_be_whole(bool taken, const struct codec_full *full, struct slice octets, uint32_t tag,
	uint32_t other_tag, const char *why)
{
	struct codec_der tlv;

	if (!taken) {
		if (!why)
			abort();
		return;
	}
	if (!codec_der_read_whole(full->octets, tag, &tlv) &&
		!codec_der_read_whole(full->octets, other_tag, &tlv))
		abort();
	if (!full->compact && full->octets.p != octets.p)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct slice known = n > 0 && octets[0] & 1 ? slice_of(fact, 10) : SLICE_NONE;
	struct slice all = n > 0 ? slice_of(octets + 1, n - 1) : SLICE_NONE;
	const struct codec_notification_facts nf = { known, known, known, known, known };
	const struct codec_authenticate_facts af = { known, known, known,
		known.p ? SLICE_ARRAY(info2) : SLICE_NONE, known, known, known };
	const struct codec_prepare_facts pf = { known, known.p ? SLICE_ARRAY(fact) : SLICE_NONE,
		SLICE_NONE };
	const struct codec_cancel_facts cf = { known, known, { known.p != NULL, 127 } };
	struct codec_compact_notification compact;
	struct codec_full full;
	struct arena mem;
	const char *why = NULL;
	bool taken;

	arena_init(&mem, 1u << 20, NULL, NULL);
	if (!codec_compact_notification_read(&mem, all, &compact, &why) && !why)
		abort();
	why = NULL;
	taken = codec_full_notification_write(&mem, all, &nf, &full, &why);
	must_be_whole(taken, &full, all, 0xbf37, 0x30, why);
	why = NULL;
	taken = codec_full_authenticate_response_write(&mem, all, &af, &full, &why);
	must_be_whole(taken, &full, all, 0xbf38, 0xbf38, why);
	why = NULL;
	taken = codec_full_prepare_response_write(&mem, all, &pf, &full, &why);
	must_be_whole(taken, &full, all, 0xbf21, 0xbf21, why);
	why = NULL;
	taken = codec_full_cancel_response_write(&mem, all, &cf, &full, &why);
	must_be_whole(taken, &full, all, 0xbf41, 0xbf41, why);
	arena_fini(&mem);
	return 0;
}
