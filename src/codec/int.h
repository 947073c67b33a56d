#ifndef CODEC_INT_H
#define CODEC_INT_H
/* Inside codec/: flat structures read by a table of their members, and what several messages hold. */
#include "codec/der.h"
#include "codec/number.h"

struct codec_notify;
struct codec_pending_list;
struct codec_profile_info;
struct codec_result_list;

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

/* An INTEGER of 1 to 8 octets; any other value is none. */
struct codec_number member_number_read(struct slice value);

/* One TLV of that tag and nothing else: its contents; else false with a reason. */
bool member_outer_read(struct arena *mem, const char *name, struct slice octets, uint32_t tag,
	struct slice *contents, const char **why);

/* What a CHOICE holds; some write its own tag inside the one that should take its place. */
struct slice member_once(struct slice contents, uint32_t tag, unsigned *leniencies);

/*
 * A Certificate (3 members) or a SubjectPublicKeyInfo (2) under a tag that takes the place of its own: as a whole
 * SEQUENCE, in the arena; some put that inside the tag. Absent when it is neither.
 */
struct slice member_sequence_read(
	struct arena *mem, struct slice contents, size_t members, unsigned *leniencies);

/*
 * The contents of notificationConfigurationInfo; entries of one address become one. `notify` has room for
 * CODEC_NOTIFY_MAX.
 */
bool member_notify_read(struct arena *mem, struct slice contents, struct codec_notify *notify,
	size_t *n, const char **why);

/* The contents of a PendingNotificationList: bounded; what is no notification is skipped. */
bool pending_list_read(
	struct arena *mem, struct slice contents, struct codec_pending_list *out, const char **why);

/* The contents of an EuiccPackageResultList, likewise. */
bool result_list_read(
	struct arena *mem, struct slice contents, struct codec_result_list *out, const char **why);

/* One of the lists under RetrieveNotificationsListResponse of SGP.32 v1.0, or both; absent: not there. */
struct retrieved {
	struct slice notifications, results; /* contents */
};

/* The contents of the BF2B TLV. What is neither is an error of the eUICC's, and nothing is there. */
void retrieved_read(struct slice contents, struct retrieved *out);

/* One E3 TLV. */
void
profile_info_read(struct arena *mem, const struct codec_der *e3, struct codec_profile_info *out);

/* No bound of its own: requests have one. */
#define MEMBER_MAX SIZE_MAX

#endif
