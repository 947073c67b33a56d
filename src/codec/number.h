#ifndef CODEC_NUMBER_H
#define CODEC_NUMBER_H
/* An INTEGER that may be missing from a message. */
#include <stdbool.h>
#include <stdint.h>

struct codec_number {
	bool known;
	int64_t n;
};

#endif
