#ifndef DP_DP_H
#define DP_DP_H
/*
 * The SM-DP+ (SGP.22): what its procedures share. One `struct dp` a process; what a reload may change
 * lives in a `struct dp_world`, which is immutable, counted by the tasks that began with it, and
 * swapped whole.
 */
#include "crypto/chain.h"
#include "crypto/digest.h"
#include "crypto/seal.h"
#include "crypto/token.h"
#include "loop/task.h"

struct dp_clients;
struct dp_denied;
struct dp_load_places;
struct dp_plans;
struct keys_private;
struct peer;
struct store;
struct dp_world;

/* A certificate of ours, or a revocation list: when it ends. */
struct dp_certificate {
	const char *what;  /* "ci", "auth", "pb", "tls", "eim", "crl" */
	struct slice name; /* of its section in the configuration: "listener nist" */
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	int64_t not_before, not_after; /* seconds since 1970; of a list: this and next update */
};

/* Whole days until then, rounded down: 0 in the last 24 hours, negative when it is over. */
int64_t dp_certificate_days(const struct dp_certificate *c, int64_t now);

/* How many days ahead of its end it is due to be told of: 30, 7, 1, 0 (over), or -1 (not yet). */
int dp_certificate_ahead(const struct dp_certificate *c, int64_t now);

/* A pair of certificates of ours, DPauth and DPpb, with their keys. */
struct dp_credential {
	struct crypto_credential facts;
	struct slice auth, pb; /* X.509 DER */
	struct keys_private *auth_key, *pb_key;
	uint8_t auth_sha256[CRYPTO_SHA256_SIZE], pb_sha256[CRYPTO_SHA256_SIZE];
};

/* The CI that the eUICC is to use, and the pair that we use with it; numbered by the database. */
struct dp_set {
	uint8_t number; /* 1 … 255; 0: not numbered yet */
	uint8_t ci_id[CRYPTO_KEY_ID_SIZE];
	const struct dp_credential *credential;
};

enum { DP_CREDENTIALS = 16, DP_SETS = 64, DP_NAMES = 32, DP_HOST_ID_MAX = 16 };

/* What a reload may change. All octets live as long as the world. */
struct dp_settings {
	struct slice names[DP_NAMES]; /* addresses of ours, without port */
	size_t name_count;
	const uint8_t (*test_cis)[CRYPTO_KEY_ID_SIZE]; /* CIs whose private keys the world knows */
	size_t test_ci_count;
	struct slice address;                /* as printed in activation codes */
	struct slice ios_link, android_link; /* what precedes "LPA:…" in links for phones */
	uint8_t svn_lowest[3], svn_highest[3];
	int download_attempts;                   /* beyond this many: terminated */
	int code_attempts;                       /* wrong Confirmation Codes that are forgiven */
	int clone_addresses, clone_device_types; /* of one eUICC in a day; 0: any number */
	bool reusable_orders;                    /* laboratories may have them */
	int64_t order_lifetime;                  /* seconds; 0: no end */
	int64_t call_memory; /* seconds that a call of ES2+ is remembered; 0: not */
};

struct dp_world {
	unsigned references;
	struct dp_world *former;   /* one before, with other sets: they still end their sessions */
	int64_t replaced;          /* clock_mono_us; 0: it is the current one */
	void *owner;               /* what the octets below live in … */
	void (*drop)(void *owner); /* … and how it goes */
	struct crypto_trust *trust;
	struct crypto_ring *ring;
	struct crypto_sealer *sealer;
	struct dp_credential credentials[DP_CREDENTIALS];
	size_t credential_count;
	struct dp_set sets[DP_SETS];
	size_t set_count;
	struct dp_certificate *certificates;
	size_t certificate_count;
	struct dp_settings settings;
};

struct dp {
	struct loop *loop;
	struct store *store;
	struct peer *peer;          /* whom ES12 is spoken with */
	struct dp_world *world;     /* NULL until the first is numbered */
	struct dp_denied *denied;   /* what is not served; NULL until it was read first */
	struct dp_clients *clients; /* of the operators; the same */
	struct dp_plans *plans;     /* templates, compiled */
	struct dp_load_places *loads;
	unsigned telling; /* refused calls on their way into a history */
};

/*
 * Makes `w` the world of new tasks once the database has numbered its sets, and calls done(arg, ok)
 * then; takes over one reference of the world, which is released when ok is false: others, of the eIM, may
 * hold it already. Sets are CI × credential.
 */
void dp_world_start(struct dp *dp, struct dp_world *w, void (*done)(void *arg, bool ok), void *arg);
void dp_world_release(struct dp_world *w);

/* The current world, held until the task ends; NULL before the first one stands (answer: busy). */
struct dp_world *dp_world_hold(struct dp *dp, struct task *t);

/* Is this CI (its id of 20 octets) one whose private key is public? */
bool dp_ci_is_test(const struct dp_world *w, struct slice ci_id);

/* NULL when neither this world nor the former has it. */
const struct dp_set *dp_set_find(const struct dp_world *w, uint8_t number);

/*
 * What every call of a peer begins with, so that its binding can log it in one way. The slices point
 * into the task's arena or the request.
 */
struct dp_call {
	struct dp *dp;
	struct dp_world *world;
	struct slice transaction_id; /* octets */
	struct slice eid, iccid;     /* digits, when known */
	int64_t order_id;            /* 0: not known */
	const char *note;            /* one more thing worth a line, or NULL */
	bool ignored;                /* acknowledged, yet not taken: the note says why */
	/* of a refused call, for the history of its profile (dp/tell_refused.h) */
	bool proved;              /* the caller is who it says */
	bool recorded;            /* the database knows already */
	struct slice matching_id; /* of the order that was not looked for; empty: by EID */
	struct slice tac, imei;   /* hexadecimal, as far as the device told them */
};

/* The task's call is about this eUICC (32 digits): it is logged, and its steps are when it is traced. */
static inline void
dp_eid_set(struct task *t, struct slice eid)
{
	((struct dp_call *)t->state)->eid = eid;
	t->traced = log_traced(eid);
}

#endif
