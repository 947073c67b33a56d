#ifndef RSPSIM_IPA_H
#define RSPSIM_IPA_H
/*
 * The IPA beside an IoT eUICC (SGP.32 §3): it asks its eIM for packages, has the card or itself
 * work on them, and reports. The card judges; the IPA carries.
 */
#include "rspsim/esipa.h"
#include "rspsim/iot_euicc.h"
#include "rspsim/lpa.h"

#define RSPSIM_ACTS_MAX 64

struct rspsim_ipa_options {
	const char *card_file;          /* where the card is kept between calls, or NULL */
	struct rspsim_es9_options link; /* how SM-DP+s are reached directly */
	const char *eim;         /* identifier or FQDN of the one that is asked; NULL: the first */
	const char *cc;          /* Confirmation Code, or NULL */
	unsigned rounds;         /* at most so many packages; 0: until the eIM has no more */
	unsigned lose_results;   /* the first so many results are not sent */
	bool repeat_result;      /* each result is sent twice */
	bool resend;             /* before the first poll what was not acknowledged */
	bool no_connectivity;    /* a profile just enabled finds no network */
	bool indirect;           /* downloads go through the eIM also when they need not */
	bool keep_notifications; /* do not deliver them */
};

/* What the IPA did, in order, and how it ended. */
struct rspsim_ipa_report {
	struct rspsim_call calls[RSPSIM_CALLS_MAX];
	size_t count;
	char acts[RSPSIM_ACTS_MAX][128];
	size_t act_count;
	unsigned packages, data_requests, downloads; /* worked on */
	unsigned eim_error;                          /* the eIM's integer, when it refused */
	enum rspsim_outcome outcome;
	char words[256];
};

/* Everything that waits at the eIM, or `rounds` packages of it. */
void rspsim_ipa_run(struct rspsim_card *card, struct rspsim_esipa *esipa,
	const struct rspsim_ipa_options *options, struct rspsim_ipa_report *report);

/*
 * One package pushed by the eIM (TransferEimPackageRequest BF4E to TransferEimPackageResponse
 * BF4E, §5.14.4).
 */
struct slice rspsim_ipa_transfer(struct rspsim_card *card, struct rspsim_esipa *esipa,
	const struct rspsim_ipa_options *options, struct arena *mem, struct slice request,
	struct rspsim_ipa_report *report);
/*
 * What was only received (eimPackageReceived, of a ProfileDownloadTriggerRequest): done, and reported by
 * a call of the IPA's own.
 */
void rspsim_ipa_finish(struct rspsim_card *card, struct rspsim_esipa *esipa,
	const struct rspsim_ipa_options *options, struct slice package,
	struct rspsim_ipa_report *report);

/* The eIM that an FQDN or identifier names; with NULL the first one. NULL when there is none. */
const struct rspsim_eim *rspsim_ipa_find_eim(const struct rspsim_card *card, const char *name);

#endif
