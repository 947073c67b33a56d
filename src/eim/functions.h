#ifndef EIM_FUNCTIONS_H
#define EIM_FUNCTIONS_H
/*
 * The functions of ESipa (SGP.32 §5.14) as procedures. A binding makes a task of one, fills the members under `in`
 * (absent: not sent), and finds the answer under `out` when the task ended without refusal or trouble. All octets
 * are decoded: no Base64, no hexadecimal. Answers live in the task's arena.
 */
#include "codec/ipa_data.h"
#include "codec/notification.h"
#include "eim/eim.h"
#include "eim/poll.h"
#include "eim/refusal.h"
#include "peer/local.h"
#include "store/eim.h"
#include "store/euicc.h"

/* §5.14.5 */
struct eim_get_eim_package {
	struct eim_call call;
	struct {
		struct slice eid_value;           /* 16 octets */
		struct slice notify_state_change; /* there or absent */
		struct slice state_change_cause;  /* contents of an INTEGER */
		struct slice rplmn;
	} in;
	struct {                                               /* one of them */
		struct slice euicc_package_request;            /* BF51 */
		struct slice ipa_euicc_data_request;           /* BF52 */
		struct slice profile_download_trigger_request; /* BF54 */
	} out;
	/* read_members */
	uint8_t digits[33];
	int cause; /* -1: no change was notified */
	/* look */
	struct eim_polled polled;
	/* find_head, again when something changed under us */
	struct store_eim_head head;
	unsigned tries;
	/* judge_head */
	struct store_changed changed;
	struct store_package_id wanted;
	struct store_package_state aside;
	struct store_octets again;
	struct store_activation activation;
	struct store_handed_out handed;
	struct slice signed_part, signature;
};
extern const struct procedure eim_get_eim_package;

/* What one message holds of: each is judged and recorded by itself. */
struct eim_item {
	enum eim_item_kind {
		EIM_ITEM_RESULT,
		EIM_ITEM_DATA,
		EIM_ITEM_TRIGGER,
		EIM_ITEM_ERROR
	} kind;
	union {
		struct codec_euicc_package_result result;
		struct codec_ipa_data data;
		struct codec_download_result trigger;
		struct {
			struct slice eim_transaction_id;
			int code;
		} error;
	};
	struct slice octets; /* as received */
};

/* §5.14.6; of HandleNotification (§5.14.7) too, when it carries a result. */
struct eim_provide_eim_package_result {
	struct eim_call call;
	struct {
		struct slice eid_value; /* 16 octets */
		struct slice
			eim_package_result; /* BF51, 30, BF52, BF54 or A0; perhaps a whole BF50 */
	} in;
	struct {
		struct slice eim_acknowledgements; /* BF53; absent: emptyResponse */
	} out;
	/* read_result */
	uint8_t digits[33];
	struct slice eid; /* digits that the message claims, or absent */
	struct eim_item *items;
	size_t item_n, at;
	const struct codec_pending *pending; /* notifications that came along */
	size_t pending_n, pending_at;
	bool has_eid_of_certificate;
	/* find_package, again when something changed under us */
	struct store_eim_found found;
	unsigned tries;
	/* judge */
	struct crypto_euicc euicc; /* of certificates that came along */
	bool proven, admitted;
	struct store_eim_result record;
	struct store_eim_recorded recorded;
	struct store_euicc_facts facts;
	struct store_euicc_learnt learnt;
	struct store_unsigned_error unsigned_error;
	/* what is acknowledged: contents of INTEGERs, as they came */
	struct slice *acks;
	size_t ack_n;
	/* verify_notification */
	struct slice *kept_sha256, *kept_address, *kept_octets;
	size_t kept_n;
	struct store_kept kept;
	/* keep_raw */
	const char *raw_why;
};
extern const struct procedure eim_provide_eim_package_result;

/* §5.14.7 with a notification. It has no refusals: what is not accepted is noted and answered 204. */
struct eim_handle_notification {
	struct eim_call call;
	struct {
		struct slice pending_notification;
	} in;
	/* read_notification */
	struct codec_notification notification;
	struct https_reply given;
	struct crypto_euicc euicc;
	/* check_known, keep */
	struct store_euicc known;
	uint8_t sha256[32];
	struct slice address, sum;
	struct store_kept kept;
};
extern const struct procedure eim_handle_notification;

/* ESipa answers within the time that an IPA waits (ARCHITECTURE 4). */
enum { EIM_DEADLINE_MS = 4000, EIM_ARENA = 256 * 1024 };

/* How often a procedure looks again when something changes under it, before it answers "busy". */
enum { EIM_TRIES = 4 };

/* Counts what a message was forgiven: bits of enum codec_leniency. */
void eim_leniencies_count(unsigned leniencies);

#endif
