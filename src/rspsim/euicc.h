#ifndef RSPSIM_EUICC_H
#define RSPSIM_EUICC_H
/*
 * The simulated eUICC as its LPA sees it (SGP.22 §5.7, ES10b and ES10c): octets in, octets out,
 * no network. Answers are in the arena that the caller gives. A refusal is an answer with the
 * standard's code, as a card gives it.
 */
#include "rspsim/card.h"

/* AuthenticateErrorCode of §5.7.13. */
enum rspsim_authenticate_error {
	RSPSIM_AUTHENTICATE_FINE = 0,
	RSPSIM_AUTHENTICATE_CERTIFICATE = 1,
	RSPSIM_AUTHENTICATE_SIGNATURE = 2,
	RSPSIM_AUTHENTICATE_CURVE = 3,
	RSPSIM_AUTHENTICATE_NO_SESSION = 4,
	RSPSIM_AUTHENTICATE_OID = 5,
	RSPSIM_AUTHENTICATE_CHALLENGE = 6,
	RSPSIM_AUTHENTICATE_CI = 7,
	RSPSIM_AUTHENTICATE_UNDEFINED = 127
};

/* DownloadErrorCode of §5.7.5. */
enum rspsim_download_error {
	RSPSIM_DOWNLOAD_FINE = 0,
	RSPSIM_DOWNLOAD_CERTIFICATE = 1,
	RSPSIM_DOWNLOAD_SIGNATURE = 2,
	RSPSIM_DOWNLOAD_CURVE = 3,
	RSPSIM_DOWNLOAD_NO_SESSION = 4,
	RSPSIM_DOWNLOAD_TRANSACTION = 5,
	RSPSIM_DOWNLOAD_UNDEFINED = 127
};

/* BppCommandId and ErrorReason of ProfileInstallationResult (§2.5.6). */
enum rspsim_bpp_command {
	RSPSIM_BPP_CHANNEL,
	RSPSIM_BPP_CONFIGURE,
	RSPSIM_BPP_METADATA,
	RSPSIM_BPP_METADATA2, /* a later segment of the metadata */
	RSPSIM_BPP_KEYS,
	RSPSIM_BPP_ELEMENTS
};
enum rspsim_install_error {
	RSPSIM_INSTALL_FINE = 0,
	RSPSIM_INSTALL_INPUT = 1,
	RSPSIM_INSTALL_SIGNATURE = 2,
	RSPSIM_INSTALL_TRANSACTION = 3,
	RSPSIM_INSTALL_CRT = 4,
	RSPSIM_INSTALL_OPERATION = 5,
	RSPSIM_INSTALL_CLASS = 6,
	RSPSIM_INSTALL_STRUCTURE = 7,
	RSPSIM_INSTALL_SECURITY = 8,
	RSPSIM_INSTALL_ICCID_EXISTS = 9,
	RSPSIM_INSTALL_MEMORY = 10,
	RSPSIM_INSTALL_INTERRUPTED = 11,
	RSPSIM_INSTALL_ELEMENT = 12,
	RSPSIM_INSTALL_MISMATCH = 13,
	RSPSIM_INSTALL_TEST_KEY = 14,
	RSPSIM_INSTALL_RULES = 15
};

/* CancelSessionReason (§5.7.14). */
enum rspsim_cancel_reason {
	RSPSIM_CANCEL_REJECTED = 0,
	RSPSIM_CANCEL_POSTPONED = 1,
	RSPSIM_CANCEL_TIMEOUT = 2,
	RSPSIM_CANCEL_RULES = 3,
	RSPSIM_CANCEL_METADATA = 4,
	RSPSIM_CANCEL_LOAD = 5,
	RSPSIM_CANCEL_UNDEFINED = 127
};

/* Results of enable, disable and delete (§5.7.16 to §5.7.18). */
enum rspsim_switch_result {
	RSPSIM_SWITCH_OK = 0,
	RSPSIM_SWITCH_NOT_FOUND = 1,
	RSPSIM_SWITCH_WRONG_STATE = 2,
	RSPSIM_SWITCH_POLICY = 3
};

/* EUICCInfo1 (BF20) and EUICCInfo2 (BF22), §5.7.8. */
struct slice rspsim_euicc_info1(const struct rspsim_card *card, struct arena *mem);
struct slice rspsim_euicc_info2(const struct rspsim_card *card, struct arena *mem);

/* A new session with 16 octets of challenge (§5.7.7); a former session ends. */
struct slice rspsim_euicc_challenge(struct rspsim_card *card, struct arena *mem);

/* AuthenticateServerRequest (BF38) to AuthenticateServerResponse (BF38), §5.7.13. */
struct slice
rspsim_euicc_authenticate_server(struct rspsim_card *card, struct arena *mem, struct slice request);

/* PrepareDownloadRequest (BF21) to PrepareDownloadResponse (BF21), §5.7.5. */
struct slice
rspsim_euicc_prepare_download(struct rspsim_card *card, struct arena *mem, struct slice request);

/*
 * A whole BoundProfilePackage (BF36) to the ProfileInstallationResult (BF37), §5.7.6, which is
 * kept as a pending notification too. Absent when no download was prepared or these are no BPP's
 * octets: no card could answer that.
 */
struct slice rspsim_euicc_load_bpp(struct rspsim_card *card, struct arena *mem, struct slice bpp);

/* CancelSessionRequest (BF41) to CancelSessionResponse (BF41), §5.7.14. */
struct slice
rspsim_euicc_cancel_session(struct rspsim_card *card, struct arena *mem, struct slice request);

/* Forgets a notification that was delivered (§5.7.11); false when there is none of this number. */
bool rspsim_euicc_remove_notification(struct rspsim_card *card, uint32_t sequence);

/* ES10c; each makes the notifications that the profile's metadata ask for. */
enum rspsim_switch_result rspsim_euicc_enable(struct rspsim_card *card, const uint8_t iccid[10]);
enum rspsim_switch_result rspsim_euicc_disable(struct rspsim_card *card, const uint8_t iccid[10]);
enum rspsim_switch_result rspsim_euicc_delete(struct rspsim_card *card, const uint8_t iccid[10]);

#endif
