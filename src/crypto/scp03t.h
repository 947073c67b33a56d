#ifndef CRYPTO_SCP03T_H
#define CRYPTO_SCP03T_H
/*
 * SCP03t protection of the segments of a Bound Profile Package (SGP.22 §2.5.3, §2.5.4; SGP.02
 * §4.1.3.3). One context is one run of keys, MAC chain and counter; PPK mode starts a second context
 * for the '86' segments. Frames A0 … A3 around the segments are the caller's.
 */
#include "base/buf.h"
#include "crypto/agree.h"

struct crypto_scp03t;

enum crypto_scp03t_tag {
	SCP03T_PROFILE = 0x86,  /* encrypted and MACed, cut at 1007 plain octets */
	SCP03T_COMMAND = 0x87,  /* the same, for ConfigureISDP and ReplaceSessionKeys */
	SCP03T_METADATA = 0x88, /* MACed only, cut at 1008 octets */
};

/* Lives in the arena and is wiped with it; `keys` is copied. */
struct crypto_scp03t *crypto_scp03t_new(struct arena *mem, const struct crypto_session *keys);

/* Octets that crypto_scp03t_put appends for `n` plain octets: tags, lengths, padding and MACs included. */
size_t crypto_scp03t_size(enum crypto_scp03t_tag tag, size_t n);

/* Appends the finished segment or segments; nothing for an empty plaintext. */
void crypto_scp03t_put(
	struct crypto_scp03t *c, enum crypto_scp03t_tag tag, struct slice plain, struct buf *out);

#endif
