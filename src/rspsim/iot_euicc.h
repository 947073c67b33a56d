#ifndef RSPSIM_IOT_EUICC_H
#define RSPSIM_IOT_EUICC_H
/*
 * The simulated IoT eUICC as its IPA sees it (SGP.32 §5.9, ES10b): octets in, octets out, no
 * network. Answers are in the arena that the caller gives; what stays is copied into the card.
 */
#include "rspsim/card.h"

/* Makes a card an IoT one, with the features of an IPA that can do all; v10: of SGP.32 v1.0.1. */
void rspsim_iot_start(struct rspsim_card *card, bool v10);

/* The eIM of this identifier, or NULL. */
struct rspsim_eim *rspsim_iot_find_eim(const struct rspsim_card *card, struct slice id);

/*
 * LoadEuiccPackage (§5.9.1): EuiccPackageRequest to EuiccPackageResult, both BF51. Absent when
 * these are no request's octets: no card could answer that.
 */
struct slice
rspsim_iot_load_package(struct rspsim_card *card, struct arena *mem, struct slice request);

/* EuiccPackageErrorCode, signed (§2.11.2.1). */
enum rspsim_package_error {
	RSPSIM_PACKAGE_FINE = 0,
	RSPSIM_PACKAGE_EID = 3,
	RSPSIM_PACKAGE_REPLAY = 4,
	RSPSIM_PACKAGE_COUNTER = 6,
	RSPSIM_PACKAGE_SIZE = 15,
	RSPSIM_PACKAGE_ECALL = 104,
	RSPSIM_PACKAGE_UNDEFINED = 127
};

/* Results of eCOs, of AddInitialEim and of configurations. */
enum rspsim_eco_result {
	RSPSIM_ECO_OK = 0,
	RSPSIM_ECO_MEMORY = 1,    /* of deleteEim and updateEim: eimNotFound */
	RSPSIM_ECO_NOT_FOUND = 1, /* the same number */
	RSPSIM_ECO_EXISTS = 2,    /* of deleteEim: lastEimDeleted */
	RSPSIM_ECO_LAST = 2,
	RSPSIM_ECO_CI = 3,
	RSPSIM_ECO_TOKEN = 5,
	RSPSIM_ECO_COUNTER = 6,
	RSPSIM_ECO_COMMAND = 7,
	RSPSIM_ECO_UNDEFINED = 127
};

/* AddInitialEim (§5.9.4): AddInitialEimRequest to AddInitialEimResponse, both BF57. */
struct slice
rspsim_iot_add_initial_eim(struct rspsim_card *card, struct arena *mem, struct slice request);

/*
 * ProfileRollback (BF58): rollbackNotAllowed(1), or ok(0) and in `result` the EuiccPackageResult
 * (BF51) that supersedes the first.
 */
enum rspsim_rollback { RSPSIM_ROLLBACK_OK = 0, RSPSIM_ROLLBACK_NOT_ALLOWED = 1 };
enum rspsim_rollback
rspsim_iot_rollback(struct rspsim_card *card, struct arena *mem, struct slice *result);

/* ExecuteFallbackMechanism (BF5D) and ReturnFromFallback (BF5E). */
enum rspsim_fallback {
	RSPSIM_FALLBACK_OK = 0,
	RSPSIM_FALLBACK_WRONG_STATE = 2,
	RSPSIM_FALLBACK_NOT_AVAILABLE = 6,
	RSPSIM_FALLBACK_COMMAND = 7,
	RSPSIM_FALLBACK_ECALL = 104
};
enum rspsim_fallback rspsim_iot_fallback(struct rspsim_card *card);
enum rspsim_fallback rspsim_iot_return(struct rspsim_card *card);

/* EnableEmergencyProfile (BF5B) and DisableEmergencyProfile (BF5C). */
enum rspsim_emergency {
	RSPSIM_EMERGENCY_OK = 0,
	RSPSIM_EMERGENCY_WRONG_STATE = 2,
	RSPSIM_EMERGENCY_NOT_AVAILABLE = 8
};
enum rspsim_emergency rspsim_iot_emergency(struct rspsim_card *card);
enum rspsim_emergency rspsim_iot_emergency_over(struct rspsim_card *card);
/* True while the Emergency Profile is enabled: packages and data requests are refused then. */
bool rspsim_iot_in_emergency(const struct rspsim_card *card);

/* ImmediateEnable (BF5A) of the profile that the session just over has installed. */
enum rspsim_immediate {
	RSPSIM_IMMEDIATE_OK = 0,
	RSPSIM_IMMEDIATE_NOT_AVAILABLE = 1,
	RSPSIM_IMMEDIATE_NO_SESSION = 4
};
enum rspsim_immediate rspsim_iot_immediate_enable(struct rspsim_card *card);

/* EuiccMemoryReset (BF64; BF34 in v1.0.1); options are bits of resetOptions, bit 0 highest. */
enum {
	RSPSIM_RESET_OPERATIONAL = 0x80,
	RSPSIM_RESET_TEST = 0x40,
	RSPSIM_RESET_DEFAULT_DP = 0x20,
	RSPSIM_RESET_EIMS = 0x04,
	RSPSIM_RESET_IMMEDIATE = 0x02
};
enum rspsim_reset { RSPSIM_RESET_OK = 0, RSPSIM_RESET_NOTHING = 1, RSPSIM_RESET_ECALL = 104 };
enum rspsim_reset rspsim_iot_reset(struct rspsim_card *card, uint8_t options);

/* What an acknowledgement names is forgotten (BF30); false when there is nothing of this number. */
bool rspsim_iot_acknowledge(struct rspsim_card *card, uint32_t sequence);

/*
 * Profile information (E3) of the profiles that `request` (BF2D) looks for, as
 * ProfileInfoListResponse (BF2D); absent when the request cannot be read.
 */
struct slice rspsim_iot_profiles(struct rspsim_card *card, struct arena *mem, struct slice request);

/* IotSpecificInfo and ipaMode as members of EUICCInfo2; nothing for a consumer's card. */
struct slice rspsim_iot_info(const struct rspsim_card *card, struct arena *mem);

#endif
