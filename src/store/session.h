#ifndef STORE_SESSION_H
#define STORE_SESSION_H
/*
 * RSP sessions (sql/query/session.sql). Every call is an awaitable of the task that makes it; what it
 * finds lies in the task's arena. Octets of a transaction id are 16, EIDs are 32 digits.
 */
#include "crypto/ecdsa.h"
#include "loop/task.h"
#include "store/store.h"

/* What AuthenticateClient needs to know. */
struct store_admission {
	/* this transaction was answered before */
	bool seen;
	struct slice seen_sha256, seen_refusal, seen_metadata, seen_otpk, seen_signature2;
	bool seen_code_required;
	/* the order it is about; order_id STORE_NULL: none */
	int64_t order_id;
	struct slice iccid, order_eid, state, error;
	bool code_required, expired, frozen;
	int32_t download_attempts;
	/* its profile */
	int32_t saip_version, upp_octets;
	int64_t services;
	struct slice metadata;
	int64_t template_id; /* that it is made of; STORE_NULL: it is a package of its own */
	struct slice otpk;   /* otPK.EUICC of the last package for this eUICC and set, or absent */
	bool test_ci;        /* its operator's profiles may go to eUICCs of a test CI */
	bool reusable;       /* the order is for any number of eUICCs */
};

/* What the eUICC can take: a version (major * 256 + minor), services (1 << enum profile_service). */
struct store_abilities {
	int32_t saip_version;
	int64_t services;
};

/* `matching_id` absent or empty: by EID. Always R_OK. */
const struct step *store_session_admit(struct task *t, struct store *s, struct slice transaction_id,
	struct slice matching_id, struct slice eid, uint8_t credential_set,
	const struct store_abilities *can, struct store_admission *out,
	const struct step *then) MUST_RETURN;

struct store_new_session {
	struct slice transaction_id, eid, smdp_oid, request_sha256;
	uint8_t credential_set;
	const struct crypto_public *euicc_key;
	/* the order whose attempt is counted, as it was judged; order_id STORE_NULL: none */
	int64_t order_id;
	int32_t download_attempts;
	struct slice state;
	struct slice refusal; /* absent: admitted */
	struct slice event;   /* a move of the profile that goes with the refusal, or absent */
	struct slice why;     /* for the operator: what was missing */
	int64_t template_id;  /* of the admission */
	struct slice subject, reason; /* codes of the refusal, for the operator */
	/* the answer */
	struct slice metadata, otpk, smdp_signature2;
	bool code_required;
	struct slice tac, imei, peer;
};

/* R_CONFLICT: the transaction exists, or the order is not as it was judged: admit again. */
const struct step *store_session_record(struct task *t, struct store *s,
	const struct store_new_session *in, const struct step *then) MUST_RETURN;

struct store_session {
	struct slice state, refusal, eid, euicc_point, smdp_oid, iccid;
	enum crypto_curve euicc_curve;
	int16_t credential_set;
	int64_t order_id;    /* STORE_NULL: none */
	bool packed;         /* a package went out in it */
	struct slice result; /* "installed", "failed", or absent: none was heard */
	bool waiting;        /* notifications of its profile are kept for after the result */
	int32_t download_attempts;
};

/* R_NONE: no such session. */
const struct step *store_session_find(struct task *t, struct store *s, struct slice transaction_id,
	struct store_session *out, const struct step *then) MUST_RETURN;

struct store_code_check {
	struct slice outcome; /* "right" or the name of a refusal */
};

/*
 * `hash_cc` 32 octets; `forgiven` wrong codes are only refused, the next ends the order. R_CONFLICT:
 * the session does not wait for its package any more.
 */
const struct step *
store_session_check_code(struct task *t, struct store *s, struct slice transaction_id,
	struct slice hash_cc, int forgiven, struct slice request_sha256,
	struct store_code_check *out, const struct step *then) MUST_RETURN;

struct store_cancellation {
	bool moved;
};

/* Codes of SGP.22 §5.2.6 that tell an operator why. */
struct store_codes {
	struct slice subject, reason;
};

/* `event` is "postpone" or "reject"; `error` the name kept with an order that ends in Error. */
const struct step *
store_session_cancel(struct task *t, struct store *s, struct slice transaction_id,
	struct slice event, struct slice error, struct slice why, const struct store_codes *codes,
	struct store_cancellation *out, const struct step *then) MUST_RETURN;

struct store_sweep {
	int64_t swept;
};

/* Deletes up to `most` sessions without an order that are more than a day old. */
const struct step *store_session_sweep(struct task *t, struct store *s, int most,
	struct store_sweep *out, const struct step *then) MUST_RETURN;

#endif
