#ifndef RSPSIM_IPA_INT_H
#define RSPSIM_IPA_INT_H
/* What the files of the IPA share. */
#include "rspsim/der.h"
#include "rspsim/ipa.h"

struct rspsim_ipa {
	struct rspsim_card *card;
	const struct rspsim_eim *eim; /* the one that is asked; NULL when there is none */
	struct rspsim_esipa *esipa;   /* NULL while it only serves */
	const struct rspsim_ipa_options *options;
	struct rspsim_ipa_report *report;
	struct arena *mem;
};

/* Ends what is being done; always false. */
bool rspsim_ipa_stop(struct rspsim_ipa *ipa, enum rspsim_outcome outcome, const char *words);
/* One line about what was done. */
void
rspsim_ipa_note(struct rspsim_ipa *ipa, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Writes the card's file, when it has one. */
void rspsim_ipa_save(struct rspsim_ipa *ipa);
/* One ESipa call into the report; false after trouble with the transport. */
bool rspsim_ipa_post(struct rspsim_ipa *ipa, enum rspsim_esipa_function function,
	struct slice request, struct slice *answer);

/* eimPackageResultErrorCode, and eimPackageError of an injection. */
enum { RSPSIM_INVALID_FORMAT = 1, RSPSIM_UNKNOWN_PACKAGE = 2 };

/* One package to its EimPackageResult; absent after trouble. */
struct slice rspsim_ipa_work(struct rspsim_ipa *ipa, const struct rspsim_tlv *package);
/* Reports it; `lost` counts those that are not sent. False when the IPA has to stop. */
bool rspsim_ipa_provide(struct rspsim_ipa *ipa, struct slice result, unsigned *lost);
/*
 * The numbers are the card's own; one that it does not have is an eIM's mistake (nothingToDelete).
 */
bool rspsim_ipa_take_acknowledgements(struct rspsim_ipa *ipa, struct slice list);

/* IpaEuiccDataRequest to IpaEuiccDataResponse, both BF52 (§5.14.5, tags of IpaEuiccData). */
struct slice rspsim_ipa_data(struct rspsim_ipa *ipa, struct slice request);
/* ProfileDownloadTriggerRequest to -Result, both BF54 (§3.2.3). */
struct slice rspsim_ipa_trigger(struct rspsim_ipa *ipa, struct slice request);

/* What a download through the eIM begins with, and what comes of it. */
struct rspsim_indirect {
	struct slice eim_transaction; /* 82 TLV, or absent */
	const char *address;          /* of the SM-DP+ or SM-DS; NULL: the eIM knows */
	struct slice matching_id;     /* may be absent */
	const char *oid;              /* dotted, "" when not known */
	struct slice result;          /* BF37; absent when it came to none */
	struct slice refusal;         /* the message that ended it, when there was one */
	struct slice trigger;         /* BF54 that an SM-DS led to */
};
/* §3.2.3.2, and §3.9.2.2 toward an SM-DS. False when it ended without a result or trigger. */
bool rspsim_ipa_download(struct rspsim_ipa *ipa, struct rspsim_indirect *what);

/* Delivers pending notifications: through the eIM when the IPA can, else to their addresses. */
void rspsim_ipa_notify(struct rspsim_ipa *ipa);

/* PendingNotification as this IPA sends it: as it is, or compact (minimizeEsipaBytes). */
struct slice rspsim_ipa_notification(struct rspsim_ipa *ipa, struct slice octets);
/* The same for responses to AuthenticateServer, PrepareDownload and CancelSession. */
struct slice rspsim_ipa_authenticate_response(
	struct rspsim_ipa *ipa, struct slice octets, bool context_from_eim);
struct slice
rspsim_ipa_prepare_response(struct rspsim_ipa *ipa, struct slice octets, bool hash_from_eim);
struct slice rspsim_ipa_cancel_response(struct rspsim_ipa *ipa, struct slice octets);

#endif
