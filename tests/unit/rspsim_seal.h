/* The server's end of an SCP03t channel, for tests: protects segments as SGP.22 §2.5.4 says. */
#ifndef RSPSIM_SEAL_H
#define RSPSIM_SEAL_H
#include "rspsim/channel.h"
#include "rspsim/crypto.h"
#include "rspsim/der.h"

static struct slice
seal(struct rspsim_channel *c, struct arena *mem, enum rspsim_segment kind, struct slice plain)
{
	uint8_t count[16] = { 0 }, icv[16], mac[16], head[4] = { (uint8_t)kind };
	size_t padded = plain.n / 16 * 16 + 16, length, n = 2;
	uint8_t *data = arena_alloc(mem, padded);
	struct slice body = plain;

	if (kind != RSPSIM_METADATA) {
		if (plain.n)
			memcpy(data, plain.p, plain.n);
		data[plain.n] = 0x80;
		count[15] = (uint8_t)c->counter;
		count[14] = (uint8_t)(c->counter >> 8);
		rspsim_aes(c->enc, NULL, SLICE_ARRAY(count), icv, true);
		rspsim_aes(c->enc, icv, slice_of(data, padded), data, true);
		body = slice_of(data, padded);
	}
	length = body.n + 8;
	if (length > 255) {
		head[1] = 0x82;
		head[2] = (uint8_t)(length >> 8);
		head[3] = (uint8_t)length;
		n = 4;
	} else if (length > 127) {
		head[1] = 0x81;
		head[2] = (uint8_t)length;
		n = 3;
	} else {
		head[1] = (uint8_t)length;
	}
	rspsim_cmac(c->mac,
		(const struct slice[]){ SLICE_ARRAY(c->chain), slice_of(head, n), body }, 3, mac);
	memcpy(c->chain, mac, 16);
	c->counter++;
	return RSPSIM_DER(mem, 0, slice_of(head, n), body, slice_of(mac, 8));
}

#endif
