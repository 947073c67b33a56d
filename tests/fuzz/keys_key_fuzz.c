/*
 * A key file of any content, as cluster key and as seal key: it is a key when it holds 64 hexadecimal digits
 * between blanks, for both alike, and nothing else is.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/text.h"
#include "keys/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

enum { LONGEST = 16384 };

static bool
is_key(struct slice file)
{
	struct slice digits = slice_trim(file);

	for (size_t i = 0; i < digits.n; i++)
		if (!isxdigit(digits.p[i]))
			return false;
	return digits.n == 64 && file.n <= LONGEST;
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	const bool fine = is_key(slice_of(octets, n));
	struct crypto_sealer *sealer;
	struct crypto_ring *ring;
	char path[32];
	int fd = memfd_create("key", 0);

	if (fd < 0 || fchmod(fd, 0600) != 0 || write(fd, octets, n) != (ssize_t)n)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (!keys_ring_load(path, NULL, &ring) != fine || !ring == fine)
		abort();
	if (!keys_sealer_load(path, "", &sealer) != fine || !sealer == fine)
		abort();
	crypto_ring_free(ring);
	crypto_sealer_free(sealer);
	/* One key is no pair. */
	if (!keys_ring_load(path, path, &ring) || ring)
		abort();
	close(fd);
	return 0;
}
