/*
 * SCP03t segments (SGP.22 §2.5.3, §2.5.4; SGP.02 §4.1.3.3; GP Amendment D §6.2.4, §6.2.6): AES-128-CBC
 * under S-ENC with an ICV from the counter, AES-CMAC under S-MAC over chaining value and segment.
 */
#include "crypto/int.h"
#include "crypto/scp03t.h"

enum { BLOCK = 16, MAC = 8, CUT_SECRET = 1007, CUT_PLAIN = 1008 };

struct crypto_scp03t {
	uint8_t chain[BLOCK];
	uint8_t counter[BLOCK]; /* of the next segment */
	EVP_CIPHER_CTX *cbc;
	EVP_MAC_CTX *cmac;
};

static void
drop(void *p)
{
	struct crypto_scp03t *c = p;

	EVP_CIPHER_CTX_free(c->cbc); /* both wipe their key schedules */
	EVP_MAC_CTX_free(c->cmac);
}

struct crypto_scp03t *
crypto_scp03t_new(struct arena *mem, const struct crypto_session *keys)
{
	const struct ossl *o = crypto_ossl();
	struct crypto_scp03t *c = ARENA_NEW(mem, struct crypto_scp03t);
	OSSL_PARAM cipher[] = { OSSL_PARAM_construct_utf8_string(
					"cipher", (char[]){ "AES-128-CBC" }, 0),
		OSSL_PARAM_construct_end() };

	arena_defer(mem, drop, c);
	memcpy(c->chain, keys->chain, BLOCK);
	c->counter[BLOCK - 1] = 1;
	c->cbc = EVP_CIPHER_CTX_new();
	must(c->cbc && EVP_EncryptInit_ex2(c->cbc, o->cbc, keys->enc, NULL, NULL));
	EVP_CIPHER_CTX_set_padding(c->cbc, 0);
	c->cmac = EVP_MAC_CTX_new(o->cmac);
	must(c->cmac && EVP_MAC_init(c->cmac, keys->mac, BLOCK, cipher));
	return c;
}

static size_t
cut(enum crypto_scp03t_tag tag)
{
	return tag == SCP03T_METADATA ? CUT_PLAIN : CUT_SECRET;
}

/* Octets of data in a segment of n plain octets: padded by 1 to 16 octets when it is encrypted. */
static size_t
data_size(enum crypto_scp03t_tag tag, size_t n)
{
	return tag == SCP03T_METADATA ? n : (n / BLOCK + 1) * BLOCK;
}

/* Tag and DER length, at most four octets; returns how many. */
static size_t
write_head(uint8_t out[4], enum crypto_scp03t_tag tag, size_t length)
{
	size_t n = 0;

	out[n++] = (uint8_t)tag;
	if (length >= 0x100)
		out[n++] = 0x82;
	else if (length >= 0x80)
		out[n++] = 0x81;
	if (length >= 0x100)
		out[n++] = (uint8_t)(length >> 8);
	out[n++] = (uint8_t)length;
	return n;
}

static size_t
segment_size(enum crypto_scp03t_tag tag, size_t n)
{
	uint8_t head[4];
	size_t length = data_size(tag, n) + MAC;

	return write_head(head, tag, length) + length;
}

size_t
crypto_scp03t_size(enum crypto_scp03t_tag tag, size_t n)
{
	size_t full = n / cut(tag), rest = n % cut(tag);

	return full * segment_size(tag, cut(tag)) + (rest ? segment_size(tag, rest) : 0);
}

/*
 * CBC from a zero IV over counter ‖ plaintext: the first block that comes out is AES(counter), the ICV,
 * and the plaintext is chained to it. One key schedule does both.
 */
static void
encrypt(struct crypto_scp03t *c, struct slice plain, uint8_t *out)
{
	static const uint8_t zero[BLOCK];
	uint8_t icv[BLOCK], last[BLOCK] = { 0 };
	size_t whole = plain.n / BLOCK * BLOCK;
	int n;

	must(EVP_EncryptInit_ex2(c->cbc, NULL, NULL, zero, NULL) &&
		EVP_EncryptUpdate(c->cbc, icv, &n, c->counter, BLOCK));
	if (whole)
		must(EVP_EncryptUpdate(c->cbc, out, &n, plain.p, (int)whole));
	if (plain.n > whole)
		memcpy(last, plain.p + whole, plain.n - whole);
	last[plain.n - whole] = 0x80;
	must(EVP_EncryptUpdate(c->cbc, out + whole, &n, last, BLOCK));
	explicit_bzero(last, sizeof last);
}

static void
put_segment(
	struct crypto_scp03t *c, enum crypto_scp03t_tag tag, struct slice plain, struct buf *out)
{
	size_t data = data_size(tag, plain.n), got;
	uint8_t head[4], *p;
	size_t head_n = write_head(head, tag, data + MAC);

	p = buf_reserve(out, head_n + data + MAC);
	if (!p)
		return; /* the buffer remembers */
	memcpy(p, head, head_n);
	if (tag == SCP03T_METADATA)
		memcpy(p + head_n, plain.p, plain.n);
	else
		encrypt(c, plain, p + head_n);
	must(EVP_MAC_init(c->cmac, NULL, 0, NULL) && EVP_MAC_update(c->cmac, c->chain, BLOCK) &&
		EVP_MAC_update(c->cmac, p, head_n + data) &&
		EVP_MAC_final(c->cmac, c->chain, &got, BLOCK));
	memcpy(p + head_n + data, c->chain, MAC);
	for (int i = BLOCK - 1; i >= 0 && ++c->counter[i] == 0; i--)
		;
}

void
crypto_scp03t_put(
	struct crypto_scp03t *c, enum crypto_scp03t_tag tag, struct slice plain, struct buf *out)
{
	for (size_t at = 0; at < plain.n; at += cut(tag))
		put_segment(c, tag, slice_sub(plain, at, cut(tag)), out);
}
