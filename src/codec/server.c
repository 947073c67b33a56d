/*
 * The parts of its answers that an SM-DP+ signs (SGP.22 §5.6.1, §5.6.3), member by member: they are
 * flat, and what is signed must be exactly what is sent.
 */
#include "codec/server.h"

#include "codec/der.h"

/* More than any of these parts needs; an address has at most 255 octets. */
#define PART_MAX 4096u

struct slice
codec_server_signed1_write(struct arena *mem, const struct codec_server_signed1 *in)
{
	struct buf contents;

	buf_init(&contents, mem, PART_MAX);
	codec_der_put(&contents, 0x80, in->transaction_id);
	codec_der_put(&contents, 0x81, in->euicc_challenge);
	codec_der_put(&contents, 0x83, in->server_address);
	codec_der_put(&contents, 0x84, in->server_challenge);
	return codec_der_write(mem, 0x30, buf_get(&contents));
}

struct slice
codec_smdp_signed2_write(struct arena *mem, const struct codec_smdp_signed2 *in)
{
	const uint8_t flag = in->cc_required ? 0xff : 0x00;
	struct buf contents;

	buf_init(&contents, mem, PART_MAX);
	codec_der_put(&contents, 0x80, in->transaction_id);
	codec_der_put(&contents, 0x01, slice_of(&flag, 1));
	codec_der_put_optional(&contents, 0x5f49, in->euicc_otpk);
	return codec_der_write(mem, 0x30, buf_get(&contents));
}

struct slice
codec_signature_write(struct arena *mem, struct slice signature)
{
	return codec_der_write(mem, 0x5f37, signature);
}

struct slice
codec_ci_pkid_write(struct arena *mem, struct slice id)
{
	return codec_der_write(mem, 0x04, id);
}

/* One positive INTEGER into 32 octets, zeros in front. */
static bool
scalar_read(struct slice *rest, uint8_t out[32])
{
	struct codec_der number;
	struct slice v;

	if (!codec_der_read_tag(rest, 0x02, &number) || number.value.n == 0 ||
		number.value.p[0] & 0x80)
		return false;
	v = number.value;
	while (v.n > 0 && v.p[0] == 0)
		v = slice_sub(v, 1, v.n);
	if (v.n > 32)
		return false;
	if (v.n > 0)
		memcpy(out + 32 - v.n, v.p, v.n);
	return true;
}

bool
codec_signature_read(struct arena *mem, struct slice value, struct slice *signature)
{
	struct codec_der sequence;
	uint8_t *raw;

	if (value.n == 64) {
		*signature = value;
		return true;
	}
	if (!codec_der_read_whole(value, 0x30, &sequence))
		return false;
	raw = arena_alloc(mem, 64);
	if (!scalar_read(&sequence.value, raw) || !scalar_read(&sequence.value, raw + 32) ||
		sequence.value.n > 0)
		return false;
	*signature = slice_of(raw, 64);
	return true;
}
