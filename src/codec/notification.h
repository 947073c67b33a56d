#ifndef CODEC_NOTIFICATION_H
#define CODEC_NOTIFICATION_H
/*
 * PendingNotification (SGP.22 §5.7.10): the signed result of an installation, or the signed word that
 * a profile was installed, enabled, disabled or deleted. Readers as in codec/euicc.h.
 */
#include "base/arena.h"

enum codec_operation { CODEC_INSTALL, CODEC_ENABLE, CODEC_DISABLE, CODEC_DELETE };

enum codec_notification_kind { CODEC_INSTALLATION_RESULT, CODEC_OTHER_NOTIFICATION };

struct codec_notification {
	enum codec_notification_kind kind;
	struct slice signed_part; /* the BF27 TLV, or the BF2F TLV tbsOtherNotification */
	struct slice signature;   /* r and s, 64 octets */
	/* notificationMetadata */
	int64_t sequence;
	enum codec_operation operation;
	struct slice address; /* where the eUICC wants it delivered */
	struct slice iccid;   /* 10 octets as in EF.ICCID, or absent */
	/* other notification: who vouches for the signature */
	struct slice euicc_certificate, eum_certificate; /* X.509 DER */
	/* installation result */
	struct slice transaction_id;
	struct slice smdp_oid;      /* contents octets */
	struct slice smdp_oid_text; /* dotted */
	bool installed;
	struct slice aid;           /* installed: 5 to 16 octets */
	int command, reason;        /* not installed: BppCommandId, ErrorReason */
	struct slice sima_response; /* EUICCResponse as received, or absent */
};

bool codec_pending_notification_read(
	struct arena *mem, struct slice octets, struct codec_notification *out, const char **why);

#endif
