/* The cluster key ring (RULES 1.1) and the sealing keys, loaded from files of 64 hexadecimal digits. */
#include "keys/file.h"
#include "keys/keys.h"

enum { SIZE = 32 };

/* Constant in time enough: what leaks is which character is no digit. */
static int
digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *
read_key(const char *file, uint8_t key[SIZE])
{
	struct slice octets, hex;
	const char *wrong = keys_file_read(file, &octets);
	bool fine;

	if (wrong)
		return wrong;
	hex = slice_trim(octets);
	fine = hex.n == 2 * SIZE;
	for (size_t i = 0; fine && i < SIZE; i++) {
		int high = digit(hex.p[2 * i]), low = digit(hex.p[2 * i + 1]);

		fine = high >= 0 && low >= 0;
		key[i] = (uint8_t)(high * 16 + low);
	}
	keys_file_wipe(octets);
	return fine ? NULL
		    : "does not hold 64 hexadecimal digits: make it with `openssl rand -hex 32`";
}

/* What the two files hold, until something was made of it. */
struct pair {
	uint8_t current[SIZE], former[SIZE];
	struct slice old; /* `former`, or absent: there is no former key */
};

static const char *
pair_read(struct pair *k, const char *current, const char *former)
{
	const char *wrong = read_key(current, k->current);

	k->old = SLICE_NONE;
	if (!wrong && former && *former) {
		wrong = read_key(former, k->former);
		k->old = SLICE_ARRAY(k->former);
	}
	return wrong;
}

/* Wipes it. The answer for who asked: `made` is what became of the keys. */
static const char *
pair_settle(struct pair *k, const char *wrong, const void *made)
{
	explicit_bzero(k, sizeof *k);
	return wrong ? wrong : made ? NULL : "has the same key id as the former one: make another";
}

const char *
keys_ring_load(const char *current, const char *former, struct crypto_ring **out)
{
	struct pair k;
	const char *wrong = pair_read(&k, current, former);

	*out = wrong ? NULL : crypto_ring_new(SLICE_ARRAY(k.current), k.old);
	return pair_settle(&k, wrong, *out);
}

const char *
keys_sealer_load(const char *current, const char *former, struct crypto_sealer **out)
{
	struct pair k;
	const char *wrong = pair_read(&k, current, former);

	*out = wrong ? NULL : crypto_sealer_new(SLICE_ARRAY(k.current), k.old);
	return pair_settle(&k, wrong, *out);
}
