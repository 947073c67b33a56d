#ifndef CODEC_NOTIFICATION_H
#define CODEC_NOTIFICATION_H
/*
 * PendingNotification (SGP.22 §5.7.10): the signed result of an installation, or the signed word that
 * a profile was installed, enabled, disabled or deleted. Readers as in codec/euicc.h.
 *
 * What is refused is lost, for its sender deletes it once it is acknowledged. So only that is demanded
 * without which it means nothing: of a result the transaction, the OID, the arm of finalResult and the
 * signature; of another notification its one event, the signature and the certificates.
 */
#include "base/arena.h"
#include "codec/leniency.h"

enum codec_operation { CODEC_INSTALL, CODEC_ENABLE, CODEC_DISABLE, CODEC_DELETE };

/* ErrorReason (SGP.22 §2.5.6) of an eUICC that does not say more. */
#define CODEC_REASON_UNDEFINED 127

enum codec_notification_kind { CODEC_INSTALLATION_RESULT, CODEC_OTHER_NOTIFICATION };

struct codec_notification {
	enum codec_notification_kind kind;
	unsigned leniencies;      /* of enum codec_leniency */
	struct slice signed_part; /* the BF27 TLV, or the BF2F TLV tbsOtherNotification */
	struct slice signature;   /* r and s, 64 octets */
	/* notificationMetadata */
	int64_t sequence;               /* 0 when not sent, negative or beyond int64_t */
	enum codec_operation operation; /* of a result always CODEC_INSTALL */
	struct slice address; /* raw octets, not checked to be text; empty when not sent */
	struct slice iccid;   /* 10 octets as in EF.ICCID, or absent */
	/* other notification: who vouches for the signature */
	struct slice euicc_certificate, eum_certificate; /* X.509 DER */
	/* installation result */
	struct slice transaction_id;
	struct slice smdp_oid;      /* contents octets */
	struct slice smdp_oid_text; /* dotted */
	bool installed;
	struct slice aid; /* installed: 5 to 16 octets, or absent */
	int command;      /* not installed: BppCommandId, -1 when not sent */
	int reason;       /* not installed: ErrorReason, CODEC_REASON_UNDEFINED when not sent */
	struct slice sima_response; /* EUICCResponse as received, or absent */
};

bool codec_pending_notification_read(
	struct arena *mem, struct slice octets, struct codec_notification *out, const char **why);

#endif
