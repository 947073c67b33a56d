#ifndef STORM_CARD_H
#define STORM_CARD_H
/* What the eUICC of the stage says to the SM-DP+, signed: the octets of each function of ES9+. */
#include "codec/der.h"
#include "codec/server.h"
#include "storm/dp_stage.h"

/* A TLV around its parts. */
static inline struct slice
tlv(uint32_t tag, const struct slice *parts, size_t n)
{
	struct buf value, out;

	buf_init(&value, &stage.mem, 1 << 16);
	buf_init(&out, &stage.mem, 1 << 16);
	for (size_t i = 0; i < n; i++)
		buf_put(&value, parts[i]);
	codec_der_put(&out, tag, buf_get(&value));
	return buf_get(&out);
}
#define TLV(tag, ...)                             \
	tlv(tag, (struct slice[]){ __VA_ARGS__ }, \
		sizeof((struct slice[]){ __VA_ARGS__ }) / sizeof(struct slice))

static inline struct slice
card_sign(struct slice first, struct slice second)
{
	struct slice parts[] = { first, second };
	uint8_t *signature = arena_alloc(&stage.mem, 64);

	crypto_private_sign(stage.card, parts, second.p ? 2 : 1, signature);
	return codec_signature_write(&stage.mem, slice_of(signature, 64));
}

static inline struct slice
card_info(uint32_t tag)
{
	struct slice id = TLV(4, SLICE_ARRAY(stage.world.sets[0].ci_id));
	struct slice svn = stage_hex("8203020202");

	if (tag == 0xbf20)
		return TLV(0xbf20, svn, TLV(0xa9, id), TLV(0xaa, id));
	return TLV(0xbf22, stage_hex("8103020301"), svn, stage_hex("8303010203"),
		stage_hex("840d81010082040001000083022000"), stage_hex("8504047f36c0"),
		stage_hex("8603090200"), stage_hex("8703020300"), stage_hex("8802079c"),
		TLV(0xa9, id), TLV(0xaa, id), stage_hex("8b0102"), stage_hex("0403010000"),
		stage_hex("0c0e584d2d5a482d5550502d30303031"));
}

static inline struct slice
card_authenticate(void)
{
	static const uint8_t svn[3] = { 2, 2, 2 };
	struct slice address = SLICE_LIT("smdp.example.org"), signed1;

	assert_true(crypto_token_challenge(
		stage.world.ring, stage.transaction_id, svn, address, stage.challenge));
	signed1 = TLV(0x30, TLV(0x80, stage.transaction_id), TLV(0x83, address),
		TLV(0x84, SLICE_ARRAY(stage.challenge)), card_info(0xbf22),
		TLV(0xa0, TLV(0x80, SLICE_LIT("M-1")),
			TLV(0xa1, stage_hex("800435290611"), stage_hex("a100"))));
	return TLV(0xbf38,
		TLV(0xa0, signed1, card_sign(signed1, SLICE_NONE), stage.euicc->der,
			stage.eum->der));
}

static inline struct slice
card_prepare(void)
{
	uint8_t seed[32] = { 9 };
	struct crypto_one_time one;
	struct slice signed2;

	crypto_one_time_init(&one, CURVE_P256, seed);
	signed2 = stage.with_code
		? TLV(0x30, TLV(0x80, stage.transaction_id),
			  TLV(0x5f49, SLICE_ARRAY(one.public.point)), TLV(4, slice_of(seed, 32)))
		: TLV(0x30, TLV(0x80, stage.transaction_id),
			  TLV(0x5f49, SLICE_ARRAY(one.public.point)));
	crypto_one_time_fini(&one);
	return TLV(0xbf21,
		TLV(0xa0, signed2,
			card_sign(signed2, codec_signature_write(&stage.mem, stage.signature2))));
}

static inline struct slice
card_result(void)
{
	struct slice data = TLV(0xbf27, TLV(0x80, stage.transaction_id),
		TLV(0xbf2f, stage_hex("800101"), stage_hex("81020780"),
			TLV(0x0c, SLICE_LIT("smdp.example.org")),
			stage_hex("5a0a98001032547698103214")),
		stage_hex("060388370a"),
		TLV(0xa2,
			TLV(0xa0, stage_hex("4f10a0000005591010ffffffff8900001000"),
				stage_hex("04093007a0053003800100"))));

	return TLV(0xbf37, data, card_sign(data, SLICE_NONE));
}

static inline struct slice
card_notification(void)
{
	struct slice meta = TLV(0xbf2f, stage_hex("800102"), stage_hex("81020640"),
		TLV(0x0c, SLICE_LIT("smdp.example.org")), stage_hex("5a0a98001032547698103214"));

	return TLV(0x30, meta, card_sign(meta, SLICE_NONE), stage.euicc->der, stage.eum->der);
}

static inline struct slice
card_cancel(void)
{
	struct slice part = TLV(0x30, TLV(0x80, stage.transaction_id), stage_hex("810388370a"),
		stage_hex("820100"));

	return TLV(0xbf41, TLV(0xa0, part, card_sign(part, SLICE_NONE)));
}

#endif
