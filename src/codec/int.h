#ifndef CODEC_INT_H
#define CODEC_INT_H
/* Inside codec/: flat structures read by a table of their members. */
#include "codec/der.h"

/* One member of a SEQUENCE. */
struct member {
	uint32_t tag;
	const char *name; /* as in the ASN.1 module, for the reason */
	size_t min, max;  /* octets of the value; checked when it is there */
	bool optional;
	struct slice *value;  /* where the value goes, or NULL */
	struct slice *octets; /* where the whole TLV goes, or NULL */
};

/*
 * Reads the contents of a SEQUENCE. Members come in the table's order; what is not in the table is
 * skipped. Absent optional members are set to absent. False with a reason otherwise.
 */
bool member_read(struct arena *mem, struct slice contents, const struct member *table, size_t n,
	const char **why);

#define MEMBER_READ(mem, contents, table, why) \
	member_read(mem, contents, table, sizeof(table) / sizeof((table)[0]), why)

/*
 * The value of the first TLV of that tag; absent when there is none of min to max octets. For members
 * that nobody needs: in any place, among strangers, and what is broken behind them does not count.
 */
struct slice member_find(struct slice contents, uint32_t tag, size_t min, size_t max);

/* An INTEGER that fits an int; else false with a reason. */
bool member_int_read(
	struct arena *mem, const char *name, struct slice value, int *out, const char **why);

/* The contents of a BIT STRING: bit i of `bits` is named bit i; those from 32 on are dropped. */
bool member_bits_read(struct slice value, uint32_t *bits);

/* The contents of an OBJECT IDENTIFIER as dotted text; else false with a reason. */
bool member_oid_read(struct arena *mem, const char *name, struct slice value, struct slice *dotted,
	const char **why);

/* A signature in any of the forms of codec_signature_read, noted; else false with a reason. */
bool member_signature_read(struct arena *mem, struct slice value, struct slice *out,
	unsigned *leniencies, const char **why);

/* No bound of its own: requests have one. */
#define MEMBER_MAX SIZE_MAX

#endif
