#ifndef WIRE_ES9_H
#define WIRE_ES9_H
/*
 * The messages of ES9+ (SGP.22 §6.5.2 in JSON, §6.6 in ASN.1): who serves it and who calls it expand the
 * same lists of M(function, side, field, JSON name, JSON form, ASN.1 form, tag, own tag).
 */
#include <stdint.h>

/* clang-format off */
#define WIRE_INITIATE_AUTHENTICATION_IN(M) \
	M(initiate_authentication, in, euicc_challenge, "euiccChallenge", BASE64, VALUE, 0x81, 0) \
	M(initiate_authentication, in, smdp_address, "smdpAddress", TEXT, VALUE, 0x83, 0) \
	M(initiate_authentication, in, euicc_info1, "euiccInfo1", BASE64, WHOLE, 0xbf20, 0)
#define WIRE_INITIATE_AUTHENTICATION_OUT(M) \
	M(initiate_authentication, call, transaction_id, "transactionId", HEX, VALUE, 0x80, 0) \
	M(initiate_authentication, out, server_signed1, "serverSigned1", BASE64, WHOLE, 0x30, 0) \
	M(initiate_authentication, out, server_signature1, "serverSignature1", BASE64, WHOLE, 0x5f37, 0) \
	M(initiate_authentication, out, ci_pkid, "euiccCiPKIdToBeUsed", BASE64, WHOLE, 0x04, 0) \
	M(initiate_authentication, out, server_certificate, "serverCertificate", BASE64, WHOLE, 0x30, 0)

#define WIRE_AUTHENTICATE_CLIENT_IN(M) \
	M(authenticate_client, call, transaction_id, "transactionId", HEX, VALUE, 0x80, 0) \
	M(authenticate_client, in, authenticate_server_response, "authenticateServerResponse", \
		BASE64, WHOLE, 0xbf38, 0)
#define WIRE_AUTHENTICATE_CLIENT_OUT(M) \
	M(authenticate_client, call, transaction_id, "transactionId", HEX, VALUE, 0x80, 0) \
	M(authenticate_client, out, profile_metadata, "profileMetadata", BASE64, WHOLE, 0xbf25, 0) \
	M(authenticate_client, out, smdp_signed2, "smdpSigned2", BASE64, WHOLE, 0x30, 0) \
	M(authenticate_client, out, smdp_signature2, "smdpSignature2", BASE64, WHOLE, 0x5f37, 0) \
	M(authenticate_client, out, smdp_certificate, "smdpCertificate", BASE64, WHOLE, 0x30, 0)

#define WIRE_GET_BOUND_PROFILE_PACKAGE_IN(M) \
	M(get_bound_profile_package, call, transaction_id, "transactionId", HEX, VALUE, 0x80, 0) \
	M(get_bound_profile_package, in, prepare_download_response, "prepareDownloadResponse", \
		BASE64, WHOLE, 0xbf21, 0)
#define WIRE_GET_BOUND_PROFILE_PACKAGE_OUT(M) \
	M(get_bound_profile_package, call, transaction_id, "transactionId", HEX, VALUE, 0x80, 0) \
	M(get_bound_profile_package, out, bound_profile_package, "boundProfilePackage", \
		BASE64, WHOLE, 0xbf36, 0)

/* A CHOICE without a tag of its own: the automatic [0] before it is explicit (X.680 §31.2.7). */
#define WIRE_HANDLE_NOTIFICATION_IN(M) \
	M(handle_notification, in, pending_notification, "pendingNotification", \
		BASE64, EXPLICIT, 0xa0, 0)

/* A CHOICE that has a tag of its own: the automatic [1] stands in its place. */
#define WIRE_CANCEL_SESSION_IN(M) \
	M(cancel_session, call, transaction_id, "transactionId", HEX, VALUE, 0x80, 0) \
	M(cancel_session, in, cancel_session_response, "cancelSessionResponse", \
		BASE64, IMPLICIT, 0xa1, 0xbf41)
/* clang-format on */

/* Of the alternatives of RemoteProfileProvisioningRequest and -Response. */
enum {
	WIRE_TAG_INITIATE_AUTHENTICATION = 0xbf39,
	WIRE_TAG_GET_BOUND_PROFILE_PACKAGE = 0xbf3a,
	WIRE_TAG_AUTHENTICATE_CLIENT = 0xbf3b,
	WIRE_TAG_HANDLE_NOTIFICATION = 0xbf3d,
	WIRE_TAG_CANCEL_SESSION = 0xbf41
};

/* undefinedError */
#define WIRE_ES9_UNDEFINED 127

/*
 * The error integer with which the function of that tag says what subject and reason code say in JSON;
 * WIRE_ES9_UNDEFINED when the module has none for them.
 */
unsigned wire_es9_error(uint32_t tag, const char *subject, const char *reason);

#endif
