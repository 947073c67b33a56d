#ifndef PROFILE_UPP_INT_H
#define PROFILE_UPP_INT_H
/* Inside profile/: a package while it is read (upp.c) and judged (upp_rules.c, upp_services.c). */
#include "profile/upp.h"

struct ProfileElement;

/* Tags of profile elements that rules name. */
enum pe_tag {
	PE_HEADER = 0xa0,
	PE_GFM = 0xa1,
	PE_PIN = 0xa2,
	PE_PUK = 0xa3,
	PE_AKA = 0xa4,
	PE_CDMA = 0xa5,
	PE_SD = 0xa6,
	PE_RFM = 0xa7,
	PE_APPLICATION = 0xa8,
	PE_END = 0xaa,
	PE_RFU1 = 0xab,
	PE_RFU5 = 0xaf,
	PE_MF = 0xb0,
	PE_CD = 0xb1,
	PE_TELECOM = 0xb2,
	PE_USIM = 0xb3,
	PE_OPT_USIM = 0xb4,
	PE_ISIM = 0xb5,
	PE_OPT_ISIM = 0xb6,
	PE_PHONEBOOK = 0xb7,
	PE_GSM_ACCESS = 0xb8,
	PE_CSIM = 0xb9,
	PE_OPT_CSIM = 0xba,
	PE_EAP = 0xbb,
	PE_DF_5GS = 0xbc,
	PE_DF_SAIP = 0xbd,
	PE_DF_SNPN = 0xbe,
	PE_DF_5GPROSE = 0xbf1f,
	PE_IOT = 0xbf20,
	PE_OPT_IOT = 0xbf21
};

struct upp_reader {
	struct arena *mem;
	struct profile_upp *out;
	struct profile_fault *fault;
	const struct profile_pe *pe;
	const struct ProfileElement **decoded; /* of each PE; NULL for those of later versions */
};

/* Both fill the fault and return false, so that a rule can `return upp_refuse(…)`. */
bool upp_refuse(struct upp_reader *r, size_t pe, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool
upp_refuse_whole(struct upp_reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Index of the first PE of that tag at or after `from`; pe_count when there is none. */
size_t upp_find(const struct upp_reader *r, enum pe_tag tag, size_t from);
static inline bool
upp_has(const struct upp_reader *r, enum pe_tag tag)
{
	return upp_find(r, tag, 0) < r->out->pe_count;
}

static inline bool
upp_declares(const struct upp_reader *r, enum profile_service service)
{
	return r->out->services >> service & 1;
}

/* Order and presence of PEs, PINs, templates. */
bool upp_rules_hold(struct upp_reader *r);
/* Declared services against what is there; keys and their lengths; the test key. */
bool upp_services_hold(struct upp_reader *r);
/* K of TS.48. An eUICC takes a test profile only with it, and no other profile with it. */
bool upp_is_test_key(struct slice k);

#endif
