#ifndef DP_PERSONALISE_H
#define DP_PERSONALISE_H
/* The package of a profile that is a template and personal data. */
#include "dp/dp.h"
#include "profile/template.h"

/* The sealed columns. */
#define DP_TEMPLATE_UPP "template.upp"
#define DP_PROFILE_PERSONAL "profile.personal"

/*
 * Opens a sealed value into the arena. False when no key opens it, or it is not what was sealed there:
 * that is an alarm, and logged.
 */
bool dp_sealed_open(struct task *t, struct dp_world *w, struct crypto_place place,
	struct slice sealed, struct slice *plain);

/* The place of a template's package; the row's key in the arena. */
struct crypto_place dp_template_place(struct arena *mem, int64_t template_id);

/* Opens, compiles and keeps a template; NULL after an alarm. Good until the next one is kept. */
const struct profile_template *
dp_template_open(struct task *t, struct dp_world *w, int64_t template_id, struct slice sealed);

/*
 * What of the data the template has a place for: variants of one type may have less room than others.
 * Slices point where those of `in` do.
 */
void dp_personal_fit(const struct profile_template *template, const struct profile_personal *in,
	struct profile_personal *out);

/* The package of a profile; false with words when its data do not make one, which is an alarm too. */
bool dp_personalise(struct task *t, struct dp_world *w, const struct profile_template *template,
	struct slice iccid, struct slice sealed, struct slice *upp);

/* A template's metadata with this ICCID (digits) in it; absent when it is none. */
struct slice dp_metadata_of(struct arena *mem, struct slice metadata, struct slice iccid);

#endif
