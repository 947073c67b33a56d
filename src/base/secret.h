#ifndef BASE_SECRET_H
#define BASE_SECRET_H
/* Octets that must not be seen: no printer, no comparison but in constant time, wiped when done. */
#include "base/slice.h"

struct secret {
	uint8_t p[64];
	size_t n; /* octets in use */
};

/* Wipes and empties. */
void secret_fini(struct secret *s);

/* Keeps a copy; false when it is longer than a secret can be. */
bool secret_init(struct secret *s, struct slice octets);

static inline struct slice
secret_get(const struct secret *s)
{
	return slice_of(s->p, s->n);
}

/* Takes the same time wherever two slices of one length differ. */
bool secret_eq(struct slice a, struct slice b);

#endif
