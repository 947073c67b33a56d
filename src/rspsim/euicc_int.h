#ifndef RSPSIM_EUICC_INT_H
#define RSPSIM_EUICC_INT_H
/* What the files of the simulated eUICC share. */
#include "rspsim/der.h"
#include "rspsim/euicc.h"
#include "rspsim/metadata.h"

/* `5F37` over the parts joined, by the key of the CI in use. */
struct slice rspsim_euicc_sign(struct arena *mem, const struct rspsim_ci *ci, struct slice a);

/* NotificationMetadata (BF2F) with the next sequence number. */
struct slice rspsim_euicc_notification_head(struct rspsim_card *card, struct arena *mem,
	enum rspsim_event event, struct slice address, struct slice iccid);

/* Keeps the octets of a PendingNotification made with the latest sequence number. */
void rspsim_euicc_keep_notification(struct rspsim_card *card, enum rspsim_event event,
	struct slice address, struct slice octets);

/*
 * OtherSignedNotification for each address in the metadata that wants this event, but for
 * `except`.
 */
void rspsim_euicc_notify(struct rspsim_card *card, const struct rspsim_metadata *metadata,
	enum rspsim_event event, struct slice except);

/* otSK.EUICC kept for this SM-DP+ on this curve, or NULL; forgetting frees it. */
struct rspsim_one_time *
rspsim_euicc_find_one_time(const struct rspsim_card *card, struct slice oid, int curve);
void rspsim_euicc_forget_one_time(struct rspsim_card *card, struct rspsim_one_time *key);

#endif
