#ifndef CODEC_EIM_PACKAGE_H
#define CODEC_EIM_PACKAGE_H
/*
 * What an eIM signs: eUICC packages (SGP.32 §2.11.1) with the commands in them, and the data by which an
 * eUICC knows an eIM (EimConfigurationData, §3.5). Signing is done elsewhere, over the octets made here.
 *
 * Commands are written when they are asked for, and their octets kept: they are checked then, once. The package
 * around them is written when its counter is known, and cannot fail.
 */
#include "base/arena.h"
#include "codec/metadata.h"
#include "codec/number.h"

/* EimIdType. */
enum codec_eim_id_type {
	CODEC_EIM_ID_UNSAID,
	CODEC_EIM_ID_OID,
	CODEC_EIM_ID_FQDN,
	CODEC_EIM_ID_PROPRIETARY
};

/* Bits of EimSupportedProtocol, and of an IPA's ipaSupportedProtocols. */
#define CODEC_RETRIEVE_HTTPS 1u
#define CODEC_RETRIEVE_COAPS 2u
#define CODEC_INJECT_HTTPS 4u
#define CODEC_INJECT_COAPS 8u
#define CODEC_PROTOCOL_PROPRIETARY 16u

/* At most one of both; neither: the CHOICE is not sent. */
struct codec_eim_key {
	struct slice certificate; /* X.509 DER, or absent */
	struct slice public_key;  /* SubjectPublicKeyInfo DER, or absent */
};

/*
 * EimConfigurationData. In updateEim only what changes is given. For a device of SGP.32 v1.0
 * indirect_download stays unset: it came with v1.1.
 */
struct codec_eim_configuration {
	struct slice eim_id; /* 1 to 128 characters of UTF-8 */
	struct slice fqdn;   /* or absent */
	enum codec_eim_id_type id_type;
	struct codec_number counter;           /* the value to start from */
	struct codec_number association_token; /* -1: the eUICC shall make one */
	struct codec_eim_key key;              /* eimPublicKeyData: verifies eimSignature */
	struct codec_eim_key tls;              /* trustedPublicKeyDataTls: what the IPA pins */
	bool protocols_known;
	uint32_t protocols;   /* CODEC_RETRIEVE_HTTPS … */
	struct slice ci_pkid; /* euiccCiPKId, 20 octets, or absent */
	bool indirect_download;
};

/*
 * A Certificate or SubjectPublicKeyInfo under a tag of the CHOICE: by ASN.1 the tag takes the place of the
 * SEQUENCE's own (A1 { tbs, algorithm, signature }); some peers want the whole SEQUENCE inside (A1 { 30 … }).
 */
enum codec_certificate_form { CODEC_CERTIFICATE_IMPLICIT, CODEC_CERTIFICATE_WHOLE };

/*
 * The value of an EimConfigurationData as a TLV of tag 30, which is also an element of AddInitialEim's list.
 * False with a reason when a member is out of its bounds.
 */
bool codec_eim_configuration_write(struct arena *mem, const struct codec_eim_configuration *in,
	enum codec_certificate_form form, struct slice *out, const char **why);

/*
 * Reads such a TLV in either form; tag 30, or A8 or AA as in a command. Certificates and keys come out as whole
 * SEQUENCEs. Slices point into `octets` or the arena. False with a reason in `*why`.
 */
bool codec_eim_configuration_read(struct arena *mem, struct slice octets,
	struct codec_eim_configuration *out, const char **why);

/* Every PSMO and eCO (§2.11.1). PSMOs come first. */
enum codec_eim_command_kind {
	CODEC_PSMO_ENABLE,
	CODEC_PSMO_DISABLE,
	CODEC_PSMO_DELETE,
	CODEC_PSMO_LIST_PROFILE_INFO,
	CODEC_PSMO_GET_RAT,
	CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE, /* in v1.0 configureAutoEnable, of the same form */
	CODEC_PSMO_SET_FALLBACK_ATTRIBUTE,     /* not in v1.0, as the two below */
	CODEC_PSMO_UNSET_FALLBACK_ATTRIBUTE,
	CODEC_PSMO_SET_DEFAULT_DP_ADDRESS,
	CODEC_ECO_ADD_EIM,
	CODEC_ECO_DELETE_EIM,
	CODEC_ECO_UPDATE_EIM,
	CODEC_ECO_LIST_EIM
};
#define CODEC_EIM_COMMAND_KINDS (CODEC_ECO_LIST_EIM + 1)

