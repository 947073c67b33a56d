#ifndef WIRE_ESIPA_H
#define WIRE_ESIPA_H
/*
 * The messages of ESipa (SGP.32 §6.3.2 in ASN.1, §6.4.1 in JSON), as lists like those of wire/es9.h: M is a member
 * that must be there, O one that may be left out.
 */
#include <stdint.h>

/* clang-format off */
#define WIRE_GET_EIM_PACKAGE_IN(M, O) \
	O(get_eim_package, in, eid_value, "eidValue", HEX, VALUE, 0x5a, 0) \
	O(get_eim_package, in, notify_state_change, "notifyStateChange", FLAG, VALUE, 0x80, 0) \
	O(get_eim_package, in, state_change_cause, "stateChangeCause", NUMBER, VALUE, 0x81, 0) \
	O(get_eim_package, in, rplmn, "rPLMN", TEXT, VALUE, 0x82, 0)
/* A CHOICE: one of them. */
#define WIRE_GET_EIM_PACKAGE_OUT(M, O) \
	O(get_eim_package, out, euicc_package_request, "euiccPackageRequest", BASE64, WHOLE, 0xbf51, 0) \
	O(get_eim_package, out, ipa_euicc_data_request, "ipaEuiccDataRequest", BASE64, WHOLE, 0xbf52, 0) \
	O(get_eim_package, out, profile_download_trigger_request, "profileDownloadTriggerRequest", \
		BASE64, WHOLE, 0xbf54, 0)

#define WIRE_PROVIDE_EIM_PACKAGE_RESULT_IN(M, O) \
	O(provide_eim_package_result, in, eid_value, "eidValue", HEX, VALUE, 0x5a, 0) \
	M(provide_eim_package_result, in, eim_package_result, "eimPackageResult", BASE64, ANY, 0, 0)
#define WIRE_PROVIDE_EIM_PACKAGE_RESULT_OUT(M, O) \
	O(provide_eim_package_result, out, eim_acknowledgements, "eimAcknowledgements", \
		BASE64, WHOLE, 0xbf53, 0)

/*
 * HandleNotification with the result of a package, in v1.2 (BF50) and in v1.0 (A1 in place of it); and with a
 * notification: a CHOICE without a tag of its own, so that the automatic [0] before it is explicit.
 */
#define WIRE_HANDLE_RESULT_IN(M, O) \
	O(provide_eim_package_result, in, eim_package_result, "provideEimPackageResult", \
		BASE64, WHOLE, 0xbf50, 0) \
	O(provide_eim_package_result, in, eim_package_result, "provideEimPackageResult", \
		BASE64, IMPLICIT, 0xa1, 0xbf50)
#define WIRE_ESIPA_NOTIFICATION_IN(M, O) \
	M(handle_notification, in, pending_notification, "pendingNotification", BASE64, EXPLICIT, 0xa0, 0)
/* clang-format on */

/* Of the alternatives of EsipaMessageFromIpaToEim and -FromEimToIpa. */
enum {
	WIRE_TAG_GET_EIM_PACKAGE = 0xbf4f,
	WIRE_TAG_PROVIDE_EIM_PACKAGE_RESULT = 0xbf50,
	WIRE_TAG_ESIPA_NOTIFICATION = 0xbf3d
};

#endif
