/*
 * Building a Bound Profile Package (SGP.22 §2.5.4): key agreement with the eUICC's one-time key, then the
 * four groups of segments in the order of the wire, one MAC chain through all of them.
 */
#include "base/buf.h"
#include "codec/package.h"
#include "crypto/scp03t.h"
#include "dp/bpp.h"

enum { PACKAGE_MAX = 2 * 1024 * 1024 };

/* Wiped with the arena's frame of it: keys live in this struct only while segments are made. */
struct channel {
	struct crypto_one_time one_time;
	struct crypto_session session, protection;
	uint8_t z[CRYPTO_Z_SIZE];
};

static bool
agree(struct channel *c, const struct bpp_inputs *in)
{
	crypto_one_time_init(&c->one_time, in->curve, in->seed);
	return crypto_agree(&c->one_time, in->otpk, c->z) &&
		crypto_session_derive(&c->session, c->z, in->host_id, in->eid);
}

static struct slice
segments(struct arena *mem, struct crypto_scp03t *scp, enum crypto_scp03t_tag tag,
	struct slice plain)
{
	struct buf out;

	buf_init(&out, mem, PACKAGE_MAX);
	buf_expect(&out, crypto_scp03t_size(tag, plain.n));
	crypto_scp03t_put(scp, tag, plain, &out);
	return buf_get(&out);
}

/* A0 to A3 (§2.5.4). With protection keys the last group is under these, in a chain of its own. */
static void
protect(struct arena *mem, struct bpp *bpp, struct channel *c, const struct bpp_inputs *in)
{
	struct crypto_scp03t *scp = crypto_scp03t_new(mem, &c->session);

	bpp->configure = segments(mem, scp, SCP03T_COMMAND, codec_configure_isdp_write(mem));
	bpp->metadata = segments(mem, scp, SCP03T_METADATA, in->metadata);
	if (in->protection_keys) {
		crypto_session_protection(&c->protection, in->seed);
		bpp->session_keys = segments(mem, scp, SCP03T_COMMAND,
			codec_replace_session_keys_write(mem, SLICE_ARRAY(c->protection.chain),
				SLICE_ARRAY(c->protection.enc), SLICE_ARRAY(c->protection.mac)));
		scp = crypto_scp03t_new(mem, &c->protection);
	}
	bpp->profile = segments(mem, scp, SCP03T_PROFILE, in->upp);
}

struct bpp *
bpp_new(struct arena *mem, const struct bpp_inputs *in)
{
	struct bpp *bpp = ARENA_NEW(mem, struct bpp);
	struct channel *c = ARENA_NEW(mem, struct channel);

	if (!agree(c, in))
		bpp = NULL;
	else {
		const uint8_t *point = c->one_time.public.point;

		bpp->smdp_otpk = arena_copy(mem, slice_of(point, CRYPTO_POINT_SIZE));
		bpp->otpk = in->otpk;
		bpp->host_id = in->host_id;
		protect(mem, bpp, c, in);
		crypto_sha256((struct slice[]){ bpp->configure, bpp->metadata, bpp->session_keys,
				      bpp->profile },
			4, bpp->sha256);
	}
	explicit_bzero(c, sizeof *c);
	return bpp;
}

static struct codec_channel
channel_of(const struct bpp *bpp, struct slice transaction_id, struct slice signature)
{
	return (struct codec_channel){ .transaction_id = transaction_id,
		.host_id = bpp->host_id,
		.smdp_otpk = bpp->smdp_otpk,
		.signature = signature };
}

struct slice
bpp_signed_octets(struct arena *mem, const struct bpp *bpp, struct slice transaction_id)
{
	struct codec_channel channel = channel_of(bpp, transaction_id, SLICE_NONE);

	return codec_channel_signed_write(mem, &channel, bpp->otpk);
}

struct slice
bpp_write(struct arena *mem, const struct bpp *bpp, struct slice transaction_id,
	struct slice signature)
{
	struct codec_channel channel = channel_of(bpp, transaction_id, signature);
	struct codec_package package = { .channel = codec_channel_write(mem, &channel),
		.configure = bpp->configure,
		.metadata = bpp->metadata,
		.session_keys = bpp->session_keys,
		.profile_size = bpp->profile.n };
	struct buf out;

	buf_init(&out, mem, PACKAGE_MAX);
	buf_expect(&out, codec_package_size(&package));
	codec_package_put_head(&out, &package);
	buf_put(&out, bpp->profile);
	return buf_get(&out);
}
