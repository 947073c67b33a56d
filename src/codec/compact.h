#ifndef CODEC_COMPACT_H
#define CODEC_COMPACT_H
/*
 * An IPA that minimises its octets (SGP.32, minimizeEsipaBytes) leaves out of signed answers what the eIM knows.
 * The signature covers the full form, so that must come out octet for octet as the eUICC had it before an SM-DP+
 * can be given it (§3.2.3.2). What is not compact is given back as it came.
 *
 * All of them: false with a reason in `*why` when the octets are no such message, or a fact is needed that the
 * caller does not have (absent). Whether the facts were the right ones is
 * for the signature to say.
 */
#include "base/arena.h"
#include "codec/leniency.h"
#include "codec/number.h"

struct codec_full {
	struct slice octets; /* in the arena; what was not compact, as it came */
	bool compact;        /* it was */
	unsigned leniencies; /* of enum codec_leniency, in the compact form */
};

/* What finds the facts for a compact notification. */
struct codec_compact_notification {
	bool compact;                /* else all below is absent */
	bool installation_result;    /* else an otherSignedNotification */
	struct slice transaction_id; /* of a result: 1 to 16 octets */
	bool iccid_present;          /* of a result: its full form holds the ICCID */
	struct slice eid;            /* of another: 16 octets, or absent */
};

bool codec_compact_notification_read(struct arena *mem, struct slice octets,
	struct codec_compact_notification *out, const char **why);

struct codec_notification_facts {
	/* of an installation's result: what the session was about */
	struct slice address;  /* notificationAddress */
	struct slice iccid;    /* 10 octets */
	struct slice smdp_oid; /* contents octets */
	/* of another notification */
	struct slice euicc_certificate, eum_certificate; /* X.509 DER */
};

/* PendingNotification: BF37 or 30 comes out. */
bool codec_full_notification_write(struct arena *mem, struct slice octets,
	const struct codec_notification_facts *facts, struct codec_full *out, const char **why);

struct codec_authenticate_facts {
	struct slice transaction_id, server_address, server_challenge; /* as in serverSigned1 */
	struct slice info2;       /* the BF22 TLV; its extCardResource is replaced */
	struct slice ctx_params1; /* the A0 TLV that the eIM gave, for when the answer has none */
	struct slice euicc_certificate, eum_certificate; /* for when the answer has none */
};

/* AuthenticateServerResponse, BF38. */
bool codec_full_authenticate_response_write(struct arena *mem, struct slice octets,
	const struct codec_authenticate_facts *facts, struct codec_full *out, const char **why);

struct codec_prepare_facts {
	struct slice transaction_id;
	struct slice
		otpk; /* bppEuiccOtpk of smdpSigned2, for when the answer has none; 65 octets */
	struct slice
		hash_cc; /* the one that the eIM gave, for when the answer has none; or absent */
};

/* PrepareDownloadResponse, BF21. */
bool codec_full_prepare_response_write(struct arena *mem, struct slice octets,
	const struct codec_prepare_facts *facts, struct codec_full *out, const char **why);

struct codec_cancel_facts {
	struct slice transaction_id;
	struct slice smdp_oid;      /* contents octets */
	struct codec_number reason; /* for when the answer has none */
};

/* CancelSessionResponse, BF41. */
bool codec_full_cancel_response_write(struct arena *mem, struct slice octets,
	const struct codec_cancel_facts *facts, struct codec_full *out, const char **why);

#endif
