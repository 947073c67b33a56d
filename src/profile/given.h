#ifndef PROFILE_GIVEN_H
#define PROFILE_GIVEN_H
/*
 * What profiles made of one template were given, all of them taken together: so that another template can be
 * held against a million profiles without opening one.
 */
#include "profile/template.h"

struct profile_given {
	int64_t all, any; /* 1 << enum profile_field: in every profile, in one at least */
	/*
	 * Each once, what must fit a template's own. Of keys: version << 16 | identifier << 8 | octets. Of K,
	 * OPc and IMSI: 1 << 32 | enum profile_field << 8 | octets or digits. Of IMSIs: 2 << 32 | the first six
	 * digits as a number. They are kept in the database: no number ever gets another meaning.
	 */
	const int64_t *details;
	size_t detail_count;
};

/* Nobody's yet. */
#define PROFILE_GIVEN_NONE ((struct profile_given){ .all = -1 })

/* One more profile; what grows is in the arena. */
void
profile_given_put(struct profile_given *g, struct arena *mem, const struct profile_personal *row);

/*
 * Whether a package of this template can be made for each of these profiles (profile_template_row_holds); of
 * a variant that is not the first, from what it has a place for. False with a fault whose column is
 * PROFILE_NO_COLUMN.
 */
bool profile_given_fits(const struct profile_given *g, const struct profile_template *t,
	struct arena *mem, bool first, struct profile_row_fault *fault);

/* Whether the IMSIs begin with these five or six digits, MCC and MNC. */
bool profile_given_in_network(const struct profile_given *g, struct slice network);

#endif
