#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H
/*
 * The audit trail (sql/query/audit.sql): acts that have no statement of their own, the chain of seals, its
 * check; and what the rotation of the sealing key reads and writes.
 */
#include "loop/task.h"
#include "store/store.h"

const struct step *store_audit_note(struct task *t, struct store *s, struct slice actor,
	struct slice act, struct slice why, const struct step *then) MUST_RETURN;

struct store_prepared_audit {
	bool prepared;
};

/* Makes the partitions that the trail needs next. */
const struct step *store_audit_prepare(struct task *t, struct store *s,
	struct store_prepared_audit *out, const struct step *then) MUST_RETURN;

struct store_seal {
	int64_t seal_id;
	int32_t entries;
};

/* R_NONE: nothing to seal, or another instance is at it. */
const struct step *store_audit_seal(struct task *t, struct store *s, int32_t most,
	struct store_seal *out, const struct step *then) MUST_RETURN;

struct store_check {
	int64_t last;     /* the newest seal that was looked at; go on after it */
	int64_t seals;    /* how many were; 0: the chain ends here */
	int64_t entries;  /* under them */
	int64_t broken;   /* the first that does not hold; STORE_NULL: all do */
	int64_t unsealed; /* entries without a seal yet */
	int64_t orphans;  /* entries that name a seal beyond the chain's end */
};

/* Computes at most `most` seals anew, beginning after one (0: at the first). */
const struct step *store_audit_check(struct task *t, struct store *s, int64_t after, int32_t most,
	struct store_check *out, const struct step *then) MUST_RETURN;

/* ---- what is sealed under another key than the current one ---- */

struct store_sealed_package {
	struct slice iccid, upp;
};
struct store_sealed_seed {
	int64_t order_id;
	struct slice seed;
};
struct store_sealed_template {
	int64_t template_id;
	struct slice upp;
};
struct store_sealed_personal {
	struct slice iccid, personal;
};
struct store_sealed_left {
	int64_t packages, seeds, templates, personal;
};
enum { STORE_RESEAL_MOST = 256, STORE_RESEAL_PERSONAL_MOST = 1000 };

/* Rows of struct store_sealed_package after an ICCID (empty: the first), about `octets` of them. */
const struct step *store_sealed_packages(struct task *t, struct store *s, struct slice key_id,
	struct slice after, int64_t octets, struct rows *out, const struct step *then) MUST_RETURN;
/* Rows of struct store_sealed_seed after an order (0: the first). */
const struct step *store_sealed_seeds(struct task *t, struct store *s, struct slice key_id,
	int64_t after, struct rows *out, const struct step *then) MUST_RETURN;
/* Rows of struct store_sealed_template after a template (0: the first), one at a time. */
const struct step *store_sealed_templates(struct task *t, struct store *s, struct slice key_id,
	int64_t after, struct rows *out, const struct step *then) MUST_RETURN;
/* Rows of struct store_sealed_personal after an ICCID (empty: the first). */
const struct step *store_sealed_personal(struct task *t, struct store *s, struct slice key_id,
	struct slice after, struct rows *out, const struct step *then) MUST_RETURN;
const struct step *store_sealed_left(struct task *t, struct store *s, struct slice key_id,
	struct store_sealed_left *out, const struct step *then) MUST_RETURN;

struct store_resealed {
	int64_t done;
};

/* n of each; a value that is not `former` any more is left alone. */
const struct step *store_packages_reseal(struct task *t, struct store *s,
	const struct slice *iccids, const struct slice *former, const struct slice *fresh, size_t n,
	struct store_resealed *out, const struct step *then) MUST_RETURN;
const struct step *store_seeds_reseal(struct task *t, struct store *s, const int64_t *orders,
	const struct slice *former, const struct slice *fresh, size_t n, struct store_resealed *out,
	const struct step *then) MUST_RETURN;

const struct step *store_templates_reseal(struct task *t, struct store *s, const int64_t *ids,
	const struct slice *former, const struct slice *fresh, size_t n, struct store_resealed *out,
	const struct step *then) MUST_RETURN;
const struct step *store_personal_reseal(struct task *t, struct store *s,
	const struct slice *iccids, const struct slice *former, const struct slice *fresh, size_t n,
	struct store_resealed *out, const struct step *then) MUST_RETURN;

#endif
