#ifndef RSPSIM_IOT_INT_H
#define RSPSIM_IOT_INT_H
/* What the files of the simulated IoT eUICC share. */
#include "rspsim/der.h"
#include "rspsim/euicc_int.h"
#include "rspsim/iot_euicc.h"

/*
 * Notifications to be made once the package's result has its number: profiles change their state
 * after the whole package (§3.4), so these come behind it.
 */
struct rspsim_due {
	struct rspsim_due_one {
		struct rspsim_due_one *next;
		enum rspsim_event event;
		struct slice metadata;
	} * first;
};

void rspsim_due_put(struct rspsim_due *due, struct arena *mem, enum rspsim_event event,
	const struct rspsim_profile *profile);
void rspsim_due_notify(const struct rspsim_due *due, struct rspsim_card *card);

/* One package while its commands run. */
struct rspsim_package {
	struct rspsim_card *card;
	struct arena *mem;
	struct rspsim_due due;
	bool enabled; /* a profile, by this package */
	bool rollback;
	struct rspsim_iccid former; /* enabled before it, when a rollback was asked for */
	struct rspsim_iccid now;
};

/*
 * One command's result as it stands in euiccResult; absent when the command is unknown or
 * damaged.
 */
struct slice rspsim_iot_psmo(struct rspsim_package *p, const struct rspsim_tlv *command);
struct slice rspsim_iot_eco(struct rspsim_package *p, const struct rspsim_tlv *command);

/* The enabled profile, or NULL. */
struct rspsim_profile *rspsim_iot_enabled(const struct rspsim_card *card);
struct rspsim_metadata rspsim_iot_metadata(const struct rspsim_profile *profile);
struct rspsim_profile *
rspsim_iot_find(const struct rspsim_card *card, const struct rspsim_iccid *iccid);
struct rspsim_iccid rspsim_iot_iccid(const struct rspsim_profile *profile); /* of NULL: none */
void rspsim_iot_drop_profile(struct rspsim_card *card, struct rspsim_profile *profile);
/* The profile with the fallback attribute, or NULL. */
struct rspsim_profile *rspsim_iot_fallback_profile(const struct rspsim_card *card);
/* From one enabled profile to another; either may be NULL. */
void rspsim_iot_switch(struct rspsim_card *card, struct arena *mem, struct rspsim_due *due,
	struct rspsim_profile *to);

/* `84 len token`, `84 01 00` without one: what package signatures end with (§2.11.1.1). */
struct slice rspsim_iot_token(struct arena *mem, const struct rspsim_eim *eim);
/* EuiccPackageResultSigned in its BF51, kept under the next sequence number (§2.11.1.2). */
struct slice rspsim_iot_sign_result(struct rspsim_card *card, struct arena *mem,
	const struct rspsim_eim *eim, const struct rspsim_way_back *what);
/* The card's credentials under the CI that the eIM wants results signed under. */
const struct rspsim_ci *rspsim_iot_ci(const struct rspsim_card *card, const struct rspsim_eim *eim);

#endif
