/*
 * Whatever a client sends in place of what an eUICC says: its information and its three signed answers. What is
 * read must lie inside the input, and stay within the arena of a request.
 */
#include <stdlib.h>
#include "codec/euicc.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

/* Signatures may be written anew; all else must be slices of the input. */
static void
must_be_inside(struct slice s, struct slice all)
{
	if (s.p && (s.p < all.p || s.p + s.n > all.p + all.n))
		abort();
}

static void
answers_read(struct arena *mem, struct slice all)
{
	struct codec_authenticate_response a;
	struct codec_prepare_response p;
	struct codec_cancel_response c;
	const char *why;

	if (codec_authenticate_response_read(mem, all, &a, &why) && a.ok) {
		must_be_inside(a.signed1, all);
		must_be_inside(a.signature_tlv, all);
		must_be_inside(a.euicc_certificate, all);
		must_be_inside(a.eum_certificate, all);
		must_be_inside(a.matching_id, all);
		must_be_inside(a.info2.octets, all);
		must_be_inside(a.device.octets, all);
		if (a.signature.n != 64 || a.server_challenge.n != 16 ||
			(a.device.tac.p && a.device.tac.n != 4) ||
			(a.device.imei.p && a.device.imei.n != 8))
			abort();
	}
	if (codec_prepare_response_read(mem, all, &p, &why) && p.ok) {
		must_be_inside(p.signed2, all);
		if (p.signature.n != 64 || p.otpk.n != 65 || (p.hash_cc.p && p.hash_cc.n != 32))
			abort();
	}
	if (codec_cancel_response_read(mem, all, &c, &why) && c.ok) {
		must_be_inside(c.signed_part, all);
		if (c.signature.n != 64 || c.smdp_oid_text.n < 3)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct slice all = { octets, n };
	struct codec_euicc_info1 info1;
	struct codec_euicc_info2 info2;
	struct arena mem;
	const char *why = NULL;

	arena_init(&mem, 256u << 10, NULL, NULL);
	if (!codec_euicc_info1_read(&mem, all, &info1, &why) && !why)
		abort();
	if (codec_euicc_info2_read(&mem, all, &info2, &why) && info2.verify.n > CODEC_CI_MAX)
		abort();
	answers_read(&mem, all);
	arena_fini(&mem);
	return 0;
}
