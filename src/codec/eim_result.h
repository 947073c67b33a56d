#ifndef CODEC_EIM_RESULT_H
#define CODEC_EIM_RESULT_H
/*
 * EuiccPackageResult (SGP.32 §2.11.2): what an eUICC did with a package, signed; or why it did nothing,
 * signed or not. An unsigned one may be anybody's and proves nothing. Readers as in codec/euicc.h.
 *
 * What is refused is executed already and cannot be asked again, so little is demanded: the members by which the
 * result finds its package, the signature, and of each command's result its kind. What a profile or an eIM is
 * said to be is looked for by its tag, and absent when it is not well-formed.
 */
#include "codec/eim_package.h"
#include "codec/leniency.h"

enum codec_package_arm {
	CODEC_PACKAGE_DONE,
	CODEC_PACKAGE_ERROR_SIGNED,
	CODEC_PACKAGE_ERROR_UNSIGNED
};

/* EuiccPackageErrorCode. Unknown ones are kept as they are. */
enum codec_package_error {
	CODEC_PACKAGE_INVALID_EID = 3,
	CODEC_PACKAGE_REPLAY = 4,
	CODEC_PACKAGE_COUNTER_OUT_OF_RANGE = 6,
	CODEC_PACKAGE_SIZE_OVERFLOW = 15,
	CODEC_PACKAGE_ECALL_ACTIVE = 104,
	CODEC_PACKAGE_UNDEFINED = 127
};

enum codec_result_kind {
	CODEC_RESULT_COMMAND,    /* of a command: `command` says of which */
	CODEC_RESULT_ROLLBACK,   /* rollbackResult: this result replaces one given before */
	CODEC_RESULT_TERMINATED, /* processingTerminated: nothing was done from here on */
	CODEC_RESULT_UNKNOWN     /* of a tag that v1.2 does not name */
};

/* What the eUICC says, or does not say. */
enum codec_said { CODEC_UNSAID, CODEC_NO, CODEC_YES };

enum codec_profile_state { CODEC_PROFILE_UNSAID, CODEC_PROFILE_DISABLED, CODEC_PROFILE_ENABLED };

/* ProfileInfo, E3 (SGP.22 §5.7.15). Texts are raw octets; each member may be absent. */
struct codec_profile_info {
	struct slice octets; /* the E3 TLV */
	struct slice iccid;  /* 10 octets */
	struct slice aid;    /* 1 to 16 octets */
	enum codec_profile_state state;
	struct slice nickname, provider, name;
	struct codec_number profile_class; /* enum codec_class */
	const struct codec_notify *notify;
	size_t notify_count;
	struct slice mcc_mnc, gid1, gid2; /* profileOwner */
	bool rules_known;
	uint8_t rules;                    /* CODEC_PPR_* */
	enum codec_said fallback;         /* fallbackAttribute */
	enum codec_said fallback_allowed; /* fallbackAllowed */
	enum codec_said ecall;            /* ecallIndication */
};

/* EimIdInfo. */
struct codec_eim_info {
	struct slice eim_id;         /* raw octets */
	struct codec_number id_type; /* enum codec_eim_id_type, or a number unknown here */
};

struct codec_command_result {
	enum codec_result_kind kind;
	enum codec_eim_command_kind command; /* of CODEC_RESULT_COMMAND */
	struct slice octets;                 /* the result's TLV as received */
	int code; /* 0: done; -1: of an unknown kind, or not well-formed */
	struct codec_number association_token;    /* addEim: of the eIM that was added */
	const struct codec_profile_info *profile; /* listProfileInfo */
	size_t profile_count;
	const struct codec_eim_info *eim; /* listEim */
	size_t eim_count;
	struct slice rat; /* getRAT: the contents of RulesAuthorisationTable */
};

/* More of them in one message are refused. */
#define CODEC_RESULT_MAX 256
#define CODEC_PROFILE_MAX 256 /* in all lists of one result together, as below */
#define CODEC_EIM_MAX 64

struct codec_euicc_package_result {
	enum codec_package_arm arm;
	unsigned leniencies;             /* of enum codec_leniency */
	struct slice octets;             /* the BF51 TLV as received */
	struct slice signed_part;        /* the 30 TLV under the signature; absent when unsigned */
	struct slice signature;          /* r and s, 64 octets; absent when unsigned */
	struct slice eim_id;             /* raw octets */
	struct slice eim_transaction_id; /* 1 to 16 octets, or absent */
	/* both signed arms */
	int64_t counter; /* counterValue of the package, 0 or more */
	/* done */
	struct slice sequence; /* contents octets of seqNumber, to be acknowledged as they are */
	const struct codec_command_result *result;
	size_t n;
	/* signed error */
	int error; /* enum codec_package_error, or a number unknown here */
	/* unsigned error */
	struct codec_number association_token; /* the one that the eUICC holds */
};

bool codec_euicc_package_result_read(struct arena *mem, struct slice octets,
	struct codec_euicc_package_result *out, const char **why);

/* A notification of a list, not read but for what finds and acknowledges it. */
struct codec_pending {
	struct slice octets;   /* one PendingNotification as received */
	struct slice sequence; /* contents octets of its seqNumber, or absent */
	bool compact;          /* to be written in full first: codec/compact.h */
};

/* More in one list are refused. */
#define CODEC_PENDING_MAX 256

struct codec_pending_list {
	const struct codec_pending *pending;
	size_t n;
};

/* ePRAndNotifications, a 30 TLV (§5.14.6): { BF51, A0 { … } }; in v1.0 { BF51, BF2B { … } }. */
struct codec_result_and_notifications {
	unsigned leniencies; /* CODEC_LENIENT_IOT_V1_0 */
	struct slice result; /* the BF51 TLV, for codec_euicc_package_result_read */
	struct codec_pending_list notifications;
};

bool codec_result_and_notifications_read(struct arena *mem, struct slice octets,
	struct codec_result_and_notifications *out, const char **why);

/* One PendingNotification of any form, as an entry of a list; false when it is none. */
bool codec_pending_read(struct slice octets, struct codec_pending *out);

#endif
