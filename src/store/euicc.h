#ifndef STORE_EUICC_H
#define STORE_EUICC_H
/*
 * The eUICCs of the eIM (sql/query/euicc.sql): bringing them in, what is known and believed of each. EIDs are 32
 * digits, times microseconds since 1970, certificates X.509 DER. An operator_id of STORE_NULL means any operator.
 */
#include "crypto/ecdsa.h"
#include "loop/task.h"
#include "store/store.h"

/* At most so many are added by one call. */
enum { STORE_EUICC_ADD_MAX = 1000 };

/* One that is brought in. */
struct store_new_euicc {
	struct slice eid;
	struct slice euicc_certificate, eum_certificate; /* verified by the caller, or absent */
	const struct crypto_public
		*key; /* of the certificate, or given by itself; NULL: it will say */
	bool test_ci;
	struct slice token;  /* decimal; empty: it has none; absent: not known */
	int64_t counter;     /* the last one that was used */
	struct slice imei;   /* or absent */
	struct slice inject; /* https:// or coaps:// URL, or absent: it polls */
};

/* A row each, by EID. */
struct store_euicc_added {
	struct slice eid;
	struct slice outcome; /* "added", "same" or "known" (and is another) */
};

/* R_NONE: there is no such operator. `out` gets rows of struct store_euicc_added. */
const struct step *store_euicc_add(struct task *t, struct store *s, struct slice operator_name,
	const struct store_new_euicc *in, size_t n, struct slice actor, struct slice why,
	struct rows *out, const struct step *then) MUST_RETURN;

/* What an administrator changes; absent: it stays; empty: it is taken away. */
struct store_euicc_change {
	struct slice eid;
	int64_t operator_id;        /* whose it must be */
	struct slice operator_name; /* whose it is to be */
	struct slice token;
	int64_t counter; /* only upwards; STORE_NULL: it stays */
	struct slice inject;
	struct slice actor, why;
};
struct store_euicc_changed {
	struct slice eid;
	bool refused; /* there is no such operator */
};
/* R_NONE: the eUICC is unknown, or another operator's. */
const struct step *
store_euicc_set(struct task *t, struct store *s, const struct store_euicc_change *in,
	struct store_euicc_changed *out, const struct step *then) MUST_RETURN;

struct store_euicc_removed {
	struct slice eid;
};
/* R_NONE: as above. */
const struct step *store_euicc_remove(struct task *t, struct store *s, struct slice eid,
	int64_t operator_id, struct slice actor, struct slice why, struct store_euicc_removed *out,
	const struct step *then) MUST_RETURN;

struct store_fence {
	int64_t lifted; /* how many eUICCs */
};
/* Lifts the counter of one eUICC, or (eid absent) of all (RULES 5.1). */
const struct step *store_euicc_fence(struct task *t, struct store *s, struct slice eid,
	int64_t step, struct slice actor, struct slice why, struct store_fence *out,
	const struct step *then) MUST_RETURN;

/* What an eUICC and its IPA say; absent: not said. */
struct store_euicc_facts {
	struct slice eid;
	struct slice info1, info2;                /* BF20, BF22 */
	int32_t iot_version, features, protocols; /* -1: not said */
	struct slice tac, imei, default_smdp, root_smds;
	/* of a chain that verified for this EID; NULL: none */
	struct slice euicc_certificate, eum_certificate;
	const struct crypto_public *key;
	bool test_ci;
	int64_t token;
	bool has_token;
};
struct store_euicc_learnt {
	struct slice eid;
};
/* R_NONE: it is unknown. */
const struct step *
store_euicc_learn(struct task *t, struct store *s, const struct store_euicc_facts *in,
	struct store_euicc_learnt *out, const struct step *then) MUST_RETURN;

/* An unknown eUICC by rule: eid, certificates, key and test_ci of `in` count. R_NONE: no such operator. */
const struct step *store_euicc_admit(struct task *t, struct store *s,
	const struct store_euicc_facts *in, struct slice operator_name,
	struct store_euicc_learnt *out, const struct step *then) MUST_RETURN;

/* One with all that is known of it; numbers that are not known are -1, times STORE_NULL, octets absent. */
struct store_euicc {
	struct slice eid, operator_name, added_by;
	int64_t added_at;
	bool proven; /* its key is known */
	int16_t curve;
	struct slice euicc_certificate, eum_certificate;
	bool test_ci;
	struct slice info1, info2;
	int32_t iot_version; /* major * 65536 + minor * 256 + patch */
	int32_t features, protocols;
	struct slice tac, imei, default_smdp, root_smds;
	int64_t learnt_at;
	int64_t counter;
	int64_t token; /* STORE_NULL: none */
	struct slice token_standing;
	int64_t candidate;
	struct slice candidate_state, signature_form;
	struct slice enabled; /* ICCID */
	int64_t listed_at;
	int64_t outstanding, barrier; /* numbers of packages */
	int64_t closed_at;
	int64_t last_seen;
	int16_t last_cause;
	int64_t last_cause_at;
	struct slice inject;
	int64_t waiting, unknown; /* packages */
};
/* R_NONE: it is unknown, or another operator's. */
const struct step *store_euicc_find(struct task *t, struct store *s, struct slice eid,
	int64_t operator_id, struct store_euicc *out, const struct step *then) MUST_RETURN;

enum { STORE_EUICC_PROFILES = 256, STORE_EUICC_EIMS = 64, STORE_EUICC_PAGE = 500 };

/* What is believed of a profile. */
struct store_euicc_profile {
	struct slice iccid, state; /* "disabled", "enabled", "deleted" */
	bool fallback;
	struct slice class, name, provider;
	int64_t since;
	struct slice evidence; /* "list", "result", "rollback", "installation" */
	int64_t evidence_at, package_id;
};
const struct step *store_euicc_profiles(struct task *t, struct store *s, struct slice eid,
	struct rows *out, const struct step *then) MUST_RETURN;

struct store_euicc_eim {
	struct slice eim_id;
	int16_t id_type; /* 0: not said */
	int64_t evidence_at, package_id;
};
const struct step *store_euicc_eims(struct task *t, struct store *s, struct slice eid,
	struct rows *out, const struct step *then) MUST_RETURN;

/* Which are listed: all conditions hold; absent, STORE_NULL and false are none. */
struct store_euicc_filter {
	struct slice after;
	int32_t most; /* at most STORE_EUICC_PAGE */
	struct slice operator_name;
	struct slice prefix;
	int64_t silent_since; /* not seen since then */
	bool with_unknown;
};
struct store_euicc_line {
	struct slice eid, operator_name;
	int64_t last_seen;
	struct slice enabled;
	int64_t profiles, waiting, unknown;
	bool closed, proven;
};
/* Rows of struct store_euicc_line, by EID. */
const struct step *store_euicc_list(struct task *t, struct store *s,
	const struct store_euicc_filter *in, struct rows *out, const struct step *then) MUST_RETURN;

#endif
