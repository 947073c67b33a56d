#ifndef DP_TEMPLATES_H
#define DP_TEMPLATES_H
/*
 * Packages on their way to become templates of a profile type: what CreateProfileType and AddTemplate do
 * alike. Each is judged whole, compiled once to see that profiles can be made of it, described as its
 * profiles will be (all but the ICCID), and sealed under its number.
 */
#include "dp/dp.h"
#include "dp/wishes.h"
#include "profile/template.h"
#include "store/template.h"

struct dp_templates {
	struct slice operator_name, type_name;
	const struct slice *packages; /* UPPs, the first choice first */
	size_t count;                 /* STORE_TEMPLATES at most */
	struct dp_wishes wishes;
	/* dp_templates_judge */
	struct store_template row[STORE_TEMPLATES];
	struct profile_template *compiled[STORE_TEMPLATES]; /* until the task ends */
	struct slice network[STORE_TEMPLATES]; /* MCC and MNC of the owner; absent: any */
	struct slice profile_class;
	/* store_template_prepare */
	struct rows places;
};

/* Packages are here as text, octets, sealed, and on their way to the database. */
enum { DP_TEMPLATES_DEADLINE_MS = 60000, DP_TEMPLATES_ARENA = 24 * 1024 * 1024 };

/* Fills what it says there; a refusal with words in *note. */
const struct refusal *dp_templates_judge(
	struct task *t, struct dp_templates *x, const struct dp_world *w, const char **note);

/* Numbers and seals, after store_template_prepare; false when there are not as many numbers. */
bool dp_templates_seal(struct task *t, struct dp_templates *x, const struct dp_world *w);

/* MCC and MNC, digits, out of profileOwner's three octets (TS 24.008 §10.5.1.13); absent: none. */
struct slice dp_network_of(struct arena *mem, struct slice mcc_mnc);

#endif
