#ifndef PROFILE_TEMPLATE_H
#define PROFILE_TEMPLATE_H
/*
 * A profile package as a template: read and judged once, turned into a plan of what is copied and what
 * is written anew, then made into one package per subscriber (TCA profile package; what goes where:
 * personal.def and docs/personalisation.md). Only the elements that hold personal data differ from the
 * template, and the lengths around them.
 */
#include "profile/personal.h"
#include "profile/upp.h"

struct profile_template;

/* What a template is and wants; bits are 1u << enum profile_field. */
struct profile_template_info {
	int32_t saip_version;           /* major * 256 + minor, as in profile/fit.h */
	uint32_t services;              /* 1u << enum profile_service */
	size_t octets;                  /* of the template itself */
	uint32_t takes;                 /* fields that have a place */
	uint32_t needs;                 /* fields without which no package is made */
	const struct profile_key *keys; /* that have a place; their octets are absent */
	size_t key_count;
	bool test_key; /* its AKA keys are the published test K */
};

/*
 * Judges and compiles; about as long as profile_upp_read, which does the former. `mem` holds what is
 * needed on the way and the words of the fault; nothing in the result points there or into `upp`. NULL with
 * the fault when the package is none (profile_upp_read), or cannot be personalised: two USIMs, an
 * EF.IMSI that nobody could write.
 */
struct profile_template *
profile_template_new(struct arena *mem, struct slice upp, struct profile_fault *fault);
/* Wipes and frees; NULL is fine. */
void profile_template_free(struct profile_template *t);

const struct profile_template_info *profile_template_get(const struct profile_template *t);

/*
 * Before the first row of a load: false when a column has no place in the template, or one that it needs
 * is not there. Skipped columns are not looked at.
 */
bool profile_template_columns_hold(const struct profile_template *t, struct arena *mem,
	const struct profile_column *columns, size_t n, struct profile_row_fault *fault);

/*
 * Whether a package can be made of these data: nothing missing, each with a place, keys and OPc as long
 * as the algorithm wants them. fault->column is PROFILE_NO_COLUMN always, fault->name tells the datum.
 */
bool profile_template_row_holds(const struct profile_template *t, struct arena *mem,
	const struct profile_personal *in, struct profile_row_fault *fault);

/*
 * The package, in the arena; tens of microseconds. Data that were not given leave the template's. False
 * with the fault exactly when profile_template_row_holds is false.
 */
bool profile_template_personalise(const struct profile_template *t, struct arena *mem,
	const struct profile_personal *in, struct slice *upp, struct profile_row_fault *fault);

/*
 * What profile_upp_read would tell of that package, without making it: enough for
 * profile_metadata_init and profile_metadata_write. Of `in` the ICCID must be there; without an IMSI or K
 * the template's count. Its elements, templates and octets are absent. In the arena and `t`.
 */
void profile_template_describe(const struct profile_template *t, struct arena *mem,
	const struct profile_personal *in, struct profile_upp *out);

#endif
