#ifndef BASE_SLICE_H
#define BASE_SLICE_H
/*
 * Octets and text that somebody else owns: a pointer and a length. Requests are sliced, never copied,
 * so a signature is verified over the octets that were received.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const uint8_t *p; /* NULL only when absent */
	size_t n;         /* octets */
};

#define SLICE_NONE ((struct slice){ NULL, 0 })
/* A slice over a string literal or an array of octets, without its terminating zero for the former. */
#define SLICE_LIT(s) ((struct slice){ (const uint8_t *)(s), sizeof(s) - 1 })
#define SLICE_ARRAY(a) ((struct slice){ (const uint8_t *)(a), sizeof(a) })
/* For printf's "%.*s". */
#define SLICE_FMT(s) (int)(s).n, (s).p ? (const char *)(s).p : ""

static inline struct slice
slice_of(const void *p, size_t n)
{
	return (struct slice){ p, n };
}

static inline struct slice
slice_text(const char *s)
{
	return (struct slice){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

/* Not for secrets: secret_eq takes constant time, this does not. */
static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII letters compare without case. */
bool slice_eq_nocase(struct slice a, struct slice b);

/* The part from octet `from` on, at most `n` octets; what lies outside is cut off. */
struct slice slice_sub(struct slice s, size_t from, size_t n);

/* Without leading and trailing blanks, tabs and line ends. */
struct slice slice_trim(struct slice s);

/* True for one or more ASCII digits and nothing else. */
bool slice_is_digits(struct slice s);

/*
 * "host" or "host:port", the host a name of DNS or an IPv4 address: both, the port being `standard` when none
 * is said. False when it is neither.
 */
bool slice_read_server(struct slice s, unsigned standard, struct slice *host, unsigned *port);

/* A decimal number without sign; false when it is none or above `max`. */
bool slice_to_u64(struct slice s, uint64_t max, uint64_t *out);

#endif
