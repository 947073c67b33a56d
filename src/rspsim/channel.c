/* Opens SCP03t segments: first the MAC, then the padded encryption (SGP.02 §4.1.3.3). */
#include "base/secret.h"
#include "rspsim/channel.h"
#include "rspsim/crypto.h"
#include "rspsim/der.h"

enum { MAC_SIZE = 8, BLOCK = 16 };

struct slice
rspsim_channel_shared_info(struct arena *mem, struct slice host_id, const uint8_t eid[16])
{
	uint8_t head[3] = { 0x88, 0x10, (uint8_t)host_id.n }, eid_length = 16;

	return RSPSIM_DER(
		mem, 0, SLICE_ARRAY(head), host_id, slice_of(&eid_length, 1), slice_of(eid, 16));
}

void
rspsim_channel_start(struct rspsim_channel *c, const uint8_t keys[48])
{
	memcpy(c->chain, keys, 16);
	memcpy(c->enc, keys + 16, 16);
	memcpy(c->mac, keys + 32, 16);
	c->counter = 1;
}

void
rspsim_channel_fini(struct rspsim_channel *c)
{
	explicit_bzero(c, sizeof *c);
}

/*
 * Decrypts with the block of the counter as ICV and cuts the padding 80 00…, which must be there.
 */
static bool
decrypt(const struct rspsim_channel *c, struct arena *mem, struct slice data, struct slice *plain)
{
	uint8_t count[BLOCK] = { 0 }, icv[BLOCK], *p = arena_alloc(mem, data.n);
	size_t n = data.n;

	if (data.n == 0 || data.n % BLOCK)
		return false;
	for (size_t i = 0; i < 4; i++)
		count[15 - i] = (uint8_t)(c->counter >> 8 * i);
	rspsim_aes(c->enc, NULL, SLICE_ARRAY(count), icv, true);
	rspsim_aes(c->enc, icv, data, p, false);
	while (n > data.n - BLOCK && p[n - 1] == 0)
		n--;
	if (n == data.n - BLOCK || p[n - 1] != 0x80)
		return false;
	*plain = slice_of(p, n - 1);
	return true;
}

enum rspsim_channel_fault
rspsim_channel_open(struct rspsim_channel *c, struct arena *mem, enum rspsim_segment kind,
	struct slice segment, struct slice *plain)
{
	struct rspsim_tlv tlv;
	struct slice signed_part;
	uint8_t mac[16];

	if (segment.n > RSPSIM_SEGMENT_MAX || !rspsim_der_read_only(segment, kind, &tlv) ||
		tlv.value.n < MAC_SIZE)
		return RSPSIM_CHANNEL_STRUCTURE;
	signed_part = slice_of(segment.p, segment.n - MAC_SIZE);
	rspsim_cmac(c->mac, (const struct slice[]){ SLICE_ARRAY(c->chain), signed_part }, 2, mac);
	if (!secret_eq(slice_of(mac, MAC_SIZE), slice_sub(segment, signed_part.n, MAC_SIZE)))
		return RSPSIM_CHANNEL_SECURITY;
	*plain = slice_of(tlv.value.p, tlv.value.n - MAC_SIZE);
	if (kind != RSPSIM_METADATA && !decrypt(c, mem, *plain, plain))
		return RSPSIM_CHANNEL_SECURITY;
	memcpy(c->chain, mac, sizeof mac);
	c->counter++;
	return RSPSIM_CHANNEL_FINE;
}
