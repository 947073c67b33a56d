#ifndef STORE_PACKAGE_H
#define STORE_PACKAGE_H
/* Bound profile packages: what one is made of, and the binding record (sql/query/package.sql). */
#include "crypto/ecdsa.h"
#include "loop/task.h"
#include "store/store.h"

struct store_package {
	/* the session */
	struct slice session_state, refusal, eid, euicc_point, signature2, metadata;
	enum crypto_curve euicc_curve;
	int16_t credential_set;
	bool code_required;
	struct slice answered_sha256, answered_sign; /* of its GetBoundProfilePackage, or absent */
	/* its order; order_id STORE_NULL: none */
	int64_t order_id;
	struct slice iccid, order_eid, error;
	bool pending, cancelled, frozen;
	struct slice state;   /* of the profile; absent when another order holds it */
	bool protection_keys; /* PPK mode */
	/* the binding of the last attempt, or absent */
	struct slice bound_eid, bound_otpk, bound_seed, bound_sha256, bound_by;
	int16_t bound_set;
	/* what it is made of: a package of its own, or a template (STORE_NULL: none) and personal data */
	struct slice upp; /* sealed */
	int64_t template_id;
	struct slice personal; /* sealed */
};

/* R_NONE: no such session. */
const struct step *store_package_find(struct task *t, struct store *s, struct slice transaction_id,
	struct store_package *out, const struct step *then) MUST_RETURN;

struct store_binding {
	struct slice transaction_id, otpk, seed, segments_sha256, request_sha256, sign;
	uint8_t credential_set;
};

/* R_CONFLICT: the order is not as it was read: find again. */
const struct step *store_package_record(struct task *t, struct store *s,
	const struct store_binding *in, const struct step *then) MUST_RETURN;

struct store_bindings_swept {
	int64_t swept;
};

/* Erases up to `most` bindings whose order is over. */
const struct step *store_binding_sweep(struct task *t, struct store *s, int most,
	struct store_bindings_swept *out, const struct step *then) MUST_RETURN;

#endif
