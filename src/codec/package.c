/*
 * The Bound Profile Package (SGP.22 §2.5.4, §5.5) but for its protection. Its groups are written by
 * hand: asn1c 0.9.28 gives SEQUENCE OF [n] OCTET STRING the wrong element tags.
 */
#include "codec/package.h"

#include "codec/der.h"

#define PART_MAX 4096u

/* The members up to the server's key: remoteOpId, transactionId, control reference template, key. */
static void
channel_put(struct buf *out, const struct codec_channel *in)
{
	static const uint8_t install = 0x01, key_aes = 0x88, key_octets = 0x10;
	struct buf template;

	buf_init(&template, out->mem, PART_MAX);
	codec_der_put(&template, 0x80, slice_of(&key_aes, 1));
	codec_der_put(&template, 0x81, slice_of(&key_octets, 1));
	codec_der_put(&template, 0x84, in->host_id);
	codec_der_put(out, 0x82, slice_of(&install, 1));
	codec_der_put(out, 0x80, in->transaction_id);
	codec_der_put(out, 0xa6, buf_get(&template));
	codec_der_put(out, 0x5f49, in->smdp_otpk);
}

struct slice
codec_channel_signed_write(
	struct arena *mem, const struct codec_channel *in, struct slice euicc_otpk)
{
	struct buf out;

	buf_init(&out, mem, PART_MAX);
	channel_put(&out, in);
	codec_der_put(&out, 0x5f49, euicc_otpk);
	return buf_get(&out);
}

struct slice
codec_channel_write(struct arena *mem, const struct codec_channel *in)
{
	struct buf contents, out;

	buf_init(&contents, mem, PART_MAX);
	channel_put(&contents, in);
	codec_der_put(&contents, 0x5f37, in->signature);
	buf_init(&out, mem, PART_MAX);
	codec_der_put(&out, 0xbf23, buf_get(&contents));
	return buf_get(&out);
}

struct slice
codec_configure_isdp_write(struct arena *mem)
{
	struct buf out;

	buf_init(&out, mem, PART_MAX);
	codec_der_put(&out, 0xbf24, SLICE_LIT(""));
	return buf_get(&out);
}

struct slice
codec_replace_session_keys_write(
	struct arena *mem, struct slice chaining_value, struct slice key_enc, struct slice key_mac)
{
	struct buf contents, out;

	buf_init(&contents, mem, PART_MAX);
	codec_der_put(&contents, 0x80, chaining_value);
	codec_der_put(&contents, 0x81, key_enc);
	codec_der_put(&contents, 0x82, key_mac);
	buf_init(&out, mem, PART_MAX);
	codec_der_put(&out, 0xbf26, buf_get(&contents));
	return buf_get(&out);
}

static size_t
contents_size(const struct codec_package *p)
{
	return p->channel.n + codec_der_size(0xa0, p->configure.n) +
		codec_der_size(0xa1, p->metadata.n) +
		(p->session_keys.p ? codec_der_size(0xa2, p->session_keys.n) : 0) +
		codec_der_size(0xa3, p->profile_size);
}

size_t
codec_package_size(const struct codec_package *p)
{
	return codec_der_size(0xbf36, contents_size(p));
}

void
codec_package_put_head(struct buf *out, const struct codec_package *p)
{
	codec_der_put_head(out, 0xbf36, contents_size(p));
	buf_put(out, p->channel);
	codec_der_put(out, 0xa0, p->configure);
	codec_der_put(out, 0xa1, p->metadata);
	codec_der_put_optional(out, 0xa2, p->session_keys);
	codec_der_put_head(out, 0xa3, p->profile_size);
}
