#ifndef DP_FUNCTIONS_H
#define DP_FUNCTIONS_H
/*
 * The five functions of ES9+ (SGP.22 §5.6) as procedures. A binding makes a task of one, fills the
 * members under `in`, and finds the answer under `out` when the task ended without refusal or trouble.
 * All octets are decoded: no Base64, no hexadecimal. Answers live in the task's arena.
 */
#include "codec/euicc.h"
#include "codec/notification.h"
#include "dp/dp.h"
#include "dp/refusal.h"
#include "store/package.h"
#include "store/session.h"
#include "store/template.h"

/* §5.6.1. Stateless: neither a row nor memory is kept for it. */
struct dp_initiate_authentication {
	struct dp_call call;
	struct {
		struct slice euicc_challenge; /* 16 octets */
		struct slice euicc_info1;     /* BF20 */
		struct slice smdp_address;    /* text, as the LPA spells it */
	} in;
	struct {
		struct slice server_signed1, server_signature1; /* TLVs */
		struct slice ci_pkid;                           /* 04 14 … */
		struct slice server_certificate;                /* CERT.DPauth */
	} out;
	/* check_version */
	struct codec_euicc_info1 info;
	/* choose_ci */
	const struct dp_set *set;
	/* sign */
	struct slice signature;
};
extern const struct procedure dp_initiate_authentication;

/* §5.6.3 */
struct dp_authenticate_client {
	struct dp_call call;
	struct {
		struct slice authenticate_server_response; /* BF38 */
		struct slice peer;
	} in;
	struct {
		struct slice profile_metadata;              /* BF25 */
		struct slice smdp_signed2, smdp_signature2; /* TLVs */
		struct slice smdp_certificate;              /* CERT.DPpb */
	} out;
	/* verify_transaction */
	const struct dp_set *set;
	struct codec_authenticate_response response;
	uint8_t request_sha256[CRYPTO_SHA256_SIZE];
	/* verify_chain */
	struct crypto_euicc euicc;
	/* find_order, again when the order changed under us */
	struct store_admission admission;
	unsigned tries;
	/* judge_order */
	const struct dp_refusal *refused;
	struct store_new_session session;
	/* sign */
	struct slice signature;
};
extern const struct procedure dp_authenticate_client;

/* §5.6.2 */
struct bpp;
struct profile_template;
struct dp_get_bound_profile_package {
	struct dp_call call;
	struct {
		struct slice prepare_download_response; /* BF21 */
	} in;
	struct {
		struct slice bound_profile_package; /* BF36 */
	} out;
	/* verify_transaction */
	struct codec_prepare_response response;
	int64_t began; /* seconds since 1970, from the transaction id */
	uint8_t request_sha256[CRYPTO_SHA256_SIZE];
	/* find_session, again when the order changed under us */
	struct store_package found;
	const struct dp_set *set;
	unsigned tries;
	/* check_code */
	struct store_code_check code;
	/* find_template, make_package */
	const struct profile_template *template;
	struct store_template_upp sealed_template;
	struct slice upp;
	/* open_package */
	struct bpp *bpp;
	struct slice sealed_seed;
	/* sign_channel */
	struct slice signature;
};
extern const struct procedure dp_get_bound_profile_package;

/* §5.6.4. It has no refusals: what is not accepted is noted in call.note and acknowledged. */
struct dp_handle_notification {
	struct dp_call call;
	struct {
		struct slice pending_notification; /* BF37 or 30 */
	} in;
	/* read */
	struct codec_notification notification;
	char iccid[21];
	/* verify_chain */
	struct crypto_euicc euicc;
	/* find_session */
	struct store_session session;
	/* check_recorded */
	unsigned tries;
};
extern const struct procedure dp_handle_notification;

/* §5.6.5 */
struct dp_cancel_session {
	struct dp_call call;
	struct {
		struct slice cancel_session_response; /* BF41 */
	} in;
	/* verify_transaction */
	struct codec_cancel_response response;
	/* find_session */
	struct store_session session;
	/* record */
	struct store_cancellation cancellation;
};
extern const struct procedure dp_cancel_session;

/*
 * Deadline and arena caps of these. A package passes through the arena of its call as sealed, plain,
 * protected, framed and encoded octets, and protected once more when it cannot be repeated: seven times
 * its size, and an imported one has at most PROFILE_UPP_MAX. Only what is used is taken.
 */
enum { DP_DEADLINE_MS = 10000, DP_ARENA = 256 * 1024, DP_PACKAGE_ARENA = 8 * 1024 * 1024 };

/*
 * How long after its first call a session may still get its package, in seconds: the user reads, answers,
 * and types a code meanwhile. Results and cancellations are heard for as long as the order is kept.
 */
enum { DP_SESSION_SECONDS = 3600 };

/* Counts what a card's message was forgiven: bits of enum codec_leniency. */
void dp_leniencies_count(unsigned leniencies);

/* How often a procedure looks again when an order changes under it, before it answers "busy". */
enum { DP_TRIES = 4 };

#endif
