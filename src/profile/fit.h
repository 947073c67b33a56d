#ifndef PROFILE_FIT_H
#define PROFILE_FIT_H
/*
 * Whether an eUICC knows what a package asks for (SGP.22 Annex F): the version of the interoperable
 * format, and each service that the header calls mandatory. It chooses among the variants of a profile
 * type and judges packages of their own alike.
 */
#include "codec/euicc.h"
#include "profile/upp.h"

struct profile_need {
	int32_t saip_version; /* major * 256 + minor of the interoperable format */
	int64_t services;     /* 1 << enum profile_service */
};

/* Services of `need` that the eUICC lacks, 1 << enum profile_service; 0 when it has them all. */
uint32_t
profile_services_missing(const struct profile_need *need, const struct codec_euicc_info2 *euicc);

/*
 * True when the eUICC covers version and services. Else `*why`, in the arena, names what is missing: "the
 * package has format 2.3, the eUICC knows up to 2.1", "the eUICC lacks the services isim and ber-tlv".
 */
bool profile_fits(struct arena *mem, const struct profile_need *need,
	const struct codec_euicc_info2 *euicc, const char **why);

#endif
