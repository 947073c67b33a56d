/*
 * The eUICC package around its commands (SGP.32 §2.11.1), the token under its signature, and the word that a
 * result has arrived. What is signed must be exactly what is sent, so the signed part is made once and kept.
 */
#include "codec/eim_package.h"

#include "codec/der.h"

/* Besides the commands. */
#define HEAD_MAX 1024u

struct slice
codec_euicc_package_signed_write(struct arena *mem, const struct codec_euicc_package *in)
{
	struct buf contents;

	buf_init(&contents, mem, HEAD_MAX + in->commands.n);
	codec_der_put(&contents, 0x80, in->eim_id);
	codec_der_put(&contents, 0x5a, in->eid);
	codec_der_put_int(&contents, 0x81, in->counter);
	codec_der_put_optional(&contents, 0x82, in->eim_transaction_id);
	buf_put(&contents, in->commands);
	return codec_der_write(mem, 0x30, buf_get(&contents));
}

struct slice
codec_association_token_write(struct arena *mem, struct codec_number token)
{
	struct buf out;

	buf_init(&out, mem, 16);
	codec_der_put_int(&out, 0x84, token.known ? token.n : 0);
	return buf_get(&out);
}

struct slice
codec_euicc_package_write(struct arena *mem, struct slice signed_part, struct slice signature)
{
	struct buf contents;

	buf_init(&contents, mem, HEAD_MAX + signed_part.n);
	buf_put(&contents, signed_part);
	codec_der_put(&contents, 0x5f37, signature);
	return codec_der_write(mem, 0xbf51, buf_get(&contents));
}

struct slice
codec_eim_acknowledgements_write(struct arena *mem, const struct slice *sequence, size_t n)
{
	struct buf contents;
	size_t size = 0;

	for (size_t i = 0; i < n; i++)
		size += codec_der_size(0x80, sequence[i].n);
	buf_init(&contents, mem, size);
	for (size_t i = 0; i < n; i++)
		codec_der_put(&contents, 0x80, sequence[i]);
	return codec_der_write(mem, 0xbf53, n > 0 ? buf_get(&contents) : SLICE_LIT(""));
}
