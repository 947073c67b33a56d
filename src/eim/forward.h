#ifndef EIM_FORWARD_H
#define EIM_FORWARD_H
/*
 * Notifications that came by the eIM go to their SM-DP+ (SGP.32 §3.7): kept in rows, so that nothing that was
 * acknowledged is lost. Those of this house are handed over inside.
 */
#include "eim/eim.h"

/* What a procedure of the clock begins with. */
struct eim_run {
	struct eim *eim;
};

/* Hands over what is for this house's own SM-DP+: twice a second, and when some came in. */
extern const struct procedure eim_forward_local;
enum { EIM_FORWARD_MS = 500 };

/* Deadlines of packages, every five seconds; and what serves nobody any more. */
extern const struct procedure eim_expire;
enum { EIM_EXPIRE_MS = 5000 };

/* The body of an ES9+ HandleNotification with this PendingNotification, as its ASN.1 binding has it. */
struct slice eim_es9_notification_write(struct arena *mem, struct slice pending_notification);

#endif
