#ifndef RSPSIM_CARD_H
#define RSPSIM_CARD_H
/*
 * The simulated eUICC's state: who it is, whom it trusts, what is installed, what it still has to
 * tell. It lives in memory; one JSON file keeps it between runs, replaced whole. All functions of
 * euicc.h work on it.
 */
#include <openssl/x509.h>
#include "rspsim/break.h"
#include "rspsim/iot.h"

#define RSPSIM_CI_MAX 4

/* One CI: its root, and the card's credentials below it. */
struct rspsim_ci {
	X509 *root;
	struct slice key_id; /* 20 octets */
	X509 *eum, *certificate;
	EVP_PKEY *key;
	struct slice eum_der, certificate_der;
};

enum rspsim_profile_state { RSPSIM_DISABLED, RSPSIM_ENABLED };
enum rspsim_profile_class { RSPSIM_TEST, RSPSIM_PROVISIONING, RSPSIM_OPERATIONAL };
/* Bits of PprIds and of NotificationEvent as octets, bit 0 highest. */
enum { RSPSIM_PPR_UPDATE = 0x80, RSPSIM_PPR1 = 0x40, RSPSIM_PPR2 = 0x20 };
enum rspsim_event {
	RSPSIM_INSTALL = 0x80,
	RSPSIM_ENABLE = 0x40,
	RSPSIM_DISABLE = 0x20,
	RSPSIM_DELETE = 0x10
};

struct rspsim_profile {
	struct rspsim_profile *next;
	uint8_t iccid[10]; /* as in EF.ICCID */
	enum rspsim_profile_state state;
	bool fallback;                          /* it has the fallback attribute */
	bool marked_fallback, marked_emergency; /* a lab says what the metadata do not */
	uint32_t aid;                           /* the running number in its ISD-P AID */
	uint32_t size;                          /* octets of the profile package */
	struct slice metadata;                  /* the StoreMetadataRequest TLV */
};

struct rspsim_notification {
	struct rspsim_notification *next;
	uint32_t sequence;
	enum rspsim_event event;
	const char *address;
	struct slice octets; /* PendingNotification: BF37 or 30 */
};

/* otSK.EUICC kept for a retry with the same SM-DP+ (SGP.22 §3.1.3.2 step 3). */
struct rspsim_one_time {
	struct rspsim_one_time *next;
	struct slice oid;
	EVP_PKEY *key;
};

enum rspsim_session_state {
	RSPSIM_SESSION_NONE,
	RSPSIM_SESSION_CHALLENGED,
	RSPSIM_SESSION_AUTHENTICATED,
	RSPSIM_SESSION_PREPARED
};

/*
 * One RSP session, from GetEuiccChallenge on (§5.7.7); what it points at is in the session's
 * arena.
 */
struct rspsim_session {
	enum rspsim_session_state state;
	uint8_t challenge[16];
	/* from AuthenticateServer */
	const struct rspsim_ci *own;    /* whose credentials sign */
	const struct rspsim_ci *server; /* below whom the server's certificates stand */
	struct slice transaction_id, dp_oid, signature1;
	const char *address;
	/* from PrepareDownload */
	X509 *dp_pb;
	struct rspsim_one_time *one_time;
};

struct rspsim_card {
	struct arena keys_mem;    /* credentials, for the card's life */
	struct arena state_mem;   /* profiles and notifications */
	struct arena session_mem; /* one session */
	char eid[33];
	uint8_t eid_octets[16];
	uint8_t svn[3], profile_version[3];
	uint32_t memory; /* octets in all */
	uint8_t forbidden_rules;
	bool trusting; /* skips verification of the server, so that load tests measure the server */
	enum rspsim_break fault;
	struct rspsim_ci ci[RSPSIM_CI_MAX]; /* in the order of preference */
	size_t ci_count;
	uint32_t sequence, next_aid;
	struct rspsim_profile *profiles;
	struct rspsim_notification *notifications; /* oldest first */
	struct rspsim_one_time *one_times;
	struct rspsim_session session;
	struct rspsim_iot iot;
};

/* An empty card with default versions and memory; the EID must be 32 digits. */
struct rspsim_card *rspsim_card_new(const char *eid);
void rspsim_card_free(struct rspsim_card *card);

/*
 * Takes over the references; false when the card knows four CIs already or the certificates do
 * not fit.
 */
bool rspsim_card_add_ci(
	struct rspsim_card *card, X509 *root, X509 *eum, X509 *certificate, EVP_PKEY *key);
/* The CI with this key id, or NULL. */
const struct rspsim_ci *rspsim_card_find_ci(const struct rspsim_card *card, struct slice key_id);

/*
 * Ends the session and forgets profiles, notifications and one-time keys: as it left the factory.
 */
void rspsim_card_reset(struct rspsim_card *card);
void rspsim_card_end_session(struct rspsim_card *card);

/* Octets not taken by installed profiles. */
uint32_t rspsim_card_free_memory(const struct rspsim_card *card);
struct rspsim_profile *
rspsim_card_find_profile(const struct rspsim_card *card, const uint8_t iccid[10]);

/* The file: NULL, or what is wrong. Writing replaces it atomically, mode 0600. */
const char *rspsim_card_read(const char *path, struct rspsim_card **out);
const char *rspsim_card_write(const struct rspsim_card *card, const char *path);

/* A random EID of this issuer prefix with right check digits (mod 97, SGP.02 §2.2.2). */
void rspsim_eid_new(const char *prefix, char eid[33]);

/*
 * Adds to the card the CI, EUM and a new eUICC certificate of each curve found in a test PKI (or
 * in one curve's folder). NULL, or what is wrong.
 */
const char *rspsim_card_issue(struct rspsim_card *card, const char *pki);
/* The issuer digits that the first EUM of a test PKI may give; "89049032" when it names none. */
void rspsim_pki_prefix(const char *pki, char prefix[33]);

#endif
