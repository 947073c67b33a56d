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

static bool
is_given(const char *file)
{
	return file && *file;
}

/* Both files; `old` is filled only when there is a former key. */
static const char *
read_pair(const char *current, const char *former, uint8_t new[SIZE], uint8_t old[SIZE])
{
	const char *wrong = read_key(current, new);

	if (!wrong && is_given(former))
		wrong = read_key(former, old);
	return wrong;
}

const char *
keys_ring_load(const char *current, const char *former, struct crypto_ring **out)
{
	uint8_t new[SIZE], old[SIZE];
	const char *wrong = read_pair(current, former, new, old);

	*out = NULL;
	if (!wrong) {
		*out = crypto_ring_new(
			SLICE_ARRAY(new), is_given(former) ? SLICE_ARRAY(old) : SLICE_NONE);
		if (!*out)
			wrong = "has the same key id as the former one: make another";
	}
	explicit_bzero(new, sizeof new);
	explicit_bzero(old, sizeof old);
	return wrong;
}

const char *
keys_sealer_load(const char *current, const char *former, struct crypto_sealer **out)
{
	uint8_t new[SIZE], old[SIZE];
	const char *wrong = read_pair(current, former, new, old);

	*out = NULL;
	if (!wrong) {
		*out = crypto_sealer_new(
			SLICE_ARRAY(new), is_given(former) ? SLICE_ARRAY(old) : SLICE_NONE);
		if (!*out)
			wrong = "has the same key id as the former one: make another";
	}
	explicit_bzero(new, sizeof new);
	explicit_bzero(old, sizeof old);
	return wrong;
}
