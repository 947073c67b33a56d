#ifndef RSPSIM_IOT_H
#define RSPSIM_IOT_H
/*
 * What an IoT eUICC (SGP.32 v1.2, or v1.0.1) holds beside its profiles: the eIMs associated with
 * it, results that no eIM has acknowledged, what a rollback and a return from fallback need. And
 * the few facts of its IPA that outlive a run. All of it stands in the card's file.
 */
#include "base/slice.h"

#define RSPSIM_COUNTER_MAX 8388607 /* of counterValue; above it counterValueOutOfRange(6) */
#define RSPSIM_EIMS_MAX 8

/* A CHOICE of a key and a certificate (eimPublicKeyData, trustedPublicKeyDataTls). */
enum rspsim_public_kind { RSPSIM_PUBLIC_NONE, RSPSIM_PUBLIC_KEY, RSPSIM_PUBLIC_CERTIFICATE };
struct rspsim_public {
	enum rspsim_public_kind kind;
	struct slice der; /* the SEQUENCE: SubjectPublicKeyInfo or Certificate */
};

/* One associated eIM (§3.5); what EimConfigurationData says, and the counter last accepted. */
struct rspsim_eim {
	struct rspsim_eim *next;
	const char *id, *fqdn; /* fqdn NULL when not given */
	uint32_t id_type;      /* 1 OID, 2 FQDN, 3 proprietary; 0: not given */
	uint32_t counter;
	bool has_token;
	uint32_t token;
	struct rspsim_public key, tls;
	bool has_protocols;
	uint8_t protocols;      /* EimSupportedProtocol, bit 0 highest */
	struct slice ci_key_id; /* absent when not given */
	bool indirect;
};

/* A signed result that is kept until it is acknowledged. */
struct rspsim_kept {
	struct rspsim_kept *next;
	uint32_t sequence;
	struct slice octets; /* BF51 */
};

struct rspsim_iccid {
	bool known;
	uint8_t octets[10];
};

/* What ProfileRollback goes back to, and what it says again (§3.4, ES10b BF58). */
struct rspsim_way_back {
	bool open;
	struct rspsim_iccid former, now;
	const char *eim_id;                /* who sent the package */
	struct slice counter, transaction; /* TLVs as in the first result */
	struct slice seal;                 /* what its signature covers beside the data */
	struct slice results;              /* of the first result, joined */
	uint32_t sequence, last;           /* of it, and of the last notification it caused */
};

/* The profile installed by the session just over, which ImmediateEnable may enable. */
struct rspsim_fresh {
	struct rspsim_iccid iccid;
	struct slice oid;
	const char *address;
};

/* IpaCapabilities: features and protocols as bits, bit 0 highest. */
enum {
	RSPSIM_IPA_DIRECT = 0x80,
	RSPSIM_IPA_INDIRECT = 0x40,
	RSPSIM_IPA_DOWNLOAD_DATA = 0x20,
	RSPSIM_IPA_CONTEXT = 0x10,
	RSPSIM_IPA_METADATA = 0x08,
	RSPSIM_IPA_COMPACT = 0x04,
};

enum rspsim_cause {
	RSPSIM_CAUSE_OTHER_EIM = 0,
	RSPSIM_CAUSE_FALLBACK = 1,
	RSPSIM_CAUSE_EMERGENCY = 2,
	RSPSIM_CAUSE_LOCAL = 3,
	RSPSIM_CAUSE_RESET = 4,
	RSPSIM_CAUSE_IMMEDIATE = 5,
	RSPSIM_CAUSE_DEVICE = 6,
	RSPSIM_CAUSE_UNDEFINED = 127,
	RSPSIM_CAUSE_NONE = 255 /* nothing to tell */
};

struct rspsim_iot {
	bool on;  /* it is an IoT eUICC */
	bool v10; /* of v1.0.1 */
	uint32_t next_token;
	struct rspsim_eim *eims;
	struct rspsim_kept *results; /* oldest first */
	const char *default_dp, *root_ds;
	bool immediate; /* immediate enable is configured … */
	struct slice immediate_oid;
	const char *immediate_address; /* … for this SM-DP+; NULL: the default one */
	struct rspsim_iccid before_fallback, before_emergency;
	struct rspsim_way_back way_back;
	struct rspsim_fresh fresh;
	/* of the IPA */
	uint8_t features, protocols;
	bool told_certificates;  /* to its eIM, so that compact forms leave them out */
	enum rspsim_cause cause; /* to be told at the next poll */
};

#endif
