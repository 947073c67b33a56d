#ifndef EIM_PACKAGE_H
#define EIM_PACKAGE_H
/*
 * What the queue holds and what goes out (SGP.32 §2.11.1). A body waits without an eimTransactionId: of an eUICC
 * package it is the commands' TLV, of a data request BF52, of a trigger BF54. The id, the counter and the signature
 * come when it is handed out first.
 */
#include "eim/eim.h"
#include "store/eim.h"

enum { EIM_TRANSACTION = 16 };

/* What of SGP.32 a device speaks, from its iotVersion (-1: not known, taken for v1.2). */
bool eim_is_v1_0(int32_t iot_version);

/* Bodies of what we want ourselves, in the arena. */
struct slice eim_body_profiles(struct arena *mem, int32_t iot_version);
struct slice eim_body_facts(struct arena *mem, int32_t iot_version);
struct slice eim_body_results(struct arena *mem, int32_t iot_version);
struct slice eim_body_notifications(struct arena *mem, int32_t iot_version);

/* The octets of a data request or a trigger with this eimTransactionId. */
struct slice eim_request_write(
	struct arena *mem, const struct store_eim_head *head, struct slice eim_transaction_id);

/* The 30 TLV that is signed, for this counter. `eid` are 32 digits. */
struct slice eim_package_signed_write(struct arena *mem, const struct eim_world *w,
	struct slice eid, int64_t counter, struct slice eim_transaction_id, struct slice commands);

/* STORE_NULL for none. */
struct codec_number eim_token(int64_t token);

/* eimSignature of a package as it went out, its 5F37 TLV; absent when the octets are none. */
struct slice eim_package_signature(struct slice octets);

/* 16 octets out of 32 digits. */
struct slice eim_eid_octets(struct arena *mem, struct slice digits);

#endif
