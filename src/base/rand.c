/* The kernel's random generator, taken in pages so that a first call costs no system call of its own. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/rand.h"

static _Thread_local uint8_t pool[1024];
static _Thread_local size_t left;

static void
fill(void *p, size_t n)
{
	uint8_t *q = p;

	while (n) {
		ssize_t got = getrandom(q, n, 0);

		if (got <= 0)
			abort();
		q += got;
		n -= (size_t)got;
	}
}

void
rand_bytes(void *p, size_t n)
{
	if (n > sizeof pool) {
		fill(p, n);
		return;
	}
	if (n > left) {
		fill(pool, sizeof pool);
		left = sizeof pool;
	}
	memcpy(p, pool + left - n, n);
	explicit_bzero(pool + left - n, n);
	left -= n;
}
