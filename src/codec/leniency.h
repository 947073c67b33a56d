#ifndef CODEC_LENIENCY_H
#define CODEC_LENIENCY_H
/*
 * What eUICCs do that the standard does not say, and that is read all the same. A reader notes it in
 * `leniencies` of what it read, so that who calls it can count it: this folder counts nothing.
 */

/* Bits. */
enum codec_leniency {
	CODEC_LENIENT_DER_SIGNATURE = 1, /* an ECDSA SEQUENCE in place of r and s */
	CODEC_LENIENT_ARM = 2            /* a CHOICE without the tag of its arm */
};

#endif
