#ifndef PROFILE_UPP_H
#define PROFILE_UPP_H
/*
 * Unprotected profile packages (TCA Interoperable Profile Package 2.x and 3.x): a run of profile
 * elements (PEs) without a wrapper. Read with the generated codecs, judged before an operator may
 * offer them, and given another ICCID when asked.
 */
#include "base/arena.h"

#define PROFILE_UPP_MAX (1024u * 1024u) /* octets */
#define PROFILE_PE_MAX 10000u           /* elements of one package */

/* Why a package was refused. */
struct profile_fault {
	size_t pe;          /* index from 0; the number of PEs when the whole package is meant */
	int identification; /* of that PE, or -1 */
	const char *reason; /* "PE 7 (usim, identification 5): …", in the arena */
};

struct profile_pe {
	uint32_t tag;        /* 0xa0 header … 0xaa end, 0xb0 mf …, as on the wire */
	const char *name;    /* as in the ASN.1 module; "unknown" for tags of later versions */
	int identification;  /* -1: the header has none */
	bool mandated;       /* an eUICC that does not know it must stop */
	struct slice octets; /* the whole TLV, inside the package */
};

/* eUICC-Mandatory-services, in the order of the ASN.1 module. */
enum profile_service {
	PROFILE_CONTACTLESS,
	PROFILE_USIM,
	PROFILE_ISIM,
	PROFILE_CSIM,
	PROFILE_MILENAGE,
	PROFILE_TUAK128,
	PROFILE_CAVE,
	PROFILE_GBA_USIM,
	PROFILE_GBA_ISIM,
	PROFILE_MBMS,
	PROFILE_EAP,
	PROFILE_JAVACARD,
	PROFILE_MULTOS,
	PROFILE_MULTIPLE_USIM,
	PROFILE_MULTIPLE_ISIM,
	PROFILE_MULTIPLE_CSIM,
	PROFILE_TUAK256,
	PROFILE_USIM_TEST_ALGORITHM,
	PROFILE_BER_TLV,
	PROFILE_DF_LINK,
	PROFILE_CAT_TP,
	PROFILE_GET_IDENTITY,
	PROFILE_PROFILE_A,
	PROFILE_PROFILE_B,
	PROFILE_SUCI_API,
	PROFILE_DNS_RESOLUTION,
	PROFILE_SCP11AC,
	PROFILE_SCP11C_AUTHORIZATION,
	PROFILE_S16_MODE,
	PROFILE_EAKA,
	PROFILE_SERVICE_COUNT
};

struct profile_upp {
	struct slice octets;
	uint8_t major, minor;      /* of the interoperable format */
	struct slice type;         /* profileType, UTF-8, may be absent */
	char iccid[21];            /* digits; header and EF.ICCID agree */
	char imsi[16];             /* digits of the (first) USIM's EF.IMSI; empty without one */
	int mnc_digits;            /* 2 or 3 by EF.AD; 0 when it does not say */
	struct slice spn;          /* text of the USIM's EF.SPN when it is ASCII, else absent */
	uint32_t services;         /* 1u << enum profile_service */
	const struct slice *gfste; /* template OIDs, contents octets */
	size_t gfste_count;
	bool test_key; /* its AKA keys are the published test K (TS.48) */
	const struct profile_pe *pe;
	size_t pe_count;
	struct slice header_iccid, ef_iccid; /* the two places that hold it, 10 octets each */
};

/*
 * Reads and validates all of a package. Slices point into `upp` or the arena; both must outlive
 * `out`. False with the reason in `*fault` when it may not be offered. Secrets (keys, PINs) stay in
 * `upp` alone: nothing in `out` or `fault` repeats them.
 */
bool profile_upp_read(
	struct arena *mem, struct slice upp, struct profile_upp *out, struct profile_fault *fault);

/*
 * The package again with another ICCID (18 to 20 digits, Luhn digit right) in the header and in
 * EF.ICCID; every other octet stays. In the arena. False when the digits are no ICCID.
 */
bool profile_upp_rewrite_iccid(
	struct arena *mem, const struct profile_upp *upp, struct slice digits, struct slice *out);

/* The name of a service as in the ASN.1 module. */
const char *profile_service_name(enum profile_service service);

#endif
