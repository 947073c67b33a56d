/* Secrets: wiped, compared in constant time. */
#include <strings.h>
#include "base/secret.h"

void
secret_fini(struct secret *s)
{
	explicit_bzero(s, sizeof *s);
}

bool
secret_init(struct secret *s, struct slice octets)
{
	secret_fini(s);
	if (octets.n > sizeof s->p)
		return false;
	if (octets.n)
		memcpy(s->p, octets.p, octets.n);
	s->n = octets.n;
	return true;
}

bool
secret_eq(struct slice a, struct slice b)
{
	uint8_t differ = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		differ |= (uint8_t)(((const volatile uint8_t *)a.p)[i] ^
			((const volatile uint8_t *)b.p)[i]);
	return differ == 0;
}