/* Which profiles listProfileInfo asks for. */
enum codec_profile_search {
	CODEC_PROFILES_ALL,
	CODEC_PROFILES_AID,
	CODEC_PROFILES_ICCID,
	CODEC_PROFILES_CLASS
};

/*
 * What to ask of each profile: ICCID, AID, state, nickname, provider, name, class, notification entries, policy
 * rules; from v1.1 on the fallback attribute and whether it is allowed.
 */
#define CODEC_PROFILE_TAGS_V1_0 SLICE_LIT("\x5a\x4f\x9f\x70\x90\x91\x92\x95\xb6\x99")
#define CODEC_PROFILE_TAGS SLICE_LIT("\x5a\x4f\x9f\x70\x90\x91\x92\x95\xb6\x99\x9f\x26\x9f\x67")

struct codec_eim_command {
	enum codec_eim_command_kind kind;
	union {
		struct { /* enable; of disable, delete and setFallbackAttribute the iccid alone */
			struct slice iccid; /* 10 octets as in EF.ICCID */
			bool rollback;      /* rollbackFlag */
		};
		struct {
			enum codec_profile_search search;
			struct slice key;              /* the AID or the ICCID */
			enum codec_class search_class; /* of CODEC_PROFILES_CLASS */
			struct slice tags; /* tagList; absent: what the eUICC gives by default */
		} list;
		struct {
			bool enable;               /* immediateEnableFlag */
			struct slice smdp_oid;     /* contents octets, or absent */
			struct slice smdp_address; /* or absent */
		} immediate;
		struct slice dp_address;                   /* setDefaultDpAddress; may be empty */
		struct slice eim_id;                       /* deleteEim */
		const struct codec_eim_configuration *eim; /* addEim, updateEim */
	};
};

/* More commands than this are refused in one package. */
#define CODEC_COMMAND_MAX 64

/*
 * The euiccPackage: A0 with PSMOs or A1 with eCOs, 1 to CODEC_COMMAND_MAX of one sort; at most one enable.
 * False with a reason when it cannot be so, or a member is out of its bounds.
 */
bool codec_eim_commands_write(struct arena *mem, const struct codec_eim_command *command, size_t n,
	enum codec_certificate_form form, struct slice *out, const char **why);

/*
 * Reads what codec_eim_commands_write wrote. `command` has room for CODEC_COMMAND_MAX. False with a reason
 * when it is anything else.
 */
bool codec_eim_commands_read(struct arena *mem, struct slice octets,
	struct codec_eim_command *command, size_t *n, const char **why);

/* "enable", "addEim", …: the name in the standard. */
const char *codec_eim_command_name(enum codec_eim_command_kind kind);

/* EuiccPackageSigned. Lengths are the caller's promise, as in codec/server.h. */
struct codec_euicc_package {
	struct slice eim_id;             /* 1 to 128 octets */
	struct slice eid;                /* 16 octets */
	int64_t counter;                 /* counterValue */
	struct slice eim_transaction_id; /* 1 to 16 octets, or absent */
	struct slice commands;           /* of codec_eim_commands_write */
};

/* The 30 TLV. eimSignature covers it and, behind it, the token's TLV (§2.11.1.1). */
struct slice
codec_euicc_package_signed_write(struct arena *mem, const struct codec_euicc_package *in);

/* 84 and the token; without one 84 01 00. The eUICC's signatures of results cover the same TLV (§2.11.1.2). */
struct slice codec_association_token_write(struct arena *mem, struct codec_number token);

/* EuiccPackageRequest: BF51 around the 30 TLV and 5F37 with r and s (64 octets). */
struct slice
codec_euicc_package_write(struct arena *mem, struct slice signed_part, struct slice signature);

/*
 * EimAcknowledgements, BF53 (§5.14.6): `sequence` are the contents octets of the INTEGERs seqNumber as they were
 * received; each goes out as it came.
 */
struct slice
codec_eim_acknowledgements_write(struct arena *mem, const struct slice *sequence, size_t n);

#endif
