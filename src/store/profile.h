#ifndef STORE_PROFILE_H
#define STORE_PROFILE_H
/* Profiles and their types as an administrator keeps them (sql/query/profile.sql). */
#include "loop/task.h"
#include "store/store.h"
#include "store/template.h"

struct store_import {
	struct slice iccid, type_name, profile_class;
	struct slice imsi; /* absent: the package has none */
	int32_t saip_version;
	int64_t services;
	int32_t upp_octets;
	struct slice metadata;
	struct slice upp; /* sealed */
	struct slice actor, why;
	struct slice operator_name; /* of the type, when there is one or is to be */
};

struct store_imported {
	struct slice iccid, type_name; /* absent: there is no such operator */
};

/* R_CONFLICT: the ICCID is known, or the type was made at the same moment. */
const struct step *
store_profile_import(struct task *t, struct store *s, const struct store_import *in,
	struct store_imported *out, const struct step *then) MUST_RETURN;

struct store_profile {
	struct slice iccid, state;
};

/* R_NONE: no such profile. */
const struct step *store_profile_find(struct task *t, struct store *s, struct slice iccid,
	struct store_profile *out, const struct step *then) MUST_RETURN;

struct store_type {
	int64_t type_id; /* STORE_NULL: there is no such operator */
};

/* Templates: those of its first version, or none. */
struct store_new_type {
	struct slice name, keys, on_delete, operator_name, actor;
	int32_t low_water;                /* 0: none */
	struct slice imsi_low, imsi_high; /* absent: any */
	bool shared_imsi;                 /* its profiles may have IMSIs of others */
	const struct store_template *templates;
	size_t template_count;
	struct slice profile_class; /* with templates */
};

/* R_CONFLICT: a type of this name exists and is another. */
const struct step *
store_profile_type_create(struct task *t, struct store *s, const struct store_new_type *in,
	struct store_type *out, const struct step *then) MUST_RETURN;

/* What is to change. */
struct store_type_change {
	struct slice name, operator_name, actor, why;
	int32_t low_water;                /* 0: none from now on; -1: stays */
	struct slice imsi_low, imsi_high; /* absent: stays … */
	bool any_imsi;                    /* … or goes */
	enum store_wish shared_imsi;
};

/* One row of struct store_view, the type as it is now. R_NONE: there is no such type of this operator. */
const struct step *store_profile_type_set(struct task *t, struct store *s,
	const struct store_type_change *in, struct rows *out, const struct step *then) MUST_RETURN;

#endif
