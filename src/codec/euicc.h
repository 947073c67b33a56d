#ifndef CODEC_EUICC_H
#define CODEC_EUICC_H
/*
 * What an eUICC says on ES9+: its information (SGP.22 §5.7.8), its answers to a server's
 * authentication (§5.7.13), to PrepareDownload (§5.7.5) and to CancelSession (§5.7.14). Every signed
 * part keeps the octets that were received; signatures are verified over these.
 *
 * All readers: slices point into `octets` or into the arena and live as long as both. False with a
 * reason in `*why` (for the log, never NULL then) when the octets are not such a message. Members that
 * are not known are skipped.
 *
 * Text members are raw octets, as long as the message says: nobody has looked for well-formed UTF-8 or
 * for NUL in them.
 */
#include "base/arena.h"
#include "codec/leniency.h"

/* CI key identifiers, in the eUICC's order of preference; 20 octets each, at most CODEC_CI_MAX. */
#define CODEC_CI_MAX 32
struct codec_ci_list {
	const struct slice *id;
	size_t n;
};

struct codec_euicc_info1 {
	uint8_t svn[3];         /* the only version, or in SGP.22 v3 the lowest */
	uint8_t highest_svn[3]; /* of v3; svn when it is not sent, is no version, or is lower */
	struct codec_ci_list verify, sign; /* euiccCiPKIdListForVerification, …ForSigning */
};

/* A number that may be missing. */
struct codec_count {
	bool known;
	uint32_t n;
};

/* Bits of UICCCapability (TCA profile package, §3.3.1 of the ASN.1 module). */
enum codec_capability {
	CODEC_CAN_CONTACTLESS,
	CODEC_CAN_USIM,
	CODEC_CAN_ISIM,
	CODEC_CAN_CSIM,
	CODEC_CAN_MILENAGE,
	CODEC_CAN_CAVE,
	CODEC_CAN_TUAK128,
	CODEC_CAN_TUAK256,
	CODEC_CAN_TEST_ALGORITHM,
	CODEC_CAN_GBA_USIM = 10,
	CODEC_CAN_GBA_ISIM,
	CODEC_CAN_MBMS,
	CODEC_CAN_EAP,
	CODEC_CAN_JAVACARD,
	CODEC_CAN_MULTOS,
	CODEC_CAN_MULTIPLE_USIM,
	CODEC_CAN_MULTIPLE_ISIM,
	CODEC_CAN_MULTIPLE_CSIM,
	CODEC_CAN_BER_TLV,
	CODEC_CAN_DF_LINK,
	CODEC_CAN_CAT_TP,
	CODEC_CAN_GET_IDENTITY,
	CODEC_CAN_PROFILE_A,
	CODEC_CAN_PROFILE_B,
	CODEC_CAN_SUCI_API,
	CODEC_CAN_DNS,
	CODEC_CAN_SCP11AC,
	CODEC_CAN_SCP11C_AUTHORIZATION,
	CODEC_CAN_S16,
	CODEC_CAN_EAKA,
	CODEC_CAN_IOT_MINIMAL
};

struct codec_euicc_info2 {
	struct slice octets; /* the BF22 TLV */
	uint8_t profile_version[3], svn[3], firmware[3], pp_version[3];
	struct codec_count applications;            /* extCardResource: installed applications */
	struct codec_count non_volatile, volatile_; /* free memory in octets */
	uint32_t capability;                        /* 1u << enum codec_capability */
	const uint8_t (*more_profile_versions)[3];  /* additionalEuiccProfilePackageVersions */
	size_t more_profile_version_count;
	uint8_t forbidden_rules;     /* CODEC_PPR_* of codec/metadata.h; 0 when not sent */
	struct codec_count category; /* euiccCategory: 1 basic, 2 medium, 3 contactless */
	struct codec_ci_list verify, sign;
};

struct codec_device_info {
	struct slice octets; /* the A1 TLV of ctxParams1 */
	struct slice tac;    /* 4 octets; absent when it was not sent so */
	struct slice imei;   /* 8 octets; absent when it was not sent so */
};

/* AuthenticateServerResponse, BF38. */
struct codec_authenticate_response {
	bool ok;
	unsigned leniencies; /* of enum codec_leniency */
	/* not ok: authenticateResponseError; the transactionId is set as below */
	int error; /* AuthenticateErrorCode */
	/* ok */
	struct slice signed1;       /* the 30 TLV euiccSigned1 */
	struct slice signature;     /* r and s, 64 octets */
	struct slice signature_tlv; /* the 5F37 TLV as received; smdpSignature2 covers it */
	struct slice euicc_certificate, eum_certificate; /* X.509 DER */
	struct slice transaction_id;                     /* 1 to 16 octets, inside euiccSigned1 */
	struct slice server_address;                     /* raw octets */
	struct slice server_challenge;                   /* 16 octets */
	struct codec_euicc_info2 info2;
	struct slice matching_id; /* absent, empty (p is not NULL) or raw octets */
	struct codec_device_info device;
};

/* PrepareDownloadResponse, BF21. */
struct codec_prepare_response {
	bool ok;
	unsigned leniencies;    /* of enum codec_leniency */
	int error;              /* not ok: DownloadErrorCode */
	struct slice signed2;   /* ok: the 30 TLV euiccSigned2 */
	struct slice signature; /* r and s, 64 octets */
	struct slice transaction_id;
	struct slice otpk;    /* 65 octets, uncompressed point */
	struct slice hash_cc; /* 32 octets or absent */
};

/* CancelSessionResponse, BF41. */
struct codec_cancel_response {
	bool ok;
	unsigned leniencies;      /* of enum codec_leniency */
	int error;                /* not ok: the error code */
	struct slice signed_part; /* ok: the 30 TLV euiccCancelSessionSigned */
	struct slice signature;   /* r and s, 64 octets */
	struct slice transaction_id;
	struct slice smdp_oid;      /* contents octets */
	struct slice smdp_oid_text; /* dotted */
	int reason;                 /* CancelSessionReason; unknown ones are kept as they are */
};

bool codec_euicc_info1_read(
	struct arena *mem, struct slice octets, struct codec_euicc_info1 *out, const char **why);
bool codec_euicc_info2_read(
	struct arena *mem, struct slice octets, struct codec_euicc_info2 *out, const char **why);
bool codec_authenticate_response_read(struct arena *mem, struct slice octets,
	struct codec_authenticate_response *out, const char **why);
bool codec_prepare_response_read(struct arena *mem, struct slice octets,
	struct codec_prepare_response *out, const char **why);
bool codec_cancel_response_read(struct arena *mem, struct slice octets,
	struct codec_cancel_response *out, const char **why);

#endif
