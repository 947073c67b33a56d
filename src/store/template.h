#ifndef STORE_TEMPLATE_H
#define STORE_TEMPLATE_H
/* Templates of profile types (sql/query/template.sql). */
#include "loop/task.h"
#include "store/store.h"

enum { STORE_TEMPLATES = 8 }; /* variants of one version, at most */

/* A template that is to be written. */
struct store_template {
	int64_t template_id; /* of store_template_prepare */
	int32_t saip_version;
	int64_t services;
	int64_t octets;        /* of a package made of it, at most */
	struct slice metadata; /* BF25, the ICCID in it is not looked at */
	struct slice upp;      /* sealed */
};

struct store_template_place {
	int64_t template_id;
	int64_t operator_id, type_id;   /* STORE_NULL: there is none of this name */
	int64_t loads;                  /* that it had */
	int64_t fields_all, fields_any; /* of their profiles, and the details: profile/given.h … */
	struct slice details;           /* … 8 octets each */
	int32_t version;                /* the newest; 0: none */
	int32_t rank;                   /* the last of that version */
	struct slice profile_class;     /* absent: none yet */
};

/* Rows of struct store_template_place, `count` of them, which differ in template_id alone. */
const struct step *store_template_prepare(struct task *t, struct store *s, struct slice type_name,
	struct slice operator_name, int32_t count, struct rows *out,
	const struct step *then) MUST_RETURN;

struct store_template_addition {
	int64_t type_id;
	int32_t version, former; /* former: the newest so far; 0: none */
	int32_t rank;            /* of the first */
	int64_t loads;           /* of the type, against which they were held */
	const struct store_template *templates;
	size_t count;
	struct slice profile_class, actor, why;
};

struct store_template_added {
	int32_t version;
};

/* R_CONFLICT: the type is not as it was prepared for. */
const struct step *
store_template_add(struct task *t, struct store *s, const struct store_template_addition *in,
	struct store_template_added *out, const struct step *then) MUST_RETURN;

struct store_load_type {
	int64_t operator_id, type_id; /* STORE_NULL: there is none of this name */
	int32_t version;              /* 0: no template */
	struct slice profile_class;
	struct slice imsi_low, imsi_high; /* absent: any */
};

const struct step *store_load_type_find(struct task *t, struct store *s, struct slice type_name,
	struct slice operator_name, struct store_load_type *out,
	const struct step *then) MUST_RETURN;

struct store_variant {
	int64_t template_id;
	struct slice metadata;
	struct slice upp; /* sealed */
};

/* Rows of struct store_variant, the first choice first. R_NONE: no such version. */
const struct step *store_template_version(struct task *t, struct store *s, int64_t type_id,
	int32_t version, struct rows *out, const struct step *then) MUST_RETURN;

struct store_template_upp {
	struct slice upp; /* sealed */
};

/* R_NONE: no such template. */
const struct step *store_template_find(struct task *t, struct store *s, int64_t template_id,
	struct store_template_upp *out, const struct step *then) MUST_RETURN;

/* Columns of templates as arrays, for statements that write several; in the arena. */
struct store_template_arrays {
	int64_t *ids, *saip_versions, *services, *octets;
	struct slice *metadata, *upps;
};
struct store_template_arrays
store_template_arrays(struct arena *mem, const struct store_template *templates, size_t n);

#endif
