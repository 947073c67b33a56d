#ifndef RSPSIM_LPA_H
#define RSPSIM_LPA_H
/*
 * The LPA beside the card: the profile download procedure of SGP.22 §3.1.3 and the delivery of
 * notifications.
 */
#include "rspsim/activation.h"
#include "rspsim/es9.h"
#include "rspsim/euicc.h"

#define RSPSIM_CALLS_MAX 64

enum rspsim_outcome {
	RSPSIM_DONE,        /* installed, cancelled as asked, or delivered */
	RSPSIM_BY_SERVER,   /* the server refused */
	RSPSIM_BY_CARD,     /* the card or its LPA refused */
	RSPSIM_UNREACHABLE, /* transport */
};

/* How a procedure went. */
struct rspsim_report {
	struct rspsim_call calls[RSPSIM_CALLS_MAX];
	size_t count;
	enum rspsim_outcome outcome;
	char words[256];  /* why not, or what was done */
	char iccid[21];   /* of the offered profile, "" before that */
	char name[65];    /* its name in the metadata */
	int card_code;    /* of the card's refusal; 0 for none */
	int card_command; /* bppCommandId of an installation that failed */
};

struct rspsim_download {
	struct rspsim_activation code;
	const char *cc;         /* Confirmation Code, or NULL */
	const char *card_file;  /* where the card is kept between calls, or NULL */
	bool keep_notification; /* do not deliver the result */
	bool cancel;            /* cancel after authenticateClient … */
	bool cancel_late;       /* … or after getBoundProfilePackage */
	enum rspsim_cancel_reason cancel_reason;
};

void rspsim_lpa_download(struct rspsim_card *card, struct rspsim_es9 *es9,
	const struct rspsim_download *what, struct rspsim_report *report);

/* What waits for the card at an SM-DS (ES11, §3.6.2). */
#define RSPSIM_EVENTS_MAX 32
struct rspsim_events {
	size_t count;
	char id[RSPSIM_EVENTS_MAX][256], address[RSPSIM_EVENTS_MAX][256];
};

/* `what->code` is the SM-DS's address and nothing else. */
void rspsim_lpa_discover(struct rspsim_card *card, struct rspsim_es9 *es9,
	const struct rspsim_download *what, struct rspsim_report *report,
	struct rspsim_events *events);

/* Delivers all pending notifications, each to its address; undeliverable ones stay. */
void rspsim_lpa_notify(struct rspsim_card *card, struct rspsim_es9 *es9, const char *card_file,
	struct rspsim_report *report);

/* ---- checks of the LPA itself, without network ----------------------------------------------- */

/*
 * serverSigned1 names the address called and the transactionId beside it (§3.0.1 step 8); NULL or
 * the fault.
 */
const char *
rspsim_lpa_check_signed1(struct slice signed1, const char *address, struct slice transaction_id);

/* What the LPA cancels a session for (§3.1.3.3); `cancel` false when there is nothing. */
struct rspsim_objection {
	bool cancel;
	enum rspsim_cancel_reason reason;
	const char *words;
};
/*
 * The metadata that authenticateClient announces: readable, and their rules allowed on this card.
 */
struct rspsim_objection
rspsim_lpa_check_metadata(const struct rspsim_card *card, struct slice announced);
/*
 * The package's metadata are those announced; other policy rules are told apart from other
 * changes.
 */
struct rspsim_objection
rspsim_lpa_check_bpp(struct arena *mem, struct slice bpp, struct slice announced);

/*
 * Code of the error alternative `A1 { 80 transactionId, 02 code }` of a card's answer; 0 when it
 * is none.
 */
int rspsim_lpa_card_error(struct slice response, uint32_t tag);
/* finalResult of a ProfileInstallationResult: true for success, else the command and the reason. */
bool rspsim_lpa_read_result(struct slice result, int *command, int *reason);

/* ctxParams1 (§4.2): the matching id when there is one, and a plausible device. */
struct slice rspsim_lpa_context(struct arena *mem, struct slice matching_id);
/* That device as DeviceInfo under a tag. */
struct slice rspsim_lpa_device(struct arena *mem, uint32_t tag);

/* Names of codes, for people: "invalidCertificate(1)". */
const char *rspsim_authenticate_error_name(int code);
const char *rspsim_download_error_name(int code);
const char *rspsim_install_error_name(int code);

#endif
