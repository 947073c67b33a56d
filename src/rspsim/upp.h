#ifndef RSPSIM_UPP_H
#define RSPSIM_UPP_H
/* A decrypted profile package, as far as the card judges it (TCA Interoperable Profile Package). */
#include "base/slice.h"

/* PEStatus values that a check can end in. */
enum rspsim_pe_status {
	RSPSIM_PE_OK = 0,
	RSPSIM_PE_BAD_VALUES = 3,
	RSPSIM_PE_INVALID_FORMAT = 5,
	RSPSIM_PE_FEATURE_NOT_SUPPORTED = 10,
	RSPSIM_PE_UNSUPPORTED_VERSION = 31
};

struct rspsim_upp {
	uint8_t header_iccid[10], file_iccid[10]; /* both as in EF.ICCID */
	bool has_file_iccid;
	bool test_keys; /* every K is the published one of TS.48 */
	uint32_t keys;  /* how many K there are */
	bool has_identification;
	uint32_t identification; /* of the element that the status is about */
};

/*
 * Walks the elements in order; `highest` is the package version that the card knows (major,
 * minor).
 */
enum rspsim_pe_status
rspsim_upp_read(struct slice upp, const uint8_t highest[2], struct rspsim_upp *out);

#endif
