#ifndef CODEC_IPA_DATA_H
#define CODEC_IPA_DATA_H
/*
 * What an eIM asks of an IPA besides eUICC packages: data of the eUICC and the IPA (IpaEuiccDataRequest and
 * -Response, SGP.32 §2.11), and a download (ProfileDownloadTrigger, §3.2.3.1).
 * None of it is signed as a whole: what counts in it is signed in itself, or is only a hint. Readers as in
 * codec/euicc.h.
 */
#include "codec/eim_result.h"

/* What may be asked for, as bits; `5A` and the profile list are not among them. */
#define CODEC_WANT_NOTIFICATIONS 1u
#define CODEC_WANT_DEFAULT_SMDP 2u
#define CODEC_WANT_PACKAGE_RESULTS 4u
#define CODEC_WANT_INFO1 8u
#define CODEC_WANT_INFO2 16u
#define CODEC_WANT_ROOT_SMDS 32u
#define CODEC_WANT_ASSOCIATION_TOKEN 64u
#define CODEC_WANT_EUM_CERTIFICATE 128u
#define CODEC_WANT_EUICC_CERTIFICATE 256u
#define CODEC_WANT_IPA_CAPABILITIES 512u
#define CODEC_WANT_DEVICE_INFO 1024u
#define CODEC_WANT_ALL 2047u

/* Which messages a device speaks. */
enum codec_iot_version { CODEC_IOT_V1_2, CODEC_IOT_V1_0 };

/* Members that are not asked for narrow nothing. */
struct codec_ipa_data_request {
	uint32_t want; /* CODEC_WANT_* */
	struct slice
		ci_pkid; /* whose certificates are asked for; 1 to 20 octets, in v1.0 20; or absent */
	struct codec_number notification_sequence; /* only this notification, or */
	uint8_t notification_events;         /* only those of 1u << enum codec_operation; 0: all */
	struct codec_number result_sequence; /* only this package result; v1.0 cannot say so */
	struct slice eim_transaction_id;     /* 1 to 16 octets, or absent; not in v1.0 */
};

/*
 * IpaEuiccDataRequest, BF52. In v1.0 there is one criterion for notifications and results together: results
 * alone are asked for when notifications are not wanted.
 */
struct slice codec_ipa_data_request_write(
	struct arena *mem, const struct codec_ipa_data_request *in, enum codec_iot_version version);

/* IpaEuiccDataErrorCode. */
enum codec_ipa_data_error {
	CODEC_IPA_DATA_INCORRECT_TAG_LIST = 1,
	CODEC_IPA_DATA_CI_NOT_FOUND = 5,
	CODEC_IPA_DATA_ECALL_ACTIVE = 104,
	CODEC_IPA_DATA_UNDEFINED = 127
};

/* Bits of ipaFeatures. */
#define CODEC_IPA_DIRECT 1u
#define CODEC_IPA_INDIRECT 2u
#define CODEC_IPA_EIM_DOWNLOAD_DATA 4u /* the activation code stays at the eIM */
#define CODEC_IPA_EIM_CTX_PARAMS 8u
#define CODEC_IPA_EIM_METADATA 16u
#define CODEC_IPA_MINIMIZE 32u /* compact forms: codec/compact.h */

struct codec_ipa_capabilities {
	struct slice octets; /* the A8 TLV; absent when it was not sent */
	uint32_t features;   /* CODEC_IPA_* */
	bool protocols_known;
	uint32_t protocols; /* CODEC_RETRIEVE_HTTPS … */
};

/* Of the package results each is a BF51 TLV as received, for codec_euicc_package_result_read. */
struct codec_result_list {
	const struct slice *result;
	size_t n;
};

struct codec_ipa_data {
	bool ok;
	unsigned leniencies;             /* of enum codec_leniency */
	int error;                       /* not ok: enum codec_ipa_data_error, or another */
	struct slice eim_transaction_id; /* 1 to 16 octets, or absent */
	/* ok; each may be absent */
	bool notifications_sent, results_sent; /* the list is there, be it empty */
	struct codec_pending_list notifications;
	struct codec_result_list results;
	struct slice default_smdp, root_smds; /* raw octets */
	struct slice info1, info2;            /* the BF20 and the BF22 TLV, unread */
	struct codec_number association_token;
	struct slice eum_certificate, euicc_certificate; /* X.509 DER, whole */
	struct codec_ipa_capabilities capabilities;
	struct slice device_info; /* contents of DeviceInfo */
	struct slice tac, imei;   /* 4 and 8 octets in it, or absent */
};

/* IpaEuiccDataResponse, BF52. */
bool codec_ipa_data_read(
	struct arena *mem, struct slice octets, struct codec_ipa_data *out, const char **why);

/* What an EUICCInfo2 says of SGP.32: iotSpecificInfo and ipaMode. */
struct codec_iot_info {
	bool known;         /* iotSpecificInfo is there */
	uint8_t version[3]; /* the highest of iotVersion; zeros when there is none */
	bool ecall, fallback;
	struct codec_number ipa_mode; /* 0 IPAd, 1 IPAe */
};

/* Never fails: what is not well-formed is not there. */
void codec_iot_info_read(struct slice info2, struct codec_iot_info *out);

/* ProfileDownloadData. */
enum codec_download_kind {
	CODEC_DOWNLOAD_UNSAID, /* the data stay at the eIM */
	CODEC_DOWNLOAD_ACTIVATION_CODE,
	CODEC_DOWNLOAD_DEFAULT_SMDP,
	CODEC_DOWNLOAD_SMDS
};

struct codec_download_trigger {
	enum codec_download_kind kind;
	struct slice text; /* the code, at most 255 octets; the SM-DS's address, or absent */
	struct slice eim_transaction_id; /* 1 to 16 octets, or absent */
};

/* ProfileDownloadTriggerRequest, BF54. */
struct slice
codec_download_trigger_write(struct arena *mem, const struct codec_download_trigger *in);

/* ProfileDownloadTriggerResult, BF54. */
struct codec_download_result {
	unsigned leniencies;
	struct slice eim_transaction_id;  /* 1 to 16 octets, or absent */
	struct slice installation_result; /* the BF37 TLV, or absent: it failed before */
	struct codec_number reason;       /* profileDownloadErrorReason: 104 ecallActive, 127 */
	struct slice error_response;      /* the answer that ended it, raw octets, or absent */
};

bool codec_download_result_read(struct arena *mem, struct slice octets,
	struct codec_download_result *out, const char **why);

#endif
