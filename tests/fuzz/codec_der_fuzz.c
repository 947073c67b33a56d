/* TLVs: the check agrees with the reader, numbers and object identifiers come out as they went in. */
#include <stdlib.h>
#include "codec/der.h"
#include "codec/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

/* What the check took can be walked to its end. */
static void
walk(struct slice in, unsigned depth)
{
	struct codec_der tlv;

	while (in.n > 0) {
		if (depth > 16 || !codec_der_read(&in, &tlv))
			abort();
		if (tlv.octets.p[0] & 0x20)
			walk(tlv.value, depth + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct slice in = { octets, n }, dotted, value;
	struct arena mem;
	int64_t number;

	arena_init(&mem, 64u << 10, NULL, NULL);
	if (codec_der_check(in, 16, 1000))
		walk(in, 1);
	if (codec_der_int_read(in, &number)) {
		struct buf out;

		buf_init(&out, &mem, 100);
		codec_der_put_int(&out, 0x02, number);
		if (buf_get(&out).n > n + 2)
			abort();
	}
	if (codec_der_oid_read(&mem, in, &dotted) && n > 0 && octets[0] != 0x80 &&
		codec_der_oid_write(&mem, dotted, &value) && value.n > n)
		abort();
	if (codec_signature_read(&mem, in, &value) && value.n != 64)
		abort();
	arena_fini(&mem);
	return 0;
}
